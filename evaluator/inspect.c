/* inspect.c -- what a model is made of and what of it can be pruned, printed.
 * SPDX-License-Identifier: MIT */
#include "evaluator/inspect.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "evaluator/measure/size.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/prune/coupling.h"
#include "evaluator/prune/inventory.h"

/* A model under inspection. */
struct inspection {
	struct graph *graph;
	struct coupling *coupling;
	cJSON *inventory;
	struct size all, *nodes;
};

static void inspection_fini(struct inspection *i)
{
	free(i->nodes);
	cJSON_Delete(i->inventory);
	coupling_free(i->coupling);
	graph_free(i->graph);
}

static enum err inspection_init(struct inspection *i, const char *model, struct errinfo *e)
{
	enum err err = onnx_read(model, &i->graph, e);
	if (!err)
		err = coupling_new(i->graph, &i->coupling, e);
	if (!err)
		err = inventory_write(i->coupling, &i->inventory, e);
	if (!err)
		err = size_count(i->graph, &i->all, e);
	if (err)
		return err;
	i->nodes = calloc((size_t)i->graph->node_count + 1, sizeof *i->nodes);
	return i->nodes ? size_of_nodes(i->graph, i->nodes, e) : err_set(e, ERR_MEMORY, "out of memory");
}

static const char *operator_of(const struct node *n)
{
	return n->op < OP_COUNT ? op_table[n->op].name : n->type;
}

/* The first output's; "?" when it isn't known. */
static const char *output_text(const struct graph *g, const struct node *n, char buf[128])
{
	for (int k = 0; k < n->out_count; k++)
		if (n->out[k] >= 0 && g->values[n->out[k]].shape.rank >= 0)
			return shape_text(&g->values[n->out[k]].shape, buf);
	return "?";
}

/* ---- JSON: the inventory and more ---- */

static void add_shapes(cJSON *doc, const char *name, const struct graph *g, const int *values, int count, bool *failed)
{
	char shape[128];
	cJSON *array = json_put(doc, name, cJSON_CreateArray(), failed);
	for (int i = 0; i < count; i++) {
		const struct value *v = &g->values[values[i]];
		cJSON *o = json_append(array, cJSON_CreateObject(), failed);
		json_put_string(o, "name", v->name, failed);
		json_put_string(o, "shape", v->shape.rank < 0 ? "?" : shape_text(&v->shape, shape), failed);
	}
}

static void add_nodes(cJSON *doc, const struct inspection *in, bool *failed)
{
	char shape[128];
	cJSON *array = json_put(doc, "nodes", cJSON_CreateArray(), failed);
	for (int i = 0; i < in->graph->node_count; i++) {
		const struct node *n = &in->graph->nodes[i];
		cJSON *o = json_append(array, cJSON_CreateObject(), failed);
		json_put_string(o, "name", n->name, failed);
		json_put_string(o, "op", operator_of(n), failed);
		json_put_string(o, "shape", output_text(in->graph, n, shape), failed);
		json_put_number(o, "params", (double)in->nodes[i].params, failed);
		json_put_number(o, "macs", (double)in->nodes[i].macs, failed);
		if (n->opaque)
			json_put_string(o, "opaque", n->opaque, failed);
	}
}

static enum err print_json(const struct inspection *in, FILE *out, struct errinfo *e)
{
	bool failed = false;
	cJSON *doc = in->inventory;
	json_put_number(doc, "opset", (double)in->graph->opset, &failed);
	json_put_number(doc, "params", (double)in->all.params, &failed);
	json_put_number(doc, "macs", (double)in->all.macs, &failed);
	json_put_number(doc, "bytes", (double)in->all.bytes, &failed);
	json_put_number(doc, "memory", (double)in->all.memory, &failed);
	json_put(doc, "incomplete", cJSON_CreateBool(inspect_opaque(in->graph) > 0), &failed);
	add_shapes(doc, "inputs", in->graph, in->graph->inputs, in->graph->input_count, &failed);
	add_shapes(doc, "outputs", in->graph, in->graph->outputs, in->graph->output_count, &failed);
	add_nodes(doc, in, &failed);
	char *text = failed ? NULL : cJSON_Print(doc);
	if (!text)
		return err_set(e, ERR_MEMORY, "out of memory");
	fprintf(out, "%s\n", text);
	cJSON_free(text);
	return ERR_OK;
}

/* ---- tables ---- */

/* So wide that the longest text of a column fits, and no narrower than usual. */
struct widths {
	int name, op, output;
};

