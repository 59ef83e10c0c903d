/* table.h -- the ask/tell table of one job: who was proposed, what came back, in which order it may be known.
 * SPDX-License-Identifier: MIT
 *
 * Wraps a strategy so that proposal k depends only on results of trials numbered below k - window: results may
 * arrive in any order, they are held here and told in order of number, just before the ask that may know them. A
 * table that is fed the same results gives the same proposals whatever the order and the time of arrival: so a job
 * has the same candidates with any number of workers, and a restart replays stored results into a new table (with
 * table_expect instead of table_ask). Owns its strategy. After an error of ERR_MEMORY or ERR_INTERNAL it can only
 * be closed.
 *
 * With several rungs (problem.ladder) trials are numbered across them. Trial k is, by the results known to it, a
 * promotion when there is one (search/halving.h); otherwise the strategy's next proposal, at rung 0, while there are
 * any; otherwise the first promotion that the results of further trials, taken one by one in order of number, make
 * possible; and when all are known, halving_last's.
 *
 * The proposals of a manual job come by table_post, in the order of their coming and whatever is known by then; there
 * is no window for them: what has arrived without a gap is known at once. */
#ifndef SEARCH_TABLE_H
#define SEARCH_TABLE_H

#include "search/strategy.h"

struct table;

/* object is the job's "strategy". p is copied, its space is borrowed. */
enum err table_open(const struct problem *p, const cJSON *object, struct table **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void table_close(struct table *t);

enum table_answer {
	TABLE_PROPOSAL, /* *ret_number, ret_keep and *ret_request are filled */
	TABLE_WAIT,     /* a result must arrive first, for the window is full, or a candidate be posted */
	TABLE_DONE,     /* proposals have ended (table_end), and nobody goes up: no further trials ever */
};
enum err table_ask(struct table *t, enum table_answer *ret, int *ret_number, int *ret_keep, struct request *ret_request,
	struct errinfo *e) __attribute__((warn_unused_result));

/* Whether count candidates can be posted: ERR_CONFLICT when proposals do not come from outside, or the budget doesn't
 * allow so many more. */
enum err table_may_post(const struct table *t, int count, struct errinfo *e) __attribute__((warn_unused_result));

/* Whether keep may be posted to a table that takes postings: ERR_INPUT when the space or an upper bound on an exact
 * cost forbids it (search/candidate.h). */
enum err table_check(const struct table *t, const int *keep, const char *path, struct errinfo *e)
	__attribute__((warn_unused_result));

/* The next trial is keep, from outside, and has passed table_check. ERR_CONFLICT as above. */
enum err table_post(struct table *t, const int *keep, int *ret_number, struct errinfo *e)
	__attribute__((warn_unused_result));

/* The rung of a trial, and the number of the one at the rung below that it continues; 0: none, it is at rung 0. */
int table_rung(const struct table *t, int number);
int table_parent(const struct table *t, int number);

/* A result, in any order, once a number (a second one is ERR_CONFLICT, one of a number never proposed
 * ERR_NOT_FOUND). Its keep is the table's own; o->keep is ignored. */
enum err table_tell(struct table *t, const struct outcome *o, struct errinfo *e) __attribute__((warn_unused_result));

/* Replay: asks for the next proposal, which must have this number and be `keep`; ERR_INTERNAL when the strategy
 * proposes something else or nothing (the store is not from this program). A strategy with ops->skip is told of it
 * instead, and what was posted is taken as it is: only that the space allows it is checked then. */
enum err table_expect(struct table *t, int number, const int *keep, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Replay of a promotion of trial `parent`, likewise. That it was parent's turn is not checked: ranking each time would
 * make restarts of large jobs slow. */
enum err table_expect_promotion(struct table *t, int number, int parent, const int *keep, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Ends the proposals: the strategy is asked no more, promotions wind up. Again is fine. */
void table_stop(struct table *t);

/* Why there are no more proposals; promotions may still come. What happened first counts. */
enum table_end {
	TABLE_OPEN,           /* there may be more */
	TABLE_END_TRIALS,     /* the budget is used up */
	TABLE_END_STALL,      /* problem.stall results of proposals, in order of number, brought no gain */
	TABLE_END_EXHAUSTED,  /* the strategy has nothing more to propose */
	TABLE_END_STOPPED,
};
enum table_end table_end(const struct table *t);

/* Trials handed out, promotions too, and results still missing among them. */
int table_proposed(const struct table *t);
int table_outstanding(const struct table *t);

#endif
