/* space.h -- what can be pruned: groups of channels, and the layers whose cost they decide.
 * SPDX-License-Identifier: MIT
 *
 * Read from the inventory that the baseline's worker reports (docs/protocol.md), which is hostile until checked.
 * A candidate is one int a group, the channels kept: min_keep to max_keep, a multiple of step, or max_keep. Immutable
 * once read. */
#ifndef SEARCH_SPACE_H
#define SEARCH_SPACE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct arena;

struct space_group {
	char *name;
	int channels; /* of the unpruned network */
	int min_keep; /* the fewest a candidate may keep: from max_ratio and round_to, at least 1 */
	int max_keep; /* the most: at least min_keep, at most channels. Equal to min_keep: there is nothing to choose */
	int step;     /* kept channels are a multiple of this, or max_keep */
	/* share[i]: fraction of the group's importance (by L1 norms of weights) that goes with the fraction
	 * i / (share_count - 1) of its channels, least important first; from 0 to 1. NULL, 0: not known. */
	const float *share;
	int share_count;
};

/* A dimension: constant + sum of multiple * keep[group]. */
struct space_term {
	int group;
	int64_t multiple;
};
struct space_dim {
	int64_t constant;
	struct space_term *terms;
	int term_count;
};

struct space_layer {
	char *name, *op;
	struct space_dim out, in;
	int64_t kernel, positions, vectors, buffers; /* docs/protocol.md, "The inventory" */
	bool stored; /* out * in * kernel numbers are learned; else they are computed, or another layer's */
};

struct space {
	struct space_group *groups;
	int group_count;
	struct space_layer *layers;
	int layer_count;
	int64_t fixed_params, fixed_buffers;
	double chance; /* accuracy of a network that always gives the commonest answer; 0: not known */
	struct arena *arena; /* everything above lives here */
};

/* Names of groups, or shell patterns (fnmatch). */
struct space_patterns {
	const char *const *text;
	int count;
};

/* Limits of the groups that it matches. */
struct space_rule {
	struct space_patterns match;
	double min_ratio, max_ratio; /* NaN: not said */
	int round_to;                /* 0: not said */
};

/* Limits on all groups, from the job's "prune". */
struct space_limits {
	double max_ratio; /* 0..1: the most a group may lose */
	int round_to;     /* >= 1 */
	struct space_patterns include, exclude; /* without include all are included, but those of exclude */
	const struct space_rule *rules;         /* later ones win */
	int rule_count;
};

/* Checks everything: kinds, ranges, group indices, and that nothing in the cost of the unpruned network exceeds 2^53
 * (so nothing does in any candidate's). At most 65536 groups and 1048576 layers, ERR_LIMIT beyond. ERR_UNSUPPORTED
 * "nothing can be pruned" when there is no group, or none that may lose a channel, and as range_set says. */
enum err space_read(const cJSON *inventory, const struct space_limits *limits, struct space **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* The same of text, as the database keeps it. */
enum err space_parse(const char *inventory, const struct space_limits *limits, struct space **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void space_free(struct space *s);

/* The keep nearest to `wanted` (any real) that the group allows. Half way goes to the larger; NaN gives max_keep. Never
 * decreases when `wanted` grows. */
int space_round_keep(const struct space_group *g, double wanted);

/* The next larger or smaller keep that the group allows; keep itself (an allowed one) at the end. */
int space_more(const struct space_group *g, int keep);
int space_less(const struct space_group *g, int keep);

/* Whether keep[] is a candidate of this space. */
bool space_allows(const struct space *s, const int *keep);

/* The largest candidate: every group at its max_keep. */
void space_most(const struct space *s, int *ret_keep);

/* The share of its importance, 0..1, that the group loses when it keeps `keep` channels: interpolated between its
 * shares, 1 - keep / channels when it has none. */
double space_share(const struct space_group *g, int keep);
/* That of each group of a candidate, group_count numbers in 0..1. */
void space_shares(const struct space *s, const int *keep, double *ret);

#endif
