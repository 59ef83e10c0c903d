/* inventory.c -- what a network can lose, told to the daemon.
 * SPDX-License-Identifier: MIT
 *
 * Each function builds on when memory runs out, and the whole is checked once. */
#include "evaluator/prune/inventory.h"

#include "base/json.h"
#include "evaluator/prune/coupling.h"
#include "evaluator/prune/layer.h"
#include "evaluator/prune/ledger.h"

struct inventory {
	const struct coupling *c;
	bool failed;
};

static void add_term(struct inventory *v, cJSON *dim, int group, int64_t multiple)
{
	double pair[2] = { group, (double)multiple };
	json_append(dim, cJSON_CreateDoubleArray(pair, 2), &v->failed);
}

/* A dimension as terms [group, multiple]. */
static void add_dim(struct inventory *v, cJSON *layer, const char *name, const struct ledger_dim *d)
{
	cJSON *dim = json_put(layer, name, cJSON_CreateArray(), &v->failed);
	for (int i = 0; i < d->term_count; i++)
		add_term(v, dim, d->terms[i].group, d->terms[i].multiple);
	if (d->constant)
		add_term(v, dim, -1, d->constant);
}

static void add_row(struct inventory *v, cJSON *layers, const struct ledger_row *r)
{
	cJSON *layer = json_append(layers, cJSON_CreateObject(), &v->failed);
	json_put_string(layer, "name", r->name, &v->failed);
	json_put_string(layer, "op", r->op, &v->failed);
	add_dim(v, layer, "out", &r->out);
	add_dim(v, layer, "in", &r->in);
	json_put_number(layer, "kernel", (double)r->kernel, &v->failed);
	json_put_number(layer, "positions", (double)r->positions, &v->failed);
	json_put_number(layer, "vectors", (double)r->vectors, &v->failed);
	json_put_number(layer, "buffers", (double)r->buffers, &v->failed);
	if (!r->stored)
		json_put_number(layer, "stored", 0, &v->failed);
}

static void add_layers(struct inventory *v, cJSON *inventory, const struct ledger *l)
{
	cJSON *layers = json_put(inventory, "layers", cJSON_CreateArray(), &v->failed);
	for (int i = 0; i < l->count; i++)
		add_row(v, layers, &l->rows[i]);
	cJSON *fixed = json_put(inventory, "fixed", cJSON_CreateObject(), &v->failed);
	json_put_number(fixed, "params", (double)l->fixed_params, &v->failed);
	json_put_number(fixed, "buffers", (double)l->fixed_buffers, &v->failed);
}

static cJSON *add_group(struct inventory *v, cJSON *groups, const struct group *g)
{
	cJSON *group = json_append(groups, cJSON_CreateObject(), &v->failed);
	json_put_string(group, "name", g->name, &v->failed);
	json_put_number(group, "channels", g->channels, &v->failed);
	return json_put(group, "members", cJSON_CreateArray(), &v->failed);
}

/* Groups, each with the stored tensors that lose something when it does; `members` has room for one item a group. */
static void add_groups(struct inventory *v, cJSON *inventory, cJSON **members)
{
	const struct coupling *c = v->c;
	cJSON *groups = json_put(inventory, "groups", cJSON_CreateArray(), &v->failed);
	for (int i = 0; i < c->group_count; i++)
		members[i] = add_group(v, groups, &c->groups[i]);
	for (int i = 0; i < c->axis_count; i++) {
		const struct axis *a = &c->axes[i];
		const struct value *tensor = &c->g->values[a->value];
		for (int k = 0; tensor->data && k < a->term_count; k++)
			json_append(members[a->terms[k].group], cJSON_CreateString(tensor->name), &v->failed);
	}
}

static void add_frozen_dim(struct inventory *v, cJSON *frozen, int value, int dim)
{
	int channels = 0;
	const struct axis *a = coupling_axis(v->c, value, dim);
	const char *reason = a ? coupling_frozen(v->c, a, &channels) : NULL;
	if (!reason)
		return;
	cJSON *object = json_append(frozen, cJSON_CreateObject(), &v->failed);
	json_put_string(object, "name", v->c->g->values[value].name, &v->failed);
	json_put_number(object, "channels", channels, &v->failed);
	json_put_string(object, "reason", reason, &v->failed);
}

/* Outputs and inputs of layers' weights in which something is frozen. */
static void add_frozen(struct inventory *v, cJSON *inventory)
{
	const struct graph *g = v->c->g;
	cJSON *frozen = json_put(inventory, "frozen", cJSON_CreateArray(), &v->failed);
	for (int i = 0; i < g->node_count; i++) {
		struct layer l;
		if (!layer_of(g, &g->nodes[i], &l) || l.weight < 0)
			continue;
		add_frozen_dim(v, frozen, l.out, l.out_dim);
		add_frozen_dim(v, frozen, l.in, l.in_dim);
	}
}

enum err inventory_write(const struct coupling *c, cJSON **ret, struct errinfo *e)
{
	struct ledger *l;
	struct arena *a = arena_new();
	cJSON *inventory = cJSON_CreateObject();
	cJSON **members = a ? ARENA_ARRAY(a, cJSON *, (size_t)c->group_count) : NULL;
	struct inventory v = { .c = c, .failed = !inventory || !members };
	enum err err = v.failed ? err_set(e, ERR_MEMORY, "out of memory for the inventory") : ledger_new(c, a, &l, e);
	if (!err) {
		add_groups(&v, inventory, members);
		add_frozen(&v, inventory);
		add_layers(&v, inventory, l);
		if (v.failed)
			err = err_set(e, ERR_MEMORY, "out of memory for the inventory");
	}
	arena_free(a);
	if (err)
		cJSON_Delete(inventory);
	else
		*ret = inventory;
	return err;
}
