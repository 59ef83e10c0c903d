/* zip.c -- where a member of a ZIP archive lies.
 * SPDX-License-Identifier: MIT
 *
 * Every offset and size comes from the file, so each is held against the file's length before it is followed. */
#include "evaluator/data/zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "evaluator/data/stream.h"

enum {
	END_SIZE = 22, LOCATOR_SIZE = 20, END64_SIZE = 56, ENTRY_SIZE = 46, LOCAL_SIZE = 30, LONGEST_COMMENT = 65535,
	LARGEST_DIRECTORY = 16 << 20, ENCRYPTED = 1, STORED = 0, DEFLATED = 8, ZIP64_EXTRA = 1, NAMES_TEXT = 240,
};

struct archive {
	int fd;
	const char *path;
	uint64_t size;                  /* of the file */
	uint64_t at, directory_size;    /* of the central directory */
	uint64_t entries;
	unsigned char *directory;
};

static uint64_t number(const unsigned char *p, int bytes)
{
	uint64_t x = 0;
	for (int i = bytes; i-- > 0;)
		x = x << 8 | p[i];
	return x;
}

static bool is_record(const unsigned char *p, unsigned char third, unsigned char fourth)
{
	return p[0] == 'P' && p[1] == 'K' && p[2] == third && p[3] == fourth;
}

static enum err damaged(const struct archive *a, const char *what, struct errinfo *e)
{
	return err_set(e, ERR_INPUT, "%s: is no whole ZIP archive: %s", a->path, what);
}

static enum err read_at(const struct archive *a, uint64_t at, void *to, size_t n, struct errinfo *e)
{
	if (at > a->size || n > a->size - at)
		return damaged(a, "a record lies outside the file", e);
	return stream_read_at(a->fd, a->path, at, to, n, e);
}

/* The ZIP64 end record, which the locator right before the plain one points to. */
static enum err read_end64(struct archive *a, uint64_t end, struct errinfo *e)
{
	unsigned char locator[LOCATOR_SIZE], record[END64_SIZE];
	if (end < LOCATOR_SIZE)
		return damaged(a, "the ZIP64 locator is missing", e);
	enum err err = read_at(a, end - LOCATOR_SIZE, locator, sizeof locator, e);
	if (!err && !is_record(locator, 6, 7))
		err = damaged(a, "the ZIP64 locator is missing", e);
	if (!err)
		err = read_at(a, number(locator + 8, 8), record, sizeof record, e);
	if (!err && !is_record(record, 6, 6))
		err = damaged(a, "the ZIP64 end record is missing", e);
	if (err)
		return err;
	a->entries = number(record + 32, 8);
	a->directory_size = number(record + 40, 8);
	a->at = number(record + 48, 8);
	return ERR_OK;
}

/* Where the end record begins: the last one whose comment reaches exactly to the end of the file. */
static enum err find_end(struct archive *a, uint64_t *ret_end, unsigned char ret[END_SIZE], struct errinfo *e)
{
	size_t n = a->size < END_SIZE + LONGEST_COMMENT ? (size_t)a->size : END_SIZE + LONGEST_COMMENT;
	unsigned char *tail = malloc(n + 1);
	if (!tail)
		return err_set(e, ERR_MEMORY, "%s: out of memory", a->path);
	enum err err = read_at(a, a->size - n, tail, n, e);
	size_t i = n < END_SIZE ? 0 : n - END_SIZE + 1;
	bool found = false;
	while (!err && !found && i-- > 0)
		found = is_record(tail + i, 5, 6) && i + END_SIZE + number(tail + i + 20, 2) == n;
	if (!err && !found)
		err = damaged(a, "it has no end record (truncated?)", e);
	if (!err) {
		*ret_end = a->size - n + i;
		memcpy(ret, tail + i, END_SIZE);
	}
	free(tail);
	return err;
}

static enum err read_directory(struct archive *a, struct errinfo *e)
{
	uint64_t end = 0;
	unsigned char record[END_SIZE];
	enum err err = find_end(a, &end, record, e);
	if (err)
		return err;
	a->entries = number(record + 10, 2);
	a->directory_size = number(record + 12, 4);
	a->at = number(record + 16, 4);
	if (a->entries == 0xffff || a->directory_size == 0xffffffff || a->at == 0xffffffff)
		err = read_end64(a, end, e);
	if (err)
		return err;
	if (a->at > end || a->directory_size > end - a->at)
		return damaged(a, "its directory lies outside the file", e);
	if (a->directory_size > LARGEST_DIRECTORY)
		return err_set(e, ERR_LIMIT, "%s: has a directory of %llu bytes, expected at most %d", a->path,
			(unsigned long long)a->directory_size, LARGEST_DIRECTORY);
	a->directory = malloc((size_t)a->directory_size + 1);
	if (!a->directory)
		return err_set(e, ERR_MEMORY, "%s: out of memory", a->path);
	return read_at(a, a->at, a->directory, (size_t)a->directory_size, e);
}

