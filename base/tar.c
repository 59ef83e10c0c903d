/* tar.c -- a folder of pictures as one file, a POSIX ustar archive.
 * SPDX-License-Identifier: MIT
 *
 * A header is a block of 512 bytes, numbers in octal text; an entry's bytes follow, filled up to a whole block; two
 * blocks of zeros end the archive (POSIX.1, pax, "ustar Interchange Format"). */
#include "base/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 512, COPY = 65536, LONGEST_PATH = 4096 };

struct header {
	char name[100], mode[8], owner[8], group[8], size[12], time[12], sum[8], type, link[100];
	char magic[6], version[2], owner_name[32], group_name[32], major[8], minor[8], prefix[155], unused[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

/* The sum of a header's bytes, its own field counted as blanks. */
static unsigned sum_of(const struct header *h)
{
	unsigned sum = 0;
	struct header copy = *h;
	memset(copy.sum, ' ', sizeof copy.sum);
	for (size_t i = 0; i < sizeof copy; i++)
		sum += ((const unsigned char *)&copy)[i];
	return sum;
}

static uint64_t padding(uint64_t size)
{
	return (BLOCK - size % BLOCK) % BLOCK;
}

/* ---- writing ---- */

static enum err write_all(int fd, const void *data, size_t len, struct errinfo *e)
{
	for (size_t done = 0; done < len;) {
		ssize_t part = write(fd, (const char *)data + done, len - done);
		if (part < 0 && errno != EINTR)
			return err_errno(e, "writing an archive");
		if (part > 0)
			done += (size_t)part;
	}
	return ERR_OK;
}

/* A long name goes partly into the prefix, up to a slash. */
static bool put_name(struct header *h, const char *name)
{
	size_t len = strlen(name);
	if (len <= sizeof h->name) {
		memcpy(h->name, name, len);
		return true;
	}
	const char *slash = strchr(name + len - sizeof h->name - 1, '/');
	size_t before = slash ? (size_t)(slash - name) : 0;
	if (!slash || before > sizeof h->prefix || !slash[1])
		return false;
	memcpy(h->prefix, name, before);
	memcpy(h->name, slash + 1, len - before - 1);
	return true;
}

static enum err write_header(const struct tree_file *f, const char *folder, int fd, struct errinfo *e)
{
	struct header h = { .mode = "0000644", .owner = "0000000", .group = "0000000", .time = "00000000000",
		.type = '0', .magic = "ustar", .version = { '0', '0' } };
	if (!put_name(&h, f->name))
		return err_set(e, ERR_INPUT, "%s: the name '%s' is too long for an archive", folder, f->name);
	snprintf(h.size, sizeof h.size, "%011llo", (unsigned long long)f->size);
	snprintf(h.sum, sizeof h.sum, "%06o", sum_of(&h));
	h.sum[7] = ' ';
	return write_all(fd, &h, sizeof h, e);
}

static enum err copy_bytes(int from, const char *path, int64_t size, int to, struct errinfo *e)
{
	static const char zeros[BLOCK];
	char bytes[COPY];
	int64_t left = size;
	while (left > 0) {
		ssize_t part = read(from, bytes, left < COPY ? (size_t)left : COPY);
		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return err_errno(e, "%s", path);
		if (part == 0)
			return err_set(e, ERR_INPUT, "%s: became shorter while it was read", path);
		enum err err = write_all(to, bytes, (size_t)part, e);
		if (err)
			return err;
		left -= part;
	}
	return write_all(to, zeros, (size_t)padding((uint64_t)size), e);
}

static enum err write_file(const struct tree_file *f, const char *folder, int fd, struct errinfo *e)
{
	char path[LONGEST_PATH];
	if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, f->name) >= sizeof path)
		return err_set(e, ERR_INPUT, "%.200s...: the path is too long", folder);
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (from < 0)
		return err_errno(e, "%s", path);
	enum err err = write_header(f, folder, fd, e);
	if (!err)
		err = copy_bytes(from, path, f->size, fd, e);
	close(from);
	return err;
}

enum err tar_write(const struct tree *tree, const char *folder, int fd, struct errinfo *e)
{
	static const char end[2 * BLOCK];
	for (size_t i = 0; i < tree->count; i++) {
		enum err err = write_file(&tree->files[i], folder, fd, e);
		if (err)
			return err;
	}
	return write_all(fd, end, sizeof end, e);
}

/* ---- reading ---- */

