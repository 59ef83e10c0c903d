/* recalibrate.c -- batch-norm's running statistics measured afresh.
 * SPDX-License-Identifier: MIT
 *
 * Pooled over batches of equal size: mean = avg(m_b), variance = avg(v_b + m_b^2) - mean^2, times n / (n - 1) over all
 * n numbers of a channel. */
#include "evaluator/measure/recalibrate.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/rng.h"
#include "evaluator/data/dataset.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/measure/accuracy.h"
#include "evaluator/measure/batch.h"
#include "evaluator/model/graph.h"

/* Statistics of very few images say little about any of them. */
enum { MOST_IMAGES = 64, FEWEST_IMAGES = 8 };

/* Sums over batches for the channels of one batch-norm. */
struct moments {
	double *mean, *square;
};

bool recalibrate_applies(const struct graph *g)
{
	for (int i = 0; i < g->node_count; i++)
		if (g->nodes[i].op == OP_BATCH_NORM)
			return true;
	return false;
}

static int64_t channels_of(const struct graph *g, int node)
{
	return g->values[g->nodes[node].in[0]].shape.dim[1];
}

static struct moments *moments_new(const struct graph *g, struct arena *a)
{
	struct moments *m = ARENA_ARRAY(a, struct moments, (size_t)g->node_count);
	for (int i = 0; m && i < g->node_count; i++) {
		if (g->nodes[i].op != OP_BATCH_NORM)
			continue;
		m[i].mean = ARENA_ARRAY(a, double, (size_t)channels_of(g, i));
		m[i].square = ARENA_ARRAY(a, double, (size_t)channels_of(g, i));
		if (!m[i].mean || !m[i].square)
			return NULL;
	}
	return m;
}

static void add_batch(const struct graph *g, const struct plan *p, struct moments *m)
{
	for (int i = 0; i < g->node_count; i++) {
		const float *mean, *variance;
		int64_t ignored;
		if (g->nodes[i].op != OP_BATCH_NORM)
			continue;
		plan_statistics(p, i, &mean, &variance, &ignored);
		for (int64_t c = 0; c < channels_of(g, i); c++) {
			m[i].mean[c] += mean[c];
			m[i].square[c] += (double)variance[c] + (double)mean[c] * mean[c];
		}
	}
}

/* Of channel c of a batch-norm, over all batches. */
static void pool(const struct moments *m, int64_t c, size_t batches, double *ret_mean, double *ret_variance)
{
	*ret_mean = m->mean[c] / (double)batches;
	*ret_variance = m->square[c] / (double)batches - *ret_mean * *ret_mean;
}

static enum err check_statistics(const struct graph *g, const struct moments *m, size_t batches, struct errinfo *e)
{
	char text[256];
	double mean, variance;
	for (int i = 0; i < g->node_count; i++) {
		if (g->nodes[i].op != OP_BATCH_NORM)
			continue;
		for (int64_t c = 0; c < channels_of(g, i); c++) {
			pool(&m[i], c, batches, &mean, &variance);
			if (!isfinite((float)mean) || !isfinite((float)variance))
				return err_set(e, ERR_INPUT,
					"%s: its statistics are not finite, the network has diverged or the images "
					"hold no finite numbers", node_text(&g->nodes[i], text));
		}
	}
	return ERR_OK;
}

static void write_statistics(struct graph *g, const struct plan *p, const struct moments *m, size_t batches)
{
	for (int i = 0; i < g->node_count; i++) {
		const struct node *n = &g->nodes[i];
		const float *unused_mean, *unused_variance;
		int64_t count;
		if (n->op != OP_BATCH_NORM)
			continue;
		plan_statistics(p, i, &unused_mean, &unused_variance, &count);
		double all = (double)count * (double)batches, mu, v;
		float *mean = g->values[n->in[3]].data, *variance = g->values[n->in[4]].data;
		for (int64_t c = 0; c < channels_of(g, i); c++) {
			pool(&m[i], c, batches, &mu, &v);
			mean[c] = (float)mu;
			variance[c] = (float)((v > 0 ? v : 0) * all / (all - 1));
		}
	}
}

static enum err run_batches(const struct graph *g, struct plan *p, const struct split *s, const uint32_t *order,
	size_t batches, const atomic_bool *stop, struct moments *m, struct errinfo *e)
{
	uint32_t labels[MOST_IMAGES];
	size_t batch = (size_t)plan_batch(p);
	for (size_t i = 0; i < batches; i++) {
		if (stop && atomic_load(stop))
			return err_set(e, ERR_GONE, "stopped");
		split_batch(s, order, i * batch, batch, plan_input(p, 0), labels);
		enum err err = plan_run(p, e);
		if (err)
			return err;
		add_batch(g, p, m);
	}
	return ERR_OK;
}

enum err recalibrate(struct graph *g, const struct split *s, size_t images, uint64_t seed, const atomic_bool *stop,
	struct errinfo *e)
{
	struct rng rng;
	struct plan *p = NULL;
	images = images < s->count ? images : s->count;
	if (images < 2 || !recalibrate_applies(g))
		return ERR_OK;
	size_t batch;
	enum err err = score_check(g, s, e);
	if (!err)
		err = batch_choose(g, images, MOST_IMAGES, FEWEST_IMAGES, &batch, e);
	if (err)
		return err;
	struct arena *a = arena_new();
	uint32_t *order = a ? ARENA_ARRAY(a, uint32_t, s->count) : NULL;
	struct moments *m = order ? moments_new(g, a) : NULL;
	if (!m) {
		err = err_set(e, ERR_MEMORY, "out of memory");
		goto out;
	}
	rng_init(&rng, seed, 0x63616c6962726174); /* a stream of its own */
	rng_permutation(&rng, order, s->count);
	err = plan_new(g, (int64_t)batch, PLAN_CALIBRATE, &p, e);
	if (!err)
		err = run_batches(g, p, s, order, images / batch, stop, m, e);
	if (!err)
		err = check_statistics(g, m, images / batch, e);
	if (!err)
		write_statistics(g, p, m, images / batch);
out:
	plan_free(p);
	arena_free(a);
	return err;
}
