/* api_trial.c -- one trial.
 * SPDX-License-Identifier: MIT */
#include "daemon/api.h"
#include "daemon/daemon.h"
#include "daemon/exchange.h"
#include "daemon/text.h"
#include "daemon/view.h"
#include "daemon/waiter.h"
#include "store/trial.h"

enum { LONGEST_WAIT = 60 };

static enum err answer_trial(struct exchange *r, struct errinfo *e)
{
	struct trial_row row;
	struct text t;
	enum err err = trial_load(r->daemon->store, r->args.id, r->args.number, &row, e);
	if (err)
		return err;
	text_init(&t);
	view_trial(&row, &t);
	trial_row_fini(&row);
	return exchange_answer_json(r, 200, &t, e);
}

enum err api_trial_get(struct exchange *r, struct errinfo *e)
{
	int64_t wait = 0;
	enum err err = exchange_query_int(r, "wait", 0, LONGEST_WAIT, &wait, e);
	if (err)
		return err;
	return wait ? waiter_add_trial(r, (int)wait, answer_trial, e) : answer_trial(r, e);
}
