/* tensor.h -- ONNX's TensorProto: checked, and its elements brought into memory's two types.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MODEL_TENSOR_H
#define EVALUATOR_MODEL_TENSOR_H

#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"
#include "onnx.pb-c.h"

struct value;

/* Fills dtype, file_type, shape and data of ret from t, which was stripped of its raw data (model/wire.h), and the
 * bytes of the file, which large tensors of floats stay in (value_floats): dimensions, their product, type and length
 * of the data are checked before memory is taken from the arena. float and double become floats, whole numbers and bool
 * 64-bit integers; of floats each must be finite. Data may be raw (little-endian) or typed; data outside the file is
 * ERR_UNSUPPORTED. Errors name the tensor. */
enum err tensor_read(const Onnx__TensorProto *t, const char *name, const struct file_bytes *file, struct arena *a,
	struct value *ret, struct errinfo *e) __attribute__((warn_unused_result));

/* What an element of value v, of that file_type, is in a file: for the writer. Elements of raw data, and bytes. */
size_t tensor_element_size(int file_type);
void tensor_write_elements(const struct value *v, void *to);

#endif
