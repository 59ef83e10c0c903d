/* softmax.c -- exponentials that add up to one.
 * SPDX-License-Identifier: MIT
 *
 *   y[i] = exp(x[i] - m) / sum over k of exp(x[k] - m),   m = max over k of x[k];   or the logarithm of that
 *
 * along one dimension; before opset 13 along all from the axis on, taken as one. */
#include "evaluator/kernels/builder.h"

/* x in an order in which it has no gaps; (outer, along, inner) in memory is what is seen. */
static enum err find_input(struct builder *b, int axis, bool flat, struct view *ret, int64_t *ret_along)
{
	int value = builder_node(b)->in[0];
	enum err err = builder_value(b, value, ret);
	if (err)
		return err;
	struct order o = flat ? order_row_major() : order_of(ret);
	err = builder_dense(b, value, &o, ret);
	int64_t along = 1;
	for (int i = axis; i < (flat ? ret->rank : axis + 1); i++)
		along *= ret->dim[i];
	*ret_along = along;
	return err;
}

enum err softmax_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	bool flat = b->g->opset < 13;
	int axis = 0;
	struct view x = { 0 }, y = { 0 };
	int64_t along = 1;
	enum err err = node_axis(n, builder_shape(b, n->in[0])->rank, flat ? 1 : -1, &axis, b->e);
	if (!err)
		err = find_input(b, axis, flat, &x, &along);
	if (!err)
		err = builder_place_over(b, builder_result(b), n->in[0], &x, &y);
	if (err)
		return err;
	int64_t inner = flat ? 1 : x.stride[axis];
	struct view seen = { 3, { view_count(&x) / along / inner, along, inner }, { along * inner, inner, 1 }, x.data };
	struct view made = seen;
	made.data = y.data;
	seen.rank = made.rank = inner == 1 ? 2 : 3;
	dnnl_memory_desc_t md;
	dnnl_softmax_v2_desc_t desc;
	err = dnn_describe(&seen, &md, b->e);
	if (!err)
		err = dnn_check(dnnl_softmax_v2_forward_desc_init(&desc, dnnl_forward_inference,
					n->op == OP_SOFTMAX ? dnnl_softmax_accurate : dnnl_softmax_log, &md, &md, 1),
			"describing a softmax", b->e);
	return err ? err : builder_unary(b, &desc, &seen, &made);
}
