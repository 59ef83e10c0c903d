/* formula_layer.c -- layers and pooling by definition.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <string.h>

#include "tests/evaluator/formula.h"

enum { MOST = 3 };

/* ---- windows ---- */

struct axis {
	int64_t kernel, stride, dilation, begin, end, extra;
};

static int64_t given(const struct node *n, const char *name, int i, int64_t otherwise)
{
	const struct attribute *a = node_attribute(n, name);
	return a ? a->ints[i] : otherwise;
}

/* auto_pad SAME: as many outputs as strides fit, with an odd padding behind, or before for LOWER. */
static void pad_same(const struct node *n, int64_t in, struct axis *a)
{
	const struct attribute *mode = node_attribute(n, "auto_pad");
	if (!mode || strncmp(mode->s, "SAME", 4))
		return;
	int64_t out = (in + a->stride - 1) / a->stride, reach = a->dilation * (a->kernel - 1) + 1;
	int64_t pad = (out - 1) * a->stride + reach - in;
	pad = pad > 0 ? pad : 0;
	a->end = strcmp(mode->s, "SAME_UPPER") ? pad / 2 : pad - pad / 2;
	a->begin = pad - a->end;
}

/* A transposed convolution's output_shape, or auto_pad's size times stride: what is too much is cut off, an odd number
 * of it before but for UPPER; what is missing stays empty behind, if a shape was asked for. */
static void pad_to_shape(const struct node *n, int64_t in, int i, struct axis *a)
{
	const struct attribute *shape = node_attribute(n, "output_shape"), *mode = node_attribute(n, "auto_pad");
	if (!shape && !mode)
		return;
	int64_t full = (in - 1) * a->stride + a->extra + a->dilation * (a->kernel - 1) + 1;
	int64_t much = full - (shape ? shape->ints[i] : in * a->stride), cut = much > 0 ? much : 0;
	a->begin = mode && !strcmp(mode->s, "SAME_UPPER") ? cut / 2 : cut - cut / 2;
	a->end = cut - a->begin;
	a->extra += shape && much < 0 ? -much : 0;
}

static void read_axes(const struct node *n, const struct numbers *x, const int64_t *kernel, struct axis ret[MOST])
{
	int rank = x->shape.rank - 2;
	for (int i = 0; i < rank; i++) {
		ret[i] = (struct axis){ kernel ? kernel[i] : given(n, "kernel_shape", i, 0), given(n, "strides", i, 1),
			given(n, "dilations", i, 1), given(n, "pads", i, 0), given(n, "pads", rank + i, 0),
			given(n, "output_padding", i, 0) };
		if (n->op == OP_CONV_TRANSPOSE)
			pad_to_shape(n, x->shape.dim[2 + i], i, &ret[i]);
		else
			pad_same(n, x->shape.dim[2 + i], &ret[i]);
	}
}

/* How many windows there are: those that lie inside the padded input; with ceil_mode one more when they don't reach
 * its end, if it begins before the padding behind the input. */
static int64_t count_windows(const struct axis *a, int64_t in, bool ceil_mode)
{
	int64_t reach = a->dilation * (a->kernel - 1) + 1, count = 0, start = -a->begin;
	for (; start + reach <= in + a->end; start += a->stride)
		count++;
	bool reached = start - a->stride + reach == in + a->end;
	return count + (ceil_mode && !reached && start < in);
}

/* Place k of the kernel, counted in row-major order, by axis. */
static void kernel_index(const struct axis *a, int rank, int64_t k, int64_t ret[MOST])
{
	for (int i = rank - 1; i >= 0; i--) {
		ret[i] = k % a[i].kernel;
		k /= a[i].kernel;
	}
}

static int64_t kernel_area(const struct axis *a, int rank)
{
	int64_t area = 1;
	for (int i = 0; i < rank; i++)
		area *= a[i].kernel;
	return area;
}

/* Where place k of the window at `to` lies in x; false outside. index has (batch, channel) set. */
static bool under_window(const struct numbers *x, const struct axis *a, const int64_t *to, int64_t k, int64_t *index)
{
	int rank = x->shape.rank - 2;
	int64_t u[MOST];
	kernel_index(a, rank, k, u);
	for (int i = 0; i < rank; i++) {
		index[2 + i] = to[2 + i] * a[i].stride + u[i] * a[i].dilation - a[i].begin;
		if (index[2 + i] < 0 || index[2 + i] >= x->shape.dim[2 + i])
			return false;
	}
	return true;
}

struct sum {
	double value, size, carried;
};

