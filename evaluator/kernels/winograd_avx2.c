/* winograd_avx2.c -- Winograd's convolution with registers of 8 floats.
 * SPDX-License-Identifier: MIT */
#if defined __x86_64__
#include "evaluator/kernels/lanes_avx2.h"

#define KERNELS winograd_avx2
#define ROWS_1 8
#define ROWS_2 6
#define ROWS_3 4
#define ROWS_4 3

#include "evaluator/kernels/winograd_lanes.h"
#endif