/* Fields that are full in the entry stand in its ZIP64 extra field, in this order. */
static bool widen(const unsigned char *extra, size_t len, struct zip_member *m)
{
	uint64_t *fields[] = { &m->size, &m->stored, &m->offset };
	while (len >= 4) {
		size_t n = (size_t)number(extra + 2, 2);
		if (n > len - 4)
			return false;
		if (number(extra, 2) == ZIP64_EXTRA) {
			const unsigned char *p = extra + 4;
			for (int i = 0; i < 3; i++) {
				if (*fields[i] != 0xffffffff)
					continue;
				if (n < 8)
					return false;
				*fields[i] = number(p, 8);
				p += 8;
				n -= 8;
			}
			return true;
		}
		extra += 4 + n;
		len -= 4 + n;
	}
	return m->size != 0xffffffff && m->stored != 0xffffffff && m->offset != 0xffffffff;
}

/* From the entry's header offset to where its bytes begin. */
static enum err locate(const struct archive *a, const char *name, struct zip_member *m, struct errinfo *e)
{
	unsigned char local[LOCAL_SIZE];
	enum err err = read_at(a, m->offset, local, sizeof local, e);
	if (err)
		return err_wrap(e, "'%.80s'", name);
	if (!is_record(local, 3, 4))
		return err_set(e, ERR_INPUT, "%s: '%.80s' does not begin where the directory says", a->path, name);
	uint64_t data = m->offset + LOCAL_SIZE + number(local + 26, 2) + number(local + 28, 2);
	if (data > a->at || m->stored > a->at - data)
		return err_set(e, ERR_INPUT,
			"%s: '%.80s' claims %llu stored bytes, which would reach past the archive's directory",
			a->path, name, (unsigned long long)m->stored);
	m->offset = data;
	return ERR_OK;
}

static enum err check_member(const struct archive *a, const char *name, unsigned flags, unsigned method,
	struct zip_member *m, struct errinfo *e)
{
	if (flags & ENCRYPTED)
		return err_set(e, ERR_INPUT, "%s: '%.80s' is encrypted", a->path, name);
	if (method != STORED && method != DEFLATED)
		return err_set(e, ERR_INPUT,
			"%s: '%.80s' is compressed by method %u, expected 0 (stored) or 8 (deflated)", a->path, name,
			method);
	m->deflated = method == DEFLATED;
	if (m->deflated ? m->size / STREAM_MOST_EXPANSION > m->stored : m->size != m->stored)
		return err_set(e, ERR_INPUT, "%s: '%.80s' claims %llu bytes, which %llu stored ones can't hold",
			a->path, name, (unsigned long long)m->size, (unsigned long long)m->stored);
	return locate(a, name, m, e);
}

/* "x_train.npy, y_train.npy": what there is instead. */
static void list_name(char text[NAMES_TEXT], const unsigned char *name, size_t len)
{
	size_t used = strlen(text);
	if (used + len + 8 > NAMES_TEXT)
		return;
	snprintf(text + used, NAMES_TEXT - used, "%s%.*s", used ? ", " : "", (int)len, (const char *)name);
}

static enum err find_entry(const struct archive *a, const char *name, struct zip_member *ret, struct errinfo *e)
{
	const unsigned char *p = a->directory, *end = p + a->directory_size;
	size_t wanted = strlen(name);
	char names[NAMES_TEXT] = "";
	bool found = false;
	for (uint64_t i = 0; i < a->entries; i++) {
		if (end - p < ENTRY_SIZE || !is_record(p, 1, 2))
			return damaged(a, "its directory is cut off", e);
		size_t len = (size_t)number(p + 28, 2), extra = (size_t)number(p + 30, 2);
		size_t whole = ENTRY_SIZE + len + extra + (size_t)number(p + 32, 2);
		if ((size_t)(end - p) < whole)
			return damaged(a, "its directory is cut off", e);
		list_name(names, p + ENTRY_SIZE, len);
		if (len == wanted && !memcmp(p + ENTRY_SIZE, name, len)) {
			struct zip_member m = { .offset = number(p + 42, 4), .stored = number(p + 20, 4),
				.size = number(p + 24, 4), .sum = (uint32_t)number(p + 16, 4) };
			if (found)
				return err_set(e, ERR_INPUT, "%s: has two members named '%.80s'", a->path, name);
			if (!widen(p + ENTRY_SIZE + len, extra, &m))
				return err_set(e, ERR_INPUT, "%s: '%.80s' has a damaged extra field", a->path, name);
			enum err err = check_member(a, name, (unsigned)number(p + 8, 2), (unsigned)number(p + 10, 2),
				&m, e);
			if (err)
				return err;
			*ret = m;
			found = true;
		}
		p += whole;
	}
	return found ? ERR_OK
		     : err_set(e, ERR_INPUT, "%s: has no '%.80s', only: %s", a->path, name, *names ? names : "nothing");
}

enum err zip_find(int fd, const char *path, const char *name, struct zip_member *ret, struct errinfo *e)
{
	struct stat st;
	struct archive a = { .fd = fd, .path = path };
	if (fstat(fd, &st))
		return err_errno(e, "%s", path);
	a.size = (uint64_t)st.st_size;
	enum err err = read_directory(&a, e);
	if (!err)
		err = find_entry(&a, name, ret, e);
	free(a.directory);
	return err;
}
