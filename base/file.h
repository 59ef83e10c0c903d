/* file.h -- whole files, read with a bound and written so that a reader never sees half of one.
 * SPDX-License-Identifier: MIT */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Reads all of path, at most `most` bytes (ERR_LIMIT beyond). A NUL follows the bytes; the caller frees. */
enum err file_read(const char *path, size_t most, char **ret, size_t *ret_len, struct errinfo *e)
	__attribute__((warn_unused_result));

/* A whole file in memory that may be written to without changing the file. Large ones are mapped, not read: what nobody
 * looks at costs nothing, and the page cache is not copied. (Such a file must not be cut short while it is used, as
 * every mapping.) */
struct file_bytes {
	unsigned char *data;
	size_t len;
	bool mapped;
};
enum err file_bytes_open(const char *path, size_t most, struct file_bytes *ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void file_bytes_close(struct file_bytes *b); /* accepts zeroes */

/* The file that a writer to path replaces: path, or where a link that stands there leads. ERR_INPUT when that is
 * something else than a regular file, a device or a FIFO, which a rename would destroy. */
enum err file_target(const char *path, char ret[PATH_MAX], struct errinfo *e) __attribute__((warn_unused_result));

/* Writes to a temporary name beside the file's target, syncs, renames: the old file or the whole new one. */
enum err file_write(const char *path, const void *data, size_t len, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Makes path and its parents, mode 0750; fine when it exists. */
enum err file_make_directory(const char *path, struct errinfo *e) __attribute__((warn_unused_result));

#endif
