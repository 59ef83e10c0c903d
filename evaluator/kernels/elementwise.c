/* elementwise.c -- what is done to every number alone: y = max(x, 0), y = a + b.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/builder.h"

enum err relu_build(struct builder *b, int index)
{
	const struct slot *x = &b->slots[b->g->nodes[index].in[0]], *y = &b->slots[b->fusion->result[index]];
	dnnl_eltwise_desc_t desc;
	enum err err = dnn_check(
		dnnl_eltwise_forward_desc_init(&desc, dnnl_forward_inference, dnnl_eltwise_relu, &x->md, 0.0f, 0.0f),
		"describing a ReLU", b->e);
	return err ? err : builder_unary(b, &desc, x, y);
}

enum err add_build(struct builder *b, int index)
{
	const struct node *n = &b->g->nodes[index];
	const struct slot *x0 = &b->slots[n->in[0]], *x1 = &b->slots[n->in[1]],
			  *y = &b->slots[b->fusion->result[index]];
	dnnl_binary_desc_t desc;
	struct step s = { 0 };
	enum err err = dnn_check(
		dnnl_binary_desc_init(&desc, dnnl_binary_add, &x0->md, &x1->md, &y->md), "describing a sum", b->e);
	if (!err)
		err = builder_primitive(b, &desc, NULL, &s.primitive, NULL);
	if (err)
		return err;
	s.args[s.arg_count++] = (dnnl_exec_arg_t){ DNNL_ARG_SRC_0, x0->memory };
	s.args[s.arg_count++] = (dnnl_exec_arg_t){ DNNL_ARG_SRC_1, x1->memory };
	s.args[s.arg_count++] = (dnnl_exec_arg_t){ DNNL_ARG_DST, y->memory };
	return builder_add(b, &s);
}
