/* idx.c -- one IDX file of unsigned bytes, the format of MNIST and its kin.
 * SPDX-License-Identifier: MIT
 *
 * A header of 20 bytes can claim 2^128 elements, so nothing is allocated from it before the claim was held
 * against what the file can contain: for a plain file that is its size, for gzip its size times the most that
 * deflate can expand (1032:1). zlib's gzread reads both kinds. It ignores what follows the last gzip member,
 * as gzip(1) does; whatever is inside a member must end where the header says. */
#include "evaluator/data/idx.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { TYPE_UNSIGNED_BYTE = 0x08, MOST_EXPANSION = 1100, READ_BUFFER = 128 * 1024, LARGEST_READ = 1 << 30 };

static const uint64_t LARGEST = 8ULL << 30;

struct reader {
	const char *path;
	gzFile gz;
	uint64_t size; /* of the file as it is stored */
};

static enum err reader_open(struct reader *r, const char *path, struct errinfo *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_errno(e, "%s", path);
	if (fstat(fd, &st)) {
		enum err err = err_errno(e, "%s", path);
		close(fd);
		return err;
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(e, ERR_INPUT, "%s: is not a regular file, expected an IDX file", path);
	}
	gzFile gz = gzdopen(fd, "rb");
	if (!gz) {
		close(fd);
		return err_set(e, ERR_MEMORY, "%s: out of memory", path);
	}
	gzbuffer(gz, READ_BUFFER);
	*r = (struct reader){ path, gz, (uint64_t)st.st_size };
	return ERR_OK;
}

/* Reads until n bytes are there or the file ends. */
static enum err reader_take(struct reader *r, void *to, size_t n, size_t *ret_got, struct errinfo *e)
{
	size_t got = 0;
	int part = 1;
	while (got < n && part > 0) {
		size_t left = n - got;
		part = gzread(r->gz, (unsigned char *)to + got, left < LARGEST_READ ? (unsigned)left : LARGEST_READ);
		if (part > 0)
			got += (size_t)part;
	}
	int code = Z_OK;
	const char *why = gzerror(r->gz, &code);
	if (part < 0 && code == Z_ERRNO)
		return err_errno(e, "%s", r->path);
	if (part < 0 && code == Z_MEM_ERROR)
		return err_set(e, ERR_MEMORY, "%s: out of memory", r->path);
	if (part < 0)
		return err_set(e, ERR_INPUT, "%s: the gzip data is damaged (%s)", r->path, why);
	if (part == 0 && code == Z_BUF_ERROR)
		return err_set(e, ERR_INPUT, "%s: the gzip data ends too early, the file is truncated", r->path);
	*ret_got = got;
	return ERR_OK;
}

/* "60000 x 28 x 28" */
static const char *shape_text(const struct idx *x, char buf[64])
{
	size_t used = 0;
	for (int i = 0; i < x->ndims; i++)
		used += (size_t)snprintf(buf + used, 64 - used, "%s%zu", i ? " x " : "", x->dims[i]);
	return buf;
}

static enum err read_magic(struct reader *r, const char *what, int least, int most, struct idx *x, struct errinfo *e)
{
	unsigned char m[4];
	size_t got;
	enum err err = reader_take(r, m, sizeof m, &got, e);
	if (err)
		return err;
	if (got < sizeof m)
		return err_set(e, ERR_INPUT, "%s: has %zu bytes, expected an IDX file of %s", r->path, got, what);
	if (m[0] || m[1])
		return err_set(e, ERR_INPUT, "%s: starts with %02x %02x %02x %02x, expected 00 00 08 %02x (IDX, %s)",
			r->path, m[0], m[1], m[2], m[3], (unsigned)least, what);
	if (m[2] != TYPE_UNSIGNED_BYTE)
		return err_set(e, ERR_INPUT, "%s: its elements are of type 0x%02x, expected 0x08 (unsigned bytes)",
			r->path, m[2]);
	if (m[3] < least || m[3] > most) {
		char range[32];
		snprintf(range, sizeof range, least == most ? "%d" : "%d to %d", least, most);
		return err_set(e, ERR_INPUT, "%s: has %u dimensions, expected %s for %s", r->path, m[3], range, what);
	}
	x->ndims = m[3];
	return ERR_OK;
}

