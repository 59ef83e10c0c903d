/* folder.c -- a temporary folder for one test.
 * SPDX-License-Identifier: MIT */
#include "tests/evaluator/folder.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[4096];
static int before = -1;

void folder_enter(void)
{
	const char *parent = getenv("TMPDIR");
	snprintf(path, sizeof path, "%s/pare-test.XXXXXX", parent ? parent : "/tmp");
	before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert(before >= 0);
	ck_assert_ptr_nonnull(mkdtemp(path));
	ck_assert(!chdir(path));
}

static int remove_one(const char *name, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(name);
}

void folder_leave(void)
{
	ck_assert(!fchdir(before));
	close(before);
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void folder_put(const char *name, const void *data, size_t len)
{
	FILE *f = fopen(name, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, len, f), len);
	ck_assert(!fclose(f));
}

int folder_count(const char *name, const char *prefix)
{
	int n = 0;
	DIR *d = opendir(name);
	ck_assert_ptr_nonnull(d);
	for (struct dirent *entry; (entry = readdir(d));)
		n += !strncmp(entry->d_name, prefix, strlen(prefix)) && strcmp(entry->d_name, ".") &&
		     strcmp(entry->d_name, "..");
	closedir(d);
	return n;
}
