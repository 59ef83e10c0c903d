/* keep.c -- the candidate of a stored trial, as integers.
 * SPDX-License-Identifier: MIT */
#include "daemon/keep.h"

#include <string.h>

#include "base/json.h"
#include "search/space.h"
#include "store/trial.h"

enum err keep_read(const struct trial_row *r, const struct space *s, int *ret, struct errinfo *e)
{
	cJSON *doc;
	int n = s->group_count, i = 0;
	const char *text = r->candidate ? r->candidate : "null";
	enum err err = json_parse("candidate", text, strlen(text), &doc, e);
	if (err)
		return err;
	for (const cJSON *item = doc->child; item && i < n && cJSON_IsNumber(item); item = item->next)
		ret[i++] = item->valueint;
	if (!cJSON_IsArray(doc) || i != n || cJSON_GetArraySize(doc) != n)
		err = err_set(e, ERR_INTERNAL, "trial %lld.%lld: its candidate is not one of the job's space",
			(long long)r->job, (long long)r->number);
	cJSON_Delete(doc);
	return err;
}
