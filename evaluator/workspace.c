/* workspace.c -- what is kept from one trial to the next.
 * SPDX-License-Identifier: MIT */
#include "evaluator/workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "evaluator/data/decode.h"
#include "evaluator/data/loader.h"
#include "evaluator/kernels/choice.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/model/graph.h"
#include "evaluator/train/teacher.h"

enum { KEPT_DATA = 3 /* a job's training, validation and test set */, RANKING_NAME = 128, TEACHER_NAME = 128 };

struct kept_data {
	char key[DIGEST_HEX + 1];
	struct dataset *data;
};

struct workspace {
	workspace_fetch_cb *fetch;
	void *arg;
	const struct shelf *shelf;
	char model_digest[DIGEST_HEX + 1], ranking[RANKING_NAME];
	struct prunable *model;
	char kernels[4096]; /* path, or empty */
	struct plan *baseline;
	struct teacher *teacher;
	char teacher_name[TEACHER_NAME];
	struct kept_data data[KEPT_DATA];
	int oldest;
	uint32_t *order; /* of the splits last asked for */
};

enum err workspace_open(workspace_fetch_cb *fetch, void *arg, struct workspace **ret, struct errinfo *e)
{
	struct workspace *w = calloc(1, sizeof *w);
	if (!w)
		return err_set(e, ERR_MEMORY, "out of memory");
	w->fetch = fetch;
	w->arg = arg;
	*ret = w;
	return ERR_OK;
}

void workspace_share(struct workspace *w, const struct shelf *shelf)
{
	w->shelf = shelf;
}

void workspace_remember(struct workspace *w, const char *path)
{
	snprintf(w->kernels, sizeof w->kernels, "%s", path);
}

void workspace_choose_kernels(const struct workspace *w, int64_t steps)
{
	enum { WORTH_MEASURING = 300 }; /* it takes about as long as twenty */
	struct errinfo e;
	choice_close();
	if (*w->kernels && steps >= WORTH_MEASURING && choice_open(w->kernels, &e))
		log_warning("%s", e.msg);
}

static void drop_model(struct workspace *w)
{
	plan_free(w->baseline);
	teacher_close(w->teacher);
	prunable_close(w->model);
	w->baseline = NULL;
	w->teacher = NULL;
	w->model = NULL;
}

void workspace_close(struct workspace *w)
{
	if (!w)
		return;
	drop_model(w);
	for (int i = 0; i < KEPT_DATA; i++)
		dataset_free(w->data[i].data);
	free(w->order);
	free(w);
}

enum err workspace_path(struct workspace *w, const char *digest, char ret_path[4096], struct errinfo *e)
{
	return w->fetch(digest, ret_path, w->arg, e);
}

/* Everything that importances depend on beside the model. */
static void name_ranking(const struct ranking *r, const char *sample, char ret[RANKING_NAME])
{
	if (!strcmp(r->criterion, "random"))
		snprintf(ret, RANKING_NAME, "random %llu", (unsigned long long)r->seed);
	else if (!strcmp(r->criterion, "obd"))
		snprintf(ret, RANKING_NAME, "obd %llu %s", (unsigned long long)r->seed, sample);
	else if (criterion_samples(r->criterion))
		snprintf(ret, RANKING_NAME, "%s %s", r->criterion, sample);
	else
		snprintf(ret, RANKING_NAME, "%s", r->criterion);
}

static enum err open_model(struct workspace *w, const char *path, const struct ranking *r, struct errinfo *e)
{
	char groups[256];
	enum err err = prunable_open_ranked(path, r, &w->model, e);
	if (!err && prunable_by_l1(w->model, groups))
		log_info("criterion %s: ranked by l1, for it says nothing about them: %s", r->criterion, groups);
	return err;
}

/* The file at path has that digest; NULL: it is to be fetched. */
static enum err use_model(struct workspace *w, const char *digest, const char *path, const struct ranking *r,
	const char *sample, const struct prunable **ret, struct errinfo *e)
{
	char ranking[RANKING_NAME], fetched[4096];
	enum err err = ERR_OK;
	name_ranking(r, sample, ranking);
	if (!w->model || strcmp(w->model_digest, digest) || strcmp(w->ranking, ranking)) {
		drop_model(w);
		if (!path)
			err = workspace_path(w, digest, fetched, e);
		if (!err)
			err = open_model(w, path ? path : fetched, r, e);
		if (err)
			return err;
		snprintf(w->model_digest, sizeof w->model_digest, "%s", digest);
		snprintf(w->ranking, sizeof w->ranking, "%s", ranking);
	}
	*ret = w->model;
	return ERR_OK;
}

enum err workspace_model(struct workspace *w, const char *digest, const struct ranking *r, const char *sample,
	const struct prunable **ret, struct errinfo *e)
{
	return use_model(w, digest, NULL, r, sample, ret, e);
}

enum err workspace_model_file(struct workspace *w, const char *path, const struct ranking *r, const char *sample,
	const struct prunable **ret, struct errinfo *e)
{
	char digest[DIGEST_HEX + 1];
	enum err err = digest_file(path, digest, e);
	return err ? err : use_model(w, digest, path, r, sample, ret, e);
}

