/* contract.c -- sums of products of two tensors.
 * SPDX-License-Identifier: MIT
 *
 *   y[batch, rows, columns] = alpha * sum over k of a[batch, rows, k] * b[batch, k, columns] (+ beta * c for Gemm)
 *
 * where batch, rows, columns and k are groups of letters (model/operand.h): those that a, b and y have; only a and
 * y; only b and y; and those that y has not. Each group is one run with one stride, so that BLAS multiplies matrices
 * where they lie. Letters of rows and columns that are none are taken to the batch; a matrix whose neither stride is
 * 1 is copied. */
#include <cblas.h>
#include <limits.h>

#include "evaluator/kernels/builder.h"
#include "evaluator/kernels/copy.h"
#include "evaluator/model/operand.h"

enum { A, B, Y, TENSORS };
enum group { BATCH, ROWS, COLUMNS, SUM, GROUPS };
enum { MOST_LETTERS = 2 * SHAPE_MAX_RANK };

struct letters {
	int count;
	int64_t size[MOST_LETTERS];
	enum group group[MOST_LETTERS];
	bool has[TENSORS][MOST_LETTERS];
	int64_t stride[TENSORS][MOST_LETTERS];
	float *data[TENSORS];
	int order[MOST_LETTERS]; /* y's letters as they stand in y, then the others */
	int dimension[MOST_LETTERS]; /* of y */
};

struct run_of {
	int64_t count, stride;
};

/* A matrix as BLAS wants it. */
struct matrix {
	bool transposed;
	int64_t leading;
};

struct product {
	struct view batch[TENSORS];
	int64_t rows, columns, sum;
	struct matrix m[TENSORS];
	float alpha, beta;
};

/* From one number of the only row to the next. */
static int step_of(const struct matrix *m)
{
	return m->transposed ? (int)m->leading : 1;
}

/* One image: BLAS would pack the whole of b to use it once. */
static void multiply_row(const struct product *p, float *const *at)
{
	bool lies = p->m[B].transposed; /* b is (columns, sum) in memory */
	cblas_sgemv(CblasRowMajor, lies ? CblasNoTrans : CblasTrans, (int)(lies ? p->columns : p->sum),
		(int)(lies ? p->sum : p->columns), p->alpha, at[B], (int)p->m[B].leading, at[A], step_of(&p->m[A]),
		p->beta, at[Y], step_of(&p->m[Y]));
}

static void multiply(const struct product *p, float *const *at)
{
	cblas_sgemm(CblasRowMajor, p->m[A].transposed ? CblasTrans : CblasNoTrans,
		p->m[B].transposed ? CblasTrans : CblasNoTrans, (int)p->rows, (int)p->columns, (int)p->sum, p->alpha,
		at[A], (int)p->m[A].leading, at[B], (int)p->m[B].leading, p->beta, at[Y], (int)p->m[Y].leading);
}

static void run(const void *job)
{
	const struct product *p = job;
	struct walk w = walk_start(p->batch, TENSORS, p->batch[Y].rank);
	do
		(p->rows == 1 && p->sum ? multiply_row : multiply)(p, w.at);
	while (walk_next(&w));
}

/* ---- letters ---- */

static void order_letters(const struct operand_contraction *c, int rank, struct letters *l)
{
	int at = 0;
	for (int i = 0; i < rank; i++) {
		l->has[Y][c->out[i]] = true;
		l->dimension[c->out[i]] = i;
		l->order[at++] = c->out[i];
	}
	for (int i = 0; i < l->count; i++)
		if (!l->has[Y][i])
			l->order[at++] = i;
}

static void group_letters(struct letters *l)
{
	for (int i = 0; i < l->count; i++)
		l->group[i] = !l->has[Y][i]		    ? SUM
			      : l->has[A][i] && l->has[B][i] ? BATCH
			      : l->has[A][i]		    ? ROWS
							    : COLUMNS;
}

static enum err read_letters(struct builder *b, struct letters *ret)
{
	const struct node *n = builder_node(b);
	struct operand_contraction c;
	struct letters l = { 0 };
	enum err err = operand_contraction(b->g, n, &c, b->e);
	if (err)
		return err;
	l.count = c.letters;
	for (int k = A; k <= B; k++) {
		struct view v;
		err = builder_value(b, n->in[k], &v);
		if (err)
			return err;
		l.data[k] = v.data;
		for (int i = 0; i < v.rank; i++) {
			int letter = c.in[k][i];
			if (letter < 0)
				continue;
			l.has[k][letter] = true;
			l.stride[k][letter] = v.stride[i];
			l.size[letter] = v.dim[i];
		}
	}
	order_letters(&c, builder_shape(b, builder_result(b))->rank, &l);
	group_letters(&l);
	*ret = l;
	return ERR_OK;
}

/* The letters of a group as one run of a tensor; false when they are none. */
static bool join(const struct letters *l, int tensor, enum group group, struct run_of *ret)
{
	struct run_of r = { 1, 0 };
	for (int i = l->count - 1; i >= 0; i--) {
		int letter = l->order[i];
		if (l->group[letter] != group || l->size[letter] == 1)
			continue;
		if (r.count > 1 && l->stride[tensor][letter] != r.count * r.stride)
			return false;
		if (r.count == 1)
			r.stride = l->stride[tensor][letter];
		r.count *= l->size[letter];
	}
	*ret = r;
	return true;
}

/* Until the others are one run, the outermost letter of a group is walked over. */
static void take_to_batch(struct letters *l, int tensor, enum group group)
{
	struct run_of unused;
	while (!join(l, tensor, group, &unused)) {
		int i = 0;
		while (l->group[l->order[i]] != group || l->size[l->order[i]] == 1)
			i++;
		l->group[l->order[i]] = BATCH;
	}
}

/* ---- matrices ---- */

static bool as_matrix(const struct letters *l, int tensor, enum group outer, enum group inner, struct matrix *ret)
{
	struct run_of rows, columns;
	if (!join(l, tensor, outer, &rows) || !join(l, tensor, inner, &columns))
		return false;
	if ((columns.count == 1 || columns.stride == 1) && (rows.count == 1 || rows.stride >= columns.count)) {
		*ret = (struct matrix){ false, rows.count == 1 ? columns.count : rows.stride };
		return true;
	}
	if ((rows.count == 1 || rows.stride == 1) && (columns.count == 1 || columns.stride >= rows.count)) {
		*ret = (struct matrix){ true, columns.count == 1 ? rows.count : columns.stride };
		return true;
	}
	return false;
}

/* The letters of a tensor, those of a group behind those of the one before it. */
static struct view by_group(const struct letters *l, int tensor, enum group outer, enum group inner, int *letters)
{
	const enum group groups[] = { BATCH, outer, inner };
	struct view v = { .data = l->data[tensor] };
	for (int g = 0; g < 3; g++)
		for (int i = 0; i < l->count; i++) {
			int letter = l->order[i];
			if (l->group[letter] != groups[g] || (groups[g] == BATCH && !l->has[tensor][letter]))
				continue;
			letters[v.rank] = letter;
			v.dim[v.rank] = l->size[letter];
			v.stride[v.rank++] = l->stride[tensor][letter];
		}
	return v;
}

/* Puts an operand where rows and columns are runs: a stored one now, a computed one in each run. */
static enum err pack(struct builder *b, struct letters *l, int tensor, enum group outer, enum group inner)
{
	int letters[MOST_LETTERS];
	struct order o = order_row_major();
	bool stored = b->g->values[builder_node(b)->in[tensor]].data != NULL;
	struct view from = by_group(l, tensor, outer, inner, letters);
	struct view to = view_dense(from.rank, from.dim, 1, &o, NULL);
	enum err err = stored ? builder_floats(b, view_count(&to), &to.data)
			      : builder_scratch(b, view_count(&to), &to.data);
	if (err)
		return err;
	l->data[tensor] = to.data;
	for (int i = 0; i < to.rank; i++)
		l->stride[tensor][letters[i]] = to.stride[i];
	if (!stored)
		return builder_copy(b, &from, &to);
	copy_view(&from, &to);
	return ERR_OK;
}

static enum err find_matrix(
	struct builder *b, struct letters *l, int tensor, enum group outer, enum group inner, struct matrix *ret)
{
	if (as_matrix(l, tensor, outer, inner, ret))
		return ERR_OK;
	enum err err = pack(b, l, tensor, outer, inner);
	if (!err && !as_matrix(l, tensor, outer, inner, ret))
		return err_set(b->e, ERR_INTERNAL, "an operand is no matrix");
	return err;
}

/* y in the order (batch, rows, columns). */
static enum err place(struct builder *b, struct letters *l, struct view *ret)
{
	int letters[MOST_LETTERS];
	struct order o = order_row_major();
	struct view groups = by_group(l, Y, ROWS, COLUMNS, letters);
	for (int i = 0; i < groups.rank; i++)
		o.at[i] = l->dimension[letters[i]];
	enum err err = builder_place(b, builder_result(b), &o, ret);
	if (err)
		return err;
	l->data[Y] = ret->data;
	for (int i = 0; i < groups.rank; i++)
		l->stride[Y][letters[i]] = ret->stride[l->dimension[letters[i]]];
	return ERR_OK;
}

static void fill_batch(const struct letters *l, struct product *p)
{
	for (int k = A; k <= Y; k++) {
		struct view v = { .rank = 1, .dim = { 1 }, .data = l->data[k] };
		for (int i = 0; i < l->count; i++) {
			int letter = l->order[i];
			if (l->group[letter] != BATCH)
				continue;
			v.dim[v.rank] = l->size[letter];
			v.stride[v.rank++] = l->stride[k][letter];
		}
		p->batch[k] = v;
	}
	view_collapse(p->batch, TENSORS);
}

static enum err check_sizes(struct builder *b, const struct product *p)
{
	const int64_t sizes[] = { p->rows, p->columns, p->sum, p->m[A].leading, p->m[B].leading, p->m[Y].leading };
	for (int i = 0; i < 6; i++)
		if (sizes[i] > INT_MAX)
			return err_set(b->e, ERR_LIMIT, "a matrix with a side of %lld, expected at most %d",
				(long long)sizes[i], INT_MAX);
	return ERR_OK;
}

static int64_t size_of(const struct letters *l, enum group group)
{
	int64_t n = 1;
	for (int i = 0; i < l->count; i++)
		n *= l->group[i] == group ? l->size[i] : 1;
	return n;
}

/* Places the output; with addend it starts as that, times beta. */
static enum err build(struct builder *b, float alpha, float beta, const struct view *addend)
{
	struct letters l;
	struct view y;
	struct product p = { .alpha = alpha, .beta = addend ? beta : 0 };
	enum err err = read_letters(b, &l);
	if (err)
		return err;
	take_to_batch(&l, A, ROWS);
	take_to_batch(&l, B, COLUMNS);
	err = place(b, &l, &y);
	if (!err)
		err = find_matrix(b, &l, A, ROWS, SUM, &p.m[A]);
	if (!err)
		err = find_matrix(b, &l, B, SUM, COLUMNS, &p.m[B]);
	if (!err)
		err = find_matrix(b, &l, Y, ROWS, COLUMNS, &p.m[Y]);
	if (err)
		return err;
	p.rows = size_of(&l, ROWS);
	p.columns = size_of(&l, COLUMNS);
	p.sum = size_of(&l, SUM);
	fill_batch(&l, &p);
	err = check_sizes(b, &p);
	if (!err && addend) {
		struct view spread = view_lifted(addend, y.rank);
		spread = view_expanded(&spread, y.dim);
		err = builder_copy(b, &spread, &y);
	}
	return err ? err : builder_call(b, run, &p, sizeof p);
}

enum err contract_build(struct builder *b)
{
	return build(b, 1, 0, NULL);
}

enum err gemm_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	float alpha = node_float(n, "alpha", 1), beta = node_float(n, "beta", 1);
	struct view addend;
	if (!node_input(b->g, n, 2) || beta == 0)
		return build(b, alpha, 0, NULL);
	enum err err = builder_value(b, n->in[2], &addend);
	return err ? err : build(b, alpha, beta, &addend);
}
