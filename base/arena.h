/* arena.h -- memory that is freed in one call.
 * SPDX-License-Identifier: MIT
 *
 * For everything that lives as long as one trial or one batch. Allocation is a pointer moving through
 * blocks; arena_reset drops all that came after a mark and keeps the blocks for the next batch. Built
 * with AddressSanitizer every allocation is a malloc of its own, so that overruns are seen. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena_mark {
	size_t block, used;
};

/* NULL when there is no memory. */
struct arena *arena_new(void);
void arena_free(struct arena *a);

/* count * size bytes, zeroed, 64-byte aligned; NULL when the product overflows or memory is out.
 * Zero bytes give a valid pointer. */
void *arena_alloc(struct arena *a, size_t count, size_t size) __attribute__((alloc_size(2, 3)));

/* A copy of s, or of its first n bytes, terminated; NULL when memory is out. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);

struct arena_mark arena_mark(const struct arena *a);
void arena_reset(struct arena *a, struct arena_mark m);

/* Bytes handed out and not reset. */
size_t arena_used(const struct arena *a);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), 1, sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_alloc((a), (n), sizeof(type)))

#endif
