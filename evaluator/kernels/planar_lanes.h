/* planar_lanes.h -- the kernels of planar.h, for as many pixels at once as a register has lanes.
 * SPDX-License-Identifier: MIT
 *
 * Included by one file for each kind of processor, behind its lanes (lanes.h), which says before:
 *   WIDE_1 .. WIDE_8         registers of pixels that are summed up at once for so many output channels
 *   KERNELS                  the name of the table */
#include "evaluator/kernels/planar.h"

enum { MOST_WIDE = 8 };

/* ---- the copy ---- */

/* Along one axis: the first and the end of the i, up to `most`, whose i * stride + shift is in the input. */
struct range {
	int64_t first, end, shift, stride;
};

INLINE struct range find_range(int64_t size, int64_t stride, int64_t shift, int64_t most)
{
	int64_t first = shift < 0 ? (-shift + stride - 1) / stride : 0;
	int64_t end = shift < size ? (size - shift + stride - 1) / stride : 0;
	end = end < most ? end : most;
	return (struct range){ first < end ? first : end, end, shift, stride };
}

INLINE int64_t within(int64_t i, int64_t most)
{
	return i < 0 ? 0 : i < most ? i : most;
}

/* Lanes `first` to before `end` of every stride'th number, the others 0. */
INLINE vec load_lanes(const float *from, int64_t first, int64_t end, int64_t stride)
{
	vec v = { 0 };
	if (stride == 1)
		return load_part(from, first, end);
	if (stride == 2)
		return load_even(from, first, end);
	for (int64_t k = first; k < end; k++)
		v[k] = from[k * stride];
	return v;
}

/* One register of each row, and what of it is behind the row's end: that is written later. */
INLINE void copy_columns(const struct range *rows, const struct range *columns, int64_t at, int64_t pitch,
	const float *x, int64_t width, float *to)
{
	int64_t first = within(columns->first - at, LANES), end = within(columns->end - at, LANES);
	const float *from =
		x + (rows->first * rows->stride + rows->shift) * pitch + columns->shift + at * columns->stride;
	to += rows->first * width + at;
	for (int64_t i = rows->first; i < rows->end; i++, to += width, from += rows->stride * pitch)
		store(to, load_lanes(from, first, end, columns->stride));
}

INLINE void clear(float *to, int64_t count)
{
	for (int64_t i = 0; i < count; i += LANES)
		store(to + i, (vec){ 0 });
}

/* What is written too far is written over: the last columns come first, and the next map is next. */
static void copy_map(const struct planar_size *s, const float *x, int64_t r, int64_t v, float *to)
{
	int64_t height = planar_rows(s), width = s->out_size[1];
	struct range rows = find_range(s->in_size[0], s->stride[0], r - s->before[0], height);
	struct range columns = find_range(s->in_size[1], s->stride[1], v - s->before[1], width);
	clear(to, rows.first * width);
	for (int64_t at = (width - 1) / LANES * LANES; at >= 0; at -= LANES)
		copy_columns(&rows, &columns, at, s->in_size[1], x, width, to);
	clear(to + rows.end * width, (height - rows.end) * width);
}

static void copy_sample(const struct planar_size *s, const float *x, float *to)
{
	int64_t map = planar_rows(s) * s->out_size[1];
	for (int64_t c = 0; c < s->in; c++, x += s->in_size[0] * s->in_size[1])
		for (int64_t r = 0; r < s->stride[0]; r++)
			for (int64_t v = 0; v < s->kernel[1]; v++, to += map)
				copy_map(s, x, r, v, to);
}

/* ---- sums ---- */

/* Some registers of pixels of each channel of a block. */
struct sums {
	const struct planar_job *job;
	const float *x;				 /* number 0 of the copy */
	const float *weights, *bias, *residual; /* of the block's first channel */
	float *y;
	int64_t taps, map; /* map: from channel to channel of y */
	int64_t last;	   /* numbers in the last register */
};
typedef void sums_cb(const struct sums *s);

INLINE void put(const struct sums *s, int64_t at, vec v, int64_t count)
{
	bool all = count == LANES;
	if (s->residual)
		v += all ? load(s->residual + at) : load_some(s->residual + at, count);
	v = at_most(at_least(v, s->job->low), s->job->high);
	if (all)
		store(s->y + at, v);
	else
		store_some(s->y + at, v, count);
}

INLINE void sum_up(const int outs, const int wide, const struct sums *s)
{
	vec sum[PLANAR_BLOCK][MOST_WIDE], x[MOST_WIDE];
	const float *w = s->weights;
	EACH(o, outs)
		EACH(k, wide)
			sum[o][k] = (vec){ 0 } + (s->bias ? s->bias[o] : 0);
	for (int64_t t = 0; t < s->taps; t++, w += outs) {
		const float *from = s->x + s->job->offsets[t];
		EACH(k, wide)
			x[k] = load(from + k * LANES);
		EACH(o, outs)
			EACH(k, wide)
				sum[o][k] += w[o] * x[k];
	}
	EACH(o, outs)
		EACH(k, wide)
			put(s, o * s->map + k * LANES, sum[o][k], k + 1 < wide ? LANES : s->last);
}

