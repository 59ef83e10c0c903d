/* coupling.c -- which channels must be removed together.
 * SPDX-License-Identifier: MIT
 *
 * Elements are joined by the operators' rules, numbered as classes, and classes are split into groups by partition
 * refinement: at first all live classes are one block; each axis splits every block by how often its classes occur in
 * that axis. What is left together occurs equally often everywhere. */
#include "evaluator/prune/coupling.h"

#include <stdio.h>
#include <string.h>

#include "evaluator/model/names.h"
#include "evaluator/prune/rules.h"
#include "evaluator/prune/union_find.h"

static enum err no_memory(struct errinfo *e)
{
	return err_set(e, ERR_MEMORY, "out of memory for channel groups");
}

void coupling_free(struct coupling *c)
{
	if (c)
		arena_free(c->arena); /* c itself lives there */
}

const struct axis *coupling_axis(const struct coupling *c, int value, int dim)
{
	int index = c->axis_of[value][dim];
	return index < 0 ? NULL : &c->axes[index];
}

int coupling_group_at(const struct coupling *c, const struct axis *a, int i)
{
	return c->group_of[c->class_of[a->first + i]];
}

int64_t coupling_multiple(const struct coupling *c, const struct axis *a, int group)
{
	int64_t elements = 0;
	for (int i = 0; i < a->n; i++)
		elements += coupling_group_at(c, a, i) == group;
	return elements / c->groups[group].channels;
}

/* ---- elements to classes ---- */

static enum err apply_rules(struct union_find *u)
{
	const struct graph *g = u->g;
	for (int i = 0; i < g->node_count; i++) {
		enum err err = rules_apply(u, g, &g->nodes[i]);
		if (err)
			return err;
	}
	for (int i = 0; i < g->input_count; i++) {
		enum err err = union_find_freeze(u, g->inputs[i], 1, "network input");
		if (err)
			return err;
	}
	for (int i = 0; i < g->output_count; i++) {
		bool has_channels = g->values[g->outputs[i]].shape.rank > 1;
		enum err err = has_channels ? union_find_freeze(u, g->outputs[i], 1, "network output") : ERR_OK;
		if (err)
			return err;
	}
	return ERR_OK;
}

/* Numbers the sets in order of their first element and copies what is worth keeping into the arena. */
static enum err number_classes(struct coupling *c, struct union_find *u)
{
	c->axes = ARENA_ARRAY(c->arena, struct axis, (size_t)u->axis_count);
	c->class_of = ARENA_ARRAY(c->arena, int, (size_t)u->element_count);
	c->frozen = ARENA_ARRAY(c->arena, const char *, (size_t)u->element_count);
	c->group_of = ARENA_ARRAY(c->arena, int, (size_t)u->element_count);
	if (!c->axes || !c->class_of || !c->frozen || !c->group_of)
		return no_memory(u->e);
	c->axis_count = u->axis_count;
	c->axis_of = u->axis_of;
	c->element_count = u->element_count;
	if (u->axis_count)
		memcpy(c->axes, u->axes, (size_t)u->axis_count * sizeof *c->axes);
	for (int i = 0; i < u->element_count; i++) {
		int root = union_find_root(u, i);
		if (root == i) { /* a root is its set's smallest element: it comes first */
			c->frozen[c->class_count] = u->frozen[i];
			c->class_of[i] = c->class_count++;
		} else {
			c->class_of[i] = c->class_of[root];
		}
	}
	return ERR_OK;
}

/* ---- classes to groups ---- */

/* Splitting of blocks by one axis. The arrays are by class but for `pairs`, which has a row for each new block of the
 * axis at hand. */
struct refinement {
	int *block, *count;
	int *touched;
	struct {
		int block, count, becomes;
	} *pairs;
	int touched_count, pair_count, block_count;
};

static void count_axis(const struct coupling *c, const struct axis *a, struct refinement *r)
{
	r->touched_count = 0;
	for (int i = 0; i < a->n; i++) {
		int k = c->class_of[a->first + i];
		if (c->frozen[k])
			continue;
		if (r->count[k]++ == 0)
			r->touched[r->touched_count++] = k;
	}
}

/* The new block for classes of `block` that occur `count` times. */
static int split_block(struct refinement *r, int block, int count)
{
	for (int i = 0; i < r->pair_count; i++)
		if (r->pairs[i].block == block && r->pairs[i].count == count)
			return r->pairs[i].becomes;
	int fresh = r->block_count++;
	r->pairs[r->pair_count].block = block;
	r->pairs[r->pair_count].count = count;
	r->pairs[r->pair_count].becomes = fresh;
	r->pair_count++;
	return fresh;
}

static void refine(const struct coupling *c, const struct axis *a, struct refinement *r)
{
	count_axis(c, a, r);
	r->pair_count = 0;
	for (int i = 0; i < r->touched_count; i++) {
		int k = r->touched[i];
		r->block[k] = split_block(r, r->block[k], r->count[k]);
	}
	for (int i = 0; i < r->touched_count; i++)
		r->count[r->touched[i]] = 0;
}

