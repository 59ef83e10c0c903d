/* reduce.c -- many numbers become one, along any dimensions.
 * SPDX-License-Identifier: MIT
 *
 *   sum x, mean x, max x, min x, product x, sum |x|, sqrt(sum x^2), sum x^2
 *
 * The output is walked with a stride of 0 wherever x is reduced. */
#include <math.h>

#include "base/simd.h"
#include "evaluator/kernels/builder.h"
#include "evaluator/kernels/columns.h"
#include "evaluator/model/operand.h"

struct reduction {
	void (*line)(float *y, int64_t y_stride, const float *x, int64_t x_stride, int64_t n);
	struct view v[2]; /* x, y: collapsed */
	float *lanes;	  /* sums of columns: scratch memory */
	double *totals;
};

/* clang-format off */
#define LINE(name, formula) \
	static void name(float *to, int64_t sy, const float *from, int64_t sx, int64_t n) \
	{ \
		if (sy == 0) { \
			double y = *to; \
			for (int64_t i = 0; i < n; i++) { \
				const double x = from[i * sx]; \
				y = (formula); \
			} \
			*to = (float)y; \
			return; \
		} \
		for (int64_t i = 0; i < n; i++) { \
			const float y = to[i * sy], x = from[i * sx]; \
			to[i * sy] = (float)(formula); \
		} \
	}

LINE(add, y + x)
LINE(largest, x > y || x != x ? x : y)
LINE(least, x < y || x != x ? x : y)
LINE(product, y * x)
LINE(absolute, y + (x < 0 ? -x : x))
LINE(square, y + x * x)
/* clang-format on */

/* Of at most a few thousand numbers, in lanes. */
SIMD static double sum_piece(const float *x, int64_t n)
{
	enum { LANES = 64 };
	float lane[LANES] = { 0 };
	double sum = 0;
	int64_t i = 0;
	for (; i + LANES <= n; i += LANES)
		for (int k = 0; k < LANES; k++)
			lane[k] += x[i + k];
	for (; i < n; i++)
		sum += x[i];
	for (int k = 0; k < LANES; k++)
		sum += lane[k];
	return sum;
}

static void sum(float *y, int64_t y_stride, const float *x, int64_t x_stride, int64_t n)
{
	enum { PIECE = 4096 };
	if (y_stride || x_stride != 1) {
		add(y, y_stride, x, x_stride, n);
		return;
	}
	double total = *y;
	for (int64_t i = 0; i < n; i += PIECE)
		total += sum_piece(x + i, n - i < PIECE ? n - i : PIECE);
	*y = (float)total;
}

static void run(const void *job)
{
	const struct reduction *r = job;
	int last = r->v[0].rank - 1;
	struct walk w = walk_start(r->v, 2, last);
	do
		r->line(w.at[1], r->v[1].stride[last], w.at[0], r->v[0].stride[last], r->v[0].dim[last]);
	while (walk_next(&w));
}

/* The last two dimensions are a matrix whose columns are summed up. */
static void run_columns(const void *job)
{
	const struct reduction *r = job;
	int last = r->v[0].rank - 1;
	struct columns size = { r->v[0].dim[last - 1], r->v[0].dim[last] };
	struct walk w = walk_start(r->v, 2, last - 1);
	do {
		columns_sum(&size, w.at[0], r->lanes, r->totals);
		for (int64_t c = 0; c < size.columns; c++)
			w.at[1][c] = (float)(w.at[1][c] + r->totals[c]);
	} while (walk_next(&w));
}

static bool sums_columns(const struct reduction *r)
{
	const struct view *x = &r->v[0], *y = &r->v[1];
	int last = x->rank - 1;
	return r->line == sum && last >= 1 && x->stride[last] == 1 && x->stride[last - 1] == x->dim[last] &&
	       y->stride[last] == 1 && y->stride[last - 1] == 0;
}

static enum err add_reduction(struct builder *b, struct reduction *r)
{
	if (!sums_columns(r))
		return builder_call(b, run, r, sizeof *r);
	int last = r->v[0].rank - 1;
	struct columns size = { r->v[0].dim[last - 1], r->v[0].dim[last] };
	enum err err = builder_scratch(b, columns_lanes(&size), &r->lanes);
	if (!err)
		err = builder_doubles(b, size.columns, &r->totals);
	return err ? err : builder_call(b, run_columns, r, sizeof *r);
}

/* How a result starts, what is done for each number, and how it ends. */
struct recipe {
	void (*line)(float *y, int64_t y_stride, const float *x, int64_t x_stride, int64_t n);
	float start;
	bool mean, root;
};

