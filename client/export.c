/* export.c -- pare export: a trial's model as a file.
 * SPDX-License-Identifier: MIT
 *
 * The bytes arrive under a temporary name in the folder of the wanted one, are compared with the digest that the daemon
 * recorded, and only then get their name, in one step: nobody ever sees half a model or a wrong one. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/http.h"
#include "client/args.h"
#include "client/client.h"
#include "client/view.h"

/* The digest of a trial's model; that of trial 0, once it is complete, is the submitted one's. */
static enum err expected_digest(
	struct client *c, int64_t job, int64_t number, char ret[DIGEST_HEX + 1], struct errinfo *e)
{
	char path[64];
	cJSON *trial = NULL, *of = NULL;
	snprintf(path, sizeof path, "/v1/trials/%" PRId64 ".%" PRId64, job, number);
	enum err err = client_get(c, path, &trial, e);
	if (err)
		return err;
	const char *digest = view_text(trial, "model"), *state = view_text(trial, "state");
	bool whole = number == 0 && state && !strcmp(state, "complete");
	snprintf(path, sizeof path, "/v1/jobs/%" PRId64, job);
	if (!digest && whole && !(err = client_get(c, path, &of, e))) {
		digest = view_text(of, "spec.model");
		digest = digest && !strncmp(digest, "sha256:", 7) ? digest + 7 : NULL;
	}
	if (!err && !digest) {
		err = err_set(e, ERR_CONFLICT, "trial %" PRId64 ".%" PRId64 " has no model, it is %s", job, number,
			state ? state : "unknown");
	} else if (!err && !digest_valid(digest)) {
		err = err_set(e, ERR_INTERNAL,
			"the daemon's digest of the model is '%.80s', expected 64 hexadecimal digits", digest);
	} else if (!err) {
		memcpy(ret, digest, DIGEST_HEX + 1);
	}
	cJSON_Delete(of);
	cJSON_Delete(trial);
	return err;
}

/* Downloads to the existing file `temporary` and compares. */
static enum err fetch(struct client *c, int64_t job, int64_t number, const char *temporary, struct errinfo *e)
{
	char path[64], digest[DIGEST_HEX + 1], got[DIGEST_HEX + 1];
	if (expected_digest(c, job, number, digest, e))
		return e->code;
	snprintf(path, sizeof path, "/v1/trials/%" PRId64 ".%" PRId64 "/model", job, number);
	if (http_get_file(c->http, path, temporary, e) || digest_file(temporary, got, e))
		return e->code;
	if (strcmp(got, digest))
		return err_set(e, ERR_IO, "the model arrived damaged: its digest is %s, expected %s", got, digest);
	return ERR_OK;
}

static enum err already_there(const char *path, struct errinfo *e)
{
	return err_set(e, ERR_INPUT, "--output: '%.300s' exists already; --force overwrites it", path);
}

/* link(2) refuses an existing name where rename(2) would replace it. */
static enum err give_name(const char *temporary, const char *path, bool force, struct errinfo *e)
{
	if (force)
		return rename(temporary, path) ? err_errno(e, "%s", path) : ERR_OK;
	if (!link(temporary, path)) {
		unlink(temporary);
		return ERR_OK;
	}
	if (errno == EEXIST)
		return already_there(path, e);
	if (errno != EPERM && errno != EOPNOTSUPP) /* file systems without hard links */
		return err_errno(e, "%s", path);
	if (!access(path, F_OK))
		return already_there(path, e);
	return rename(temporary, path) ? err_errno(e, "%s", path) : ERR_OK;
}

static enum err make_temporary(char *template, struct errinfo *e)
{
	int fd = mkstemp(template);
	if (fd < 0) {
		err_errno(e, "%s", template);
		return e->code = e->code == ERR_NOT_FOUND ? ERR_INPUT
							  : e->code; /* the folder, not the trial, is missing */
	}
	close(fd);
	return ERR_OK;
}

static enum err to_file(struct client *c, int64_t job, const char *path, struct errinfo *e)
{
	char target[PATH_MAX], temporary[PATH_MAX];
	if (file_target(path, target, e))
		return err_wrap(e, "--output");
	if (!c->args->force && !access(path, F_OK))
		return already_there(path, e);
	if ((size_t)snprintf(temporary, sizeof temporary, "%s.part-XXXXXX", target) >= sizeof temporary)
		return err_set(e, ERR_INPUT, "--output: '%.200s...' is too long", path);
	if (make_temporary(temporary, e))
		return e->code;
	enum err err = fetch(c, job, c->args->trial, temporary, e);
	if (!err)
		err = give_name(temporary, target, c->args->force, e);
	if (err)
		unlink(temporary);
	return err;
}

static enum err pour(FILE *f, const char *name, FILE *out, struct errinfo *e)
{
	char block[65536];
	size_t n;
	while ((n = fread(block, 1, sizeof block, f)) > 0)
		fwrite(block, 1, n, out);
	return ferror(f) ? err_errno(e, "%s", name) : ERR_OK;
}

static enum err to_standard_output(struct client *c, int64_t job, struct errinfo *e)
{
	char temporary[PATH_MAX];
	const char *folder = getenv("TMPDIR");
	if (c->terminal)
		return err_set(
			e, ERR_INPUT, "--output: is '-', but standard output is a terminal and a model is no text");
	snprintf(temporary, sizeof temporary, "%.3000s/pare-XXXXXX", folder && *folder ? folder : "/tmp");
	if (make_temporary(temporary, e))
		return e->code;
	enum err err = fetch(c, job, c->args->trial, temporary, e);
	FILE *f = err ? NULL : fopen(temporary, "rb");
	if (!err && !f)
		err = err_errno(e, "%s", temporary);
	unlink(temporary); /* before the first byte goes out: a reader that hangs up ends pare by SIGPIPE */
	if (!f)
		return err;
	err = pour(f, temporary, c->out, e);
	fclose(f);
	return err;
}

enum err export_run(struct client *c, struct errinfo *e)
{
	int64_t job;
	const char *path = c->args->output;
	if (client_job(c, &job, e))
		return e->code;
	if (c->args->trial < 0)
		return err_set(e, ERR_INPUT,
			"--trial: is missing, expected a trial's number; 'pare pareto %" PRId64 "' lists the best",
			job);
	if (!path)
		return err_set(e, ERR_INPUT, "--output: is missing, expected a file name, or - for standard output");
	return strcmp(path, "-") ? to_file(c, job, path, e) : to_standard_output(c, job, e);
}
