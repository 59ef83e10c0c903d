/* criterion.c -- how much each channel of a group matters.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune/criterion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "evaluator/prune/coupling.h"
#include "evaluator/prune/geometry.h"
#include "evaluator/prune/layer.h"

/* A criterion at work. */
struct scoring {
	const struct coupling *c;
	const struct ranking *r;
	struct arena *arena;
	double *importance; /* by class */
	double *sum;        /* by class, zero between dimensions */
	bool *scored;       /* by group: something was added */
	bool *seen;         /* by value: its dimensions were looked at */
	const float **saliency; /* by value: looked at instead of the tensors, or NULL */
	struct errinfo *e;
};

static enum err no_memory(struct scoring *s)
{
	return err_set(s->e, ERR_MEMORY, "out of memory for importances");
}

/* ---- what a dimension adds ---- */

static double identity(double x)
{
	return x;
}

/* Adds a dimension's figures, one an index: those of a class are summed and then finished (the root of a sum of
 * squares), and go to its importance as shares of the group's mean. */
static void add_axis(struct scoring *s, const struct axis *a, const double *figures, double (*finish)(double))
{
	const struct coupling *c = s->c;
	for (int i = 0; i < a->n; i++)
		s->sum[c->class_of[a->first + i]] += figures[i];
	for (int t = 0; t < a->term_count; t++) {
		const struct group *group = &c->groups[a->terms[t].group];
		double all = 0;
		for (int i = 0; i < group->channels; i++)
			all += finish(s->sum[group->classes[i]]);
		for (int i = 0; i < group->channels && all > 0; i++)
			s->importance[group->classes[i]] += finish(s->sum[group->classes[i]]) * group->channels / all;
		s->scored[a->terms[t].group] = true;
	}
	for (int i = 0; i < a->n; i++)
		s->sum[c->class_of[a->first + i]] = 0;
}

/* The dimension, NULL when nothing of it can be removed. */
static const struct axis *live_axis(const struct scoring *s, int value, int dim)
{
	const struct axis *a = coupling_axis(s->c, value, dim);
	return a && a->term_count ? a : NULL;
}

/* ---- norms ---- */

static double square(double x)
{
	return x * x;
}

/* The sum of f(x) over each index along a dimension of a tensor (outer, n, inner) of numbers x. */
static void sum_along(
	const struct value *v, const float *x, const struct axis *a, double (*f)(double), double *ret)
{
	int64_t outer = 1, inner = 1;
	for (int i = 0; i < v->shape.rank; i++) {
		if (i < a->dim)
			outer *= v->shape.dim[i];
		if (i > a->dim)
			inner *= v->shape.dim[i];
	}
	for (int64_t o = 0; o < outer; o++)
		for (int i = 0; i < a->n; i++)
			for (int64_t k = 0; k < inner; k++)
				ret[i] += f((double)*x++);
}

static enum err add_norm(struct scoring *s, int value, int dim, double (*f)(double), double (*finish)(double))
{
	const struct axis *a = live_axis(s, value, dim);
	if (!a || (s->saliency && !s->saliency[value]))
		return ERR_OK;
	struct arena_mark mark = arena_mark(s->arena);
	double *figures = ARENA_ARRAY(s->arena, double, (size_t)a->n);
	if (!figures)
		return no_memory(s);
	const struct value *v = &s->c->g->values[value];
	sum_along(v, s->saliency ? s->saliency[value] : value_floats(v), a, f, figures);
	add_axis(s, a, figures, finish);
	arena_reset(s->arena, mark);
	return ERR_OK;
}

/* Rows and slices of every weight, each tensor once. */
static enum err add_norms(struct scoring *s, double (*f)(double), double (*finish)(double))
{
	struct layer l;
	enum err err = ERR_OK;
	for (int i = 0; i < s->c->g->node_count && !err; i++) {
		if (!layer_of(s->c->g, &s->c->g->nodes[i], &l) || l.weight < 0 || s->seen[l.weight])
			continue;
		s->seen[l.weight] = true;
		err = add_norm(s, l.out, l.out_dim, f, finish);
		if (!err)
			err = add_norm(s, l.in, l.in_dim, f, finish);
	}
	return err;
}

