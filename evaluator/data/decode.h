/* decode.h -- a data set decoded once a machine: workers map one file, each of them, and share its memory.
 * SPDX-License-Identifier: MIT
 *
 * The file has a header page, the labels, the images as struct dataset wants them. It is named by a digest of all that
 * decides its bytes, written under a temporary name and renamed when it is whole; a file whose header says something
 * else is made anew. One worker decodes, the others wait for it. As nothing is synced, what was written before the
 * machine went down counts for nothing: the header names the boot. */
#ifndef EVALUATOR_DATA_DECODE_H
#define EVALUATOR_DATA_DECODE_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/dataspec.h"
#include "base/digest.h"
#include "base/err.h"

struct dataset;
struct recipe;

enum { SHELF_PATH = 4096 };

/* Where one decoded file belongs, under which name it is made, and a file to lock that outlives both. */
struct shelf_place {
	char path[SHELF_PATH], temporary[SHELF_PATH], lock[SHELF_PATH];
};

/* A folder that workers share. */
struct shelf {
	enum err (*place)(const char *key, struct shelf_place *ret, void *arg, struct errinfo *e);
	void (*make_room)(uint64_t bytes, void *arg); /* so many are about to be written */
	void *arg;
};

/* The key of one role's data: files by the names that the section gives them, digests that is, formats, sizes. */
enum err decode_key(const struct dataspec *spec, enum data_role role, char ret[DIGEST_HEX + 1], struct errinfo *e)
	__attribute__((warn_unused_result));

/* Opens decoded data of that key when it is there, otherwise *ret is NULL. */
enum err decode_find(const char *key, const struct shelf *shelf, struct dataset **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Opens decoded data of that key, decoding it by the recipe when nobody has. Without a shelf (NULL) the memory is this
 * process's own, and key is not looked at. ERR_GONE when *stop (may be NULL) becomes true. */
enum err decode_open(const struct recipe *r, const char *key, const struct shelf *shelf, const atomic_bool *stop,
	struct dataset **ret, struct errinfo *e) __attribute__((warn_unused_result));

#endif
