/* blob.h -- immutable files named by their SHA-256: models and data.
 * SPDX-License-Identifier: MIT
 *
 * Bytes live in directory/blobs/ab/abcdef...; a blob counts as stored when its row is committed. Written to a temporary
 * name, digested on the way, synced, renamed: never half a blob under its name. Temporary files left by a crash are
 * removed by store_open. */
#ifndef STORE_BLOB_H
#define STORE_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct blob_writer;

/* digest is what the sender promises; limit is the most bytes accepted. */
enum err blob_begin(struct store *s, const char *digest, int64_t limit, struct blob_writer **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
enum err blob_write(struct blob_writer *w, const void *data, size_t len, struct errinfo *e)
	__attribute__((warn_unused_result)); /* ERR_LIMIT */
/* Checks the digest (ERR_INPUT when it differs) and keeps the blob; frees w in any case. *ret_new is false when it was
 * known. */
enum err blob_finish(struct blob_writer *w, int64_t now, bool *ret_new, struct errinfo *e)
	__attribute__((warn_unused_result));
void blob_abort(struct blob_writer *w); /* accepts NULL */

/* Makes directory/blobs/ and removes what writers of a killed process left there; store_open does it. */
enum err blob_prepare(const char *directory, struct errinfo *e) __attribute__((warn_unused_result));

enum err blob_exists(struct store *s, const char *digest, bool *ret, struct errinfo *e)
	__attribute__((warn_unused_result));
/* A descriptor for reading, which the caller closes, and the size. ERR_NOT_FOUND; ERR_IO naming the file when the row
 * is there but the file is not. */
enum err blob_open(struct store *s, const char *digest, int *ret_fd, int64_t *ret_size, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif
