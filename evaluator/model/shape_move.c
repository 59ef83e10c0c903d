/* shape_move.c -- shapes of what moves numbers and computes nothing.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "evaluator/model/operand.h"
#include "evaluator/model/shape.h"

/* The product of dimensions first .. last - 1; negative when the batch is among them. The shape was checked, so nothing
 * overflows, and at most one factor is negative. */
static int64_t product(const struct shape *s, int first, int last)
{
	int64_t n = 1;
	for (int i = first; i < last; i++)
		n *= s->dim[i];
	return n;
}

enum err shape_flatten(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	int64_t axis = node_int(n, "axis", 1);
	if (axis < -x->rank || axis > x->rank)
		return err_set(e, ERR_INPUT, "%s: attribute 'axis' is %lld, expected %d to %d", node_text(n, text),
			(long long)axis, -x->rank, x->rank);
	int at = (int)(axis < 0 ? axis + x->rank : axis);
	*ret = (struct shape){ 2, { product(x, 0, at), product(x, at, x->rank) } };
	return ERR_OK;
}

bool shape_reshaped(const struct shape *x, const int64_t *target, size_t count, struct shape *ret)
{
	struct shape s = { .rank = (int)count };
	int64_t whole = product(x, 0, x->rank), known = 1;
	int open = -1;
	if (count > SHAPE_MAX_RANK)
		return false;
	for (int i = 0; i < s.rank; i++) {
		s.dim[i] = target[i] == 0 && i < x->rank ? x->dim[i] : target[i];
		bool is_open = target[i] == -1;
		if (is_open && open >= 0)
			return false;
		open = is_open ? i : open;
		if (!is_open && (s.dim[i] == 0 || s.dim[i] < -INT32_MAX || (target[i] < -1 && known < 0)))
			return false;
		if (!is_open && __builtin_mul_overflow(known, s.dim[i], &known))
			return false;
	}
	if (open >= 0) {
		if (whole % known)
			return false;
		s.dim[open] = whole / known;
		known *= s.dim[open];
	}
	if (known != whole)
		return false;
	*ret = s;
	return true;
}

enum err shape_reshape(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256], shape[128];
	const struct shape *x = &node_input(g, n, 0)->shape;
	const int64_t *target;
	size_t count;
	if (!operand_ints(g, n, NULL, 1, &target, &count))
		return err_set(e, ERR_UNSUPPORTED, "%s: its shape depends on more than the batch", node_text(n, text));
	for (size_t i = 0; i < count; i++)
		if (target[i] < -1 || (target[i] == 0 && (node_int(n, "allowzero", 0) || i >= (size_t)x->rank)))
			return err_set(e, ERR_INPUT, "%s: size %zu of its shape is %lld", node_text(n, text), i,
				(long long)target[i]);
	if (!shape_reshaped(x, target, count, ret))
		return err_set(e, ERR_INPUT, "%s: its shape does not fit the input %s", node_text(n, text),
			shape_text(x, shape));
	return ERR_OK;
}

enum err shape_squeeze(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	const int64_t *unused;
	size_t count;
	bool axes[SHAPE_MAX_RANK];
	bool given = operand_ints(g, n, "axes", 1, &unused, &count);
	struct shape s = { 0 };
	enum err err = operand_axes(g, n, x->rank, axes, e);
	if (err)
		return err;
	for (int i = 0; i < x->rank; i++) {
		bool drop = given ? axes[i] : x->dim[i] == 1;
		if (drop && x->dim[i] != 1)
			return err_set(e, x->dim[i] < 0 ? ERR_UNSUPPORTED : ERR_INPUT,
				"%s: dimension %d is %lld, expected 1", node_text(n, text), i, (long long)x->dim[i]);
		if (!drop)
			s.dim[s.rank++] = x->dim[i];
	}
	*ret = s;
	return ERR_OK;
}

enum err shape_unsqueeze(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	const int64_t *unused;
	size_t count;
	bool axes[SHAPE_MAX_RANK];
	struct shape s = { 0 };
	if (!operand_ints(g, n, "axes", 1, &unused, &count) || x->rank + count > SHAPE_MAX_RANK)
		return err_set(e, ERR_INPUT, "%s: has no axes, or more than fit into %d dimensions", node_text(n, text),
			SHAPE_MAX_RANK);
	int rank = x->rank + (int)count;
	enum err err = operand_axes(g, n, rank, axes, e);
	for (int i = 0, from = 0; i < rank && !err; i++)
		s.dim[s.rank++] = axes[i] ? 1 : x->dim[from++];
	if (!err)
		*ret = s;
	return err;
}

