/* planar_avx512.c -- direct convolutions of few channels with registers of 16 floats.
 * SPDX-License-Identifier: MIT */
#if defined __x86_64__
#include "evaluator/kernels/lanes_avx512.h"

#define KERNELS planar_avx512
#define WIDE_1 8
#define WIDE_2 8
#define WIDE_3 8
#define WIDE_4 6
#define WIDE_5 5
#define WIDE_6 4
#define WIDE_7 3
#define WIDE_8 3

#include "evaluator/kernels/planar_lanes.h"
#endif
