/* union_find.c -- elements that turn out to be the same channel.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune/union_find.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each takes up to a hundred bytes while groups are found. */
enum { MOST_ELEMENTS = 1 << 25 };

static void no_memory(struct union_find *u)
{
	u->err = err_set(u->e, ERR_MEMORY, "out of memory for channel groups");
}

void union_find_init(struct union_find *u, const struct graph *g, struct arena *a, struct errinfo *e)
{
	*u = (struct union_find){ .g = g, .arena = a, .e = e };
	u->axis_of = arena_alloc(a, (size_t)g->value_count, sizeof *u->axis_of);
	if (u->axis_of)
		memset(u->axis_of, -1, (size_t)g->value_count * sizeof *u->axis_of);
	else
		no_memory(u);
}

void union_find_fini(struct union_find *u)
{
	free(u->axes);
	free(u->parent);
	free(u->frozen);
	free(u->computed);
}

static bool grow_axes(struct union_find *u)
{
	if (u->axis_count < u->axis_room)
		return true;
	int room = u->axis_room ? 2 * u->axis_room : 256;
	struct axis *grown = reallocarray(u->axes, (size_t)room, sizeof *grown);
	if (!grown)
		return false;
	u->axes = grown;
	u->axis_room = room;
	return true;
}

static bool grow_elements(struct union_find *u, int64_t need)
{
	if (need <= u->element_room)
		return true;
	size_t room = 2 * (size_t)need;
	int *parent = reallocarray(u->parent, room, sizeof *parent);
	if (parent)
		u->parent = parent;
	const char **frozen = reallocarray(u->frozen, room, sizeof *frozen);
	if (frozen)
		u->frozen = frozen;
	bool *computed = reallocarray(u->computed, room, sizeof *computed);
	if (computed)
		u->computed = computed;
	if (!parent || !frozen || !computed)
		return false;
	u->element_room = (int)room;
	return true;
}

struct span union_find_helpers(struct union_find *u, int64_t n)
{
	struct span none = { 0, 0 };
	if (u->err)
		return none;
	if (n > MOST_ELEMENTS - u->element_count) {
		u->err = err_set(u->e, ERR_LIMIT, "the network's dimensions add up to more than %d elements",
			MOST_ELEMENTS);
		return none;
	}
	if (!grow_elements(u, u->element_count + n)) {
		no_memory(u);
		return none;
	}
	struct span s = { u->element_count, (int)n };
	for (int i = s.first; i < s.first + s.n; i++) {
		u->parent[i] = i;
		u->frozen[i] = NULL;
		u->computed[i] = false;
	}
	u->element_count += s.n;
	return s;
}

struct span union_find_span(struct union_find *u, int value, int dim)
{
	struct span none = { 0, 0 };
	const struct shape *shape = &u->g->values[value].shape;
	if (u->err || dim >= shape->rank)
		return none;
	int *index = &u->axis_of[value][dim];
	if (*index >= 0)
		return (struct span){ u->axes[*index].first, u->axes[*index].n };
	struct span s = union_find_helpers(u, dim_size(shape->dim[dim], 1));
	if (u->err)
		return none;
	if (!grow_axes(u)) {
		no_memory(u);
		return none;
	}
	*index = u->axis_count++;
	u->axes[*index] = (struct axis){ .value = value, .dim = dim, .first = s.first, .n = s.n };
	return s;
}

int union_find_root(struct union_find *u, int element)
{
	while (u->parent[element] != element) {
		u->parent[element] = u->parent[u->parent[element]]; /* path halving */
		element = u->parent[element];
	}
	return element;
}

void union_find_join(struct union_find *u, int a, int b)
{
	if (u->err)
		return;
	a = union_find_root(u, a);
	b = union_find_root(u, b);
	if (a == b)
		return;
	int low = a < b ? a : b, high = a < b ? b : a;
	u->parent[high] = low;
	u->computed[low] = u->computed[low] || u->computed[high];
	if (!u->frozen[low])
		u->frozen[low] = u->frozen[high];
}

void union_find_tie(struct union_find *u, struct span a, struct span b)
{
	for (int i = 0; i < a.n && i < b.n; i++)
		union_find_join(u, a.first + i, b.first + i);
}

void union_find_tie_dims(struct union_find *u, int value_a, int dim_a, int value_b, int dim_b)
{
	struct span a = union_find_span(u, value_a, dim_a);
	union_find_tie(u, a, union_find_span(u, value_b, dim_b));
}

void union_find_tie_all(struct union_find *u, int value_a, int value_b)
{
	for (int dim = 0; dim < u->g->values[value_a].shape.rank; dim++)
		union_find_tie_dims(u, value_a, dim, value_b, dim);
}

void union_find_freeze(struct union_find *u, struct span s, const char *reason)
{
	for (int i = 0; i < s.n && !u->err; i++) {
		int root = union_find_root(u, s.first + i);
		if (!u->frozen[root])
			u->frozen[root] = reason;
	}
}

void union_find_freeze_dim(struct union_find *u, int value, int dim, const char *reason)
{
	union_find_freeze(u, union_find_span(u, value, dim), reason);
}

void union_find_freeze_all(struct union_find *u, int value, const char *reason)
{
	for (int dim = 0; dim < u->g->values[value].shape.rank; dim++)
		union_find_freeze_dim(u, value, dim, reason);
}

void union_find_compute(struct union_find *u, struct span s)
{
	for (int i = 0; i < s.n && !u->err; i++)
		u->computed[union_find_root(u, s.first + i)] = true;
}

const char *union_find_reason(struct union_find *u, const char *format, ...)
{
	char reason[640];
	va_list args;
	va_start(args, format);
	vsnprintf(reason, sizeof reason, format, args);
	va_end(args);
	const char *kept = arena_strdup(u->arena, reason);
	if (!kept && !u->err)
		no_memory(u);
	return kept ? kept : "";
}
