/* api_best.c -- the best trial under bounds that the question brings.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "daemon/api.h"
#include "daemon/daemon.h"
#include "daemon/exchange.h"
#include "daemon/record.h"
#include "daemon/result.h"
#include "daemon/spec.h"
#include "daemon/text.h"
#include "daemon/view.h"
#include "search/best.h"
#include "store/trial.h"

/* ---- the question ------------------------------------------------------------------------------------------------ */

struct question {
	struct best best;
	struct errinfo *e;
	enum err err;
};

static enum err add_bound(struct best *b, const char *key, const char *text, struct errinfo *e)
{
	if (strcmp(key, "where"))
		return err_set(e, ERR_INPUT, "%.40s: unknown, expected where=METRIC OP BOUND",
			utf8_printable(key) ? key : "query");
	if (!text || !utf8_printable(text))
		return err_set(e, ERR_INPUT, "where: is no text, expected METRIC OP BOUND");
	if (b->where_count == CONSTRAINT_MAX)
		return err_set(e, ERR_INPUT, "where: is there more than %d times", CONSTRAINT_MAX);
	enum err err = constraint_parse(text, &b->where[b->where_count], e);
	if (err)
		return err_wrap(e, "where");
	b->where_count++;
	return ERR_OK;
}

static enum MHD_Result on_argument(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct question *q = arg;
	(void)kind;
	q->err = add_bound(&q->best, key, value, q->e);
	return q->err ? MHD_NO : MHD_YES;
}

static enum err read_question(const struct exchange *r, struct best *ret, struct errinfo *e)
{
	struct question q = { .e = e };
	MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, on_argument, &q);
	*ret = q.best;
	return q.err;
}

/* ---- the answer -------------------------------------------------------------------------------------------------- */

static enum err offer(const struct trial_row *r, void *arg, struct errinfo *e)
{
	double metrics[METRIC_COUNT];
	(void)e;
	result_metrics(&r->metrics, metrics);
	best_offer(arg, r->number, metrics);
	return ERR_OK;
}

/* How near the nearest came. */
static enum err none(int64_t job, const struct best *b, struct errinfo *e)
{
	const struct constraint *missed = best_missed(b);
	char share[48] = "";
	if (!missed)
		return err_set(e, ERR_NOT_FOUND, "job %lld: no candidate is complete at the last rung and feasible",
			(long long)job);
	enum metric m = missed->metric;
	double value = b->nearest.metrics[m], bound = constraint_bound(missed, b->problem->baseline);
	if (isnan(value) || isnan(bound))
		return err_set(e, ERR_NOT_FOUND, "job %lld: %s was not measured", (long long)job, metric_name(m));
	if (missed->of_baseline > 0 && b->problem->baseline[m] > 0)
		snprintf(share, sizeof share, ", %.4g %% of the baseline's", 100 * value / b->problem->baseline[m]);
	return err_set(e, ERR_NOT_FOUND, "job %lld: none of %lld trials meets that; the nearest is %lld.%lld with "
		"%s %.9g%s, expected at %s %.9g", (long long)job, (long long)b->offered, (long long)job,
		(long long)b->nearest.number, metric_name(m), value, share, missed->at_least ? "least" : "most", bound);
}

static enum err answer_best(struct exchange *r, const struct best *b, struct errinfo *e)
{
	struct trial_row row;
	struct text t;
	if (!b->best.number)
		return none(r->args.id, b, e);
	enum err err = trial_load(r->daemon->store, r->args.id, b->best.number, &row, e);
	if (err)
		return err;
	text_init(&t);
	view_trial(&row, &t);
	trial_row_fini(&row);
	return exchange_answer_json(r, 200, &t, e);
}

enum err api_job_best(struct exchange *r, struct errinfo *e)
{
	struct best b;
	struct record record;
	enum err err = read_question(r, &b, e);
	if (!err)
		err = record_load(r->daemon, r->args.id, &record, e);
	if (err)
		return err;
	b.problem = &record.problem;
	err = trial_each_feasible(r->daemon->store, r->args.id, spec_last(record.spec), offer, &b, e);
	if (!err)
		err = answer_best(r, &b, e);
	record_fini(&record);
	return err;
}