static void add_product(struct sum *s, const struct numbers *a, int64_t at_a, const struct numbers *b, int64_t at_b)
{
	double x = a->value[at_a], y = b->value[at_b];
	s->value += x * y;
	s->size += fabs(x * y);
	s->carried += fabs(x) * b->bound[at_b] + fabs(y) * a->bound[at_a] + a->bound[at_a] * b->bound[at_b];
}

static void put(struct numbers *y, int64_t at, const struct sum *s)
{
	y->value[at] = s->value;
	y->bound[at] = s->carried + (y->terms + FEW) * U * (s->size + s->carried);
}

static struct sum start(const struct numbers *bias, int64_t at)
{
	double x = bias ? bias->value[at] : 0;
	return (struct sum){ x, fabs(x), 0 };
}

/* Where Winograd's method may be used, a number is as far off as the largest sum lets it be. */
static void allow_winograd(struct numbers *y, const struct axis *a, int rank, int64_t groups, double largest)
{
	bool may = rank == 2 && groups == 1;
	for (int i = 0; i < rank; i++)
		may = may && a[i].kernel == 3 && a[i].stride == 1 && a[i].dilation == 1;
	for (int64_t i = 0; i < y->count && may; i++)
		y->bound[i] += WINOGRAD_ERROR * largest;
}

void formula_conv(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0), *w = formula_input(t, n, 1), *bias = formula_input(t, n, 2);
	const int64_t *d = w->shape.dim;
	int rank = x->shape.rank - 2;
	struct axis a[MOST];
	int64_t dims[SHAPE_MAX_RANK] = { x->shape.dim[0], d[0] }, groups = node_int(n, "group", 1);
	read_axes(n, x, d + 2, a);
	for (int i = 0; i < rank; i++)
		dims[2 + i] = count_windows(&a[i], x->shape.dim[2 + i], false);
	struct numbers y = formula_make(t, rank + 2, dims);
	int64_t area = kernel_area(a, rank);
	y.terms = (double)(d[1] * area);
	double largest = 0;
	for (int64_t at = 0; at < y.count; at++) {
		int64_t to[SHAPE_MAX_RANK], from[SHAPE_MAX_RANK];
		formula_index(&y.shape, at, to);
		struct sum s = start(bias, to[1]);
		for (int64_t k = 0; k < d[1] * area; k++) {
			from[0] = to[0];
			from[1] = to[1] / (d[0] / groups) * d[1] + k / area;
			if (under_window(x, a, to, k % area, from))
				add_product(&s, w, to[1] * d[1] * area + k, x, formula_at(&x->shape, from));
		}
		put(&y, at, &s);
		largest = fmax(largest, s.size);
	}
	allow_winograd(&y, a, rank, groups, largest);
	*ret = y;
}

/* Every input is spread over its window in the output. */
void formula_conv_transpose(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0), *w = formula_input(t, n, 1), *bias = formula_input(t, n, 2);
	const int64_t *d = w->shape.dim, *in = x->shape.dim;
	int rank = x->shape.rank - 2;
	struct axis a[MOST];
	int64_t groups = node_int(n, "group", 1), dims[SHAPE_MAX_RANK] = { in[0], d[1] * groups };
	read_axes(n, x, d + 2, a);
	for (int i = 0; i < rank; i++)
		dims[2 + i] = (in[2 + i] - 1) * a[i].stride + a[i].dilation * (a[i].kernel - 1) + 1 - a[i].begin -
			      a[i].end + a[i].extra;
	struct numbers y = formula_make(t, rank + 2, dims);
	int64_t area = kernel_area(a, rank), from[SHAPE_MAX_RANK], to[SHAPE_MAX_RANK], u[MOST];
	struct sum *sums = ARENA_ARRAY(t->r->arena, struct sum, (size_t)y.count);
	y.terms = (double)(d[0] / groups * area);
	for (int64_t at = 0; at < y.count; at++) {
		formula_index(&y.shape, at, to);
		sums[at] = start(bias, to[1]);
	}
	for (int64_t at = 0; at < x->count; at++) {
		formula_index(&x->shape, at, from);
		for (int64_t k = 0; k < d[1] * area; k++) {
			bool inside = true;
			kernel_index(a, rank, k % area, u);
			to[0] = from[0];
			to[1] = from[1] / (d[0] / groups) * d[1] + k / area;
			for (int i = 0; i < rank; i++) {
				to[2 + i] = from[2 + i] * a[i].stride + u[i] * a[i].dilation - a[i].begin;
				inside = inside && to[2 + i] >= 0 && to[2 + i] < dims[2 + i];
			}
			if (inside)
				add_product(&sums[formula_at(&y.shape, to)], w, from[1] * d[1] * area + k, x, at);
		}
	}
	for (int64_t at = 0; at < y.count; at++)
		put(&y, at, &sums[at]);
	*ret = y;
}

/* ---- pooling ---- */

