/* zip.h -- where a member of a ZIP archive lies: NPZ files are ZIP archives of NPY files.
 * SPDX-License-Identifier: MIT
 *
 * Only the central directory counts, as ZIP's specification says (APPNOTE.TXT 6.3): the end record is found from the
 * back, ZIP64's where the plain one is full. Members are stored or deflated. */
#ifndef EVALUATOR_DATA_ZIP_H
#define EVALUATOR_DATA_ZIP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct zip_member {
	uint64_t offset, stored; /* its bytes in the file, all before the directory */
	uint64_t size;           /* its bytes once inflated */
	uint32_t sum;            /* their CRC-32 */
	bool deflated;
};

/* Finds member `name` in the archive open at fd; path is for messages. ERR_INPUT when the archive is damaged, holds no
 * such member, or claims sizes that its bytes can't keep. */
enum err zip_find(int fd, const char *path, const char *name, struct zip_member *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif
