/* halving.c -- who goes up.
 * SPDX-License-Identifier: MIT
 *
 * A rung's complete results lie side by side, as points, in order of number. HALVING_FIELD of them at most are ranked,
 * only when the rung may send one up, and the ranking is kept until others are to be ranked: with results one by one
 * that is once a promotion, otherwise once for all promotions that they bring. So a promotion costs no more however
 * large the budget: a fraction of a millisecond with two objectives, some milliseconds with four that are all at odds
 * (O(f log f), O(f^2 m) for f results and m objectives, search/pareto.c). */
#include "search/halving.h"

#include <stdlib.h>

#include "search/order.h"
#include "search/score.h"

struct climber {
	int number;
	bool promoted;
};

struct rung {
	struct problem problem; /* as it is seen from here */
	struct climber *climbers; /* complete trials */
	double *points, *violations;
	int complete, capacity;
	int known;    /* results, failed ones too */
	int promoted; /* of the complete ones */
	int *order;   /* climbers from `from` to before `to`, counted from `from`, the best first */
	int from, to;
};

struct halving {
	struct ladder ladder;
	struct rung rungs[LADDER_RUNGS];
};

enum err halving_open(const struct problem *p, struct halving **ret, struct errinfo *e)
{
	struct halving *h = calloc(1, sizeof *h);
	if (!h)
		return err_set(e, ERR_MEMORY, "out of memory");
	h->ladder = p->ladder;
	for (int r = 0; r <= ladder_last(&p->ladder); r++)
		ladder_problem(p, r, &h->rungs[r].problem);
	*ret = h;
	return ERR_OK;
}

void halving_close(struct halving *h)
{
	if (!h)
		return;
	for (int r = 0; r < LADDER_RUNGS; r++) {
		free(h->rungs[r].climbers);
		free(h->rungs[r].points);
		free(h->rungs[r].violations);
		free(h->rungs[r].order);
	}
	free(h);
}

static enum err make_room(struct rung *r, struct errinfo *e)
{
	if (r->complete < r->capacity)
		return ERR_OK;
	size_t capacity = 2 * (size_t)r->capacity + 16, m = (size_t)r->problem.objective_count;
	struct climber *climbers = reallocarray(r->climbers, capacity, sizeof *climbers);
	if (climbers)
		r->climbers = climbers;
	double *points = reallocarray(r->points, capacity, m * sizeof *points);
	if (points)
		r->points = points;
	double *violations = reallocarray(r->violations, capacity, sizeof *violations);
	if (violations)
		r->violations = violations;
	if (!climbers || !points || !violations)
		return err_set(e, ERR_MEMORY, "out of memory");
	r->capacity = (int)capacity;
	return ERR_OK;
}

enum err halving_tell(struct halving *h, int rung, const struct outcome *o, struct errinfo *e)
{
	struct rung *r = &h->rungs[rung];
	enum err err = make_room(r, e);
	if (err)
		return err;
	r->known++;
	if (!o->ok)
		return ERR_OK;
	int at = r->complete++;
	r->climbers[at] = (struct climber){ .number = o->number };
	score_outcome(&r->problem, o, r->points + (size_t)at * (size_t)r->problem.objective_count, &r->violations[at]);
	return ERR_OK;
}

/* Ranks the field, of which at least one was not promoted; there is one. */
static enum err rank(struct rung *r, struct errinfo *e)
{
	int last = r->complete - 1, m = r->problem.objective_count;
	while (r->climbers[last].promoted)
		last--;
	int to = last >= r->complete - HALVING_FIELD ? r->complete : last + 1;
	int from = to > HALVING_FIELD ? to - HALVING_FIELD : 0;
	if (r->order && r->from == from && r->to == to)
		return ERR_OK;
	int *order = reallocarray(r->order, (size_t)(to - from), sizeof *order);
	if (!order)
		return err_set(e, ERR_MEMORY, "out of memory");
	r->order = order;
	r->from = r->to = 0;
	enum err err = order_points(r->points + (size_t)from * (size_t)m, r->violations + from, to - from, m, order, e);
	if (err)
		return err;
	r->from = from;
	r->to = to;
	return ERR_OK;
}

/* The best of the field that was not promoted; there is one. */
static enum err best(struct rung *r, int *ret_number, struct errinfo *e)
{
	enum err err = rank(r, e);
	if (err)
		return err;
	const struct climber *field = r->climbers + r->from;
	int i = 0;
	while (field[r->order[i]].promoted)
		i++;
	*ret_number = field[r->order[i]].number;
	return ERR_OK;
}

enum err halving_next(struct halving *h, int *ret_number, int *ret_rung, struct errinfo *e)
{
	for (int i = ladder_last(&h->ladder) - 1; i >= 0; i--) {
		struct rung *r = &h->rungs[i];
		if (r->promoted >= r->known / h->ladder.eta || r->promoted == r->complete)
			continue;
		*ret_rung = i;
		return best(r, ret_number, e);
	}
	*ret_number = 0;
	return ERR_OK;
}

enum err halving_last(struct halving *h, int *ret_number, int *ret_rung, struct errinfo *e)
{
	int last = ladder_last(&h->ladder);
	*ret_number = 0;
	if (h->rungs[last].complete)
		return ERR_OK;
	for (int i = last - 1; i >= 0; i--) {
		struct rung *r = &h->rungs[i];
		if (r->promoted == r->complete || r->promoted >= r->known / h->ladder.eta + h->ladder.eta)
			continue;
		*ret_rung = i;
		return best(r, ret_number, e);
	}
	return ERR_OK;
}

static int by_number(const void *a, const void *b)
{
	const struct climber *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

enum err halving_promote(struct halving *h, int rung, int number, struct errinfo *e)
{
	struct rung *r = &h->rungs[rung];
	struct climber key = { .number = number }, *found = NULL;
	if (r->complete)
		found = bsearch(&key, r->climbers, (size_t)r->complete, sizeof key, by_number);
	if (!found || found->promoted)
		return err_set(e, ERR_INTERNAL, "trial %d: %s", number, found ? "was promoted before"
			: "is not a complete one of its rung");
	found->promoted = true;
	r->promoted++;
	return ERR_OK;
}
