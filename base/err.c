/* err.c -- error codes and the sentence that goes with one.
 * SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* A message may quote what came from outside, and ends up on a terminal and in JSON: control characters become '?', and
 * bytes of no UTF-8 character, as where a name was cut, are left out. */
static void clean(char *s)
{
	char *to = s;
	for (size_t n; *s; s += n ? n : 1) {
		n = utf8_length(s);
		memmove(to, s, n);
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*to = '?';
		to += n;
	}
	*to = '\0';
}

enum err err_set(struct errinfo *e, enum err code, const char *fmt, ...)
{
	if (e) {
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(e->msg, sizeof e->msg, fmt, ap);
		va_end(ap);
		clean(e->msg);
		e->code = code;
	}
	return code;
}

enum err err_errno(struct errinfo *e, const char *fmt, ...)
{
	int saved = errno;
	if (e) {
		char what[512];
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(what, sizeof what, fmt, ap);
		va_end(ap);
		clean(what);
		snprintf(e->msg, sizeof e->msg, "%s: %s", what, strerror(saved));
		e->code = saved == ENOMEM ? ERR_MEMORY : saved == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	}
	return saved == ENOMEM ? ERR_MEMORY : saved == ENOENT ? ERR_NOT_FOUND : ERR_IO;
}

enum err err_wrap(struct errinfo *e, const char *fmt, ...)
{
	if (!e)
		return ERR_INTERNAL;
	char whole[2 * sizeof e->msg];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(whole, sizeof e->msg, fmt, ap);
	va_end(ap);
	size_t used = n < 0 ? 0 : (size_t)n < sizeof e->msg ? (size_t)n : sizeof e->msg - 1;
	snprintf(whole + used, sizeof whole - used, ": %s", e->msg);
	memcpy(e->msg, whole, sizeof e->msg - 1);
	e->msg[sizeof e->msg - 1] = '\0';
	clean(e->msg);
	return e->code;
}

const char *err_name(enum err code)
{
	static const char *const names[] = {
		[ERR_OK] = "ok",
		[ERR_INPUT] = "input",
		[ERR_NOT_FOUND] = "not-found",
		[ERR_CONFLICT] = "conflict",
		[ERR_GONE] = "gone",
		[ERR_LIMIT] = "limit",
		[ERR_UNSUPPORTED] = "unsupported",
		[ERR_DENIED] = "denied",
		[ERR_UNAVAILABLE] = "unavailable",
		[ERR_MEMORY] = "memory",
		[ERR_IO] = "io",
		[ERR_INTERNAL] = "internal",
	};
	return (unsigned)code < sizeof names / sizeof *names ? names[code] : "unknown";
}