/* clang-format off */
#define SUMS(OUTS, WIDE)                                                                        \
	static void sum_##OUTS##_##WIDE(const struct sums *s)                                   \
	{                                                                                       \
		sum_up(OUTS, WIDE, s);                                                          \
	}
#define SUMS_OF(OUTS)                                                                           \
	static void sum_most_##OUTS(const struct sums *s)                                       \
	{                                                                                       \
		sum_up(OUTS, WIDE_##OUTS, s);                                                   \
	}                                                                                       \
	SUMS(OUTS, 2) SUMS(OUTS, 1)
SUMS_OF(1) SUMS_OF(2) SUMS_OF(3) SUMS_OF(4) SUMS_OF(5) SUMS_OF(6) SUMS_OF(7) SUMS_OF(8)
#define ROW_OF(OUTS) { { WIDE_##OUTS, sum_most_##OUTS }, { 2, sum_##OUTS##_2 }, { 1, sum_##OUTS##_1 } }

/* As many registers as there is room for, then two, then one. */
static const struct sums_width {
	int wide;
	sums_cb *sum;
} all_sums[PLANAR_BLOCK][3] = {
	ROW_OF(1), ROW_OF(2), ROW_OF(3), ROW_OF(4), ROW_OF(5), ROW_OF(6), ROW_OF(7), ROW_OF(8),
};
/* clang-format on */

/* All maps of a block. */
static void sum_block(struct sums s, int64_t outs)
{
	int64_t left = s.map;
	for (const struct sums_width *w = all_sums[outs - 1]; left > 0;) {
		int64_t count = w->wide * LANES;
		if (count >= left + LANES) {
			w++;
			continue;
		}
		s.last = left < count ? left - (count - LANES) : LANES;
		w->sum(&s);
		s.x += count;
		s.y += count;
		s.residual = s.residual ? s.residual + count : NULL;
		left -= count;
	}
}

static void convolve(const struct planar_job *j)
{
	const struct planar_size *size = &j->size;
	int64_t map = size->out_size[0] * size->out_size[1], input = size->in * size->in_size[0] * size->in_size[1];
	struct sums s = { .job = j, .x = *j->room, .taps = size->in * size->kernel[0] * size->kernel[1], .map = map };
	for (int64_t n = 0; n < size->batch; n++) {
		copy_sample(size, j->x + n * input, *j->room);
		for (int64_t b = 0; b < planar_blocks(size->out); b++) {
			int64_t first = planar_before(size->out, b), at = (n * size->out + first) * map;
			s.weights = j->weights + first * s.taps;
			s.bias = j->bias ? j->bias + first : NULL;
			s.residual = j->residual ? j->residual + at : NULL;
			s.y = j->y + at;
			sum_block(s, planar_before(size->out, b + 1) - first);
		}
	}
}

/* ---- pooling ---- */

INLINE vec pool_lanes(
	const float *x, int64_t pitch, int64_t height, int64_t width, int64_t stride, int64_t count, bool max)
{
	vec v = load_lanes(x, 0, count, stride);
	for (int64_t t = 1; t < height * width; t++) {
		vec next = load_lanes(x + t / width * pitch + t % width, 0, count, stride);
		if (max)
			v = largest(v, next);
		else
			v += next;
	}
	if (!max)
		v /= (float)(height * width);
	return v;
}

/* One register of each row. */
INLINE void pool_columns(const struct planar_pooling *p, int64_t height, int64_t width, int64_t stride, int64_t at,
	const float *x, float *y)
{
	int64_t count = within(p->out_size[1] - at, LANES), pitch = p->in_size[1];
	bool max = p->max;
	x += at * stride;
	y += at;
	for (int64_t i = 0; i < p->out_size[0]; i++, x += p->stride[0] * pitch, y += p->out_size[1])
		store_some(y, pool_lanes(x, pitch, height, width, stride, count, max), count);
}

/* What most networks do is compiled by itself. */
static void pool(const struct planar_pooling *p)
{
	bool half = p->kernel[0] == 2 && p->kernel[1] == 2 && p->stride[1] == 2;
	for (int64_t m = 0; m < p->maps; m++) {
		const float *x = p->x + m * p->in_size[0] * p->in_size[1];
		float *y = p->y + m * p->out_size[0] * p->out_size[1];
		for (int64_t at = 0; at < p->out_size[1]; at += LANES)
			if (half)
				pool_columns(p, 2, 2, 2, at, x, y);
			else
				pool_columns(p, p->kernel[0], p->kernel[1], p->stride[1], at, x, y);
	}
}

const struct planar_kernels KERNELS = { NAME, LANES, convolve, pool };
