/* chance.c -- how well a network classifies that always gives the same answer.
 * SPDX-License-Identifier: MIT */
#include "evaluator/measure/chance.h"

#include <stdlib.h>

#include "evaluator/data/dataset.h"

enum err chance_of(const struct split *s, size_t images, double *ret, struct errinfo *e)
{
	size_t *counts = calloc(s->data->classes, sizeof *counts), most = 0;
	if (!counts)
		return err_set(e, ERR_MEMORY, "out of memory for the counts of %u classes", s->data->classes);
	if (images > s->count)
		images = s->count;
	for (size_t i = s->first; i < s->first + images; i++) {
		size_t count = ++counts[s->data->labels[s->order ? s->order[i] : i]];
		most = count > most ? count : most;
	}
	free(counts);
	*ret = (double)most / (double)images;
	return ERR_OK;
}
