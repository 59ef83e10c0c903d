/* planar.h -- direct convolutions of few channels, and pooling, with a register along the pixels of a map.
 * SPDX-License-Identifier: MIT
 *
 *   y[n,o,i,j] = b[o] + sum over c,u,v of w[o,c,u,v] * x[n, c, i*s + u - top, j*t + v - left]
 *
 * Kernels whose registers hold channels round their number up to 16; here it doesn't matter. A sample's maps are copied
 * with their padding, once for each column v of the kernel and each remainder of rows by s: map (c, r, v) of the copy
 * has at (i, j) what is at (i*s + r - top, j*t + v - left), and rows as long as the output's. So number q of an output
 * map, counted over all its rows, is of the numbers q + offset(tap) of the copy: a map is one run, however narrow. Some
 * registers of it are summed up at once for some output channels.
 *
 * All maps are row-major, (batch, channels, height, width). One thread; the same bits each time. */
#ifndef EVALUATOR_KERNELS_PLANAR_H
#define EVALUATOR_KERNELS_PLANAR_H

#include <stdbool.h>
#include <stdint.h>

/* The most output channels that are summed up together. */
enum { PLANAR_BLOCK = 8 };

struct planar_size {
	int64_t batch, in, out; /* in, out: channels */
	int64_t in_size[2], out_size[2], kernel[2], stride[2];
	int64_t before[2]; /* padding, below 0 where the first window begins inside */
};

/* Number (o, c, u, v) is at data + o * step[0] + c * step[1] + u * step[2] + v * step[3]. */
struct planar_filters {
	const float *data;
	int64_t step[4];
};

struct planar_job {
	struct planar_size size;
	const float *x;
	const float *weights;	      /* of planar_pack */
	const int64_t *offsets;	      /* of planar_offsets */
	const float *bias, *residual; /* NULL: none; residual is laid out as y, and may be y */
	float *y;
	float low, high;    /* what y is bounded by at last: 0 and infinity make a ReLU */
	float *const *room; /* planar_room floats, which nothing else uses while a call lasts */
};

/* The largest of each window or its mean. No window reaches out of the input. */
struct planar_pooling {
	int64_t maps; /* samples times channels */
	int64_t in_size[2], out_size[2], kernel[2], stride[2];
	bool max;
	const float *x;
	float *y;
};

/* The same for each kind of processor. */
struct planar_kernels {
	const char *name;
	int lanes;
	void (*convolve)(const struct planar_job *j);
	void (*pool)(const struct planar_pooling *p);
};
extern const struct planar_kernels planar_avx512, planar_avx2, planar_portable;

/* The kernels that this processor can run, best first, up to a NULL. */
const struct planar_kernels *const *planar_runnable(void);

/* Rows of a map of the copy. */
int64_t planar_rows(const struct planar_size *s);

/* Output channels are done in as few blocks as can be, of nearly equal sizes: how many, and how many channels lie
 * before one. */
int64_t planar_blocks(int64_t out);
int64_t planar_before(int64_t out, int64_t block);

/* Floats that a call needs for itself. */
int64_t planar_room(const struct planar_kernels *k, const struct planar_size *s);

/* The weights as they are used, block by block and tap by tap: in * kernel * out numbers. */
void planar_pack(const struct planar_size *s, const struct planar_filters *f, float *ret);

/* Where each tap begins in the copy: in * kernel numbers. */
void planar_offsets(const struct planar_size *s, int64_t *ret);

#endif
