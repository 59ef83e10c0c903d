/* trial.c -- one lease's work: prune, train, recalibrate, measure, export.
 * SPDX-License-Identifier: MIT */
#include "evaluator/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "evaluator/data/sample.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/measure/accuracy.h"
#include "evaluator/measure/activation.h"
#include "evaluator/measure/chance.h"
#include "evaluator/measure/latency.h"
#include "evaluator/measure/recalibrate.h"
#include "evaluator/measure/size.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/order.h"
#include "evaluator/prune/coupling.h"
#include "evaluator/prune/importance.h"
#include "evaluator/prune/inventory.h"
#include "evaluator/train/fit.h"
#include "evaluator/train/saliency.h"
#include "evaluator/workspace.h"

/* One trial under way. */
struct trial {
	struct workspace *w;
	struct order order;
	const struct prunable *model;
	struct split train, held;
	const atomic_bool *stop;
	bool failed; /* memory ran out while the report was written: asked once at the end */
	struct errinfo *e;
};

static void add_latency(struct trial *t, cJSON *metrics, const struct latency *l)
{
	json_put_number(metrics, "latency", l->ratio, &t->failed);
	json_put_number(metrics, "latency_ms", l->median_ms, &t->failed);
	json_put_number(metrics, "latency_p10_ms", l->p10_ms, &t->failed);
	json_put_number(metrics, "latency_p90_ms", l->p90_ms, &t->failed);
	json_put_number(metrics, "latency_ratio_p10", l->ratio_p10, &t->failed);
	json_put_number(metrics, "latency_ratio_p90", l->ratio_p90, &t->failed);
}

/* Times g beside the baseline. The baseline against itself has the ratio 1 by definition; its spread is measured. */
static enum err measure_latency(struct trial *t, const struct graph *g, cJSON *metrics)
{
	struct plan *baseline, *pruned;
	struct latency l;
	enum err err = workspace_baseline(t->w, t->order.latency_batch, &baseline, t->e);
	if (!err)
		err = plan_new(g, t->order.latency_batch, PLAN_INFER, &pruned, t->e);
	if (err)
		return err;
	err = latency_measure(baseline, pruned, (int)t->order.latency_rounds, t->stop, &l, t->e);
	plan_free(pruned);
	if (err)
		return err;
	if (t->order.kind == ORDER_BASELINE)
		l.ratio = 1;
	add_latency(t, metrics, &l);
	return ERR_OK;
}

/* All metrics of one network into a new object under "metrics". */
static enum err measure(struct trial *t, const struct graph *g, cJSON *report)
{
	struct score score;
	struct size size;
	cJSON *metrics = json_put(report, "metrics", cJSON_CreateObject(), &t->failed);
	enum err err = score_graph(g, &t->held, (size_t)t->order.images, t->stop, &score, t->e);
	if (!err)
		err = size_count(g, &size, t->e);
	if (err)
		return err;
	json_put_number(metrics, "accuracy", score.accuracy, &t->failed);
	json_put_number(metrics, "loss", score.loss, &t->failed);
	json_put_number(metrics, "params", (double)size.params, &t->failed);
	json_put_number(metrics, "macs", (double)size.macs, &t->failed);
	json_put_number(metrics, "bytes", (double)size.bytes, &t->failed);
	json_put_number(metrics, "memory", (double)size.memory, &t->failed);
	return t->order.timed ? measure_latency(t, g, metrics) : ERR_OK;
}

/* The training images that a criterion sees which looks at data. */
enum { SAMPLE_IMAGES = 256 };

/* The network at path, or where that is NULL the order's model. */
static enum err open_model(struct trial *t, const char *path)
{
	char sample[DIGEST_HEX + 1] = "";
	struct sample images = { .split = &t->train, .images = SAMPLE_IMAGES, .stop = t->stop };
	struct ranking r = { .criterion = t->order.criterion, .seed = t->order.seed, .observe = activation_means,
		.saliency = saliency_of, .arg = &images };
	enum err err = ERR_OK;
	if (criterion_samples(r.criterion)) {
		err = workspace_splits(t->w, &t->order.source, t->stop, &t->train, &t->held, t->e);
		if (!err)
			err = order_data_digest(&t->order, sample, t->e);
	}
	if (err)
		return err;
	err = path ? workspace_model_file(t->w, path, &r, sample, &t->model, t->e)
		   : workspace_model(t->w, t->order.model, &r, sample, &t->model, t->e);
	if (err)
		return err == ERR_GONE ? err : err_wrap(t->e, "model");
	return workspace_splits(t->w, &t->order.source, t->stop, &t->train, &t->held, t->e);
}

static enum err open_test(struct trial *t, struct split *ret)
{
	const struct dataset *data;
	const struct source *s = &t->order.source;
	enum err err = workspace_data(t->w, s, DATA_TEST, t->stop, &data, t->e);
	return err ? err : split_whole(data, &s->norm, ret, t->e);
}

/* All data of the job, before anything is computed with it: a test set that doesn't fit the network would otherwise be
 * found out when the search is over. */
