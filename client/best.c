/* best.c -- pare best: the best trial that meets bounds.
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/args.h"
#include "client/client.h"
#include "client/view.h"

/* All but what RFC 3986 reserves nowhere. */
static void put_escaped(FILE *f, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		fprintf(f, strchr(plain, *p) ? "%c" : "%%%02X", *p);
}

/* The caller frees. */
static enum err question(const struct args *a, int64_t job, char **ret, struct errinfo *e)
{
	size_t len;
	*ret = NULL;
	FILE *f = open_memstream(ret, &len);
	if (!f)
		return err_set(e, ERR_MEMORY, "out of memory");
	fprintf(f, "/v1/jobs/%" PRId64 "/best", job);
	for (int i = 0; i < a->where_count; i++) {
		fprintf(f, "%cwhere=", i ? '&' : '?');
		put_escaped(f, a->where[i]);
	}
	if (!fclose(f))
		return ERR_OK;
	free(*ret);
	return err_set(e, ERR_MEMORY, "out of memory");
}

static enum err print_text(struct client *c, int64_t job, const cJSON *trial, struct errinfo *e)
{
	char path[64];
	cJSON *of = NULL;
	snprintf(path, sizeof path, "/v1/jobs/%" PRId64, job);
	enum err err = client_get(c, path, &of, e);
	if (!err)
		err = view_trial(trial, view_member(of, "groups"), c->out, c->bold, e);
	if (!err)
		fprintf(c->out, "\npare export %" PRId64 " --trial %.0f -o job%" PRId64 "-%.0f.onnx\n", job,
			view_number(trial, "number"), job, view_number(trial, "number"));
	cJSON_Delete(of);
	return err;
}

enum err best_run(struct client *c, struct errinfo *e)
{
	int64_t job;
	char *path;
	cJSON *trial;
	if (client_job(c, &job, e) || question(c->args, job, &path, e))
		return e->code;
	enum err err = client_get(c, path, &trial, e);
	free(path);
	if (err)
		return err;
	err = c->args->json ? client_print_json(c, trial, e) : print_text(c, job, trial, e);
	cJSON_Delete(trial);
	return err;
}
