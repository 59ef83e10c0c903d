/* pareto.c -- pare pareto: the best models of a job, as a table and as a drawing.
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "client/args.h"
#include "client/client.h"
#include "client/plot.h"
#include "client/progress.h"
#include "client/view.h"

static enum err get(struct client *c, const char *format, int64_t job, cJSON **ret, struct errinfo *e)
{
	char path[64];
	const char *mark = strchr(format, '#');
	snprintf(path, sizeof path, "%.*s%" PRId64 "%s", (int)(mark - format), format, job, mark + 1);
	return client_get(c, path, ret, e);
}

static int pruned_members(const cJSON *pareto)
{
	const cJSON *trial;
	int n = 0;
	cJSON_ArrayForEach(trial, view_member(pareto, "trials"))
		n += view_number(trial, "number") > 0;
	return n;
}

/* Of those at the last rung, which is the baseline's. */
static bool all_infeasible(const cJSON *trials)
{
	const cJSON *trial;
	int complete = 0, infeasible = 0;
	double last = view_number(cJSON_GetArrayItem(trials, 0), "rung");
	cJSON_ArrayForEach(trial, trials) {
		const char *state = view_text(trial, "state");
		bool counts = view_number(trial, "number") > 0 && state && !strcmp(state, "complete") &&
			!(view_number(trial, "rung") < last);
		complete += counts;
		infeasible += counts && view_infeasible(trial);
	}
	return complete && complete == infeasible;
}

static enum err say_none(struct client *c, int64_t id, struct errinfo *e)
{
	cJSON *job = NULL, *trials = NULL;
	struct progress progress;
	enum err err = get(c, "/v1/jobs/#", id, &job, e);
	if (!err)
		err = get(c, "/v1/jobs/#/trials", id, &trials, e);
	progress_init(&progress);
	progress_job(&progress, job);
	if (!err)
		client_note(c, "no pruned model of job %" PRId64 " is in the Pareto set%s%s", id,
			progress_over(&progress) ? "" : " yet",
			all_infeasible(view_member(trials, "trials")) ? ": all complete trials are infeasible" : "");
	progress_fini(&progress);
	cJSON_Delete(trials);
	cJSON_Delete(job);
	return err;
}

static enum err print_table(struct client *c, int64_t job, const cJSON *pareto, struct errinfo *e)
{
	cJSON *baseline = NULL;
	enum err err = get(c, "/v1/trials/#.0", job, &baseline, e);
	if (err && err != ERR_NOT_FOUND) /* a job that waits has none yet */
		return err;
	err = view_pareto(pareto, baseline, c->out, c->bold, e);
	if (!err && !pruned_members(pareto))
		err = say_none(c, job, e);
	cJSON_Delete(baseline);
	return err;
}

enum err pareto_show(struct client *c, int64_t job, struct errinfo *e)
{
	cJSON *pareto;
	enum err err = get(c, "/v1/jobs/#/pareto", job, &pareto, e);
	if (err)
		return err;
	err = print_table(c, job, pareto, e);
	cJSON_Delete(pareto);
	return err;
}

static enum err draw(struct client *c, int64_t id, struct errinfo *e)
{
	cJSON *job = NULL, *trials = NULL;
	char *svg = NULL;
	enum err err = get(c, "/v1/jobs/#", id, &job, e);
	if (!err)
		err = get(c, "/v1/jobs/#/trials", id, &trials, e);
	if (!err)
		err = plot_draw(job, view_member(trials, "trials"), c->args->x, &svg, e);
	if (!err && !strcmp(c->args->svg, "-"))
		fputs(svg, c->out);
	else if (!err && (err = file_write(c->args->svg, svg, strlen(svg), e)) == ERR_NOT_FOUND)
		err = e->code = ERR_INPUT; /* the folder of the drawing, not the job */
	free(svg);
	cJSON_Delete(trials);
	cJSON_Delete(job);
	return err;
}

enum err pareto_run(struct client *c, struct errinfo *e)
{
	int64_t job;
	cJSON *pareto;
	const char *svg = c->args->svg;
	if (client_job(c, &job, e))
		return e->code;
	if (c->args->x && !svg)
		return err_set(e, ERR_INPUT, "--x: is of use only with --svg");
	if (c->args->x && plot_check_metric(c->args->x, e))
		return e->code;
	if (svg && draw(c, job, e))
		return e->code;
	if (svg && !strcmp(svg, "-"))
		return ERR_OK;
	if (!c->args->json)
		return pareto_show(c, job, e);
	enum err err = get(c, "/v1/jobs/#/pareto", job, &pareto, e);
	if (err)
		return err;
	err = client_print_json(c, pareto, e);
	cJSON_Delete(pareto);
	return err;
}
