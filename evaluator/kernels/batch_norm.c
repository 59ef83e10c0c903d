/* batch_norm.c -- batch normalisation (Ioffe & Szegedy 2015).
 * SPDX-License-Identifier: MIT
 *
 *   y[n,c,...] = scale[c] * (x[n,c,...] - mean[c]) / sqrt(var[c] + eps) + shift[c]
 *
 * With the running statistics; with the batch's own in batch_norm_train.c. */
#include <string.h>

#include "evaluator/kernels/builder.h"

static enum err bind_vectors(struct builder *b, const struct view *x, struct step *s)
{
	static const int args[] = { DNNL_ARG_SCALE, DNNL_ARG_SHIFT, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE };
	const struct node *n = builder_node(b);
	int64_t channels = x->dim[1];
	dnnl_memory_desc_t md = dnn_vector(channels);
	float *vectors[4];
	for (int i = 0; i < 4; i++) {
		enum err err = builder_floats(b, channels, &vectors[i]);
		if (!err)
			err = builder_bind(b, s, args[i], &md, vectors[i]);
		if (err)
			return err;
		memcpy(vectors[i], b->g->values[n->in[1 + i]].data, (size_t)channels * sizeof(float));
	}
	return ERR_OK;
}

/* oneDNN knows channels-last and row-major; x is put into the first unless it is the second. */
static enum err find_input(struct builder *b, int value, struct view *ret)
{
	struct order row_major = order_row_major(), last = order_channels_last(builder_shape(b, value)->rank);
	enum err err = builder_value(b, value, ret);
	if (err)
		return err;
	return builder_dense(b, value, view_is_dense(ret, &row_major) ? &row_major : &last, ret);
}

enum err batch_norm_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	const unsigned flags = dnnl_use_scale | dnnl_use_shift | dnnl_use_global_stats;
	dnnl_batch_normalization_desc_t desc;
	dnnl_memory_desc_t md;
	struct view x, y;
	struct step s = { 0 };
	if (b->mode == PLAN_CALIBRATE)
		return batch_norm_train_build(b);
	enum err err = find_input(b, n->in[0], &x);
	if (!err)
		err = builder_place_over(b, builder_result(b), n->in[0], &x, &y);
	if (!err)
		err = dnn_describe(&x, &md, b->e);
	if (!err)
		err = dnn_check(dnnl_batch_normalization_forward_desc_init(&desc, dnnl_forward_inference, &md,
					node_float(n, "epsilon", 1e-5f), flags),
			"describing a batch-norm", b->e);
	if (!err)
		err = builder_bind_view(b, &s, DNNL_ARG_SRC, &x);
	if (!err)
		err = builder_bind_view(b, &s, DNNL_ARG_DST, &y);
	if (!err)
		err = bind_vectors(b, &x, &s);
	if (!err)
		err = builder_primitive(b, &desc, NULL, &s.primitive, NULL);
	return builder_finish(b, &s, err);
}
