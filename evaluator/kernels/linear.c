/* linear.c -- fully connected layers and the flattening before them.
 * SPDX-License-Identifier: MIT
 *
 *   Gemm:    y[n,o] = alpha * sum over i of x[n,i] * w[o,i] (or w[i,o]) + beta * b[o]
 *   Flatten: y[n, (c*h + i)*w + j] = x[n,c,i,j], so channels-last data are brought into ONNX's order first. */
#include <cblas.h>
#include <string.h>

#include "evaluator/kernels/builder.h"

static void gemm_run(const struct step *s)
{
	for (int64_t n = 0; n < s->rows; n++) {
		if (s->bias)
			memcpy(s->to + n * s->out, s->bias, (size_t)s->out * sizeof(float));
		else
			memset(s->to + n * s->out, 0, (size_t)s->out * sizeof(float));
	}
	cblas_sgemm(CblasRowMajor, CblasNoTrans, s->transposed ? CblasTrans : CblasNoTrans, (int)s->rows, (int)s->out,
		(int)s->in, s->scale, s->from, (int)s->in, s->weight, (int)(s->transposed ? s->in : s->out), 1.0f,
		s->to, (int)s->out);
}

enum err gemm_build(struct builder *b, int index)
{
	const struct graph *g = b->g;
	const struct node *n = &g->nodes[index];
	const struct value *w = node_input(g, n, 1), *bias = node_input(g, n, 2);
	int64_t in = g->values[n->in[0]].shape.dim[1], out = g->values[n->out[0]].shape.dim[1];
	float *weight_copy = builder_floats(b, in * out), *bias_copy = bias ? builder_floats(b, out) : NULL;
	if (!weight_copy || (bias && !bias_copy))
		return err_set(b->e, ERR_MEMORY, "out of memory");
	memcpy(weight_copy, w->data, (size_t)(in * out) * sizeof(float));
	float beta = node_float(n, "beta", 1.0f);
	for (int64_t o = 0; bias && o < out; o++)
		bias_copy[o] = beta * ((const float *)bias->data)[o];
	return builder_add(b, &(struct step){ .run = gemm_run,
				      .from = b->slots[n->in[0]].data,
				      .weight = weight_copy,
				      .bias = bias_copy,
				      .to = b->slots[b->fusion->result[index]].data,
				      .rows = b->batch,
				      .in = in,
				      .out = out,
				      .transposed = node_int(n, "transB", 0) != 0,
				      .scale = node_float(n, "alpha", 1.0f) });
}

enum err flatten_build(struct builder *b, int index)
{
	const struct node *n = &b->g->nodes[index];
	const struct slot *x = &b->slots[n->in[0]], *y = &b->slots[b->fusion->result[index]];
	dnnl_memory_desc_t row_major;
	dnnl_memory_t to;
	enum err err = dnn_row_major(&b->g->values[n->in[0]].shape, b->batch, &row_major, b->e);
	if (!err)
		err = builder_memory(b, &row_major, y->data, &to);
	return err ? err : builder_reorder(b, &x->md, x->memory, &row_major, to);
}
