/* command.c -- what pare-worker does for a person at a terminal, and its service, one function a verb.
 * SPDX-License-Identifier: MIT */
#include "evaluator/command.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "evaluator/data/dataset.h"
#include "evaluator/data/usual.h"
#include "evaluator/inspect.h"
#include "evaluator/measure/accuracy.h"
#include "evaluator/option.h"
#include "evaluator/prune/criterion.h"
#include "evaluator/prune_file.h"
#include "evaluator/train_file.h"
#include "evaluator/worker.h"

enum { LONGEST_TOKEN = 400, DEFAULT_CACHE_MB = 8192 };

#define ROWS(rows) (rows), sizeof(rows) / sizeof *(rows)

/* What the options of several verbs say about data. */
struct data_options {
	const char *path, *mean, *std, *size;
};

static int complain(int status, const struct errinfo *e)
{
	fflush(stdout);
	fprintf(stderr, "pare-worker: %s\n", e->msg);
	return status;
}

/* Output that did not arrive is a failure too. */
static int finish(enum err err, struct errinfo *e)
{
	if (!err && (fflush(stdout) || ferror(stdout)))
		err = err_errno(e, "standard output");
	return err ? complain(EXIT_FAILURE, e) : EXIT_SUCCESS;
}

static enum err print_json(const cJSON *doc, struct errinfo *e)
{
	char *text = cJSON_Print(doc);
	if (!text)
		return err_set(e, ERR_MEMORY, "out of memory");
	puts(text);
	cJSON_free(text);
	return ERR_OK;
}

/* ---- inspect ---- */

struct inspect_options {
	const char *model;
	bool json;
};

static const struct option_row inspect_rows[] = {
	{ NULL, "MODEL", OPTION_TEXT, offsetof(struct inspect_options, model), true, 0, 0 },
	{ "--json", NULL, OPTION_FLAG, offsetof(struct inspect_options, json), false, 0, 0 },
};

int command_inspect(int argc, char **argv)
{
	struct inspect_options o = { 0 };
	struct errinfo e = { 0 };
	if (option_read(argc, argv, ROWS(inspect_rows), &o, &e))
		return complain(EXIT_USAGE, &e);
	return finish(inspect_print(o.model, o.json, stdout, &e), &e);
}

/* ---- eval ---- */

static enum err read_norm(const struct data_options *o, struct normalisation *ret, struct errinfo *e)
{
	struct normalisation norm = { 0 };
	size_t means = 0, stds = 0;
	enum err err = ERR_OK;
	for (int i = 0; i < DATASET_MAX_CHANNELS; i++)
		norm.std[i] = 1;
	if (o->mean)
		err = option_numbers("--mean", o->mean, norm.mean, DATASET_MAX_CHANNELS, &means, e);
	if (!err && o->std)
		err = option_numbers("--std", o->std, norm.std, DATASET_MAX_CHANNELS, &stds, e);
	if (err)
		return err;
	if (means && stds && means != stds)
		return err_set(e, ERR_INPUT, "--std: has %zu entries, expected %zu as --mean", stds, means);
	for (size_t i = 0; i < stds; i++)
		if (!(norm.std[i] > 0))
			return err_set(e, ERR_INPUT, "--std: entry %zu is %g, expected more than 0", i,
				(double)norm.std[i]);
	norm.channels = (int)(means ? means : stds);
	*ret = norm;
	return ERR_OK;
}

