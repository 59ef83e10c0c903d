/* fold.c -- nodes evaluated while a file is read: constants, casts, shape arithmetic.
 * SPDX-License-Identifier: MIT
 *
 * Exporters leave such nodes wherever a program asked for a size. What remains behind them is stored tensors. */
#include "evaluator/model/fold.h"

#include <string.h>

#include "evaluator/model/shape.h"

enum { MOST_INPUTS = 1024 };

enum err fold_refuse(struct reader *r, const struct node *n, const char *why)
{
	char text[256];
	return err_set(r->e, ERR_UNSUPPORTED, "%s: %s", node_text(n, text), why);
}

/* Constants may grow a file, but not without bound: an Expand costs a few bytes there. */
static enum err check_room(struct reader *r, const struct known *k)
{
	const size_t most = ((size_t)64 << 20) + 4 * r->file->len;
	int64_t count = (int64_t)dtype_size(k->dtype);
	bool fits = true;
	for (int i = 0; i < k->shape.rank; i++)
		fits = fits && k->shape.dim[i] >= 0 && !__builtin_mul_overflow(count, k->shape.dim[i], &count);
	if (!fits || (size_t)count > most - r->folded)
		return err_set(r->e, ERR_LIMIT,
			"the model's constants need more than %zu bytes when they are evaluated", most);
	r->folded += (size_t)count;
	return ERR_OK;
}

enum err fold_reserve(struct reader *r, struct known *ret, bool slope, int64_t **ret_slope)
{
	enum err err = check_room(r, ret);
	if (err)
		return err;
	size_t count = (size_t)shape_count(&ret->shape, 1);
	ret->data = arena_alloc(r->g->arena, count, dtype_size(ret->dtype));
	int64_t *slopes = slope ? ARENA_ARRAY(r->g->arena, int64_t, count) : NULL;
	if (!ret->data || (slope && !slopes))
		return reader_no_memory(r);
	ret->slope = slopes;
	if (ret_slope)
		*ret_slope = slopes;
	return ERR_OK;
}

static struct known known_of(const struct reader *r, int index)
{
	const struct value *v = &r->g->values[index];
	void *data = v->data && v->dtype == DTYPE_FLOAT ? (void *)value_floats(v) : v->data;
	return (struct known){ v->shape, v->dtype, v->file_type, data, r->slope[index] };
}

/* A slope of all zeros is none. */
static const int64_t *reduced(const struct known *k)
{
	int64_t count = shape_count(&k->shape, 1);
	for (int64_t i = 0; k->slope && i < count; i++)
		if (k->slope[i])
			return k->slope;
	return NULL;
}

static enum err add_known(struct reader *r, const struct node *n, const char *name, const struct known *k)
{
	int index;
	struct value v = {
		.dtype = k->dtype, .file_type = k->file_type, .shape = k->shape, .producer = -1, .data = k->data
	};
	for (int i = 0; i < n->in_count; i++)
		v.learned = v.learned || (n->in[i] >= 0 && r->g->values[n->in[i]].learned);
	enum err err = reader_add(r, reader_text(name), &v, &index);
	if (!err)
		r->slope[index] = (int64_t *)reduced(k);
	return err;
}

/* ---- another name, another type ---- */

/* Another name for something computed, a copy of something stored: a tensor of its own. */
static enum err fold_identity(struct reader *r, const struct node *n, char *const *names, bool *ret_done)
{
	const char *name;
	struct value *v = &r->g->values[n->in[0]];
	*ret_done = true;
	if (v->data) {
		struct known k = known_of(r, n->in[0]), copy = k;
		int64_t *slope = NULL;
		enum err err = fold_reserve(r, &copy, k.slope != NULL, &slope);
		if (err)
			return err;
		memcpy(copy.data, k.data, (size_t)shape_count(&k.shape, 1) * dtype_size(k.dtype));
		if (slope)
			memcpy(slope, k.slope, (size_t)shape_count(&k.shape, 1) * sizeof *slope);
		return add_known(r, n, names[0], &copy);
	}
	enum err err = reader_name(r, names[0], &name);
	if (!err && !names_add(r->names, name, n->in[0]))
		err = err_set(r->e, ERR_INPUT, "tensor '%.200s': the name is used twice", name);
	return err;
}

static bool is_float_type(int64_t type)
{
	return type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT || type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
}

static bool is_whole_type(int64_t type)
{
	return type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64 || type == ONNX__TENSOR_PROTO__DATA_TYPE__INT32 ||
	       type == ONNX__TENSOR_PROTO__DATA_TYPE__BOOL;
}

static void cast_elements(const struct known *from, struct known *to)
{
	int64_t count = shape_count(&from->shape, 1);
	for (int64_t i = 0; i < count; i++) {
		int64_t whole = from->dtype == DTYPE_INT64 ? ((const int64_t *)from->data)[i]
							   : (int64_t)((const float *)from->data)[i];
		float number = from->dtype == DTYPE_FLOAT ? ((const float *)from->data)[i] : (float)whole;
		if (to->dtype == DTYPE_FLOAT)
			((float *)to->data)[i] = number;
		else if (to->file_type == ONNX__TENSOR_PROTO__DATA_TYPE__BOOL)
			((int64_t *)to->data)[i] = number != 0;
		else
			((int64_t *)to->data)[i] =
				to->file_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT32 ? (int32_t)whole : whole;
	}
}

