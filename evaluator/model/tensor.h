/* tensor.h -- ONNX's TensorProto: checked, and its elements brought into memory's two types.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MODEL_TENSOR_H
#define EVALUATOR_MODEL_TENSOR_H

#include "base/arena.h"
#include "base/err.h"
#include "onnx.pb-c.h"

struct value;

/* The bytes that a message was stripped from (model/wire.h). Large tensors of floats stay where they are: their elements
 * are moved by up to three bytes, over the field's tag, so that they are aligned. */
struct tensor_file {
	unsigned char *bytes;
	size_t len;
};

/* Fills dtype, file_type, shape and data of ret from t: dimensions, their product, type and length of the data are checked
 * before memory is taken from the arena. float and double become floats, whole numbers and bool 64-bit integers; of
 * floats each must be finite. Data may be raw (little-endian) or typed; data outside the file is ERR_UNSUPPORTED. Errors
 * name the tensor. */
enum err tensor_read(const Onnx__TensorProto *t, const char *name, const struct tensor_file *file, struct arena *a,
	struct value *ret, struct errinfo *e) __attribute__((warn_unused_result));

/* What an element of value v, of that file_type, is in a file: for the writer. Elements of raw data, and bytes. */
size_t tensor_element_size(int file_type);
void tensor_write_elements(const struct value *v, void *to);

#endif