static void widen(int *width, const char *text)
{
	int len = (int)strlen(text);
	*width = len > *width ? len : *width;
}

static void print_layers(const struct inspection *in, FILE *out)
{
	char shape[128];
	const struct graph *g = in->graph;
	struct widths w = { 40, 20, 24 };
	for (int i = 0; i < g->node_count; i++) {
		widen(&w.name, g->nodes[i].name);
		widen(&w.op, operator_of(&g->nodes[i]));
		widen(&w.output, output_text(g, &g->nodes[i], shape));
	}
	fprintf(out, "%-*s %-*s %-*s %12s %14s\n", w.name, "layer", w.op, "operator", w.output, "output", "params",
		"MACs");
	for (int i = 0; i < g->node_count; i++) {
		const struct node *n = &g->nodes[i];
		fprintf(out, "%-*s %-*s %-*s %12lld %14lld\n", w.name, n->name, w.op, operator_of(n), w.output,
			output_text(g, n, shape), (long long)in->nodes[i].params, (long long)in->nodes[i].macs);
	}
}

int inspect_opaque(const struct graph *g)
{
	int count = 0;
	for (int i = 0; i < g->node_count; i++)
		count += !!g->nodes[i].opaque;
	return count;
}

/* Why the network can't be run, and what is left alone. */
static void print_opaque(const struct graph *g, FILE *out)
{
	struct widths w = { 40, 20, 0 };
	if (!inspect_opaque(g))
		return;
	for (int i = 0; i < g->node_count; i++)
		if (g->nodes[i].opaque) {
			widen(&w.name, g->nodes[i].name);
			widen(&w.op, g->nodes[i].type);
		}
	fprintf(out, "\n%-*s %-*s %s\n", w.name, "not understood", w.op, "operator", "reason");
	for (int i = 0; i < g->node_count; i++) {
		const struct node *n = &g->nodes[i];
		if (n->opaque)
			fprintf(out, "%-*s %-*s %s\n", w.name, n->name, w.op, n->type, n->opaque);
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

static int name_width(const cJSON *rows)
{
	const cJSON *row;
	int width = 40;
	cJSON_ArrayForEach(row, rows)
		widen(&width, text_of(row, "name"));
	return width;
}

static void print_groups(const cJSON *groups, FILE *out)
{
	const cJSON *group, *member;
	int width = name_width(groups);
	if (!cJSON_GetArraySize(groups)) {
		fprintf(out, "\ngroups of channels that can be removed: none\n");
		return;
	}
	fprintf(out, "\n%-*s %8s  %s\n", width, "group", "channels", "tensors that get smaller");
	cJSON_ArrayForEach(group, groups)
	{
		fprintf(out, "%-*s %8d ", width, text_of(group, "name"), channels_of(group));
		cJSON_ArrayForEach(member, cJSON_GetObjectItem(group, "members"))
			fprintf(out, " %s", cJSON_GetStringValue(member));
		fprintf(out, "\n");
	}
}

static void print_frozen(const cJSON *frozen, FILE *out)
{
	const cJSON *row;
	int width = name_width(frozen);
	if (!cJSON_GetArraySize(frozen)) {
		fprintf(out, "\nfrozen: none\n");
		return;
	}
	fprintf(out, "\n%-*s %8s  %s\n", width, "frozen", "channels", "reason");
	cJSON_ArrayForEach(row, frozen)
		fprintf(out, "%-*s %8d  %s\n", width, text_of(row, "name"), channels_of(row), text_of(row, "reason"));
}

static void print_text(const struct inspection *in, FILE *out)
{
	const struct size *s = &in->all;
	print_layers(in, out);
	print_opaque(in->graph, out);
	print_groups(cJSON_GetObjectItem(in->inventory, "groups"), out);
	print_frozen(cJSON_GetObjectItem(in->inventory, "frozen"), out);
	fprintf(out, "\n%lld params, %lld MACs, %lld bytes, peak activation memory %lld bytes, opset %lld\n",
		(long long)s->params, (long long)s->macs, (long long)s->bytes, (long long)s->memory,
		(long long)in->graph->opset);
	if (inspect_opaque(in->graph))
		fprintf(out, "incomplete: %s\n", INSPECT_INCOMPLETE);
}

enum err inspect_print(const char *model, bool json, FILE *out, struct errinfo *e)
{
	struct inspection in = { 0 };
	enum err err = inspection_init(&in, model, e);
	if (!err && json)
		err = print_json(&in, out, e);
	else if (!err)
		print_text(&in, out);
	inspection_fini(&in);
	return err;
}
