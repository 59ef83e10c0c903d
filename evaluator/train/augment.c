/* augment.c -- training images changed by lot.
 * SPDX-License-Identifier: MIT */
#include "evaluator/train/augment.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "base/trainspec.h"
#include "evaluator/data/dataset.h"

/* Where number i along a side comes from: first + i * step, pixels counted from the middle of the first. */
struct line {
	double first, step;
	int64_t size;
};

/* A place between two pixels of a side: x[at] * (1 - part) + x[at + 1] * part; inside says whether it is one. */
struct place {
	int64_t at;
	float part;
	bool inside;
};

bool augment_applies(const struct trainspec *t)
{
	return t->flip || t->shift || t->crop < 1;
}

static struct line draw_line(const struct trainspec *t, int64_t size, struct rng *r)
{
	struct line l = { .first = 0, .step = 1, .size = size };
	if (t->crop < 1) {
		l.step = t->crop + (1 - t->crop) * rng_uniform(r);
		l.first = rng_uniform(r) * (1 - l.step) * (double)size + (l.step - 1) / 2;
	}
	if (t->shift)
		l.first += l.step * ((double)rng_below(r, (uint64_t)(2 * t->shift + 1)) - (double)t->shift);
	return l;
}

static struct line mirrored(struct line l)
{
	return (struct line){ l.first + (double)(l.size - 1) * l.step, -l.step, l.size };
}

/* Half a pixel beyond the edge still is the edge's pixel. */
static struct place find(const struct line *l, int64_t i)
{
	double x = l->first + (double)i * l->step;
	struct place p = { .inside = x >= -0.5 && x <= (double)l->size - 0.5 };
	x = fmin(fmax(x, 0), (double)(l->size - 1));
	p.at = (int64_t)x < l->size - 1 ? (int64_t)x : l->size - 2;
	p.at = p.at < 0 ? 0 : p.at;
	p.part = (float)(x - (double)p.at);
	return p;
}

static float between(const float *x, const struct place *p, int64_t stride)
{
	return p->part > 0 ? x[0] + p->part * (x[stride] - x[0]) : x[0];
}

static void resample(const float *from, const struct line *rows, const struct line *columns, float blank, float *to)
{
	int64_t width = columns->size;
	for (int64_t i = 0; i < rows->size; i++) {
		struct place row = find(rows, i);
		for (int64_t k = 0; k < width; k++) {
			struct place column = find(columns, k);
			const float *x = from + row.at * width + column.at;
			float value = blank;
			if (row.inside && column.inside) {
				float upper = between(x, &column, 1);
				value = row.part > 0 ? upper + row.part * (between(x + width, &column, 1) - upper)
						     : upper;
			}
			to[i * width + k] = value;
		}
	}
}

static float blank_of(const struct normalisation *norm, int64_t channel)
{
	return norm->channels ? -norm->mean[channel] / norm->std[channel] : 0;
}

void augment_batch(const struct trainspec *t, const struct split *s, float *x, size_t n, float *room, struct rng *r)
{
	const struct dataset *d = s->data;
	int64_t plane = d->height * d->width;
	for (size_t i = 0; i < n; i++) {
		struct line rows = draw_line(t, d->height, r), columns = draw_line(t, d->width, r);
		if (t->flip && rng_below(r, 2))
			columns = mirrored(columns);
		float *image = x + (int64_t)i * d->channels * plane;
		memcpy(room, image, (size_t)(d->channels * plane) * sizeof *room);
		for (int64_t c = 0; c < d->channels; c++)
			resample(room + c * plane, &rows, &columns, blank_of(s->norm, c), image + c * plane);
	}
}