/* "224", "224,192" or "28,28,1": height, width and channels. */
static enum err read_size(const struct data_options *o, struct usual_request *r, struct errinfo *e)
{
	float side[3];
	size_t n = 0;
	if (!o->size)
		return ERR_OK;
	enum err err = option_numbers("--size", o->size, side, 3, &n, e);
	for (size_t i = 0; i < n && !err; i++)
		if (!(side[i] >= 1 && side[i] <= 4096) || side[i] != floorf(side[i]))
			err = err_set(e, ERR_INPUT, "--size: is '%.60s', expected integers from 1 to 4096", o->size);
	if (!err && n == 3 && side[2] != 1 && side[2] != 3)
		err = err_set(e, ERR_INPUT, "--size: is '%.60s', expected 1 or 3 channels", o->size);
	if (err)
		return err;
	r->height = (int64_t)side[0];
	r->width = (int64_t)side[n > 1];
	r->channels = n == 3 ? (int64_t)side[2] : 0;
	return ERR_OK;
}

/* What the options ask for; *norm is borrowed. */
static enum err read_data_options(const struct data_options *o, struct normalisation *norm, struct usual_request *ret,
	struct errinfo *e)
{
	*ret = (struct usual_request){ .path = o->path, .norm = norm };
	enum err err = read_norm(o, norm, e);
	return err ? err : read_size(o, ret, e);
}

struct eval_options {
	const char *model, *split;
	struct data_options data;
	size_t images;
	bool json;
};

static const struct option_row eval_rows[] = {
	{ NULL, "MODEL", OPTION_TEXT, offsetof(struct eval_options, model), true, 0, 0 },
	{ "--data", "PATH", OPTION_TEXT, offsetof(struct eval_options, data.path), true, 0, 0 },
	{ "--split", "test|train", OPTION_TEXT, offsetof(struct eval_options, split), false, 0, 0 },
	{ "--images", "N", OPTION_COUNT, offsetof(struct eval_options, images), false, 1, 4294967295.0 },
	{ "--mean", "M,...", OPTION_TEXT, offsetof(struct eval_options, data.mean), false, 0, 0 },
	{ "--std", "S,...", OPTION_TEXT, offsetof(struct eval_options, data.std), false, 0, 0 },
	{ "--size", "H,W,C", OPTION_TEXT, offsetof(struct eval_options, data.size), false, 0, 0 },
	{ "--json", NULL, OPTION_FLAG, offsetof(struct eval_options, json), false, 0, 0 },
};

static enum err print_score(const struct eval_options *o, const struct score *s, struct errinfo *e)
{
	if (!o->json) {
		printf("accuracy  %.4f\nloss      %.4f\nimages    %zu (%s)\n", s->accuracy, s->loss, s->count,
			o->split);
		return ERR_OK;
	}
	cJSON *doc = cJSON_CreateObject();
	bool ok = doc && cJSON_AddStringToObject(doc, "model", o->model) &&
		  cJSON_AddStringToObject(doc, "split", o->split) &&
		  cJSON_AddNumberToObject(doc, "images", (double)s->count) &&
		  cJSON_AddNumberToObject(doc, "accuracy", s->accuracy) &&
		  cJSON_AddNumberToObject(doc, "loss", s->loss);
	enum err err = ok ? print_json(doc, e) : err_set(e, ERR_MEMORY, "out of memory");
	cJSON_Delete(doc);
	return err;
}

int command_eval(int argc, char **argv)
{
	struct eval_options o = { .split = "test" };
	struct normalisation norm;
	struct usual_request request;
	struct usual *data = NULL;
	struct split split;
	struct score score = { 0 };
	struct errinfo e = { 0 };
	enum err err = option_read(argc, argv, ROWS(eval_rows), &o, &e);
	if (!err && strcmp(o.split, "test") && strcmp(o.split, "train"))
		err = err_set(&e, ERR_INPUT, "eval: --split: is '%.60s', expected test or train", o.split);
	if (!err)
		err = read_data_options(&o.data, &norm, &request, &e);
	if (err)
		return complain(EXIT_USAGE, &e);
	request.test = !strcmp(o.split, "test");
	request.most = o.images;
	err = usual_open(&request, &data, &split, &e);
	if (!err)
		err = score_model(o.model, &split, &score, &e);
	if (!err)
		err = print_score(&o, &score, &e);
	usual_free(data);
	return finish(err, &e);
}