enum err shape_transpose(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	const struct shape *x = &node_input(g, n, 0)->shape;
	int perm[SHAPE_MAX_RANK];
	struct shape s = { .rank = x->rank };
	enum err err = operand_permutation(g, n, x->rank, perm, e);
	for (int i = 0; i < x->rank && !err; i++)
		s.dim[i] = x->dim[perm[i]];
	if (!err)
		*ret = s;
	return err;
}

enum err shape_concat(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256], expected[128], what[40];
	struct shape s = node_input(g, n, 0)->shape;
	int axis = 0;
	if (!node_attribute(n, "axis") || !s.rank)
		return err_set(e, ERR_INPUT, "%s: %s", node_text(n, text),
			s.rank ? "attribute 'axis' is missing" : "concatenates scalars");
	enum err err = node_axis(n, s.rank, 0, &axis, e);
	if (err)
		return err;
	s.dim[axis] = 0;
	for (int i = 0; i < n->in_count; i++) {
		const struct value *v = node_input(g, n, i);
		if (!v || v->dtype != node_input(g, n, 0)->dtype)
			return err_set(e, ERR_INPUT, "%s: input %d is left out or of another type than the first",
				node_text(n, text), i);
		struct shape rest = v->shape;
		if (rest.rank == s.rank)
			rest.dim[axis] = s.dim[axis];
		snprintf(what, sizeof what, "input %d", i);
		if (!shape_equal(&rest, &s))
			return shape_want(n, what, &v->shape, shape_text(&s, expected), e);
		if (v->shape.dim[axis] < 0)
			return err_set(e, ERR_UNSUPPORTED, "%s: concatenates along the batch", node_text(n, text));
		s.dim[axis] += v->shape.dim[axis];
	}
	*ret = s;
	return ERR_OK;
}

/* No more parts than there are outputs; ret has room for each. */
enum err shape_split(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	const struct shape *x = &node_input(g, n, 0)->shape;
	int64_t sizes[256];
	char text[256];
	int axis;
	if (n->out_count > (int)(sizeof sizes / sizeof *sizes) || !x->rank)
		return err_set(e, ERR_UNSUPPORTED, "%s: has %d outputs, at most 256 are supported", node_text(n, text),
			n->out_count);
	enum err err = operand_split(g, n, &axis, sizes, e);
	for (int i = 0; i < n->out_count && !err; i++) {
		ret[i] = *x;
		ret[i].dim[axis] = sizes[i];
	}
	return err;
}

enum err shape_slice(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	const struct shape *x = &node_input(g, n, 0)->shape;
	struct operand_slice slice;
	enum err err = operand_slice(g, n, &slice, e);
	if (err)
		return err;
	*ret = *x;
	memcpy(ret->dim, slice.count, sizeof ret->dim);
	return ERR_OK;
}

/* Stored indices: their dimensions take the place of the axis. */
enum err shape_gather(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	const struct value *indices = node_input(g, n, 1);
	const int64_t *index;
	size_t count;
	int axis = 0;
	if (!operand_ints(g, n, NULL, 1, &index, &count))
		return err_set(e, ERR_UNSUPPORTED, "%s: its indices are computed", node_text(n, text));
	enum err err = node_axis(n, x->rank, 0, &axis, e);
	if (!err && (x->dim[axis] < 0 || x->rank - 1 + indices->shape.rank > SHAPE_MAX_RANK))
		err = err_set(e, ERR_UNSUPPORTED, "%s: takes images out of the batch, or makes too many dimensions",
			node_text(n, text));
	for (size_t i = 0; i < count && !err; i++)
		if (index[i] < -x->dim[axis] || index[i] >= x->dim[axis])
			err = err_set(e, ERR_INPUT, "%s: index %zu is %lld, expected %lld to %lld", node_text(n, text),
				i, (long long)index[i], (long long)-x->dim[axis], (long long)x->dim[axis] - 1);
	if (err)
		return err;
	struct shape s = { 0 };
	for (int i = 0; i < x->rank; i++) {
		if (i != axis)
			s.dim[s.rank++] = x->dim[i];
		for (int k = 0; i == axis && k < indices->shape.rank; k++)
			s.dim[s.rank++] = indices->shape.dim[k];
	}
	*ret = s;
	return ERR_OK;
}

