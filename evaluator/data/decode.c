/* decode.c -- a data set decoded once a machine.
 * SPDX-License-Identifier: MIT
 *
 *     open -- there, header right --------------------------------> map, read-only
 *       '---- missing or wrong --> lock --> look again --> make --> rename --^
 *
 * The lock is a byte of a file that is never removed, at an offset given by the key: locks of different data don't
 * meet, and a worker that dies drops its own (open file description lock, fcntl(2)). */
#include "evaluator/data/decode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "evaluator/data/dataset.h"
#include "evaluator/data/loader.h"

enum { HEAD_SIZE = 4096, ALIGNMENT = 64, WAIT_MS = 50, BOOT = 40 };

static const uint64_t LARGEST = 64ULL << 30;
static const char MAGIC[16] = "pared data 1";

struct head {
	char magic[16], key[DIGEST_HEX + 1], boot[BOOT];
	uint64_t size; /* of the file */
	uint64_t count;
	int64_t channels, height, width;
	uint32_t floats, classes;
};

/* ---- the key ---- */

static void add_text(struct digest *d, const char *text)
{
	digest_update(d, text, strlen(text) + 1);
}

static void add_set(struct digest *d, const struct dataspec_set *s)
{
	for (int i = 0; i < s->file_count; i++)
		add_text(d, s->files[i].name);
	if (s->images_key) {
		add_text(d, s->images_key);
		add_text(d, s->labels_key);
	}
	add_text(d, "");
}

enum err decode_key(const struct dataspec *spec, enum data_role role, char ret[DIGEST_HEX + 1], struct errinfo *e)
{
	char numbers[160];
	struct digest *d = digest_new();
	if (!d)
		return err_set(e, ERR_MEMORY, "out of memory");
	snprintf(numbers, sizeof numbers, "%d %lld %lld %lld %lld", spec->channels_first, (long long)spec->height,
		(long long)spec->width, (long long)spec->resize, (long long)spec->channels);
	add_text(d, MAGIC);
	add_text(d, data_format_name(spec->format));
	add_text(d, numbers);
	add_set(d, &spec->sets[role]);
	if (spec->format == DATA_FOLDER)
		add_set(d, &spec->sets[DATA_TRAIN]); /* its classes number the labels */
	digest_final(d, ret);
	digest_free(d);
	return ERR_OK;
}

/* ---- a block of memory: head, labels, elements ---- */

