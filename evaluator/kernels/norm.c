/* norm.c -- normalisation by statistics of each sample itself.
 * SPDX-License-Identifier: MIT
 *
 *   h[i] = (x[i] - mean) / sqrt(var + eps),   mean and biased variance over a part of a sample
 *   y[i] = h[i] * scale + shift
 *
 *   g[i] = dy[i] * scale;   dscale, dshift = sums of dy * h, of dy, over all that one number scales, shifts
 *   dx[i] = (g[i] - mean of g - h[i] * mean of g * h) / sqrt(var + eps),   means over the part
 *
 *   instance norm (Ulyanov et al. 2016): each channel alone, scale and shift by channel
 *   group norm (Wu & He 2018): a group of channels together, scale and shift by group
 *   layer norm (Ba et al. 2016): everything from an axis on, scale and shift by place in it
 *
 * In row-major order a part is a run of memory (norm_rows.c). Channels-last, a sample is a matrix with a column for
 * each channel; moments are those of columns, joined by group. */
#include "evaluator/kernels/norm.h"

#include <math.h>
#include <string.h>

/* ---- by columns ---- */

/* The lane of means becomes the groups'; root[k] is that of group k. */
static void measure(const struct norm *m, const float *x, double *root)
{
	int64_t rows = m->m.size.rows, each = m->m.size.columns / m->scales;
	moments_measure(&m->m, x);
	for (int64_t k = 0; k < m->scales; k++) {
		const double *centre = m->m.sum[SUM_MEAN] + k * each, *part = m->m.sum[SUM_SQUARES] + k * each;
		double mean = 0, squares = 0;
		for (int64_t c = 0; c < each; c++)
			mean += centre[c] / (double)each;
		for (int64_t c = 0; c < each; c++)
			squares += part[c] + (double)rows * (centre[c] - mean) * (centre[c] - mean);
		for (int64_t c = 0; c < each; c++)
			m->m.lane[LANE_MEAN][k * each + c] = (float)mean;
		root[k] = 1 / sqrt(squares / (double)(rows * each) + (double)m->epsilon);
	}
	moments_repeat(&m->m, LANE_MEAN);
}

static void set_lane(const struct norm *m, int lane, int64_t group, double value)
{
	int64_t each = m->m.size.columns / m->scales;
	for (int64_t c = 0; c < each; c++)
		m->m.lane[lane][group * each + c] = (float)value;
}

static void run_columns(const void *job)
{
	const struct norm *m = job;
	int64_t size = m->m.size.rows * m->m.size.columns;
	double *root = m->dscale_sum;
	for (int64_t i = 0; i < m->samples; i++) {
		measure(m, m->x + i * size, root);
		for (int64_t k = 0; k < m->scales; k++) {
			set_lane(m, LANE_FACTOR, k, root[k] * (double)m->scale[k]);
			set_lane(m, LANE_OFFSET, k, (double)m->shift[k]);
		}
		moments_repeat(&m->m, LANE_FACTOR);
		moments_repeat(&m->m, LANE_OFFSET);
		moments_normalise(&m->m, m->x + i * size, false, m->y + i * size);
	}
}

/* A group's sums, and the lanes that its dx is made by. */
static void join_group(const struct norm *m, int64_t group, double root)
{
	int64_t each = m->m.size.columns / m->scales;
	double first = 0, second = 0, n = (double)(m->m.size.rows * each), factor = root * (double)m->scale[group];
	for (int64_t c = group * each; c < (group + 1) * each; c++) {
		first += m->m.sum[SUM_FIRST][c];
		second += m->m.sum[SUM_SECOND][c];
	}
	m->dshift_sum[group] += first;
	m->dscale_sum[group] += second * root;
	set_lane(m, LANE_FACTOR, group, factor);
	set_lane(m, LANE_SLOPE, group, factor * root * root * second / n);
	set_lane(m, LANE_OFFSET, group, factor * first / n);
}

