/* winograd_portable.c -- Winograd's convolution for any processor, with four floats at a time.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/lanes_portable.h"

#define KERNELS winograd_portable
#define ROWS_1 8
#define ROWS_2 4
#define ROWS_3 4
#define ROWS_4 3

#include "evaluator/kernels/winograd_lanes.h"
