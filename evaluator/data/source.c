/* source.c -- the "data" section of a job: which files, which splits, which normalisation.
 * SPDX-License-Identifier: MIT */
#include "evaluator/data/source.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/json.h"

static const char PREFIX[] = "sha256:";

struct section {
	const char *format;
	const cJSON *train, *test, *mean, *std;
	int64_t holdout;
};

static const struct json_field section_fields[] = {
	JSON_FIELD(struct section, format, JSON_STRING, .required = true),
	JSON_FIELD(struct section, train, JSON_OBJECT, .required = true),
	JSON_FIELD(struct section, test, JSON_OBJECT, .required = true),
	JSON_FIELD(struct section, holdout, JSON_INT, .required = true, .min = 1, .max = UINT32_MAX),
	JSON_FIELD(struct section, mean, JSON_ARRAY, .required = false),
	JSON_FIELD(struct section, std, JSON_ARRAY, .required = false),
};

struct pair {
	const char *images, *labels;
};

static const struct json_field pair_fields[] = {
	JSON_FIELD(struct pair, images, JSON_STRING, .required = true),
	JSON_FIELD(struct pair, labels, JSON_STRING, .required = true),
};

/* A job document says "sha256:DIGEST", a lease only DIGEST. */
static enum err strip(const char *text, const char *path, const char *name, const char **ret, struct errinfo *e)
{
	size_t len = sizeof PREFIX - 1;
	const char *digest = strncmp(text, PREFIX, len) ? text : text + len;
	if (!digest_valid(digest))
		return err_set(e, ERR_INPUT, "%s.%s: is \"%.80s\", expected a digest of 64 hexadecimal digits", path,
			name, text);
	*ret = digest;
	return ERR_OK;
}

static enum err read_pair(const cJSON *doc, const char *path, const char **ret_images, const char **ret_labels,
	struct errinfo *e)
{
	struct pair p;
	enum err err = json_read(doc, path, pair_fields, sizeof pair_fields / sizeof *pair_fields, &p, e);
	if (!err)
		err = strip(p.images, path, "images", ret_images, e);
	if (!err)
		err = strip(p.labels, path, "labels", ret_labels, e);
	return err;
}

/* What is not given is 0 for the mean and 1 for the deviation. */
static enum err read_norm(const cJSON *mean, const cJSON *std, struct normalisation *ret, struct errinfo *e)
{
	double m[DATASET_MAX_CHANNELS] = { 0 }, s[DATASET_MAX_CHANNELS];
	size_t nm = 0, ns = 0;
	for (int i = 0; i < DATASET_MAX_CHANNELS; i++)
		s[i] = 1;
	if (mean && json_read_numbers(mean, "data.mean", m, DATASET_MAX_CHANNELS, &nm, e))
		return e ? e->code : ERR_INPUT;
	if (std && json_read_numbers(std, "data.std", s, DATASET_MAX_CHANNELS, &ns, e))
		return e ? e->code : ERR_INPUT;
	if ((mean && !nm) || (std && !ns))
		return err_set(e, ERR_INPUT, "data.%s: is empty, expected a number for each channel",
			mean && !nm ? "mean" : "std");
	if (mean && std && nm != ns)
		return err_set(e, ERR_INPUT, "data.std: has %zu entries, expected %zu as data.mean", ns, nm);
	ret->channels = (int)(nm ? nm : ns);
	for (int i = 0; i < DATASET_MAX_CHANNELS; i++) {
		ret->mean[i] = (float)m[i];
		ret->std[i] = (float)s[i];
		if (!isfinite(ret->mean[i]))
			return err_set(e, ERR_INPUT, "data.mean[%d]: is %g, expected a number within a float", i, m[i]);
		if (!(ret->std[i] > 0) || !isfinite(ret->std[i]))
			return err_set(e, ERR_INPUT, "data.std[%d]: is %g, expected a number above 0 within a float", i,
				s[i]);
	}
	return ERR_OK;
}

enum err source_read(const cJSON *data, struct source *ret, struct errinfo *e)
{
	struct section s = { 0 };
	struct source out = { 0 };
	enum err err = json_read(data, "data", section_fields, sizeof section_fields / sizeof *section_fields, &s, e);
	if (err)
		return err;
	if (strcmp(s.format, "idx"))
		return err_set(e, ERR_INPUT, "data.format: is \"%.60s\", expected \"idx\"", s.format);
	out.holdout = (size_t)s.holdout;
	err = read_pair(s.train, "data.train", &out.train_images, &out.train_labels, e);
	if (!err)
		err = read_pair(s.test, "data.test", &out.test_images, &out.test_labels, e);
	if (!err)
		err = read_norm(s.mean, s.std, &out.norm, e);
	if (!err)
		*ret = out;
	return err;
}

static enum err find(const char *dir, const char *name, char ret[4096], struct errinfo *e)
{
	char path[4096];
	static const char *const endings[] = { ".gz", "" };
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		if ((size_t)snprintf(path, sizeof path, "%s/%s%s", dir, name, endings[i]) >= sizeof path)
			return err_set(e, ERR_INPUT, "%.200s...: the path is too long", dir);
		if (!access(path, R_OK)) {
			memcpy(ret, path, sizeof path);
			return ERR_OK;
		}
	}
	return err_set(e, ERR_NOT_FOUND, "%s: has no readable %s.gz or %s", dir, name, name);
}

enum err source_in_folder(const char *dir, bool test, struct source_paths *ret, struct errinfo *e)
{
	enum err err = find(dir, test ? "t10k-images-idx3-ubyte" : "train-images-idx3-ubyte", ret->images, e);
	return err ? err : find(dir, test ? "t10k-labels-idx1-ubyte" : "train-labels-idx1-ubyte", ret->labels, e);
}
