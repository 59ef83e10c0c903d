/* cifar.c -- CIFAR-10 and CIFAR-100 in their binary version.
 * SPDX-License-Identifier: MIT
 *
 * A file is records without a header: the label (CIFAR-100: the coarse label, then the fine one, which is taken), then
 * 32 x 32 pixels, all red ones, all green ones, all blue ones. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evaluator/data/loader.h"
#include "evaluator/data/stream.h"

enum { SIDE = 32, AREA = SIDE * SIDE, CHANNELS = 3, PIXELS = AREA * CHANNELS, LARGEST_RECORD = PIXELS + 2 };

static const int64_t LARGEST_FILE = 8LL << 30;

struct cifar {
	struct loader loader;
	int file_count;
	struct {
		const char *path;
		int fd;
		size_t records;
	} files[DATASPEC_FILES];
	size_t labels; /* bytes of a record before its pixels */
	unsigned classes;
};

static void cifar_close(struct loader *l)
{
	struct cifar *c = (struct cifar *)l;
	for (int i = 0; i < c->file_count; i++)
		close(c->files[i].fd);
	free(c);
}

static enum err fill_record(const struct cifar *c, int file, size_t i, unsigned char *ret_pixels, uint32_t *ret_label,
	struct errinfo *e)
{
	unsigned char record[LARGEST_RECORD];
	size_t size = c->labels + PIXELS;
	enum err err = stream_read_at(c->files[file].fd, c->files[file].path, i * size, record, size, e);
	if (err)
		return err;
	unsigned label = record[c->labels - 1];
	if (label >= c->classes)
		return err_set(e, ERR_INPUT, "%s: record %zu has the label %u, expected 0 to %u", c->files[file].path,
			i, label, c->classes - 1);
	interleave(record + c->labels, CHANNELS, AREA, 1, ret_pixels);
	*ret_label = label;
	return ERR_OK;
}

static enum err cifar_fill(struct loader *l, const struct filling *to, struct errinfo *e)
{
	const struct cifar *c = (const struct cifar *)l;
	unsigned char *pixels = to->elements;
	uint32_t *label = to->labels;
	for (int f = 0; f < c->file_count; f++)
		for (size_t i = 0; i < c->files[f].records; i++, pixels += PIXELS, label++) {
			if (filling_stopped(to, e))
				return ERR_GONE;
			enum err err = fill_record(c, f, i, pixels, label, e);
			if (err)
				return err;
		}
	return ERR_OK;
}

static enum err add_file(struct cifar *c, const char *path, struct errinfo *e)
{
	struct stat st;
	int fd = -1;
	int64_t record = (int64_t)c->labels + PIXELS;
	enum err err = stream_open_fd(path, "a file of CIFAR's binary version", &fd, e);
	if (err)
		return err;
	c->files[c->file_count].path = path;
	c->files[c->file_count++].fd = fd;
	if (fstat(fd, &st))
		return err_errno(e, "%s", path);
	if (st.st_size == 0 || st.st_size % record || st.st_size > LARGEST_FILE)
		return err_set(e, ERR_INPUT, "%s: has %lld bytes, expected a multiple of %lld, records of CIFAR-%u",
			path, (long long)st.st_size, (long long)record, c->classes);
	c->files[c->file_count - 1].records = (size_t)(st.st_size / record);
	c->loader.is.count += c->files[c->file_count - 1].records;
	return ERR_OK;
}

enum err cifar_open(const struct recipe *r, struct loader **ret, struct errinfo *e)
{
	struct cifar *c = calloc(1, sizeof *c);
	enum err err = ERR_OK;
	if (!c)
		return err_set(e, ERR_MEMORY, "out of memory");
	bool fine = r->spec->format == DATA_CIFAR100;
	c->loader = (struct loader){ .fill = cifar_fill, .close = cifar_close,
		.is = { .channels = CHANNELS, .height = SIDE, .width = SIDE } };
	c->labels = fine ? 2 : 1;
	c->classes = fine ? 100 : 10;
	for (int i = 0; i < r->spec->sets[r->role].file_count && !err; i++)
		err = add_file(c, r->paths[i], e);
	if (err)
		cifar_close(&c->loader);
	else
		*ret = &c->loader;
	return err;
}
