/* file.c -- whole files, read with a bound and written so that a reader never sees half of one.
 * SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for what a regular file holds now and one byte more, which finds its end; what is no file starts small. */
static size_t first_capacity(FILE *f, size_t most)
{
	struct stat st;
	size_t least = 65536;
	if (fstat(fileno(f), &st) || !S_ISREG(st.st_mode) || st.st_size < (off_t)least)
		return least;
	return (uintmax_t)st.st_size > most ? most + 1 : (size_t)st.st_size + 1;
}

static enum err read_all(FILE *f, const char *path, size_t most, char **ret, size_t *ret_len, struct errinfo *e)
{
	size_t len = 0, capacity = first_capacity(f, most);
	char *data = malloc(capacity + 1);
	while (data) {
		len += fread(data + len, 1, capacity - len, f);
		if (len > most) {
			free(data);
			return err_set(e, ERR_LIMIT, "%s: is larger than %zu bytes", path, most);
		}
		if (len < capacity)
			break;
		capacity *= 2;
		char *grown = realloc(data, capacity + 1);
		if (!grown)
			free(data);
		data = grown;
	}
	if (!data)
		return err_set(e, ERR_MEMORY, "%s: out of memory", path);
	if (ferror(f)) {
		free(data);
		return err_errno(e, "%s", path);
	}
	data[len] = '\0';
	*ret = data;
	*ret_len = len;
	return ERR_OK;
}

enum err file_read(const char *path, size_t most, char **ret, size_t *ret_len, struct errinfo *e)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return err_errno(e, "%s", path);
	enum err err = read_all(f, path, most, ret, ret_len, e);
	fclose(f);
	return err;
}

/* Maps what is worth it; *ret is untouched otherwise. */
static enum err map_large(const char *path, size_t most, struct file_bytes *ret, struct errinfo *e)
{
	const off_t large = (off_t)16 << 20;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_errno(e, "%s", path);
	enum err err = ERR_OK;
	bool worth = !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size >= large;
	if (worth && (uintmax_t)st.st_size > most)
		err = err_set(e, ERR_LIMIT, "%s: is larger than %zu bytes", path, most);
	void *data =
		worth && !err ? mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	close(fd);
	if (data == MAP_FAILED)
		return err;
	madvise(data, (size_t)st.st_size, MADV_POPULATE_READ);
	*ret = (struct file_bytes){ data, (size_t)st.st_size, true };
	return ERR_OK;
}

enum err file_bytes_open(const char *path, size_t most, struct file_bytes *ret, struct errinfo *e)
{
	struct file_bytes b = { 0 };
	char *data = NULL;
	enum err err = map_large(path, most, &b, e);
	if (!err && !b.mapped) {
		err = file_read(path, most, &data, &b.len, e);
		b.data = (unsigned char *)data;
	}
	if (!err)
		*ret = b;
	return err;
}

void file_bytes_close(struct file_bytes *b)
{
	if (b->mapped)
		munmap(b->data, b->len);
	else
		free(b->data);
	*b = (struct file_bytes){ 0 };
}

static const char *kind_of(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a directory";
	if (S_ISFIFO(mode))
		return "a FIFO";
	return S_ISSOCK(mode) ? "a socket" : "a device";
}

enum err file_target(const char *path, char ret[PATH_MAX], struct errinfo *e)
{
	struct stat st, own;
	size_t len = strlen(path);
	if (len >= PATH_MAX)
		return err_set(e, ERR_INPUT, "%.200s...: the path is too long", path);
	bool missing = stat(path, &st) != 0;
	if (missing && errno != ENOENT)
		return err_errno(e, "%s", path);
	bool link = !lstat(path, &own) && S_ISLNK(own.st_mode);
	if (missing && link)
		return err_set(e, ERR_INPUT, "%s: is a link to a file that does not exist", path);
	if (!missing && !S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, "%s: is %s, expected a regular file", path, kind_of(st.st_mode));
	if (link)
		return realpath(path, ret) ? ERR_OK : err_errno(e, "%s", path);
	memcpy(ret, path, len + 1);
	return ERR_OK;
}

enum err file_write(const char *path, const void *data, size_t len, struct errinfo *e)
{
	char target[PATH_MAX], temporary[PATH_MAX];
	enum err err = file_target(path, target, e);
	if (err)
		return err;
	int n = snprintf(temporary, sizeof temporary, "%s.XXXXXX", target);
	if (n < 0 || (size_t)n >= sizeof temporary)
		return err_set(e, ERR_INPUT, "%.200s...: the path is too long", path);
	int fd = mkstemp(temporary);
	if (fd < 0)
		return err_errno(e, "%s", path);
	mode_t mask = umask(0);
	umask(mask);
	size_t done = 0;
	while (done < len) {
		ssize_t wrote = write(fd, (const char *)data + done, len - done);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			break;
		done += (size_t)wrote;
	}
	int failed = done < len || fchmod(fd, 0666 & ~mask) || fsync(fd);
	failed = close(fd) || failed;
	if (failed || rename(temporary, target)) {
		err = err_errno(e, "%s", path);
		unlink(temporary);
		return err;
	}
	return ERR_OK;
}

static bool is_directory(const char *path)
{
	struct stat st;
	if (stat(path, &st))
		return false;
	errno = ENOTDIR;
	return S_ISDIR(st.st_mode);
}

enum err file_make_directory(const char *path, struct errinfo *e)
{
	char part[PATH_MAX];
	size_t len = strlen(path);
	if (len == 0 || len >= sizeof part)
		return err_set(e, ERR_INPUT, "'%.200s': not a usable directory path", path);
	memcpy(part, path, len + 1);
	for (char *p = part + 1;; p++) {
		if (*p != '/' && *p != '\0')
			continue;
		char kept = *p;
		*p = '\0';
		if (mkdir(part, 0750) && !(errno == EEXIST && is_directory(part)))
			return err_errno(e, "%s", part);
		*p = kept;
		if (!kept)
			return ERR_OK;
	}
}
