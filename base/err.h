/* err.h -- the one way this project says that something went wrong.
 * SPDX-License-Identifier: MIT
 *
 * A function that can fail returns enum err; zero is success. The sentence for a person goes into the
 * struct errinfo of the caller, filled where the failure is known best. Codes of other libraries (errno,
 * SQLite, curl, libuv) are translated at the call and travel no further. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

enum err {
	ERR_OK = 0,
	ERR_INPUT,       /* what came from outside is wrong; the message names field, value and what was expected */
	ERR_NOT_FOUND,   /* there is no such job, trial, lease, blob or file */
	ERR_CONFLICT,    /* the object's state forbids it */
	ERR_GONE,        /* it existed and is over: a lease that was lost */
	ERR_LIMIT,       /* larger than what is allowed */
	ERR_UNSUPPORTED, /* valid, but not something we can do: an unknown operator */
	ERR_DENIED,      /* the token is missing or wrong */
	ERR_UNAVAILABLE, /* the peer is not there; trying again later may help */
	ERR_MEMORY,
	ERR_IO,
	ERR_INTERNAL,    /* our own fault */
};

struct errinfo {
	enum err code;
	char msg[640];
};

/* Fills e (may be NULL) and returns code, so that `return err_set(e, ...)` reads well. */
enum err err_set(struct errinfo *e, enum err code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set, for ERR_IO with errno's own sentence behind ": ". */
enum err err_errno(struct errinfo *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " before the message that e, which is not NULL, carries, and returns its code. */
enum err err_wrap(struct errinfo *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A short stable word for a code: "input", "not-found". */
const char *err_name(enum err code);

#endif
