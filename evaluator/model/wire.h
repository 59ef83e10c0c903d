/* wire.h -- a look at protobuf bytes before anything is built from them.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MODEL_WIRE_H
#define EVALUATOR_MODEL_WIRE_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "base/err.h"

/* Walks the bytes by the schema and refuses what the unpacker should never see: truncated fields, messages nested
 * deeper than ONNX needs (the unpacker recurses), and more than 2^23 messages, strings and byte fields (each costs far
 * more memory than its bytes). Allocates nothing. */
enum err wire_check(const ProtobufCMessageDescriptor *schema, const void *data, size_t len, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif
