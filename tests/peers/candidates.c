/* candidates.c -- our side of `make check-peers`: logits of a model, and pruned models to compare on.
 * SPDX-License-Identifier: MIT
 *
 * A program, not a suite: compare.py runs it beside ONNX Runtime and PyTorch and does the judging. Its input is what
 * the service itself reads (ONNX, IDX), its output plain float32 and ONNX files. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/rng.h"
#include "evaluator/data/dataset.h"
#include "evaluator/data/idx.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/measure/accuracy.h"
#include "evaluator/measure/recalibrate.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/prune/coupling.h"
#include "evaluator/prune/prune.h"

enum { BATCH = 64, CALIBRATION = 512, MOST_IMAGES = 1000000, MOST_CANDIDATES = 1000, MOST_PATH = 4096 };

/* As the sample networks were trained (models/). */
static const struct normalisation fashion = { .channels = 1, .mean = { 0.2860f }, .std = { 0.3530f } };

/* Images without their labels, which neither logits nor calibration look at: all are class 0. */
static enum err read_images(const char *path, struct dataset *ret, struct errinfo *e)
{
	struct array x = { 0 };
	enum err err = idx_open(path, "images", 3, 3, &x, e);
	if (err)
		return err;
	unsigned char *pixels = malloc(x.bytes);
	uint32_t *labels = calloc(x.dims[0], sizeof *labels);
	if (!pixels || !labels)
		err = err_set(e, ERR_MEMORY, "out of memory");
	else
		err = array_take(&x, pixels, x.bytes, e);
	*ret = (struct dataset){ .count = x.dims[0], .channels = 1, .height = (int64_t)x.dims[1],
		.width = (int64_t)x.dims[2], .pixels = pixels, .labels = labels, .classes = 1, .file = -1 };
	array_close(&x);
	return err;
}

static void images_fini(struct dataset *d)
{
	free((void *)d->pixels);
	free((void *)d->labels);
}

static enum err read_number(const char *name, const char *text, long max, long *ret, struct errinfo *e)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < 1 || n > max)
		return err_set(e, ERR_INPUT, "%s: is '%.40s', expected an integer from 1 to %ld", name, text, max);
	*ret = n;
	return ERR_OK;
}

/* ---- logits ---- */

/* ret is (n, classes). */
static enum err run_plan(struct plan *p, const struct split *s, size_t n, float *ret, struct errinfo *e)
{
	uint32_t labels[BATCH];
	size_t classes = (size_t)plan_output_size(p, 0);
	for (size_t from = 0; from < n; from += BATCH) {
		size_t count = n - from < BATCH ? n - from : BATCH;
		split_batch(s, NULL, from, count, plan_input(p, 0), labels);
		enum err err = plan_run(p, e);
		if (err)
			return err;
		memcpy(ret + from * classes, plan_output(p, 0), count * classes * sizeof *ret);
	}
	return ERR_OK;
}

static enum err write_logits(const struct graph *g, const struct split *s, size_t n, const char *out, struct errinfo *e)
{
	struct plan *p = NULL;
	enum err err = score_check(g, s, e);
	if (!err)
		err = plan_new(g, BATCH, PLAN_INFER, &p, e);
	if (err)
		return err;
	size_t bytes = n * (size_t)plan_output_size(p, 0) * sizeof(float);
	float *logits = malloc(bytes);
	err = logits ? run_plan(p, s, n, logits, e) : err_set(e, ERR_MEMORY, "out of memory");
	if (!err)
		err = file_write(out, logits, bytes, e);
	free(logits);
	plan_free(p);
	return err;
}

static enum err logits(char **argv, struct errinfo *e)
{
	struct dataset images = { 0 };
	struct graph *g = NULL;
	struct split split;
	long n;
	enum err err = read_number("N", argv[3], MOST_IMAGES, &n, e);
	if (!err)
		err = read_images(argv[1], &images, e);
	if (!err && (size_t)n > images.count)
		err = err_set(e, ERR_INPUT, "N: is %ld, %s has %zu images", n, argv[1], images.count);
	if (!err)
		err = split_whole(&images, &fashion, &split, e);
	if (!err)
		err = onnx_read(argv[0], &g, e);
	if (!err)
		err = write_logits(g, &split, (size_t)n, argv[2], e);
	graph_free(g);
	images_fini(&images);
	return err;
}

