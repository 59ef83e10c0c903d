/* resample.c -- a picture at another size.
 * SPDX-License-Identifier: MIT
 *
 * Separable: rows first, then columns, rounded to bytes in between. Output pixel i of n, of a side of m, has its middle
 * at (i + 1/2) m / n; an input pixel at distance d of it weighs max(0, 1 - d / s), s = max(1, m / n), and the weights
 * are divided by their sum. Only what the cut leaves is computed. */
#include "evaluator/data/resample.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "evaluator/data/picture.h"

/* One side: which input pixels make each output pixel. */
struct side {
	int64_t from, to, wanted, first; /* input size, size when scaled, pixels cut out of it, the first of them */
	int64_t taps;                    /* most input pixels of an output pixel */
	int64_t *start, *count;          /* wanted */
	float *weights;                  /* wanted * taps */
};

static void side_fini(struct side *s)
{
	free(s->start);
	free(s->count);
	free(s->weights);
}

static void weigh(struct side *s, int64_t i)
{
	double scale = (double)s->from / (double)s->to, support = scale > 1 ? scale : 1;
	double middle = ((double)(s->first + i) + 0.5) * scale, sum = 0;
	int64_t low = (int64_t)floor(middle - support + 0.5), high = (int64_t)floor(middle + support + 0.5);
	low = low < 0 ? 0 : low;
	high = high > s->from ? s->from : high;
	float *w = s->weights + i * s->taps;
	for (int64_t k = low; k < high; k++) {
		double d = fabs((double)k + 0.5 - middle) / support;
		w[k - low] = (float)(d < 1 ? 1 - d : 0);
		sum += (double)w[k - low];
	}
	for (int64_t k = 0; k < high - low; k++)
		w[k] = (float)((double)w[k] / sum);
	s->start[i] = low;
	s->count[i] = high - low;
}

/* The middle of an odd remainder goes to the even pixel. */
static int64_t middle_of(int64_t rest)
{
	int64_t half = rest / 2;
	return rest % 2 ? half + half % 2 : half;
}

static enum err side_init(struct side *s, int64_t from, int64_t to, int64_t wanted, struct errinfo *e)
{
	double scale = (double)from / (double)to;
	*s = (struct side){ .from = from, .to = to, .wanted = wanted, .first = middle_of(to - wanted) };
	s->taps = 2 * (int64_t)ceil(scale > 1 ? scale : 1) + 2;
	s->start = calloc((size_t)wanted, sizeof *s->start);
	s->count = calloc((size_t)wanted, sizeof *s->count);
	s->weights = calloc((size_t)(wanted * s->taps), sizeof *s->weights);
	if (!s->start || !s->count || !s->weights) {
		side_fini(s);
		return err_set(e, ERR_MEMORY, "out of memory to scale a picture");
	}
	for (int64_t i = 0; i < wanted; i++)
		weigh(s, i);
	return ERR_OK;
}

/* The weighted sum of `count` bytes, `step` apart, rounded. */
static unsigned char blend(const unsigned char *from, int64_t step, const float *weights, int64_t count)
{
	float sum = 0.5f;
	for (int64_t k = 0; k < count; k++)
		sum += weights[k] * from[k * step];
	return sum >= 255 ? 255 : (unsigned char)sum;
}

/* Rows `first` to `first + rows` of the picture, each scaled to x->wanted pixels. */
static void scale_rows(const struct picture *p, const struct side *x, int64_t first, int64_t rows, unsigned char *ret)
{
	int64_t c = p->channels;
	for (int64_t r = 0; r < rows; r++) {
		const unsigned char *row = p->pixels + (first + r) * p->width * c;
		for (int64_t i = 0; i < x->wanted; i++)
			for (int64_t k = 0; k < c; k++)
				*ret++ = blend(row + x->start[i] * c + k, c, x->weights + i * x->taps, x->count[i]);
	}
}

static void scale_columns(const unsigned char *rows, int64_t first, int64_t stride, const struct side *y,
	unsigned char *ret)
{
	for (int64_t i = 0; i < y->wanted; i++)
		for (int64_t k = 0; k < stride; k++)
			*ret++ = blend(rows + (y->start[i] - first) * stride + k, stride, y->weights + i * y->taps,
				y->count[i]);
}

/* The size of the whole picture once scaled. */
static void scaled_size(const struct picture *p, int64_t resize, int64_t height, int64_t width, int64_t *ret_height,
	int64_t *ret_width)
{
	if (resize) {
		bool upright = p->width <= p->height;
		*ret_width = upright ? resize : resize * p->width / p->height;
		*ret_height = upright ? resize * p->height / p->width : resize;
		return;
	}
	bool by_width = width * p->height >= height * p->width;
	*ret_width = by_width ? width : height * p->width / p->height;
	*ret_height = by_width ? width * p->height / p->width : height;
}

enum err resample(const struct picture *p, int64_t resize, int64_t height, int64_t width, unsigned char *ret,
	struct errinfo *e)
{
	struct side x = { 0 }, y = { 0 };
	int64_t h, w;
	scaled_size(p, resize, height, width, &h, &w);
	enum err err = side_init(&x, p->width, w, width, e);
	if (!err)
		err = side_init(&y, p->height, h, height, e);
	if (err) {
		side_fini(&x);
		return err;
	}
	int64_t first = y.start[0], last = y.start[height - 1] + y.count[height - 1], stride = width * p->channels;
	unsigned char *rows = malloc((size_t)((last - first) * stride));
	if (rows) {
		scale_rows(p, &x, first, last - first, rows);
		scale_columns(rows, first, stride, &y, ret);
	} else {
		err = err_set(e, ERR_MEMORY, "out of memory to scale a picture");
	}
	free(rows);
	side_fini(&x);
	side_fini(&y);
	return err;
}
