/* reference.c -- what a network computes, by the formulas and in double, with how far float may be off.
 * SPDX-License-Identifier: MIT */
#include "tests/evaluator/reference.h"

#include <check.h>
#include <math.h>
#include <string.h>

static const double U = 0x1p-24;

/* Roundings beyond those of the sum itself: a factor folded into the weights, the bias, the activation. */
enum { FEW = 8 };

struct run {
	const struct graph *g;
	struct reference *r;
	bool calibrate;
};

static struct numbers make(struct run *t, int rank, const int64_t *dims)
{
	struct numbers y = { .shape = { .rank = rank }, .count = 1 };
	for (int i = 0; i < rank; i++) {
		y.shape.dim[i] = dims[i];
		y.count *= dims[i];
	}
	y.value = ARENA_ARRAY(t->r->arena, double, (size_t)y.count);
	y.bound = ARENA_ARRAY(t->r->arena, double, (size_t)y.count);
	ck_assert(y.value && y.bound);
	return y;
}

static const struct numbers *input(const struct run *t, const struct node *n)
{
	return &t->r->values[n->in[0]];
}

/* A stored tensor, NULL when it is left out. */
static const struct value *stored(const struct run *t, const struct node *n, int i)
{
	return i < n->in_count && n->in[i] >= 0 ? &t->g->values[n->in[i]] : NULL;
}

static double element(const struct value *v, int64_t i)
{
	return ((const float *)v->data)[i];
}

/* ---- windows ---- */

struct axis {
	int64_t kernel, stride, dilation, begin, end;
};

static struct axis read_axis(const struct node *n, int which, int64_t kernel)
{
	const struct attribute *k = node_attribute(n, "kernel_shape"), *s = node_attribute(n, "strides");
	const struct attribute *d = node_attribute(n, "dilations"), *p = node_attribute(n, "pads");
	return (struct axis){ k ? k->ints[which] : kernel, s ? s->ints[which] : 1, d ? d->ints[which] : 1,
		p ? p->ints[which] : 0, p ? p->ints[2 + which] : 0 };
}

/* How many windows there are: those that lie inside the padded input; with ceil_mode one more when they don't reach its
 * end, if it begins before the padding behind the input. */
static int64_t count_windows(const struct axis *a, int64_t in, bool ceil_mode)
{
	int64_t reach = a->dilation * (a->kernel - 1) + 1, count = 0, start = -a->begin;
	for (; start + reach <= in + a->end; start += a->stride)
		count++;
	bool reached = start - a->stride + reach == in + a->end;
	return count + (ceil_mode && !reached && start < in);
}

static void conv(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = input(t, n);
	const struct value *w = stored(t, n, 1), *bias = stored(t, n, 2);
	const int64_t *d = w->shape.dim, *in = x->shape.dim;
	struct axis h = read_axis(n, 0, d[2]), v = read_axis(n, 1, d[3]);
	int64_t rows = count_windows(&h, in[2], false), columns = count_windows(&v, in[3], false);
	struct numbers y = make(t, 4, (int64_t[]){ in[0], d[0], rows, columns });
	y.terms = (double)(d[1] * d[2] * d[3]);
	for (int64_t at = 0; at < y.count; at++) {
		int64_t j = at % columns, i = at / columns % rows;
		int64_t o = at / columns / rows % d[0], b = at / columns / rows / d[0];
		double sum = bias ? element(bias, o) : 0, size = fabs(sum), carried = 0;
		for (int64_t k = 0; k < d[1] * d[2] * d[3]; k++) {
			int64_t c = k / d[3] / d[2];
			int64_t row = i * h.stride + k / d[3] % d[2] * h.dilation - h.begin;
			int64_t column = j * v.stride + k % d[3] * v.dilation - v.begin;
			if (row < 0 || row >= in[2] || column < 0 || column >= in[3])
				continue;
			int64_t from = ((b * in[1] + c) * in[2] + row) * in[3] + column;
			double weight = element(w, o * d[1] * d[2] * d[3] + k);
			sum += weight * x->value[from];
			size += fabs(weight * x->value[from]);
			carried += fabs(weight) * x->bound[from];
		}
		y.value[at] = sum;
		y.bound[at] = carried + (y.terms + FEW) * U * (size + carried);
	}
	*ret = y;
}

