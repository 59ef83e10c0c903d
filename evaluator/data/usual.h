/* usual.h -- data for a person at a terminal: a folder of files with their usual names, an archive, or a job file.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_DATA_USUAL_H
#define EVALUATOR_DATA_USUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct normalisation;
struct split;
struct usual;

struct usual_request {
	const char *path;
	bool test;             /* the test set, otherwise the training set */
	size_t most;           /* images wanted, 0: all */
	int64_t height, width; /* of pictures in folders, 0: as the job file says */
	int64_t channels;      /* the same, 0: as the job file says, or 3 */
	const struct normalisation *norm; /* channels 0: as the job file says */
};

/* path is a folder with
 *     train-images-idx3-ubyte and its kin, plain or .gz    IDX
 *     x_train.npy, y_train.npy, x_test.npy, y_test.npy     NPY
 *     data_batch_1.bin ... test_batch.bin                  CIFAR-10
 *     train.bin, test.bin                                  CIFAR-100
 *     train/CLASS/NAME.png, test/... or val/...            folders of pictures
 * or an NPZ archive with x_train, y_train, x_test, y_test, or a job file, of which the "data" section counts. Only the
 * files of the set that is asked for are needed (of folders also the training set's, for its classes). The images
 * belong to *ret, which the caller frees. When there are more pictures than wanted, chance chooses among them, always
 * alike: they stand in the order of their classes. */
enum err usual_open(const struct usual_request *r, struct usual **ret, struct split *ret_split, struct errinfo *e)
	__attribute__((warn_unused_result));
void usual_free(struct usual *u); /* accepts NULL */

#endif
