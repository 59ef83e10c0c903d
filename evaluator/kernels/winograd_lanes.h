/* winograd_lanes.h -- the kernels of winograd.h, for as many channels at once as a register has lanes.
 * SPDX-License-Identifier: MIT
 *
 * Included by one file for each kind of processor, behind its lanes (lanes.h), which says before:
 *   ROWS_1 .. ROWS_4         rows of a product that registers can sum up at once, by its columns in registers
 *   KERNELS                  the name of the table
 *
 * What lies between the transforms is (36, tiles, channels), channels rounded up to whole registers. A register more
 * between the 36 keeps them from falling into the same lines of the cache. */
#include "evaluator/kernels/winograd.h"

enum { TILE = WINOGRAD_TILE, PATCH = WINOGRAD_PATCH, NUMBERS = WINOGRAD_NUMBERS, TAPS = 3, MOST_COLUMNS = 4 };

INLINE int64_t whole(int64_t channels)
{
	return (channels + LANES - 1) / LANES * LANES;
}

/* From one of the 36 matrices to the next. */
INLINE int64_t pitch(int64_t rows, int64_t channels)
{
	return rows * whole(channels) + LANES;
}

/* ---- transforms of one row or column; `step` is from number to number ---- */

/* Bt */
INLINE void patch_line(const vec *d, int step, vec *ret, int ret_step)
{
	vec d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step];
	vec even = d4 - 4 * d2, odd = d3 - 4 * d1, outer = d4 - d2, inner = 2 * (d3 - d1);
	ret[0] = 4 * d[0] - 5 * d2 + d4;
	ret[ret_step] = even + odd;
	ret[2 * ret_step] = even - odd;
	ret[3 * ret_step] = outer + inner;
	ret[4 * ret_step] = outer - inner;
	ret[5 * ret_step] = 4 * d1 - 5 * d3 + d[5 * step];
}

/* At */
INLINE void tile_line(const vec *m, int step, vec *ret, int ret_step)
{
	vec sum = m[step] + m[2 * step], difference = m[step] - m[2 * step];
	vec far_sum = m[3 * step] + m[4 * step], far_difference = m[3 * step] - m[4 * step];
	ret[0] = m[0] + sum + far_sum;
	ret[ret_step] = difference + 2 * far_difference;
	ret[2 * ret_step] = sum + 4 * far_sum;
	ret[3 * ret_step] = difference + 8 * far_difference + m[5 * step];
}

/* A */
INLINE void spread_line(const vec *d, int step, vec *ret, int ret_step)
{
	vec d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
	vec even = d0 + d2, odd = d1 + d3, far_even = d0 + 4 * d2, far_odd = 2 * d1 + 8 * d3;
	ret[0] = d0;
	ret[ret_step] = even + odd;
	ret[2 * ret_step] = even - odd;
	ret[3 * ret_step] = far_even + far_odd;
	ret[4 * ret_step] = far_even - far_odd;
	ret[5 * ret_step] = d3;
}

/* G */
INLINE void filter_line(const vec *g, int step, vec *ret, int ret_step)
{
	vec g0 = g[0], g1 = g[step], g2 = g[2 * step];
	vec near = (g0 + g2) * (-1.0f / 6), far = g0 * (1.0f / 24) + g2 * (1.0f / 6);
	ret[0] = g0 * 0.25f;
	ret[ret_step] = near - g1 * (1.0f / 6);
	ret[2 * ret_step] = near + g1 * (1.0f / 6);
	ret[3 * ret_step] = far + g1 * (1.0f / 12);
	ret[4 * ret_step] = far - g1 * (1.0f / 12);
	ret[5 * ret_step] = g2;
}

/* Gt */
INLINE void tap_line(const vec *m, int step, vec *ret, int ret_step)
{
	vec sum = m[step] + m[2 * step], difference = m[2 * step] - m[step];
	vec far_sum = m[3 * step] + m[4 * step], far_difference = m[3 * step] - m[4 * step];
	ret[0] = m[0] * 0.25f - sum * (1.0f / 6) + far_sum * (1.0f / 24);
	ret[ret_step] = difference * (1.0f / 6) + far_difference * (1.0f / 12);
	ret[2 * ret_step] = (far_sum - sum) * (1.0f / 6) + m[5 * step];
}

