/* format.h -- numbers and texts as people read them.
 * SPDX-License-Identifier: MIT
 *
 * Each writes at most FORMAT_MAX bytes, terminated, and returns buf. A value that is not finite is "-". */
#ifndef CLIENT_FORMAT_H
#define CLIENT_FORMAT_H

#include <stddef.h>

enum { FORMAT_MAX = 32 };

const char *format_count(double x, char buf[FORMAT_MAX]);         /* 298.4k, 1.11M */
const char *format_bytes(double x, char buf[FORMAT_MAX]);         /* 344.1 kB */
const char *format_fraction(double x, char buf[FORMAT_MAX]);      /* 0.9512 */
const char *format_ratio(double x, char buf[FORMAT_MAX]);         /* 0.46 */
const char *format_percent(double fraction, char buf[FORMAT_MAX]); /* 68.4% */
const char *format_duration(double seconds, char buf[FORMAT_MAX]); /* 38 ms, 9.9s, 3m 20s */
const char *format_time(double ms, char buf[FORMAT_MAX]);         /* ms since 1970, in local time: 2025-11-21 21:45 */

/* A metric by the name it has in the protocol ("params", "latency"). */
const char *format_metric(const char *metric, double x, char buf[FORMAT_MAX]);

/* Copies UTF-8 text without what could steer a terminal: control characters (C0, DEL, C1), changes of writing direction
 * and bytes that are no UTF-8 become '?'; a line break or tab becomes a space. Cuts between characters when size is too
 * small. NULL copies as "-". */
const char *format_clean(const char *text, char *buf, size_t size);

/* Columns that clean UTF-8 text takes on a terminal. */
int format_width(const char *text);

/* Bytes of the longest beginning of clean UTF-8 text that takes at most `columns`. */
size_t format_fit(const char *text, int columns);

#endif