/* How many places of the window count for a mean: those inside the padding that was asked for. */
static int64_t padded_places(const struct numbers *x, const struct axis *a, const int64_t *to)
{
	int64_t places = 1;
	for (int i = 0; i < x->shape.rank - 2; i++) {
		int64_t inside = 0;
		for (int64_t u = 0; u < a[i].kernel; u++)
			inside += to[2 + i] * a[i].stride + u * a[i].dilation - a[i].begin <
				  x->shape.dim[2 + i] + a[i].end;
		places *= inside;
	}
	return places;
}

void formula_pool(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	int rank = x->shape.rank - 2;
	struct axis a[MOST];
	int64_t dims[SHAPE_MAX_RANK] = { x->shape.dim[0], x->shape.dim[1] };
	read_axes(n, x, NULL, a);
	for (int i = 0; i < rank; i++)
		dims[2 + i] = count_windows(&a[i], x->shape.dim[2 + i], node_int(n, "ceil_mode", 0));
	struct numbers y = formula_make(t, rank + 2, dims);
	for (int64_t at = 0; at < y.count; at++) {
		int64_t to[SHAPE_MAX_RANK], from[SHAPE_MAX_RANK], places = 0;
		formula_index(&y.shape, at, to);
		from[0] = to[0];
		from[1] = to[1];
		double most = -INFINITY, bound = 0;
		struct sum s = { 0 };
		for (int64_t k = 0; k < kernel_area(a, rank); k++) {
			if (!under_window(x, a, to, k, from))
				continue;
			int64_t i = formula_at(&x->shape, from);
			places++;
			most = fmax(most, x->value[i]);
			bound = fmax(bound, x->bound[i]);
			s.value += x->value[i];
			s.size += fabs(x->value[i]);
			s.carried += x->bound[i];
		}
		if (node_int(n, "count_include_pad", 0))
			places = padded_places(x, a, to);
		bool max = n->op == OP_MAX_POOL;
		double roundings = (double)(places + FEW) * U * (s.size + s.carried);
		y.value[at] = max ? most : s.value / (double)places;
		y.bound[at] = max ? bound : (s.carried + roundings) / (double)places;
	}
	*ret = y;
}

void formula_global_pool(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	int64_t dims[SHAPE_MAX_RANK] = { x->shape.dim[0], x->shape.dim[1], 1, 1, 1, 1, 1, 1 };
	struct numbers y = formula_make(t, x->shape.rank, dims);
	int64_t area = x->count / y.count;
	for (int64_t at = 0; at < y.count; at++) {
		double sum = 0, size = 0, carried = 0, most = -INFINITY, bound = 0;
		for (int64_t k = at * area; k < (at + 1) * area; k++) {
			sum += x->value[k];
			size += fabs(x->value[k]);
			carried += x->bound[k];
			most = fmax(most, x->value[k]);
			bound = fmax(bound, x->bound[k]);
		}
		bool max = n->op == OP_GLOBAL_MAX_POOL;
		y.value[at] = max ? most : sum / (double)area;
		y.bound[at] = max ? bound : (carried + (double)(area + FEW) * U * (size + carried)) / (double)area;
	}
	*ret = y;
}

/* ---- sums of products ---- */

/* An equation as einsum's, by operator: letters of a, b and the output. */
struct equation {
	char a[SHAPE_MAX_RANK + 1], b[SHAPE_MAX_RANK + 1], y[SHAPE_MAX_RANK + 1];
};

static struct equation matmul_equation(const struct numbers *a, const struct numbers *b)
{
	struct equation q = { "", "", "" };
	int lead_a = a->shape.rank > 2 ? a->shape.rank - 2 : 0, lead_b = b->shape.rank > 2 ? b->shape.rank - 2 : 0;
	int lead = lead_a > lead_b ? lead_a : lead_b;
	for (int i = 0; i < lead; i++) {
		char letter[2] = { (char)('A' + i), 0 };
		if (i >= lead - lead_a)
			strcat(q.a, letter);
		if (i >= lead - lead_b)
			strcat(q.b, letter);
		strcat(q.y, letter);
	}
	strcat(q.a, a->shape.rank > 1 ? "mk" : "k");
	strcat(q.b, b->shape.rank > 1 ? "kn" : "k");
	strcat(q.y, a->shape.rank > 1 ? "m" : "");
	strcat(q.y, b->shape.rank > 1 ? "n" : "");
	return q;
}

