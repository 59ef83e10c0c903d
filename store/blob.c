/* blob.c -- immutable files named by their SHA-256: models and data.
 * SPDX-License-Identifier: MIT
 *
 * Order of a write: bytes to blobs/incoming/, fsync of the file, rename to its name, fsync of the folders, row. A crash
 * in between leaves a file without a row, which the next upload of the same bytes replaces; never a row without a file.
 */
#include "store/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "store/statement.h"

struct blob_writer {
	struct store *store;
	struct digest *digest;
	int fd;
	int64_t size, limit;
	struct errinfo failed; /* the first failure: later calls repeat it */
	char name[DIGEST_HEX + 1];
	char path[PATH_MAX]; /* of the temporary file */
};

/* A file or folder of ours that is missing is no "not found" to whoever asked for something else. */
static enum err io_failure(const char *subject, struct errinfo *e)
{
	return err_set(e, ERR_IO, "%s: %s", subject, strerror(errno));
}

static enum err path_of(const char *directory, const char *digest, char ret[PATH_MAX], struct errinfo *e)
{
	if (snprintf(ret, PATH_MAX, "%s/blobs/%.2s/%s", directory, digest, digest) >= PATH_MAX)
		return err_set(e, ERR_INPUT, "%.200s...: the path is too long", directory);
	return ERR_OK;
}

static enum err clear_folder(const char *path, struct errinfo *e)
{
	DIR *d = opendir(path);
	if (!d)
		return io_failure(path, e);
	enum err err = ERR_OK;
	for (struct dirent *entry; !err && (entry = readdir(d));)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && unlinkat(dirfd(d), entry->d_name, 0))
			err = err_errno(e, "%s/%s", path, entry->d_name);
	closedir(d);
	return err;
}

enum err blob_prepare(const char *directory, struct errinfo *e)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof path, "%s/blobs/incoming", directory) >= PATH_MAX)
		return err_set(e, ERR_INPUT, "%.200s...: the path is too long", directory);
	enum err err = file_make_directory(path, e);
	return err ? err : clear_folder(path, e);
}

static enum err check_digest(const char *digest, struct errinfo *e)
{
	if (digest_valid(digest))
		return ERR_OK;
	return err_set(
		e, ERR_INPUT, "digest: is '%.80s', expected 64 lower-case hexadecimal digits", digest ? digest : "");
}

enum err blob_begin(struct store *s, const char *digest, int64_t limit, struct blob_writer **ret, struct errinfo *e)
{
	enum err err = check_digest(digest, e);
	if (err)
		return err;
	struct blob_writer *w = calloc(1, sizeof *w);
	if (!w)
		return err_set(e, ERR_MEMORY, "out of memory");
	w->store = s;
	w->limit = limit;
	w->fd = -1;
	memcpy(w->name, digest, sizeof w->name);
	w->digest = digest_new();
	if (!w->digest)
		err = err_set(e, ERR_MEMORY, "out of memory");
	else if (snprintf(w->path, sizeof w->path, "%s/blobs/incoming/XXXXXX", s->directory) >= PATH_MAX)
		err = err_set(e, ERR_INPUT, "%.200s...: the path is too long", s->directory);
	else if ((w->fd = mkostemp(w->path, O_CLOEXEC)) < 0)
		err = io_failure(w->path, e);
	if (err)
		blob_abort(w);
	else
		*ret = w;
	return err;
}

void blob_abort(struct blob_writer *w)
{
	if (!w)
		return;
	if (w->fd >= 0) {
		close(w->fd);
		unlink(w->path);
	}
	digest_free(w->digest);
	free(w);
}

static enum err repeat(const struct errinfo *failed, struct errinfo *e)
{
	return failed->code ? err_set(e, failed->code, "%s", failed->msg) : ERR_OK;
}

static enum err write_all(struct blob_writer *w, const void *data, size_t len)
{
	if ((uint64_t)w->size + len > (uint64_t)w->limit)
		return err_set(
			&w->failed, ERR_LIMIT, "blob %s: is larger than %lld bytes", w->name, (long long)w->limit);
	for (size_t done = 0; done < len;) {
		ssize_t n = write(w->fd, (const char *)data + done, len - done);
		if (n < 0 && errno != EINTR)
			return io_failure(w->path, &w->failed);
		if (n > 0)
			done += (size_t)n;
	}
	digest_update(w->digest, data, len);
	w->size += (int64_t)len;
	return ERR_OK;
}