/* ---- patches and tiles ---- */

/* A rectangle of a map: where its numbers of channel 0 are. Outside the map they are zeros, whatever the channel. */
struct patch {
	const float *at[NUMBERS];
	int64_t inside[NUMBERS]; /* all ones or 0 */
};

static const float zeros[LANES];

INLINE void find_patch(const float *map, int64_t height, int64_t width, int64_t channels, int64_t top, int64_t left,
	int side, struct patch *ret)
{
	for (int i = 0; i < side; i++) {
		bool row = top + i >= 0 && top + i < height;
		const float *line = map + (row ? (top + i) * width * channels : 0);
		for (int k = 0; k < side; k++) {
			bool inside = row && left + k >= 0 && left + k < width;
			ret->at[i * side + k] = inside ? line + (left + k) * channels : zeros;
			ret->inside[i * side + k] = inside ? -1 : 0;
		}
	}
}

INLINE vec patch_load(const struct patch *p, int number, int64_t channel, int64_t count, bool all)
{
	const float *at = p->at[number] + (channel & p->inside[number]);
	return all ? load(at) : load_some(at, count);
}

/* What is left of the channels, or a register. */
INLINE int64_t lanes_at(int64_t channel, int64_t channels)
{
	return channels - channel < LANES ? channels - channel : LANES;
}

/* Bt d B of one register of channels. `ahead` is from a tile to the one beside it, whose numbers are called for. */
INLINE void transform_patch(
	const struct patch *p, int64_t ahead, int64_t channel, int64_t count, bool all, float *to, int64_t step)
{
	vec d[PATCH], half[NUMBERS], done[PATCH];
	for (int k = 0; k < PATCH; k++) {
		EACH(i, PATCH) {
			d[i] = patch_load(p, i * PATCH + k, channel, count, all);
			if (k >= PATCH - TILE)
				__builtin_prefetch(p->at[i * PATCH + k] + channel + ahead);
		}
		patch_line(d, 1, half + k, PATCH);
	}
	for (int i = 0; i < PATCH; i++) {
		patch_line(half + i * PATCH, 1, done, 1);
		EACH(k, PATCH)
			store(to + (i * PATCH + k) * step, done[k]);
	}
}

/* A dy At. */
INLINE void transform_tile(const struct patch *p, int64_t channel, int64_t count, bool all, float *to, int64_t step)
{
	vec d[TILE], half[PATCH * TILE], done[PATCH];
	for (int k = 0; k < TILE; k++) {
		EACH(i, TILE)
			d[i] = patch_load(p, i * TILE + k, channel, count, all);
		spread_line(d, 1, half + k, TILE);
	}
	for (int i = 0; i < PATCH; i++) {
		spread_line(half + i * TILE, 1, done, 1);
		EACH(k, PATCH)
			store(to + (i * PATCH + k) * step, done[k]);
	}
}

/* ---- tiles ---- */

struct place {
	int64_t sample, row, column; /* of the tile's first number */
};

INLINE int64_t tiles_of(int64_t side)
{
	return (side + TILE - 1) / TILE;
}

INLINE int64_t tile_count(const struct winograd_size *s)
{
	return s->batch * tiles_of(s->out_height) * tiles_of(s->out_width);
}

INLINE struct place place_of(const struct winograd_size *s, int64_t tile)
{
	int64_t columns = tiles_of(s->out_width), rows = tiles_of(s->out_height);
	return (struct place){ tile / (rows * columns), tile / columns % rows * TILE, tile % columns * TILE };
}

