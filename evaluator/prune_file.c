/* prune_file.c -- pruning by hand: one file in, a smaller one out.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "evaluator/measure/activation.h"
#include "evaluator/measure/recalibrate.h"
#include "evaluator/measure/size.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/prune/choice.h"
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

/* A request under way. */
struct pruning {
	const struct prune_request *r;
	struct prunable *p;
	int *keep;
	double requested;   /* the fraction removed ... */
	const char *metric; /* of this; NULL: of what has been achieved, group by group */
};

static void add_requested(const struct pruning *w, cJSON *summary, double channels, bool *failed)
{
	cJSON *requested = json_put(summary, "requested", cJSON_CreateObject(), failed);
	json_put_number(requested, w->metric ? w->metric : "channels", w->metric ? w->requested : channels, failed);
}

static void add_achieved(
	cJSON *summary, double channels, const struct size *before, const struct size *after, bool *failed)
{
	cJSON *achieved = json_put(summary, "achieved", cJSON_CreateObject(), failed);
	json_put_number(achieved, "channels", channels, failed);
	json_put_number(achieved, "params", removed_share(before->params, after->params), failed);
	json_put_number(achieved, "macs", removed_share(before->macs, after->macs), failed);
	json_put_number(achieved, "bytes", removed_share(before->bytes, after->bytes), failed);
}

static void add_keep(const struct pruning *w, cJSON *summary, bool *failed)
{
	char groups[256], note[400];
	cJSON *keep = json_put(summary, "keep", cJSON_CreateObject(), failed);
	for (int g = 0; g < w->p->coupling->group_count; g++)
		json_put_number(keep, w->p->coupling->groups[g].name, w->keep[g], failed);
	if (!prunable_by_l1(w->p, groups))
		return;
	snprintf(note, sizeof note, "ranked by l1, for %s says nothing about them: %s", w->r->criterion, groups);
	json_put_string(summary, "note", note, failed);
}

static enum err summarise(const struct pruning *w, const struct graph *pruned, cJSON **ret, struct errinfo *e)
{
	struct size before, after;
	int64_t channels = 0, kept = 0;
	enum err err = size_count(w->p->graph, &before, e);
	if (!err)
		err = size_count(pruned, &after, e);
	if (err)
		return err;
	for (int i = 0; i < w->p->coupling->group_count; i++) {
		channels += w->p->coupling->groups[i].channels;
		kept += w->keep[i];
	}
	cJSON *summary = cJSON_CreateObject();
	bool failed = !summary;
	add_requested(w, summary, removed_share(channels, kept), &failed);
	add_achieved(summary, removed_share(channels, kept), &before, &after, &failed);
	add_size(summary, "before", channels, &before, &failed);
	add_size(summary, "after", kept, &after, &failed);
	add_keep(w, summary, &failed);
	if (failed) {
		cJSON_Delete(summary);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	*ret = summary;
	return ERR_OK;
}

static enum err choose_by_file(struct pruning *w, struct errinfo *e)
{
	cJSON *list;
	enum err err = json_parse_file(w->r->keep, &list, e);
	if (err)
		return err;
	err = choice_by_list(w->p->coupling, list, w->keep, e);
	cJSON_Delete(list);
	return err ? err_wrap(e, "%s", w->r->keep) : ERR_OK;
}

static enum err choose(struct pruning *w, struct errinfo *e)
{
	const struct prune_request *r = w->r;
	if (r->keep)
		return choose_by_file(w, e);
	if (r->target) {
		w->metric = strstr(r->target, "params") ? "params" : strstr(r->target, "macs") ? "macs" : "bytes";
		enum err err = choice_by_target(w->p->coupling, r->target, w->keep, &w->requested, e);
		return err ? err_wrap(e, "target") : ERR_OK;
	}
	w->metric = "channels";
	w->requested = r->ratio;
	choice_by_ratio(w->p->coupling, r->ratio, w->keep);
	return ERR_OK;
}

static enum err prune_to(struct pruning *w, cJSON **ret_summary, struct errinfo *e)
{
	struct graph *pruned = NULL;
	enum err err = choose(w, e);
	if (!err)
		err = prunable_make(w->p, w->keep, &pruned, e);
	if (err)
		return err;
	if (w->r->data && w->r->images)
		err = recalibrate(pruned, w->r->data, w->r->images, 1, NULL, e);
	if (!err)
		err = onnx_write(pruned, w->r->out, e);
	if (!err)
		err = summarise(w, pruned, ret_summary, e);
	graph_free(pruned);
	return err;
}

static enum err check_request(const struct prune_request *r, struct errinfo *e)
{
	struct stat in, out;
	if (!stat(r->model, &in) && !stat(r->out, &out) && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
		return err_set(e, ERR_INPUT, "%s: is the model itself, expected another file to write", r->out);
	if ((r->ratio >= 0) + !!r->keep + !!r->target != 1)
		return err_set(e, ERR_INPUT, "expected one of a ratio, channels to keep, and a target");
	if (r->ratio >= 1)
		return err_set(e, ERR_INPUT, "ratio: is %g, expected at least 0 and less than 1", r->ratio);
	return ERR_OK;
}

enum err prune_file(const struct prune_request *r, cJSON **ret_summary, struct errinfo *e)
{
	enum { SAMPLE_IMAGES = 256 };
	struct activation_sample sample = { .split = r->data, .images = SAMPLE_IMAGES };
	struct ranking ranking = { .criterion = r->criterion, .seed = r->seed,
		.observe = r->data ? activation_means : NULL, .arg = &sample };
	struct pruning w = { .r = r };
	enum err err = check_request(r, e);
	if (!err)
		err = prunable_open_ranked(r->model, &ranking, &w.p, e);
	if (err)
		return err;
	w.keep = calloc((size_t)w.p->coupling->group_count + 1, sizeof *w.keep);
	err = w.keep ? prune_to(&w, ret_summary, e) : err_set(e, ERR_MEMORY, "out of memory");
	free(w.keep);
	prunable_close(w.p);
	return err;
}
