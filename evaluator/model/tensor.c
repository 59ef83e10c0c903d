/* tensor.c -- ONNX's TensorProto: checked, and its elements brought into memory's two types.
 * SPDX-License-Identifier: MIT */
#include "evaluator/model/tensor.h"

#include <math.h>
#include <string.h>

#include "evaluator/model/graph.h"
#include "evaluator/model/wire.h"

enum { LARGEST_COPY = 4096 }; /* bytes of a tensor that is worth a copy, for the sake of a simple address */
static const int64_t LARGEST_COUNT = (int64_t)1 << 31;

#define TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name

/* ---- element types: `width` bytes raw, or in one of the message's typed lists ---- */

typedef void widen_cb(const void *from, size_t n, void *to);
typedef void narrow_cb(const void *from, size_t n, void *to);

#define CONVERSION(name, type, memory)                                                                                 \
	static void widen_##name(const void *from, size_t n, void *to)                                                 \
	{                                                                                                              \
		type x;                                                                                                \
		for (size_t i = 0; i < n; i++) {                                                                       \
			memcpy(&x, (const char *)from + i * sizeof x, sizeof x);                                       \
			((memory *)to)[i] = (memory)x;                                                                 \
		}                                                                                                      \
	}                                                                                                              \
	static void narrow_##name(const void *from, size_t n, void *to)                                                \
	{                                                                                                              \
		for (size_t i = 0; i < n; i++) {                                                                       \
			type x = (type)((const memory *)from)[i];                                                      \
			memcpy((char *)to + i * sizeof x, &x, sizeof x);                                               \
		}                                                                                                      \
	}

CONVERSION(float, float, float)
CONVERSION(double, double, float)
CONVERSION(int64, int64_t, int64_t)
CONVERSION(int32, int32_t, int64_t)
CONVERSION(int16, int16_t, int64_t)
CONVERSION(uint16, uint16_t, int64_t)
CONVERSION(int8, int8_t, int64_t)
CONVERSION(uint8, uint8_t, int64_t)

static const struct element {
	int file_type;
	enum dtype dtype;
	size_t width;
	widen_cb *widen;
	narrow_cb *narrow;
} elements[] = {
	{ TYPE(FLOAT), DTYPE_FLOAT, 4, widen_float, narrow_float },
	{ TYPE(DOUBLE), DTYPE_FLOAT, 8, widen_double, narrow_double },
	{ TYPE(INT64), DTYPE_INT64, 8, widen_int64, narrow_int64 },
	{ TYPE(INT32), DTYPE_INT64, 4, widen_int32, narrow_int32 },
	{ TYPE(INT16), DTYPE_INT64, 2, widen_int16, narrow_int16 },
	{ TYPE(UINT16), DTYPE_INT64, 2, widen_uint16, narrow_uint16 },
	{ TYPE(INT8), DTYPE_INT64, 1, widen_int8, narrow_int8 },
	{ TYPE(UINT8), DTYPE_INT64, 1, widen_uint8, narrow_uint8 },
	{ TYPE(BOOL), DTYPE_INT64, 1, widen_uint8, narrow_uint8 },
};

static const struct element *element_of(int file_type)
{
	for (size_t i = 0; i < sizeof elements / sizeof *elements; i++)
		if (elements[i].file_type == file_type)
			return &elements[i];
	return NULL;
}

size_t tensor_element_size(int file_type)
{
	return element_of(file_type)->width;
}

void tensor_write_elements(const struct value *v, void *to)
{
	element_of(v->file_type)->narrow(v->data, (size_t)shape_count(&v->shape, 1), to);
}

/* ---- checks ---- */

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
		bool empty = d == 0 && t->n_dims == 1; /* "no axes", "no region of interest" */
		if (d < 1 && !empty)
			return err_set(e, ERR_INPUT, "tensor '%.200s': dimension %zu is %lld, expected at least 1",
				name, i, (long long)d);
		if (__builtin_mul_overflow(count, d, &count) || count > LARGEST_COUNT)
			return err_set(e, ERR_LIMIT, "tensor '%.200s': has more than 2^31 elements", name);
		ret->dim[i] = d;
	}
	*ret_count = count;
	return ERR_OK;
}

/* A weight that is not finite makes every comparison of results meaningless, and some kernels turn NaN into 0. The
 * search goes by blocks of a fixed length, which the compiler makes vectors of; the exponent of what is not finite is
 * all ones. */