/* Octal digits, blanks around them. */
static bool octal(const char *text, size_t len, uint64_t *ret)
{
	uint64_t x = 0;
	size_t i = 0, digits = 0;
	while (i < len && text[i] == ' ')
		i++;
	for (; i < len && text[i] >= '0' && text[i] <= '7'; i++, digits++)
		x = x << 3 | (uint64_t)(text[i] - '0');
	*ret = x;
	return digits && (i == len || text[i] == '\0' || text[i] == ' ');
}

/* "prefix/name" without a "./" in front and slashes behind; the prefix is of POSIX's form only, not of GNU's. */
static void full_name(const struct header *h, char ret[TREE_LONGEST_NAME + 2])
{
	bool posix = !memcmp(h->magic, "ustar", 6);
	int before = posix ? (int)strnlen(h->prefix, sizeof h->prefix) : 0;
	char text[TREE_LONGEST_NAME + 2];
	snprintf(text, sizeof text, "%.*s%s%.*s", before, h->prefix, before ? "/" : "", (int)sizeof h->name, h->name);
	const char *name = strncmp(text, "./", 2) ? text : text + 2;
	size_t len = strlen(name);
	while (len > 1 && name[len - 1] == '/')
		len--;
	memcpy(ret, name, len);
	ret[len] = '\0';
}

static enum err add_entry(struct tree *t, const char *path, const struct header *h, uint64_t size, uint64_t offset,
	struct errinfo *e)
{
	char name[TREE_LONGEST_NAME + 2];
	full_name(h, name);
	if (h->type == '1' || h->type == '2')
		return err_set(e, ERR_INPUT, "%s: '%.200s' is a link, expected files and folders only", path, name);
	if (h->type == '5')
		return !*name || !strcmp(name, ".") ? ERR_OK : tree_add_folder(t, path, name, e);
	if (h->type != '0' && h->type != '\0')
		return err_set(e, ERR_INPUT,
			"%s: '%.100s' is an entry of type 0x%02x, expected files and folders only (tar --format=ustar)",
			path, name, (unsigned char)h->type);
	return tree_add(t, path, name, (int64_t)size, offset, e);
}

static enum err read_block(int fd, const char *path, uint64_t at, uint64_t end, struct header *ret, struct errinfo *e)
{
	if (end - at < BLOCK)
		return err_set(e, ERR_INPUT, "%s: ends at byte %llu without a tar archive's end (truncated)", path,
			(unsigned long long)end);
	ssize_t got;
	do
		got = pread(fd, ret, BLOCK, (off_t)at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_errno(e, "%s", path);
	return got == BLOCK ? ERR_OK : err_set(e, ERR_INPUT, "%s: became shorter while it was read", path);
}

static bool is_zero(const struct header *h)
{
	static const struct header zero;
	return !memcmp(h, &zero, sizeof zero);
}

static enum err check_header(const struct header *h, const char *path, uint64_t at, uint64_t end, uint64_t *ret_size,
	struct errinfo *e)
{
	uint64_t sum;
	if (memcmp(h->magic, "ustar", 5) || !octal(h->sum, sizeof h->sum, &sum) || sum != sum_of(h))
		return err_set(e, ERR_INPUT, "%s: has no tar header at byte %llu, expected a ustar archive", path,
			(unsigned long long)at);
	if (!octal(h->size, sizeof h->size, ret_size))
		return err_set(e, ERR_INPUT, "%s: '%.100s' has a size that is no octal number", path, h->name);
	if (*ret_size > end - at - BLOCK)
		return err_set(e, ERR_INPUT, "%s: '%.100s' claims %llu bytes, %llu are left (truncated)", path, h->name,
			(unsigned long long)*ret_size, (unsigned long long)(end - at - BLOCK));
	return ERR_OK;
}

static enum err read_entries(int fd, const char *path, uint64_t end, struct tree *t, struct errinfo *e)
{
	struct header h;
	uint64_t size = 0;
	for (uint64_t at = 0;; at += BLOCK + size + padding(size)) {
		enum err err = at > end ? err_set(e, ERR_INPUT, "%s: ends within its last entry (truncated)", path)
					: read_block(fd, path, at, end, &h, e);
		if (!err && is_zero(&h))
			return ERR_OK;
		if (!err)
			err = check_header(&h, path, at, end, &size, e);
		if (!err)
			err = add_entry(t, path, &h, size, at + BLOCK, e);
		if (err)
			return err;
	}
}

enum err tar_read(int fd, const char *path, struct tree *ret, struct errinfo *e)
{
	struct stat st;
	struct tree t = { 0 };
	if (fstat(fd, &st))
		return err_errno(e, "%s", path);
	enum err err = read_entries(fd, path, (uint64_t)st.st_size, &t, e);
	if (!err)
		err = tree_finish(&t, path, e);
	if (err)
		tree_fini(&t);
	else
		*ret = t;
	return err;
}
