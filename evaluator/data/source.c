/* source.c -- the data of a job as a worker uses it.
 * SPDX-License-Identifier: MIT */
#include "evaluator/data/source.h"

#include <string.h>

#include "base/digest.h"

_Static_assert(DATASPEC_CHANNELS <= (int)DATASET_MAX_CHANNELS, "every number of a section has its channel");

/* A job document says "sha256:DIGEST", a lease only DIGEST. */
static enum err strip(struct dataspec_file *f, enum data_role role, struct errinfo *e)
{
	static const char prefix[] = "sha256:";
	size_t len = sizeof prefix - 1;
	const char *digest = strncmp(f->name, prefix, len) ? f->name : f->name + len;
	if (!digest_valid(digest))
		return err_set(e, ERR_INPUT, "data.%s.%s: is \"%.80s\", expected a digest of 64 hexadecimal digits",
			data_role_name(role), f->key, f->name);
	f->name = digest;
	return ERR_OK;
}

/* What is not given is 0 for the mean and 1 for the deviation. */
static void take_norm(const struct dataspec *d, struct normalisation *ret)
{
	ret->channels = (int)(d->mean_count ? d->mean_count : d->std_count);
	for (int i = 0; i < DATASET_MAX_CHANNELS; i++) {
		ret->mean[i] = (size_t)i < d->mean_count ? (float)d->mean[i] : 0;
		ret->std[i] = (size_t)i < d->std_count ? (float)d->std[i] : 1;
	}
}

enum err source_read_paths(const cJSON *data, struct source *ret, struct errinfo *e)
{
	struct source s;
	enum err err = dataspec_read(data, &s.spec, e);
	if (err)
		return err;
	take_norm(&s.spec, &s.norm);
	*ret = s;
	return ERR_OK;
}

enum err source_read(const cJSON *data, struct source *ret, struct errinfo *e)
{
	struct source s;
	enum err err = source_read_paths(data, &s, e);
	for (int r = 0; r < DATA_ROLES && !err; r++)
		for (int i = 0; i < s.spec.sets[r].file_count && !err; i++)
			err = strip(&s.spec.sets[r].files[i], (enum data_role)r, e);
	if (!err)
		*ret = s;
	return err;
}

enum err source_split(const struct source *s, const struct dataset *train, struct split *ret_train,
	struct split *ret_held, uint32_t **ret_order, struct errinfo *e)
{
	const struct dataspec *d = &s->spec;
	struct split_request r = { (size_t)d->held_count, d->held_fraction, (uint64_t)d->split_seed, d->stratified };
	*ret_order = NULL;
	if (d->held == DATA_HOLDOUT)
		return split_holdout(train, &s->norm, r.count, ret_train, ret_held, e);
	return split_seeded(train, &s->norm, &r, ret_train, ret_held, ret_order, e);
}
