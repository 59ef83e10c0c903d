/* painter.h -- PNG and JPEG pictures as a test wants them, by libpng and libjpeg.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_EVALUATOR_PAINTER_H
#define TESTS_EVALUATOR_PAINTER_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/evaluator/archive.h"

/* rows: the bytes as PNG stores them, height rows of `stride`. type: PNG_COLOR_TYPE_*. A palette has 4 colours: red
 * with alpha 0, green, blue, white. */
void png_make(struct bytes *b, int type, int depth, int width, int height, const unsigned char *rows, size_t stride,
	bool interlaced);

/* channels: 1 grey, 3 RGB, 4 CMYK with Adobe's marker, whose inks are inverted. */
void jpeg_make(struct bytes *b, int channels, int width, int height, const unsigned char *pixels, bool progressive);

#endif
