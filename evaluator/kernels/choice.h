/* choice.h -- which kernel a convolution runs by.
 * SPDX-License-Identifier: MIT
 *
 * A rule by shape decides, or, once a file is open, a measurement that is made once for each shape and remembered
 * there: the same file gives the same kernels, and so the same bits. The file is text:
 *
 *   pared kernels 1, AMD EPYC 9R45, oneDNN 2.6.3
 *   forward 64x16x28x28 64x16x28x28 1 1 winograd
 *
 * that is direction, input, output, padding before them, kernel. Workers share it: whoever measures holds a lock on it,
 * and has looked into it under that lock. The first line about a shape counts, what isn't understood doesn't. A file
 * from another processor or library is started anew. One thread. */
#ifndef EVALUATOR_KERNELS_CHOICE_H
#define EVALUATOR_KERNELS_CHOICE_H

#include <stdbool.h>

#include "base/err.h"

struct view;
struct window;

/* Remembers choices in a file, which is made when it is missing, from now on. */
enum err choice_open(const char *path, struct errinfo *e) __attribute__((warn_unused_result));
/* Back to the rule. */
void choice_close(void);

enum choice_direction { CHOICE_FORWARD, CHOICE_DATA_GRADIENT, CHOICE_WEIGHT_GRADIENT, CHOICE_DIRECTIONS };

/* Whether Winograd's convolution is the faster one; x is the layer's input and y its output, also for its gradients.
 * A file that can't be read or written any more leaves it to the rule. */
bool choice_is_winograd(enum choice_direction d, const struct window *w, const struct view *filters,
	const struct view *x, const struct view *y);

/* While a measurement is made: nothing but these two may run. */
bool choice_is_being_made(void);

#endif
