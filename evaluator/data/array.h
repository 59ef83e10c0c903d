/* array.h -- an n-dimensional array in a file, whatever the format: first its shape, then its elements.
 * SPDX-License-Identifier: MIT
 *
 * A header of a few bytes can claim any number of elements. array_claim holds the claim against what the file can
 * contain; behind it a->bytes is safe to allocate. */
#ifndef EVALUATOR_DATA_ARRAY_H
#define EVALUATOR_DATA_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "evaluator/data/stream.h"

enum { ARRAY_MAX_DIMENSIONS = 4 };

enum array_kind { ARRAY_UNSIGNED, ARRAY_SIGNED, ARRAY_FLOAT };

struct array {
	struct stream *stream;
	enum array_kind kind;
	int width;       /* bytes of an element: 1, 2, 4, 8 */
	bool big_endian;
	int ndims;
	size_t dims[ARRAY_MAX_DIMENSIONS]; /* each at least 1 */
	size_t bytes;                      /* of all elements */
	size_t taken;
};

/* Computes a->bytes, and checks it against a limit of 8 GiB and the stream, of which `header` bytes were taken. */
enum err array_claim(struct array *a, uint64_t header, struct errinfo *e) __attribute__((warn_unused_result));

/* The next n bytes of elements; when they are the last ones, the file must end behind them. */
enum err array_take(struct array *a, void *to, size_t n, struct errinfo *e) __attribute__((warn_unused_result));

/* "60000 x 28 x 28" */
const char *array_shape(const struct array *a, char buf[96]);
/* "uint8", "float32" */
const char *array_type(const struct array *a, char buf[16]);

void array_close(struct array *a);

#endif