static enum err fold_cast(struct reader *r, const struct node *n, char *const *names, bool *ret_done)
{
	int64_t to = node_int(n, "to", 0);
	const struct value *v = &r->g->values[n->in[0]];
	bool whole = is_whole_type(to);
	if (v->file_type == to)
		return fold_identity(r, n, names, ret_done);
	struct known k = known_of(r, n->in[0]);
	if (v->data && k.slope && whole && to != ONNX__TENSOR_PROTO__DATA_TYPE__BOOL)
		return fold_identity(r, n, names, ret_done); /* sizes, which any type holds */
	if (!v->data || k.slope || (!whole && !is_float_type(to)))
		return fold_refuse(r, n, "casts what is computed, or to a type that is not supported");
	float most = 9e18f;
	for (int64_t i = 0; whole && k.dtype == DTYPE_FLOAT && i < shape_count(&k.shape, 1); i++)
		if (!(((const float *)k.data)[i] > -most && ((const float *)k.data)[i] < most))
			return fold_refuse(r, n, "casts a number that no integer holds");
	struct known cast = { .shape = k.shape, .dtype = whole ? DTYPE_INT64 : DTYPE_FLOAT, .file_type = (int)to };
	enum err err = fold_reserve(r, &cast, false, NULL);
	if (err)
		return err;
	cast_elements(&k, &cast);
	*ret_done = true;
	return add_known(r, n, names[0], &cast);
}

/* ---- shapes ---- */

static int64_t clamp_index(int64_t i, int rank)
{
	int64_t at = i < 0 ? i + rank : i;
	return at < 0 ? 0 : at > rank ? rank : at;
}

static void put_dim(struct known *k, int64_t *slope, int64_t i, int64_t dim)
{
	((int64_t *)k->data)[i] = dim < 0 ? 0 : dim;
	slope[i] = dim < 0 ? -dim : 0;
}

static enum err fold_shape(struct reader *r, const struct node *n, char *const *names, bool *ret_done)
{
	const struct shape *s = &r->g->values[n->in[0]].shape;
	if (s->rank < 0)
		return fold_refuse(r, n, "asks for a shape that is not known");
	int64_t *slope, first = clamp_index(node_int(n, "start", 0), s->rank);
	int64_t last = clamp_index(node_int(n, "end", s->rank), s->rank);
	struct known k = {
		.dtype = DTYPE_INT64, .file_type = DTYPE_INT64, .shape = { 1, { last > first ? last - first : 0 } }
	};
	enum err err = fold_reserve(r, &k, true, &slope);
	if (err)
		return err;
	for (int64_t i = 0; i < k.shape.dim[0]; i++)
		put_dim(&k, slope, i, s->dim[first + i]);
	*ret_done = true;
	return add_known(r, n, names[0], &k);
}

static enum err fold_size(struct reader *r, const struct node *n, char *const *names, bool *ret_done)
{
	const struct shape *s = &r->g->values[n->in[0]].shape;
	if (s->rank < 0)
		return fold_refuse(r, n, "asks for a size that is not known");
	int64_t *slope, product = 1;
	struct known k = { .dtype = DTYPE_INT64, .file_type = DTYPE_INT64 };
	enum err err = fold_reserve(r, &k, true, &slope);
	if (err)
		return err;
	for (int i = 0; i < s->rank; i++)
		product *= s->dim[i];
	put_dim(&k, slope, 0, product);
	*ret_done = true;
	return add_known(r, n, names[0], &k);
}

/* ---- everything else ---- */

/* Sizes that depend on the batch make something that does: resolve.c knows what. */
static bool makes_batch(const struct reader *r, const struct node *n)
{
	int sizes = n->op == OP_EXPAND || n->op == OP_TILE ? 1 : n->op == OP_CONSTANT_OF_SHAPE ? 0 : -1;
	return sizes >= 0 && n->in[sizes] >= 0 && r->slope[n->in[sizes]];
}

static enum err fold_known(struct reader *r, const struct node *n, char *const *names, bool *ret_done)
{
	struct arena *a = r->g->arena;
	struct known *in = ARENA_ARRAY(a, struct known, (size_t)n->in_count);
	struct known *out = ARENA_ARRAY(a, struct known, (size_t)n->out_count);
	if (!in || !out)
		return reader_no_memory(r);
	for (int i = 0; i < n->in_count; i++)
		if (n->in[i] >= 0)
			in[i] = known_of(r, n->in[i]);
	enum err err = fold_moves(n) ? fold_move(r, n, in, out) : fold_compute(r, n, in, out);
	for (int i = 0; i < n->out_count && !err; i++)
		if (*reader_text(names[i]))
			err = add_known(r, n, names[i], &out[i]);
	*ret_done = true;
	return err;
}

enum err reader_fold(struct reader *r, const struct node *n, char *const *names, bool *ret_done)
{
	bool known = n->in_count > 0 && n->in_count <= MOST_INPUTS;
	*ret_done = false;
	if (n->op == OP_IDENTITY || n->op == OP_DROPOUT)
		return fold_identity(r, n, names, ret_done);
	if (n->op == OP_CAST)
		return fold_cast(r, n, names, ret_done);
	if (n->op == OP_SHAPE)
		return fold_shape(r, n, names, ret_done);
	if (n->op == OP_SIZE)
		return fold_size(r, n, names, ret_done);
	for (int i = 0; i < n->in_count; i++)
		known = known && (n->in[i] < 0 || r->g->values[n->in[i]].data);
	if (!known || makes_batch(r, n))
		return ERR_OK;
	if (!fold_moves(n) && !fold_computes(n))
		return fold_refuse(r, n, "computes with stored numbers only, which is not supported for this operator");
	return fold_known(r, n, names, ret_done);
}
