/* npy.h -- an array as numpy.save and numpy.savez write it.
 * SPDX-License-Identifier: MIT
 *
 * "\x93NUMPY", a version, the length of a header, the header (a Python dictionary of descr, fortran_order and shape),
 * the elements. Integers and floats of numpy's usual widths are read, in C order. */
#ifndef EVALUATOR_DATA_NPY_H
#define EVALUATOR_DATA_NPY_H

#include "base/err.h"
#include "evaluator/data/array.h"

/* Opens an NPY file (gzip or plain), or array `key` of an NPZ archive when key is not NULL. ERR_INPUT for everything
 * that is not exactly such a file, ERR_LIMIT beyond 8 GiB. The caller closes the array. */
enum err npy_open(const char *path, const char *key, struct array *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif
