/* forms.h -- a model file taken apart into ONNX's own messages, for a test to change.
 * SPDX-License-Identifier: MIT
 *
 * Everything lives in one arena, what was unpacked and what a test adds: a change is an assignment, and nothing is
 * freed by itself. */
#ifndef TESTS_EVALUATOR_FORMS_H
#define TESTS_EVALUATOR_FORMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "onnx.pb-c.h"

struct graph;

struct form {
	struct arena *arena;
	Onnx__ModelProto *model;
	Onnx__GraphProto *graph; /* the model's */
};

/* The path is relative to the repository, where tests run. */
struct form form_open(const char *path);
void form_close(struct form *f);

/* The model as a file's bytes, in the form's arena. */
const uint8_t *form_pack(const struct form *f, size_t *ret_len);

/* What onnx_read_bytes makes of it. The bytes lie in an allocation of exactly their size. */
enum err form_read(const struct form *f, struct graph **ret, struct errinfo *e);

/* Claims that reading it fails with this code and a message that has both words in it. For ERR_UNSUPPORTED a node that
 * is opaque will do, when `place` is in its name and `what` in its reason. */
void form_refused(const struct form *f, enum err code, const char *place, const char *what);

/* Finding: these fail the test rather than answer NULL. Nodes are counted by operator from 0. */
Onnx__NodeProto *form_node(const struct form *f, const char *op, int which);
Onnx__TensorProto *form_tensor(const struct form *f, const char *name);
Onnx__AttributeProto *form_attribute(const Onnx__NodeProto *n, const char *name);

/* Building. */
char *form_text(const struct form *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
char **form_names(const struct form *f, size_t count, ...);
Onnx__NodeProto *form_new_node(const struct form *f, const char *op, char *input, char *output);
Onnx__AttributeProto *form_add_attribute(
	const struct form *f, Onnx__NodeProto *n, const char *name, Onnx__AttributeProto__AttributeType type);

/* Puts n before the node at `at`, or behind all. */
void form_insert(const struct form *f, size_t at, Onnx__NodeProto *n);
void form_drop_attribute(Onnx__NodeProto *n, const char *name);

/* A tensor's numbers; the tensors of the samples are raw floats. */
float *form_floats(const Onnx__TensorProto *t, size_t *ret_count);

#endif
