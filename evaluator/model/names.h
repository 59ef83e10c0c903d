/* names.h -- which value a name stands for while a model is read.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MODEL_NAMES_H
#define EVALUATOR_MODEL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct names;

/* Room for `most` names; NULL when memory is out. The strings must outlive it. */
struct names *names_new(size_t most);
void names_free(struct names *n);

/* False when the name is taken, or there is no room. */
bool names_add(struct names *n, const char *name, int value);

/* -1 when the name is unknown. */
int names_find(struct names *n, const char *name);

#endif
