/* jobfile.h -- a job as a person wrote it, on its way to the document that is posted.
 * SPDX-License-Identifier: MIT
 *
 * jobfile_open reads it and checks every file that it names; nothing has been sent by then. jobfile_rewrite puts the
 * digests in. The daemon checks the rest: keys, kinds, ranges. */
#ifndef CLIENT_JOBFILE_H
#define CLIENT_JOBFILE_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "base/dataspec.h"
#include "base/digest.h"
#include "base/err.h"

enum { JOBFILE_MAX_FILES = 1 + DATA_ROLES * DATASPEC_FILES };

/* One named file, or a folder of pictures, packed into an archive that has no name on disk. */
struct jobfile_file {
	char key[48];    /* "data.train.images" */
	cJSON *node;     /* the string in the document */
	char *path;      /* as the person named it */
	char *bytes;     /* where the bytes are, path unless it is a folder */
	int packed;      /* descriptor of a folder's archive, -1: none */
	int64_t size;    /* bytes */
	char digest[DIGEST_HEX + 1];
};

struct jobfile {
	cJSON *doc;
	struct jobfile_file files[JOBFILE_MAX_FILES];
	int file_count;
};

/* What the command line puts in place of the file's values. NULL, -1: nothing. */
struct jobfile_changes {
	const char *name;
	int64_t seed, budget;
};

/* Failures are ERR_INPUT (or ERR_MEMORY), also for files that cannot be read: whoever wrote the job file can mend them.
 */
enum err jobfile_open(const char *path, struct jobfile *ret, struct errinfo *e) __attribute__((warn_unused_result));
void jobfile_close(struct jobfile *j);

enum err jobfile_change(struct jobfile *j, const struct jobfile_changes *changes, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Replaces every file name by "sha256:DIGEST". */
enum err jobfile_rewrite(struct jobfile *j, struct errinfo *e) __attribute__((warn_unused_result));

#endif