static void take_inputs(
	const struct winograd_size *s, const float *x, int64_t first, int64_t count, float *to, int64_t step)
{
	struct patch p;
	for (int64_t t = 0; t < count; t++, to += whole(s->in)) {
		struct place at = place_of(s, first + t);
		find_patch(x + at.sample * s->in_height * s->in_width * s->in, s->in_height, s->in_width, s->in,
			at.row - s->top, at.column - s->left, PATCH, &p);
		int64_t c = 0, ahead = TILE * s->in;
		for (; c + LANES <= s->in; c += LANES)
			transform_patch(&p, ahead, c, LANES, true, to + c, step);
		if (c < s->in)
			transform_patch(&p, ahead, c, s->in - c, false, to + c, step);
	}
}

static void take_gradients(
	const struct winograd_size *s, const float *dy, int64_t first, int64_t count, float *to, int64_t step)
{
	struct patch p;
	for (int64_t t = 0; t < count; t++, to += whole(s->out)) {
		struct place at = place_of(s, first + t);
		find_patch(dy + at.sample * s->out_height * s->out_width * s->out, s->out_height, s->out_width, s->out,
			at.row, at.column, TILE, &p);
		int64_t c = 0;
		for (; c + LANES <= s->out; c += LANES)
			transform_tile(&p, c, LANES, true, to + c, step);
		if (c < s->out)
			transform_tile(&p, c, s->out - c, false, to + c, step);
	}
}

/* Number i of a tile's results, finished and put into y where it is inside. */
INLINE void put(const struct winograd_job *j, int64_t at, vec v, vec bias, int64_t count, bool all)
{
	v += bias;
	if (j->residual)
		v += all ? load(j->residual + at) : load_some(j->residual + at, count);
	v = at_most(at_least(v, j->low), j->high);
	if (all)
		store(j->y + at, v);
	else
		store_some(j->y + at, v, count);
}

/* At m A of one register of channels. */
INLINE void finish_tile(const struct winograd_job *j, const struct place *p, int64_t channel, int64_t count, bool all,
	const float *from, int64_t step)
{
	const struct winograd_size *s = &j->size;
	vec m[PATCH], half[TILE * PATCH], done[TILE], bias = { 0 };
	if (j->bias)
		bias = load_some(j->bias + channel, count);
	for (int k = 0; k < PATCH; k++) {
		EACH(i, PATCH)
			m[i] = load(from + (i * PATCH + k) * step);
		tile_line(m, 1, half + k, PATCH);
	}
	int64_t rows = s->out_height - p->row < TILE ? s->out_height - p->row : TILE;
	int64_t columns = s->out_width - p->column < TILE ? s->out_width - p->column : TILE;
	for (int64_t i = 0; i < rows; i++) {
		int64_t at = ((p->sample * s->out_height + p->row + i) * s->out_width + p->column) * s->out + channel;
		tile_line(half + i * PATCH, 1, done, 1);
		for (int64_t k = 0; k < columns; k++, at += s->out) {
			__builtin_prefetch(j->y + at + TILE * s->out, 1);
			put(j, at, done[k], bias, count, all);
		}
	}
}

static void give_outputs(const struct winograd_job *j, int64_t first, int64_t count, const float *from, int64_t step)
{
	int64_t out = j->size.out;
	for (int64_t t = 0; t < count; t++, from += whole(out)) {
		struct place p = place_of(&j->size, first + t);
		int64_t c = 0;
		for (; c + LANES <= out; c += LANES)
			finish_tile(j, &p, c, LANES, true, from + c, step);
		if (c < out)
			finish_tile(j, &p, c, out - c, false, from + c, step);
	}
}

/* ---- products of matrices ---- */

/* c (rows x columns registers) is a b, or more by it; number (i, k) of a is at i * row_step + k * depth_step. */
struct product {
	const float *a, *b;
	float *c;
	int64_t a_step, b_step, c_step, depth;
};
typedef void product_cb(const struct product *p);

