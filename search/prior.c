/* prior.c -- what earlier jobs learned, in terms of this one's groups.
 * SPDX-License-Identifier: MIT */
#include "search/prior.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/link.h"
#include "search/space.h"

struct result {
	double effects[METRIC_COUNT];
};

struct prior {
	const struct space *now, *then;
	double baseline[METRIC_COUNT];
	int *counterpart; /* of each of then's groups in now; -1: none */
	int *scratch;     /* a candidate of now */
	int *keep;        /* count x now's groups */
	struct result *results;
	int count, oldest; /* a ring once it is full */
};

enum err prior_new(const struct space *now, struct prior **ret, struct errinfo *e)
{
	struct prior *p = calloc(1, sizeof *p);
	size_t groups = (size_t)now->group_count;
	if (p) {
		p->now = now;
		p->scratch = calloc(groups, sizeof *p->scratch);
	}
	if (!p || !p->scratch) {
		prior_free(p);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	*ret = p;
	return ERR_OK;
}

void prior_free(struct prior *p)
{
	if (!p)
		return;
	free(p->counterpart);
	free(p->scratch);
	free(p->keep);
	free(p->results);
	free(p);
}

/* ---- matching ---- */

struct named {
	const struct space_group *group;
	int index;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->group->name, y->group->name);
	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int compare_name(const void *key, const void *b)
{
	const struct space_group *wanted = key;
	return strcmp(wanted->name, ((const struct named *)b)->group->name);
}

enum err prior_job(struct prior *p, const struct space *then, const double baseline[METRIC_COUNT], struct errinfo *e)
{
	size_t groups = (size_t)p->now->group_count;
	struct named *index = calloc(groups, sizeof *index);
	int *counterpart = calloc((size_t)then->group_count, sizeof *counterpart);
	if (!index || !counterpart) {
		free(index);
		free(counterpart);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	for (size_t g = 0; g < groups; g++)
		index[g] = (struct named){ &p->now->groups[g], (int)g };
	qsort(index, groups, sizeof *index, by_name);
	for (int g = 0; g < then->group_count; g++) {
		const struct space_group *wanted = &then->groups[g];
		const struct named *found = bsearch(wanted, index, groups, sizeof *index, compare_name);
		bool same = found && found->group->channels == wanted->channels;
		counterpart[g] = same ? found->index : -1;
	}
	free(index);
	free(p->counterpart);
	p->counterpart = counterpart;
	p->then = then;
	memcpy(p->baseline, baseline, sizeof p->baseline);
	return ERR_OK;
}

/* ---- results ---- */

/* Into scratch; false when it prunes what this job doesn't have, or nothing: that has no effect in any job. */
static bool translate(struct prior *p, const int *keep)
{
	bool pruned = false;
	for (int g = 0; g < p->now->group_count; g++)
		p->scratch[g] = p->now->groups[g].channels;
	for (int g = 0; g < p->then->group_count; g++) {
		bool whole = keep[g] == p->then->groups[g].channels;
		if (p->counterpart[g] >= 0)
			p->scratch[p->counterpart[g]] = keep[g];
		else if (!whole)
			return false;
		pruned = pruned || !whole;
	}
	return pruned;
}

static enum err make_room(struct prior *p, struct errinfo *e)
{
	size_t size, groups = (size_t)p->now->group_count;
	if (p->results)
		return ERR_OK;
	if (__builtin_mul_overflow(groups * PRIOR_MOST, sizeof *p->keep, &size))
		return err_set(e, ERR_MEMORY, "out of memory");
	p->keep = malloc(size);
	p->results = calloc(PRIOR_MOST, sizeof *p->results);
	if (p->keep && p->results)
		return ERR_OK;
	return err_set(e, ERR_MEMORY, "out of memory");
}

enum err prior_add(struct prior *p, const int *keep, const double metrics[METRIC_COUNT], struct errinfo *e)
{
	size_t groups = (size_t)p->now->group_count;
	if (!translate(p, keep))
		return ERR_OK;
	enum err err = make_room(p, e);
	if (err)
		return err;
	int at = p->count < PRIOR_MOST ? p->count++ : p->oldest++ % PRIOR_MOST;
	memcpy(p->keep + (size_t)at * groups, p->scratch, groups * sizeof *p->keep);
	for (int m = 0; m < METRIC_COUNT; m++) {
		struct link link = { (enum metric)m, p->baseline[m], p->then->chance };
		bool known = link_applies(link.metric) && isfinite(metrics[m]) && isfinite(p->baseline[m]);
		p->results[at].effects[m] = known ? link_effect(&link, metrics[m]) : NAN;
	}
	return ERR_OK;
}

int prior_count(const struct prior *p)
{
	return p->count;
}

const int *prior_keep(const struct prior *p, int i)
{
	return p->keep + (size_t)i * (size_t)p->now->group_count;
}

const double *prior_effects(const struct prior *p, int i)
{
	return p->results[i].effects;
}
