/* rules_reshape.c -- what operators that regroup dimensions say about channels.
 * SPDX-License-Identifier: MIT
 *
 * Dimensions of x and y fall into blocks of equal product, and a block into factors of which each dimension, on either
 * side, is a run: (64, 7, 7) and (8, 392) are both runs of (8, 8, 7, 7). A dimension of x is split into its factors,
 * and those of a dimension of y are merged. What a factor's index means for a channel is kept by a helper element. */
#include <string.h>

#include "evaluator/model/operand.h"
#include "evaluator/prune/rules.h"

enum { MOST_FACTORS = 2 * SHAPE_MAX_RANK };

static const char *reason_of(struct union_find *u, const struct node *n, const char *what)
{
	char text[256];
	return union_find_reason(u, "%s by %s", what, node_text(n, text));
}

/* ---- one dimension, several factors ---- */

/* Elements from one index of factor k to the next. */
static int stride_of(int factors, const int64_t *sizes, int k)
{
	int64_t stride = 1;
	for (int i = k + 1; i < factors; i++)
		stride *= sizes[i];
	return (int)stride;
}

static int index_in(int element, int stride, int64_t size)
{
	return (int)(element / stride % size);
}

/* Whether elements with the same index in a factor are the same channel already. */
static bool depends_on(struct union_find *u, struct span whole, int stride, int64_t size)
{
	for (int i = 0; i < whole.n; i++) {
		int like = index_in(i, stride, size) * stride;
		if (union_find_root(u, whole.first + i) != union_find_root(u, whole.first + like))
			return false;
	}
	return true;
}

/* The factor that decides; see rules_split. */
static int deciding_factor(struct union_find *u, struct span whole, int factors, const int64_t *sizes)
{
	int largest = 0, known = -1;
	for (int k = 0; k < factors; k++) {
		if (sizes[k] >= sizes[largest])
			largest = k;
		if ((known < 0 || sizes[k] >= sizes[known]) &&
			depends_on(u, whole, stride_of(factors, sizes, k), sizes[k]))
			known = k;
	}
	return known < 0 ? largest : known;
}

static void tie_index(struct union_find *u, struct span whole, int stride, struct span factor)
{
	for (int i = 0; i < whole.n && factor.n; i++)
		union_find_join(u, whole.first + i, factor.first + index_in(i, stride, factor.n));
}

void rules_split(struct union_find *u, const struct node *n, struct span whole, int factors, const int64_t *sizes,
	struct span *ret)
{
	if (factors == 1) {
		ret[0] = whole;
		return;
	}
	for (int k = 0; k < factors; k++)
		ret[k] = union_find_helpers(u, sizes[k]);
	if (u->err)
		return;
	int deciding = deciding_factor(u, whole, factors, sizes);
	const char *reason = reason_of(u, n, "split off");
	for (int k = 0; k < factors; k++)
		if (k != deciding)
			union_find_freeze(u, ret[k], reason);
	tie_index(u, whole, stride_of(factors, sizes, deciding), ret[deciding]);
}

/* ---- several factors, one dimension ---- */

/* 0: frozen, 1: nothing computes it yet, 2: live. */
static int liveliness(struct union_find *u, struct span s)
{
	int most = 0;
	for (int i = 0; i < s.n && most < 2; i++) {
		int root = union_find_root(u, s.first + i), now = u->frozen[root] ? 0 : u->computed[root] ? 2 : 1;
		most = now > most ? now : most;
	}
	return most;
}

/* At most one factor may lose something: the liveliest, of equals the largest, of those the last. */
static void merge(struct union_find *u, const struct node *n, int factors, const struct span *parts, struct span whole)
{
	int64_t sizes[MOST_FACTORS];
	int best = 0;
	if (factors == 1) {
		union_find_tie(u, parts[0], whole);
		return;
	}
	for (int k = 0; k < factors; k++) {
		int now = liveliness(u, parts[k]), then = liveliness(u, parts[best]);
		sizes[k] = parts[k].n;
		if (now > then || (now == then && parts[k].n >= parts[best].n))
			best = k;
	}
	const char *reason = reason_of(u, n, "merged with other dimensions");
	for (int k = 0; k < factors; k++)
		if (k != best)
			union_find_freeze(u, parts[k], reason);
	tie_index(u, whole, stride_of(factors, sizes, best), parts[best]);
}

