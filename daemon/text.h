/* text.h -- JSON text being written.
 * SPDX-License-Identifier: MIT
 *
 * A growing buffer that puts the commas and remembers a failed allocation, so that a document is written without a
 * check on every line and without a tree of nodes: a list of a million trials costs its own length. */
#ifndef DAEMON_TEXT_H
#define DAEMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct text {
	char *data;
	size_t len, capacity;
	bool failed, comma;
};

void text_init(struct text *t);
void text_fini(struct text *t);

/* One of { [ and its counterpart. */
void text_open(struct text *t, char bracket);
void text_close(struct text *t, char bracket);
void text_key(struct text *t, const char *key);

/* Values; NULL and what is not finite become null. A number is written so that it reads back as the same double. */
void text_string(struct text *t, const char *s);
void text_number(struct text *t, double x);
void text_int(struct text *t, int64_t x);
void text_bool(struct text *t, bool x);
void text_json(struct text *t, const char *json); /* NULL: null */

/* "key": value */
void text_put_string(struct text *t, const char *key, const char *s);
void text_put_number(struct text *t, const char *key, double x);
void text_put_int(struct text *t, const char *key, int64_t x);
void text_put_bool(struct text *t, const char *key, bool x);
void text_put_json(struct text *t, const char *key, const char *json);

/* Bytes as they are, outside the rules above. */
void text_raw(struct text *t, const char *bytes, size_t len);

/* Hands over the finished, terminated text, which the caller frees; t is as after text_init. */
enum err text_take(struct text *t, char **ret, size_t *ret_len, struct errinfo *e) __attribute__((warn_unused_result));

#endif
