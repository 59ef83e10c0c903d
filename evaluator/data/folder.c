/* folder.c -- a folder of PNG and JPEG pictures by class, on disk or in a tar archive.
 * SPDX-License-Identifier: MIT
 *
 * The training set's classes in the order of their names are labels 0, 1, ... for all sets of a job. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tar.h"
#include "base/tree.h"
#include "evaluator/data/loader.h"
#include "evaluator/data/picture.h"
#include "evaluator/data/resample.h"
#include "evaluator/data/stream.h"

enum { LONGEST_PATH = 4096 };

struct folder {
	struct loader loader;
	const char *path;
	int fd;           /* of the archive; -1: a folder on disk */
	struct tree tree;
	uint32_t *labels; /* of the tree's classes */
	int64_t resize;
	unsigned char *bytes; /* of one picture */
	size_t capacity;
};

static void folder_close(struct loader *l)
{
	struct folder *f = (struct folder *)l;
	if (f->fd >= 0)
		close(f->fd);
	tree_fini(&f->tree);
	free(f->labels);
	free(f->bytes);
	free(f);
}

/* ---- reading ---- */

static enum err read_from_disk(const struct folder *f, const struct tree_file *file, struct errinfo *e)
{
	char path[LONGEST_PATH];
	int fd = -1;
	if ((size_t)snprintf(path, sizeof path, "%s/%s", f->path, file->name) >= sizeof path)
		return err_set(e, ERR_INPUT, "%.200s...: the path is too long", f->path);
	enum err err = stream_open_fd(path, "a picture", &fd, e);
	if (err)
		return err;
	err = stream_read_at(fd, path, 0, f->bytes, (size_t)file->size, e);
	close(fd);
	return err;
}

static enum err read_file(struct folder *f, const struct tree_file *file, struct errinfo *e)
{
	size_t size = (size_t)file->size;
	if (size > f->capacity) {
		unsigned char *grown = realloc(f->bytes, size);
		if (!grown)
			return err_set(e, ERR_MEMORY, "%s: no memory for %zu bytes", file->name, size);
		f->bytes = grown;
		f->capacity = size;
	}
	return f->fd < 0 ? read_from_disk(f, file, e)
			 : stream_read_at(f->fd, f->path, file->offset, f->bytes, size, e);
}

static enum err fill_picture(struct folder *f, const struct tree_file *file, unsigned char *ret, struct errinfo *e)
{
	const struct measure *is = &f->loader.is;
	struct picture p = { 0 };
	enum err err = read_file(f, file, e);
	if (err)
		return err;
	err = picture_decode(f->bytes, (size_t)file->size, is->channels, &p, e);
	if (!err)
		err = resample(&p, f->resize, is->height, is->width, ret, e);
	picture_fini(&p);
	return err ? err_wrap(e, "%s: '%s'", f->path, file->name) : ERR_OK;
}

static enum err folder_fill(struct loader *l, const struct filling *to, struct errinfo *e)
{
	struct folder *f = (struct folder *)l;
	size_t size = (size_t)(l->is.height * l->is.width * l->is.channels);
	for (size_t i = 0; i < f->tree.count; i++) {
		const struct tree_file *file = &f->tree.files[i];
		if (filling_stopped(to, e))
			return ERR_GONE;
		enum err err = fill_picture(f, file, (unsigned char *)to->elements + i * size, e);
		if (err)
			return err;
		to->labels[i] = f->labels[file->class];
	}
	return ERR_OK;
}

/* ---- opening ---- */

/* *ret_fd is -1 for a folder on disk. */
static enum err open_tree(const char *path, struct tree *ret, int *ret_fd, struct errinfo *e)
{
	struct stat st;
	int fd = -1;
	*ret_fd = -1;
	if (stat(path, &st))
		return err_errno(e, "%s", path);
	if (S_ISDIR(st.st_mode))
		return tree_read(path, ret, e);
	enum err err = stream_open_fd(path, "a folder or a tar archive of pictures", &fd, e);
	if (err)
		return err;
	err = tar_read(fd, path, ret, e);
	if (err)
		close(fd);
	else
		*ret_fd = fd;
	return err;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each class of the set by its place among those of `all`, the training set's. */
static enum err number_classes(struct folder *f, const struct tree *all, const char *path, struct errinfo *e)
{
	if (all->class_count < 2)
		return err_set(e, ERR_INPUT, "%s: has one class folder only, '%s', expected one for each class", path,
			all->classes[0]);
	if (all->class_count > LOADER_MOST_LABELS)
		return err_set(e, ERR_LIMIT, "%s: has %zu class folders, expected at most %d", path, all->class_count,
			LOADER_MOST_LABELS);
	f->labels = calloc(f->tree.class_count, sizeof *f->labels);
	if (!f->labels)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < f->tree.class_count; i++) {
		char **at = bsearch(&f->tree.classes[i], all->classes, all->class_count, sizeof *at, by_text);
		if (!at)
			return err_set(e, ERR_INPUT, "%s: the class folder '%s' is none of the training set's, %s",
				f->path, f->tree.classes[i], path);
		f->labels[i] = (uint32_t)(at - all->classes);
	}
	f->loader.is.classes = (uint32_t)all->class_count;
	return ERR_OK;
}

static enum err read_classes(struct folder *f, const char *path, struct errinfo *e)
{
	struct tree all = { 0 };
	int fd = -1;
	enum err err = path ? open_tree(path, &all, &fd, e) : ERR_OK;
	if (!err)
		err = number_classes(f, path ? &all : &f->tree, path ? path : f->path, e);
	if (fd >= 0)
		close(fd);
	tree_fini(&all);
	return err;
}

enum err folder_open(const struct recipe *r, struct loader **ret, struct errinfo *e)
{
	struct folder *f = calloc(1, sizeof *f);
	if (!f)
		return err_set(e, ERR_MEMORY, "out of memory");
	f->loader = (struct loader){ .fill = folder_fill, .close = folder_close,
		.is = { .channels = r->spec->channels, .height = r->spec->height, .width = r->spec->width } };
	f->path = r->paths[0];
	f->resize = r->spec->resize;
	enum err err = open_tree(f->path, &f->tree, &f->fd, e);
	if (!err) {
		f->loader.is.count = f->tree.count;
		err = read_classes(f, r->classes, e);
	} else {
		f->fd = -1;
	}
	if (err)
		folder_close(&f->loader);
	else
		*ret = &f->loader;
	return err;
}
