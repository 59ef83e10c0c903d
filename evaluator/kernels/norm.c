/* norm.c -- normalisation by statistics of each sample itself.
 * SPDX-License-Identifier: MIT
 *
 *   y[i] = (x[i] - mean) / sqrt(var + eps) * scale + shift,   mean and biased variance over a part of a sample:
 *
 *   instance norm (Ulyanov et al. 2016): each channel alone, scale and shift by channel
 *   group norm (Wu & He 2018): a group of channels together, scale and shift by group
 *   layer norm (Ba et al. 2016): everything from an axis on, scale and shift by place in it
 *
 * In all of them some dimensions say which part, the others which number of it. */
#include <math.h>

#include "evaluator/kernels/builder.h"

enum { X, Y, SCALE, SHIFT, VIEWS };

struct norm {
	struct view part[VIEWS], inside[VIEWS]; /* collapsed; the data pointers of inside are those of the part */
	int64_t count;
	float epsilon;
};

/* inside at one part. */
static void enter(const struct norm *m, const struct walk *at, struct view *ret)
{
	for (int k = 0; k < VIEWS; k++) {
		ret[k] = m->inside[k];
		ret[k].data = at->at[k];
	}
}

/* sum of (x - middle)^power over a part, power 1 or 2 */
static double moment(const struct view *x, double middle, bool squared)
{
	int last = x->rank - 1;
	int64_t n = x->dim[last], stride = x->stride[last];
	double sum = 0;
	struct walk w = walk_start(x, 1, last);
	do
		for (int64_t i = 0; i < n; i++) {
			double d = w.at[0][i * stride] - middle;
			sum += squared ? d * d : d;
		}
	while (walk_next(&w));
	return sum;
}

static void apply(const struct view *v, float mean, float factor)
{
	int last = v->rank - 1;
	int64_t n = v->dim[last], sx = v[X].stride[last], sy = v[Y].stride[last];
	int64_t ss = v[SCALE].stride[last], st = v[SHIFT].stride[last];
	struct walk w = walk_start(v, VIEWS, last);
	do
		for (int64_t i = 0; i < n; i++)
			w.at[Y][i * sy] = (w.at[X][i * sx] - mean) * factor * w.at[SCALE][i * ss] + w.at[SHIFT][i * st];
	while (walk_next(&w));
}

static void run(const void *job)
{
	const struct norm *m = job;
	struct view inside[VIEWS];
	struct walk w = walk_start(m->part, VIEWS, m->part[0].rank);
	do {
		enter(m, &w, inside);
		double mean = moment(&inside[X], 0, false) / (double)m->count;
		double variance = moment(&inside[X], mean, true) / (double)m->count;
		apply(inside, (float)mean, (float)(1 / sqrt(variance + m->epsilon)));
	} while (walk_next(&w));
}

/* v: x, y, scale, shift with the same dimensions, of which the first `parts` say which part. */
static enum err add_step(struct builder *b, const struct view v[VIEWS], int parts)
{
	struct norm m = { .epsilon = node_float(builder_node(b), "epsilon", 1e-5f) };
	for (int k = 0; k < VIEWS; k++) {
		m.part[k] = m.inside[k] = v[k];
		m.part[k].rank = parts;
		m.inside[k].rank = 0;
		for (int i = parts; i < v[k].rank; i++) {
			m.inside[k].dim[m.inside[k].rank] = v[k].dim[i];
			m.inside[k].stride[m.inside[k].rank++] = v[k].stride[i];
		}
	}
	if (!parts)
		for (int k = 0; k < VIEWS; k++)
			m.part[k] = view_lifted(&m.part[k], 1);
	m.count = view_count(&m.inside[X]);
	view_collapse(m.part, VIEWS);
	view_collapse(m.inside, VIEWS);
	return builder_call(b, run, &m, sizeof m);
}

/* x may be overwritten: a number is read for the last time before it is written. */
static enum err place(struct builder *b, struct view *x, struct view *y)
{
	const struct node *n = builder_node(b);
	enum err err = builder_value(b, n->in[0], x);
	return err ? err : builder_place_over(b, builder_result(b), n->in[0], x, y);
}

/* A stored vector by dimension `axis` of dims. */
static enum err by_axis(struct builder *b, int input, const struct view *like, int axis, struct view *ret)
{
	struct view v = *like, vector;
	enum err err = builder_value(b, builder_node(b)->in[input], &vector);
	if (err)
		return err;
	for (int i = 0; i < v.rank; i++)
		v.stride[i] = i == axis ? vector.stride[0] : 0;
	v.data = vector.data;
	*ret = v;
	return ERR_OK;
}

enum err instance_norm_build(struct builder *b)
{
	struct view v[VIEWS];
	enum err err = place(b, &v[X], &v[Y]);
	if (!err)
		err = by_axis(b, 1, &v[X], 1, &v[SCALE]);
	if (!err)
		err = by_axis(b, 2, &v[X], 1, &v[SHIFT]);
	return err ? err : add_step(b, v, 2);
}

/* Channels are seen as (group, channel of it). */
enum err group_norm_build(struct builder *b)
{
	struct view v[VIEWS];
	enum err err = place(b, &v[X], &v[Y]);
	if (err)
		return err;
	int64_t each = v[X].dim[1] / node_int(builder_node(b), "num_groups", 1);
	v[X] = view_split(&v[X], 1, each);
	v[Y] = view_split(&v[Y], 1, each);
	err = by_axis(b, 1, &v[X], 1, &v[SCALE]);
	if (!err)
		err = by_axis(b, 2, &v[X], 1, &v[SHIFT]);
	return err ? err : add_step(b, v, 2);
}

/* A stored tensor that broadcasts to what lies behind the axis. */
static enum err by_place(struct builder *b, int input, const struct view *like, struct view *ret)
{
	struct view v;
	enum err err = builder_value(b, builder_node(b)->in[input], &v);
	if (err)
		return err;
	v = view_lifted(&v, like->rank);
	*ret = view_expanded(&v, like->dim);
	return ERR_OK;
}

static enum err no_shift(struct builder *b, const struct view *like, struct view *ret)
{
	struct view v = { .rank = like->rank };
	enum err err = builder_floats(b, 1, &v.data); /* zero */
	if (!err)
		*ret = view_expanded(&v, like->dim);
	return err;
}

enum err layer_norm_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct view v[VIEWS];
	int axis = 0;
	enum err err = place(b, &v[X], &v[Y]);
	if (!err)
		err = node_axis(n, v[X].rank, -1, &axis, b->e);
	if (!err)
		err = by_place(b, 1, &v[X], &v[SCALE]);
	if (!err)
		err = node_input(b->g, n, 2) ? by_place(b, 2, &v[X], &v[SHIFT]) : no_shift(b, &v[X], &v[SHIFT]);
	return err ? err : add_step(b, v, axis);
}
