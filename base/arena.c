/* arena.c -- memory that is freed in one call.
 * SPDX-License-Identifier: MIT
 *
 * A list of blocks, each twice as large as the one before (up to a bound) or as large as the request. A
 * mark is (blocks in use, bytes used of the last). Without ASan a reset keeps the blocks behind the mark
 * for reuse; with ASan a block is one allocation and a reset frees it. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ONE_BLOCK_EACH 1
#else
#define ONE_BLOCK_EACH 0
#endif

enum { ALIGN = 64, FIRST_BLOCK = 64 * 1024, LARGEST_STEP = 16 * 1024 * 1024 };

struct block {
	unsigned char *base;
	size_t size, used;
};

struct arena {
	struct block *blocks;
	size_t count;    /* blocks in use: allocation goes to blocks[count - 1] */
	size_t kept;     /* blocks owned, those behind count are empty and reused */
	size_t capacity;
};

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->kept; i++)
		free(a->blocks[i].base);
	free(a->blocks);
	free(a);
}

static int block_add(struct arena *a, size_t need)
{
	if (a->kept == a->capacity) {
		size_t capacity = a->capacity ? 2 * a->capacity : 16;
		struct block *grown = realloc(a->blocks, capacity * sizeof *grown);
		if (!grown)
			return -1;
		a->blocks = grown;
		a->capacity = capacity;
	}
	size_t size = need;
	if (!ONE_BLOCK_EACH) {
		size_t step = a->kept ? 2 * a->blocks[a->kept - 1].size : FIRST_BLOCK;
		if (step > LARGEST_STEP)
			step = LARGEST_STEP;
		if (step > size)
			size = step;
	}
	void *base;
	if (posix_memalign(&base, ALIGN, size))
		return -1;
	/* The new block goes where allocation continues; an empty kept one that was too small moves back. */
	struct block fresh = { .base = base, .size = size };
	memmove(a->blocks + a->count + 1, a->blocks + a->count, (a->kept - a->count) * sizeof fresh);
	a->blocks[a->count] = fresh;
	a->kept++;
	a->count++;
	return 0;
}

static struct block *block_with_room(struct arena *a, size_t need)
{
	if (!ONE_BLOCK_EACH && a->count) {
		struct block *b = &a->blocks[a->count - 1];
		if (b->size - b->used >= need)
			return b;
	}
	if (a->count < a->kept && a->blocks[a->count].size >= need)
		return &a->blocks[a->count++];
	return block_add(a, need) ? NULL : &a->blocks[a->count - 1];
}

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX - ALIGN)
		return NULL;
	size_t need = bytes + (bytes == 0);
	if (!ONE_BLOCK_EACH)
		need = (need + ALIGN - 1) / ALIGN * ALIGN;
	struct block *b = block_with_room(a, need);
	if (!b)
		return NULL;
	void *p = b->base + b->used;
	b->used += need;
	return memset(p, 0, need);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *copy = arena_alloc(a, n + 1, 1);
	if (copy)
		memcpy(copy, s, n);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

struct arena_mark arena_mark(const struct arena *a)
{
	return (struct arena_mark){ a->count, a->count ? a->blocks[a->count - 1].used : 0 };
}

void arena_reset(struct arena *a, struct arena_mark m)
{
	for (size_t i = m.block; i < a->count; i++)
		a->blocks[i].used = 0;
	if (m.block)
		a->blocks[m.block - 1].used = m.used;
	a->count = m.block;
	if (!ONE_BLOCK_EACH)
		return;
	while (a->kept > a->count)
		free(a->blocks[--a->kept].base);
}

size_t arena_used(const struct arena *a)
{
	size_t sum = 0;
	for (size_t i = 0; i < a->count; i++)
		sum += a->blocks[i].used;
	return sum;
}