static enum err check_data(struct trial *t, const struct graph *g)
{
	struct split test;
	bool own = t->order.source.spec.held == DATA_OWN_SET;
	if (score_check_model(g, t->e))
		return err_wrap(t->e, "model");
	if (score_check(g, &t->train, t->e))
		return err_wrap(t->e, "data.train");
	if (score_check(g, &t->held, t->e))
		return err_wrap(t->e, own ? "data.validation" : "data.train");
	enum err err = open_test(t, &test);
	if (err)
		return err;
	return score_check(g, &test, t->e) ? err_wrap(t->e, "data.test") : ERR_OK;
}

static void log_training(const struct fit_result *f)
{
	log_info("trained: %lld steps, %lld images, loss %.4f, %.0f images a second", (long long)f->steps,
		(long long)f->images, f->loss, (double)f->images / f->seconds);
}

/* Trains g, by kernels that are chosen for it. */
static enum err fit_by_choice(struct trial *t, struct graph *g, const struct fit_request *r, struct fit_result *ret)
{
	const struct trainspec *s = r->spec;
	double epoch = (double)t->train.count / (double)s->batch;
	workspace_choose_kernels(t->w, s->steps ? s->steps : (int64_t)(s->epochs * epoch));
	enum err err = fit(g, r, ret, t->e);
	workspace_choose_kernels(t->w, 0);
	return err;
}

/* The order's model trained into a file at path, which is the job's model from then on. */
static enum err pretrain(struct trial *t, const char *path)
{
	char from[4096];
	struct graph *g = NULL;
	struct fit_result result;
	struct fit_request r = { .images = &t->train, .spec = &t->order.pretrain, .seed = t->order.seed,
		.stop = t->stop };
	enum err err = workspace_splits(t->w, &t->order.source, t->stop, &t->train, &t->held, t->e);
	if (!err)
		err = workspace_path(t->w, t->order.model, from, t->e);
	if (!err)
		err = onnx_read(from, &g, t->e);
	if (!err)
		err = check_data(t, g);
	if (!err) {
		err = fit_by_choice(t, g, &r, &result);
		if (err && err != ERR_GONE)
			err = err_wrap(t->e, "pretrain");
	}
	if (!err)
		err = onnx_write(g, path, t->e);
	if (!err)
		log_training(&result);
	graph_free(g);
	return err;
}

/* Everything that the search may know before it has seen a candidate. Where all images are of one class there is no
 * telling chance from skill, and it is left out. */
static enum err take_inventory(struct trial *t, cJSON *report)
{
	cJSON *inventory;
	double chance = 0;
	enum err err = inventory_write(t->model->coupling, &inventory, t->e);
	if (err)
		return err;
	if (!json_put(report, "inventory", inventory, &t->failed))
		return err_set(t->e, ERR_MEMORY, "out of memory for the report");
	err = importance_add(t->model->coupling, inventory, t->e);
	if (!err)
		err = chance_of(&t->held, (size_t)t->order.images, &chance, t->e);
	if (!err && chance < 1)
		json_put_number(inventory, "chance", chance, &t->failed);
	return err;
}

static enum err run_baseline(struct trial *t, const char *model_path, cJSON *report)
{
	enum err err = t->order.pretrains ? pretrain(t, model_path) : ERR_OK;
	if (!err)
		err = open_model(t, t->order.pretrains ? model_path : NULL);
	if (!err)
		err = check_data(t, t->model->graph);
	if (!err)
		err = measure(t, t->model->graph, report);
	return err ? err : take_inventory(t, report);
}

/* The candidate's channel counts, checked against the groups. The caller frees. */
static enum err read_candidate(const struct trial *t, int **ret)
{
	const struct coupling *c = t->model->coupling;
	const cJSON *from = t->order.candidate;
	if (cJSON_GetArraySize(from) != c->group_count)
		return err_set(t->e, ERR_INPUT, "candidate: has %d entries, the model has %d groups",
			cJSON_GetArraySize(from), c->group_count);
	int *keep = calloc((size_t)c->group_count + 1, sizeof *keep), i = 0;
	if (!keep)
		return err_set(t->e, ERR_MEMORY, "out of memory");
	for (const cJSON *item = from->child; item; item = item->next, i++) {
		char brief[64];
		double x = cJSON_IsNumber(item) ? item->valuedouble : 0;
		if (!(x >= 1 && x <= c->groups[i].channels) || x != floor(x)) {
			free(keep);
			return err_set(t->e, ERR_INPUT, "candidate[%d]: is %s, expected an integer from 1 to %d", i,
				json_brief(item, brief), c->groups[i].channels);
		}
		keep[i] = (int)x;
	}
	*ret = keep;
	return ERR_OK;
}

/* Whether g has every learned tensor of `like`, in its shape. */
static enum err check_alike(const struct graph *g, const struct graph *like, struct errinfo *e)
{
	char is[128], expected[128];
	for (int i = 0; i < like->value_count; i++) {
		const struct value *v = &like->values[i], *found = NULL;
		if (!v->data || !v->learned)
			continue;
		for (int k = 0; k < g->value_count && !found; k++)
			if (g->values[k].data && !strcmp(g->values[k].name, v->name))
				found = &g->values[k];
		if (!found)
			return err_set(e, ERR_INPUT, "it has no tensor '%.200s'", v->name);
		if (!shape_equal(&found->shape, &v->shape))
			return err_set(e, ERR_INPUT, "tensor '%.200s' is %s, expected %s as the candidate has it",
				v->name, shape_text(&found->shape, is), shape_text(&v->shape, expected));
	}
	return ERR_OK;
}

/* What the rung below made of the candidate, if that is this candidate. */
static enum err open_from(struct trial *t, const struct graph *pruned, struct graph **ret)
{
	char path[4096];
	struct graph *g = NULL;
	enum err err = workspace_path(t->w, t->order.from, path, t->e);
	if (!err)
		err = onnx_read(path, &g, t->e);
	if (!err)
		err = check_alike(g, pruned, t->e);
	if (err) {
		graph_free(g);
		return err_wrap(t->e, "from");
	}
	*ret = g;
	return ERR_OK;
}

static enum err make_candidate(struct trial *t, struct graph **ret)
{
	int *keep = NULL;
	struct graph *pruned = NULL, *from = NULL;
	enum err err = read_candidate(t, &keep);
	if (!err)
		err = prunable_make(t->model, keep, &pruned, t->e);
	if (!err && t->order.from)
		err = open_from(t, pruned, &from);
	if (!err)
		*ret = from ? from : pruned;
	if (err || from)
		graph_free(pruned);
	free(keep);
	return err;
}

/* The teacher's answers are kept for the same images in the same order. */
static enum err open_teacher(struct trial *t, struct teacher **ret)
{
	char digest[DIGEST_HEX + 1], name[128];
	enum err err = order_data_digest(&t->order, digest, t->e);
	if (err)
		return err;
	snprintf(name, sizeof name, "%s %llu %lld %lld", digest, (unsigned long long)t->order.seed,
		(long long)t->order.train.batch,
		(long long)(t->order.train.patience ? t->order.train.patience_images : 0));
	return workspace_teacher(t->w, name, &t->train, ret, t->e);
}

static enum err train(struct trial *t, struct graph *g)
{
	struct fit_result result;
	struct fit_request r = { .images = &t->train, .spec = &t->order.train, .seed = t->order.seed,
		.stop = t->stop };
	enum err err = t->order.train.distil_weight > 0 ? open_teacher(t, &r.teacher) : ERR_OK;
	if (!err)
		err = fit_by_choice(t, g, &r, &result);
	if (!err)
		log_training(&result);
	return err;
}

static enum err run_candidate(struct trial *t, const char *model_path, cJSON *report)
{
	struct graph *g = NULL;
	enum err err = open_model(t, NULL);
	if (!err)
		err = make_candidate(t, &g);
	if (!err && t->order.trains)
		err = train(t, g);
	if (!err)
		err = recalibrate(g, &t->train, (size_t)t->order.recalibrate, t->order.seed, t->stop, t->e);
	if (!err)
		err = measure(t, g, report);
	if (!err)
		err = onnx_write(g, model_path, t->e);
	graph_free(g);
	return err;
}

/* The test set, scored once with the exported file itself. */
static enum err run_test(struct trial *t, cJSON *report)
{
	char path[4096];
	struct graph *g = NULL;
	struct split all;
	struct score score;
	enum err err = open_test(t, &all);
	if (!err)
		err = workspace_path(t->w, t->order.model, path, t->e);
	if (!err)
		err = onnx_read(path, &g, t->e);
	if (err)
		return err;
	err = score_graph(g, &all, all.count, t->stop, &score, t->e);
	graph_free(g);
	if (err)
		return err;
	cJSON *test = json_put(report, "test", cJSON_CreateObject(), &t->failed);
	json_put_number(test, "accuracy", score.accuracy, &t->failed);
	json_put_number(test, "loss", score.loss, &t->failed);
	return ERR_OK;
}

enum err trial_run(struct workspace *w, const cJSON *lease, const char *model_path, const atomic_bool *stop,
	cJSON **ret_report, struct errinfo *e)
{
	struct trial t = { .w = w, .stop = stop, .e = e };
	enum err err = order_read(lease, &t.order, e);
	if (err)
		return err;
	cJSON *report = cJSON_CreateObject();
	if (!report)
		return err_set(e, ERR_MEMORY, "out of memory");
	switch (t.order.kind) {
	case ORDER_BASELINE:
		err = run_baseline(&t, model_path, report);
		break;
	case ORDER_CANDIDATE:
		err = run_candidate(&t, model_path, report);
		break;
	case ORDER_TEST:
		err = run_test(&t, report);
		break;
	}
	if (!err && t.failed)
		err = err_set(e, ERR_MEMORY, "out of memory for the report");
	if (err)
		cJSON_Delete(report);
	else
		*ret_report = report;
	return err;
}
