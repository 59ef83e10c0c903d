/* archive.c -- NPY files and ZIP archives as a test wants them.
 * SPDX-License-Identifier: MIT */
#include "tests/evaluator/archive.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/evaluator/folder.h"

enum { MOST_ENTRIES = 8 };

void bytes_add(struct bytes *b, const void *data, size_t len)
{
	ck_assert_uint_le(b->len + len, ARCHIVE_LARGEST);
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
}

void bytes_add_number(struct bytes *b, uint64_t x, int width)
{
	for (int i = 0; i < width; i++)
		bytes_add(b, &(unsigned char){ (unsigned char)(x >> 8 * i) }, 1);
}

void bytes_put(const struct bytes *b, const char *name)
{
	folder_put(name, b->data, b->len);
}

void npy_make(struct bytes *b, const char *type, const char *shape, const void *elements, size_t len)
{
	char header[256];
	int n = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type,
	shape);
	b->len = 0;
	bytes_add(b, "\x93NUMPY\x01\x00", 8);
	bytes_add_number(b, 118, 2);
	bytes_add(b, header, (size_t)n);
	while (b->len < 127)
		bytes_add(b, " ", 1);
	bytes_add(b, "\n", 1);
	bytes_add(b, elements, len);
}

static void deflate_raw(const struct bytes *from, struct bytes *ret)
{
	z_stream z = { .next_in = (unsigned char *)from->data, .avail_in = (unsigned)from->len, .next_out = ret->data,
		.avail_out = ARCHIVE_LARGEST };
	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	ret->len = z.total_out;
	deflateEnd(&z);
}

/* A header's common part: what a member is. zip64 keeps sizes for the extra field. */
static void add_common(struct bytes *b, const struct zip_entry *e, size_t stored)
{
	const struct zip_lies *l = &e->lies;
	bytes_add_number(b, 45, 2);
	bytes_add_number(b, l->flags, 2);
	bytes_add_number(b, l->method ? l->method : e->deflated ? 8 : 0, 2);
	bytes_add_number(b, 0, 4);
	bytes_add_number(b, l->sum ? l->sum : crc32(0, e->content->data, (unsigned)e->content->len), 4);
	bytes_add_number(b, e->zip64 ? 0xffffffff : l->stored ? l->stored : stored, 4);
	bytes_add_number(b, e->zip64 ? 0xffffffff : l->size ? l->size : e->content->len, 4);
	bytes_add_number(b, strlen(e->name), 2);
}

static void add_extra64(struct bytes *b, const struct zip_entry *e, size_t stored)
{
	bytes_add_number(b, 1, 2);
	bytes_add_number(b, 16, 2);
	bytes_add_number(b, e->lies.size ? e->lies.size : e->content->len, 8);
	bytes_add_number(b, e->lies.stored ? e->lies.stored : stored, 8);
}

void zip_make(struct bytes *b, const struct zip_entry *entries, int n, const char *comment)
{
	struct bytes *stored = calloc(MOST_ENTRIES, sizeof *stored);
	size_t offsets[MOST_ENTRIES];
	ck_assert_ptr_nonnull(stored);
	ck_assert_int_le(n, MOST_ENTRIES);
	b->len = 0;
	for (int i = 0; i < n; i++) {
		const struct zip_entry *e = &entries[i];
		offsets[i] = b->len;
		if (e->deflated)
			deflate_raw(e->content, &stored[i]);
		else
			stored[i] = *e->content;
		bytes_add(b, "PK\3\4", 4);
		add_common(b, e, stored[i].len);
		bytes_add_number(b, e->zip64 ? 20 : 0, 2);
		bytes_add(b, e->name, strlen(e->name));
		if (e->zip64)
			add_extra64(b, e, stored[i].len);
		bytes_add(b, stored[i].data, stored[i].len);
	}
	size_t directory = b->len;
	for (int i = 0; i < n; i++) {
		const struct zip_entry *e = &entries[i];
		bytes_add(b, "PK\1\2", 4);
		bytes_add_number(b, 45, 2);
		add_common(b, e, stored[i].len);
		bytes_add_number(b, e->zip64 ? 20 : 0, 2);
		bytes_add_number(b, 0, 8); /* comment, disk, attributes of two kinds */
		bytes_add_number(b, 0, 2);
		bytes_add_number(b, e->lies.offset ? e->lies.offset : offsets[i], 4);
		bytes_add(b, e->name, strlen(e->name));
		if (e->zip64)
			add_extra64(b, e, stored[i].len);
	}
	size_t size = b->len - directory;
	bytes_add(b, "PK\5\6\0\0\0\0", 8);
	bytes_add_number(b, (uint64_t)n, 2);
	bytes_add_number(b, (uint64_t)n, 2);
	bytes_add_number(b, size, 4);
	bytes_add_number(b, directory, 4);
	bytes_add_number(b, strlen(comment), 2);
	bytes_add(b, comment, strlen(comment));
	free(stored);
}
