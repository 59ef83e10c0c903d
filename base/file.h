/* file.h -- whole files, read with a bound and written so that a reader never sees half of one.
 * SPDX-License-Identifier: MIT */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>

#include "base/err.h"

/* Reads all of path, at most `most` bytes (ERR_LIMIT beyond). A NUL follows the bytes; the caller frees. */
enum err file_read(const char *path, size_t most, char **ret, size_t *ret_len, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Writes to a temporary name in the same folder, syncs, renames: the old file or the whole new one. */
enum err file_write(const char *path, const void *data, size_t len, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Makes path and its parents, mode 0750; fine when it exists. */
enum err file_make_directory(const char *path, struct errinfo *e) __attribute__((warn_unused_result));

#endif
