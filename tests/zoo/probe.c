/* probe.c -- our side of `make zoo` and `make bench-load`: answers of a model, random candidates, what loading takes.
 * SPDX-License-Identifier: MIT
 *
 * A program, not a suite: the scripts beside it run it next to ONNX Runtime and PyTorch and do the judging. Numbers go
 * in and out as plain float32, run by run, every run with its inputs (or outputs) in the model's order; what there is
 * to say about it is a line of JSON on standard output. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/rng.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/measure/size.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/prune/coupling.h"
#include "evaluator/prune/prune.h"
#include "evaluator/prune/surgery.h"

static const size_t most_input = (size_t)1 << 30;

static double milliseconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static enum err read_number(const char *name, const char *text, double min, double max, double *ret,
	struct errinfo *e)
{
	char *end;
	errno = 0;
	double n = strtod(text, &end);
	if (errno || end == text || *end || !(n >= min && n <= max))
		return err_set(e, ERR_INPUT, "%s: is '%.40s', expected a number from %g to %g", name, text, min,
			max);
	*ret = n;
	return ERR_OK;
}

/* ---- a model's answers ---- */

/* Floats of one run. */
static size_t input_count(const struct plan *p)
{
	size_t count = 0;
	for (int i = 0; i < plan_input_count(p); i++)
		count += (size_t)(plan_batch(p) * plan_input_size(p, i));
	return count;
}

static size_t output_count(const struct plan *p)
{
	size_t count = 0;
	for (int i = 0; i < plan_output_count(p); i++)
		count += (size_t)(plan_batch(p) * plan_output_size(p, i));
	return count;
}

static enum err run_once(struct plan *p, const float *in, float *ret, struct errinfo *e)
{
	for (int i = 0; i < plan_input_count(p); i++) {
		size_t count = (size_t)(plan_batch(p) * plan_input_size(p, i));
		memcpy(plan_input(p, i), in, count * sizeof *in);
		in += count;
	}
	enum err err = plan_run(p, e);
	for (int i = 0; !err && i < plan_output_count(p); i++) {
		size_t count = (size_t)(plan_batch(p) * plan_output_size(p, i));
		memcpy(ret, plan_output(p, i), count * sizeof *ret);
		ret += count;
	}
	return err;
}

/* The numbers in a file and how many runs they are. */
static enum err read_runs(const struct plan *p, const char *path, float **ret, size_t *ret_runs, struct errinfo *e)
{
	char *bytes;
	size_t len, step = input_count(p) * sizeof(float);
	enum err err = file_read(path, most_input, &bytes, &len, e);
	if (err)
		return err;
	if (!len || len % step) {
		free(bytes);
		return err_set(e, ERR_INPUT, "%s: has %zu bytes, expected a multiple of %zu", path, len, step);
	}
	*ret = (float *)bytes;
	*ret_runs = len / step;
	return ERR_OK;
}

/* The dimensions of every output, as a JSON array of arrays. */
static void print_outputs(const struct graph *g, int64_t batch)
{
	for (int i = 0; i < g->output_count; i++) {
		const struct shape *s = &g->values[g->outputs[i]].shape;
		printf(i ? ", [" : "[[");
		for (int k = 0; k < s->rank; k++)
			printf(k ? ", %lld" : "%lld", (long long)dim_size(s->dim[k], batch));
		printf("]");
	}
	printf("]");
}

static enum err run_all(
	const struct graph *g, struct plan *p, const char *input, const char *output, struct errinfo *e)
{
	float *in = NULL, *out = NULL;
	size_t runs = 0, in_step = input_count(p), out_step = output_count(p);
	enum err err = read_runs(p, input, &in, &runs, e);
	if (!err)
		out = malloc(runs * out_step * sizeof *out);
	if (!err && !out)
		err = err_set(e, ERR_MEMORY, "out of memory");
	double start = milliseconds();
	for (size_t i = 0; !err && i < runs; i++)
		err = run_once(p, in + i * in_step, out + i * out_step, e);
	double took = milliseconds() - start;
	if (!err)
		err = file_write(output, out, runs * out_step * sizeof *out, e);
	if (!err) {
		printf("{\"runs\": %zu, \"ms\": %.3f, \"outputs\": ", runs, took);
		print_outputs(g, plan_batch(p));
		printf("}\n");
	}
	free(in);
	free(out);
	return err;
}

static enum err answer(char **argv, struct errinfo *e)
{
	struct graph *g = NULL;
	struct plan *p = NULL;
	double batch;
	enum err err = read_number("BATCH", argv[3], 1, 4096, &batch, e);
	if (!err)
		err = onnx_read(argv[0], &g, e);
	if (!err)
		err = plan_new(g, (int64_t)batch, PLAN_INFER, &p, e);
	if (!err)
		err = run_all(g, p, argv[1], argv[2], e);
	plan_free(p);
	graph_free(g);
	return err;
}

