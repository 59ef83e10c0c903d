/* digest.h -- SHA-256, the name of a blob (libcrypto's).
 * SPDX-License-Identifier: MIT */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { DIGEST_HEX = 64 };

struct digest; /* a digest under way */

struct digest *digest_new(void); /* NULL when memory is out */
void digest_free(struct digest *d);
void digest_update(struct digest *d, const void *data, size_t len);
/* Writes 64 lower-case hexadecimal digits and a NUL; d can only be freed after. */
void digest_final(struct digest *d, char ret_hex[DIGEST_HEX + 1]);

/* The digest of len bytes at once, and of a whole file. */
enum err digest_bytes(const void *data, size_t len, char ret_hex[DIGEST_HEX + 1], struct errinfo *e);
enum err digest_file(const char *path, char ret_hex[DIGEST_HEX + 1], struct errinfo *e);

/* Exactly 64 lower-case hexadecimal digits. */
bool digest_valid(const char *hex);

#endif
