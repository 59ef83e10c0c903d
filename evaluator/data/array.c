/* array.c -- an n-dimensional array in a file, whatever the format.
 * SPDX-License-Identifier: MIT */
#include "evaluator/data/array.h"

#include <assert.h>
#include <stdio.h>

static const uint64_t LARGEST = 8ULL << 30;

const char *array_shape(const struct array *a, char buf[96])
{
	size_t used = 0;
	buf[0] = '\0';
	for (int i = 0; i < a->ndims; i++)
		used += (size_t)snprintf(buf + used, 96 - used, "%s%zu", i ? " x " : "", a->dims[i]);
	return buf;
}

const char *array_type(const struct array *a, char buf[16])
{
	static const char *const kinds[] = { "uint", "int", "float" };
	snprintf(buf, 16, "%s%d", kinds[a->kind], 8 * a->width);
	return buf;
}

enum err array_claim(struct array *a, uint64_t header, struct errinfo *e)
{
	char shape[96];
	bool exact, over = false;
	uint64_t bytes = (uint64_t)a->width, size = stream_size(a->stream, &exact);
	const char *name = stream_name(a->stream);
	for (int i = 0; i < a->ndims; i++) {
		if (a->dims[i] == 0)
			return err_set(e, ERR_INPUT, "%s: dimension %d is 0, expected at least 1", name, i);
		over = over || __builtin_mul_overflow(bytes, a->dims[i], &bytes);
	}
	array_shape(a, shape);
	if (over || bytes > LARGEST)
		return err_set(e, ERR_LIMIT, "%s: claims %s elements of %d bytes, expected at most 8 GiB", name, shape,
			a->width);
	a->bytes = (size_t)bytes;
	if (!exact && bytes / STREAM_MOST_EXPANSION > size)
		return err_set(e, ERR_INPUT, "%s: claims %s = %zu bytes, more than %llu bytes of gzip can hold", name,
			shape, a->bytes, (unsigned long long)size);
	if (exact && size - header != bytes)
		return err_set(e, ERR_INPUT, "%s: has %llu bytes after its header, expected %s = %zu (%s)", name,
			(unsigned long long)(size - header), shape, a->bytes,
			size - header < bytes ? "truncated" : "trailing bytes");
	return ERR_OK;
}

enum err array_take(struct array *a, void *to, size_t n, struct errinfo *e)
{
	char shape[96], beyond;
	size_t got, more = 0;
	assert(n <= a->bytes - a->taken);
	enum err err = stream_take(a->stream, to, n, &got, e);
	if (err)
		return err;
	a->taken += got;
	if (got < n)
		return err_set(e, ERR_INPUT, "%s: has %zu bytes after its header, expected %s = %zu (truncated)",
			stream_name(a->stream), a->taken, array_shape(a, shape), a->bytes);
	if (a->taken < a->bytes)
		return ERR_OK;
	/* Reading on also makes zlib check the sum at the end of a gzip member. */
	err = stream_take(a->stream, &beyond, 1, &more, e);
	if (!err && more)
		err = err_set(e, ERR_INPUT, "%s: goes on after the %s = %zu bytes of its header (trailing bytes)",
			stream_name(a->stream), array_shape(a, shape), a->bytes);
	return err;
}

void array_close(struct array *a)
{
	stream_close(a->stream);
	a->stream = NULL;
}
