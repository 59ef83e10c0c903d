/* criterion.c -- how much each channel of a group matters.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune/criterion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/prune/coupling.h"

/* The L1 norm of each index along dimension dim of a tensor (outer, n, inner), added to what its class has. */
static void add_l1(const struct coupling *c, const struct value *v, const struct axis *a, double *norm)
{
	int64_t outer = 1, inner = 1;
	for (int i = 0; i < v->shape.rank; i++) {
		if (i < a->dim)
			outer *= v->shape.dim[i];
		if (i > a->dim)
			inner *= v->shape.dim[i];
	}
	const float *x = v->data;
	for (int64_t o = 0; o < outer; o++)
		for (int i = 0; i < a->n; i++)
			for (int64_t k = 0; k < inner; k++)
				norm[c->class_of[a->first + i]] += fabs((double)*x++);
}

/* Adds a group's norms to the importances, as shares of their mean. */
static void add_normalised(const struct group *group, const double *norm, double *importance)
{
	double sum = 0;
	for (int i = 0; i < group->channels; i++)
		sum += norm[group->classes[i]];
	for (int i = 0; i < group->channels && sum > 0; i++)
		importance[group->classes[i]] += norm[group->classes[i]] * group->channels / sum;
}

static void l1(const struct coupling *c, double *norm, double *importance)
{
	for (int i = 0; i < c->axis_count; i++) {
		const struct axis *a = &c->axes[i];
		const struct value *v = &c->g->values[a->value];
		if (!v->data || v->dtype != DTYPE_FLOAT || v->shape.rank < 2)
			continue;
		memset(norm, 0, (size_t)c->class_count * sizeof *norm);
		add_l1(c, v, a, norm);
		for (int g = 0; g < c->group_count; g++)
			add_normalised(&c->groups[g], norm, importance);
	}
}

static const struct {
	const char *name;
	void (*rank)(const struct coupling *c, double *scratch, double *importance);
} criteria[] = {
	{ "l1", l1 },
};

enum err criterion_importance(
	const char *name, const struct coupling *c, struct arena *a, const double **ret, struct errinfo *e)
{
	double *importance = ARENA_ARRAY(a, double, (size_t)c->class_count);
	double *scratch = ARENA_ARRAY(a, double, (size_t)c->class_count);
	if (!importance || !scratch)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < sizeof criteria / sizeof *criteria; i++) {
		if (strcmp(criteria[i].name, name))
			continue;
		criteria[i].rank(c, scratch, importance);
		*ret = importance;
		return ERR_OK;
	}
	return err_set(e, ERR_INPUT, "criterion: is '%.60s', expected l1", name);
}

struct ranked {
	double importance;
	int class;
};

/* Least important first; of equals the later channel. */
static int by_importance(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->importance != y->importance)
		return x->importance < y->importance ? -1 : 1;
	return x->class > y->class ? -1 : x->class < y->class;
}

enum err criterion_select(
	const struct coupling *c, const double *importance, const int *keep, bool *ret_removed, struct errinfo *e)
{
	struct ranked *order = malloc(((size_t)c->class_count + 1) * sizeof *order);
	if (!order)
		return err_set(e, ERR_MEMORY, "out of memory");
	memset(ret_removed, 0, (size_t)c->class_count);
	for (int g = 0; g < c->group_count; g++) {
		const struct group *group = &c->groups[g];
		for (int i = 0; i < group->channels; i++)
			order[i] = (struct ranked){ importance[group->classes[i]], group->classes[i] };
		qsort(order, (size_t)group->channels, sizeof *order, by_importance);
		for (int i = 0; i < group->channels - keep[g]; i++)
			ret_removed[order[i].class] = true;
	}
	free(order);
	return ERR_OK;
}