static void run_columns_back(const void *job)
{
	const struct norm *m = job;
	int64_t size = m->m.size.rows * m->m.size.columns;
	double *root = m->dshift_sum + m->scales;
	memset(m->dscale_sum, 0, (size_t)m->scales * sizeof(double));
	memset(m->dshift_sum, 0, (size_t)m->scales * sizeof(double));
	for (int64_t i = 0; i < m->samples; i++) {
		const float *dy = m->dy + i * size, *x = m->x + i * size;
		measure(m, x, root);
		moments_products(&m->m, dy, x, NULL);
		for (int64_t k = 0; k < m->scales; k++)
			join_group(m, k, root[k]);
		moments_repeat(&m->m, LANE_FACTOR);
		moments_repeat(&m->m, LANE_SLOPE);
		moments_repeat(&m->m, LANE_OFFSET);
		if (m->dx)
			moments_flow(&m->m, dy, x, NULL, m->dx + i * size);
	}
	for (int64_t k = 0; k < m->scales; k++) {
		m->dscale[k] = (float)m->dscale_sum[k];
		m->dshift[k] = (float)m->dshift_sum[k];
	}
}

/* ---- building ---- */

/* How x is walked over: the parts, and the order that it has to have. */
struct form {
	bool columns;
	int64_t groups; /* of channels; 0: layer norm */
	int64_t part;	/* numbers of a part */
	struct order order;
	struct view x;
};

static enum err read_layer(struct builder *b, struct form *f)
{
	int axis = 0;
	f->order = order_row_major();
	f->part = 1;
	enum err err = node_axis(builder_node(b), f->x.rank, -1, &axis, b->e);
	for (int i = axis; i < f->x.rank; i++)
		f->part *= f->x.dim[i];
	return err;
}

/* x is the value `value`, of which op makes the node's output. */
static enum err read_form(struct builder *b, enum op op, int value, struct form *ret)
{
	struct form f = { .order = order_row_major() };
	enum err err = builder_value(b, value, &f.x);
	if (!err && op == OP_LAYER_NORM)
		err = read_layer(b, &f);
	if (err)
		return err;
	if (op != OP_LAYER_NORM) {
		f.groups = op == OP_GROUP_NORM ? node_int(builder_node(b), "num_groups", 1) : f.x.dim[1];
		f.columns = !view_is_dense(&f.x, &f.order);
		f.part = view_count(&f.x) / f.x.dim[0] / f.groups;
		f.order = f.columns ? order_channels_last(f.x.rank) : f.order;
	}
	err = builder_dense(b, value, &f.order, &f.x);
	if (!err)
		*ret = f;
	return err;
}

/* A vector by group, or what broadcasts to the numbers of a part: as many as they are. */
static enum err find_scale(struct builder *b, int value, const struct form *f, const float **ret)
{
	struct order o = order_row_major();
	struct view v, to = f->x;
	enum err err = builder_dense(b, value, &o, &v);
	if (err)
		return err;
	*ret = v.data;
	if (f->groups || view_count(&v) == f->part)
		return ERR_OK;
	for (int i = 0; i < to.rank && view_count(&to) > f->part; i++)
		to.dim[i] = 1;
	to = view_dense(to.rank, to.dim, 1, &o, NULL);
	v = view_lifted(&v, to.rank);
	v = view_expanded(&v, to.dim);
	err = builder_scratch(b, f->part, &to.data);
	*ret = to.data;
	return err ? err : builder_copy(b, &v, &to);
}

static struct norm norm_of(const struct builder *b, const struct form *f)
{
	return (struct norm){ .epsilon = node_float(builder_node(b), "epsilon", 1e-5f),
		.x = f->x.data,
		.scales = f->groups ? f->groups : f->part,
		.parts = view_count(&f->x) / f->part,
		.count = f->part,
		.by_place = !f->groups,
		.samples = f->x.dim[0] };
}

/* Room for sums, and for the moments of a sample. */
static enum err place_sums(struct builder *b, const struct form *f, struct norm *m)
{
	enum err err = builder_doubles(b, m->scales, &m->dscale_sum);
	if (!err)
		err = builder_doubles(b, 2 * m->scales, &m->dshift_sum);
	if (!err && f->columns)
		err = moments_place(b, view_count(&f->x) / f->x.dim[0] / f->x.dim[1], f->x.dim[1], &m->m);
	return err;
}