static enum err l1(struct scoring *s)
{
	return add_norms(s, fabs, identity);
}

static enum err l2(struct scoring *s)
{
	return add_norms(s, square, sqrt);
}

/* ---- the others ---- */

static enum err fpgm(struct scoring *s)
{
	struct layer l;
	const struct graph *g = s->c->g;
	for (int i = 0; i < g->node_count; i++) {
		if (!layer_of(g, &g->nodes[i], &l) || l.weight < 0 || s->seen[l.weight])
			continue;
		s->seen[l.weight] = true;
		const struct axis *a = live_axis(s, l.out, l.out_dim);
		struct arena_mark mark = arena_mark(s->arena);
		double *figures = a ? ARENA_ARRAY(s->arena, double, (size_t)a->n) : NULL;
		if (a && !figures)
			return no_memory(s);
		enum err err = a ? geometry_distances(&g->values[l.out], a->dim, figures, s->e) : ERR_OK;
		if (err)
			return err;
		if (a)
			add_axis(s, a, figures, identity);
		arena_reset(s->arena, mark);
	}
	return ERR_OK;
}

static enum err bn(struct scoring *s)
{
	const struct graph *g = s->c->g;
	enum err err = ERR_OK;
	for (int i = 0; i < g->node_count && !err; i++) {
		const struct node *n = &g->nodes[i];
		if (n->op != OP_BATCH_NORM || n->opaque || s->seen[n->in[1]])
			continue;
		s->seen[n->in[1]] = true;
		err = add_norm(s, n->in[1], 0, fabs, identity);
	}
	return err;
}

/* Saliencies of weights and of batch-norms' scales, added up. */
static enum err by_saliency(struct scoring *s, bool second_order)
{
	const struct graph *g = s->c->g;
	if (!s->r->saliency)
		return err_set(s->e, ERR_INPUT, "criterion: '%s' looks at sample data, and none is given",
			s->r->criterion);
	const float **saliency = ARENA_ARRAY(s->arena, const float *, (size_t)g->value_count);
	if (!saliency)
		return no_memory(s);
	enum err err = s->r->saliency(g, second_order, s->r->seed, s->arena, saliency, s->r->arg, s->e);
	s->saliency = saliency;
	if (!err)
		err = add_norms(s, identity, identity);
	return err ? err : bn(s);
}

static enum err taylor(struct scoring *s)
{
	return by_saliency(s, false);
}

static enum err obd(struct scoring *s)
{
	return by_saliency(s, true);
}

/* What layers read, each dimension once; the arrays have room for one a node. */
static int find_read(struct scoring *s, int *values, int *dims)
{
	struct layer l;
	int count = 0;
	const struct graph *g = s->c->g;
	for (int i = 0; i < g->node_count; i++) {
		if (!layer_of(g, &g->nodes[i], &l) || !live_axis(s, l.x, l.x_dim) || s->seen[l.x])
			continue;
		s->seen[l.x] = true;
		values[count] = l.x;
		dims[count++] = l.x_dim;
	}
	return count;
}

static enum err activation(struct scoring *s)
{
	size_t nodes = (size_t)s->c->g->node_count;
	if (!s->r->observe)
		return err_set(s->e, ERR_INPUT, "criterion: 'activation' looks at sample data, and none is given");
	int *values = ARENA_ARRAY(s->arena, int, nodes), *dims = ARENA_ARRAY(s->arena, int, nodes);
	double **means = ARENA_ARRAY(s->arena, double *, nodes);
	if (!values || !dims || !means)
		return no_memory(s);
	int count = find_read(s, values, dims);
	for (int i = 0; i < count; i++) {
		means[i] = ARENA_ARRAY(s->arena, double, (size_t)coupling_axis(s->c, values[i], dims[i])->n);
		if (!means[i])
			return no_memory(s);
	}
	enum err err = s->r->observe(s->c->g, count, values, dims, means, s->r->arg, s->e);
	for (int i = 0; i < count && !err; i++)
		add_axis(s, coupling_axis(s->c, values[i], dims[i]), means[i], identity);
	return err;
}

