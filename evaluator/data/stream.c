/* stream.c -- the bytes of a file from its beginning to its end.
 * SPDX-License-Identifier: MIT
 *
 * zlib's gzread reads plain and gzip files. It ignores what follows the last gzip member, as gzip(1) does; whatever is
 * inside a member is delivered. Members of ZIP archives are raw deflate, or stored. */
#include "evaluator/data/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "evaluator/data/zip.h"

enum { BUFFER = 128 * 1024, LARGEST_READ = 1 << 30, RAW_DEFLATE = -15 };

struct stream {
	char *name;
	uint64_t size; /* of the file as it is stored, or of the member as it comes */
	gzFile gz;     /* NULL: a member */
	int fd;
	struct zip_member member;
	uint64_t left;        /* bytes of the member still to come */
	uint64_t stored_left; /* of its stored ones still to be read */
	uLong sum;
	z_stream z;
	bool inflating;
	unsigned char *buffer;
};

enum err stream_open_fd(const char *path, const char *what, int *ret, struct errinfo *e)
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
		return err_set(e, ERR_INPUT, "%s: is not a regular file, expected %s", path, what);
	}
	*ret = fd;
	return ERR_OK;
}

enum err stream_read_at(int fd, const char *path, uint64_t at, void *to, size_t n, struct errinfo *e)
{
	for (size_t got = 0; got < n;) {
		ssize_t part = pread(fd, (char *)to + got, n - got, (off_t)(at + got));
		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return err_errno(e, "%s", path);
		if (part == 0)
			return err_set(e, ERR_INPUT, "%s: ends at byte %llu, expected %llu more", path,
				(unsigned long long)(at + got), (unsigned long long)(n - got));
		got += (size_t)part;
	}
	return ERR_OK;
}

static enum err stream_new(const char *path, const char *member, struct stream **ret, struct errinfo *e)
{
	struct stream *s = calloc(1, sizeof *s);
	size_t len = strlen(path) + (member ? strlen(member) + 2 : 0) + 1;
	if (s)
		s->name = malloc(len);
	if (!s || !s->name) {
		free(s);
		return err_set(e, ERR_MEMORY, "%s: out of memory", path);
	}
	snprintf(s->name, len, "%s%s%s", path, member ? ": " : "", member ? member : "");
	s->fd = -1;
	*ret = s;
	return ERR_OK;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->gz)
		gzclose_r(s->gz);
	if (s->fd >= 0)
		close(s->fd);
	if (s->inflating)
		inflateEnd(&s->z);
	free(s->buffer);
	free(s->name);
	free(s);
}

const char *stream_name(const struct stream *s)
{
	return s->name;
}

uint64_t stream_size(const struct stream *s, bool *ret_exact)
{
	*ret_exact = !s->gz || gzdirect(s->gz);
	return s->size;
}

enum err stream_open(const char *path, const char *what, struct stream **ret, struct errinfo *e)
{
	struct stream *s;
	struct stat st;
	enum err err = stream_new(path, NULL, &s, e);
	if (err)
		return err;
	err = stream_open_fd(path, what, &s->fd, e);
	if (!err && fstat(s->fd, &st))
		err = err_errno(e, "%s", path);
	if (!err && !(s->gz = gzdopen(s->fd, "rb")))
		err = err_set(e, ERR_MEMORY, "%s: out of memory", path);
	if (err) {
		stream_close(s);
		return err;
	}
	s->fd = -1; /* gz closes it */
	s->size = (uint64_t)st.st_size;
	gzbuffer(s->gz, BUFFER);
	*ret = s;
	return ERR_OK;
}

static enum err take_gz(struct stream *s, void *to, size_t n, size_t *ret_got, struct errinfo *e)
{
	size_t got = 0;
	int part = 1;
	while (got < n && part > 0) {
		size_t left = n - got;
		part = gzread(s->gz, (unsigned char *)to + got, left < LARGEST_READ ? (unsigned)left : LARGEST_READ);
		if (part > 0)
			got += (size_t)part;
	}
	int code = Z_OK;
	const char *why = gzerror(s->gz, &code);
	if (part < 0 && code == Z_ERRNO)
		return err_errno(e, "%s", s->name);
	if (part < 0 && code == Z_MEM_ERROR)
		return err_set(e, ERR_MEMORY, "%s: out of memory", s->name);
	if (part < 0)
		return err_set(e, ERR_INPUT, "%s: the gzip data is damaged (%s)", s->name, why);
	if (part == 0 && code == Z_BUF_ERROR)
		return err_set(e, ERR_INPUT, "%s: the gzip data ends too early, the file is truncated", s->name);
	*ret_got = got;
	return ERR_OK;
}

