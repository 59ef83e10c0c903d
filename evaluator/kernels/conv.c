/* conv.c -- convolution over (height, width).
 * SPDX-License-Identifier: MIT
 *
 *   y[n,o,i,j] = b[o] + sum over c,u,v of w[o,c,u,v] * x[n, c, i*s + u*d - p, j*s + v*d - p]
 *
 * A batch-norm folded in multiplies filter o by scale[o] / sqrt(var[o] + eps) and moves the bias accordingly. */
#include <math.h>
#include <string.h>

#include "evaluator/kernels/builder.h"

/* The filters and the bias as they will be used. bias is NULL when there is none. */
struct filters {
	float *weight, *bias;
};

static void fold_norm(const struct graph *g, const struct node *norm, struct filters *f, const struct shape *w)
{
	const float *scale = g->values[norm->in[1]].data, *shift = g->values[norm->in[2]].data;
	const float *mean = g->values[norm->in[3]].data, *variance = g->values[norm->in[4]].data;
	float epsilon = node_float(norm, "epsilon", 1e-5f);
	int64_t filter = w->dim[1] * w->dim[2] * w->dim[3];
	for (int64_t o = 0; o < w->dim[0]; o++) {
		float factor = scale[o] / sqrtf(variance[o] + epsilon);
		for (int64_t i = 0; i < filter; i++)
			f->weight[o * filter + i] *= factor;
		f->bias[o] = (f->bias[o] - mean[o]) * factor + shift[o];
	}
}

static enum err copy_filters(struct builder *b, int index, struct filters *ret)
{
	const struct graph *g = b->g;
	const struct node *n = &g->nodes[index];
	const struct value *w = node_input(g, n, 1), *bias = node_input(g, n, 2);
	bool norm = b->fusion->norm[index] >= 0;
	struct filters f = { builder_floats(b, shape_count(&w->shape, 1)), NULL };
	if (bias || norm)
		f.bias = builder_floats(b, w->shape.dim[0]);
	if (!f.weight || ((bias || norm) && !f.bias))
		return err_set(b->e, ERR_MEMORY, "out of memory");
	memcpy(f.weight, w->data, (size_t)shape_count(&w->shape, 1) * sizeof(float));
	if (bias)
		memcpy(f.bias, bias->data, (size_t)w->shape.dim[0] * sizeof(float));
	if (norm)
		fold_norm(g, &g->nodes[b->fusion->norm[index]], &f, &w->shape);
	*ret = f;
	return ERR_OK;
}

static enum err describe(struct builder *b, int index, bool with_bias, dnnl_convolution_desc_t *ret)
{
	const struct graph *g = b->g;
	const struct node *n = &g->nodes[index];
	const struct shape *x = &g->values[n->in[0]].shape, *w = &g->values[n->in[1]].shape;
	struct window win;
	dnnl_memory_desc_t weight, bias = dnn_vector(w->dim[0]);
	enum err err = window_read(n, x, w->dim + 2, &win, b->e);
	if (err)
		return err;
	err = dnn_any(w, &weight, b->e);
	if (err)
		return err;
	struct dnn_window d = dnn_window(&win);
	return dnn_check(dnnl_dilated_convolution_forward_desc_init(ret, dnnl_forward_inference,
				 dnnl_convolution_direct, &b->slots[n->in[0]].md, &weight, with_bias ? &bias : NULL,
				 &b->slots[b->fusion->result[index]].md, d.stride, d.dilates, d.begin, d.end),
		"describing a convolution", b->e);
}

static enum err relu_attribute(struct builder *b, dnnl_primitive_attr_t *ret)
{
	dnnl_post_ops_t ops = NULL;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_status_t status = dnnl_primitive_attr_create(&attr);
	if (!status)
		status = dnnl_post_ops_create(&ops);
	if (!status)
		status = dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
	if (!status)
		status = dnnl_primitive_attr_set_post_ops(attr, ops);
	dnnl_post_ops_destroy(ops);
	if (status)
		dnnl_primitive_attr_destroy(attr);
	else
		*ret = attr;
	return dnn_check(status, "fusing a ReLU", b->e);
}

static enum err make_primitive(
	struct builder *b, int index, bool with_bias, dnnl_primitive_t *ret, dnnl_primitive_desc_t *ret_pd)
{
	dnnl_convolution_desc_t desc;
	dnnl_primitive_attr_t attr = NULL;
	enum err err = describe(b, index, with_bias, &desc);
	if (!err && b->fusion->relu[index])
		err = relu_attribute(b, &attr);
	if (!err)
		err = builder_primitive(b, &desc, attr, ret, ret_pd);
	if (attr)
		dnnl_primitive_attr_destroy(attr);
	return err;
}

static enum err bind_filters(
	struct builder *b, int index, const struct filters *f, dnnl_primitive_desc_t pd, struct step *s)
{
	const struct shape *w = &b->g->values[b->g->nodes[index].in[1]].shape;
	dnnl_memory_desc_t stored;
	dnnl_memory_t weight, bias;
	enum err err = dnn_row_major(w, b->batch, &stored, b->e);
	if (!err)
		err = builder_weight(
			b, &stored, f->weight, dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0), &weight);
	if (err)
		return err;
	s->args[s->arg_count++] = (dnnl_exec_arg_t){ DNNL_ARG_WEIGHTS, weight };
	if (!f->bias)
		return ERR_OK;
	dnnl_memory_desc_t vector = dnn_vector(w->dim[0]);
	err = builder_memory(b, &vector, f->bias, &bias);
	if (!err)
		s->args[s->arg_count++] = (dnnl_exec_arg_t){ DNNL_ARG_BIAS, bias };
	return err;
}

enum err conv_build(struct builder *b, int index)
{
	struct filters f = { 0 };
	struct step s = { 0 };
	dnnl_primitive_desc_t pd = NULL;
	enum err err = copy_filters(b, index, &f);
	if (!err)
		err = make_primitive(b, index, f.bias != NULL, &s.primitive, &pd);
	if (err)
		return err;
	s.args[s.arg_count++] = (dnnl_exec_arg_t){ DNNL_ARG_SRC, b->slots[b->g->nodes[index].in[0]].memory };
	s.args[s.arg_count++] = (dnnl_exec_arg_t){ DNNL_ARG_DST, b->slots[b->fusion->result[index]].memory };
	err = bind_filters(b, index, &f, pd, &s);
	dnnl_primitive_desc_destroy(pd);
	if (err) {
		dnnl_primitive_destroy(s.primitive);
		return err;
	}
	return builder_add(b, &s);
}