enum err workspace_teacher(
	struct workspace *w, const char *name, const struct split *images, struct teacher **ret, struct errinfo *e)
{
	const struct graph *g = w->model->graph;
	if (!w->teacher || strcmp(w->teacher_name, name)) {
		teacher_close(w->teacher);
		w->teacher = NULL;
		enum err err = teacher_open(g, images, g->values[g->outputs[0]].shape.dim[1], &w->teacher, e);
		if (err)
			return err;
		snprintf(w->teacher_name, sizeof w->teacher_name, "%s", name);
	}
	*ret = w->teacher;
	return ERR_OK;
}

/* Local copies of the files that r->role has, and of the training set that names the classes. */
static enum err fetch_files(struct workspace *w, struct recipe *r, char (*paths)[4096], struct errinfo *e)
{
	const struct dataspec_set *set = &r->spec->sets[r->role];
	enum err err = ERR_OK;
	int n = set->file_count;
	for (int i = 0; i < n && !err; i++) {
		err = workspace_path(w, set->files[i].name, paths[i], e);
		r->paths[i] = paths[i];
	}
	if (!err && r->spec->format == DATA_FOLDER && r->role != DATA_TRAIN) {
		err = workspace_path(w, r->spec->sets[DATA_TRAIN].files[0].name, paths[n], e);
		r->classes = paths[n];
	}
	return err;
}

/* A reader names the copy that it was given, whose name says nothing to the person whose job it is. */
static void say_key(struct errinfo *e, const char *path, const char *role, const char *key)
{
	struct errinfo old = *e;
	const char *from = old.msg;
	size_t used = 0, size = sizeof e->msg;
	for (const char *at; path && *path && (at = strstr(from, path)) && used < size; from = at + strlen(path))
		used += (size_t)snprintf(e->msg + used, size - used, "%.*sdata.%s.%s", (int)(at - from), from, role,
			key);
	if (used < size)
		snprintf(e->msg + used, size - used, "%s", from);
}

static void say_keys(struct errinfo *e, const struct recipe *r)
{
	const struct dataspec_set *set = &r->spec->sets[r->role];
	for (int i = 0; i < set->file_count; i++)
		say_key(e, r->paths[i], data_role_name(r->role), set->files[i].key);
	if (r->classes)
		say_key(e, r->classes, data_role_name(DATA_TRAIN), r->spec->sets[DATA_TRAIN].files[0].key);
}

static enum err decode(struct workspace *w, const struct source *s, enum data_role role, const char *key,
	const atomic_bool *stop, struct dataset **ret, struct errinfo *e)
{
	struct recipe r = { .spec = &s->spec, .role = role };
	char(*paths)[4096] = calloc(DATASPEC_FILES + 1, sizeof *paths);
	if (!paths)
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = fetch_files(w, &r, paths, e);
	if (!err) {
		err = decode_open(&r, key, w->shelf, stop, ret, e);
		if (err)
			say_keys(e, &r);
	}
	free(paths);
	return err;
}

static enum err find_data(struct workspace *w, const struct source *s, enum data_role role, const atomic_bool *stop,
	const struct dataset **ret, struct errinfo *e)
{
	char key[DIGEST_HEX + 1];
	enum err err = decode_key(&s->spec, role, key, e);
	for (int i = 0; i < KEPT_DATA && !err; i++)
		if (w->data[i].data && !strcmp(w->data[i].key, key)) {
			*ret = w->data[i].data;
			if (w->oldest == i)
				w->oldest = (i + 1) % KEPT_DATA;
			return ERR_OK;
		}
	if (err)
		return err;
	struct kept_data *k = &w->data[w->oldest];
	dataset_free(k->data);
	k->data = NULL;
	if (w->shelf)
		err = decode_find(key, w->shelf, &k->data, e);
	if (!err && !k->data)
		err = decode(w, s, role, key, stop, &k->data, e);
	if (err)
		return err;
	memcpy(k->key, key, sizeof k->key);
	w->oldest = (w->oldest + 1) % KEPT_DATA;
	*ret = k->data;
	return ERR_OK;
}

enum err workspace_data(struct workspace *w, const struct source *s, enum data_role role, const atomic_bool *stop,
	const struct dataset **ret, struct errinfo *e)
{
	enum err err = find_data(w, s, role, stop, ret, e);
	bool said = err && !strncmp(e->msg, "data.", strlen("data."));
	return err && !said ? err_wrap(e, "data.%s", data_role_name(role)) : err;
}

enum err workspace_splits(struct workspace *w, const struct source *s, const atomic_bool *stop, struct split *ret_train,
	struct split *ret_held, struct errinfo *e)
{
	const struct dataset *train, *own;
	free(w->order);
	w->order = NULL;
	enum err err = workspace_data(w, s, DATA_TRAIN, stop, &train, e);
	if (err)
		return err;
	if (s->spec.held != DATA_OWN_SET)
		return source_split(s, train, ret_train, ret_held, &w->order, e);
	err = workspace_data(w, s, DATA_VALIDATION, stop, &own, e);
	if (!err)
		err = split_whole(train, &s->norm, ret_train, e);
	if (!err)
		err = split_shuffled(own, &s->norm, ret_held, &w->order, e);
	return err;
}

enum err workspace_baseline(struct workspace *w, int64_t batch, struct plan **ret, struct errinfo *e)
{
	if (w->baseline && plan_batch(w->baseline) != batch) {
		plan_free(w->baseline);
		w->baseline = NULL;
	}
	enum err err = w->baseline ? ERR_OK : plan_new(w->model->graph, batch, PLAN_INFER, &w->baseline, e);
	if (!err)
		*ret = w->baseline;
	return err;
}