/* ---- members ---- */

static enum err start_inflating(struct stream *s, struct errinfo *e)
{
	s->buffer = malloc(BUFFER);
	if (!s->buffer || inflateInit2(&s->z, RAW_DEFLATE) != Z_OK)
		return err_set(e, ERR_MEMORY, "%s: out of memory", s->name);
	s->inflating = true;
	return ERR_OK;
}

enum err stream_open_member(const char *path, const char *member, struct stream **ret, struct errinfo *e)
{
	struct stream *s;
	enum err err = stream_new(path, member, &s, e);
	if (err)
		return err;
	err = stream_open_fd(path, "an NPZ file", &s->fd, e);
	if (!err)
		err = zip_find(s->fd, path, member, &s->member, e);
	if (!err && s->member.deflated)
		err = start_inflating(s, e);
	if (err) {
		stream_close(s);
		return err;
	}
	s->size = s->left = s->member.size;
	s->stored_left = s->member.stored;
	s->sum = crc32(0, NULL, 0);
	*ret = s;
	return ERR_OK;
}

static enum err read_stored(struct stream *s, void *to, size_t n, struct errinfo *e)
{
	uint64_t at = s->member.offset + s->member.stored - s->stored_left;
	enum err err = stream_read_at(s->fd, s->name, at, to, n, e);
	if (!err)
		s->stored_left -= n;
	return err;
}

static enum err inflate_some(struct stream *s, unsigned char *to, size_t n, size_t *ret_got, struct errinfo *e)
{
	if (!s->z.avail_in && s->stored_left) {
		size_t part = s->stored_left < BUFFER ? (size_t)s->stored_left : BUFFER;
		enum err err = read_stored(s, s->buffer, part, e);
		if (err)
			return err;
		s->z.next_in = s->buffer;
		s->z.avail_in = (unsigned)part;
	}
	s->z.next_out = to;
	s->z.avail_out = n < LARGEST_READ ? (unsigned)n : LARGEST_READ;
	int code = inflate(&s->z, Z_NO_FLUSH);
	*ret_got = (size_t)(s->z.next_out - to);
	if (code == Z_MEM_ERROR)
		return err_set(e, ERR_MEMORY, "%s: out of memory", s->name);
	if (code != Z_OK && code != Z_STREAM_END)
		return err_set(e, ERR_INPUT, "%s: the deflated data is damaged (%s)", s->name,
			s->z.msg ? s->z.msg : "it ends too early");
	if (code == Z_STREAM_END && *ret_got < s->left)
		return err_set(e, ERR_INPUT, "%s: ends %llu bytes before the size that the archive's directory says",
			s->name, (unsigned long long)(s->left - *ret_got));
	return ERR_OK;
}

static enum err take_member(struct stream *s, unsigned char *to, size_t n, size_t *ret_got, struct errinfo *e)
{
	size_t got = 0;
	if (n > s->left)
		n = (size_t)s->left;
	bool last = n && n == s->left;
	while (got < n) {
		size_t part = n - got < LARGEST_READ ? n - got : LARGEST_READ;
		enum err err = s->inflating ? inflate_some(s, to + got, part, &part, e)
					    : read_stored(s, to + got, part, e);
		if (err)
			return err;
		s->sum = crc32(s->sum, to + got, (unsigned)part);
		s->left -= part;
		got += part;
	}
	if (last && (uint32_t)s->sum != s->member.sum)
		return err_set(e, ERR_INPUT, "%s: its sum is %08x, the archive's directory says %08x: it is damaged",
			s->name, (unsigned)s->sum, (unsigned)s->member.sum);
	*ret_got = got;
	return ERR_OK;
}

enum err stream_take(struct stream *s, void *to, size_t n, size_t *ret_got, struct errinfo *e)
{
	return s->gz ? take_gz(s, to, n, ret_got, e) : take_member(s, to, n, ret_got, e);
}