static void max_pool(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = input(t, n);
	const int64_t *in = x->shape.dim;
	bool ceil_mode = node_int(n, "ceil_mode", 0);
	struct axis h = read_axis(n, 0, 0), v = read_axis(n, 1, 0);
	int64_t rows = count_windows(&h, in[2], ceil_mode), columns = count_windows(&v, in[3], ceil_mode);
	struct numbers y = make(t, 4, (int64_t[]){ in[0], in[1], rows, columns });
	for (int64_t at = 0; at < y.count; at++) {
		int64_t plane = at / columns / rows, i = at / columns % rows, j = at % columns;
		y.value[at] = -INFINITY;
		for (int64_t k = 0; k < h.kernel * v.kernel; k++) {
			int64_t row = i * h.stride + k / v.kernel - h.begin;
			int64_t column = j * v.stride + k % v.kernel - v.begin;
			if (row < 0 || row >= in[2] || column < 0 || column >= in[3])
				continue;
			int64_t from = (plane * in[2] + row) * in[3] + column;
			y.value[at] = fmax(y.value[at], x->value[from]);
			y.bound[at] = fmax(y.bound[at], x->bound[from]);
		}
	}
	*ret = y;
}

static void global_average_pool(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = input(t, n);
	const int64_t *in = x->shape.dim;
	struct numbers y = make(t, 4, (int64_t[]){ in[0], in[1], 1, 1 });
	int64_t area = in[2] * in[3];
	for (int64_t at = 0; at < y.count; at++) {
		double sum = 0, size = 0, carried = 0;
		for (int64_t k = at * area; k < (at + 1) * area; k++) {
			sum += x->value[k];
			size += fabs(x->value[k]);
			carried += x->bound[k];
		}
		y.value[at] = sum / (double)area;
		y.bound[at] = (carried + (double)(area + FEW) * U * (size + carried)) / (double)area;
	}
	*ret = y;
}

/* ---- batch normalisation ---- */

static int64_t channel_of(const struct numbers *x, int64_t at)
{
	int64_t inner = 1;
	for (int i = 2; i < x->shape.rank; i++)
		inner *= x->shape.dim[i];
	return at / inner % x->shape.dim[1];
}

/* y = (x - mean) * factor + shift. Beside the usual roundings the factor is off by a fraction `off` of itself, the mean
 * by mean_bound. */
struct normal {
	double mean, mean_bound, factor, off, shift;
};

static void normalise(struct numbers *y, const struct numbers *x, int64_t at, const struct normal *k)
{
	double moved = x->value[at] - k->mean, size = fabs(x->value[at]) + fabs(k->mean);
	double carried = x->bound[at] + k->mean_bound;
	y->value[at] = moved * k->factor + k->shift;
	y->bound[at] = fabs(k->factor) * (carried + k->off * (fabs(moved) + carried)) +
		       (x->terms + FEW) * U * (fabs(k->factor) * (size + carried) + fabs(k->shift));
}

/* Two passes, as a careful program would: the error of the mean enters the variance by its square, the errors of x by
 * twice their product with the deviation. */
static struct moments measure(struct run *t, const struct numbers *x)
{
	int64_t channels = x->shape.dim[1];
	double count = (double)(x->count / channels);
	struct arena *a = t->r->arena;
	struct moments m = { ARENA_ARRAY(a, double, (size_t)channels), ARENA_ARRAY(a, double, (size_t)channels),
		ARENA_ARRAY(a, double, (size_t)channels), ARENA_ARRAY(a, double, (size_t)channels) };
	for (int64_t i = 0; i < x->count; i++) {
		int64_t c = channel_of(x, i);
		m.mean[c] += x->value[i] / count;
		m.mean_bound[c] += (x->bound[i] + (count + FEW) * U * (fabs(x->value[i]) + x->bound[i])) / count;
	}
	for (int64_t i = 0; i < x->count; i++) {
		int64_t c = channel_of(x, i);
		double moved = fabs(x->value[i] - m.mean[c]), off = x->bound[i] + m.mean_bound[c];
		double rounded = (count + FEW) * U * (moved + off) * (moved + off);
		m.variance[c] += moved * moved / count;
		m.variance_bound[c] += (2 * moved * x->bound[i] + off * off + rounded) / count;
	}
	return m;
}

