/* loader.h -- a data set in its files: first how large it is, then all of it.
 * SPDX-License-Identifier: MIT
 *
 * A loader is opened by the format's function, which checks headers and sizes and allocates nothing that they claim.
 * Whoever opened it makes room for what `is` says and has it filled, once. */
#ifndef EVALUATOR_DATA_LOADER_H
#define EVALUATOR_DATA_LOADER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dataspec.h"
#include "base/err.h"

enum { LOADER_MOST_LABELS = 1000000 };

struct measure {
	size_t count;
	int64_t channels, height, width;
	bool floats;      /* elements are floats, otherwise bytes */
	uint32_t classes; /* 0: as many as the largest label needs */
};

/* Where it all goes. */
struct filling {
	void *elements;   /* (n, h, w, c) */
	uint32_t *labels; /* n, each < LOADER_MOST_LABELS */
	const atomic_bool *stop; /* may be NULL; becomes true: ERR_GONE */
};

struct loader {
	struct measure is;
	enum err (*fill)(struct loader *l, const struct filling *to, struct errinfo *e);
	void (*close)(struct loader *l);
};

/* What decides a data set: one role's files, and how the job says that they are read. */
struct recipe {
	const struct dataspec *spec;
	enum data_role role;
	const char *paths[DATASPEC_FILES]; /* on this machine, one for each of the set's files */
	const char *classes; /* folder: the training set, whose classes number the labels */
};

/* Chooses by r->spec->format. The paths must outlive the loader. */
enum err loader_open(const struct recipe *r, struct loader **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void loader_close(struct loader *l); /* accepts NULL */

/* The formats. A pair is a file or member with images and one with labels. */
enum err pair_open(const struct recipe *r, struct loader **ret, struct errinfo *e) __attribute__((warn_unused_result));
enum err cifar_open(const struct recipe *r, struct loader **ret, struct errinfo *e) __attribute__((warn_unused_result));
enum err folder_open(const struct recipe *r, struct loader **ret,
	struct errinfo *e) __attribute__((warn_unused_result));

/* Whether the work should end; then e says so. */
bool filling_stopped(const struct filling *to, struct errinfo *e);

/* Rearranges one image from (c, h, w) to (h, w, c), elements of `width` bytes. */
void interleave(const void *from, size_t channels, size_t area, size_t width, void *ret);

#endif
