/* names.c -- which value a name stands for while a model is read: glibc's hash table.
 * SPDX-License-Identifier: MIT */
#include "evaluator/model/names.h"

#include <search.h>
#include <stdint.h>
#include <stdlib.h>

struct names {
	struct hsearch_data table;
};

struct names *names_new(size_t most)
{
	struct names *n = calloc(1, sizeof *n);
	if (n && !hcreate_r(most + most / 2 + 16, &n->table)) {
		free(n);
		return NULL;
	}
	return n;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	hdestroy_r(&n->table);
	free(n);
}

int names_find(struct names *n, const char *name)
{
	ENTRY *found;
	if (!hsearch_r((ENTRY){ .key = (char *)name }, FIND, &found, &n->table))
		return -1;
	return (int)(intptr_t)found->data;
}

bool names_add(struct names *n, const char *name, int value)
{
	ENTRY *added;
	if (names_find(n, name) >= 0)
		return false;
	return hsearch_r((ENTRY){ .key = (char *)name, .data = (void *)(intptr_t)value }, ENTER, &added, &n->table);
}
