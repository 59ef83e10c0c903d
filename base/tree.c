/* tree.c -- a folder of pictures by class.
 * SPDX-License-Identifier: MIT */
#include "base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { LONGEST_PATH = 4096 };

void tree_fini(struct tree *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->files[i].name);
	for (size_t i = 0; i < t->class_count; i++)
		free(t->classes[i]);
	free(t->files);
	free(t->classes);
	*t = (struct tree){ 0 };
}

/* ---- names ---- */

/* Relative, without empty components, "." and "..", in printable bytes. */
static enum err check_name(const char *what, const char *name, struct errinfo *e)
{
	if (strlen(name) > TREE_LONGEST_NAME)
		return err_set(e, ERR_INPUT, "%s: '%.60s...' is longer than %d bytes", what, name, TREE_LONGEST_NAME);
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return err_set(e, ERR_INPUT, "%s: a name contains the control character %d", what, *p);
	for (const char *p = name;; p++) {
		size_t len = strcspn(p, "/");
		if (len == 0 || (len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
			return err_set(e, ERR_INPUT, "%s: '%.200s' leads out of the folder, expected CLASS/NAME", what,
				name);
		p += len;
		if (!*p)
			return ERR_OK;
	}
}

static bool is_hidden(const char *name)
{
	return name[0] == '.' || strstr(name, "/.");
}

static bool is_picture(const char *name)
{
	static const char *const endings[] = { ".png", ".jpg", ".jpeg" };
	size_t len = strlen(name);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		size_t n = strlen(endings[i]);
		if (len > n && !strcasecmp(name + len - n, endings[i]))
			return true;
	}
	return false;
}

/* ---- building ---- */

/* Room for one more entry of `size` bytes; NULL when memory is out, and then the old one stays. */
static void *room(void *array, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return array;
	size_t wanted = 2 * *capacity + 64;
	void *grown = reallocarray(array, wanted, size);
	if (grown)
		*capacity = wanted;
	return grown;
}

enum err tree_add(struct tree *t, const char *what, const char *name, int64_t size, uint64_t offset, struct errinfo *e)
{
	enum err err = check_name(what, name, e);
	if (err || is_hidden(name))
		return err;
	if (!strchr(name, '/'))
		return err_set(e, ERR_INPUT, "%s: '%s' lies beside the classes' folders, expected CLASS/NAME", what,
			name);
	if (!is_picture(name))
		return err_set(e, ERR_INPUT, "%s: '%s' is no picture by its name, expected .png, .jpg or .jpeg", what,
			name);
	if (size <= 0 || size > TREE_LARGEST_FILE)
		return err_set(e, ERR_INPUT, "%s: '%s' has %lld bytes, expected 1 to %d", what, name, (long long)size,
			TREE_LARGEST_FILE);
	if (t->count == TREE_MOST_FILES)
		return err_set(e, ERR_LIMIT, "%s: has more than %d files", what, TREE_MOST_FILES);
	struct tree_file *files = room(t->files, t->count, &t->capacity, sizeof *files);
	char *copy = strdup(name);
	if (files)
		t->files = files;
	if (!files || !copy) {
		free(copy);
		return err_set(e, ERR_MEMORY, "%s: out of memory", what);
	}
	files[t->count++] = (struct tree_file){ .name = copy, .size = size, .offset = offset };
	return ERR_OK;
}

static enum err add_class(struct tree *t, const char *what, const char *name, size_t len, struct errinfo *e)
{
	char **classes = room(t->classes, t->class_count, &t->class_capacity, sizeof *classes);
	char *copy = strndup(name, len);
	if (classes)
		t->classes = classes;
	if (!classes || !copy) {
		free(copy);
		return err_set(e, ERR_MEMORY, "%s: out of memory", what);
	}
	classes[t->class_count++] = copy;
	return ERR_OK;
}

enum err tree_add_folder(struct tree *t, const char *what, const char *name, struct errinfo *e)
{
	enum err err = check_name(what, name, e);
	return err || is_hidden(name) ? err : add_class(t, what, name, strcspn(name, "/"), e);
}

static size_t class_length(const char *name)
{
	return strcspn(name, "/");
}

/* As if '/' were less than any other byte: "cat/z" comes before "cat-like/a". */
static int by_name(const void *a, const void *b)
{
	const unsigned char *x = (const unsigned char *)((const struct tree_file *)a)->name;
	const unsigned char *y = (const unsigned char *)((const struct tree_file *)b)->name;
	while (*x && *x == *y)
		x++, y++;
	int i = *x == '/' ? 1 : *x, j = *y == '/' ? 1 : *y;
	return i - j;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void drop_double_classes(struct tree *t)
{
	size_t n = 0;
	for (size_t i = 0; i < t->class_count; i++)
		if (n && !strcmp(t->classes[n - 1], t->classes[i]))
			free(t->classes[i]);
		else
			t->classes[n++] = t->classes[i];
	t->class_count = n;
}

/* Classes in the order of names, files in that of classes: one walk over both. */
static enum err number_classes(struct tree *t, const char *what, struct errinfo *e)
{
	size_t i = 0;
	for (size_t c = 0; c < t->class_count; c++) {
		size_t first = i, len = strlen(t->classes[c]);
		while (i < t->count && class_length(t->files[i].name) == len &&
			!memcmp(t->files[i].name, t->classes[c], len))
			t->files[i++].class = c;
		if (i == first)
			return err_set(e, ERR_INPUT, "%s: the folder '%s' has no pictures, expected some of its class",
				what, t->classes[c]);
	}
	return ERR_OK;
}

enum err tree_finish(struct tree *t, const char *what, struct errinfo *e)
{
	if (!t->count)
		return err_set(e, ERR_INPUT, "%s: has no pictures, expected CLASS/NAME.png or .jpg", what);
	qsort(t->files, t->count, sizeof *t->files, by_name);
	for (size_t i = 0; i < t->count; i++) {
		const char *name = t->files[i].name, *before = i ? t->files[i - 1].name : "";
		if (!strcmp(name, before))
			return err_set(e, ERR_INPUT, "%s: has '%s' twice", what, name);
		size_t len = class_length(name);
		if (class_length(before) == len && !memcmp(name, before, len))
			continue;
		enum err err = add_class(t, what, name, len, e);
		if (err)
			return err;
	}
	qsort(t->classes, t->class_count, sizeof *t->classes, by_text);
	drop_double_classes(t);
	return number_classes(t, what, e);
}

/* ---- from disk ---- */

static enum err walk(struct tree *t, const char *folder, const char *inside, struct errinfo *e);

static enum err take_entry(struct tree *t, const char *folder, const char *inside, const char *entry, struct errinfo *e)
{
	char path[LONGEST_PATH], name[TREE_LONGEST_NAME + 2];
	struct stat st;
	int len = snprintf(name, sizeof name, "%s%s%s", inside, *inside ? "/" : "", entry);
	if (len > TREE_LONGEST_NAME)
		return err_set(e, ERR_INPUT, "%s: '%.60s...' is longer than %d bytes", folder, name, TREE_LONGEST_NAME);
	if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path)
		return err_set(e, ERR_INPUT, "%.200s...: the path is too long", folder);
	if (stat(path, &st))
		return err_errno(e, "%s", path);
	if (S_ISREG(st.st_mode))
		return tree_add(t, folder, name, st.st_size, 0, e);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_INPUT, "%s: '%s' is neither a file nor a folder", folder, name);
	enum err err = tree_add_folder(t, folder, name, e);
	return err ? err : walk(t, folder, name, e);
}

/* As deep as names may be long. */
static enum err walk(struct tree *t, const char *folder, const char *inside, struct errinfo *e)
{
	char path[LONGEST_PATH];
	enum err err = ERR_OK;
	if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, inside) >= sizeof path)
		return err_set(e, ERR_INPUT, "%.200s...: the path is too long", folder);
	DIR *d = opendir(path);
	if (!d)
		return err_errno(e, "%s", path);
	for (struct dirent *entry; !err && (entry = readdir(d));)
		if (entry->d_name[0] != '.')
			err = take_entry(t, folder, inside, entry->d_name, e);
	closedir(d);
	return err;
}

enum err tree_read(const char *folder, struct tree *ret, struct errinfo *e)
{
	struct tree t = { 0 };
	enum err err = walk(&t, folder, "", e);
	if (!err)
		err = tree_finish(&t, folder, e);
	if (err)
		tree_fini(&t);
	else
		*ret = t;
	return err;
}