/* y may lie over x: a part is measured before it is written. */
enum err norm_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct form f;
	struct view y;
	const float *scale = NULL, *shift = NULL;
	float *none;
	enum err err = read_form(b, n->op, n->in[0], &f);
	if (!err)
		err = find_scale(b, n->in[1], &f, &scale);
	if (!err && node_input(b->g, n, 2)) {
		err = find_scale(b, n->in[2], &f, &shift);
	} else if (!err) {
		err = builder_floats(b, f.part, &none); /* zeros */
		shift = err ? NULL : none;
	}
	if (!err)
		err = builder_place_over(b, builder_result(b), n->in[0], &f.x, &y);
	if (err)
		return err;
	struct norm m = norm_of(b, &f);
	m.scale = scale;
	m.shift = shift;
	m.y = y.data;
	err = place_sums(b, &f, &m);
	return err ? err : builder_call(b, f.columns ? run_columns : norm_rows, &m, sizeof m);
}

/* Where a gradient of scale or shift is made: in its output, or aside when it has to be summed up or nobody asks. */
struct scale_gradient {
	struct view aside, to;
	bool sums;
};

static enum err place_scale(struct builder *b, int output, const struct form *f, struct scale_gradient *g, float **ret)
{
	const struct node *n = builder_node(b);
	struct order o = order_row_major();
	int value = output < n->out_count ? n->out[output] : -1;
	int64_t count = f->groups ? f->groups : f->part;
	enum err err = value >= 0 ? builder_place(b, value, &o, &g->to) : ERR_OK;
	if (err)
		return err;
	*ret = g->to.data;
	g->sums = value >= 0 && view_count(&g->to) != count;
	if (value >= 0 && !g->sums)
		return ERR_OK;
	g->aside = f->x;
	for (int i = 0; i < f->x.rank && view_count(&g->aside) > count; i++)
		g->aside.dim[i] = 1;
	g->aside = view_dense(f->x.rank, g->aside.dim, 1, &o, NULL);
	err = builder_scratch(b, count, &g->aside.data);
	*ret = g->aside.data;
	return err;
}

/* What scale was broadcast to. */
static enum err sum_scale(struct builder *b, const struct scale_gradient *g)
{
	struct view to = view_lifted(&g->to, g->aside.rank);
	to = view_expanded(&to, g->aside.dim);
	return g->sums ? builder_sum(b, &g->aside, &to) : ERR_OK;
}

static enum err place_gradients(
	struct builder *b, const struct form *f, const struct view *dy, struct norm *m, struct scale_gradient of[2])
{
	const struct node *n = builder_node(b);
	struct view dx = { .data = NULL };
	enum err err = n->out[0] >= 0 ? builder_place_over(b, n->out[0], n->in[0], dy, &dx) : ERR_OK;
	m->dx = dx.data;
	if (!err)
		err = place_scale(b, 1, f, &of[0], &m->dscale);
	if (!err)
		err = place_scale(b, 2, f, &of[1], &m->dshift);
	return err ? err : place_sums(b, f, m);
}

enum err norm_gradient_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct form f;
	struct view dy;
	struct scale_gradient of[2] = { { .sums = false } };
	const float *scale = NULL;
	enum err err = read_form(b, (enum op)node_int(n, "op", OP_COUNT), n->in[1], &f);
	if (!err)
		err = builder_dense(b, n->in[0], &f.order, &dy);
	if (!err)
		err = find_scale(b, n->in[2], &f, &scale);
	if (err)
		return err;
	struct norm m = norm_of(b, &f);
	m.dy = dy.data;
	m.scale = scale;
	err = place_gradients(b, &f, &dy, &m, of);
	if (!err)
		err = builder_call(b, f.columns ? run_columns_back : norm_rows_back, &m, sizeof m);
	for (int k = 0; k < 2 && !err; k++)
		err = sum_scale(b, &of[k]);
	return err;
}
