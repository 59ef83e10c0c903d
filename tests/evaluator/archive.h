/* archive.h -- NPY files and ZIP archives as a test wants them, also wrong ones.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_EVALUATOR_ARCHIVE_H
#define TESTS_EVALUATOR_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARCHIVE_LARGEST = 65536 };

struct bytes {
	unsigned char data[ARCHIVE_LARGEST];
	size_t len;
};

void bytes_add(struct bytes *b, const void *data, size_t len);
/* Little-endian. */
void bytes_add_number(struct bytes *b, uint64_t x, int width);
/* Writes them to a file of the working directory. */
void bytes_put(const struct bytes *b, const char *name);

/* An NPY file of version 1.0: "'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), " and the elements. */
void npy_make(struct bytes *b, const char *type, const char *shape, const void *elements, size_t len);

/* What a member claims instead of the truth; 0: the truth. */
struct zip_lies {
	uint64_t size, stored, offset;
	uint32_t sum;
	unsigned method, flags; /* 0: stored or deflated as asked */
};

struct zip_entry {
	const char *name;
	const struct bytes *content;
	bool deflated, zip64;
	struct zip_lies lies;
};

void zip_make(struct bytes *b, const struct zip_entry *entries, int n, const char *comment);

#endif
