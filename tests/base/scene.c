/* scene.c -- an error and a folder of their own for the tests of base/.
 * SPDX-License-Identifier: MIT */
#include "tests/base/scene.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

struct errinfo e;
char directory[256];

static void scene_set(void)
{
	const char *out = getenv("OUT");
	snprintf(directory, sizeof directory, "%s%s/base-XXXXXX", out ? out : "/tmp", out ? "/tests" : "");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static void scene_strike(void)
{
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

TCase *scene_case(Suite *s, const char *name)
{
	TCase *c = tcase_create(name);
	tcase_add_checked_fixture(c, scene_set, scene_strike);
	tcase_set_timeout(c, 30);
	suite_add_tcase(s, c);
	return c;
}

const char *in_folder(const char *name)
{
	static char paths[2][512];
	static int turn;
	turn = !turn;
	snprintf(paths[turn], sizeof paths[turn], "%s/%s", directory, name);
	return paths[turn];
}

int count_entries(const char *path)
{
	DIR *d = opendir(path ? path : directory);
	int n = 0;
	ck_assert_ptr_nonnull(d);
	for (struct dirent *entry; (entry = readdir(d));)
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}
