/* dnn.c -- the little of oneDNN's C interface that the kernels share.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/dnn.h"

enum err dnn_check(dnnl_status_t status, const char *what, struct errinfo *e)
{
	switch (status) {
	case dnnl_success:
		return ERR_OK;
	case dnnl_out_of_memory:
		return err_set(e, ERR_MEMORY, "%s: out of memory", what);
	case dnnl_unimplemented:
		return err_set(e, ERR_UNSUPPORTED, "%s: oneDNN does not implement this form", what);
	case dnnl_invalid_arguments:
	case dnnl_iterator_ends:
	case dnnl_runtime_error:
	case dnnl_not_required:
		break;
	}
	return err_set(e, ERR_INTERNAL, "%s: oneDNN answered with status %d", what, (int)status);
}

static enum err describe(
	const struct shape *s, int64_t batch, dnnl_format_tag_t tag, dnnl_memory_desc_t *ret, struct errinfo *e)
{
	dnnl_dims_t dims = { 0 };
	for (int i = 0; i < s->rank; i++)
		dims[i] = s->dim[i] == DIM_BATCH ? batch : s->dim[i];
	return dnn_check(dnnl_memory_desc_init_by_tag(ret, s->rank, dims, dnnl_f32, tag), "describing a tensor", e);
}

enum err dnn_row_major(const struct shape *s, int64_t batch, dnnl_memory_desc_t *ret, struct errinfo *e)
{
	static const dnnl_format_tag_t tags[] = { dnnl_format_tag_undef, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd };
	if (s->rank < 1 || s->rank > 4)
		return err_set(e, ERR_UNSUPPORTED, "a tensor of %d dimensions, expected 1 to 4", s->rank);
	return describe(s, batch, tags[s->rank], ret, e);
}

enum err dnn_layout(const struct shape *s, int64_t batch, dnnl_memory_desc_t *ret, struct errinfo *e)
{
	return s->rank == 4 ? describe(s, batch, dnnl_nhwc, ret, e) : dnn_row_major(s, batch, ret, e);
}

enum err dnn_any(const struct shape *s, dnnl_memory_desc_t *ret, struct errinfo *e)
{
	return describe(s, 1, dnnl_format_tag_any, ret, e);
}

struct dnn_window dnn_window(const struct window *w)
{
	struct dnn_window d = { 0 };
	for (int i = 0; i < 2; i++) {
		d.kernel[i] = w->kernel[i];
		d.stride[i] = w->stride[i];
		d.dilates[i] = w->dilation[i] - 1;
		d.begin[i] = w->begin[i];
		d.end[i] = w->end[i];
	}
	return d;
}

dnnl_memory_desc_t dnn_vector(int64_t n)
{
	dnnl_memory_desc_t md;
	dnnl_dims_t dims = { n };
	dnnl_memory_desc_init_by_tag(&md, 1, dims, dnnl_f32, dnnl_x);
	return md;
}
