/* idx.h -- an IDX file of unsigned bytes, the format of MNIST and its kin.
 * SPDX-License-Identifier: MIT
 *
 * Big-endian: 0x00 0x00 TYPE NDIMS, then NDIMS sizes of 32 bits, then the elements, the last dimension
 * moving fastest. TYPE 0x08 is the unsigned byte, the only one that image sets use. */
#ifndef EVALUATOR_DATA_IDX_H
#define EVALUATOR_DATA_IDX_H

#include "base/err.h"
#include "evaluator/data/array.h"

/* Opens a file, gzip or plain, that has `least` to `most` dimensions. `what` says in errors what the file should hold
 * ("images"). ERR_INPUT for everything that is not exactly such a file, ERR_LIMIT beyond 8 GiB. The caller closes the
 * array. */
enum err idx_open(const char *path, const char *what, int least, int most, struct array *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif
