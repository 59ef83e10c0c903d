/* api_status.c -- how the daemon and its workers are.
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "daemon/api.h"
#include "daemon/daemon.h"
#include "daemon/exchange.h"
#include "daemon/text.h"
#include "daemon/view.h"
#include "store/store.h"

enum err api_workers(struct exchange *r, struct errinfo *e)
{
	struct text t;
	text_init(&t);
	view_workers(r->daemon, &t);
	return exchange_answer_json(r, 200, &t, e);
}

enum err api_health(struct exchange *r, struct errinfo *e)
{
	struct text t;
	text_init(&t);
	text_open(&t, '{');
	text_put_string(&t, "status", "ok");
	text_put_string(&t, "version", VERSION);
	text_put_int(&t, "uptime_s", (clock_ns() - r->daemon->started_ns) / 1000000000);
	text_put_int(&t, "schema", STORE_SCHEMA);
	text_close(&t, '}');
	return exchange_answer_json(r, 200, &t, e);
}
