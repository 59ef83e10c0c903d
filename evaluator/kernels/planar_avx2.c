/* planar_avx2.c -- direct convolutions of few channels with registers of 8 floats.
 * SPDX-License-Identifier: MIT */
#if defined __x86_64__
#include "evaluator/kernels/lanes_avx2.h"

#define KERNELS planar_avx2
#define WIDE_1 6
#define WIDE_2 5
#define WIDE_3 4
#define WIDE_4 3
#define WIDE_5 2
#define WIDE_6 2
#define WIDE_7 1
#define WIDE_8 1

#include "evaluator/kernels/planar_lanes.h"
#endif