static struct recipe recipe_of(enum op op)
{
	switch ((int)op) {
	case OP_REDUCE_MAX:
	case OP_GLOBAL_MAX_POOL:
		return (struct recipe){ largest, -INFINITY, false, false };
	case OP_REDUCE_MIN:
		return (struct recipe){ least, INFINITY, false, false };
	case OP_REDUCE_PROD:
		return (struct recipe){ product, 1, false, false };
	case OP_REDUCE_L1:
		return (struct recipe){ absolute, 0, false, false };
	case OP_REDUCE_L2:
		return (struct recipe){ square, 0, false, true };
	case OP_REDUCE_SUM_SQUARE:
		return (struct recipe){ square, 0, false, false };
	case OP_REDUCE_MEAN:
	case OP_GLOBAL_AVERAGE_POOL:
		return (struct recipe){ sum, 0, true, false };
	default:
		return (struct recipe){ sum, 0, false, false };
	}
}

/* The dimensions that go, and whether they stay as ones. */
static enum err read_axes(struct builder *b, bool axes[SHAPE_MAX_RANK], bool *ret_keep)
{
	const struct node *n = builder_node(b);
	int rank = builder_shape(b, n->in[0])->rank;
	*ret_keep = !op_is_reduce(n->op) || node_int(n, "keepdims", 1);
	if (op_is_reduce(n->op))
		return operand_axes(b->g, n, rank, axes, b->e);
	for (int i = 0; i < rank; i++)
		axes[i] = i >= 2;
	return ERR_OK;
}

/* y with x's dimensions. */
static struct view spread(const struct view *x, const struct view *y, const bool *axes, bool keep)
{
	struct view v = *x;
	v.data = y->data;
	for (int i = 0, at = 0; i < x->rank; i++) {
		v.stride[i] = axes[i] ? 0 : y->stride[keep ? i : at];
		at += !axes[i];
	}
	return v;
}

static enum err finish(struct builder *b, struct recipe r, const struct view *y, int64_t each)
{
	dnnl_memory_desc_t md = dnn_vector(view_count(y));
	struct view flat = { 1, { view_count(y) }, { 1 }, y->data };
	dnnl_eltwise_desc_t desc;
	if (!r.mean && !r.root)
		return ERR_OK;
	enum err err = dnn_check(dnnl_eltwise_forward_desc_init(&desc, dnnl_forward_inference,
					 r.root ? dnnl_eltwise_sqrt : dnnl_eltwise_linear, &md, 1 / (float)each, 0),
		"describing the end of a reduction", b->e);
	return err ? err : builder_unary(b, &desc, &flat, &flat);
}

enum err reduce_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct recipe r = recipe_of(n->op);
	bool axes[SHAPE_MAX_RANK] = { false }, keep = true;
	struct view x, y;
	enum err err = read_axes(b, axes, &keep);
	if (!err)
		err = builder_value(b, n->in[0], &x);
	if (err)
		return err;
	struct order o = keep ? order_of(&x) : order_row_major();
	err = builder_place(b, builder_result(b), &o, &y);
	if (!err)
		err = builder_fill(b, &y, r.start);
	if (err)
		return err;
	struct reduction job = { .line = r.line, .v = { x, spread(&x, &y, axes, keep) } };
	view_collapse(job.v, 2);
	err = add_reduction(b, &job);
	return err ? err : finish(b, r, &y, view_count(&x) / view_count(&y));
}

/* The dimensions of x that were broadcast to get it from y's shape, aligned at their last ones. */
enum err sum_to_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct view x, y;
	enum err err = builder_value(b, n->in[0], &x);
	if (err)
		return err;
	struct order o = x.rank == builder_shape(b, n->out[0])->rank ? order_of(&x) : order_row_major();
	err = builder_place(b, n->out[0], &o, &y);
	if (err)
		return err;
	y = view_lifted(&y, x.rank);
	y = view_expanded(&y, x.dim);
	return builder_sum(b, &x, &y);
}

enum err builder_sum(struct builder *b, const struct view *x, const struct view *y)
{
	struct view each = *y;
	for (int i = 0; i < y->rank; i++)
		each.dim[i] = y->stride[i] ? y->dim[i] : 1;
	enum err err = builder_fill(b, &each, 0);
	struct reduction job = { .line = sum, .v = { *x, *y } };
	for (int i = 0; i < 2 && !x->rank; i++)
		job.v[i] = view_lifted(&job.v[i], 1);
	view_collapse(job.v, 2);
	return err ? err : add_reduction(b, &job);
}
