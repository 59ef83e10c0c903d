/* dataspec.c -- the "data" section of a job document.
 * SPDX-License-Identifier: MIT */
#include "base/dataspec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const int64_t DEFAULT_HOLDOUT = 5000;
enum { LARGEST_SIDE = 4096, LARGEST_RESIZE = 8192 };

static const char *const formats[] = { "idx", "npy", "npz", "cifar10", "cifar100", "folder" };
static const char *const roles[] = { "train", "validation", "test" };

const char *data_format_name(enum data_format f)
{
	return formats[f];
}

const char *data_role_name(enum data_role r)
{
	return roles[r];
}

struct raw {
	const char *format, *layout;
	const cJSON *train, *validation, *test, *split, *size, *mean, *std;
	int64_t holdout, resize, channels;
};

/* Integers that are not given stay -1: their ranges begin at 1. */
static const struct json_field raw_fields[] = {
	JSON_FIELD(struct raw, format, JSON_STRING, true, 0, 0),
	JSON_FIELD(struct raw, train, JSON_OBJECT, true, 0, 0),
	JSON_FIELD(struct raw, validation, JSON_OBJECT, false, 0, 0),
	JSON_FIELD(struct raw, test, JSON_OBJECT, true, 0, 0),
	JSON_FIELD(struct raw, holdout, JSON_INT, false, 1, 1e9),
	JSON_FIELD(struct raw, split, JSON_OBJECT, false, 0, 0),
	JSON_FIELD(struct raw, layout, JSON_STRING, false, 0, 0),
	JSON_FIELD(struct raw, size, JSON_ANY, false, 0, 0),
	JSON_FIELD(struct raw, resize, JSON_INT, false, 1, LARGEST_RESIZE),
	JSON_FIELD(struct raw, channels, JSON_INT, false, 1, 3),
	JSON_FIELD(struct raw, mean, JSON_ARRAY, false, 0, 0),
	JSON_FIELD(struct raw, std, JSON_ARRAY, false, 0, 0),
};

/* ---- one set ---- */

struct raw_set {
	const char *images, *labels, *file, *images_key, *labels_key, *folder;
	const cJSON *files;
};

static const struct json_field pair_fields[] = {
	JSON_FIELD(struct raw_set, images, JSON_STRING, true, 0, 0),
	JSON_FIELD(struct raw_set, labels, JSON_STRING, true, 0, 0),
};

static const struct json_field npz_fields[] = {
	JSON_FIELD(struct raw_set, file, JSON_STRING, true, 0, 0),
	JSON_FIELD(struct raw_set, images_key, JSON_STRING, false, 0, 0),
	JSON_FIELD(struct raw_set, labels_key, JSON_STRING, false, 0, 0),
};

static const struct json_field cifar_fields[] = {
	JSON_FIELD(struct raw_set, files, JSON_ARRAY, true, 0, 0),
};

static const struct json_field folder_fields[] = {
	JSON_FIELD(struct raw_set, folder, JSON_STRING, true, 0, 0),
};

static const struct {
	const struct json_field *fields;
	size_t count;
} set_fields[] = {
	[DATA_IDX] = { pair_fields, COUNT(pair_fields) },
	[DATA_NPY] = { pair_fields, COUNT(pair_fields) },
	[DATA_NPZ] = { npz_fields, COUNT(npz_fields) },
	[DATA_CIFAR10] = { cifar_fields, COUNT(cifar_fields) },
	[DATA_CIFAR100] = { cifar_fields, COUNT(cifar_fields) },
	[DATA_FOLDER] = { folder_fields, COUNT(folder_fields) },
};

static void add_file(struct dataspec_set *s, const char *key, const char *name)
{
	if (!name)
		return;
	struct dataspec_file *f = &s->files[s->file_count++];
	snprintf(f->key, sizeof f->key, "%s", key);
	f->name = name;
}

static enum err add_files(struct dataspec_set *s, const cJSON *files, const char *path, struct errinfo *e)
{
	char key[24], brief[64];
	int n = cJSON_GetArraySize(files), i = 0;
	if (n < 1 || n > DATASPEC_FILES)
		return err_set(e, ERR_INPUT, "%s.files: has %d entries, expected 1 to %d", path, n, DATASPEC_FILES);
	for (const cJSON *item = files->child; item; item = item->next, i++) {
		if (!cJSON_IsString(item))
			return err_set(e, ERR_INPUT, "%s.files[%d]: is %s, expected the name of a file", path, i,
				json_brief(item, brief));
		snprintf(key, sizeof key, "files[%d]", i);
		add_file(s, key, item->valuestring);
	}
	return ERR_OK;
}