static bool all_finite(const char *x, size_t n)
{
	enum { BLOCK = 1024 };
	const uint32_t exponent = 0x7f800000;
	uint32_t bits[BLOCK];
	for (size_t at = 0; at < n; at += BLOCK) {
		uint32_t bad = 0;
		size_t len = n - at < BLOCK ? n - at : BLOCK;
		memset(bits, 0, sizeof bits);
		memcpy(bits, x + at * sizeof *bits, len * sizeof *bits);
		for (int i = 0; i < BLOCK; i++)
			bad |= (bits[i] & exponent) == exponent;
		if (bad)
			return false;
	}
	return true;
}

static enum err check_finite(const struct value *v, int64_t count, const char *name, struct errinfo *e)
{
	if (v->dtype != DTYPE_FLOAT || all_finite(v->data, (size_t)count))
		return ERR_OK;
	const float *x = value_floats(v);
	for (int64_t i = 0; i < count; i++)
		if (!isfinite(x[i]))
			return err_set(e, ERR_INPUT, "tensor '%.200s': element %lld is %f, expected a finite number",
				name, (long long)i, (double)x[i]);
	return ERR_OK;
}

static enum err check_length(const char *name, size_t bytes, int64_t count, size_t width, struct errinfo *e)
{
	if (bytes == (size_t)count * width)
		return ERR_OK;
	return err_set(e, ERR_INPUT, "tensor '%.200s': has %zu bytes of data, its dimensions need %zu", name, bytes,
		(size_t)count * width);
}

/* ---- the elements ---- */

/* The message's list for this type: elements of `*ret_width` bytes. Small types stand in the list of int32. */
static const void *typed_list(
	const Onnx__TensorProto *t, const struct element *type, size_t *ret_n, const struct element **ret_as)
{
	*ret_as = type;
	if (type->file_type == TYPE(FLOAT)) {
		*ret_n = t->n_float_data;
		return t->float_data;
	}
	if (type->file_type == TYPE(DOUBLE)) {
		*ret_n = t->n_double_data;
		return t->double_data;
	}
	if (type->file_type == TYPE(INT64)) {
		*ret_n = t->n_int64_data;
		return t->int64_data;
	}
	*ret_as = element_of(TYPE(INT32));
	*ret_n = t->n_int32_data;
	return t->int32_data;
}

static enum err read_elements(const Onnx__TensorProto *t, const char *name, const struct file_bytes *file,
	struct arena *a, const struct element *type, int64_t count, void **ret, struct errinfo *e)
{
	size_t n = 0;
	const struct element *as = type;
	const void *from = t->has_raw_data ? NULL : typed_list(t, type, &n, &as);
	if (t->has_raw_data) {
		struct wire_raw raw = { 0 };
		if (t->raw_data.len == sizeof raw)
			memcpy(&raw, t->raw_data.data, sizeof raw);
		n = raw.len;
		from = file->data + raw.offset;
	}
	enum err err = check_length(name, t->has_raw_data ? n : n * as->width, count, as->width, e);
	if (err)
		return err;
	if (t->has_raw_data && type->file_type == TYPE(FLOAT) && n > LARGEST_COPY) {
		*ret = file->data + ((const unsigned char *)from - file->data);
		return ERR_OK;
	}
	void *data = arena_alloc(a, (size_t)count, dtype_size(type->dtype));
	if (!data)
		return err_set(e, ERR_MEMORY, "tensor '%.200s': out of memory", name);
	if (count)
		as->widen(from, (size_t)count, data);
	*ret = data;
	return ERR_OK;
}

enum err tensor_read(const Onnx__TensorProto *t, const char *name, const struct file_bytes *file, struct arena *a,
	struct value *ret, struct errinfo *e)
{
	struct value v = *ret;
	int64_t count = 0;
	const struct element *type = element_of(t->data_type);
	if (!type)
		return err_set(e, ERR_UNSUPPORTED,
			"tensor '%.200s': data type %d, only float (1), double (11), whole numbers (2 to 7) "
			"and "
			"bool (9) are supported",
			name, t->data_type);
	if (t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL || t->n_external_data)
		return err_set(e, ERR_UNSUPPORTED,
			"tensor '%.200s': its data lies outside the file, which is not supported", name);
	enum err err = read_dims(t, name, &v.shape, &count, e);
	if (err)
		return err;
	v.dtype = type->dtype;
	v.file_type = type->file_type;
	err = read_elements(t, name, file, a, type, count, &v.data, e);
	if (!err)
		err = check_finite(&v, count, name, e);
	if (!err)
		*ret = v;
	return err;
}
