/* onnx.h -- ONNX files in and out (protobuf-c, schema from libonnx-dev).
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MODEL_ONNX_H
#define EVALUATOR_MODEL_ONNX_H

#include <stddef.h>

#include "base/err.h"

struct graph;

/* Reads, checks and infers shapes. Opset 11 to 13. The file is hostile until checked: every count, length, dimension
 * and reference; errors name the node or tensor. ERR_INPUT: not a sound model; ERR_UNSUPPORTED: an operator, type or
 * form that isn't known, by name. The caller graph_frees. */
enum err onnx_read(const char *path, struct graph **ret, struct errinfo *e) __attribute__((warn_unused_result));
enum err onnx_read_bytes(const void *data, size_t len, struct graph **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Writes g as a model of its own opset: the whole file or none. */
enum err onnx_write(const struct graph *g, const char *path, struct errinfo *e) __attribute__((warn_unused_result));

#endif
