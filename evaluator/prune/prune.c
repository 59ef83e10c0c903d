/* prune.c -- a network opened for pruning, and candidates made from it.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune/prune.h"

#include <math.h>
#include <stdlib.h>

#include "evaluator/measure/recalibrate.h"
#include "evaluator/measure/size.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/prune/coupling.h"
#include "evaluator/prune/criterion.h"
#include "evaluator/prune/surgery.h"

enum err prunable_open(const char *model, const char *criterion, struct prunable **ret, struct errinfo *e)
{
	struct prunable *p = calloc(1, sizeof *p);
	if (!p)
		return err_set(e, ERR_MEMORY, "out of memory");
	p->arena = arena_new();
	enum err err = p->arena ? onnx_read(model, &p->graph, e) : err_set(e, ERR_MEMORY, "out of memory");
	if (!err)
		err = coupling_new(p->graph, &p->coupling, e);
	if (!err)
		err = criterion_importance(criterion, p->coupling, p->arena, &p->importance, e);
	if (err)
		prunable_close(p);
	else
		*ret = p;
	return err;
}

void prunable_close(struct prunable *p)
{
	if (!p)
		return;
	coupling_free(p->coupling);
	graph_free(p->graph);
	arena_free(p->arena);
	free(p);
}

enum err prunable_make(const struct prunable *p, const int *keep, struct graph **ret, struct errinfo *e)
{
	bool *removed = calloc((size_t)p->coupling->class_count + 1, sizeof *removed);
	if (!removed)
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = criterion_select(p->coupling, p->importance, keep, removed, e);
	if (!err)
		err = surgery_remove(p->coupling, removed, ret, e);
	free(removed);
	return err;
}

/* ---- by hand ---- */

static void add_size(cJSON *summary, const char *name, int64_t channels, const struct size *s)
{
	cJSON *o = cJSON_AddObjectToObject(summary, name);
	cJSON_AddNumberToObject(o, "channels", (double)channels);
	cJSON_AddNumberToObject(o, "params", (double)s->params);
	cJSON_AddNumberToObject(o, "macs", (double)s->macs);
	cJSON_AddNumberToObject(o, "bytes", (double)s->bytes);
}

static double removed_share(int64_t before, int64_t after)
{
	return before ? 1.0 - (double)after / (double)before : 0.0;
}

static enum err summarise(const struct prunable *p, const int *keep, const struct graph *pruned, double ratio, cJSON **ret,
	struct errinfo *e)
{
	struct size before, after;
	int64_t channels = 0, kept = 0;
	enum err err = size_count(p->graph, &before, e);
	if (!err)
		err = size_count(pruned, &after, e);
	if (err)
		return err;
	for (int i = 0; i < p->coupling->group_count; i++) {
		channels += p->coupling->groups[i].channels;
		kept += keep[i];
	}
	cJSON *summary = cJSON_CreateObject();
	cJSON *requested = cJSON_AddObjectToObject(summary, "requested");
	cJSON_AddNumberToObject(requested, "channels", ratio);
	cJSON *achieved = cJSON_AddObjectToObject(summary, "achieved");
	cJSON_AddNumberToObject(achieved, "channels", removed_share(channels, kept));
	cJSON_AddNumberToObject(achieved, "params", removed_share(before.params, after.params));
	cJSON_AddNumberToObject(achieved, "macs", removed_share(before.macs, after.macs));
	add_size(summary, "before", channels, &before);
	add_size(summary, "after", kept, &after);
	*ret = summary;
	return summary ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
}

static enum err prune_to(const struct prunable *p, const struct prune_request *r, int *keep, cJSON **ret_summary, struct errinfo *e)
{
	struct graph *pruned = NULL;
	for (int i = 0; i < p->coupling->group_count; i++) {
		long kept = lround(p->coupling->groups[i].channels * (1.0 - r->ratio));
		keep[i] = kept < 1 ? 1 : (int)kept;
	}
	enum err err = prunable_make(p, keep, &pruned, e);
	if (err)
		return err;
	if (r->calibrate)
		err = recalibrate(pruned, r->calibrate, r->images, 1, NULL, e);
	if (!err)
		err = onnx_write(pruned, r->out, e);
	if (!err)
		err = summarise(p, keep, pruned, r->ratio, ret_summary, e);
	graph_free(pruned);
	return err;
}

enum err prune_file(const struct prune_request *r, cJSON **ret_summary, struct errinfo *e)
{
	struct prunable *p;
	if (!(r->ratio >= 0 && r->ratio < 1))
		return err_set(e, ERR_INPUT, "ratio: is %g, expected at least 0 and less than 1", r->ratio);
	enum err err = prunable_open(r->model, r->criterion, &p, e);
	if (err)
		return err;
	int *keep = calloc((size_t)p->coupling->group_count + 1, sizeof *keep);
	err = keep ? prune_to(p, r, keep, ret_summary, e) : err_set(e, ERR_MEMORY, "out of memory");
	free(keep);
	prunable_close(p);
	return err;
}
