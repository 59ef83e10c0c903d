/* runner.c -- our side of `make bench-evaluator`: runs a network, a training step or a quick trial for the driver.
 * SPDX-License-Identifier: MIT
 *
 * Reads a line, answers with a line of milliseconds, until the input ends:
 *
 *     infer MODEL BATCH       one forward pass, the median of some
 *     train MODEL BATCH N     one step of N: images decoded, forward, backward, optimiser, running statistics
 *     trial MODEL LEASE       one trial as a worker does it, by a lease whose digests are paths in FILES order
 *     peak                    GFLOP/s of fused multiply-adds on registers, not milliseconds
 *
 * Plans are kept, so that only their first use builds one. One thread. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/trainspec.h"
#include "evaluator/data/dataset.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/train/fit.h"
#include "evaluator/trial.h"

enum { LINE = 4096, MOST_PLANS = 32, MOST_RUNS = 400, PATH = 4096 };
static const double LONG_ENOUGH_MS = 300;

#define FASHION "/usr/share/datasets/fashion-mnist/"

static const struct normalisation fashion = { .channels = 1, .mean = { 0.2860f }, .std = { 0.3530f } };

/* The blobs of a trial: the digest's first letter says which. */
static char model_path[PATH];
static const char *const files[] = { FASHION "train-images-idx3-ubyte.gz", FASHION "train-labels-idx1-ubyte.gz",
	FASHION "t10k-images-idx3-ubyte.gz", FASHION "t10k-labels-idx1-ubyte.gz" };

static struct kept_plan {
	char model[PATH];
	int64_t batch;
	struct plan *plan;
} kept[MOST_PLANS];
static int kept_count;

static void die(const struct errinfo *e)
{
	fprintf(stderr, "runner: %s\n", e->msg);
	exit(EXIT_FAILURE);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void answer(double *times, int n)
{
	qsort(times, (size_t)n, sizeof *times, by_size);
	printf("%.6f\n", times[n / 2]);
	fflush(stdout);
}

static double ms_since(int64_t start)
{
	return (double)(clock_ns() - start) / 1e6;
}

/* ---- infer ---- */

static struct plan *plan_for(const char *model, int64_t batch)
{
	struct errinfo e;
	struct graph *g;
	for (int i = 0; i < kept_count; i++)
		if (kept[i].batch == batch && !strcmp(kept[i].model, model))
			return kept[i].plan;
	if (kept_count == MOST_PLANS) {
		fprintf(stderr, "runner: more than %d plans\n", MOST_PLANS);
		exit(EXIT_FAILURE);
	}
	struct kept_plan *k = &kept[kept_count++];
	snprintf(k->model, sizeof k->model, "%s", model);
	k->batch = batch;
	if (onnx_read(model, &g, &e) || plan_new(g, batch, PLAN_INFER, &k->plan, &e))
		die(&e);
	for (int64_t i = 0; i < batch * plan_input_size(k->plan, 0); i++)
		plan_input(k->plan, 0)[i] = (float)(i * 7919 % 1000) / 500 - 1;
	graph_free(g);
	return k->plan;
}

static void infer(const char *model, int64_t batch)
{
	struct errinfo e;
	struct plan *p = plan_for(model, batch);
	double times[MOST_RUNS], sum = 0;
	int n = 0;
	for (; n < MOST_RUNS && (n < 3 || sum < LONG_ENOUGH_MS); n++) {
		int64_t start = clock_ns();
		if (plan_run(p, &e))
			die(&e);
		times[n] = ms_since(start);
		sum += times[n];
	}
	answer(times, n);
}

/* ---- train ---- */

static void train(const char *model, int64_t batch, int64_t steps)
{
	static struct dataset *data;
	struct errinfo e;
	struct split all;
	struct graph *g;
	struct fit_result result;
	struct trainspec spec = { .steps = steps, .batch = batch, .optimizer = TRAIN_SGD, .rate = 0.01,
		.momentum = 0.9, .nesterov = true, .weight_decay = 5e-4, .schedule = TRAIN_CONSTANT, .crop = 1 };
	struct fit_request r = { .images = &all, .spec = &spec, .seed = 1 };
	if ((!data && dataset_read_idx(files[0], files[1], &data, &e)) || split_whole(data, &fashion, &all, &e) ||
		onnx_read(model, &g, &e) || fit(g, &r, &result, &e))
		die(&e);
	graph_free(g);
	printf("%.6f\n", result.seconds * 1e3 / (double)result.steps);
	fflush(stdout);
}

/* ---- trial ---- */

static enum err fetch(const char *digest, char ret_path[PATH], void *arg, struct errinfo *e)
{
	(void)arg;
	int i = digest[0] - '1';
	if (i >= 0 && i < 4)
		snprintf(ret_path, PATH, "%s", files[i]);
	else if (digest[0] == '0')
		snprintf(ret_path, PATH, "%s", model_path);
	else
		return err_set(e, ERR_NOT_FOUND, "no blob %s", digest);
	return ERR_OK;
}

static void trial(const char *model, const char *lease_text)
{
	static struct workspace *w;
	struct errinfo e;
	cJSON *lease, *report;
	snprintf(model_path, sizeof model_path, "%s", model);
	if (!w && workspace_open(fetch, NULL, &w, &e))
		die(&e);
	if (json_parse("lease", lease_text, strlen(lease_text), &lease, &e))
		die(&e);
	int64_t start = clock_ns();
	if (trial_run(w, lease, "/dev/shm/pared-bench.onnx", NULL, &report, &e))
		die(&e);
	double ms = ms_since(start);
	char *metrics = cJSON_PrintUnformatted(cJSON_GetObjectItem(report, "metrics"));
	printf("%.6f %s\n", ms, metrics ? metrics : "");
	fflush(stdout);
	cJSON_free(metrics);
	cJSON_Delete(report);
	cJSON_Delete(lease);
	remove("/dev/shm/pared-bench.onnx");
}

/* ---- peak ---- */

enum { WIDE = 16, CHAINS = 12, ROUNDS = 20000000 };
typedef float wide __attribute__((vector_size(WIDE * sizeof(float))));

#if defined(__x86_64__)
#define MULTIPLY_ADD __attribute__((target_clones("avx512f", "fma", "default"), optimize("fp-contract=fast")))
#else
#define MULTIPLY_ADD
#endif

/* As many independent chains as hide the latency of one. */
MULTIPLY_ADD static float multiply_add(float start)
{
	wide x[CHAINS], by = { 0 }, more = { 0 };
	for (int i = 0; i < WIDE; i++) {
		by[i] = 0.999f;
		more[i] = start;
	}
#pragma GCC unroll 12
	for (int k = 0; k < CHAINS; k++)
		x[k] = more * (float)k;
	for (int i = 0; i < ROUNDS; i++)
#pragma GCC unroll 12
		for (int k = 0; k < CHAINS; k++)
			x[k] = x[k] * by + more;
#pragma GCC unroll 12
	for (int k = 1; k < CHAINS; k++)
		x[0] += x[k];
	return x[0][0];
}

static void peak(void)
{
	int64_t start = clock_ns();
	volatile float keep = multiply_add(0.5f);
	(void)keep;
	printf("%.1f\n", 2.0 * WIDE * CHAINS * ROUNDS / (double)(clock_ns() - start));
	fflush(stdout);
}

int main(void)
{
	static char line[LINE], model[LINE], rest[LINE];
	long batch, steps;
	while (fgets(line, sizeof line, stdin)) {
		if (sscanf(line, "infer %s %ld", model, &batch) == 2)
			infer(model, batch);
		else if (sscanf(line, "train %s %ld %ld", model, &batch, &steps) == 3)
			train(model, batch, steps);
		else if (sscanf(line, "trial %s %[^\n]", model, rest) == 2)
			trial(model, rest);
		else if (!strcmp(line, "peak\n"))
			peak();
		else {
			fprintf(stderr, "runner: '%.60s': unknown\n", line);
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}
