/* tensor.c -- ONNX's TensorProto: checked and copied.
 * SPDX-License-Identifier: MIT */
#include "evaluator/model/tensor.h"

#include <math.h>
#include <string.h>

#include "evaluator/model/graph.h"

static const int64_t LARGEST_COUNT = (int64_t)1 << 31;

static enum err read_dims(
	const Onnx__TensorProto *t, const char *name, struct shape *ret, int64_t *ret_count, struct errinfo *e)
{
	if (t->n_dims > SHAPE_MAX_RANK)
		return err_set(e, ERR_UNSUPPORTED, "tensor '%.200s': has %zu dimensions, at most %d are supported",
			name, t->n_dims, SHAPE_MAX_RANK);
	int64_t count = 1;
	ret->rank = (int)t->n_dims;
	for (size_t i = 0; i < t->n_dims; i++) {
		int64_t d = t->dims[i];
		if (d < 1)
			return err_set(e, ERR_INPUT, "tensor '%.200s': dimension %zu is %lld, expected at least 1",
				name, i, (long long)d);
		if (__builtin_mul_overflow(count, d, &count) || count > LARGEST_COUNT)
			return err_set(e, ERR_LIMIT, "tensor '%.200s': has more than 2^31 elements", name);
		ret->dim[i] = d;
	}
	*ret_count = count;
	return ERR_OK;
}

/* Where the elements lie in the message, and how many bytes they are. */
static const void *payload(const Onnx__TensorProto *t, size_t *ret_bytes)
{
	if (t->has_raw_data) {
		*ret_bytes = t->raw_data.len;
		return t->raw_data.data;
	}
	if (t->data_type == DTYPE_FLOAT) {
		*ret_bytes = t->n_float_data * sizeof(float);
		return t->float_data;
	}
	*ret_bytes = t->n_int64_data * sizeof(int64_t);
	return t->int64_data;
}

/* A weight that is not finite makes every comparison of results meaningless, and some kernels turn NaN into 0. */
static enum err check_finite(const struct value *v, int64_t count, const char *name, struct errinfo *e)
{
	const float *x = v->data;
	for (int64_t i = 0; v->dtype == DTYPE_FLOAT && i < count; i++)
		if (!isfinite(x[i]))
			return err_set(e, ERR_INPUT, "tensor '%.200s': element %lld is %f, expected a finite number",
				name, (long long)i, (double)x[i]);
	return ERR_OK;
}

enum err tensor_read(
	const Onnx__TensorProto *t, const char *name, struct arena *a, struct value *ret, struct errinfo *e)
{
	struct shape shape;
	int64_t count = 0;
	size_t bytes;
	if (t->data_type != DTYPE_FLOAT && t->data_type != DTYPE_INT64)
		return err_set(e, ERR_UNSUPPORTED,
			"tensor '%.200s': data type %d, only float (1) and int64 (7) are supported", name,
			t->data_type);
	if (t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL || t->n_external_data)
		return err_set(e, ERR_UNSUPPORTED,
			"tensor '%.200s': its data lies outside the file, which is not supported", name);
	enum err err = read_dims(t, name, &shape, &count, e);
	if (err)
		return err;
	size_t size = dtype_size((enum dtype)t->data_type);
	const void *from = payload(t, &bytes);
	if (bytes != (size_t)count * size)
		return err_set(e, ERR_INPUT, "tensor '%.200s': has %zu bytes of data, its dimensions need %zu", name,
			bytes, (size_t)count * size);
	void *data = arena_alloc(a, (size_t)count, size);
	if (!data)
		return err_set(e, ERR_MEMORY, "tensor '%.200s': out of memory", name);
	memcpy(data, from, bytes);
	ret->dtype = (enum dtype)t->data_type;
	ret->shape = shape;
	ret->data = data;
	return check_finite(ret, count, name, e);
}