enum err shape_expand(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256], sx[128], st[128];
	const struct shape *x = &node_input(g, n, 0)->shape;
	const int64_t *target;
	size_t count;
	if (!operand_ints(g, n, NULL, 1, &target, &count) || count > SHAPE_MAX_RANK)
		return err_set(e, ERR_UNSUPPORTED, "%s: its shape depends on more than the batch", node_text(n, text));
	struct shape to = { .rank = (int)count };
	for (size_t i = 0; i < count; i++) {
		if (target[i] == 0 || target[i] < -INT32_MAX)
			return err_set(e, ERR_INPUT, "%s: size %zu of its shape is %lld", node_text(n, text), i,
				(long long)target[i]);
		to.dim[i] = target[i];
	}
	if (!shape_join(x, &to, ret))
		return err_set(e, ERR_INPUT, "%s: the input is %s, which cannot be broadcast to %s", node_text(n, text),
			shape_text(x, sx), shape_text(&to, st));
	return ERR_OK;
}

enum err shape_tile(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	const int64_t *repeats;
	size_t count;
	if (!operand_ints(g, n, NULL, 1, &repeats, &count))
		return err_set(e, ERR_UNSUPPORTED, "%s: its repeats depend on more than the batch", node_text(n, text));
	if (count != (size_t)x->rank)
		return err_set(
			e, ERR_INPUT, "%s: has %zu repeats for %d dimensions", node_text(n, text), count, x->rank);
	*ret = *x;
	for (int i = 0; i < x->rank; i++) {
		if (x->dim[i] < 0 && repeats[i] != 1)
			return err_set(e, ERR_UNSUPPORTED, "%s: repeats the batch", node_text(n, text));
		if (repeats[i] < 1 || repeats[i] > INT32_MAX ||
			__builtin_mul_overflow(x->dim[i], repeats[i], &ret->dim[i]))
			return err_set(e, ERR_INPUT, "%s: repeat %d is %lld, expected 1 to 2^31", node_text(n, text), i,
				(long long)repeats[i]);
	}
	return ERR_OK;
}

enum err shape_pad(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	const struct shape *x = &node_input(g, n, 0)->shape;
	struct operand_pad pad;
	enum err err = operand_pad(g, n, &pad, e);
	if (err)
		return err;
	*ret = *x;
	for (int i = 0; i < x->rank; i++)
		ret->dim[i] += pad.begin[i] + pad.end[i];
	return ERR_OK;
}

static enum err read_block(const struct graph *g, const struct node *n, int64_t *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	int64_t block = node_int(n, "blocksize", 0);
	if (x->rank != 4 || x->dim[0] > 0)
		return shape_want(n, "the input", x, "(batch, channels, height, width)", e);
	if (block < 1 || block > 1 << 12)
		return err_set(e, ERR_INPUT, "%s: attribute 'blocksize' is %lld, expected at least 1",
			node_text(n, text), (long long)block);
	*ret = block;
	return ERR_OK;
}

enum err shape_depth_to_space(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	int64_t b = 1;
	const struct shape *x = &node_input(g, n, 0)->shape;
	const struct attribute *mode = node_attribute(n, "mode");
	enum err err = read_block(g, n, &b, e);
	if (!err && x->dim[1] % (b * b))
		err = err_set(e, ERR_INPUT, "%s: %lld channels are no multiple of %lld", node_text(n, text),
			(long long)x->dim[1], (long long)(b * b));
	if (!err && mode && strcmp(mode->s, "DCR") && strcmp(mode->s, "CRD"))
		err = err_set(e, ERR_INPUT, "%s: attribute 'mode' is '%.40s', expected DCR or CRD", node_text(n, text),
			mode->s);
	if (!err)
		*ret = (struct shape){ 4, { x->dim[0], x->dim[1] / (b * b), x->dim[2] * b, x->dim[3] * b } };
	return err;
}

enum err shape_space_to_depth(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	int64_t b = 1;
	const struct shape *x = &node_input(g, n, 0)->shape;
	enum err err = read_block(g, n, &b, e);
	if (!err && (x->dim[2] % b || x->dim[3] % b))
		err = err_set(e, ERR_INPUT, "%s: the input's height and width are no multiples of %lld",
			node_text(n, text), (long long)b);
	if (!err)
		*ret = (struct shape){ 4, { x->dim[0], x->dim[1] * b * b, x->dim[2] / b, x->dim[3] / b } };
	return err;
}

enum err shape_resize(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	struct operand_resize r;
	const struct shape *x = &node_input(g, n, 0)->shape;
	enum err err = operand_resize(g, n, &r, e);
	if (err)
		return err;
	*ret = *x;
	memcpy(ret->dim, r.size, sizeof ret->dim);
	return ERR_OK;
}
