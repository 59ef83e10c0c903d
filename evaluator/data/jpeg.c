/* jpeg.c -- a JPEG picture, by libjpeg-turbo.
 * SPDX-License-Identifier: MIT
 *
 * libjpeg leaves by longjmp, from the error handler; what must survive that is in struct reading, on the heap. It goes
 * on after damage with grey instead of pixels and calls that a warning: here all but the harmless ones are errors. */
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "evaluator/data/picture.h"

enum { MOST_SCANS = 200 };

struct reading {
	struct jpeg_decompress_struct jpeg; /* its client_data is this */
	struct jpeg_error_mgr error;
	struct jpeg_progress_mgr progress;
	jmp_buf leave;
	struct picture picture;
	unsigned char *row; /* CMYK, before it is converted */
	enum err err;
	struct errinfo *e;
};

static void leave(struct reading *r)
{
	longjmp(r->leave, 1);
}

static void on_error(j_common_ptr jpeg)
{
	char message[JMSG_LENGTH_MAX];
	struct reading *r = jpeg->client_data;
	jpeg->err->format_message(jpeg, message);
	if (jpeg->err->msg_code == JERR_OUT_OF_MEMORY)
		r->err = err_set(r->e, ERR_MEMORY, "out of memory for a JPEG picture");
	else
		r->err = err_set(r->e, ERR_INPUT, "is a damaged JPEG picture: %.200s", message);
	leave(r);
}

/* Negative levels are warnings, others are traces. */
static void on_message(j_common_ptr jpeg, int level)
{
	int code = jpeg->err->msg_code;
	bool harmless = code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM;
	if (level < 0 && !harmless)
		on_error(jpeg);
}

static void on_progress(j_common_ptr jpeg)
{
	struct reading *r = jpeg->client_data;
	if (r->jpeg.input_scan_number <= MOST_SCANS)
		return;
	r->err = err_set(r->e, ERR_INPUT, "is a JPEG picture of more than %d scans", MOST_SCANS);
	leave(r);
}

static void read_header(struct reading *r, const unsigned char *bytes, size_t len)
{
	struct jpeg_decompress_struct *j = &r->jpeg;
	jpeg_create_decompress(j);
	j->client_data = r;
	j->progress = &r->progress;
	r->progress.progress_monitor = on_progress;
	jpeg_mem_src(j, bytes, len);
	jpeg_read_header(j, TRUE);
	if (j->num_components == 1)
		j->out_color_space = JCS_GRAYSCALE;
	else
		j->out_color_space = j->num_components == 4 ? JCS_CMYK : JCS_RGB;
	r->err = picture_allocate(j->image_height, j->image_width, j->num_components == 1 ? 1 : 3, &r->picture, r->e);
	if (!r->err && j->num_components == 4 && !(r->row = malloc(4 * (size_t)j->image_width)))
		r->err = err_set(r->e, ERR_MEMORY, "out of memory for a JPEG picture");
	if (r->err)
		leave(r);
}

/* Adobe's programs store inks inverted: 255 is none. */
static void to_rgb(const unsigned char *cmyk, size_t width, bool inverted, unsigned char *ret)
{
	for (size_t i = 0; i < width; i++) {
		unsigned flip = inverted ? 0 : 255, k = cmyk[4 * i + 3] ^ flip;
		for (size_t c = 0; c < 3; c++)
			ret[3 * i + c] = (unsigned char)(((cmyk[4 * i + c] ^ flip) * k + 127) / 255);
	}
}

static void read_pixels(struct reading *r)
{
	struct jpeg_decompress_struct *j = &r->jpeg;
	size_t row = (size_t)(r->picture.width * r->picture.channels);
	jpeg_start_decompress(j);
	while (j->output_scanline < j->output_height) {
		unsigned char *to = r->picture.pixels + j->output_scanline * row;
		jpeg_read_scanlines(j, (JSAMPARRAY)(r->row ? &r->row : &to), 1);
		if (r->row)
			to_rgb(r->row, (size_t)r->picture.width, j->saw_Adobe_marker, to);
	}
	jpeg_finish_decompress(j);
}

enum err jpeg_decode(const unsigned char *bytes, size_t len, struct picture *ret, struct errinfo *e)
{
	struct reading *r = calloc(1, sizeof *r);
	if (!r)
		return err_set(e, ERR_MEMORY, "out of memory");
	r->e = e;
	r->jpeg.err = jpeg_std_error(&r->error);
	r->jpeg.client_data = r;
	r->error.error_exit = on_error;
	r->error.emit_message = on_message;
	if (!setjmp(r->leave)) {
		read_header(r, bytes, len);
		read_pixels(r);
	}
	jpeg_destroy_decompress(&r->jpeg);
	free(r->row);
	enum err err = r->err;
	if (err)
		picture_fini(&r->picture);
	else
		*ret = r->picture;
	free(r);
	return err;
}
