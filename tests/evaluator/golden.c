/* golden.c -- the sample networks, the test images, and what PyTorch answers to them.
 * SPDX-License-Identifier: MIT */
#include "tests/evaluator/golden.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "evaluator/data/dataset.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"

#define DATA "/usr/share/datasets/fashion-mnist/t10k-"

const struct sample samples[SAMPLES] = {
	{ "lenet5", "models/fashion-lenet5.onnx", 0.9099 },
	{ "vgg", "models/fashion-vgg.onnx", 0.9363 },
	{ "resnet20", "models/fashion-resnet20.onnx", 0.9373 },
};

static struct dataset *images;
static struct normalisation norm = { .channels = 1, .mean = { 0.2860f }, .std = { 0.3530f } };
static struct split whole;
static float logits[SAMPLES][GOLDEN_IMAGES * CLASSES];

int sample_of(const char *file)
{
	for (int i = 0; i < SAMPLES; i++)
		if (!strncmp(file, samples[i].name, strlen(samples[i].name)))
			return i;
	ck_abort_msg("%s is not a form of a sample", file);
}

static void read_logits(int which)
{
	char path[128];
	snprintf(path, sizeof path, "tests/golden/fashion-%s.f32", samples[which].name);
	FILE *f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "%s: can't be opened", path);
	ck_assert_uint_eq(fread(logits[which], sizeof(float), GOLDEN_IMAGES * CLASSES, f), GOLDEN_IMAGES * CLASSES);
	ck_assert_msg(fgetc(f) == EOF, "%s: is too long", path);
	fclose(f);
}

void golden_setup(void)
{
	struct errinfo e;
	enum err err = dataset_read_idx(DATA "images-idx3-ubyte.gz", DATA "labels-idx1-ubyte.gz", &images, &e);
	ck_assert_msg(!err, "%s", e.msg);
	ck_assert_msg(!split_whole(images, &norm, &whole, &e), "%s", e.msg);
	for (int i = 0; i < SAMPLES; i++)
		read_logits(i);
}

void golden_teardown(void)
{
	dataset_free(images);
	images = NULL;
}

const struct split *golden_images(void)
{
	return &whole;
}

const float *golden_logits(int which)
{
	return logits[which];
}

struct graph *golden_read(const char *path)
{
	struct graph *g;
	struct errinfo e;
	ck_assert_msg(!onnx_read(path, &g, &e), "%s", e.msg);
	return g;
}

void golden_run(const struct graph *g, size_t batch, float ret[GOLDEN_IMAGES * CLASSES])
{
	struct plan *p;
	struct errinfo e;
	uint32_t labels[GOLDEN_IMAGES];
	ck_assert_msg(!plan_new(g, (int64_t)batch, PLAN_INFER, &p, &e), "%s", e.msg);
	ck_assert_int_eq(plan_output_size(p, 0), CLASSES);
	for (size_t from = 0; from < GOLDEN_IMAGES; from += batch) {
		size_t n = GOLDEN_IMAGES - from < batch ? GOLDEN_IMAGES - from : batch;
		split_batch(&whole, NULL, from, n, plan_input(p, 0), labels);
		ck_assert_msg(!plan_run(p, &e), "%s", e.msg);
		memcpy(ret + from * CLASSES, plan_output(p, 0), n * CLASSES * sizeof *ret);
	}
	plan_free(p);
}

void golden_check(const struct graph *g, int which, const float *less, const char *what)
{
	static float y[GOLDEN_IMAGES * CLASSES];
	golden_run(g, 64, y);
	for (int i = 0; i < GOLDEN_IMAGES * CLASSES; i++) {
		float expected = logits[which][i] - (less ? less[i % CLASSES] : 0);
		ck_assert_msg(fabsf(y[i] - expected) <= 1e-4f, "%s: image %d, class %d: is %.6f, expected %.6f", what,
			i / CLASSES, i % CLASSES, y[i], expected);
	}
}
