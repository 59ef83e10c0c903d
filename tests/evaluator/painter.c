/* painter.c -- PNG and JPEG pictures as a test wants them.
 * SPDX-License-Identifier: MIT */
#include "tests/evaluator/painter.h"

#include <check.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

static void on_write(png_structp png, png_bytep data, size_t len)
{
	bytes_add(png_get_io_ptr(png), data, len);
}

void png_make(struct bytes *b, int type, int depth, int width, int height, const unsigned char *rows, size_t stride,
	bool interlaced)
{
	static const png_color colours[4] = { { 255, 0, 0 }, { 0, 255, 0 }, { 0, 0, 255 }, { 255, 255, 255 } };
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	png_bytep *pointers = calloc((size_t)height, sizeof *pointers);
	ck_assert(png && info && pointers);
	b->len = 0;
	png_set_write_fn(png, b, on_write, NULL);
	png_set_IHDR(png, info, (unsigned)width, (unsigned)height, depth, type,
		interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		PNG_FILTER_TYPE_DEFAULT);
	if (type == PNG_COLOR_TYPE_PALETTE) {
		png_set_PLTE(png, info, colours, 4);
		png_set_tRNS(png, info, (png_byte[]){ 0 }, 1, NULL);
	}
	for (int i = 0; i < height; i++)
		pointers[i] = (png_bytep)rows + (size_t)i * stride;
	png_set_rows(png, info, pointers);
	png_write_png(png, info, PNG_TRANSFORM_IDENTITY, NULL);
	png_destroy_write_struct(&png, &info);
	free(pointers);
}

void jpeg_make(struct bytes *b, int channels, int width, int height, const unsigned char *pixels, bool progressive)
{
	struct jpeg_compress_struct j;
	struct jpeg_error_mgr error;
	unsigned char *out = NULL;
	unsigned long len = 0;
	j.err = jpeg_std_error(&error);
	jpeg_create_compress(&j);
	jpeg_mem_dest(&j, &out, &len);
	j.image_width = (unsigned)width;
	j.image_height = (unsigned)height;
	j.input_components = channels;
	j.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
	jpeg_set_defaults(&j);
	jpeg_set_quality(&j, 95, TRUE);
	if (progressive)
		jpeg_simple_progression(&j);
	jpeg_start_compress(&j, TRUE);
	while (j.next_scanline < j.image_height) {
		JSAMPROW row = (JSAMPROW)pixels + j.next_scanline * (size_t)(width * channels);
		jpeg_write_scanlines(&j, &row, 1);
	}
	jpeg_finish_compress(&j);
	jpeg_destroy_compress(&j);
	b->len = 0;
	bytes_add(b, out, len);
	free(out);
}