static uint64_t labels_end(uint64_t count)
{
	return (HEAD_SIZE + count * sizeof(uint32_t) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static enum err block_size(const struct measure *m, uint64_t *ret, struct errinfo *e)
{
	uint64_t bytes = m->floats ? 4 : 1;
	bool over = __builtin_mul_overflow(bytes, (uint64_t)m->channels, &bytes) ||
		    __builtin_mul_overflow(bytes, (uint64_t)m->height, &bytes) ||
		    __builtin_mul_overflow(bytes, (uint64_t)m->width, &bytes) ||
		    __builtin_mul_overflow(bytes, m->count, &bytes);
	if (over || m->count > UINT32_MAX || bytes > LARGEST)
		return err_set(e, ERR_LIMIT, "%zu images of %lld x %lld x %lld are more than 64 GiB once decoded",
			m->count, (long long)m->height, (long long)m->width, (long long)m->channels);
	*ret = labels_end(m->count) + bytes;
	return ERR_OK;
}

/* Over a block that is mapped at `memory`. Takes over file, -1: none. */
static enum err dataset_over(void *memory, uint64_t size, int file, struct dataset **ret, struct errinfo *e)
{
	const struct head *h = memory;
	const char *elements = (const char *)memory + labels_end(h->count);
	struct dataset *d = calloc(1, sizeof *d);
	if (!d)
		return err_set(e, ERR_MEMORY, "out of memory");
	*d = (struct dataset){ .count = h->count, .channels = h->channels, .height = h->height, .width = h->width,
		.pixels = h->floats ? NULL : (const unsigned char *)elements,
		.floats = h->floats ? (const float *)(const void *)elements : NULL,
		.labels = (const uint32_t *)(const void *)((const char *)memory + HEAD_SIZE), .classes = h->classes,
		.memory = memory, .memory_size = size, .file = file };
	*ret = d;
	return ERR_OK;
}

static void read_boot(char ret[BOOT])
{
	memset(ret, 0, BOOT);
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (read(fd, ret, BOOT - 1) < 0)
		ret[0] = '\0';
	close(fd);
}

static void write_head(struct head *h, const char *key, uint64_t size, const struct loader *l, const uint32_t *labels)
{
	memcpy(h->magic, MAGIC, sizeof h->magic);
	snprintf(h->key, sizeof h->key, "%s", key);
	read_boot(h->boot);
	h->size = size;
	h->count = l->is.count;
	h->channels = l->is.channels;
	h->height = l->is.height;
	h->width = l->is.width;
	h->floats = l->is.floats;
	h->classes = l->is.classes;
	for (size_t i = 0; i < l->is.count; i++)
		if (labels[i] >= h->classes)
			h->classes = labels[i] + 1;
}

static enum err fill_block(struct loader *l, const char *key, void *memory, uint64_t size, const atomic_bool *stop,
	struct errinfo *e)
{
	struct filling to = { (char *)memory + labels_end(l->is.count),
		(uint32_t *)(void *)((char *)memory + HEAD_SIZE), stop };
	enum err err = l->fill(l, &to, e);
	if (!err)
		write_head(memory, key, size, l, to.labels);
	return err;
}

/* ---- without a shelf ---- */

static enum err decode_here(struct loader *l, uint64_t size, const atomic_bool *stop, struct dataset **ret,
	struct errinfo *e)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return err_set(e, ERR_MEMORY, "no memory for %llu bytes", (unsigned long long)size);
	enum err err = fill_block(l, "", memory, size, stop, e);
	if (!err)
		err = dataset_over(memory, size, -1, ret, e);
	if (err)
		munmap(memory, size);
	return err;
}

/* ---- with one ---- */

/* By the exact clock, as the cache does for blobs: the least recently used make room. */
static void mark_used(int fd)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	futimens(fd, (struct timespec[]){ now, { .tv_nsec = UTIME_OMIT } });
}

static bool labels_right(const struct head *h)
{
	const uint32_t *labels = (const uint32_t *)(const void *)((const char *)h + HEAD_SIZE);
	for (uint64_t i = 0; i < h->count; i++)
		if (labels[i] >= h->classes)
			return false;
	return true;
}

/* Whether an open file of this size is the block of that key: all that dataset_over and its users rely on. */
static bool head_right(const struct head *h, const char *key, uint64_t size)
{
	char boot[BOOT];
	uint64_t needed;
	struct measure m = { h->count, h->channels, h->height, h->width, h->floats, h->classes };
	read_boot(boot);
	return !memcmp(h->magic, MAGIC, sizeof h->magic) && !memcmp(h->key, key, DIGEST_HEX + 1) &&
	       !memcmp(h->boot, boot, sizeof boot) && h->size == size && h->count && h->channels > 0 &&
	       h->height > 0 && h->width > 0 && !block_size(&m, &needed, NULL) && needed == size &&
	       labels_right(h);
}

/* *ret is NULL when there is no such file, or another one. */
static enum err find(const char *path, const char *key, struct dataset **ret, struct errinfo *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	*ret = NULL;
	if (fd < 0)
		return errno == ENOENT ? ERR_OK : err_errno(e, "%s", path);
	while (flock(fd, LOCK_SH) && errno == EINTR)
		;
	void *memory = MAP_FAILED;
	uint64_t size = 0;
	if (!fstat(fd, &st) && st.st_size >= HEAD_SIZE) {
		size = (uint64_t)st.st_size;
		memory = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	}
	enum err err = ERR_OK;
	if (memory != MAP_FAILED && head_right(memory, key, size)) {
		mark_used(fd);
		err = dataset_over(memory, size, fd, ret, e);
	}
	if (*ret)
		return ERR_OK;
	if (memory != MAP_FAILED)
		munmap(memory, size);
	close(fd);
	return err;
}

/* Makes the file at fd, which becomes the data set's. Space is taken first: a full disk is an error here, and would be
 * a signal while a mapping is written. */
