/* prune.c -- a network opened for pruning, and candidates made from it.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune/prune.h"

#include <stdio.h>
#include <stdlib.h>

#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/prune/coupling.h"
#include "evaluator/prune/surgery.h"

enum err prunable_open(const char *model, const char *criterion, struct prunable **ret, struct errinfo *e)
{
	struct ranking r = { .criterion = criterion };
	return prunable_open_ranked(model, &r, ret, e);
}

enum err prunable_open_ranked(const char *model, const struct ranking *r, struct prunable **ret, struct errinfo *e)
{
	enum err err = criterion_check(r->criterion, e);
	if (err)
		return err;
	struct prunable *p = calloc(1, sizeof *p);
	if (!p)
		return err_set(e, ERR_MEMORY, "out of memory");
	p->arena = arena_new();
	err = p->arena ? onnx_read(model, &p->graph, e) : err_set(e, ERR_MEMORY, "out of memory");
	if (!err)
		err = coupling_new(p->graph, &p->coupling, e);
	if (!err)
		err = criterion_importance(r, p->coupling, p->arena, &p->importance, &p->by_l1, e);
	if (err)
		prunable_close(p);
	else
		*ret = p;
	return err;
}

void prunable_close(struct prunable *p)
{
	if (!p)
		return;
	coupling_free(p->coupling);
	graph_free(p->graph);
	arena_free(p->arena);
	free(p);
}

enum err prunable_make(const struct prunable *p, const int *keep, struct graph **ret, struct errinfo *e)
{
	bool *removed = calloc((size_t)p->coupling->class_count + 1, sizeof *removed);
	if (!removed)
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = criterion_select(p->coupling, p->importance, keep, removed, e);
	if (!err)
		err = surgery_remove(p->coupling, removed, ret, e);
	free(removed);
	return err;
}

const char *prunable_by_l1(const struct prunable *p, char buf[256])
{
	enum { NAMED = 3 };
	int count = 0, len = 0;
	for (int g = 0; g < p->coupling->group_count; g++) {
		if (!p->by_l1[g])
			continue;
		if (count < NAMED)
			len += snprintf(buf + len, 256 - (size_t)len, "%s%.60s", count ? ", " : "",
				p->coupling->groups[g].name);
		count++;
	}
	if (count > NAMED)
		snprintf(buf + len, 256 - (size_t)len, " and %d more", count - NAMED);
	return count ? buf : NULL;
}
