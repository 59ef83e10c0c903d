/* purify.c -- what is almost redundant in a pruned network is removed too.
 * SPDX-License-Identifier: MIT */
#include "search/purify.h"

#include <math.h>
#include <stdlib.h>

#include "search/cost.h"
#include "search/seen.h"
#include "search/space.h"
#include "search/tally.h"
#include "search/temperature.h"

enum { PART = 10 };

struct purify {
	const struct space *space;
	enum metric metric;
	double tolerance;
	struct tally *tally; /* of the network so far; NULL: not started */
	struct energy winner;
	int *cut;            /* channels that each group is to lose next, 0: none of its cuts is accepted */
	int *refused;        /* how often a cut of it was */
};

enum err purify_new(const struct space *s, enum metric metric, double tolerance, struct purify **ret, struct errinfo *e)
{
	struct purify *p = calloc(1, sizeof *p);
	if (p) {
		*p = (struct purify){ .space = s, .metric = metric, .tolerance = tolerance };
		p->cut = calloc((size_t)s->group_count, sizeof *p->cut);
		p->refused = calloc((size_t)s->group_count, sizeof *p->refused);
	}
	if (!p || !p->cut || !p->refused) {
		purify_free(p);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	*ret = p;
	return ERR_OK;
}

void purify_free(struct purify *p)
{
	if (!p)
		return;
	tally_close(p->tally);
	free(p->cut);
	free(p->refused);
	free(p);
}

enum err purify_start(struct purify *p, const int *keep, const struct energy *energy, struct errinfo *e)
{
	struct tally *tally;
	enum err err = tally_open(p->space, keep, &tally, e);
	if (err)
		return err;
	tally_close(p->tally);
	p->tally = tally;
	p->winner = *energy;
	for (int g = 0; g < p->space->group_count; g++) {
		int step = p->space->groups[g].step;
		p->cut[g] = keep[g] / PART > step ? keep[g] / PART : step;
		p->refused[g] = 0;
	}
	return ERR_OK;
}

bool purify_started(const struct purify *p)
{
	return p->tally;
}

const struct energy *purify_level(const struct purify *p)
{
	return &p->winner;
}

/* What group g keeps after its next cut: as it is, when there is none. */
static int after_cut(const struct purify *p, int g)
{
	const struct space_group *group = &p->space->groups[g];
	int now = tally_keep(p->tally, g);
	if (!p->cut[g])
		return now;
	int keep = space_round_keep(group, now - p->cut[g]);
	return keep < now ? keep : space_less(group, now);
}

/* Importance lost per cost freed; damage grows with the square of what a group has lost. */
static double price(const struct purify *p, int g, int keep)
{
	const struct space_group *group = &p->space->groups[g];
	struct cost now = tally_if(p->tally, g, tally_keep(p->tally, g)), then = tally_if(p->tally, g, keep);
	double freed = cost_metric(&now, p->metric) - cost_metric(&then, p->metric);
	double lost = space_share(group, tally_keep(p->tally, g)), loses = space_share(group, keep);
	return freed > 0 ? (loses * loses - lost * lost) / freed : INFINITY;
}

/* The network so far with group g cut. */
static void cut_in(const struct purify *p, int g, int keep, int *ret_keep)
{
	for (int i = 0; i < p->space->group_count; i++)
		ret_keep[i] = i == g ? keep : tally_keep(p->tally, i);
}

int purify_choose(struct purify *p, const struct seen *seen, int *ret_keep)
{
	int best = -1;
	double least = INFINITY;
	for (int g = 0; g < p->space->group_count; g++) {
		int keep = after_cut(p, g);
		double x = keep < tally_keep(p->tally, g) ? price(p, g, keep) : INFINITY;
		bool sooner = best < 0 || p->refused[g] < p->refused[best] ||
			(p->refused[g] == p->refused[best] && x < least);
		if (!isfinite(x) || !sooner)
			continue;
		cut_in(p, g, keep, ret_keep);
		if (seen_has(seen, ret_keep, p->space->group_count))
			continue;
		best = g;
		least = x;
	}
	if (best >= 0)
		cut_in(p, best, after_cut(p, best), ret_keep);
	return best;
}

/* Whether a candidate goes further than what was accepted meanwhile. */
static bool costs_less(const struct purify *p, const int *keep)
{
	struct cost now = tally_if(p->tally, 0, tally_keep(p->tally, 0)), then = cost_of(p->space, keep);
	return cost_metric(&then, p->metric) < cost_metric(&now, p->metric);
}

void purify_tell(struct purify *p, int group, const int *keep, const struct energy *energy)
{
	bool good = energy->violation <= p->winner.violation && energy->value <= p->winner.value + p->tolerance;
	if (!good) {
		int step = p->space->groups[group].step, half = p->cut[group] / 2;
		p->cut[group] = p->cut[group] <= step ? 0 : half > step ? half : step;
		p->refused[group]++;
		return;
	}
	if (!costs_less(p, keep))
		return;
	for (int g = 0; g < p->space->group_count; g++)
		tally_set(p->tally, g, keep[g]);
}
