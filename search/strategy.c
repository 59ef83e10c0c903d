/* strategy.c -- the strategies there are, and the check of a job's choice among them.
 * SPDX-License-Identifier: MIT */
#include "search/strategy.h"

#include <string.h>

#include "base/json.h"

static const struct strategy_ops *const strategies[] = {
	&strategy_uniform,
	&strategy_random,
	&strategy_anneal,
	&strategy_netadapt,
	&strategy_nsga2,
	&strategy_abc,
	&strategy_guided,
	&strategy_manual,
};

const struct strategy_ops *strategy_named(const char *name)
{
	for (size_t i = 0; i < sizeof strategies / sizeof *strategies; i++)
		if (!strcmp(strategies[i]->name, name))
			return strategies[i];
	return NULL;
}

const char *strategy_names(void)
{
	return "uniform, random, anneal, netadapt, nsga2, abc, guided, manual";
}

enum err strategy_check(const cJSON *object, struct errinfo *e)
{
	char brief[64];
	if (!cJSON_IsObject(object))
		return err_set(e, ERR_INPUT, "strategy: is %s, expected an object with a name",
			object ? json_brief(object, brief) : "missing");
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(object, "name");
	const struct strategy_ops *ops = cJSON_IsString(name) ? strategy_named(name->valuestring) : NULL;
	if (!ops)
		return err_set(e, ERR_INPUT, "strategy.name: is %s, expected one of: %s",
			name ? json_brief(name, brief) : "missing", strategy_names());
	return ops->check(object, e);
}

enum err strategy_read_cost(const char *name, enum metric *ret, struct errinfo *e)
{
	enum metric m = metric_named(name);
	if (m == METRIC_COUNT || !metric_is_exact_cost(m))
		return err_set(e, ERR_INPUT, "strategy.metric: is \"%.60s\", expected macs, params or bytes", name);
	*ret = m;
	return ERR_OK;
}
