/* workspace.c -- what is kept from one trial to the next.
 * SPDX-License-Identifier: MIT */
#include "evaluator/workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "evaluator/kernels/plan.h"

enum { KEPT_DATA = 2 }; /* the training set and the test set */

struct kept_data {
	char images[DIGEST_HEX + 1], labels[DIGEST_HEX + 1];
	struct dataset *data;
};

struct workspace {
	workspace_fetch_cb *fetch;
	void *arg;
	char model_digest[DIGEST_HEX + 1], criterion[32];
	struct prunable *model;
	struct plan *baseline;
	struct kept_data data[KEPT_DATA];
	int oldest;
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

static void drop_model(struct workspace *w)
{
	plan_free(w->baseline);
	prunable_close(w->model);
	w->baseline = NULL;
	w->model = NULL;
}

void workspace_close(struct workspace *w)
{
	if (!w)
		return;
	drop_model(w);
	for (int i = 0; i < KEPT_DATA; i++)
		dataset_free(w->data[i].data);
	free(w);
}

enum err workspace_path(struct workspace *w, const char *digest, char ret_path[4096], struct errinfo *e)
{
	return w->fetch(digest, ret_path, w->arg, e);
}

enum err workspace_model(
	struct workspace *w, const char *digest, const char *criterion, const struct prunable **ret, struct errinfo *e)
{
	char path[4096];
	if (w->model && !strcmp(w->model_digest, digest) && !strcmp(w->criterion, criterion)) {
		*ret = w->model;
		return ERR_OK;
	}
	drop_model(w);
	enum err err = workspace_path(w, digest, path, e);
	if (!err)
		err = prunable_open(path, criterion, &w->model, e);
	if (err)
		return err;
	snprintf(w->model_digest, sizeof w->model_digest, "%s", digest);
	snprintf(w->criterion, sizeof w->criterion, "%s", criterion);
	*ret = w->model;
	return ERR_OK;
}

enum err workspace_data(
	struct workspace *w, const char *images, const char *labels, const struct dataset **ret, struct errinfo *e)
{
	char images_path[4096], labels_path[4096];
	for (int i = 0; i < KEPT_DATA; i++)
		if (w->data[i].data && !strcmp(w->data[i].images, images) && !strcmp(w->data[i].labels, labels)) {
			*ret = w->data[i].data;
			w->oldest = (i + 1) % KEPT_DATA;
			return ERR_OK;
		}
	struct kept_data *k = &w->data[w->oldest];
	dataset_free(k->data);
	k->data = NULL;
	enum err err = workspace_path(w, images, images_path, e);
	if (!err)
		err = workspace_path(w, labels, labels_path, e);
	if (!err)
		err = dataset_read_idx(images_path, labels_path, &k->data, e);
	if (err)
		return err;
	snprintf(k->images, sizeof k->images, "%s", images);
	snprintf(k->labels, sizeof k->labels, "%s", labels);
	w->oldest = (w->oldest + 1) % KEPT_DATA;
	*ret = k->data;
	return ERR_OK;
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
