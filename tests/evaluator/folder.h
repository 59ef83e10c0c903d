/* folder.h -- a temporary folder for one test.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_EVALUATOR_FOLDER_H
#define TESTS_EVALUATOR_FOLDER_H

#include <stddef.h>

/* Makes a folder under TMPDIR and stays in it as the working directory: names in tests are short. */
void folder_enter(void);

/* Removes it with everything inside. */
void folder_leave(void);

/* A file in the working directory. */
void folder_put(const char *name, const void *data, size_t len);

/* How many entries of a folder begin with prefix. */
int folder_count(const char *name, const char *prefix);

#endif
