/* teacher.h -- what the unpruned network says of the training images, for distillation (Hinton et al. 2015).
 * SPDX-License-Identifier: MIT
 *
 * Its logits are computed once an image and kept from one trial to the next, where they fit into memory. Images that
 * are augmented are never the same twice: there the teacher looks at each as the student does. */
#ifndef EVALUATOR_TRAIN_TEACHER_H
#define EVALUATOR_TRAIN_TEACHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct graph;
struct split;
struct teacher;

enum { TEACHER_MOST_BYTES = 64 << 20 };

/* For a student of these images with so many classes. g must outlive it. ERR_INPUT when the images don't fit g, or when
 * it has another number of classes. */
enum err teacher_open(const struct graph *g, const struct split *images, int64_t classes, struct teacher **ret,
	struct errinfo *e) __attribute__((warn_unused_result));
void teacher_close(struct teacher *t); /* accepts NULL */

/* The logits (n, classes) of n images x as the network's input wants them. which[i] is the number of the image among
 * the training images; NULL: they were changed, and nothing is kept. */
enum err teacher_logits(struct teacher *t, const uint32_t *which, size_t n, const float *x, float *ret,
	struct errinfo *e) __attribute__((warn_unused_result));

#endif
