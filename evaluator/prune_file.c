/* prune_file.c -- pruning by hand: one file in, a smaller one out.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune_file.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/json.h"
#include "evaluator/measure/recalibrate.h"
#include "evaluator/measure/size.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/prune/coupling.h"
#include "evaluator/prune/prune.h"

static void add_size(cJSON *summary, const char *name, int64_t channels, const struct size *s, bool *failed)
{
	cJSON *o = json_put(summary, name, cJSON_CreateObject(), failed);
	json_put_number(o, "channels", (double)channels, failed);
	json_put_number(o, "params", (double)s->params, failed);
	json_put_number(o, "macs", (double)s->macs, failed);
	json_put_number(o, "bytes", (double)s->bytes, failed);
}

static double removed_share(int64_t before, int64_t after)
{
	return before ? 1.0 - (double)after / (double)before : 0.0;
}

static enum err summarise(const struct prunable *p, const int *keep, const struct graph *pruned, double ratio,
	cJSON **ret, struct errinfo *e)
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
	bool failed = !summary;
	cJSON *requested = json_put(summary, "requested", cJSON_CreateObject(), &failed);
	json_put_number(requested, "channels", ratio, &failed);
	cJSON *achieved = json_put(summary, "achieved", cJSON_CreateObject(), &failed);
	json_put_number(achieved, "channels", removed_share(channels, kept), &failed);
	json_put_number(achieved, "params", removed_share(before.params, after.params), &failed);
	json_put_number(achieved, "macs", removed_share(before.macs, after.macs), &failed);
	add_size(summary, "before", channels, &before, &failed);
	add_size(summary, "after", kept, &after, &failed);
	if (failed) {
		cJSON_Delete(summary);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	*ret = summary;
	return ERR_OK;
}

static enum err prune_to(
	const struct prunable *p, const struct prune_request *r, int *keep, cJSON **ret_summary, struct errinfo *e)
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
	struct stat in, out;
	if (!stat(r->model, &in) && !stat(r->out, &out) && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
		return err_set(e, ERR_INPUT, "%s: is the model itself, expected another file to write", r->out);
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
