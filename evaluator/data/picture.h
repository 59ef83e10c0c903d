/* picture.h -- one PNG or JPEG picture, decoded to bytes of grey or of red, green and blue.
 * SPDX-License-Identifier: MIT
 *
 * What a file claims in its header is held against a limit, and PNG's against the bytes that there are, before memory
 * is taken for it. Pixels are what Pillow's convert gives: transparency is dropped, 16 bits become 8, the colours of a
 * palette are looked up, CMYK becomes RGB, no colour profile and no orientation is applied. */
#ifndef EVALUATOR_DATA_PICTURE_H
#define EVALUATOR_DATA_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { PICTURE_LARGEST_SIDE = 32768, PICTURE_MOST_PIXELS = 64 << 20 };

struct picture {
	int64_t height, width, channels; /* 1: grey, 3: red, green, blue */
	unsigned char *pixels;           /* (height, width, channels) */
};

/* By the first bytes, whatever the name says. ERR_INPUT when the picture is damaged, truncated or of another kind; the
 * message doesn't name it. channels: 1 or 3, as wanted. */
enum err picture_decode(const unsigned char *bytes, size_t len, int64_t channels, struct picture *ret,
	struct errinfo *e) __attribute__((warn_unused_result));
void picture_fini(struct picture *p);

/* The two kinds; channels are as the file has them. */
enum err png_decode(const unsigned char *bytes, size_t len, struct picture *ret, struct errinfo *e)
	__attribute__((warn_unused_result));
enum err jpeg_decode(const unsigned char *bytes, size_t len, struct picture *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Takes memory for what a header claims, or refuses. */
enum err picture_allocate(uint64_t height, uint64_t width, int channels, struct picture *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif
