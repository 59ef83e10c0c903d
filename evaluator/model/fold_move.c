/* fold_move.c -- stored numbers moved.
 * SPDX-License-Identifier: MIT
 *
 * A mover sees bytes: it is called for the elements and, when some of them depend on the batch, for their slopes again.
 */
#include <string.h>

#include "evaluator/model/fold.h"
#include "evaluator/model/operand.h"
#include "evaluator/model/shape.h"

struct move {
	struct reader *r;
	const struct node *n;
	const struct known *in;
	const struct known *out;
	size_t size;		 /* of an element */
	const char *const *from; /* by input: its elements, or its slopes */
	char *const *to;	 /* by output */
};

static void row_major(const struct shape *s, int64_t stride[SHAPE_MAX_RANK])
{
	int64_t n = 1;
	for (int i = s->rank - 1; i >= 0; i--) {
		stride[i] = n;
		n *= s->dim[i];
	}
}

/* Fills `to`, of shape s, row by row from elements that lie `stride` apart. */
static void copy_strided(const struct shape *s, const int64_t *stride, size_t size, const char *from, char *to)
{
	int64_t index[SHAPE_MAX_RANK] = { 0 }, at = 0, count = shape_count(s, 1);
	for (int64_t i = 0; i < count; i++) {
		memcpy(to + (size_t)i * size, from + at * (int64_t)size, size);
		for (int k = s->rank - 1; k >= 0; k--) {
			at += stride[k];
			if (++index[k] < s->dim[k])
				break;
			at -= stride[k] * s->dim[k];
			index[k] = 0;
		}
	}
}

static enum err move_whole(const struct move *m)
{
	memcpy(m->to[0], m->from[0], (size_t)shape_count(&m->out->shape, 1) * m->size);
	return ERR_OK;
}

/* A weight: by tiles, so that neither side jumps from page to page. */
static void transpose_floats(const float *from, int64_t rows, int64_t columns, float *to)
{
	enum { TILE = 32 };
	for (int64_t r0 = 0; r0 < rows; r0 += TILE)
		for (int64_t c0 = 0; c0 < columns; c0 += TILE)
			for (int64_t r = r0; r < rows && r < r0 + TILE; r++)
				for (int64_t c = c0; c < columns && c < c0 + TILE; c++)
					to[c * rows + r] = from[r * columns + c];
}

static enum err move_transpose(const struct move *m)
{
	int perm[SHAPE_MAX_RANK];
	int64_t from[SHAPE_MAX_RANK], stride[SHAPE_MAX_RANK];
	enum err err = operand_permutation(m->r->g, m->n, m->out->shape.rank, perm, m->r->e);
	if (err)
		return err;
	if (m->out->shape.rank == 2 && perm[0] == 1 && m->size == sizeof(float)) {
		transpose_floats(
			(const float *)m->from[0], m->in->shape.dim[0], m->in->shape.dim[1], (float *)m->to[0]);
		return ERR_OK;
	}
	row_major(&m->in->shape, from);
	for (int i = 0; i < m->out->shape.rank; i++)
		stride[i] = from[perm[i]];
	copy_strided(&m->out->shape, stride, m->size, m->from[0], m->to[0]);
	return ERR_OK;
}

static enum err move_slice(const struct move *m)
{
	struct operand_slice slice;
	int64_t stride[SHAPE_MAX_RANK], at = 0;
	enum err err = operand_slice(m->r->g, m->n, &slice, m->r->e);
	if (err)
		return err;
	row_major(&m->in->shape, stride);
	for (int i = 0; i < m->out->shape.rank; i++) {
		at += slice.start[i] * stride[i];
		stride[i] *= slice.step[i];
	}
	copy_strided(&m->out->shape, stride, m->size, m->from[0] + at * (int64_t)m->size, m->to[0]);
	return ERR_OK;
}

/* A dimension of size 1 is repeated. */
static enum err move_expand(const struct move *m)
{
	int64_t from[SHAPE_MAX_RANK], stride[SHAPE_MAX_RANK];
	const struct shape *x = &m->in->shape, *y = &m->out->shape;
	row_major(x, from);
	for (int i = 0; i < y->rank; i++) {
		int at = i - (y->rank - x->rank);
		stride[i] = at < 0 || x->dim[at] == 1 ? 0 : from[at];
	}
	copy_strided(y, stride, m->size, m->from[0], m->to[0]);
	return ERR_OK;
}

static enum err move_tile(const struct move *m)
{
	const struct shape *x = &m->in->shape, *y = &m->out->shape;
	int64_t stride[SHAPE_MAX_RANK], index[SHAPE_MAX_RANK] = { 0 }, count = shape_count(y, 1);
	row_major(x, stride);
	for (int64_t i = 0; i < count; i++) {
		int64_t at = 0;
		for (int k = 0; k < y->rank; k++)
			at += index[k] % x->dim[k] * stride[k];
		memcpy(m->to[0] + (size_t)i * m->size, m->from[0] + at * (int64_t)m->size, m->size);
		for (int k = y->rank - 1; k >= 0 && ++index[k] == y->dim[k]; k--)
			index[k] = 0;
	}
	return ERR_OK;
}

/* Elements before and behind an axis. */
static void around(const struct shape *s, int axis, size_t *ret_outer, size_t *ret_inner)
{
	size_t outer = 1, inner = 1;
	for (int i = 0; i < s->rank; i++) {
		outer *= i < axis ? (size_t)s->dim[i] : 1;
		inner *= i > axis ? (size_t)s->dim[i] : 1;
	}
	*ret_outer = outer;
	*ret_inner = inner;
}

static enum err move_concat(const struct move *m)
{
	int axis = 0;
	size_t outer, inner, at = 0;
	enum err err = node_axis(m->n, m->out->shape.rank, 0, &axis, m->r->e);
	if (err)
		return err;
	around(&m->out->shape, axis, &outer, &inner);
	size_t row = (size_t)m->out->shape.dim[axis] * inner * m->size;
	for (int i = 0; i < m->n->in_count; i++) {
		size_t part = (size_t)m->in[i].shape.dim[axis] * inner * m->size;
		for (size_t o = 0; o < outer; o++)
			memcpy(m->to[0] + o * row + at, m->from[i] + o * part, part);
		at += part;
	}
	return ERR_OK;
}

static enum err move_split(const struct move *m)
{
	int axis = 0;
	size_t outer, inner, at = 0;
	enum err err = node_axis(m->n, m->in->shape.rank, 0, &axis, m->r->e);
	if (err)
		return err;
	around(&m->in->shape, axis, &outer, &inner);
	size_t row = (size_t)m->in->shape.dim[axis] * inner * m->size;
	for (int i = 0; i < m->n->out_count; i++) {
		size_t part = (size_t)m->out[i].shape.dim[axis] * inner * m->size;
		for (size_t o = 0; o < outer; o++)
			memcpy(m->to[i] + o * part, m->from[0] + o * row + at, part);
		at += part;
	}
	return ERR_OK;
}

static enum err move_gather(const struct move *m)
{
	int axis = 0;
	size_t outer, inner;
	enum err err = node_axis(m->n, m->in->shape.rank, 0, &axis, m->r->e);
	if (err)
		return err;
	around(&m->in->shape, axis, &outer, &inner);
	const int64_t *index = m->in[1].data, n = m->in->shape.dim[axis], count = shape_count(&m->in[1].shape, 1);
	char *to = m->to[0];
	for (size_t o = 0; o < outer; o++)
		for (int64_t i = 0; i < count; i++, to += inner * m->size) {
			int64_t at = (int64_t)o * n + (index[i] < 0 ? index[i] + n : index[i]);
			memcpy(to, m->from[0] + (size_t)at * inner * m->size, inner * m->size);
		}
	return ERR_OK;
}

/* y = x, then for each row of indices, which name the first dimensions, the update there. */
static enum err move_scatter(const struct move *m)
{
	const struct known *x = m->in, *indices = m->in + 1, *updates = m->in + 2;
	int depth = indices->shape.rank ? (int)indices->shape.dim[indices->shape.rank - 1] : 0;
	int64_t stride[SHAPE_MAX_RANK], rows = depth ? shape_count(&indices->shape, 1) / depth : 0;
	if (depth < 1 || depth > x->shape.rank || node_attribute(m->n, "reduction"))
		return fold_refuse(m->r, m->n, "scatters in a form that is not supported");
	row_major(&x->shape, stride);
	int64_t part = stride[depth - 1];
	if (shape_count(&updates->shape, 1) != rows * part || updates->dtype != x->dtype)
		return fold_refuse(m->r, m->n, "has updates that don't fit its indices");
	memcpy(m->to[0], m->from[0], (size_t)shape_count(&x->shape, 1) * m->size);
	for (int64_t i = 0; i < rows; i++) {
		int64_t at = 0;
		for (int k = 0; k < depth; k++) {
			int64_t index = ((const int64_t *)indices->data)[i * depth + k], n = x->shape.dim[k];
			if (index < -n || index >= n)
				return fold_refuse(m->r, m->n, "has an index that is out of range");
			at += (index < 0 ? index + n : index) * stride[k];
		}
		memcpy(m->to[0] + (size_t)at * m->size, m->from[2] + (size_t)(i * part) * m->size,
			(size_t)part * m->size);
	}
	return ERR_OK;
}

static enum err move_fill(const struct move *m)
{
	int64_t count = shape_count(&m->out->shape, 1);
	for (int64_t i = 0; i < count; i++)
		memcpy(m->to[0] + (size_t)i * m->size, m->from[1], m->size);
	return ERR_OK;
}

/* ---- the shapes that model/shape_move.c has no rule for ---- */

