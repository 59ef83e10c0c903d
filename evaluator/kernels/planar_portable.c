/* planar_portable.c -- direct convolutions of few channels for any processor, with four floats at a time.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/lanes_portable.h"

#define KERNELS planar_portable
#define WIDE_1 6
#define WIDE_2 5
#define WIDE_3 4
#define WIDE_4 3
#define WIDE_5 2
#define WIDE_6 2
#define WIDE_7 1
#define WIDE_8 1

#include "evaluator/kernels/planar_lanes.h"
