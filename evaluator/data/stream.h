/* stream.h -- the bytes of a file from its beginning to its end: plain, gzip, or one member of a ZIP archive.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_DATA_STREAM_H
#define EVALUATOR_DATA_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Deflate makes at most 1032 bytes of one. */
enum { STREAM_MOST_EXPANSION = 1100 };

struct stream;

/* A regular file, gzip or not; `what` says in messages what was expected ("an IDX file"). */
enum err stream_open(const char *path, const char *what, struct stream **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
/* Member `member` of an archive. Its sum is checked when the last byte is taken. */
enum err stream_open_member(const char *path, const char *member, struct stream **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void stream_close(struct stream *s); /* accepts NULL */

/* The file, or "FILE: MEMBER". */
const char *stream_name(const struct stream *s);

/* How many bytes come in all; *ret_exact is false when that can't be known before (gzip), and then the number is what
 * is stored, of which at most STREAM_MOST_EXPANSION times as many can come. */
uint64_t stream_size(const struct stream *s, bool *ret_exact);

/* Takes the next n bytes, fewer at the end. */
enum err stream_take(struct stream *s, void *to, size_t n, size_t *ret_got, struct errinfo *e)
	__attribute__((warn_unused_result));

/* A regular file opened to be read. */
enum err stream_open_fd(const char *path, const char *what, int *ret, struct errinfo *e)
	__attribute__((warn_unused_result));
/* Exactly n bytes from offset `at` of a file that is known to reach so far. */
enum err stream_read_at(int fd, const char *path, uint64_t at, void *to, size_t n, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif
