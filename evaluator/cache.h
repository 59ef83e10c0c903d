/* cache.h -- blobs that a worker fetched, kept in a directory for the next trial.
 * SPDX-License-Identifier: MIT
 *
 * Files are named by their digest. Several workers may share one directory: a file gets its name only when it
 * is whole and its digest is right (decoded data, KEY.data, when it is whole), and a file in use is held by a shared
 * lock (flock) that keeps every other worker from removing it. Thread: one, but for cache_clean. */
#ifndef EVALUATOR_CACHE_H
#define EVALUATOR_CACHE_H

#include <stdint.h>

#include "base/err.h"
#include "base/http.h"
#include "evaluator/data/decode.h"

enum { CACHE_PATH = 4096 };

struct cache;

/* Makes the directory when it is missing and removes temporary files that a worker of this name left behind.
 * name: as in the protocol, 1 to 64 letters, digits, '.', '_' and '-'. At most `most` bytes are kept, but for
 * what is in use. */
enum err cache_open(const char *dir, const char *name, uint64_t most, struct cache **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void cache_close(struct cache *c);

/* The path of blob `digest`, downloaded when it isn't there. The file stays until cache_release. A file is checked
 * against its digest at its first use in this process; a wrong one is fetched again. Least recently used blobs
 * make room. ERR_UNAVAILABLE when the daemon can't be reached, ERR_IO when what it sent is not the blob. */
enum err cache_get(struct cache *c, struct http *h, const char *digest, char ret_path[CACHE_PATH], struct errinfo *e)
	__attribute__((warn_unused_result));

/* Decoded data in the same directory: it counts as blobs do, and what a process has open stays. Lives as long as c. */
struct shelf cache_shelf(struct cache *c);

/* The trial is over: all blobs may be removed again. */
void cache_release(struct cache *c);

/* A path for a temporary file of this process; it is removed by the next cache_open under the same name when this
 * process doesn't. */
enum err cache_temporary(const struct cache *c, const char *suffix, char ret_path[CACHE_PATH], struct errinfo *e)
	__attribute__((warn_unused_result));

/* Makes the directory again should somebody have removed it. */
enum err cache_prepare(const struct cache *c, struct errinfo *e) __attribute__((warn_unused_result));

/* Removes all temporary files of this process, before it ends abruptly. From any thread. */
void cache_clean(const struct cache *c);

#endif
