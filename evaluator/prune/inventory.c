/* inventory.c -- what a network can lose, told to the daemon.
 * SPDX-License-Identifier: MIT
 *
 * Each function builds on when memory runs out, and the whole is checked once. */
#include "evaluator/prune/inventory.h"

#include "base/json.h"
#include "evaluator/prune/coupling.h"

struct inventory {
	const struct coupling *c;
	bool failed;
};

static void add_term(struct inventory *v, cJSON *dim, int group, int64_t multiple)
{
	double pair[2] = { group, (double)multiple };
	json_append(dim, cJSON_CreateDoubleArray(pair, 2), &v->failed);
}

/* A dimension as terms [group, multiple]; a dimension that is not tracked, or absent, is the constant `otherwise`. */
static void add_dim(struct inventory *v, cJSON *layer, const char *name, const struct axis *a, int64_t otherwise)
{
	const struct coupling *c = v->c;
	cJSON *dim = json_put(layer, name, cJSON_CreateArray(), &v->failed);
	int64_t constant = a ? 0 : otherwise;
	int last = -1;
	for (int i = 0; a && i < a->n; i++) {
		int group = coupling_group_at(c, a, i);
		constant += group < 0;
		last = group > last ? group : last;
	}
	for (int group = 0; a && group <= last; group++) {
		int64_t multiple = coupling_multiple(c, a, group);
		if (multiple)
			add_term(v, dim, group, multiple);
	}
	if (constant)
		add_term(v, dim, -1, constant);
}

static cJSON *add_layer(struct inventory *v, cJSON *layers, const struct node *n)
{
	cJSON *layer = json_append(layers, cJSON_CreateObject(), &v->failed);
	json_put_string(layer, "name", n->name, &v->failed);
	json_put_string(layer, "op", op_table[n->op].name, &v->failed);
	return layer;
}

static void add_costs(
	struct inventory *v, cJSON *layer, int64_t kernel, int64_t positions, int64_t vectors, int64_t buffers)
{
	json_put_number(layer, "kernel", (double)kernel, &v->failed);
	json_put_number(layer, "positions", (double)positions, &v->failed);
	json_put_number(layer, "vectors", (double)vectors, &v->failed);
	json_put_number(layer, "buffers", (double)buffers, &v->failed);
}

static void add_weighted(struct inventory *v, cJSON *layers, const struct node *n)
{
	const struct coupling *c = v->c;
	const struct shape *w = &c->g->values[n->in[1]].shape, *y = &c->g->values[n->out[0]].shape;
	bool conv = n->op == OP_CONV;
	int out = conv || node_int(n, "transB", 0) ? 0 : 1;
	bool bias = node_input(c->g, n, 2) != NULL;
	cJSON *layer = add_layer(v, layers, n);
	add_dim(v, layer, "out", coupling_axis(c, n->in[1], out), w->dim[out]);
	add_dim(v, layer, "in", coupling_axis(c, n->in[1], !out), w->dim[!out]);
	add_costs(v, layer, conv ? w->dim[2] * w->dim[3] : 1, conv ? y->dim[2] * y->dim[3] : 1, bias, 0);
}

static void add_norm(struct inventory *v, cJSON *layers, const struct node *n)
{
	cJSON *layer = add_layer(v, layers, n);
	add_dim(v, layer, "out", coupling_axis(v->c, n->in[1], 0), v->c->g->values[n->in[1]].shape.dim[0]);
	add_dim(v, layer, "in", NULL, 0);
	add_costs(v, layer, 0, 0, 2, 2);
}

static void add_layers(struct inventory *v, cJSON *inventory)
{
	cJSON *layers = json_put(inventory, "layers", cJSON_CreateArray(), &v->failed);
	for (int i = 0; i < v->c->g->node_count; i++) {
		const struct node *n = &v->c->g->nodes[i];
		if (n->op == OP_CONV || n->op == OP_GEMM)
			add_weighted(v, layers, n);
		else if (n->op == OP_BATCH_NORM)
			add_norm(v, layers, n);
	}
	cJSON *fixed = json_put(inventory, "fixed", cJSON_CreateObject(), &v->failed);
	json_put_number(fixed, "params", 0, &v->failed);
	json_put_number(fixed, "buffers", 0, &v->failed);
}

/* The stored tensors that lose something when the group does. */
static void add_members(struct inventory *v, cJSON *object, int group)
{
	const struct coupling *c = v->c;
	cJSON *members = json_put(object, "members", cJSON_CreateArray(), &v->failed);
	for (int i = 0; i < c->axis_count; i++) {
		const struct value *tensor = &c->g->values[c->axes[i].value];
		if (tensor->data && coupling_multiple(c, &c->axes[i], group))
			json_append(members, cJSON_CreateString(tensor->name), &v->failed);
	}
}

static void add_groups(struct inventory *v, cJSON *inventory)
{
	cJSON *groups = json_put(inventory, "groups", cJSON_CreateArray(), &v->failed);
	for (int i = 0; i < v->c->group_count; i++) {
		cJSON *group = json_append(groups, cJSON_CreateObject(), &v->failed);
		json_put_string(group, "name", v->c->groups[i].name, &v->failed);
		json_put_number(group, "channels", v->c->groups[i].channels, &v->failed);
		add_members(v, group, i);
	}
}

/* Dimensions of weights in which something is frozen. */
static void add_frozen(struct inventory *v, cJSON *inventory)
{
	const struct coupling *c = v->c;
	cJSON *frozen = json_put(inventory, "frozen", cJSON_CreateArray(), &v->failed);
	for (int i = 0; i < c->axis_count; i++) {
		const struct axis *a = &c->axes[i];
		const struct value *tensor = &c->g->values[a->value];
		const char *reason = NULL;
		int channels = 0;
		for (int k = 0; k < a->n; k++) {
			const char *why = c->frozen[c->class_of[a->first + k]];
			channels += why != NULL;
			reason = reason ? reason : why;
		}
		if (!tensor->data || tensor->shape.rank < 2 || !reason)
			continue;
		cJSON *object = json_append(frozen, cJSON_CreateObject(), &v->failed);
		json_put_string(object, "name", tensor->name, &v->failed);
		json_put_number(object, "channels", channels, &v->failed);
		json_put_string(object, "reason", reason, &v->failed);
	}
}

enum err inventory_write(const struct coupling *c, cJSON **ret, struct errinfo *e)
{
	cJSON *inventory = cJSON_CreateObject();
	struct inventory v = { .c = c, .failed = !inventory };
	add_groups(&v, inventory);
	add_frozen(&v, inventory);
	add_layers(&v, inventory);
	if (v.failed) {
		cJSON_Delete(inventory);
		return err_set(e, ERR_MEMORY, "out of memory for the inventory");
	}
	*ret = inventory;
	return ERR_OK;
}
