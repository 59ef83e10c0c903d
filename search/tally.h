/* tally.h -- the cost of a candidate kept up to date while single groups change.
 * SPDX-License-Identifier: MIT
 *
 * A change costs O(layers that the group touches) instead of a whole cost_of. The space is borrowed. */
#ifndef SEARCH_TALLY_H
#define SEARCH_TALLY_H

#include "base/err.h"
#include "search/cost.h"

struct tally;

/* Starts at the candidate keep (copied). */
enum err tally_open(const struct space *s, const int *keep, struct tally **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void tally_close(struct tally *t);

/* The channels that group g keeps now. */
int tally_keep(const struct tally *t, int g);

/* The whole candidate's cost if group g kept `keep` channels. */
struct cost tally_if(const struct tally *t, int g, int keep);

void tally_set(struct tally *t, int g, int keep);

#endif
