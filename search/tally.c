/* tally.c -- the cost of a candidate kept up to date while single groups change.
 * SPDX-License-Identifier: MIT
 *
 * uses[first[g]] .. uses[first[g + 1] - 1] are the layers that group g touches, each once, with the group's multiples
 * in the layer's two dimensions added up. */
#include "search/tally.h"

#include <string.h>

#include "base/arena.h"
#include "search/space.h"

struct use {
	int layer;
	int64_t out, in; /* multiples of the group in the layer's dimensions */
};

struct tally {
	struct arena *arena;
	const struct space *space;
	struct cost total;
	int *keep;
	int64_t *out, *in; /* dimensions of each layer */
	struct use *uses;
	size_t *first, *end;
};

static size_t count_uses(struct tally *t)
{
	const struct space *s = t->space;
	size_t total = 0;
	for (int i = 0; i < s->layer_count; i++) {
		const struct space_dim *dims[] = { &s->layers[i].out, &s->layers[i].in };
		for (int side = 0; side < 2; side++)
			for (int k = 0; k < dims[side]->term_count; k++, total++)
				t->first[dims[side]->terms[k].group + 1]++;
	}
	for (int g = 0; g < s->group_count; g++) {
		t->first[g + 1] += t->first[g];
		t->end[g] = t->first[g];
	}
	return total;
}

static struct use *use_of(struct tally *t, int group, int layer)
{
	if (t->end[group] > t->first[group] && t->uses[t->end[group] - 1].layer == layer)
		return &t->uses[t->end[group] - 1];
	struct use *u = &t->uses[t->end[group]++];
	u->layer = layer;
	return u;
}

static void fill_layer(struct tally *t, int layer)
{
	const struct space_layer *l = &t->space->layers[layer];
	t->out[layer] = l->out.constant;
	for (int k = 0; k < l->out.term_count; k++) {
		const struct space_term *term = &l->out.terms[k];
		use_of(t, term->group, layer)->out += term->multiple;
		t->out[layer] += term->multiple * t->keep[term->group];
	}
	t->in[layer] = l->in.constant;
	for (int k = 0; k < l->in.term_count; k++) {
		const struct space_term *term = &l->in.terms[k];
		use_of(t, term->group, layer)->in += term->multiple;
		t->in[layer] += term->multiple * t->keep[term->group];
	}
}

static bool allocate(struct tally *t)
{
	size_t groups = (size_t)t->space->group_count, layers = (size_t)t->space->layer_count;
	t->keep = ARENA_ARRAY(t->arena, int, groups);
	t->out = ARENA_ARRAY(t->arena, int64_t, layers);
	t->in = ARENA_ARRAY(t->arena, int64_t, layers);
	t->first = ARENA_ARRAY(t->arena, size_t, groups + 1);
	t->end = ARENA_ARRAY(t->arena, size_t, groups);
	if (!t->keep || !t->out || !t->in || !t->first || !t->end)
		return false;
	t->uses = ARENA_ARRAY(t->arena, struct use, count_uses(t));
	return t->uses;
}

enum err tally_open(const struct space *s, const int *keep, struct tally **ret, struct errinfo *e)
{
	struct arena *arena = arena_new();
	struct tally *t = arena ? ARENA_NEW(arena, struct tally) : NULL;
	if (t) {
		t->arena = arena;
		t->space = s;
	}
	if (!t || !allocate(t)) {
		arena_free(arena);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	memcpy(t->keep, keep, (size_t)s->group_count * sizeof *keep);
	for (int i = 0; i < s->layer_count; i++)
		fill_layer(t, i);
	t->total = cost_of(s, keep);
	*ret = t;
	return ERR_OK;
}

void tally_close(struct tally *t)
{
	if (t)
		arena_free(t->arena); /* t itself lives there */
}

int tally_keep(const struct tally *t, int g)
{
	return t->keep[g];
}

struct cost tally_if(const struct tally *t, int g, int keep)
{
	struct cost c = t->total;
	int64_t more = keep - t->keep[g];
	for (size_t i = t->first[g]; i < t->end[g]; i++) {
		const struct use *u = &t->uses[i];
		const struct space_layer *l = &t->space->layers[u->layer];
		struct cost was = cost_of_layer(l, t->out[u->layer], t->in[u->layer]);
		struct cost will = cost_of_layer(l, t->out[u->layer] + u->out * more, t->in[u->layer] + u->in * more);
		c.params += will.params - was.params;
		c.macs += will.macs - was.macs;
		c.bytes += will.bytes - was.bytes;
	}
	return c;
}

void tally_set(struct tally *t, int g, int keep)
{
	t->total = tally_if(t, g, keep);
	int64_t more = keep - t->keep[g];
	for (size_t i = t->first[g]; i < t->end[g]; i++) {
		const struct use *u = &t->uses[i];
		t->out[u->layer] += u->out * more;
		t->in[u->layer] += u->in * more;
	}
	t->keep[g] = keep;
}