INLINE void multiply(
	const int rows, const int columns, const struct product *p, int64_t row_step, int64_t depth_step, bool more)
{
	const float *a = p->a, *b = p->b;
	const int64_t b_step = p->b_step, c_step = p->c_step;
	vec sum[ROWS_1][MOST_COLUMNS], w[MOST_COLUMNS];
	EACH(i, rows)
		EACH(k, columns)
			sum[i][k] = more ? load(p->c + i * c_step + k * LANES) : (vec){ 0 };
	for (int64_t d = 0; d < p->depth; d++, a += depth_step, b += b_step) {
		EACH(k, columns)
			w[k] = load(b + k * LANES);
		EACH(i, rows) {
			const float x = a[i * row_step];
			EACH(k, columns)
				sum[i][k] += x * w[k];
		}
	}
	EACH(i, rows)
		EACH(k, columns)
			store(p->c + i * c_step + k * LANES, sum[i][k]);
}

/* clang-format off */
#define PRODUCT(ROWS, COLUMNS)                                                                  \
	static void product_##ROWS##_##COLUMNS(const struct product *p)                         \
	{                                                                                       \
		multiply(ROWS, COLUMNS, p, p->a_step, 1, false);                                \
	}                                                                                       \
	static void more_##ROWS##_##COLUMNS(const struct product *p)                            \
	{                                                                                       \
		multiply(ROWS, COLUMNS, p, 1, p->a_step, true);                                 \
	}
#define PRODUCTS(COLUMNS) PRODUCT(2, COLUMNS) PRODUCT(1, COLUMNS)
#define CALL(MACRO, ...) MACRO(__VA_ARGS__)
CALL(PRODUCT, ROWS_1, 1)
CALL(PRODUCT, ROWS_2, 2)
CALL(PRODUCT, ROWS_3, 3)
CALL(PRODUCT, ROWS_4, 4)
PRODUCTS(1)
PRODUCTS(2)
PRODUCTS(3)
PRODUCTS(4)

/* As many rows at a time as there are registers for, then two, then one. */
struct product_rows {
	int rows;
	product_cb *fresh, *more;
};
#define ROW_OF(ROWS, COLUMNS) { ROWS, product_##ROWS##_##COLUMNS, more_##ROWS##_##COLUMNS }
#define ROWS_OF(ROWS, COLUMNS) { CALL(ROW_OF, ROWS, COLUMNS), ROW_OF(2, COLUMNS), ROW_OF(1, COLUMNS) }
/* clang-format on */
static const struct product_rows products[MOST_COLUMNS][3] = {
	ROWS_OF(ROWS_1, 1),
	ROWS_OF(ROWS_2, 2),
	ROWS_OF(ROWS_3, 3),
	ROWS_OF(ROWS_4, 4),
};

/* Five or six registers of columns are better done as two times three than as four and the rest. */
INLINE int next_columns(int64_t left)
{
	return (int)(left <= MOST_COLUMNS ? left : left <= 6 ? 3 : MOST_COLUMNS);
}

/* rows x width, the width in whole registers. from: of a, from row to row. */
static void multiply_all(const struct product *p, int64_t rows, int64_t width, int64_t from, bool more)
{
	for (int64_t k = 0; k < width; k += next_columns((width - k) / LANES) * LANES) {
		const struct product_rows *r = products[next_columns((width - k) / LANES) - 1];
		struct product part = *p;
		part.b += k;
		part.c += k;
		for (int64_t i = 0; i < rows; i += r->rows) {
			while (rows - i < r->rows)
				r++;
			part.a = p->a + i * from;
			part.c = p->c + i * p->c_step + k;
			(more ? r->more : r->fresh)(&part);
		}
	}
}

/* ---- filters ---- */

static void transform_filters(const struct winograd_filters *f)
{
	int64_t width = whole(f->out), step = pitch(f->in, f->out);
	for (int64_t o = 0; o < f->out; o += LANES) {
		int64_t count = lanes_at(o, f->out);
		for (int64_t c = 0; c < f->in; c++) {
			float gathered[TAPS * TAPS][LANES] = { { 0 } };
			vec g[TAPS * TAPS], half[PATCH * TAPS], done[PATCH];
			const float *from = f->data + o * f->out_step + c * f->in_step;
			for (int64_t l = 0; l < count; l++)
				for (int i = 0; i < TAPS * TAPS; i++)
					gathered[i][l] = from[l * f->out_step + i / TAPS * f->row_step +
							      i % TAPS * f->column_step];
			memcpy(g, gathered, sizeof g);
			for (int k = 0; k < TAPS; k++)
				filter_line(g + k, TAPS, half + k, TAPS);
			for (int i = 0; i < PATCH; i++) {
				filter_line(half + i * TAPS, 1, done, 1);
				for (int k = 0; k < PATCH; k++)
					store(f->transformed + (i * PATCH + k) * step + c * width + o, done[k]);
			}
		}
	}
}

