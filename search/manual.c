/* manual.c -- proposes nothing: candidates are posted from outside.
 * SPDX-License-Identifier: MIT
 *
 * A person, or any optimiser, posts them and reads the results (docs/protocol.md, "Candidates from outside"); the table
 * takes them by table_post. It has no options and no memory. */
#include "base/json.h"
#include "search/strategy.h"

struct options {
	const char *name;
};

static const struct json_field fields[] = {
	JSON_FIELD(struct options, name, JSON_STRING, .required = false),
};

static enum err check(const cJSON *object, struct errinfo *e)
{
	struct options o;
	return json_read(object, "strategy", fields, sizeof fields / sizeof *fields, &o, e);
}

static enum err open_manual(const struct problem *p, const cJSON *object, struct strategy **ret, struct errinfo *e)
{
	enum err err = check(object, e);
	(void)p;
	if (!err)
		*ret = NULL;
	return err;
}

static enum err tell(struct strategy *s, const struct outcome *o, struct errinfo *e)
{
	(void)s, (void)o, (void)e;
	return ERR_OK; /* who posts reads the results himself */
}

static void release(struct strategy *s)
{
	(void)s;
}

const struct strategy_ops strategy_manual = {
	.name = "manual",
	.summary = "candidates that a person or another optimiser posts",
	.posted = true,
	.check = check,
	.open = open_manual,
	.tell = tell,
	.free = release,
};
