/* names.c -- which value a name stands for while a model is read: open addressing, FNV-1a over the whole name.
 * SPDX-License-Identifier: MIT
 *
 * A power of two of slots, at most half of which are taken: a search ends at the name or at an empty slot. */
#include "evaluator/model/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	const char *name; /* NULL: empty */
	uint64_t hash;
	int value;
};

struct names {
	struct slot *slots;
	size_t slot_count, count, most;
};

struct names *names_new(size_t most)
{
	struct names *n = calloc(1, sizeof *n);
	size_t slots = 16;
	while (slots / 2 < most && slots <= SIZE_MAX / 2)
		slots *= 2;
	if (!n || !(n->slots = calloc(slots, sizeof *n->slots))) {
		free(n);
		return NULL;
	}
	n->slot_count = slots;
	n->most = most;
	return n;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	free(n->slots);
	free(n);
}

/* Fowler, Noll and Vo's hash, 64 bits. */
static uint64_t hash_of(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
	return hash;
}

/* Where the name is, or would be. */
static struct slot *slot_of(const struct names *n, const char *name, uint64_t hash)
{
	size_t at = hash & (n->slot_count - 1);
	while (n->slots[at].name && (n->slots[at].hash != hash || strcmp(n->slots[at].name, name) != 0))
		at = (at + 1) & (n->slot_count - 1);
	return &n->slots[at];
}

int names_find(struct names *n, const char *name)
{
	const struct slot *s = slot_of(n, name, hash_of(name));
	return s->name ? s->value : -1;
}

bool names_add(struct names *n, const char *name, int value)
{
	uint64_t hash = hash_of(name);
	struct slot *s = slot_of(n, name, hash);
	if (s->name || n->count == n->most)
		return false;
	*s = (struct slot){ name, hash, value };
	n->count++;
	return true;
}