static enum err read_dimensions(struct reader *r, struct idx *x, struct errinfo *e)
{
	unsigned char raw[4 * IDX_MAX_DIMENSIONS];
	size_t need = 4 * (size_t)x->ndims, got;
	enum err err = reader_take(r, raw, need, &got, e);
	if (err)
		return err;
	if (got < need)
		return err_set(e, ERR_INPUT, "%s: ends in its header after %zu bytes, expected %zu", r->path, 4 + got,
			4 + need);
	uint64_t bytes = 1;
	bool over = false;
	for (int i = 0; i < x->ndims; i++) {
		const unsigned char *p = raw + 4 * i;
		x->dims[i] = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
		if (x->dims[i] == 0)
			return err_set(e, ERR_INPUT, "%s: dimension %d is 0, expected at least 1", r->path, i);
		over = over || __builtin_mul_overflow(bytes, x->dims[i], &bytes);
	}
	char shape[64];
	if (over || bytes > LARGEST)
		return err_set(e, ERR_LIMIT, "%s: claims %s bytes, expected at most 8 GiB", r->path,
			shape_text(x, shape));
	x->bytes = (size_t)bytes;
	return ERR_OK;
}

/* Refuses a claim that the file can't keep. Behind it x->bytes is safe to allocate. */
static enum err check_claim(const struct reader *r, const struct idx *x, struct errinfo *e)
{
	char shape[64];
	uint64_t header = 4 + 4 * (uint64_t)x->ndims;
	if (!gzdirect(r->gz)) {
		if (x->bytes / MOST_EXPANSION <= r->size)
			return ERR_OK;
		return err_set(e, ERR_INPUT, "%s: claims %s = %zu bytes, more than %llu bytes of gzip can hold",
			r->path, shape_text(x, shape), x->bytes, (unsigned long long)r->size);
	}
	if (r->size - header == x->bytes)
		return ERR_OK;
	return err_set(e, ERR_INPUT, "%s: has %llu bytes after its header, expected %s = %zu (%s)", r->path,
		(unsigned long long)(r->size - header), shape_text(x, shape), x->bytes,
		r->size - header < x->bytes ? "truncated" : "trailing bytes");
}

static enum err read_elements(struct reader *r, struct idx *x, struct errinfo *e)
{
	char shape[64], beyond;
	size_t got, more = 0;
	x->data = malloc(x->bytes);
	if (!x->data)
		return err_set(e, ERR_MEMORY, "%s: no memory for %zu bytes", r->path, x->bytes);
	enum err err = reader_take(r, x->data, x->bytes, &got, e);
	if (err)
		return err;
	if (got < x->bytes)
		return err_set(e, ERR_INPUT, "%s: has %zu bytes after its header, expected %s = %zu (truncated)",
			r->path, got, shape_text(x, shape), x->bytes);
	/* Reading on also makes zlib check the sum at the end of the member. */
	err = reader_take(r, &beyond, 1, &more, e);
	if (!err && more)
		err = err_set(e, ERR_INPUT, "%s: goes on after the %s = %zu bytes of its header (trailing bytes)",
			r->path, shape_text(x, shape), x->bytes);
	return err;
}

enum err idx_read(const char *path, const char *what, int least, int most, struct idx *ret, struct errinfo *e)
{
	struct reader r = { 0 };
	struct idx x = { 0 };
	enum err err = reader_open(&r, path, e);
	if (err)
		return err;
	err = read_magic(&r, what, least, most, &x, e);
	if (!err)
		err = read_dimensions(&r, &x, e);
	if (!err)
		err = check_claim(&r, &x, e);
	if (!err)
		err = read_elements(&r, &x, e);
	gzclose_r(r.gz);
	if (err)
		idx_fini(&x);
	else
		*ret = x;
	return err;
}

void idx_fini(struct idx *x)
{
	free(x->data);
	x->data = NULL;
}