static enum err scatter_shape(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	(void)e;
	*ret = node_input(g, n, 0)->shape;
	return ERR_OK;
}

static enum err fill_shape(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	const struct value *sizes = node_input(g, n, 0);
	int64_t count = 1;
	struct shape s = { .rank = (int)shape_count(&sizes->shape, 1) };
	bool fits = sizes->dtype == DTYPE_INT64 && s.rank <= SHAPE_MAX_RANK;
	for (int i = 0; fits && i < s.rank; i++) {
		s.dim[i] = ((const int64_t *)sizes->data)[i];
		fits = s.dim[i] >= 0 && !__builtin_mul_overflow(count, s.dim[i], &count) && count <= 1 << 28;
	}
	if (!fits)
		return err_set(
			e, ERR_UNSUPPORTED, "%s: makes a tensor of a size that is not supported", node_text(n, text));
	*ret = s;
	return ERR_OK;
}

static const struct row {
	enum op op;
	enum err (*move)(const struct move *m);
	shape_rule *shape; /* NULL: the operator's own */
	int filled;	   /* the input whose type the output has */
} rows[] = {
	{ OP_RESHAPE, move_whole, NULL, 0 },
	{ OP_FLATTEN, move_whole, NULL, 0 },
	{ OP_SQUEEZE, move_whole, NULL, 0 },
	{ OP_UNSQUEEZE, move_whole, NULL, 0 },
	{ OP_TRANSPOSE, move_transpose, NULL, 0 },
	{ OP_SLICE, move_slice, NULL, 0 },
	{ OP_EXPAND, move_expand, NULL, 0 },
	{ OP_TILE, move_tile, NULL, 0 },
	{ OP_CONCAT, move_concat, NULL, 0 },
	{ OP_SPLIT, move_split, NULL, 0 },
	{ OP_GATHER, move_gather, NULL, 0 },
	{ OP_SCATTER_ND, move_scatter, scatter_shape, 0 },
	{ OP_CONSTANT_OF_SHAPE, move_fill, fill_shape, 1 },
};

static const struct row *row_of(enum op op)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].op == op)
			return &rows[i];
	return NULL;
}

bool fold_moves(const struct node *n)
{
	return row_of(n->op) != NULL;
}

/* Numbers that say how to move must not depend on the batch; those that are moved may. */
static bool steered_by_batch(const struct node *n, const struct known *in)
{
	for (int i = n->op == OP_CONSTANT_OF_SHAPE ? 0 : 1; i < n->in_count; i++)
		if (in[i].slope && n->op != OP_CONCAT && !(n->op == OP_SCATTER_ND && i == 2))
			return true;
	return false;
}

static enum err move_slopes(struct move *m, int64_t *const *to)
{
	struct arena *a = m->r->g->arena;
	const char **from = ARENA_ARRAY(a, const char *, (size_t)m->n->in_count);
	if (!from)
		return reader_no_memory(m->r);
	for (int i = 0; i < m->n->in_count; i++) {
		from[i] = m->in[i].slope ? (const char *)m->in[i].slope
					 : arena_alloc(a, (size_t)shape_count(&m->in[i].shape, 1), sizeof(int64_t));
		if (!from[i])
			return reader_no_memory(m->r);
	}
	m->from = from;
	m->to = (char *const *)to;
	return row_of(m->n->op)->move(m);
}

enum err fold_move(struct reader *r, const struct node *n, const struct known *in, struct known *ret)
{
	const struct row *row = row_of(n->op);
	shape_rule *rule = row->shape ? row->shape : shape_rule_of(n->op);
	struct arena *a = r->g->arena;
	struct shape *shapes = ARENA_ARRAY(a, struct shape, (size_t)n->out_count);
	const char **from = ARENA_ARRAY(a, const char *, (size_t)n->in_count);
	char **to = ARENA_ARRAY(a, char *, (size_t)n->out_count);
	int64_t **slopes = ARENA_ARRAY(a, int64_t *, (size_t)n->out_count);
	bool sloped = false;
	if (!shapes || !from || !to || !slopes)
		return reader_no_memory(r);
	if (steered_by_batch(n, in))
		return fold_refuse(r, n, "is steered by a number that depends on the batch");
	enum err err = rule(r->g, n, shapes, r->e);
	for (int i = 0; i < n->in_count; i++) {
		from[i] = in[i].data;
		sloped = sloped || in[i].slope;
	}
	for (int i = 0; i < n->out_count && !err; i++) {
		const struct known *like = &in[row->filled];
		ret[i] = (struct known){ .shape = shapes[i], .dtype = like->dtype, .file_type = like->file_type };
		err = fold_reserve(r, &ret[i], sloped, &slopes[i]);
		to[i] = ret[i].data;
	}
	struct move m = { r, n, in, ret, dtype_size(in[row->filled].dtype), from, to };
	if (!err)
		err = row->move(&m);
	return err || !sloped ? err : move_slopes(&m, slopes);
}
