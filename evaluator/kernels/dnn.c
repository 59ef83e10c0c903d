/* dnn.c -- the little of oneDNN's C interface that the kernels share.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/dnn.h"

#include <string.h>

void dnn_keep_kernels(int most)
{
	dnnl_set_primitive_cache_capacity(most);
}

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

bool dnn_can_describe(const struct view *v)
{
	struct order o = order_of(v);
	int64_t end = 0;
	for (int i = v->rank - 1; i >= 0; i--) {
		int axis = o.at[i];
		if (v->stride[axis] <= 0 || (v->dim[axis] > 1 && v->stride[axis] < end))
			return false;
		end = v->dim[axis] * v->stride[axis];
	}
	return v->rank >= 1 && v->rank <= DNNL_MAX_NDIMS;
}

enum err dnn_describe(const struct view *v, dnnl_memory_desc_t *ret, struct errinfo *e)
{
	dnnl_dims_t dims = { 0 }, strides = { 0 };
	if (v->rank < 1 || v->rank > DNNL_MAX_NDIMS)
		return err_set(e, ERR_UNSUPPORTED, "a tensor of %d dimensions, expected 1 to %d", v->rank,
			DNNL_MAX_NDIMS);
	for (int i = 0; i < v->rank; i++) {
		dims[i] = v->dim[i];
		strides[i] = v->stride[i];
	}
	return dnn_check(
		dnnl_memory_desc_init_by_strides(ret, v->rank, dims, dnnl_f32, strides), "describing a tensor", e);
}

enum err dnn_any(int rank, const int64_t *dims, dnnl_memory_desc_t *ret, struct errinfo *e)
{
	dnnl_dims_t d = { 0 };
	memcpy(d, dims, (size_t)rank * sizeof *dims);
	return dnn_check(
		dnnl_memory_desc_init_by_tag(ret, rank, d, dnnl_f32, dnnl_format_tag_any), "describing a tensor", e);
}

struct dnn_window dnn_window(const struct window *w)
{
	struct dnn_window d = { 0 };
	for (int i = 0; i < w->rank; i++) {
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

enum err dnn_primitive(dnnl_engine_t engine, const void *op_desc, const_dnnl_primitive_attr_t attr,
	const_dnnl_primitive_desc_t hint, dnnl_primitive_t *ret, dnnl_primitive_desc_t *ret_pd, struct errinfo *e)
{
	dnnl_primitive_desc_t pd;
	enum err err = dnn_check(dnnl_primitive_desc_create(&pd, op_desc, attr, engine, hint), "choosing a kernel", e);
	if (err)
		return err;
	err = dnn_check(dnnl_primitive_create(ret, pd), "making a kernel", e);
	if (err)
		dnnl_primitive_desc_destroy(pd);
	else
		*ret_pd = pd;
	return err;
}

int64_t dnn_floats(const dnnl_memory_desc_t *md)
{
	return (int64_t)((dnnl_memory_desc_get_size(md) + sizeof(float) - 1) / sizeof(float));
}

bool dnn_is_slow(const_dnnl_primitive_desc_t pd)
{
	const char *name = "";
	return dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name) || strstr(name, "ref") ||
	       strstr(name, "simple");
}

static dnnl_status_t append_ending(dnnl_post_ops_t ops, bool sum, dnnl_alg_kind_t kind, float alpha, float beta)
{
	dnnl_status_t status = sum ? dnnl_post_ops_append_sum(ops, 1.0f) : dnnl_success;
	return status || kind == dnnl_alg_kind_undef ? status
						     : dnnl_post_ops_append_eltwise(ops, 1.0f, kind, alpha, beta);
}

enum err dnn_ending(
	bool sum, dnnl_alg_kind_t kind, float alpha, float beta, dnnl_primitive_attr_t *ret, struct errinfo *e)
{
	dnnl_post_ops_t ops = NULL;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_status_t status = dnnl_primitive_attr_create(&attr);
	if (!status)
		status = dnnl_post_ops_create(&ops);
	if (!status)
		status = append_ending(ops, sum, kind, alpha, beta);
	if (!status)
		status = dnnl_primitive_attr_set_post_ops(attr, ops);
	dnnl_post_ops_destroy(ops);
	if (status)
		dnnl_primitive_attr_destroy(attr);
	else
		*ret = attr;
	return dnn_check(status, "fusing what ends a layer", e);
}