static void batch_norm(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = input(t, n);
	const struct value *scale = stored(t, n, 1), *shift = stored(t, n, 2);
	struct moments *m = &t->r->moments[n - t->g->nodes];
	struct numbers y = make(t, x->shape.rank, x->shape.dim);
	double epsilon = node_float(n, "epsilon", 1e-5f);
	if (t->calibrate)
		*m = measure(t, x);
	for (int64_t at = 0; at < y.count; at++) {
		int64_t c = channel_of(x, at);
		struct normal k = { .shift = element(shift, c) };
		double variance = t->calibrate ? m->variance[c] : element(stored(t, n, 4), c);
		k.mean = t->calibrate ? m->mean[c] : element(stored(t, n, 3), c);
		k.mean_bound = t->calibrate ? m->mean_bound[c] : 0;
		k.off = t->calibrate ? m->variance_bound[c] / (variance + epsilon) : 0;
		k.factor = element(scale, c) / sqrt(variance + epsilon);
		normalise(&y, x, at, &k);
	}
	*ret = y;
}

/* ---- the rest ---- */

static void relu(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = input(t, n);
	struct numbers y = make(t, x->shape.rank, x->shape.dim);
	for (int64_t i = 0; i < y.count; i++) {
		y.value[i] = fmax(x->value[i], 0);
		y.bound[i] = x->bound[i];
	}
	*ret = y;
}

static void add(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *a = input(t, n), *b = &t->r->values[n->in[1]];
	struct numbers y = make(t, a->shape.rank, a->shape.dim);
	for (int64_t i = 0; i < y.count; i++) {
		double carried = a->bound[i] + b->bound[i];
		y.value[i] = a->value[i] + b->value[i];
		y.bound[i] = carried + FEW * U * (fabs(y.value[i]) + carried);
	}
	*ret = y;
}

static void flatten(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = input(t, n);
	struct numbers y = make(t, 2, (int64_t[]){ x->shape.dim[0], x->count / x->shape.dim[0] });
	memcpy(y.value, x->value, (size_t)y.count * sizeof *y.value);
	memcpy(y.bound, x->bound, (size_t)y.count * sizeof *y.bound);
	*ret = y;
}

static void gemm(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = input(t, n);
	const struct value *w = stored(t, n, 1), *bias = stored(t, n, 2);
	bool transposed = node_int(n, "transB", 0);
	double alpha = node_float(n, "alpha", 1), beta = node_float(n, "beta", 1);
	int64_t in = x->shape.dim[1], out = w->shape.dim[!transposed];
	struct numbers y = make(t, 2, (int64_t[]){ x->shape.dim[0], out });
	for (int64_t at = 0; at < y.count; at++) {
		int64_t b = at / out, o = at % out;
		double sum = bias ? beta * element(bias, o) : 0, size = fabs(sum), carried = 0;
		for (int64_t k = 0; k < in; k++) {
			double weight = alpha * element(w, transposed ? o * in + k : k * out + o);
			sum += weight * x->value[b * in + k];
			size += fabs(weight * x->value[b * in + k]);
			carried += fabs(weight) * x->bound[b * in + k];
		}
		y.value[at] = sum;
		y.bound[at] = carried + ((double)in + FEW) * U * (size + carried);
	}
	*ret = y;
}

static void (*const formulas[OP_COUNT])(struct run *t, const struct node *n, struct numbers *ret) = {
	[OP_CONV] = conv,
	[OP_BATCH_NORM] = batch_norm,
	[OP_RELU] = relu,
	[OP_MAX_POOL] = max_pool,
	[OP_GLOBAL_AVERAGE_POOL] = global_average_pool,
	[OP_ADD] = add,
	[OP_FLATTEN] = flatten,
	[OP_GEMM] = gemm,
};

struct reference reference_run(const struct graph *g, int64_t batch, const float *x, bool calibrate)
{
	struct reference r = { .arena = arena_new() };
	struct run t = { g, &r, calibrate };
	ck_assert_ptr_nonnull(r.arena);
	r.values = ARENA_ARRAY(r.arena, struct numbers, (size_t)g->value_count);
	r.moments = ARENA_ARRAY(r.arena, struct moments, (size_t)g->node_count);
	const struct shape *s = &g->values[g->inputs[0]].shape;
	int64_t dims[SHAPE_MAX_RANK] = { batch };
	for (int i = 1; i < s->rank; i++)
		dims[i] = s->dim[i];
	struct numbers *in = &r.values[g->inputs[0]];
	*in = make(&t, s->rank, dims);
	for (int64_t i = 0; i < in->count; i++)
		in->value[i] = x[i];
	for (int i = 0; i < g->node_count; i++)
		formulas[g->nodes[i].op](&t, &g->nodes[i], &r.values[g->nodes[i].out[0]]);
	return r;
}

void reference_free(struct reference *r)
{
	arena_free(r->arena);
}
