/* pool.c -- pooling: the largest of a window, the mean of everything.
 * SPDX-License-Identifier: MIT
 *
 *   max:    y[n,c,i,j] = max over u,v of x[n, c, i*s + u - p, j*s + v - p], padding never wins
 *   global: y[n,c,0,0] = mean over i,j of x[n,c,i,j] */
#include "evaluator/kernels/builder.h"

static enum err build(struct builder *b, int index, dnnl_alg_kind_t kind, const struct window *w)
{
	const struct node *n = &b->g->nodes[index];
	const struct slot *x = &b->slots[n->in[0]], *y = &b->slots[b->fusion->result[index]];
	struct dnn_window d = dnn_window(w);
	dnnl_pooling_desc_t desc;
	enum err err = dnn_check(dnnl_pooling_forward_desc_init(&desc, dnnl_forward_inference, kind, &x->md, &y->md,
					 d.stride, d.kernel, d.begin, d.end),
		"describing a pooling", b->e);
	return err ? err : builder_unary(b, &desc, x, y);
}

enum err max_pool_build(struct builder *b, int index)
{
	const struct node *n = &b->g->nodes[index];
	struct window w;
	enum err err = window_read(n, &b->g->values[n->in[0]].shape, NULL, &w, b->e);
	return err ? err : build(b, index, dnnl_pooling_max, &w);
}

enum err global_average_pool_build(struct builder *b, int index)
{
	const struct shape *x = &b->g->values[b->g->nodes[index].in[0]].shape;
	struct window w = { .kernel = { x->dim[2], x->dim[3] }, .stride = { 1, 1 }, .dilation = { 1, 1 } };
	return build(b, index, dnnl_pooling_avg_exclude_padding, &w);
}