/* ---- make ---- */

/* Of a group: about `share` of its channels, odd where asked for: no kernel's block size divides that. */
static int some_of(int channels, double share, bool odd, struct rng *r)
{
	int keep = 1 + (int)((channels - 1) * share * (0.5 + rng_uniform(r)));
	if (keep > channels)
		keep = channels;
	return odd && keep % 2 == 0 ? keep - 1 : keep;
}

/* Candidate `number` of `count`: from one channel a group (the first) through every share between to one channel less
 * than all (the last). Three of four candidates between have odd numbers throughout. */
static void choose(const struct coupling *c, long number, long count, struct rng *r, int *ret_keep)
{
	for (int g = 0; g < c->group_count; g++) {
		int channels = c->groups[g].channels;
		if (number == 0)
			ret_keep[g] = 1;
		else if (number == count - 1)
			ret_keep[g] = channels > 1 ? channels - 1 : 1;
		else
			ret_keep[g] = some_of(channels, (double)number / (double)(count - 1), number % 4 != 0, r);
	}
}

/* The candidate's file, and a line about it: the path and the channels kept. */
static enum err make_one(const struct prunable *p, const struct split *s, const int *keep, uint64_t seed,
	const char *path, struct errinfo *e)
{
	struct graph *g = NULL;
	enum err err = prunable_make(p, keep, &g, e);
	if (!err)
		err = recalibrate(g, s, CALIBRATION, seed, NULL, e);
	if (!err)
		err = onnx_write(g, path, e);
	graph_free(g);
	if (err)
		return err;
	printf("%s", path);
	for (int i = 0; i < p->coupling->group_count; i++)
		printf(" %d", keep[i]);
	printf("\n");
	return ERR_OK;
}

static enum err make_all(const struct prunable *p, const struct split *s, long count, long seed, const char *folder,
	struct errinfo *e)
{
	struct rng rng;
	char path[MOST_PATH];
	enum err err = ERR_OK;
	int *keep = calloc((size_t)p->coupling->group_count + 1, sizeof *keep);
	if (!keep)
		return err_set(e, ERR_MEMORY, "out of memory");
	rng_init(&rng, (uint64_t)seed, 0);
	for (long i = 0; !err && i < count; i++) {
		choose(p->coupling, i, count, &rng, keep);
		if (snprintf(path, sizeof path, "%s/candidate-%03ld.onnx", folder, i) >= (int)sizeof path)
			err = err_set(e, ERR_INPUT, "FOLDER: is longer than %d characters", MOST_PATH - 20);
		else
			err = make_one(p, s, keep, rng_u64(&rng), path, e);
	}
	free(keep);
	return err;
}

static enum err make(char **argv, struct errinfo *e)
{
	struct dataset images = { 0 };
	struct prunable *p = NULL;
	struct split split;
	long count, seed;
	enum err err = read_number("COUNT", argv[2], MOST_CANDIDATES, &count, e);
	if (!err)
		err = read_number("SEED", argv[3], 1000000000, &seed, e);
	if (!err)
		err = file_make_directory(argv[4], e);
	if (!err)
		err = read_images(argv[1], &images, e);
	if (!err)
		err = split_whole(&images, &fashion, &split, e);
	if (!err)
		err = prunable_open(argv[0], "l1", &p, e);
	if (!err)
		err = make_all(p, &split, count, seed, argv[4], e);
	prunable_close(p);
	images_fini(&images);
	return err;
}

int main(int argc, char **argv)
{
	struct errinfo e = { 0 };
	enum err err;
	if (argc == 6 && !strcmp(argv[1], "logits"))
		err = logits(argv + 2, &e);
	else if (argc == 7 && !strcmp(argv[1], "make"))
		err = make(argv + 2, &e);
	else
		err = err_set(&e, ERR_INPUT, "usage: peers-candidates logits MODEL IMAGES OUT.f32 N\n"
			"       peers-candidates make MODEL IMAGES COUNT SEED FOLDER");
	if (!err && fflush(stdout))
		err = err_errno(&e, "standard output");
	if (err)
		fprintf(stderr, "peers-candidates: %s\n", e.msg);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
