/* tensor.h -- ONNX's TensorProto: checked and copied.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MODEL_TENSOR_H
#define EVALUATOR_MODEL_TENSOR_H

#include "base/arena.h"
#include "base/err.h"
#include "onnx.pb-c.h"

struct value;

/* Fills dtype, shape and data of ret from t: dimensions, their product, type and length of the data are checked before
 * memory is taken from the arena. Data may be raw (little-endian) or typed; data outside the file is ERR_UNSUPPORTED.
 * Errors name the tensor. */
enum err tensor_read(const Onnx__TensorProto *t, const char *name, struct arena *a, struct value *ret,
	struct errinfo *e) __attribute__((warn_unused_result));

#endif