/* ---- prune ---- */

struct prune_options {
	const char *model, *out, *criterion, *keep, *target;
	double ratio; /* below 0: not given */
	struct data_options data;
	size_t recalibrate, seed;
	bool json;
};

static const struct option_row prune_rows[] = {
	{ NULL, "MODEL", OPTION_TEXT, offsetof(struct prune_options, model), true, 0, 0 },
	{ "--ratio", "R", OPTION_NUMBER, offsetof(struct prune_options, ratio), false, 0, 0.999 },
	{ "--keep", "FILE", OPTION_TEXT, offsetof(struct prune_options, keep), false, 0, 0 },
	{ "--target", "METRIC<=BOUND", OPTION_TEXT, offsetof(struct prune_options, target), false, 0, 0 },
	{ "--seed", "N", OPTION_COUNT, offsetof(struct prune_options, seed), false, 0, 9007199254740992.0 },
	{ "-o", "OUT", OPTION_TEXT, offsetof(struct prune_options, out), true, 0, 0 },
	{ "--criterion", "NAME", OPTION_TEXT, offsetof(struct prune_options, criterion), false, 0, 0 },
	{ "--data", "PATH", OPTION_TEXT, offsetof(struct prune_options, data.path), false, 0, 0 },
	{ "--recalibrate", "N", OPTION_COUNT, offsetof(struct prune_options, recalibrate), false, 1, 4294967295.0 },
	{ "--mean", "M,...", OPTION_TEXT, offsetof(struct prune_options, data.mean), false, 0, 0 },
	{ "--std", "S,...", OPTION_TEXT, offsetof(struct prune_options, data.std), false, 0, 0 },
	{ "--size", "H,W,C", OPTION_TEXT, offsetof(struct prune_options, data.size), false, 0, 0 },
	{ "--json", NULL, OPTION_FLAG, offsetof(struct prune_options, json), false, 0, 0 },
};

static double number_at(const cJSON *doc, const char *object, const char *name)
{
	const cJSON *inner = cJSON_GetObjectItemCaseSensitive(doc, object);
	return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(inner, name));
}

static void print_summary(const struct prune_options *o, const cJSON *summary)
{
	static const struct {
		const char *label, *name;
	} rows[] = { { "params", "params" }, { "MACs", "macs" }, { "bytes", "bytes" } };
	const char *note = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(summary, "note"));
	if (o->keep || o->target)
		printf("requested  %s\n", o->keep ? o->keep : o->target);
	else
		printf("requested  %.1f %% removed\n", 100 * o->ratio);
	printf("channels   %.1f %% removed\n", 100 * number_at(summary, "achieved", "channels"));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		printf("%-9s  %.1f %% removed, %.0f of %.0f left\n", rows[i].label,
			100 * number_at(summary, "achieved", rows[i].name), number_at(summary, "after", rows[i].name),
			number_at(summary, "before", rows[i].name));
	if (note)
		printf("note       %s\n", note);
	printf("written    %s\n", o->out);
}

static enum err prune(const struct prune_options *o, const struct usual_request *request, struct errinfo *e)
{
	struct prune_request r = { .model = o->model, .out = o->out, .criterion = o->criterion, .ratio = o->ratio,
		.keep = o->keep, .target = o->target, .seed = o->seed, .images = o->recalibrate };
	struct usual *data = NULL;
	struct split split;
	cJSON *summary = NULL;
	enum err err = ERR_OK;
	if (o->data.path) {
		err = usual_open(request, &data, &split, e);
		r.data = &split;
	}
	if (!err)
		err = prune_file(&r, &summary, e);
	if (!err && o->json)
		err = print_json(summary, e);
	else if (!err)
		print_summary(o, summary);
	cJSON_Delete(summary);
	usual_free(data);
	return err;
}

