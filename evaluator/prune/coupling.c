/* coupling.c -- which channels must be removed together.
 * SPDX-License-Identifier: MIT
 *
 * Elements are joined by the operators' rules, numbered as classes, and classes are split into groups by partition
 * refinement: at first all live classes are one block; each axis splits every block by how often its classes occur in
 * that axis. What is left together occurs equally often everywhere. */
#include "evaluator/prune/coupling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/model/names.h"
#include "evaluator/prune/layer.h"
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
	int index = dim < 0 ? -1 : c->axis_of[value][dim];
	return index < 0 ? NULL : &c->axes[index];
}

int coupling_group_at(const struct coupling *c, const struct axis *a, int i)
{
	return c->group_of[c->class_of[a->first + i]];
}

int64_t coupling_multiple(const struct coupling *c, const struct axis *a, int group)
{
	(void)c; /* it holds a */
	for (int i = 0; i < a->term_count && a->terms[i].group <= group; i++)
		if (a->terms[i].group == group)
			return a->terms[i].multiple;
	return 0;
}

const char *coupling_frozen(const struct coupling *c, const struct axis *a, int *ret_elements)
{
	*ret_elements = a->constant;
	for (int i = 0; i < a->n && a->constant; i++)
		if (c->frozen[c->class_of[a->first + i]])
			return c->frozen[c->class_of[a->first + i]];
	return NULL;
}

/* ---- elements to classes ---- */

/* Every dimension of a computed value is tracked, for what it will be is checked after surgery. */
static void track(struct union_find *u, int value)
{
	for (int dim = 0; dim < u->g->values[value].shape.rank; dim++)
		union_find_span(u, value, dim);
}

static bool is_output(const struct graph *g, int value)
{
	for (int i = 0; i < g->output_count; i++)
		if (g->outputs[i] == value)
			return true;
	return false;
}

/* Values are tracked in the order in which the network computes them: groups come in that order. */
static void apply_rules(struct union_find *u)
{
	const struct graph *g = u->g;
	for (int i = 0; i < g->input_count; i++)
		union_find_freeze_all(u, g->inputs[i], "network input");
	for (int i = 0; i < g->node_count && !u->err; i++) {
		const struct node *n = &g->nodes[i];
		for (int k = 0; k < n->out_count; k++) {
			if (n->out[k] < 0)
				continue;
			track(u, n->out[k]);
			if (is_output(g, n->out[k]))
				union_find_freeze_all(u, n->out[k], "network output");
		}
		rules_apply(u, n);
	}
}

static bool is_live(struct union_find *u, int element)
{
	int root = union_find_root(u, element);
	return u->computed[root] && !u->frozen[root];
}

/* The cost model has room for two dimensions of a stored tensor; further ones stay. */
static void freeze_third_dimensions(struct union_find *u)
{
	const struct graph *g = u->g;
	for (int value = 0; value < g->value_count; value++) {
		int live = 0;
		for (int dim = 0; g->values[value].data && dim < g->values[value].shape.rank; dim++) {
			if (u->axis_of[value][dim] < 0)
				continue;
			struct span s = union_find_span(u, value, dim);
			bool any = false;
			for (int i = 0; i < s.n; i++)
				any = any || is_live(u, s.first + i);
			live += any;
			if (any && live > 2)
				union_find_freeze(u, s,
					union_find_reason(u, "third dimension of '%.200s'", g->values[value].name));
		}
	}
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
			bool free_to_go = u->computed[i] && !u->frozen[i];
			const char *reason = u->frozen[i] ? u->frozen[i] : "nothing computes it";
			c->frozen[c->class_count] = free_to_go ? NULL : reason;
			c->class_of[i] = c->class_count++;
		} else {
			c->class_of[i] = c->class_of[root];
		}
	}
	return ERR_OK;
}

/* ---- classes to groups ---- */

/* Splitting of blocks by one axis: `pairs` has a row for each old block and number of occurrences in it, in lists by
 * block. There are never more blocks than classes. */