enum err blob_write(struct blob_writer *w, const void *data, size_t len, struct errinfo *e)
{
	if (w->failed.code || write_all(w, data, len))
		return repeat(&w->failed, e);
	return ERR_OK;
}

static enum err sync_folder(const char *path, struct errinfo *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return io_failure(path, e);
	enum err err = fsync(fd) ? io_failure(path, e) : ERR_OK;
	close(fd);
	return err;
}

/* The file under its own name, for good. The folder's name is synced too: it may be new. */
static enum err keep(struct blob_writer *w, struct errinfo *e)
{
	char path[PATH_MAX];
	enum err err = path_of(w->store->directory, w->name, path, e);
	if (err)
		return err;
	if (fchmod(w->fd, 0440) || fsync(w->fd))
		return io_failure(w->path, e);
	char *slash = strrchr(path, '/');
	*slash = '\0';
	err = file_make_directory(path, e);
	*slash = '/';
	if (err)
		return err;
	if (rename(w->path, path))
		return io_failure(path, e);
	close(w->fd);
	w->fd = -1;
	for (int level = 0; !err && level < 2; level++) {
		*strrchr(path, '/') = '\0';
		err = sync_folder(path, e);
	}
	return err;
}

static enum err insert(struct store *s, const char *digest, int64_t size, int64_t now, struct errinfo *e)
{
	static const char sql[] = "INSERT INTO blob(digest, size, created) VALUES (?, ?, ?)";
	struct statement st;
	enum err err = statement_begin_write(s, sql, &st, e);
	if (err)
		return err;
	bind_text(&st, digest);
	bind_int(&st, size);
	bind_int(&st, now);
	return statement_run(&st, "blob", NULL, e);
}

/* ERR_NOT_FOUND when there is no such row. */
static enum err size_of(struct store *s, const char *digest, int64_t *ret, struct errinfo *e)
{
	static const char sql[] = "SELECT size FROM blob WHERE digest = ?";
	struct statement st;
	bool row;
	enum err err = check_digest(digest, e);
	if (!err)
		err = statement_begin(s, sql, &st, e);
	if (err)
		return err;
	bind_text(&st, digest);
	err = statement_step(&st, "blob", &row, e);
	if (!err && !row)
		err = err_set(e, ERR_NOT_FOUND, "there is no blob %s", digest);
	if (!err)
		*ret = take_int(&st);
	enum err ended = statement_end(&st, err ? NULL : e);
	return err ? err : ended;
}

/* A known blob's file is replaced by the same bytes: that mends one that was lost or damaged on disk. */
static enum err finish(struct blob_writer *w, int64_t now, bool *ret_new, struct errinfo *e)
{
	char hex[DIGEST_HEX + 1];
	bool known;
	enum err err = repeat(&w->failed, e);
	if (err)
		return err;
	digest_final(w->digest, hex);
	if (strcmp(hex, w->name))
		return err_set(e, ERR_INPUT, "digest: is %s, but the %lld bytes sent have %s", w->name,
			(long long)w->size, hex);
	err = blob_exists(w->store, hex, &known, e);
	if (!err)
		err = keep(w, e);
	if (!err && !known)
		err = insert(w->store, hex, w->size, now, e);
	if (!err)
		*ret_new = !known;
	return err;
}

enum err blob_finish(struct blob_writer *w, int64_t now, bool *ret_new, struct errinfo *e)
{
	enum err err = finish(w, now, ret_new, e);
	blob_abort(w);
	return err;
}

enum err blob_exists(struct store *s, const char *digest, bool *ret, struct errinfo *e)
{
	int64_t size;
	enum err err = size_of(s, digest, &size, e);
	if (err && err != ERR_NOT_FOUND)
		return err;
	*ret = !err;
	return ERR_OK;
}

enum err blob_open(struct store *s, const char *digest, int *ret_fd, int64_t *ret_size, struct errinfo *e)
{
	char path[PATH_MAX];
	int64_t size;
	enum err err = size_of(s, digest, &size, e);
	if (!err)
		err = path_of(s->directory, digest, path, e);
	if (err)
		return err;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		err = io_failure(path, e);
	} else if (st.st_size != size) {
		err = err_set(
			e, ERR_IO, "%s: has %lld bytes, expected %lld", path, (long long)st.st_size, (long long)size);
	} else {
		*ret_fd = fd;
		*ret_size = size;
		return ERR_OK;
	}
	if (fd >= 0)
		close(fd);
	return err;
}