static enum err by_lot(struct scoring *s)
{
	struct rng rng;
	rng_init(&rng, s->r->seed, 0x72616e646f6d); /* a stream of its own */
	for (int k = 0; k < s->c->class_count; k++)
		s->importance[k] = rng_uniform(&rng);
	memset(s->scored, true, (size_t)s->c->group_count);
	return ERR_OK;
}

/* ---- the table ---- */

static const struct {
	const char *name;
	enum err (*score)(struct scoring *s);
	bool samples;
} criteria[] = {
	{ "l1", l1, false },
	{ "l2", l2, false },
	{ "fpgm", fpgm, false },
	{ "bn", bn, false },
	{ "activation", activation, true },
	{ "taylor", taylor, true },
	{ "obd", obd, true },
	{ "random", by_lot, false },
};
enum { CRITERIA = sizeof criteria / sizeof *criteria };

static int criterion_named(const char *name)
{
	for (int i = 0; i < CRITERIA; i++)
		if (!strcmp(criteria[i].name, name))
			return i;
	return -1;
}

bool criterion_samples(const char *name)
{
	int i = criterion_named(name);
	return i >= 0 && criteria[i].samples;
}

enum err criterion_check(const char *name, struct errinfo *e)
{
	if (criterion_named(name) >= 0)
		return ERR_OK;
	return err_set(e, ERR_INPUT,
		"criterion: is '%.60s', expected l1, l2, fpgm, bn, activation, taylor, obd or random", name);
}

static enum err scoring_init(struct scoring *s)
{
	size_t classes = (size_t)s->c->class_count, groups = (size_t)s->c->group_count;
	s->importance = ARENA_ARRAY(s->arena, double, classes);
	s->sum = ARENA_ARRAY(s->arena, double, classes);
	s->scored = ARENA_ARRAY(s->arena, bool, groups);
	s->seen = ARENA_ARRAY(s->arena, bool, (size_t)s->c->g->value_count);
	return s->importance && s->sum && s->scored && s->seen ? ERR_OK : no_memory(s);
}

/* Groups that nothing was said about get their importances from l1; ret_by_l1 marks them. */
static enum err fill_up(struct scoring *s, bool *ret_by_l1)
{
	struct scoring other = { .c = s->c, .r = s->r, .arena = s->arena, .e = s->e };
	bool any = false;
	for (int g = 0; g < s->c->group_count; g++) {
		ret_by_l1[g] = !s->scored[g];
		any = any || ret_by_l1[g];
	}
	enum err err = any ? scoring_init(&other) : ERR_OK;
	if (!err && any)
		err = l1(&other);
	for (int g = 0; g < s->c->group_count && !err && any; g++)
		for (int i = 0; ret_by_l1[g] && i < s->c->groups[g].channels; i++)
			s->importance[s->c->groups[g].classes[i]] = other.importance[s->c->groups[g].classes[i]];
	return err;
}

enum err criterion_importance(const struct ranking *r, const struct coupling *c, struct arena *a,
	const double **ret_importance, const bool **ret_by_l1, struct errinfo *e)
{
	struct scoring s = { .c = c, .r = r, .arena = a, .e = e };
	enum err err = criterion_check(r->criterion, e);
	if (!err)
		err = scoring_init(&s);
	bool *by_l1 = err ? NULL : ARENA_ARRAY(a, bool, (size_t)c->group_count);
	if (!err && !by_l1)
		err = no_memory(&s);
	if (!err)
		err = criteria[criterion_named(r->criterion)].score(&s);
	if (!err)
		err = fill_up(&s, by_l1);
	if (err)
		return err;
	*ret_importance = s.importance;
	*ret_by_l1 = by_l1;
	return ERR_OK;
}

/* ---- choosing ---- */

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
