/* prune_file.c -- pruning by hand: one file in, a smaller one out.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "evaluator/data/sample.h"
#include "evaluator/inspect.h"
#include "evaluator/measure/activation.h"
#include "evaluator/measure/recalibrate.h"
#include "evaluator/measure/size.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/prune/choice.h"
#include "evaluator/prune/coupling.h"
#include "evaluator/prune/prune.h"
#include "evaluator/train/saliency.h"

#define NOTHING                                                                                                       \
	"nothing can be pruned: the network has no group of channels that could be removed "                          \
	"(pare-worker inspect lists what is frozen, and why)"

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
	const char *metric; /* of this; NULL: by list */
	cJSON *list;        /* of what r->keep says */
};

static void add_requested(const struct pruning *w, cJSON *summary, bool *failed)
{
	cJSON *requested = json_put(summary, "requested", cJSON_CreateObject(), failed);
	if (w->metric)
		json_put_number(requested, w->metric, w->requested, failed);
	else
		json_put(requested, "keep", cJSON_Duplicate(w->list, true), failed);
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
	cJSON *keep = json_put(summary, "keep", cJSON_CreateObject(), failed);
	for (int g = 0; g < w->p->coupling->group_count; g++)
		json_put_number(keep, w->p->coupling->groups[g].name, w->keep[g], failed);
}

static void join(char *note, size_t size, const char *text)
{
	size_t used = strlen(note);
	snprintf(note + used, size - used, "%s%s", used ? "; " : "", text);
}

/* What the person who asked may not have expected. */
static void add_note(const struct pruning *w, cJSON *summary, bool *failed)
{
	char groups[256], ranked[400], note[1024] = "";
	if (!w->p->coupling->group_count)
		join(note, sizeof note, NOTHING);
	if (prunable_by_l1(w->p, groups)) {
		snprintf(ranked, sizeof ranked, "ranked by l1, for %s says nothing about them: %s", w->r->criterion,
			groups);
		join(note, sizeof note, ranked);
	}
	if (w->r->images && !recalibrate_applies(w->p->graph))
		join(note, sizeof note, "there is nothing to recalibrate, for the network has no batch-norm");
	if (inspect_opaque(w->p->graph))
		join(note, sizeof note, INSPECT_INCOMPLETE);
	if (*note)
		json_put_string(summary, "note", note, failed);
	json_put(summary, "incomplete", cJSON_CreateBool(inspect_opaque(w->p->graph) > 0), failed);
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
	add_requested(w, summary, &failed);
	add_achieved(summary, removed_share(channels, kept), &before, &after, &failed);
	add_size(summary, "before", channels, &before, &failed);
	add_size(summary, "after", kept, &after, &failed);
	add_keep(w, summary, &failed);
	add_note(w, summary, &failed);
	if (failed) {
		cJSON_Delete(summary);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	*ret = summary;
	return ERR_OK;
}

/* A reader of JSON takes one of two, and which one is its own affair. */
static enum err check_once(const cJSON *list, struct errinfo *e)
{
	const cJSON *item, *other;
	cJSON_ArrayForEach(item, list)
		for (other = item->next; other; other = other->next)
			if (item->string && !strcmp(item->string, other->string))
				return err_set(e, ERR_INPUT, "%.200s: is given twice", item->string);
	return ERR_OK;
}

static enum err choose_by_file(struct pruning *w, struct errinfo *e)
{
	enum err err = json_parse_file(w->r->keep, &w->list, e);
	if (err)
		return err;
	err = choice_by_list(w->p->coupling, w->list, w->keep, e);
	if (!err)
		err = check_once(w->list, e);
	return err ? err_wrap(e, "%s", w->r->keep) : ERR_OK;
}

static enum err choose_by_target(struct pruning *w, struct errinfo *e)
{
	const char *target = w->r->target;
	w->metric = strstr(target, "params") ? "params" : strstr(target, "macs") ? "macs" : "bytes";
	enum err err = prune_file_check_target(target, e);
	if (err)
		return err;
	err = choice_by_target(w->p->coupling, target, w->keep, &w->requested, e);
	if (err == ERR_INPUT && !w->p->coupling->group_count)
		return err_set(e, err, "target: " NOTHING);
	return err ? err_wrap(e, "target") : ERR_OK;
}

static enum err choose(struct pruning *w, struct errinfo *e)
{
	const struct prune_request *r = w->r;
	if (r->keep)
		return choose_by_file(w, e);
	if (r->target)
		return choose_by_target(w, e);
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

/* The text alone: a network that costs nothing meets whatever can be read. */
enum err prune_file_check_target(const char *target, struct errinfo *e)
{
	return choice_check_target(target, e) ? err_wrap(e, "target") : ERR_OK;
}

enum err prune_file(const struct prune_request *r, cJSON **ret_summary, struct errinfo *e)
{
	enum { SAMPLE_IMAGES = 256 };
	struct sample sample = { .split = r->data, .images = SAMPLE_IMAGES };
	struct ranking ranking = { .criterion = r->criterion, .seed = r->seed,
		.observe = r->data ? activation_means : NULL, .saliency = r->data ? saliency_of : NULL,
		.arg = &sample };
	struct pruning w = { .r = r };
	enum err err = check_request(r, e);
	if (!err)
		err = prunable_open_ranked(r->model, &ranking, &w.p, e);
	if (err)
		return err;
	w.keep = calloc((size_t)w.p->coupling->group_count + 1, sizeof *w.keep);
	err = w.keep ? prune_to(&w, ret_summary, e) : err_set(e, ERR_MEMORY, "out of memory");
	cJSON_Delete(w.list);
	free(w.keep);
	prunable_close(w.p);
	return err;
}
