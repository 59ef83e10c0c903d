/* inspect.c -- what a model is made of and what of it can be pruned, printed.
 * SPDX-License-Identifier: MIT */
#include "evaluator/inspect.h"

#include <cjson/cJSON.h>

#include "base/json.h"
#include "evaluator/measure/size.h"
#include "evaluator/model/graph.h"
#include "evaluator/prune/inventory.h"
#include "evaluator/prune/prune.h"

static enum err print_json(cJSON *inventory, const struct graph *g, const struct size *s, FILE *out, struct errinfo *e)
{
	bool failed = false;
	json_put_number(inventory, "opset", (double)g->opset, &failed);
	json_put_number(inventory, "params", (double)s->params, &failed);
	json_put_number(inventory, "macs", (double)s->macs, &failed);
	json_put_number(inventory, "bytes", (double)s->bytes, &failed);
	json_put_number(inventory, "memory", (double)s->memory, &failed);
	char *text = failed ? NULL : cJSON_Print(inventory);
	if (!text)
		return err_set(e, ERR_MEMORY, "out of memory");
	fprintf(out, "%s\n", text);
	cJSON_free(text);
	return ERR_OK;
}

static void print_layers(const struct graph *g, FILE *out)
{
	char shape[128];
	fprintf(out, "%-40s %-20s %-24s %12s %14s\n", "layer", "operator", "output", "params", "MACs");
	for (int i = 0; i < g->node_count; i++) {
		const struct node *n = &g->nodes[i];
		struct size s = size_of_node(g, n);
		fprintf(out, "%-40s %-20s %-24s %12lld %14lld\n", n->name, op_table[n->op].name,
			shape_text(&g->values[n->out[0]].shape, shape), (long long)s.params, (long long)s.macs);
	}
}

static const char *text_of(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
}

static int channels_of(const cJSON *object)
{
	return (int)cJSON_GetNumberValue(cJSON_GetObjectItem(object, "channels"));
}

static void print_groups(const cJSON *inventory, FILE *out)
{
	const cJSON *group, *member;
	fprintf(out, "\n%-40s %8s  %s\n", "group", "channels", "tensors that get smaller");
	cJSON_ArrayForEach(group, cJSON_GetObjectItem(inventory, "groups"))
	{
		fprintf(out, "%-40s %8d ", text_of(group, "name"), channels_of(group));
		cJSON_ArrayForEach(member, cJSON_GetObjectItem(group, "members"))
			fprintf(out, " %s", cJSON_GetStringValue(member));
		fprintf(out, "\n");
	}
	fprintf(out, "\n%-40s %8s  %s\n", "frozen", "channels", "reason");
	cJSON_ArrayForEach(group, cJSON_GetObjectItem(inventory, "frozen"))
		fprintf(out, "%-40s %8d  %s\n", text_of(group, "name"), channels_of(group), text_of(group, "reason"));
}

static void print_text(const cJSON *inventory, const struct graph *g, const struct size *s, FILE *out)
{
	print_layers(g, out);
	print_groups(inventory, out);
	fprintf(out, "\n%lld params, %lld MACs, %lld bytes, peak activation memory %lld bytes, opset %lld\n",
		(long long)s->params, (long long)s->macs, (long long)s->bytes, (long long)s->memory,
		(long long)g->opset);
}

enum err inspect_print(const char *model, bool json, FILE *out, struct errinfo *e)
{
	struct prunable *p;
	struct size s = { 0 };
	cJSON *inventory = NULL;
	enum err err = prunable_open(model, "l1", &p, e);
	if (err)
		return err;
	err = size_count(p->graph, &s, e);
	if (!err)
		err = inventory_write(p->coupling, &inventory, e);
	if (!err && json)
		err = print_json(inventory, p->graph, &s, out, e);
	else if (!err)
		print_text(inventory, p->graph, &s, out);
	cJSON_Delete(inventory);
	prunable_close(p);
	return err;
}
