/* utf8.h -- text from outside.
 * SPDX-License-Identifier: MIT */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the UTF-8 character at s, which ends with a NUL somewhere; 0: it is none. */
size_t utf8_length(const char *s);

/* Whether s is UTF-8 without control characters: fit for a terminal, a log and JSON. */
bool utf8_printable(const char *s);

#endif
