/* train_file.c -- training by hand: one file in, the trained one out.
 * SPDX-License-Identifier: MIT */
#include "evaluator/train_file.h"

#include <limits.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "evaluator/data/dataset.h"
#include "evaluator/measure/accuracy.h"
#include "evaluator/measure/recalibrate.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/train/fit.h"
#include "evaluator/train/teacher.h"

enum err train_file_settings(const char *path, bool teacher, struct trainspec *ret, struct errinfo *e)
{
	cJSON *settings = NULL;
	enum err err = path ? json_parse_file(path, &settings, e) : ERR_OK;
	if (!path && !(settings = cJSON_CreateObject()))
		err = err_set(e, ERR_MEMORY, "out of memory");
	if (!err) {
		err = trainspec_read(settings, "", teacher, ret, e);
		if (err && path)
			err = err_wrap(e, "%s", path);
	}
	cJSON_Delete(settings);
	return err;
}

static enum err summarise(const struct train_request *r, const struct fit_result *f, cJSON **ret, struct errinfo *e)
{
	cJSON *summary = cJSON_CreateObject();
	bool failed = !summary;
	json_put_number(summary, "steps", (double)f->steps, &failed);
	json_put_number(summary, "images", (double)f->images, &failed);
	json_put_number(summary, "loss", f->loss, &failed);
	if (isfinite(f->kept_loss))
		json_put_number(summary, "kept_loss", f->kept_loss, &failed);
	json_put_number(summary, "seconds", f->seconds, &failed);
	json_put_number(summary, "images_per_second", (double)f->images / f->seconds, &failed);
	json_put(summary, "settings", trainspec_write(&r->spec), &failed);
	if (failed) {
		cJSON_Delete(summary);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	*ret = summary;
	return ERR_OK;
}

static enum err open_teacher(const struct train_request *r, const struct graph *student, struct graph **ret_graph,
	struct teacher **ret, struct errinfo *e)
{
	enum err err = score_check(student, r->data, e);
	if (!err)
		err = onnx_read(r->teacher, ret_graph, e);
	if (!err)
		err = teacher_open(*ret_graph, r->data, student->values[student->outputs[0]].shape.dim[1], ret, e);
	return err;
}

/* Before hours of training: a folder that is not there or may not be written to. */
static enum err check_place(const char *out, struct errinfo *e)
{
	char target[PATH_MAX];
	enum err err = file_target(out, target, e);
	if (err)
		return err;
	char *slash = strrchr(target, '/');
	if (slash)
		*(slash == target ? slash + 1 : slash) = '\0';
	return access(slash ? target : ".", W_OK) ? err_errno(e, "%s", out) : ERR_OK;
}

enum err train_file(const struct train_request *r, cJSON **ret_summary, struct errinfo *e)
{
	struct graph *g = NULL, *teacher_graph = NULL;
	struct teacher *teacher = NULL;
	struct fit_result result;
	enum err err = check_place(r->out, e);
	if (!err)
		err = onnx_read(r->model, &g, e);
	if (!err && r->teacher && r->spec.distil_weight > 0)
		err = open_teacher(r, g, &teacher_graph, &teacher, e);
	struct fit_request request = { .images = r->data, .spec = &r->spec, .teacher = teacher, .seed = r->seed };
	if (!err)
		err = fit(g, &request, &result, e);
	if (!err && r->recalibrate)
		err = recalibrate(g, r->data, r->recalibrate, r->seed, NULL, e);
	if (!err)
		err = onnx_write(g, r->out, e);
	if (!err)
		err = summarise(r, &result, ret_summary, e);
	teacher_close(teacher);
	graph_free(teacher_graph);
	graph_free(g);
	return err;
}
