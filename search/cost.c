/* cost.c -- params, MACs and dense bytes of a candidate, by the formulas of docs/protocol.md.
 * SPDX-License-Identifier: MIT
 *
 * No overflow is possible: space_read has checked every intermediate of the intact network, and all are monotone. */
#include "search/cost.h"

#include <assert.h>
#include <stddef.h>

#include "search/space.h"

struct cost cost_of_layer(const struct space_layer *l, int64_t out, int64_t in)
{
	int64_t weights = out * in * l->kernel;
	int64_t params = (l->stored ? weights : 0) + out * l->vectors;
	return (struct cost){
		.params = params,
		.macs = weights * l->positions,
		.bytes = 4 * (params + out * l->buffers),
	};
}

/* How many channels a group keeps in the network that is being counted. */
typedef int kept_cb(const struct space *s, const int *keep, int g);

static int kept_by_candidate(const struct space *s, const int *keep, int g)
{
	(void)s;
	return keep[g];
}

static int kept_intact(const struct space *s, const int *keep, int g)
{
	(void)keep;
	return s->groups[g].channels;
}

static int kept_at_least(const struct space *s, const int *keep, int g)
{
	(void)keep;
	return s->groups[g].min_keep;
}

static int kept_at_most(const struct space *s, const int *keep, int g)
{
	(void)keep;
	return s->groups[g].max_keep;
}

static inline int64_t dim_size(const struct space *s, const struct space_dim *d, kept_cb *kept, const int *keep)
{
	int64_t size = d->constant;
	for (int i = 0; i < d->term_count; i++)
		size += d->terms[i].multiple * kept(s, keep, d->terms[i].group);
	return size;
}

static inline struct cost sum(const struct space *s, kept_cb *kept, const int *keep)
{
	struct cost total = { .params = s->fixed_params, .bytes = 4 * (s->fixed_params + s->fixed_buffers) };
	for (int i = 0; i < s->layer_count; i++) {
		const struct space_layer *l = &s->layers[i];
		struct cost c = cost_of_layer(l, dim_size(s, &l->out, kept, keep), dim_size(s, &l->in, kept, keep));
		total.params += c.params;
		total.macs += c.macs;
		total.bytes += c.bytes;
	}
	return total;
}

struct cost cost_of(const struct space *s, const int *keep)
{
	return sum(s, kept_by_candidate, keep);
}

struct cost cost_of_intact(const struct space *s)
{
	return sum(s, kept_intact, NULL);
}

struct cost cost_of_least(const struct space *s)
{
	return sum(s, kept_at_least, NULL);
}

struct cost cost_of_most(const struct space *s)
{
	return sum(s, kept_at_most, NULL);
}

double cost_metric(const struct cost *c, enum metric m)
{
	assert(metric_is_exact_cost(m));
	return (double)(m == METRIC_PARAMS ? c->params : m == METRIC_MACS ? c->macs : c->bytes);
}
