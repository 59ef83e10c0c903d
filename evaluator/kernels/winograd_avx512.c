/* winograd_avx512.c -- Winograd's convolution with registers of 16 floats.
 * SPDX-License-Identifier: MIT */
#if defined __x86_64__
#include "evaluator/kernels/lanes_avx512.h"

#define KERNELS winograd_avx512
#define ROWS_1 12
#define ROWS_2 12
#define ROWS_3 8
#define ROWS_4 6

#include "evaluator/kernels/winograd_lanes.h"
#endif
