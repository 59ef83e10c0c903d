/* union_find.c -- elements that turn out to be the same channel.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune/union_find.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static enum err no_memory(struct union_find *u)
{
	return err_set(u->e, ERR_MEMORY, "out of memory for channel groups");
}

enum err union_find_init(struct union_find *u, const struct graph *g, struct arena *a, struct errinfo *e)
{
	*u = (struct union_find){ .g = g, .arena = a, .e = e };
	u->axis_of = arena_alloc(a, (size_t)g->value_count, sizeof *u->axis_of);
	if (!u->axis_of)
		return no_memory(u);
	memset(u->axis_of, -1, (size_t)g->value_count * sizeof *u->axis_of);
	return ERR_OK;
}

void union_find_fini(struct union_find *u)
{
	free(u->axes);
	free(u->parent);
	free(u->frozen);
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
	if (need > INT_MAX / 2)
		return false;
	int room = (int)(2 * need);
	int *parent = reallocarray(u->parent, (size_t)room, sizeof *parent);
	if (parent)
		u->parent = parent;
	const char **frozen = reallocarray(u->frozen, (size_t)room, sizeof *frozen);
	if (frozen)
		u->frozen = frozen;
	if (!parent || !frozen)
		return false;
	u->element_room = room;
	return true;
}

/* The axis of a dimension, tracked from now on. */
static enum err track(struct union_find *u, int value, int dim, struct axis *ret)
{
	int *index = &u->axis_of[value][dim];
	if (*index < 0) {
		int64_t n = u->g->values[value].shape.dim[dim];
		if (!grow_axes(u) || !grow_elements(u, u->element_count + n))
			return no_memory(u);
		*index = u->axis_count++;
		u->axes[*index] = (struct axis){ value, dim, u->element_count, (int)n };
		for (int i = u->element_count; i < u->element_count + (int)n; i++) {
			u->parent[i] = i;
			u->frozen[i] = NULL;
		}
		u->element_count += (int)n;
	}
	*ret = u->axes[*index];
	return ERR_OK;
}

int union_find_root(struct union_find *u, int element)
{
	while (u->parent[element] != element) {
		u->parent[element] = u->parent[u->parent[element]]; /* path halving */
		element = u->parent[element];
	}
	return element;
}

static void join(struct union_find *u, int a, int b)
{
	a = union_find_root(u, a);
	b = union_find_root(u, b);
	if (a == b)
		return;
	int low = a < b ? a : b, high = a < b ? b : a;
	u->parent[high] = low;
	if (!u->frozen[low])
		u->frozen[low] = u->frozen[high];
}

enum err union_find_tie_spread(struct union_find *u, int value_a, int dim_a, int value_b, int dim_b, int64_t times)
{
	struct axis a, b;
	enum err err = track(u, value_a, dim_a, &a);
	if (!err)
		err = track(u, value_b, dim_b, &b);
	if (err)
		return err;
	for (int i = 0; i < b.n; i++)
		join(u, a.first + (int)(i / times), b.first + i);
	return ERR_OK;
}

enum err union_find_tie(struct union_find *u, int value_a, int dim_a, int value_b, int dim_b)
{
	return union_find_tie_spread(u, value_a, dim_a, value_b, dim_b, 1);
}

enum err union_find_freeze(struct union_find *u, int value, int dim, const char *reason)
{
	struct axis a;
	enum err err = track(u, value, dim, &a);
	if (err)
		return err;
	for (int i = 0; i < a.n; i++)
		u->frozen[union_find_root(u, a.first + i)] = reason;
	return ERR_OK;
}
