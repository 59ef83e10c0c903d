/* idx.h -- one IDX file of unsigned bytes, the format of MNIST and its kin.
 * SPDX-License-Identifier: MIT
 *
 * Big-endian: 0x00 0x00 TYPE NDIMS, then NDIMS sizes of 32 bits, then the elements, the last dimension
 * moving fastest. TYPE 0x08 is the unsigned byte, the only one that image sets use. */
#ifndef EVALUATOR_DATA_IDX_H
#define EVALUATOR_DATA_IDX_H

#include <stddef.h>

#include "base/err.h"

enum { IDX_MAX_DIMENSIONS = 4 };

struct idx {
	int ndims;
	size_t dims[IDX_MAX_DIMENSIONS]; /* each at least 1 */
	size_t bytes;                    /* their product */
	unsigned char *data;
};

/* Reads a file, gzip or plain, that has `least` to `most` dimensions. `what` says in errors what the file should
 * hold ("images"). ERR_INPUT for everything that is not exactly such a file, ERR_LIMIT beyond 8 GiB. */
enum err idx_read(const char *path, const char *what, int least, int most, struct idx *ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void idx_fini(struct idx *x);

#endif
