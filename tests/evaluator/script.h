/* script.h -- ONNX models written as a few lines of text.
 * SPDX-License-Identifier: MIT
 *
 *   opset 13                            the default
 *   input x n,3,8,8                     n: the batch, open; a number there: declared
 *   floats w 4,3,1,1 0.5 -1             an initialiser; the numbers are repeated as often as is needed; "-": a scalar
 *   ints s 2 0 -1                       the same, int64
 *   int32 i - 3                         the same, int32; bool likewise
 *   y,z = Split x s axis=1              a node: outputs, operator, inputs (_ leaves one out), attributes
 *   y = Op x a=2 b=0.5 c=[1,2] d='hi'   int, float (has a point), ints, string
 *   output y                            and what the file declares: output y n,4
 *   info t n,4                          value_info
 *
 * What a line cannot say, a test changes in the message. */
#ifndef TESTS_EVALUATOR_SCRIPT_H
#define TESTS_EVALUATOR_SCRIPT_H

#include "tests/evaluator/forms.h"

/* A text that can't be parsed fails the test. form_close it. */
struct form script_open(const char *text);

/* The graph that a reader makes of the text; fails the test when it is refused. graph_free it. */
struct graph *script_graph(const char *text);

/* Claims that the text is refused, by form_refused. */
void script_refused(const char *text, enum err code, const char *place, const char *what);

#endif
