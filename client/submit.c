/* submit.c -- pare submit: a job file and what it names, to the daemon.
 * SPDX-License-Identifier: MIT
 *
 * Local files are all checked first, then those that the daemon lacks are uploaded, then the document is posted:
 * whoever mistypes a name learns it before anything is sent, and what was sent stays usable for the next try. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/http.h"
#include "client/args.h"
#include "client/client.h"
#include "client/format.h"
#include "client/jobfile.h"
#include "client/plan.h"
#include "client/view.h"

/* One line on a terminal's standard error, drawn over by the next one. */
static void say_upload(struct client *c, const struct jobfile_file *f, int i, int n)
{
	char size[FORMAT_MAX], name[64];
	const char *slash = strrchr(f->path, '/');
	if (!isatty(fileno(c->err)))
		return;
	format_clean(slash ? slash + 1 : f->path, name, sizeof name);
	fprintf(c->err, "\ruploading %d/%d  %-40.40s %10s", i + 1, n, name, format_bytes((double)f->size, size));
	fflush(c->err);
}

static void unsay_upload(struct client *c)
{
	if (isatty(fileno(c->err)))
		fprintf(c->err, "\r%70s\r", "");
}

static enum err upload(struct client *c, const struct jobfile *j, struct errinfo *e)
{
	enum err err = ERR_OK;
	for (int i = 0; i < j->file_count && !err; i++) {
		char path[32 + DIGEST_HEX];
		bool known;
		const struct jobfile_file *f = &j->files[i];
		snprintf(path, sizeof path, "/v1/blobs/%s", f->digest);
		err = http_exists(c->http, path, &known, e);
		if (err || known)
			continue;
		say_upload(c, f, i, j->file_count);
		if ((err = http_put_file(c->http, path, f->bytes, e)))
			err_wrap(e, "%s: upload of %s", f->key, f->path);
	}
	unsay_upload(c);
	return err;
}

/* What goes up comes on top of the budget, which counts candidates. */
static void say_plan(struct client *c, const cJSON *job)
{
	struct plan plan;
	char text[PLAN_TEXT];
	plan_read(job, &plan);
	if (plan.rungs > 1 && !c->args->json)
		client_note(c, "%.0f trials are planned: %s", plan_total(&plan), plan_text(&plan, text));
}

static enum err post(struct client *c, const struct jobfile *j, int64_t *ret_job, struct errinfo *e)
{
	cJSON *job = NULL;
	enum err err = http_call(c->http, "POST", "/v1/jobs", j->doc, 60, &job, e);
	if (err)
		return err;
	double id = view_number(job, "id");
	if (!(id >= 1 && id <= 0x1p53))
		err = err_set(e, ERR_INTERNAL, "the daemon's answer to the job has no id");
	else if (c->args->json && !c->args->watch)
		err = client_print_json(c, job, e);
	else if (c->args->watch)
		client_note(c, "job %.0f", id);
	else
		fprintf(c->out, "%.0f\n", id);
	if (!err) {
		*ret_job = (int64_t)id;
		say_plan(c, job);
	}
	cJSON_Delete(job);
	return err;
}

/* Neither the daemon nor what changes a document knows where a wrong value stands: in the job file, unless the command
 * line replaced it. */
static enum err blame(const struct client *c, struct errinfo *e)
{
	bool by_option = c->args->name && !strncmp(e->msg, "name:", 5);
	return e->code == ERR_INPUT && !by_option ? err_wrap(e, "%s", c->args->operands[0]) : e->code;
}

static enum err send_job(struct client *c, struct jobfile *j, int64_t *ret_job, struct errinfo *e)
{
	struct jobfile_changes changes = { c->args->name, c->args->seed, c->args->budget };
	if (jobfile_change(j, &changes, e))
		return blame(c, e);
	enum err err = upload(c, j, e);
	if (!err)
		err = jobfile_rewrite(j, e);
	if (err)
		return err;
	return post(c, j, ret_job, e) ? blame(c, e) : ERR_OK;
}

enum err submit_run(struct client *c, struct errinfo *e)
{
	struct jobfile j;
	int64_t job = 0;
	enum err err = jobfile_open(c->args->operands[0], &j, e);
	if (err)
		return err;
	err = send_job(c, &j, &job, e);
	jobfile_close(&j);
	return err || !c->args->watch ? err : watch_job(c, job, e);
}