/* A group of its own number for each block, in the order in which the classes first occur. */
static enum err number_groups(struct coupling *c, const struct refinement *r, struct errinfo *e)
{
	int *group_of_block = ARENA_ARRAY(c->arena, int, (size_t)r->block_count);
	c->groups = ARENA_ARRAY(c->arena, struct group, (size_t)c->class_count);
	if (!group_of_block || !c->groups)
		return no_memory(e);
	memset(group_of_block, -1, (size_t)r->block_count * sizeof *group_of_block);
	for (int k = 0; k < c->class_count; k++) {
		c->group_of[k] = -1;
		if (c->frozen[k])
			continue;
		int *group = &group_of_block[r->block[k]];
		if (*group < 0)
			*group = c->group_count++;
		c->group_of[k] = *group;
		c->groups[*group].channels++;
	}
	for (int i = 0; i < c->group_count; i++) {
		c->groups[i].classes = ARENA_ARRAY(c->arena, int, (size_t)c->groups[i].channels);
		if (!c->groups[i].classes)
			return no_memory(e);
		c->groups[i].channels = 0;
	}
	for (int k = 0; k < c->class_count; k++)
		if (c->group_of[k] >= 0) {
			struct group *group = &c->groups[c->group_of[k]];
			group->classes[group->channels++] = k;
		}
	return ERR_OK;
}

static enum err find_groups(struct coupling *c, struct errinfo *e)
{
	struct refinement r = { .block_count = 1 };
	size_t n = (size_t)c->class_count;
	r.block = ARENA_ARRAY(c->arena, int, n);
	r.count = ARENA_ARRAY(c->arena, int, n);
	r.touched = ARENA_ARRAY(c->arena, int, n);
	r.pairs = arena_alloc(c->arena, n, sizeof *r.pairs);
	if (!r.block || !r.count || !r.touched || !r.pairs)
		return no_memory(e);
	for (int i = 0; i < c->axis_count; i++)
		refine(c, &c->axes[i], &r);
	return number_groups(c, &r, e);
}

/* ---- names ---- */

/* A weight "features.0.weight" gives "features.0"; exporters that fold invent names like "onnx::Conv_35", then the
 * node's is better. */
static const char *name_of(struct coupling *c, const struct node *n)
{
	const char *weight = c->g->values[n->in[1]].name;
	size_t len = strlen(weight);
	if (len > 7 && !strcmp(weight + len - 7, ".weight") && !strstr(weight, "::"))
		return arena_strndup(c->arena, weight, len - 7);
	return *n->name ? n->name : weight;
}

/* name, or when it is taken name#N, N the group's number or the next that is free. */
static const char *unique_name(struct coupling *c, struct names *taken, const char *name, int group)
{
	char numbered[300];
	bool added = name && names_add(taken, name, group);
	for (int i = group; name && !added; i++) {
		snprintf(numbered, sizeof numbered, "%.280s#%d", name, i);
		name = arena_strdup(c->arena, numbered);
		added = name && names_add(taken, name, group);
	}
	return name;
}

static enum err name_channels(
	struct coupling *c, struct names *taken, const struct node *n, const struct axis *out, struct errinfo *e)
{
	for (int k = 0; k < out->n; k++) {
		int group = coupling_group_at(c, out, k);
		if (group < 0 || c->groups[group].name)
			continue;
		c->groups[group].name = unique_name(c, taken, name_of(c, n), group);
		if (!c->groups[group].name)
			return no_memory(e);
	}
	return ERR_OK;
}

/* A group is called after the first layer whose output channels it holds. */
static enum err name_groups(struct coupling *c, struct errinfo *e)
{
	struct names *taken = names_new((size_t)c->group_count);
	enum err err = taken ? ERR_OK : no_memory(e);
	for (int i = 0; i < c->g->node_count && !err; i++) {
		const struct node *n = &c->g->nodes[i];
		const struct axis *out = n->op == OP_CONV || n->op == OP_GEMM ? coupling_axis(c, n->out[0], 1) : NULL;
		if (out)
			err = name_channels(c, taken, n, out, e);
	}
	names_free(taken);
	return err;
}

/* ---- the whole ---- */

static enum err build(struct coupling *c, struct errinfo *e)
{
	struct union_find u;
	enum err err = union_find_init(&u, c->g, c->arena, e);
	if (!err)
		err = apply_rules(&u);
	if (!err)
		err = number_classes(c, &u);
	union_find_fini(&u);
	if (!err)
		err = find_groups(c, e);
	return err ? err : name_groups(c, e);
}

enum err coupling_new(const struct graph *g, struct coupling **ret, struct errinfo *e)
{
	struct arena *a = arena_new();
	struct coupling *c = a ? ARENA_NEW(a, struct coupling) : NULL;
	if (!c) {
		arena_free(a);
		return no_memory(e);
	}
	c->arena = a;
	c->g = g;
	enum err err = build(c, e);
	if (err)
		coupling_free(c);
	else
		*ret = c;
	return err;
}
