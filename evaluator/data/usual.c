/* usual.c -- data for a person at a terminal.
 * SPDX-License-Identifier: MIT */
#include "evaluator/data/usual.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "evaluator/data/decode.h"
#include "evaluator/data/loader.h"
#include "evaluator/data/source.h"

enum { LONGEST_PATH = 4096, MOST_NAMES = 8 };

struct usual {
	struct source source;
	cJSON *doc;       /* a job file */
	char *paths[DATASPEC_FILES], *classes;
	struct dataset *data;
	uint32_t *order;
};

void usual_free(struct usual *u)
{
	if (!u)
		return;
	for (int i = 0; i < DATASPEC_FILES; i++)
		free(u->paths[i]);
	free(u->classes);
	free(u->order);
	dataset_free(u->data);
	cJSON_Delete(u->doc);
	free(u);
}

/* ---- names ---- */

/* Names of one set's files in each format; of those between bars the first one found counts. */
static const struct {
	enum data_format format;
	const char *train[MOST_NAMES], *test[MOST_NAMES];
} usual_names[] = {
	{ DATA_IDX, { "train-images-idx3-ubyte.gz|train-images-idx3-ubyte",
		"train-labels-idx1-ubyte.gz|train-labels-idx1-ubyte" },
		{ "t10k-images-idx3-ubyte.gz|t10k-images-idx3-ubyte",
		"t10k-labels-idx1-ubyte.gz|t10k-labels-idx1-ubyte" } },
	{ DATA_NPY, { "x_train.npy", "y_train.npy" }, { "x_test.npy", "y_test.npy" } },
	{ DATA_CIFAR10, { "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
		"data_batch_5.bin" }, { "test_batch.bin" } },
	{ DATA_CIFAR100, { "train.bin" }, { "test.bin" } },
	{ DATA_FOLDER, { "train" }, { "test|val" } },
};

/* The first readable one of "a|b" in the folder; *ret is NULL when there is none. The caller frees. */
static enum err find(const char *folder, const char *names, char **ret, struct errinfo *e)
{
	char path[LONGEST_PATH];
	*ret = NULL;
	for (const char *p = names; *p; p += strcspn(p, "|"), p += *p == '|') {
		if ((size_t)snprintf(path, sizeof path, "%s/%.*s", folder, (int)strcspn(p, "|"), p) >= sizeof path)
			return err_set(e, ERR_INPUT, "%.200s...: the path is too long", folder);
		if (access(path, R_OK))
			continue;
		*ret = strdup(path);
		return *ret ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
	}
	return ERR_OK;
}

static enum err require(const char *folder, const char *names, char **ret, struct errinfo *e)
{
	int first = (int)strcspn(names, "|");
	const char *other = names[first] ? names + first + 1 : NULL;
	enum err err = find(folder, names, ret, e);
	if (!err && !*ret)
		err = err_set(e, ERR_NOT_FOUND, "%s: has no readable %.*s%s%s", folder, first, names,
			other ? " or " : "", other ? other : "");
	return err;
}

/* Which row's files are there, of whatever set. */
static enum err choose(const char *folder, size_t *ret, struct errinfo *e)
{
	for (size_t i = 0; i < sizeof usual_names / sizeof *usual_names; i++)
		for (int j = 0; j < 2; j++) {
			char *path;
			enum err err = find(folder, j ? usual_names[i].test[0] : usual_names[i].train[0], &path, e);
			free(path);
			if (!err && path)
				*ret = i;
			if (err || path)
				return err;
		}
	return err_set(e, ERR_NOT_FOUND,
		"%s: has no data under a usual name, expected train-images-idx3-ubyte.gz and its kin, x_train.npy, "
		"data_batch_1.bin, train.bin, or folders train and test", folder);
}

static enum err open_folder(struct usual *u, const struct usual_request *r, struct errinfo *e)
{
	size_t row = 0;
	enum err err = choose(r->path, &row, e);
	if (err)
		return err;
	const char *const *names = r->test ? usual_names[row].test : usual_names[row].train;
	struct dataspec_set *set = &u->source.spec.sets[r->test ? DATA_TEST : DATA_TRAIN];
	u->source.spec.format = usual_names[row].format;
	u->source.spec.channels = 3;
	for (int i = 0; i < MOST_NAMES && names[i] && !err; i++) {
		err = require(r->path, names[i], &u->paths[i], e);
		set->file_count = i + 1;
	}
	if (!err && u->source.spec.format == DATA_FOLDER && r->test)
		err = require(r->path, usual_names[row].train[0], &u->classes, e);
	return err;
}