static enum err check_prune(const struct prune_options *o, struct errinfo *e)
{
	bool samples = criterion_samples(o->criterion);
	if ((o->ratio >= 0) + !!o->keep + !!o->target != 1)
		return err_set(e, ERR_INPUT, "prune: expected one of --ratio, --keep and --target");
	if (!o->data.path && (o->recalibrate || samples))
		return err_set(e, ERR_INPUT, "prune: %s%s needs --data", samples ? "--criterion " : "--recalibrate",
			samples ? o->criterion : "");
	if (o->data.path && !o->recalibrate && !samples)
		return err_set(e, ERR_INPUT,
			"prune: --data is given, expected --recalibrate or a --criterion that looks at it too");
	if (criterion_check(o->criterion, e) || (o->target && prune_file_check_target(o->target, e)))
		return err_wrap(e, "prune");
	return ERR_OK;
}

int command_prune(int argc, char **argv)
{
	enum { SAMPLE_IMAGES = 256 };
	struct prune_options o = { .criterion = "l1", .ratio = -1, .seed = 1 };
	struct normalisation norm;
	struct usual_request request;
	struct errinfo e = { 0 };
	enum err err = option_read(argc, argv, ROWS(prune_rows), &o, &e);
	if (!err)
		err = check_prune(&o, &e);
	if (!err)
		err = read_data_options(&o.data, &norm, &request, &e);
	if (err)
		return complain(EXIT_USAGE, &e);
	request.most = o.recalibrate ? o.recalibrate : SAMPLE_IMAGES;
	return finish(prune(&o, &request, &e), &e);
}

/* ---- train ---- */

struct train_options {
	const char *model, *out, *settings, *teacher;
	double epochs; /* 0: as the settings say */
	size_t recalibrate, seed;
	struct data_options data;
	bool json;
};

static const struct option_row train_rows[] = {
	{ NULL, "MODEL", OPTION_TEXT, offsetof(struct train_options, model), true, 0, 0 },
	{ "-o", "OUT", OPTION_TEXT, offsetof(struct train_options, out), true, 0, 0 },
	{ "--data", "PATH", OPTION_TEXT, offsetof(struct train_options, data.path), true, 0, 0 },
	{ "--settings", "FILE", OPTION_TEXT, offsetof(struct train_options, settings), false, 0, 0 },
	{ "--epochs", "E", OPTION_NUMBER, offsetof(struct train_options, epochs), false, 1e-6, 10000 },
	{ "--teacher", "MODEL", OPTION_TEXT, offsetof(struct train_options, teacher), false, 0, 0 },
	{ "--recalibrate", "N", OPTION_COUNT, offsetof(struct train_options, recalibrate), false, 1, 4294967295.0 },
	{ "--seed", "N", OPTION_COUNT, offsetof(struct train_options, seed), false, 0, 9007199254740992.0 },
	{ "--mean", "M,...", OPTION_TEXT, offsetof(struct train_options, data.mean), false, 0, 0 },
	{ "--std", "S,...", OPTION_TEXT, offsetof(struct train_options, data.std), false, 0, 0 },
	{ "--size", "H,W,C", OPTION_TEXT, offsetof(struct train_options, data.size), false, 0, 0 },
	{ "--json", NULL, OPTION_FLAG, offsetof(struct train_options, json), false, 0, 0 },
};

static void print_training(const struct train_options *o, const cJSON *summary)
{
	static const char *const names[] = { "steps", "images", "loss", "kept_loss", "seconds", "images_per_second" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const cJSON *x = cJSON_GetObjectItemCaseSensitive(summary, names[i]);
		if (x)
			printf("%-17s  %.6g\n", names[i], x->valuedouble);
	}
	printf("%-17s  %s\n", "written", o->out);
}

