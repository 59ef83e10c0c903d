/* tree.h -- a folder of pictures by class, CLASS/NAME: as it lies on disk, or in a tar archive.
 * SPDX-License-Identifier: MIT
 *
 * The order of the files is the same wherever they are read: by class, then by name, as bytes compare. Files and
 * folders whose names begin with a dot don't count; any other file must be a picture, by its name, in a class's folder.
 * */
#ifndef BASE_TREE_H
#define BASE_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { TREE_LONGEST_NAME = 255, TREE_LARGEST_FILE = 256 << 20, TREE_MOST_FILES = 10000000 };

struct tree_file {
	char *name;      /* "cat/0001.png"; the class is what stands before the first slash */
	int64_t size;
	uint64_t offset; /* of its bytes in an archive */
	size_t class;    /* index into classes */
};

struct tree {
	struct tree_file *files;
	size_t count, capacity;
	char **classes; /* sorted; each has a file */
	size_t class_count, class_capacity;
};

/* Finds the pictures of a folder. Links are followed. ERR_INPUT names what doesn't belong there. */
enum err tree_read(const char *folder, struct tree *ret, struct errinfo *e) __attribute__((warn_unused_result));
void tree_fini(struct tree *t);

/* Building one: files and folders in any order, then once tree_finish. `what` is the folder or archive, for messages;
 * names are checked, and what they hide is left out. */
enum err tree_add(struct tree *t, const char *what, const char *name, int64_t size, uint64_t offset, struct errinfo *e)
	__attribute__((warn_unused_result));
enum err tree_add_folder(struct tree *t, const char *what, const char *name, struct errinfo *e)
	__attribute__((warn_unused_result));
enum err tree_finish(struct tree *t, const char *what, struct errinfo *e) __attribute__((warn_unused_result));

#endif