/* ---- blocks ---- */

/* Dimensions of more than one element, on one side, and how far they are dealt with. */
struct side {
	int value, count, at;
	struct span spans[SHAPE_MAX_RANK];
	int factors[SHAPE_MAX_RANK]; /* in this block: how many the dimension is a run of */
};

static struct side side_of(struct union_find *u, int value)
{
	struct side s = { .value = value };
	for (int dim = 0; dim < u->g->values[value].shape.rank; dim++) {
		struct span span = union_find_span(u, value, dim);
		if (span.n > 1)
			s.spans[s.count++] = span;
	}
	return s;
}

/* Dimensions of a block: from each side's `at`, the fewest of equal product. */
static bool block_of(const struct side *x, const struct side *y, int *ret_x, int *ret_y)
{
	int i = x->at, j = y->at;
	if (i == x->count || j == y->count)
		return false;
	int64_t a = x->spans[i++].n, b = y->spans[j++].n;
	while (a != b) {
		if (a < b ? i == x->count : j == y->count)
			return false;
		if (a < b)
			a *= x->spans[i++].n;
		else
			b *= y->spans[j++].n;
	}
	*ret_x = i;
	*ret_y = j;
	return true;
}

/* The common factors of a block, 0 when there are none: neither side's dimensions divide the other's. */
static int factors_of(struct side *x, int end_x, struct side *y, int end_y, int64_t sizes[MOST_FACTORS])
{
	int i = x->at, j = y->at, count = 0;
	int64_t a = x->spans[i].n, b = y->spans[j].n;
	memset(x->factors, 0, sizeof x->factors);
	memset(y->factors, 0, sizeof y->factors);
	while (i < end_x && j < end_y) {
		int64_t f = a < b ? a : b;
		if ((a < b ? b : a) % f)
			return 0;
		sizes[count++] = f;
		x->factors[i]++;
		y->factors[j]++;
		a /= f;
		b /= f;
		if (a == 1 && ++i < end_x)
			a = x->spans[i].n;
		if (b == 1 && ++j < end_y)
			b = y->spans[j].n;
	}
	return count;
}

static void tie_block(struct union_find *u, const struct node *n, struct side *x, int end_x, struct side *y, int end_y)
{
	int64_t sizes[MOST_FACTORS];
	struct span parts[MOST_FACTORS];
	if (!factors_of(x, end_x, y, end_y, sizes)) {
		const char *reason = reason_of(u, n, "regrouped");
		for (int i = x->at; i < end_x; i++)
			union_find_freeze(u, x->spans[i], reason);
		for (int j = y->at; j < end_y; j++)
			union_find_freeze(u, y->spans[j], reason);
		return;
	}
	for (int i = x->at, k = 0; i < end_x; k += x->factors[i++])
		rules_split(u, n, x->spans[i], x->factors[i], sizes + k, parts + k);
	for (int j = y->at, k = 0; j < end_y; k += y->factors[j++])
		merge(u, n, y->factors[j], parts + k, y->spans[j]);
}

/* Reshape, Flatten, Unsqueeze: dimensions of size 1 come and go. */
void rule_reshape(struct union_find *u, const struct node *n)
{
	struct side x = side_of(u, n->in[0]), y = side_of(u, n->out[0]);
	int end_x, end_y;
	while (!u->err && block_of(&x, &y, &end_x, &end_y)) {
		tie_block(u, n, &x, end_x, &y, end_y);
		x.at = end_x;
		y.at = end_y;
	}
}

/* Without axes every dimension of size 1 goes, and none must become one. */
void rule_squeeze(struct union_find *u, const struct node *n)
{
	const int64_t *axes;
	size_t count;
	if (!operand_ints(u->g, n, "axes", 1, &axes, &count))
		union_find_freeze_all(u, n->in[0], reason_of(u, n, "squeezed without axes"));
	rule_reshape(u, n);
}