static enum err open_npz(struct usual *u, const struct usual_request *r, struct errinfo *e)
{
	enum data_role role = r->test ? DATA_TEST : DATA_TRAIN;
	u->source.spec.format = DATA_NPZ;
	u->source.spec.sets[role].images_key = r->test ? "x_test" : "x_train";
	u->source.spec.sets[role].labels_key = r->test ? "y_test" : "y_train";
	u->paths[0] = strdup(r->path);
	return u->paths[0] ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
}

/* ---- a job file ---- */

/* A name counts from the job file's folder. */
static enum err beside(const char *jobfile, const char *name, char **ret, struct errinfo *e)
{
	const char *slash = strrchr(jobfile, '/');
	int folder = *name == '/' || !slash ? 0 : (int)(slash - jobfile) + 1;
	if (!strncmp(name, "sha256:", 7))
		return err_set(e, ERR_INPUT, "is \"%.80s\", expected the name of a file on this machine", name);
	if (asprintf(ret, "%.*s%s", folder, jobfile, name) < 0) {
		*ret = NULL;
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	return ERR_OK;
}

static enum err open_jobfile(struct usual *u, const struct usual_request *r, struct errinfo *e)
{
	struct dataspec *d = &u->source.spec;
	enum data_role role = r->test ? DATA_TEST : DATA_TRAIN;
	enum err err = json_parse_file(r->path, &u->doc, e);
	if (err)
		return err;
	err = source_read_paths(cJSON_GetObjectItemCaseSensitive(u->doc, "data"), &u->source, e);
	for (int i = 0; i < d->sets[role].file_count && !err; i++) {
		err = beside(r->path, d->sets[role].files[i].name, &u->paths[i], e);
		if (err)
			err_wrap(e, "data.%s.%s", data_role_name(role), d->sets[role].files[i].key);
	}
	if (!err && d->format == DATA_FOLDER && r->test)
		err = beside(r->path, d->sets[DATA_TRAIN].files[0].name, &u->classes, e);
	return err ? err_wrap(e, "%s", r->path) : ERR_OK;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);
	return len >= n && !strcmp(text + len - n, end);
}

static enum err open_any(struct usual *u, const struct usual_request *r, struct errinfo *e)
{
	struct stat st;
	enum err err;
	if (stat(r->path, &st))
		return err_errno(e, "%s", r->path);
	if (S_ISDIR(st.st_mode))
		err = open_folder(u, r, e);
	else if (ends_with(r->path, ".npz"))
		err = open_npz(u, r, e);
	else if (ends_with(r->path, ".json"))
		err = open_jobfile(u, r, e);
	else
		err = err_set(e, ERR_INPUT, "%s: is no folder, expected one, an .npz archive, or a job file (.json)",
			r->path);
	if (err)
		return err;
	if (r->height) {
		u->source.spec.height = r->height;
		u->source.spec.width = r->width;
		u->source.spec.resize = 0;
	}
	if (r->channels)
		u->source.spec.channels = r->channels;
	if (u->source.spec.format == DATA_FOLDER && !u->source.spec.height)
		return err_set(e, ERR_INPUT,
			"%s: holds pictures, expected --size, the height and width of the network's input", r->path);
	if (r->norm && r->norm->channels)
		u->source.norm = *r->norm;
	return ERR_OK;
}

static enum err read_data(struct usual *u, const struct usual_request *r, struct split *ret, struct errinfo *e)
{
	struct recipe recipe = { .spec = &u->source.spec, .role = r->test ? DATA_TEST : DATA_TRAIN,
		.classes = u->classes };
	for (int i = 0; i < DATASPEC_FILES; i++)
		recipe.paths[i] = u->paths[i];
	enum err err = decode_open(&recipe, "", NULL, NULL, &u->data, e);
	if (err)
		return err;
	if (r->most > u->data->count)
		return err_set(e, ERR_INPUT, "%s: has %zu images, %zu were asked for", r->path, u->data->count,
			r->most);
	bool choose_some = r->most && r->most < u->data->count && u->source.spec.format == DATA_FOLDER;
	err = choose_some ? split_shuffled(u->data, &u->source.norm, ret, &u->order, e)
			  : split_whole(u->data, &u->source.norm, ret, e);
	if (!err && r->most)
		ret->count = r->most;
	return err;
}

enum err usual_open(const struct usual_request *r, struct usual **ret, struct split *ret_split, struct errinfo *e)
{
	struct usual *u = calloc(1, sizeof *u);
	if (!u)
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = open_any(u, r, e);
	if (!err)
		err = read_data(u, r, ret_split, e);
	if (err)
		usual_free(u);
	else
		*ret = u;
	return err;
}
