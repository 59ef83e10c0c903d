/* idx.c -- an IDX file of unsigned bytes, the format of MNIST and its kin.
 * SPDX-License-Identifier: MIT */
#include "evaluator/data/idx.h"

#include <stdio.h>

enum { TYPE_UNSIGNED_BYTE = 0x08 };

static enum err read_magic(struct array *a, const char *what, int least, int most, struct errinfo *e)
{
	unsigned char m[4];
	size_t got;
	const char *name = stream_name(a->stream);
	enum err err = stream_take(a->stream, m, sizeof m, &got, e);
	if (err)
		return err;
	if (got < sizeof m)
		return err_set(e, ERR_INPUT, "%s: has %zu bytes, expected an IDX file of %s", name, got, what);
	if (m[0] || m[1])
		return err_set(e, ERR_INPUT, "%s: starts with %02x %02x %02x %02x, expected 00 00 08 %02x (IDX, %s)",
			name, m[0], m[1], m[2], m[3], (unsigned)least, what);
	if (m[2] != TYPE_UNSIGNED_BYTE)
		return err_set(e, ERR_INPUT, "%s: its elements are of type 0x%02x, expected 0x08 (unsigned bytes)",
			name, m[2]);
	if (m[3] < least || m[3] > most) {
		char range[32];
		snprintf(range, sizeof range, least == most ? "%d" : "%d to %d", least, most);
		return err_set(e, ERR_INPUT, "%s: has %u dimensions, expected %s for %s", name, m[3], range, what);
	}
	a->ndims = m[3];
	return ERR_OK;
}

static enum err read_dimensions(struct array *a, struct errinfo *e)
{
	unsigned char raw[4 * ARRAY_MAX_DIMENSIONS];
	size_t need = 4 * (size_t)a->ndims, got;
	enum err err = stream_take(a->stream, raw, need, &got, e);
	if (err)
		return err;
	if (got < need)
		return err_set(e, ERR_INPUT, "%s: ends in its header after %zu bytes, expected %zu",
			stream_name(a->stream), 4 + got, 4 + need);
	for (int i = 0; i < a->ndims; i++) {
		const unsigned char *p = raw + 4 * i;
		a->dims[i] = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	}
	return array_claim(a, 4 + need, e);
}

enum err idx_open(const char *path, const char *what, int least, int most, struct array *ret, struct errinfo *e)
{
	struct array a = { .kind = ARRAY_UNSIGNED, .width = 1 };
	enum err err = stream_open(path, "an IDX file", &a.stream, e);
	if (!err)
		err = read_magic(&a, what, least, most, e);
	if (!err)
		err = read_dimensions(&a, e);
	if (err)
		array_close(&a);
	else
		*ret = a;
	return err;
}