/* ---- a random candidate ---- */

/* Every channel goes with probability `ratio`, but each group keeps one. Returns how many go. */
static int choose(const struct coupling *c, double ratio, struct rng *r, bool *ret_removed)
{
	int gone = 0;
	for (int g = 0; g < c->group_count; g++) {
		const struct group *group = &c->groups[g];
		int stays = (int)rng_below(r, (uint64_t)group->channels);
		for (int i = 0; i < group->channels; i++) {
			bool goes = rng_uniform(r) < ratio && i != stays;
			ret_removed[group->classes[i]] = goes;
			gone += goes;
		}
	}
	return gone;
}

static int channels(const struct coupling *c)
{
	int count = 0;
	for (int g = 0; g < c->group_count; g++)
		count += c->groups[g].channels;
	return count;
}

static enum err write_candidate(const struct prunable *p, const bool *removed, int gone, const char *path,
	struct errinfo *e)
{
	struct graph *g = NULL;
	struct size before = { 0 }, after = { 0 };
	enum err err = surgery_remove(p->coupling, removed, &g, e);
	if (!err)
		err = onnx_write(g, path, e);
	if (!err)
		err = size_count(p->graph, &before, e);
	if (!err)
		err = size_count(g, &after, e);
	if (!err)
		printf("{\"groups\": %d, \"channels\": %d, \"removed\": %d, \"params\": [%lld, %lld]}\n",
			p->coupling->group_count, channels(p->coupling), gone, (long long)before.params,
			(long long)after.params);
	graph_free(g);
	return err;
}

static enum err prune(char **argv, struct errinfo *e)
{
	struct prunable *p = NULL;
	struct rng rng;
	bool *removed = NULL;
	double seed, ratio;
	enum err err = read_number("SEED", argv[0], 0, INT_MAX, &seed, e);
	if (!err)
		err = read_number("RATIO", argv[1], 0, 1, &ratio, e);
	if (!err)
		err = prunable_open(argv[2], "l1", &p, e);
	if (err)
		return err;
	removed = calloc((size_t)p->coupling->class_count + 1, sizeof *removed);
	if (!removed) {
		err = err_set(e, ERR_MEMORY, "out of memory");
	} else {
		rng_init(&rng, (uint64_t)seed, 0);
		int gone = choose(p->coupling, ratio, &rng, removed);
		err = write_candidate(p, removed, gone, argv[3], e);
	}
	free(removed);
	prunable_close(p);
	return err;
}

/* ---- what loading takes ---- */

/* The most memory that this process ever had, from the kernel. */
static enum err peak_bytes(long long *ret, struct errinfo *e)
{
	char line[256];
	long long kib = -1;
	FILE *f = fopen("/proc/self/status", "r");
	if (!f)
		return err_errno(e, "/proc/self/status");
	while (kib < 0 && fgets(line, sizeof line, f))
		if (sscanf(line, "VmHWM: %lld", &kib) != 1)
			kib = -1;
	fclose(f);
	if (kib < 0)
		return err_set(e, ERR_INPUT, "/proc/self/status: has no VmHWM");
	*ret = kib * 1024;
	return ERR_OK;
}

static enum err load(char **argv, struct errinfo *e)
{
	struct graph *g = NULL;
	long long before = 0, after = 0;
	enum err err = peak_bytes(&before, e);
	if (err)
		return err;
	double start = milliseconds();
	err = onnx_read(argv[0], &g, e);
	double took = milliseconds() - start;
	if (!err)
		err = peak_bytes(&after, e);
	if (!err)
		printf("{\"ms\": %.3f, \"peak\": %lld, \"start\": %lld}\n", took, after, before);
	graph_free(g);
	return err;
}

int main(int argc, char **argv)
{
	struct errinfo e = { 0 };
	enum err err;
	if (argc == 6 && !strcmp(argv[1], "--prune"))
		err = prune(argv + 2, &e);
	else if (argc == 3 && !strcmp(argv[1], "--load"))
		err = load(argv + 2, &e);
	else if (argc == 5 && argv[1][0] != '-')
		err = answer(argv + 1, &e);
	else
		err = err_set(&e, ERR_INPUT, "usage: zoo-probe MODEL INPUT.f32 OUTPUT.f32 BATCH\n"
			"       zoo-probe --prune SEED RATIO MODEL OUT.onnx\n"
			"       zoo-probe --load MODEL");
	if (!err && fflush(stdout))
		err = err_errno(&e, "standard output");
	if (err)
		fprintf(stderr, "zoo-probe: %s\n", e.msg);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
