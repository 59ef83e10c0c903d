/* accuracy.c -- how well a network classifies.
 * SPDX-License-Identifier: MIT */
#include "evaluator/measure/accuracy.h"

#include <math.h>

#include "evaluator/data/dataset.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/measure/batch.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"

enum { MOST_IMAGES = 32 /* at a time: what one layer leaves for the next stays in the cache */ };

enum err score_check_model(const struct graph *g, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &g->values[g->inputs[0]].shape, *y = &g->values[g->outputs[0]].shape;
	for (int i = 0; i < g->node_count; i++)
		if (g->nodes[i].opaque)
			return err_set(e, ERR_UNSUPPORTED, "the network cannot be run: %s: %s",
				node_text(&g->nodes[i], text), g->nodes[i].opaque);
	if (g->input_count != 1)
		return err_set(e, ERR_UNSUPPORTED, "the network has %d inputs, expected one, of images",
			g->input_count);
	if (x->rank != 4 && x->rank != 2)
		return err_set(e, ERR_UNSUPPORTED,
			"the network's input is %s, expected images: (batch, channels, height, width), or flat",
			shape_text(x, text));
	if (y->rank != 2 || y->dim[0] != DIM_BATCH)
		return err_set(e, ERR_UNSUPPORTED, "the network's output is %s, expected (batch, classes)",
			shape_text(y, text));
	return ERR_OK;
}

enum err score_check(const struct graph *g, const struct split *s, struct errinfo *e)
{
	char text[128];
	const struct dataset *d = s->data;
	enum err err = score_check_model(g, e);
	if (err)
		return err;
	const struct shape *x = &g->values[g->inputs[0]].shape, *y = &g->values[g->outputs[0]].shape;
	bool image = x->rank == 4 && x->dim[1] == d->channels && x->dim[2] == d->height && x->dim[3] == d->width;
	bool flat = x->rank == 2 && x->dim[1] == d->channels * d->height * d->width;
	if (!image && !flat)
		return err_set(e, ERR_INPUT,
			"the data's images are %lld x %lld x %lld (channels, height, width), the network's input is %s",
			(long long)d->channels, (long long)d->height, (long long)d->width, shape_text(x, text));
	if (d->classes > y->dim[1])
		return err_set(e, ERR_INPUT, "the data has the label %u, the network has %lld classes", d->classes - 1,
			(long long)y->dim[1]);
	return ERR_OK;
}

/* Cross-entropy -log softmax(logits)[label], computed around the largest logit. NaN when a logit is not finite. */
static double cross_entropy(const float *logits, int64_t classes, uint32_t label, int64_t *ret_best)
{
	int64_t best = 0;
	double sum = 0;
	bool finite = true;
	for (int64_t c = 0; c < classes; c++) {
		finite = finite && isfinite(logits[c]);
		if (logits[c] > logits[best])
			best = c;
	}
	for (int64_t c = 0; c < classes; c++)
		sum += exp((double)logits[c] - logits[best]);
	*ret_best = best;
	return finite ? log(sum) - ((double)logits[label] - logits[best]) : NAN;
}

/* The first batch is looked at closely: weights so large that sums overflow show there. */
static enum err score_plan(struct plan *p, const struct split *s, size_t images, const atomic_bool *stop,
	struct score *ret, struct errinfo *e)
{
	uint32_t labels[MOST_IMAGES];
	size_t right = 0, batch = (size_t)plan_batch(p);
	double loss = 0;
	int64_t classes = plan_output_size(p, 0), best;
	for (size_t from = 0; from < images; from += batch) {
		size_t n = images - from < batch ? images - from : batch;
		if (stop && atomic_load(stop))
			return err_set(e, ERR_GONE, "stopped");
		split_batch(s, NULL, from, n, plan_input(p, 0), labels);
		enum err err = from ? plan_run(p, e) : plan_run_checked(p, e);
		if (err)
			return err;
		for (size_t i = 0; i < n; i++) {
			loss += cross_entropy(plan_output(p, 0) + (int64_t)i * classes, classes, labels[i], &best);
			right += best == labels[i];
		}
	}
	if (!isfinite(loss))
		return err_set(e, ERR_INPUT, "the loss is not finite: the network's output has diverged");
	*ret = (struct score){ (double)right / (double)images, loss / (double)images, images };
	return ERR_OK;
}

enum err score_graph(const struct graph *g, const struct split *s, size_t images, const atomic_bool *stop,
	struct score *ret, struct errinfo *e)
{
	struct plan *p;
	size_t batch;
	enum err err = score_check(g, s, e);
	if (err)
		return err;
	if (images > s->count)
		images = s->count;
	if (!images)
		return err_set(e, ERR_INPUT, "there are no images to score");
	err = batch_choose(g, images, MOST_IMAGES, 1, &batch, e);
	if (!err)
		err = plan_new(g, (int64_t)batch, PLAN_INFER, &p, e);
	if (err)
		return err;
	err = score_plan(p, s, images, stop, ret, e);
	plan_free(p);
	return err;
}

enum err score_model(const char *model, const struct split *s, struct score *ret, struct errinfo *e)
{
	struct graph *g;
	enum err err = onnx_read(model, &g, e);
	if (err)
		return err;
	err = score_graph(g, s, s->count, NULL, ret, e);
	graph_free(g);
	return err;
}
