/* job.c -- a job under way, for tests.
 * SPDX-License-Identifier: MIT */
#include "tests/search/job.h"

#include <string.h>

#include "search/table.h"

void job_open(struct job *j, const struct problem *p, const char *strategy, bool flaky)
{
	struct errinfo e = { 0 };
	cJSON *object = fixture_json(strategy);
	job_close(j);
	memset(j, 0, sizeof *j);
	j->problem = *p;
	j->fail_from = LADDER_RUNGS;
	j->flaky = flaky;
	ok(table_open(p, object, &j->table, &e));
	cJSON_Delete(object);
}

void job_close(struct job *j)
{
	table_close(j->table);
	j->table = NULL;
}

/* More training, more accuracy. */
static struct outcome evaluate(const struct job *j, int number)
{
	const struct job_trial *t = &j->trials[number];
	struct outcome o = fixture_evaluate(&j->problem, number, t->keep, j->flaky);
	o.metrics[METRIC_ACCURACY] += 0.01 * t->rung;
	o.ok = o.ok && t->rung < j->fail_from;
	o.keep = NULL; /* the table knows it */
	return o;
}

void job_finish(struct job *j, int which)
{
	struct errinfo e = { 0 };
	int number = j->busy[which];
	struct job_trial *t = &j->trials[number];
	t->outcome = evaluate(j, number);
	ok(table_tell(j->table, &t->outcome, &e));
	t->back = true;
	j->busy[which] = j->busy[--j->busy_count];
}

/* Hands a trial to a free worker; false when there is none to be had now. */
static bool start(struct job *j)
{
	struct errinfo e = { 0 };
	enum table_answer answer;
	struct request request;
	int number = 0, keep[JOB_GROUPS] = { 0 };
	ok(table_ask(j->table, &answer, &number, keep, &request, &e));
	j->done = answer == TABLE_DONE;
	if (answer != TABLE_PROPOSAL)
		return false;
	ck_assert_int_eq(number, ++j->count);
	ck_assert_int_le(number, JOB_TRIALS);
	struct job_trial *t = &j->trials[number];
	memcpy(t->keep, keep, sizeof keep);
	t->rung = table_rung(j->table, number);
	t->parent = table_parent(j->table, number);
	j->busy[j->busy_count++] = number;
	ck_assert_int_eq(table_proposed(j->table), j->count);
	ck_assert_int_eq(table_outstanding(j->table), j->busy_count);
	return true;
}

void job_work(struct job *j, int workers, struct rng *luck, int stop)
{
	while (j->count < stop && !(j->done && j->busy_count == 0)) {
		bool may_start = !j->done && j->busy_count < workers;
		if (j->busy_count && (!may_start || rng_below(luck, 2)))
			job_finish(j, (int)rng_below(luck, (uint64_t)j->busy_count));
		else if (may_start && !start(j) && j->busy_count)
			job_finish(j, (int)rng_below(luck, (uint64_t)j->busy_count));
	}
}

void job_same(const struct job *a, const struct job *b)
{
	ck_assert_int_eq(a->count, b->count);
	for (int i = 1; i <= a->count; i++) {
		const struct job_trial *x = &a->trials[i], *y = &b->trials[i];
		ck_assert_msg(x->rung == y->rung && x->parent == y->parent, "trial %d: rung %d of %d, rung %d of %d", i,
			x->rung, x->parent, y->rung, y->parent);
		ck_assert_mem_eq(x->keep, y->keep, sizeof x->keep);
	}
}