/* The other way: from the sums to the gradients of the filters. */
static void finish_filters(const struct winograd_filters *f)
{
	int64_t width = whole(f->out), step = pitch(f->in, f->out);
	for (int64_t o = 0; o < f->out; o += LANES) {
		int64_t count = lanes_at(o, f->out);
		for (int64_t c = 0; c < f->in; c++) {
			float gathered[TAPS * TAPS][LANES];
			vec m[PATCH], half[TAPS * PATCH], done[TAPS * TAPS];
			for (int k = 0; k < PATCH; k++) {
				for (int i = 0; i < PATCH; i++)
					m[i] = load(f->transformed + (i * PATCH + k) * step + c * width + o);
				tap_line(m, 1, half + k, PATCH);
			}
			for (int i = 0; i < TAPS; i++)
				tap_line(half + i * PATCH, 1, done + i * TAPS, 1);
			memcpy(gathered, done, sizeof gathered);
			float *to = f->data + o * f->out_step + c * f->in_step;
			for (int64_t l = 0; l < count; l++)
				for (int i = 0; i < TAPS * TAPS; i++)
					to[l * f->out_step + i / TAPS * f->row_step + i % TAPS * f->column_step] =
						gathered[i][l];
		}
	}
}

/* ---- the whole ---- */

static void convolve(const struct winograd_job *j)
{
	const struct winograd_size *s = &j->size;
	int64_t in_step = pitch(j->block, s->in), out_step = pitch(j->block, s->out), step = pitch(s->in, s->out);
	int64_t tiles = tile_count(s);
	float *in = *j->room, *out = in + NUMBERS * in_step;
	struct product p = { .a_step = whole(s->in), .b_step = whole(s->out), .c_step = whole(s->out), .depth = s->in };
	for (int64_t first = 0; first < tiles; first += j->block) {
		int64_t count = tiles - first < j->block ? tiles - first : j->block;
		take_inputs(s, j->x, first, count, in, in_step);
		for (int i = 0; i < NUMBERS; i++) {
			p.a = in + i * in_step;
			p.b = j->transformed + i * step;
			p.c = out + i * out_step;
			multiply_all(&p, count, whole(s->out), p.a_step, false);
		}
		give_outputs(j, first, count, out, out_step);
	}
}

static void differentiate(const struct winograd_gradient_job *j)
{
	const struct winograd_size *s = &j->size;
	int64_t in_step = pitch(j->block, s->in), out_step = pitch(j->block, s->out), step = pitch(s->in, s->out);
	int64_t tiles = tile_count(s);
	float *in = *j->room, *out = in + NUMBERS * in_step;
	struct product p = { .a_step = whole(s->in), .b_step = whole(s->out), .c_step = whole(s->out) };
	memset(j->filters.transformed, 0, (size_t)(NUMBERS * step) * sizeof(float));
	for (int64_t first = 0; first < tiles; first += j->block) {
		p.depth = tiles - first < j->block ? tiles - first : j->block;
		take_inputs(s, j->x, first, p.depth, in, in_step);
		take_gradients(s, j->dy, first, p.depth, out, out_step);
		for (int i = 0; i < NUMBERS; i++) {
			p.a = in + i * in_step;
			p.b = out + i * out_step;
			p.c = j->filters.transformed + i * step;
			multiply_all(&p, s->in, whole(s->out), 1, true);
		}
	}
	finish_filters(&j->filters);
}

const struct winograd_kernels KERNELS = { NAME, LANES, transform_filters, convolve, differentiate };
