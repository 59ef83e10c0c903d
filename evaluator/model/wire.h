/* wire.h -- protobuf bytes looked at before anything is built from them, and freed of their weight.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MODEL_WIRE_H
#define EVALUATOR_MODEL_WIRE_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Where a tensor's raw data lie in the file: what stands in their place in the stripped message. */
struct wire_raw {
	uint64_t offset, len;
};

/* Walks the bytes by the schema and refuses what the unpacker should never see: truncated fields, messages nested
 * deeper than ONNX needs (the unpacker recurses), and more than 2^23 fields fields (each costs far
 * more memory than its bytes). What is sound is copied to *ret, malloc'ed, but each byte field `raw_field` of a message
 * of type `raw_in` becomes a struct wire_raw: the unpacker copies bytes, and the weights are nearly all of a model. */
enum err wire_strip(const ProtobufCMessageDescriptor *schema, const ProtobufCMessageDescriptor *raw_in,
	unsigned raw_field, const void *data, size_t len, uint8_t **ret, size_t *ret_len, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif
