/* picture.c -- one PNG or JPEG picture, decoded.
 * SPDX-License-Identifier: MIT */
#include "evaluator/data/picture.h"

#include <stdlib.h>
#include <string.h>

void picture_fini(struct picture *p)
{
	free(p->pixels);
	p->pixels = NULL;
}

enum err picture_allocate(uint64_t height, uint64_t width, int channels, struct picture *ret, struct errinfo *e)
{
	if (!height || !width || height > PICTURE_LARGEST_SIDE || width > PICTURE_LARGEST_SIDE ||
		height * width > PICTURE_MOST_PIXELS)
		return err_set(e, ERR_INPUT, "claims %llu x %llu pixels, expected at most %d a side and %d in all",
			(unsigned long long)width, (unsigned long long)height, PICTURE_LARGEST_SIDE,
			PICTURE_MOST_PIXELS);
	ret->pixels = malloc(height * width * (size_t)channels);
	if (!ret->pixels)
		return err_set(e, ERR_MEMORY, "no memory for %llu x %llu pixels", (unsigned long long)width,
			(unsigned long long)height);
	ret->height = (int64_t)height;
	ret->width = (int64_t)width;
	ret->channels = channels;
	return ERR_OK;
}

/* Luma as in ITU-R BT.601, in sixteenths of bits: 0.299 R + 0.587 G + 0.114 B, rounded. In place. */
static void to_grey(struct picture *p)
{
	size_t n = (size_t)(p->height * p->width);
	for (size_t i = 0; i < n; i++) {
		const unsigned char *c = p->pixels + 3 * i;
		p->pixels[i] = (unsigned char)((c[0] * 19595u + c[1] * 38470u + c[2] * 7471u + 32768u) >> 16);
	}
	p->channels = 1;
}

static enum err to_colour(struct picture *p, struct errinfo *e)
{
	size_t n = (size_t)(p->height * p->width);
	unsigned char *pixels = malloc(3 * n);
	if (!pixels)
		return err_set(e, ERR_MEMORY, "no memory for %zu pixels", n);
	for (size_t i = 0; i < n; i++)
		memset(pixels + 3 * i, p->pixels[i], 3);
	free(p->pixels);
	p->pixels = pixels;
	p->channels = 3;
	return ERR_OK;
}

enum err picture_decode(const unsigned char *bytes, size_t len, int64_t channels, struct picture *ret,
	struct errinfo *e)
{
	struct picture p = { 0 };
	enum err err;
	if (len >= 8 && !memcmp(bytes, "\x89PNG\r\n\x1a\n", 8))
		err = png_decode(bytes, len, &p, e);
	else if (len >= 3 && !memcmp(bytes, "\xff\xd8\xff", 3))
		err = jpeg_decode(bytes, len, &p, e);
	else
		err = err_set(e, ERR_INPUT, "is neither a PNG nor a JPEG picture by its first bytes");
	if (!err && channels == 1 && p.channels == 3)
		to_grey(&p);
	if (!err && channels == 3 && p.channels == 1)
		err = to_colour(&p, e);
	if (err)
		picture_fini(&p);
	else
		*ret = p;
	return err;
}
