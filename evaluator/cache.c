/* cache.c -- blobs that a worker fetched, kept in a directory for the next trial.
 * SPDX-License-Identifier: MIT
 *
 * In use means: this process has the file open with LOCK_SH. Whoever wants to remove a file needs LOCK_EX first,
 * without waiting. As a file can be removed between open and flock, the name is looked at again under the
 * lock. Temporary names are "tmp-PID-NAME~SUFFIX"; '~' is not allowed in worker names, so no name is the beginning
 * of another. The time of last use is the file's atime, set by hand; its mtime tells when bytes were changed. */
#include "evaluator/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"

enum { MOST_IN_USE = 64, MOST_ATTEMPTS = 8 };

static const char DECODED[] = ".data"; /* behind the key */

/* A blob of which this process knows that the bytes are right, as long as the name leads to this inode. */
struct known {
	char digest[DIGEST_HEX + 1];
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct cache {
	char *dir, *name;
	uint64_t most;
	int held[MOST_IN_USE]; /* descriptors with a shared lock */
	int nheld;
	struct known *known;
	size_t nknown;
};

static enum err join(const struct cache *c, const char *name, char ret[CACHE_PATH], struct errinfo *e)
{
	if ((size_t)snprintf(ret, CACHE_PATH, "%s/%s", c->dir, name) >= CACHE_PATH)
		return err_set(e, ERR_INPUT, "%.200s...: the path is too long", c->dir);
	return ERR_OK;
}

enum err cache_temporary(const struct cache *c, const char *suffix, char ret_path[CACHE_PATH], struct errinfo *e)
{
	char name[256];
	snprintf(name, sizeof name, "tmp-%ld-%s~%s", (long)getpid(), c->name, suffix);
	return join(c, name, ret_path, e);
}

/* Whether the file was made by a process of this worker's name that is no more, or by this one. At the start this
 * one has made none yet: then its own id means that it executed itself again. */
static bool is_leftover(const struct cache *c, const char *file)
{
	char *end;
	if (strncmp(file, "tmp-", 4))
		return false;
	long pid = strtol(file + 4, &end, 10);
	size_t len = strlen(c->name);
	if (pid <= 0 || *end != '-' || strncmp(end + 1, c->name, len) || end[1 + len] != '~')
		return false;
	return pid == (long)getpid() || (kill((pid_t)pid, 0) && errno == ESRCH);
}

enum err cache_prepare(const struct cache *c, struct errinfo *e)
{
	return file_make_directory(c->dir, e);
}

void cache_clean(const struct cache *c)
{
	DIR *d = opendir(c->dir);
	if (!d)
		return;
	for (struct dirent *entry; (entry = readdir(d));)
		if (is_leftover(c, entry->d_name))
			unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
}

static bool name_valid(const char *name)
{
	size_t len = strlen(name);
	return len >= 1 && len <= 64 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

enum err cache_open(const char *dir, const char *name, uint64_t most, struct cache **ret, struct errinfo *e)
{
	if (!name_valid(name))
		return err_set(e, ERR_INPUT, "name: is '%.80s', expected 1 to 64 letters, digits, '.', '_' and '-'",
			name);
	enum err err = file_make_directory(dir, e);
	if (err)
		return err;
	struct cache *c = calloc(1, sizeof *c);
	if (!c)
		return err_set(e, ERR_MEMORY, "out of memory");
	c->dir = strdup(dir);
	c->name = strdup(name);
	c->most = most;
	if (!c->dir || !c->name) {
		cache_close(c);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	cache_clean(c);
	*ret = c;
	return ERR_OK;
}

void cache_close(struct cache *c)
{
	if (!c)
		return;
	cache_release(c);
	free(c->known);
	free(c->name);
	free(c->dir);
	free(c);
}

void cache_release(struct cache *c)
{
	while (c->nheld)
		close(c->held[--c->nheld]);
}

/* ---- making room ---- */

struct stored {
	char name[DIGEST_HEX + sizeof DECODED];
	uint64_t size;
	struct timespec used;
};

static int by_last_use(const void *a, const void *b)
{
	const struct timespec *x = &((const struct stored *)a)->used, *y = &((const struct stored *)b)->used;
	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

/* DIGEST, or DIGEST.data. */
static bool is_stored(const char *name)
{
	char digest[DIGEST_HEX + 1];
	size_t len = strlen(name);
	if (len != DIGEST_HEX && (len != DIGEST_HEX + sizeof DECODED - 1 || strcmp(name + DIGEST_HEX, DECODED)))
		return false;
	memcpy(digest, name, DIGEST_HEX);
	digest[DIGEST_HEX] = '\0';
	return digest_valid(digest);
}

/* All blobs and decoded data of the directory, oldest use first. */
static enum err list_stored(const struct cache *c, struct stored **ret, size_t *ret_n, struct errinfo *e)
{
	struct stored *all = NULL;
	size_t n = 0, capacity = 0;
	struct stat st;
	DIR *d = opendir(c->dir);
	if (!d)
		return err_errno(e, "%s", c->dir);
	for (struct dirent *entry; (entry = readdir(d));) {
		if (!is_stored(entry->d_name) || fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (n == capacity) {
			capacity = 2 * capacity + 16;
			struct stored *grown = reallocarray(all, capacity, sizeof *all);
			if (!grown) {
				free(all);
				closedir(d);
				return err_set(e, ERR_MEMORY, "out of memory");
			}
			all = grown;
		}
		memcpy(all[n].name, entry->d_name, strlen(entry->d_name) + 1);
		all[n].size = (uint64_t)st.st_size;
		all[n++].used = st.st_atim;
	}
	closedir(d);
	if (n)
		qsort(all, n, sizeof *all, by_last_use);
	*ret = all;
	*ret_n = n;
	return ERR_OK;
}

/* Removes a file that nobody uses; false when somebody does. */
static bool remove_unused(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT;
	bool removed = !flock(fd, LOCK_EX | LOCK_NB) && !unlink(path);
	close(fd);
	return removed;
}

/* So that `more` bytes may come. */
static enum err make_room(const struct cache *c, uint64_t more, struct errinfo *e)
{
	struct stored *all = NULL;
	size_t n = 0;
	uint64_t total = more;
	char path[CACHE_PATH];
	enum err err = list_stored(c, &all, &n, e);
	for (size_t i = 0; i < n; i++)
		total += all[i].size;
	for (size_t i = 0; i < n && total > c->most; i++)
		if (!join(c, all[i].name, path, NULL) && remove_unused(path))
			total -= all[i].size;
	free(all);
	return err;
}

/* ---- getting ---- */

static enum err download(const struct cache *c, struct http *h, const char *digest, const char *path, struct errinfo *e)
{
	char from[128], to[CACHE_PATH], found[DIGEST_HEX + 1];
	snprintf(from, sizeof from, "/v1/blobs/%s", digest);
	enum err err = cache_temporary(c, digest, to, e);
	if (!err)
		err = http_get_file(h, from, to, e);
	if (err)
		return err;
	err = digest_file(to, found, e);
	if (!err && strcmp(found, digest))
		err = err_set(e, ERR_IO, "blob %s: the daemon sent bytes whose digest is %s", digest, found);
	if (!err && rename(to, path))
		err = err_errno(e, "%s", path);
	if (err)
		unlink(to);
	return err;
}

static struct known *known_of(struct cache *c, const char *digest)
{
	for (size_t i = 0; i < c->nknown; i++)
		if (!strcmp(c->known[i].digest, digest))
			return &c->known[i];
	return NULL;
}

static enum err remember(struct cache *c, const char *digest, const struct stat *st, struct errinfo *e)
{
	struct known *k = known_of(c, digest);
	if (!k) {
		struct known *grown = reallocarray(c->known, c->nknown + 1, sizeof *grown);
		if (!grown)
			return err_set(e, ERR_MEMORY, "out of memory");
		c->known = grown;
		k = &grown[c->nknown++];
		memcpy(k->digest, digest, DIGEST_HEX + 1);
	}
	k->device = st->st_dev;
	k->inode = st->st_ino;
	k->size = st->st_size;
	k->changed = st->st_mtim;
	return ERR_OK;
}

static bool unchanged(const struct known *k, const struct stat *st)
{
	return k->device == st->st_dev && k->inode == st->st_ino && k->size == st->st_size &&
	       k->changed.tv_sec == st->st_mtim.tv_sec && k->changed.tv_nsec == st->st_mtim.tv_nsec;
}

/* Under the lock: *ret_right when the file at path is the blob, otherwise it was removed. */
static enum err check(struct cache *c, const char *digest, const char *path, const struct stat *st, bool *ret_right,
	struct errinfo *e)
{
	char found[DIGEST_HEX + 1];
	const struct known *k = known_of(c, digest);
	*ret_right = true;
	if (k && unchanged(k, st))
		return ERR_OK;
	enum err err = digest_file(path, found, e);
	if (err)
		return err;
	if (!strcmp(found, digest))
		return remember(c, digest, st, e);
	*ret_right = false;
	return unlink(path) && errno != ENOENT ? err_errno(e, "%s", path) : ERR_OK;
}

/* Waits only for somebody who is just removing the file. */
static bool lock_shared(int fd)
{
	while (flock(fd, LOCK_SH))
		if (errno != EINTR)
			return false;
	return true;
}

/* By the exact clock: UTIME_NOW is the time of the last tick, the same for several blobs. */
static void mark_used(int fd)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	futimens(fd, (struct timespec[]){ now, { .tv_nsec = UTIME_OMIT } });
}

/* Opens, locks and checks what is there. *ret_fd is -1 when it is missing, was removed meanwhile or was wrong. */
static enum err hold(struct cache *c, const char *digest, const char *path, int *ret_fd, struct errinfo *e)
{
	struct stat mine, named;
	bool right = false;
	enum err err = ERR_OK;
	*ret_fd = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? ERR_OK : err_errno(e, "%s", path);
	if (!lock_shared(fd) || fstat(fd, &mine))
		err = err_errno(e, "%s", path);
	else if (!stat(path, &named) && named.st_ino == mine.st_ino && named.st_dev == mine.st_dev)
		err = check(c, digest, path, &mine, &right, e);
	if (err || !right) {
		close(fd);
		return err;
	}
	mark_used(fd);
	*ret_fd = fd;
	return ERR_OK;
}

enum err cache_get(struct cache *c, struct http *h, const char *digest, char ret_path[CACHE_PATH], struct errinfo *e)
{
	char path[CACHE_PATH];
	int fd = -1;
	if (!digest_valid(digest))
		return err_set(e, ERR_INPUT, "'%.80s': not a digest, expected 64 hexadecimal digits", digest);
	if (c->nheld == MOST_IN_USE)
		return err_set(e, ERR_LIMIT, "blob %s: is one more than the %d that a trial may use", digest,
			MOST_IN_USE);
	enum err err = join(c, digest, path, e);
	if (!err)
		err = hold(c, digest, path, &fd, e);
	/* A blob can vanish again between its arrival and its lock, though hardly twice. */
	for (int i = 0; i < MOST_ATTEMPTS && !err && fd < 0; i++) {
		err = download(c, h, digest, path, e);
		if (!err)
			err = hold(c, digest, path, &fd, e);
	}
	if (err)
		return err;
	if (fd < 0)
		return err_set(e, ERR_IO, "%s: is removed or changed again and again by somebody else", path);
	c->held[c->nheld++] = fd;
	memcpy(ret_path, path, sizeof path);
	return make_room(c, 0, e);
}

/* ---- decoded data ---- */

static enum err place(const char *key, struct shelf_place *ret, void *arg, struct errinfo *e)
{
	char name[DIGEST_HEX + sizeof DECODED];
	const struct cache *c = arg;
	snprintf(name, sizeof name, "%s%s", key, DECODED);
	enum err err = join(c, name, ret->path, e);
	if (!err)
		err = cache_temporary(c, key, ret->temporary, e);
	if (!err)
		err = join(c, "decode.lock", ret->lock, e);
	return err;
}

/* What can't be removed is in use: then the cache is larger for a while. */
static void make_room_for(uint64_t bytes, void *arg)
{
	(void)make_room(arg, bytes, NULL);
}

struct shelf cache_shelf(struct cache *c)
{
	return (struct shelf){ place, make_room_for, c };
}