static enum err make_file(struct loader *l, const char *key, uint64_t size, const struct shelf_place *p, int fd,
	const atomic_bool *stop, struct dataset **ret, struct errinfo *e)
{
	int code = posix_fallocate(fd, 0, (off_t)size);
	if (code) {
		errno = code;
		return err_errno(e, "%s: %llu bytes for decoded data", p->temporary, (unsigned long long)size);
	}
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return err_errno(e, "%s", p->temporary);
	enum err err = fill_block(l, key, memory, size, stop, e);
	if (!err && (mprotect(memory, size, PROT_READ) || flock(fd, LOCK_SH) || rename(p->temporary, p->path)))
		err = err_errno(e, "%s", p->path);
	if (!err)
		err = dataset_over(memory, size, fd, ret, e);
	if (err)
		munmap(memory, size);
	return err;
}

static enum err make(struct loader *l, const char *key, uint64_t size, const struct shelf_place *p,
	const atomic_bool *stop, struct dataset **ret, struct errinfo *e)
{
	unlink(p->temporary);
	int fd = open(p->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return err_errno(e, "%s", p->temporary);
	enum err err = make_file(l, key, size, p, fd, stop, ret, e);
	if (err) {
		close(fd);
		unlink(p->temporary);
	}
	return err;
}

/* Waits until nobody else holds the lock of this key. The caller closes *ret. */
static enum err lock(const char *path, const char *key, const atomic_bool *stop, int *ret, struct errinfo *e)
{
	char digits[16];
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return err_errno(e, "%s", path);
	memcpy(digits, key, 15);
	digits[15] = '\0';
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)strtoull(digits, NULL, 16),
		.l_len = 1 };
	while (fcntl(fd, F_OFD_SETLK, &l)) {
		enum err err = ERR_OK;
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			err = err_errno(e, "%s", path);
		else if (stop && atomic_load(stop))
			err = err_set(e, ERR_GONE, "stopped");
		if (err) {
			close(fd);
			return err;
		}
		nanosleep(&(struct timespec){ .tv_nsec = WAIT_MS * 1000000L }, NULL);
	}
	*ret = fd;
	return ERR_OK;
}

static enum err decode_shared(const struct recipe *r, const char *key, const struct shelf *shelf,
	const struct shelf_place *p, const atomic_bool *stop, struct dataset **ret, struct errinfo *e)
{
	int held = -1;
	uint64_t size = 0;
	struct loader *l = NULL;
	enum err err = lock(p->lock, key, stop, &held, e);
	if (err)
		return err;
	err = find(p->path, key, ret, e);
	if (err || *ret)
		goto out;
	err = loader_open(r, &l, e);
	if (!err)
		err = block_size(&l->is, &size, e);
	if (!err) {
		shelf->make_room(size, shelf->arg);
		err = make(l, key, size, p, stop, ret, e);
	}
out:
	loader_close(l);
	close(held);
	return err;
}

enum err decode_find(const char *key, const struct shelf *shelf, struct dataset **ret, struct errinfo *e)
{
	struct shelf_place p;
	enum err err = shelf->place(key, &p, shelf->arg, e);
	return err ? err : find(p.path, key, ret, e);
}

enum err decode_open(const struct recipe *r, const char *key, const struct shelf *shelf, const atomic_bool *stop,
	struct dataset **ret, struct errinfo *e)
{
	struct shelf_place p;
	struct dataset *d = NULL;
	struct loader *l = NULL;
	uint64_t size;
	enum err err = ERR_OK;
	if (shelf) {
		err = shelf->place(key, &p, shelf->arg, e);
		if (!err)
			err = decode_shared(r, key, shelf, &p, stop, &d, e);
	} else {
		err = loader_open(r, &l, e);
		if (!err)
			err = block_size(&l->is, &size, e);
		if (!err)
			err = decode_here(l, size, stop, &d, e);
		loader_close(l);
	}
	if (!err)
		*ret = d;
	return err;
}

enum err dataset_read_idx(const char *images, const char *labels, struct dataset **ret, struct errinfo *e)
{
	const struct dataspec spec = { .format = DATA_IDX };
	const struct recipe r = { .spec = &spec, .role = DATA_TRAIN, .paths = { images, labels } };
	return decode_open(&r, "", NULL, NULL, ret, e);
}