static enum err train(const struct train_options *o, const struct usual_request *request, struct train_request *r,
	struct errinfo *e)
{
	struct usual *data = NULL;
	struct split split;
	cJSON *summary = NULL;
	enum err err = usual_open(request, &data, &split, e);
	r->data = &split;
	if (!err)
		err = train_file(r, &summary, e);
	if (!err && o->json)
		err = print_json(summary, e);
	else if (!err)
		print_training(o, summary);
	cJSON_Delete(summary);
	usual_free(data);
	return err;
}

int command_train(int argc, char **argv)
{
	struct train_options o = { .seed = 1 };
	struct normalisation norm;
	struct usual_request request;
	struct train_request r;
	struct errinfo e = { 0 };
	enum err err = option_read(argc, argv, ROWS(train_rows), &o, &e);
	if (!err)
		err = read_data_options(&o.data, &norm, &request, &e);
	r = (struct train_request){ .model = o.model, .out = o.out, .teacher = o.teacher, .recalibrate = o.recalibrate,
		.seed = o.seed };
	if (!err)
		err = train_file_settings(o.settings, o.teacher != NULL, &r.spec, &e);
	if (!err && o.teacher && r.spec.distil_weight == 0)
		err = err_set(&e, ERR_INPUT, "train: --teacher is given, and the settings' distil says that nothing is "
					     "learned from it");
	if (err)
		return complain(EXIT_USAGE, &e);
	if (o.epochs > 0) {
		r.spec.epochs = o.epochs;
		r.spec.steps = 0;
	}
	return finish(train(&o, &request, &r, &e), &e);
}

/* ---- work ---- */

struct work_options {
	const char *url, *name, *cache, *token_file;
	size_t cache_mb, supervisor;
	bool once;
};

static const struct option_row work_rows[] = {
	{ "--url", "URL", OPTION_TEXT, offsetof(struct work_options, url), true, 0, 0 },
	{ "--name", "NAME", OPTION_TEXT, offsetof(struct work_options, name), true, 0, 0 },
	{ "--cache", "DIR", OPTION_TEXT, offsetof(struct work_options, cache), true, 0, 0 },
	{ "--cache-mb", "N", OPTION_COUNT, offsetof(struct work_options, cache_mb), false, 1, 1 << 30 },
	{ "--token-file", "FILE", OPTION_TEXT, offsetof(struct work_options, token_file), false, 0, 0 },
	{ "--supervised", "PID", OPTION_COUNT, offsetof(struct work_options, supervisor), false, 1, INT32_MAX },
	{ "--once", NULL, OPTION_FLAG, offsetof(struct work_options, once), false, 0, 0 },
};

/* The first line of a file, without the newline. */
static enum err read_token(const char *path, char **ret, struct errinfo *e)
{
	char *text;
	size_t len;
	enum err err = file_read(path, LONGEST_TOKEN + 2, &text, &len, e);
	if (err)
		return err;
	text[strcspn(text, "\r\n")] = '\0';
	len = strlen(text);
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			len = 0;
	if (len == 0 || len > LONGEST_TOKEN) {
		free(text);
		return err_set(e, ERR_INPUT, "%s: expected one line, a token of 1 to %d printable characters",
			path, LONGEST_TOKEN);
	}
	*ret = text;
	return ERR_OK;
}

int command_work(int argc, char **argv)
{
	struct work_options o = { .cache_mb = DEFAULT_CACHE_MB };
	char *token = NULL;
	struct errinfo e = { 0 };
	if (option_read(argc, argv, ROWS(work_rows), &o, &e))
		return complain(EXIT_USAGE, &e);
	enum err err = o.token_file ? read_token(o.token_file, &token, &e) : ERR_OK;
	struct worker_options w = { .url = o.url, .token = token, .name = o.name, .cache = o.cache,
		.cache_bytes = (uint64_t)o.cache_mb << 20, .supervisor = (pid_t)o.supervisor, .once = o.once,
		.restart = o.supervisor ? NULL : argv };
	if (!err)
		err = worker_run(&w, &e);
	free(token);
	return finish(err, &e);
}