struct pair {
	int block, count; /* classes of that block that occur so often ... */
	int members;      /* so many ... */
	int becomes;      /* are that block from now on */
	int next;
};

struct refinement {
	int *block, *count, *touched, *pair; /* by class; touched: the axis' classes, each once */
	int *size, *first_pair, *seen;       /* by block; seen: how many of its classes the axis has */
	struct pair *pairs;
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

static int pair_of(struct refinement *r, int block, int count)
{
	for (int i = r->first_pair[block]; i >= 0; i = r->pairs[i].next)
		if (r->pairs[i].count == count)
			return i;
	int i = r->pair_count++;
	r->pairs[i] = (struct pair){ .block = block, .count = count, .next = r->first_pair[block] };
	r->first_pair[block] = i;
	return i;
}

static void pair_up(struct refinement *r)
{
	r->pair_count = 0;
	for (int i = 0; i < r->touched_count; i++) {
		int k = r->touched[i], block = r->block[k];
		r->pair[k] = pair_of(r, block, r->count[k]);
		r->pairs[r->pair[k]].members++;
		r->seen[block]++;
	}
}

/* What the axis doesn't have keeps the block's number; when it has all of them, the first part does. */
static void number_parts(struct refinement *r)
{
	for (int i = 0; i < r->pair_count; i++) {
		struct pair *p = &r->pairs[i];
		bool whole = r->seen[p->block] == r->size[p->block];
		p->becomes = whole && p->next < 0 ? p->block : r->block_count++;
	}
	for (int i = 0; i < r->pair_count; i++) {
		const struct pair *p = &r->pairs[i];
		if (p->becomes != p->block) {
			r->size[p->becomes] = p->members;
			r->size[p->block] -= p->members;
		}
		r->first_pair[p->block] = -1;
		r->seen[p->block] = 0;
	}
}

static void refine(const struct coupling *c, const struct axis *a, struct refinement *r)
{
	count_axis(c, a, r);
	pair_up(r);
	number_parts(r);
	for (int i = 0; i < r->touched_count; i++) {
		int k = r->touched[i];
		r->block[k] = r->pairs[r->pair[k]].becomes;
		r->count[k] = 0;
	}
}

/* A class of its own kind can't be removed: the last channel stays. */
static void freeze_single_classes(struct coupling *c, const struct refinement *r)
{
	for (int k = 0; k < c->class_count; k++)
		if (!c->frozen[k] && r->size[r->block[k]] == 1)
			c->frozen[k] = "the only channel of its kind";
}

/* A group of its own number for each block, in the order in which the classes first occur. */
static enum err number_groups(struct coupling *c, const struct refinement *r, struct errinfo *e)
{
	int *group_of_block = ARENA_ARRAY(c->arena, int, (size_t)c->class_count + 1);
	c->groups = ARENA_ARRAY(c->arena, struct group, (size_t)r->block_count + 1);
	if (!group_of_block || !c->groups)
		return no_memory(e);
	memset(group_of_block, -1, ((size_t)c->class_count + 1) * sizeof *group_of_block);
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
	struct arena *a = c->arena;
	size_t n = (size_t)c->class_count + 1;
	struct refinement r = { .block = ARENA_ARRAY(a, int, n), .count = ARENA_ARRAY(a, int, n),
		.touched = ARENA_ARRAY(a, int, n), .pair = ARENA_ARRAY(a, int, n), .size = ARENA_ARRAY(a, int, n),
		.first_pair = ARENA_ARRAY(a, int, n), .seen = ARENA_ARRAY(a, int, n),
		.pairs = ARENA_ARRAY(a, struct pair, n), .block_count = 1 };
	if (!r.block || !r.count || !r.touched || !r.pair || !r.size || !r.first_pair || !r.seen || !r.pairs)
		return no_memory(e);
	memset(r.first_pair, -1, n * sizeof *r.first_pair);
	for (int k = 0; k < c->class_count; k++)
		r.size[0] += !c->frozen[k];
	for (int i = 0; i < c->axis_count; i++)
		refine(c, &c->axes[i], &r);
	freeze_single_classes(c, &r);
	return number_groups(c, &r, e);
}

/* ---- axes as sums over groups ---- */

static int by_group(const void *a, const void *b)
{
	return ((const struct term *)a)->group - ((const struct term *)b)->group;
}

/* `count` is by group, zero before and after. */
static enum err sum_axis(struct coupling *c, struct axis *a, int *count, int *touched, struct errinfo *e)
{
	int groups = 0;
	for (int i = 0; i < a->n; i++) {
		int group = coupling_group_at(c, a, i);
		if (group < 0)
			a->constant++;
		else if (count[group]++ == 0)
			touched[groups++] = group;
	}
	struct term *terms = ARENA_ARRAY(c->arena, struct term, (size_t)groups);
	if (!terms)
		return no_memory(e);
	for (int i = 0; i < groups; i++) {
		terms[i] = (struct term){ touched[i], count[touched[i]] / c->groups[touched[i]].channels };
		count[touched[i]] = 0;
	}
	qsort(terms, (size_t)groups, sizeof *terms, by_group);
	a->terms = terms;
	a->term_count = groups;
	return ERR_OK;
}

static enum err sum_axes(struct coupling *c, struct errinfo *e)
{
	int *count = ARENA_ARRAY(c->arena, int, (size_t)c->group_count);
	int *touched = ARENA_ARRAY(c->arena, int, (size_t)c->group_count);
	enum err err = count && touched ? ERR_OK : no_memory(e);
	for (int i = 0; i < c->axis_count && !err; i++)
		err = sum_axis(c, &c->axes[i], count, touched, e);
	return err;
}

/* ---- names ---- */

/* A weight "features.0.weight" gives "features.0"; exporters that fold invent names like "onnx::Conv_35", then the
 * node's is better. */
static const char *name_of(struct coupling *c, const struct node *n, int value)
{
	const char *weight = c->g->values[value].name;
	size_t len = strlen(weight);
	if (len > 7 && !strcmp(weight + len - 7, ".weight") && !strstr(weight, "::"))
		return arena_strndup(c->arena, weight, len - 7);
	return *n->name ? n->name : weight;
}

/* name, or when it is taken name#N, N the group's number or the next that is free. */
static const char *unique_name(struct coupling *c, struct names *taken, const char *name, int group)
{
	char numbered[300];
	const char *kept = name;
	for (int i = group; kept && !names_add(taken, kept, group); i++) {
		snprintf(numbered, sizeof numbered, "%.280s#%d", name, i);
		kept = arena_strdup(c->arena, numbered);
	}
	return kept;
}

static enum err name_channels(struct coupling *c, struct names *taken, const struct node *n, int weight,
	const struct axis *out, struct errinfo *e)
{
	for (int k = 0; k < out->n; k++) {
		int group = coupling_group_at(c, out, k);
		if (group < 0 || c->groups[group].name)
			continue;
		c->groups[group].name = unique_name(c, taken, name_of(c, n, weight), group);
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
		struct layer l;
		const struct node *n = &c->g->nodes[i];
		if (!layer_of(c->g, n, &l) || l.weight < 0)
			continue;
		/* In one of a transposed convolution's dimensions stands a group's part of the outputs only. */
		const struct axis *out = n->op == OP_CONV_TRANSPOSE ? coupling_axis(c, n->out[0], 1)
								    : coupling_axis(c, l.out, l.out_dim);
		if (out)
			err = name_channels(c, taken, n, l.weight, out, e);
	}
	names_free(taken);
	return err;
}

/* ---- the whole ---- */

static enum err build(struct coupling *c, struct errinfo *e)
{
	struct union_find u;
	union_find_init(&u, c->g, c->arena, e);
	if (!u.err)
		apply_rules(&u);
	if (!u.err)
		freeze_third_dimensions(&u);
	enum err err = u.err;
	if (!err)
		err = number_classes(c, &u);
	union_find_fini(&u);
	if (!err)
		err = find_groups(c, e);
	if (!err)
		err = sum_axes(c, e);
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
