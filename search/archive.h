/* archive.h -- the results that a model is fitted to.
 * SPDX-License-Identifier: MIT
 *
 * All of them as long as they are few. When there are ARCHIVE_MOST, the best by front and crowding and the latest stay,
 * ARCHIVE_FEW in all: so fitting costs no more however large the budget. Depends on the results and their order alone.
 * Failed trials are not kept: they say nothing about the metrics. */
#ifndef SEARCH_ARCHIVE_H
#define SEARCH_ARCHIVE_H

#include "search/strategy.h"

enum { ARCHIVE_MOST = 208, ARCHIVE_FEW = 144 };

struct archive {
	const struct problem *problem;
	int count;
	bool thinned;    /* there were more */
	int *keep;       /* count x groups */
	double *x;       /* count x groups: the share of each group's importance that is removed */
	double *point;   /* count x objectives, to be minimised (search/score.h) */
	double *violation;
	double (*metrics)[METRIC_COUNT];
};

/* p is borrowed. */
enum err archive_new(const struct problem *p, struct archive **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void archive_free(struct archive *a); /* accepts NULL */

enum err archive_add(struct archive *a, const struct outcome *o, struct errinfo *e) __attribute__((warn_unused_result));

#endif