static struct equation read_equation(const struct run *t, const struct node *n)
{
	struct equation q = { "", "", "" };
	if (n->op == OP_MATMUL)
		return matmul_equation(formula_input(t, n, 0), formula_input(t, n, 1));
	if (n->op == OP_GEMM) {
		strcpy(q.a, node_int(n, "transA", 0) ? "km" : "mk");
		strcpy(q.b, node_int(n, "transB", 0) ? "nk" : "kn");
		strcpy(q.y, "mn");
		return q;
	}
	const char *e = node_attribute(n, "equation")->s, *comma = strchr(e, ','), *arrow = strstr(e, "->");
	memcpy(q.a, e, (size_t)(comma - e));
	memcpy(q.b, comma + 1, (size_t)(arrow - comma - 1));
	strcpy(q.y, arrow + 2);
	return q;
}

static void read_sizes(const char *letters, const struct numbers *x, int64_t sizes[128])
{
	for (int i = 0; i < x->shape.rank; i++) {
		int64_t *size = &sizes[(int)letters[i]];
		*size = x->shape.dim[i] > *size ? x->shape.dim[i] : *size;
	}
}

/* Where an operand is for values of the letters; size 1 broadcasts. */
static int64_t operand_at(const char *letters, const struct numbers *x, const int64_t of[128])
{
	int64_t at = 0;
	for (int i = 0; i < x->shape.rank; i++)
		at = at * x->shape.dim[i] + (x->shape.dim[i] == 1 ? 0 : of[(int)letters[i]]);
	return at;
}

void formula_contract(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *a = formula_input(t, n, 0), *b = formula_input(t, n, 1);
	const struct numbers *c = n->op == OP_GEMM ? formula_input(t, n, 2) : NULL;
	struct equation q = read_equation(t, n);
	int64_t sizes[128] = { 0 }, of[128] = { 0 }, dims[SHAPE_MAX_RANK], summed[SHAPE_MAX_RANK], products = 1;
	int rank = (int)strlen(q.y), sums = 0;
	char sum_letters[2 * SHAPE_MAX_RANK];
	read_sizes(q.a, a, sizes);
	read_sizes(q.b, b, sizes);
	for (int i = 0; i < rank; i++)
		dims[i] = sizes[(int)q.y[i]];
	for (int letter = 0; letter < 128; letter++)
		if (sizes[letter] && !strchr(q.y, letter)) {
			sum_letters[sums] = (char)letter;
			summed[sums++] = sizes[letter];
			products *= sizes[letter];
		}
	double alpha = n->op == OP_GEMM ? node_float(n, "alpha", 1) : 1, beta = node_float(n, "beta", 1);
	struct shape inner = { .rank = sums };
	memcpy(inner.dim, summed, (size_t)sums * sizeof *summed);
	struct numbers y = formula_make(t, rank, dims);
	y.terms = (double)products;
	for (int64_t at = 0; at < y.count; at++) {
		int64_t index[SHAPE_MAX_RANK], k_index[SHAPE_MAX_RANK];
		formula_index(&y.shape, at, index);
		for (int i = 0; i < rank; i++)
			of[(int)q.y[i]] = index[i];
		struct sum s = { 0 };
		for (int64_t k = 0; k < products; k++) {
			formula_index(&inner, k, k_index);
			for (int i = 0; i < sums; i++)
				of[(int)sum_letters[i]] = k_index[i];
			add_product(&s, a, operand_at(q.a, a, of), b, operand_at(q.b, b, of));
		}
		double addend = c ? beta * c->value[formula_at_broadcast(&c->shape, rank, index)] : 0;
		s.value = alpha * s.value + addend;
		s.size = fabs(alpha) * s.size + fabs(addend);
		s.carried *= fabs(alpha);
		put(&y, at, &s);
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

/* y = (x - mean) * factor + shift. Beside the usual roundings the factor is off by a fraction `off` of itself, the
 * mean by mean_bound. */
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

void formula_batch_norm(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0), *scale = formula_input(t, n, 1);
	const struct numbers *shift = formula_input(t, n, 2);
	struct moments *m = &t->r->moments[n - t->g->nodes];
	struct numbers y = formula_make(t, x->shape.rank, x->shape.dim);
	double epsilon = node_float(n, "epsilon", 1e-5f);
	if (t->calibrate)
		*m = measure(t, x);
	for (int64_t at = 0; at < y.count; at++) {
		int64_t c = channel_of(x, at);
		struct normal k = { .shift = shift->value[c] };
		double variance = t->calibrate ? m->variance[c] : formula_input(t, n, 4)->value[c];
		k.mean = t->calibrate ? m->mean[c] : formula_input(t, n, 3)->value[c];
		k.mean_bound = t->calibrate ? m->mean_bound[c] : 0;
		k.off = t->calibrate ? m->variance_bound[c] / (variance + epsilon) : 0;
		k.factor = scale->value[c] / sqrt(variance + epsilon);
		normalise(&y, x, at, &k);
	}
	*ret = y;
}
