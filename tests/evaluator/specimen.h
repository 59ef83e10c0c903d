/* specimen.h -- small networks around one operator, in all its forms, behind learned tensors.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_EVALUATOR_SPECIMEN_H
#define TESTS_EVALUATOR_SPECIMEN_H

#include <stdbool.h>
#include <stdint.h>

#include "evaluator/model/op.h"
#include "tests/evaluator/sketch.h"

/* How many forms of the operator there are; 0: none has been drawn. */
int specimen_forms(enum op op);

/* Form `i` of a network with a node of that operator, whose stored floats are all learned. */
struct sketch specimen_draw(enum op op, int i);

/* Its derivative is zero wherever there is one. */
bool specimen_is_flat(enum op op);

#endif