static enum err read_set(const cJSON *doc, enum data_format format, enum data_role role, struct dataspec_set *s,
	struct errinfo *e)
{
	static const char *const keys[DATA_ROLES][2] = { { "x_train", "y_train" }, { "x_val", "y_val" },
		{ "x_test", "y_test" } };
	char path[32];
	struct raw_set raw = { .images_key = keys[role][0], .labels_key = keys[role][1] };
	snprintf(path, sizeof path, "data.%s", roles[role]);
	enum err err = json_read(doc, path, set_fields[format].fields, set_fields[format].count, &raw, e);
	if (err)
		return err;
	add_file(s, "images", raw.images);
	add_file(s, "labels", raw.labels);
	add_file(s, "file", raw.file);
	add_file(s, "folder", raw.folder);
	if (format == DATA_NPZ) {
		s->images_key = raw.images_key;
		s->labels_key = raw.labels_key;
	}
	return raw.files ? add_files(s, raw.files, path, e) : ERR_OK;
}

/* ---- which images score ---- */

struct raw_split {
	double validation;
	int64_t seed;
	bool stratified;
};

static const struct json_field split_fields[] = {
	JSON_FIELD(struct raw_split, validation, JSON_NUMBER, true, 0, 1e9),
	JSON_FIELD(struct raw_split, seed, JSON_INT, false, 0, 0x1p53),
	JSON_FIELD(struct raw_split, stratified, JSON_BOOL, false, 0, 0),
};

static enum err read_split(const cJSON *doc, struct dataspec *d, struct errinfo *e)
{
	struct raw_split raw = { .seed = 1 };
	enum err err = json_read(doc, "data.split", split_fields, COUNT(split_fields), &raw, e);
	if (err)
		return err;
	bool whole = raw.validation >= 1 && raw.validation == floor(raw.validation);
	if (!whole && !(raw.validation > 0 && raw.validation < 1))
		return err_set(e, ERR_INPUT,
			"data.split.validation: is %.15g, expected a number of images, or a fraction between 0 and 1",
			raw.validation);
	d->held_count = whole ? (int64_t)raw.validation : 0;
	d->held_fraction = whole ? 0 : raw.validation;
	d->split_seed = raw.seed;
	d->stratified = raw.stratified;
	return ERR_OK;
}

/* At most one of holdout, split and validation. The pictures of a folder are in the order of their classes: the last of
 * them are no sample. */
static enum err read_held(const struct raw *raw, struct dataspec *d, struct errinfo *e)
{
	if ((raw->holdout > 0) + !!raw->split + !!raw->validation > 1)
		return err_set(e, ERR_INPUT,
			"data.%s: is given beside data.%s, expected one of holdout, split and validation",
			raw->holdout > 0 ? "holdout" : "split", raw->validation ? "validation" : "split");
	if (raw->validation) {
		d->held = DATA_OWN_SET;
		return read_set(raw->validation, d->format, DATA_VALIDATION, &d->sets[DATA_VALIDATION], e);
	}
	if (raw->split) {
		d->held = DATA_SPLIT;
		return read_split(raw->split, d, e);
	}
	if (d->format == DATA_FOLDER)
		return err_set(e, ERR_INPUT,
			"data.%s, expected data.split or data.validation: the pictures of a folder stand in the order "
			"of their classes", raw->holdout > 0 ? "holdout: is given" : "split: missing");
	d->held = DATA_HOLDOUT;
	d->held_count = raw->holdout > 0 ? raw->holdout : DEFAULT_HOLDOUT;
	return ERR_OK;
}

/* ---- what only some formats have ---- */

static enum err read_layout(const struct raw *raw, struct dataspec *d, struct errinfo *e)
{
	if (!raw->layout)
		return ERR_OK;
	if (d->format != DATA_NPY && d->format != DATA_NPZ)
		return err_set(e, ERR_INPUT, "data.layout: is given, expected only with the formats npy and npz");
	d->channels_first = !strcmp(raw->layout, "nchw");
	if (!d->channels_first && strcmp(raw->layout, "nhwc"))
		return err_set(e, ERR_INPUT, "data.layout: is \"%.40s\", expected \"nhwc\" or \"nchw\"", raw->layout);
	return ERR_OK;
}

/* 224, or [224, 192]: height and width. */
static enum err read_size(const cJSON *size, struct dataspec *d, struct errinfo *e)
{
	char brief[64];
	double x[2] = { 0 };
	size_t n = 2;
	if (cJSON_IsNumber(size))
		x[0] = x[1] = size->valuedouble;
	else if (!cJSON_IsArray(size) || json_read_numbers(size, "data.size", x, 2, &n, NULL) || n != 2)
		return err_set(e, ERR_INPUT, "data.size: is %s, expected a number of pixels, or [height, width]",
			json_brief(size, brief));
	for (int i = 0; i < 2; i++)
		if (!(x[i] >= 1 && x[i] <= LARGEST_SIDE) || x[i] != floor(x[i]))
			return err_set(e, ERR_INPUT, "data.size: is %.15g, expected an integer from 1 to %d", x[i],
				LARGEST_SIDE);
	d->height = (int64_t)x[0];
	d->width = (int64_t)x[1];
	return ERR_OK;
}

