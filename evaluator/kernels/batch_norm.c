/* batch_norm.c -- batch normalisation (Ioffe & Szegedy 2015).
 * SPDX-License-Identifier: MIT
 *
 *   y[n,c,...] = scale[c] * (x[n,c,...] - mean[c]) / sqrt(var[c] + eps) + shift[c]
 *
 * With the running statistics for inference; with the batch's own, biased variance, for calibration. */
#include <string.h>

#include "evaluator/kernels/builder.h"

/* A channel vector of the plan's own, filled from an initialiser when from is not NULL. */
static enum err bind_vector(struct builder *b, int arg, const float *from, int64_t n, struct step *s, float **ret)
{
	float *copy = builder_floats(b, n);
	if (!copy)
		return err_set(b->e, ERR_MEMORY, "out of memory");
	if (from)
		memcpy(copy, from, (size_t)n * sizeof *copy);
	dnnl_memory_desc_t md = dnn_vector(n);
	dnnl_memory_t memory;
	enum err err = builder_memory(b, &md, copy, &memory);
	if (err)
		return err;
	s->args[s->arg_count++] = (dnnl_exec_arg_t){ arg, memory };
	*ret = copy;
	return ERR_OK;
}

static enum err bind_vectors(struct builder *b, int index, struct step *s)
{
	static const int args[] = { DNNL_ARG_SCALE, DNNL_ARG_SHIFT, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE };
	const struct node *n = &b->g->nodes[index];
	const struct shape *x = &b->g->values[n->in[0]].shape;
	float *vectors[4];
	for (int i = 0; i < 4; i++) {
		bool computed = b->mode == PLAN_CALIBRATE && i >= 2;
		enum err err = bind_vector(
			b, args[i], computed ? NULL : b->g->values[n->in[1 + i]].data, x->dim[1], s, &vectors[i]);
		if (err)
			return err;
	}
	b->statistics[index] = (struct norm_statistics){ vectors[2], vectors[3], shape_count(x, b->batch) / x->dim[1] };
	return ERR_OK;
}

enum err batch_norm_build(struct builder *b, int index)
{
	const struct node *n = &b->g->nodes[index];
	bool calibrate = b->mode == PLAN_CALIBRATE;
	unsigned flags = dnnl_use_scale | dnnl_use_shift | (calibrate ? 0 : dnnl_use_global_stats);
	dnnl_batch_normalization_desc_t desc;
	struct step s = { 0 };
	enum err err = dnn_check(dnnl_batch_normalization_forward_desc_init(&desc,
					 calibrate ? dnnl_forward_training : dnnl_forward_inference,
					 &b->slots[n->in[0]].md, node_float(n, "epsilon", 1e-5f), flags),
		"describing a batch-norm", b->e);
	if (err)
		return err;
	s.args[s.arg_count++] = (dnnl_exec_arg_t){ DNNL_ARG_SRC, b->slots[n->in[0]].memory };
	s.args[s.arg_count++] = (dnnl_exec_arg_t){ DNNL_ARG_DST, b->slots[b->fusion->result[index]].memory };
	err = bind_vectors(b, index, &s);
	if (!err)
		err = builder_primitive(b, &desc, NULL, &s.primitive, NULL);
	return err ? err : builder_add(b, &s);
}
