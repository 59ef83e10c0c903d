/* tar.h -- a folder of pictures as one file, a POSIX ustar archive without compression.
 * SPDX-License-Identifier: MIT
 *
 * What tar_write makes depends on names and bytes only, not on times, owners and modes: the same pictures have the same
 * digest. tar_read takes archives of others too (tar --format=ustar), of files and folders, and nothing else. */
#ifndef BASE_TAR_H
#define BASE_TAR_H

#include "base/err.h"
#include "base/tree.h"

/* Writes the files of `tree`, which lie in `folder`, to fd. */
enum err tar_write(const struct tree *tree, const char *folder, int fd, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Where the pictures lie in the archive open at fd; path is for messages. ERR_INPUT names the entry that is damaged, is
 * a link, or leads out of the folder. */
enum err tar_read(int fd, const char *path, struct tree *ret, struct errinfo *e) __attribute__((warn_unused_result));

#endif
