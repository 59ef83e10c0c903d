/* golden.h -- the sample networks, the test images, and what PyTorch answers to them (tests/peers/golden.py).
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_EVALUATOR_GOLDEN_H
#define TESTS_EVALUATOR_GOLDEN_H

#include <stddef.h>

struct graph;
struct split;

enum { SAMPLES = 3, GOLDEN_IMAGES = 256, CLASSES = 10 };

struct sample {
	const char *name;
	const char *path;
	double accuracy; /* on the test set, as PyTorch printed it */
};
extern const struct sample samples[SAMPLES];

/* The place in samples of the one whose name the file name begins with. */
int sample_of(const char *file);

/* Reads the test set and the golden logits, once for all tests of a case; the second frees the images. */
void golden_setup(void);
void golden_teardown(void);

/* All 10,000 test images. */
const struct split *golden_images(void);

/* What sample `which` must answer: GOLDEN_IMAGES x CLASSES. */
const float *golden_logits(int which);

/* Reads a model that must be sound; the caller graph_frees. */
struct graph *golden_read(const char *path);

/* What g answers to the first GOLDEN_IMAGES, batch images at a time. */
void golden_run(const struct graph *g, size_t batch, float ret[GOLDEN_IMAGES * CLASSES]);

/* Claims that g answers as sample `which` does, within 1e-4. `less` (CLASSES, may be NULL) is taken off what is
 * expected. */
void golden_check(const struct graph *g, int which, const float *less, const char *what);

#endif
