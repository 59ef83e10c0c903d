/* png.c -- a PNG picture, by libpng.
 * SPDX-License-Identifier: MIT
 *
 * libpng leaves by longjmp. What must survive that is in struct reading, on the heap. */
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/data/picture.h"

enum { MOST_EXPANSION = 1100 };

struct reading {
	png_structp png;
	png_infop info;
	const unsigned char *bytes;
	size_t left;
	struct picture picture;
	png_bytep *rows;
	char warning[120]; /* the last one, which often is the error's cause */
	enum err err; /* ours, when libpng was left for it */
	struct errinfo *e;
};

static void on_error(png_structp png, png_const_charp message)
{
	struct reading *r = png_get_error_ptr(png);
	if (!r->err)
		r->err = err_set(r->e, ERR_INPUT, "is a damaged PNG picture: %.200s%s%s", message,
			*r->warning ? "; " : "", r->warning);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
	struct reading *r = png_get_error_ptr(png);
	snprintf(r->warning, sizeof r->warning, "%s", message);
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
	struct reading *r = png_get_io_ptr(png);
	if (n > r->left)
		png_error(png, "it ends too early (truncated)");
	memcpy(to, r->bytes, n);
	r->bytes += n;
	r->left -= n;
}

/* 8 bits a channel, grey or RGB, no alpha. */
static void simplify(struct reading *r)
{
	png_set_expand(r->png);
	png_set_scale_16(r->png);
	png_set_strip_alpha(r->png);
}

static void read_header(struct reading *r)
{
	size_t whole = r->left;
	png_set_user_limits(r->png, PICTURE_LARGEST_SIDE, PICTURE_LARGEST_SIDE);
	/* All but IHDR, PLTE, tRNS, IDAT and IEND: text and profiles would be unpacked, a thousandfold. */
	png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
	png_set_read_fn(r->png, r, on_read);
	png_read_info(r->png, r->info);
	uint64_t height = png_get_image_height(r->png, r->info), bytes = png_get_rowbytes(r->png, r->info) * height;
	if (bytes / MOST_EXPANSION > whole) {
		r->err = err_set(r->e, ERR_INPUT, "claims %llu bytes of pixels, which %zu compressed ones can't hold",
			(unsigned long long)bytes, whole);
		png_error(r->png, "");
	}
	simplify(r);
	png_set_interlace_handling(r->png);
	png_read_update_info(r->png, r->info);
}

static void read_pixels(struct reading *r)
{
	int channels = png_get_channels(r->png, r->info);
	size_t height = png_get_image_height(r->png, r->info), width = png_get_image_width(r->png, r->info);
	size_t row = width * (size_t)channels;
	if ((channels != 1 && channels != 3) || png_get_rowbytes(r->png, r->info) != row)
		png_error(r->png, "its pixels are of an unknown form");
	r->err = picture_allocate(height, width, channels, &r->picture, r->e);
	if (!r->err && !(r->rows = calloc(height, sizeof *r->rows)))
		r->err = err_set(r->e, ERR_MEMORY, "no memory for %zu rows", height);
	if (r->err)
		png_error(r->png, "");
	for (size_t i = 0; i < height; i++)
		r->rows[i] = r->picture.pixels + i * row;
	png_read_image(r->png, r->rows);
	png_read_end(r->png, NULL);
}

enum err png_decode(const unsigned char *bytes, size_t len, struct picture *ret, struct errinfo *e)
{
	struct reading *r = calloc(1, sizeof *r);
	if (!r)
		return err_set(e, ERR_MEMORY, "out of memory");
	*r = (struct reading){ .bytes = bytes, .left = len, .e = e };
	r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_error, on_warning);
	if (r->png)
		r->info = png_create_info_struct(r->png);
	if (!r->info)
		r->err = err_set(e, ERR_MEMORY, "out of memory");
	else if (!setjmp(png_jmpbuf(r->png))) {
		read_header(r);
		read_pixels(r);
	}
	png_destroy_read_struct(&r->png, &r->info, NULL);
	free(r->rows);
	enum err err = r->err;
	if (err)
		picture_fini(&r->picture);
	else
		*ret = r->picture;
	free(r);
	return err;
}
