/* inspect.h -- what a model is made of and what of it can be pruned, printed.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_INSPECT_H
#define EVALUATOR_INSPECT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

struct graph;

/* What is said beside the sizes of a network with nodes that aren't understood. */
#define INSPECT_INCOMPLETE "nodes that aren't understood, and layers of unknown shape behind them, are not counted"

/* How many nodes aren't understood. */
int inspect_opaque(const struct graph *g);

/* As a table for people, or as one JSON object: sizes, layers, groups with their members, what is frozen and why. */
enum err inspect_print(const char *model, bool json, FILE *out, struct errinfo *e) __attribute__((warn_unused_result));

#endif