static enum err read_pictures(const struct raw *raw, struct dataspec *d, struct errinfo *e)
{
	if (d->format != DATA_FOLDER) {
		const char *given = raw->size	      ? "size"
				  : raw->resize > 0   ? "resize"
				  : raw->channels > 0 ? "channels"
						      : NULL;
		return !given ? ERR_OK
			      : err_set(e, ERR_INPUT, "data.%s: is given, expected only with the format folder",
					given);
	}
	if (!raw->size)
		return err_set(e, ERR_INPUT,
			"data.size: missing, and required with folder: height and width of the network's input");
	enum err err = read_size(raw->size, d, e);
	if (err)
		return err;
	int64_t least = d->height > d->width ? d->height : d->width;
	if (raw->resize > 0 && raw->resize < least)
		return err_set(e, ERR_INPUT, "data.resize: is %lld, expected at least %lld, data.size",
			(long long)raw->resize, (long long)least);
	if (raw->channels == 2)
		return err_set(e, ERR_INPUT, "data.channels: is 2, expected 1 (grey) or 3 (red, green, blue)");
	d->resize = raw->resize > 0 ? raw->resize : 0;
	d->channels = raw->channels > 0 ? raw->channels : 3;
	return ERR_OK;
}

/* ---- normalisation ---- */

static enum err read_numbers(const cJSON *array, const char *path, double *ret, size_t *ret_n, struct errinfo *e)
{
	if (!array)
		return ERR_OK;
	enum err err = json_read_numbers(array, path, ret, DATASPEC_CHANNELS, ret_n, e);
	if (!err && !*ret_n)
		err = err_set(e, ERR_INPUT, "%s: is empty, expected a number for each channel", path);
	return err;
}

static enum err read_norm(const struct raw *raw, struct dataspec *d, struct errinfo *e)
{
	enum err err = read_numbers(raw->mean, "data.mean", d->mean, &d->mean_count, e);
	if (!err)
		err = read_numbers(raw->std, "data.std", d->std, &d->std_count, e);
	if (err)
		return err;
	for (size_t i = 0; i < d->mean_count; i++)
		if (!isfinite((float)d->mean[i]))
			return err_set(e, ERR_INPUT, "data.mean[%zu]: is %g, expected a number within a float", i,
				d->mean[i]);
	for (size_t i = 0; i < d->std_count; i++)
		if (!((float)d->std[i] > 0) || !isfinite((float)d->std[i]))
			return err_set(e, ERR_INPUT, "data.std[%zu]: is %g, expected a number above 0 within a float",
				i, d->std[i]);
	if (d->mean_count && d->std_count && d->mean_count != d->std_count)
		return err_set(e, ERR_INPUT, "data.std: has %zu entries, expected %zu as data.mean has", d->std_count,
			d->mean_count);
	return ERR_OK;
}

static enum err read_format(const char *text, enum data_format *ret, struct errinfo *e)
{
	for (size_t i = 0; i < COUNT(formats); i++)
		if (!strcmp(text, formats[i])) {
			*ret = (enum data_format)i;
			return ERR_OK;
		}
	return err_set(e, ERR_INPUT,
		"data.format: is \"%.40s\", expected \"idx\", \"npy\", \"npz\", \"cifar10\", \"cifar100\", "
		"\"folder\"", text);
}

enum err dataspec_read(const cJSON *data, struct dataspec *ret, struct errinfo *e)
{
	struct raw raw = { .holdout = -1, .resize = -1, .channels = -1 };
	struct dataspec d = { 0 };
	enum err err = json_read(data, "data", raw_fields, COUNT(raw_fields), &raw, e);
	if (!err)
		err = read_format(raw.format, &d.format, e);
	if (!err)
		err = read_set(raw.train, d.format, DATA_TRAIN, &d.sets[DATA_TRAIN], e);
	if (!err)
		err = read_set(raw.test, d.format, DATA_TEST, &d.sets[DATA_TEST], e);
	if (!err)
		err = read_held(&raw, &d, e);
	if (!err)
		err = read_layout(&raw, &d, e);
	if (!err)
		err = read_pictures(&raw, &d, e);
	if (!err)
		err = read_norm(&raw, &d, e);
	if (!err)
		*ret = d;
	return err;
}
