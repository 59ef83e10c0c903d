/* seen.c -- the set of candidates that were proposed before.
 * SPDX-License-Identifier: MIT */
#include "search/seen.h"

#include <stdlib.h>

/* A multiply-xorshift mix a channel count; never 0, which marks an empty slot. */
static uint64_t hash(const int *keep, int n)
{
	uint64_t h = 0x2545f4914f6cdd1du;
	for (int i = 0; i < n; i++) {
		h = (h ^ (uint64_t)keep[i]) * 0xd6e8feb86659fd93u;
		h ^= h >> 32;
	}
	return h ? h : 1;
}

static uint64_t *find(uint64_t *slots, size_t size, uint64_t h)
{
	size_t at = h & (size - 1);
	while (slots[at] && slots[at] != h)
		at = (at + 1) & (size - 1);
	return &slots[at];
}

void seen_fini(struct seen *s)
{
	free(s->slots);
	*s = (struct seen){ 0 };
}

bool seen_has(const struct seen *s, const int *keep, int n)
{
	return s->size && *find(s->slots, s->size, hash(keep, n));
}

static enum err grow(struct seen *s, struct errinfo *e)
{
	size_t size = s->size ? 2 * s->size : 256;
	uint64_t *slots = calloc(size, sizeof *slots);
	if (!slots)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < s->size; i++)
		if (s->slots[i])
			*find(slots, size, s->slots[i]) = s->slots[i];
	free(s->slots);
	s->slots = slots;
	s->size = size;
	return ERR_OK;
}

enum err seen_add(struct seen *s, const int *keep, int n, struct errinfo *e)
{
	if (2 * (s->count + 1) > s->size) {
		enum err err = grow(s, e);
		if (err)
			return err;
	}
	uint64_t h = hash(keep, n);
	uint64_t *slot = find(s->slots, s->size, h);
	s->count += *slot == 0;
	*slot = h;
	return ERR_OK;
}
