/* loader.c -- a data set in its files: what all formats share.
 * SPDX-License-Identifier: MIT */
#include "evaluator/data/loader.h"

#include <assert.h>

enum err loader_open(const struct recipe *r, struct loader **ret, struct errinfo *e)
{
	switch (r->spec->format) {
	case DATA_IDX:
	case DATA_NPY:
	case DATA_NPZ:
		return pair_open(r, ret, e);
	case DATA_CIFAR10:
	case DATA_CIFAR100:
		return cifar_open(r, ret, e);
	case DATA_FOLDER:
		break;
	}
	return folder_open(r, ret, e);
}

void loader_close(struct loader *l)
{
	if (l)
		l->close(l);
}

bool filling_stopped(const struct filling *to, struct errinfo *e)
{
	if (!to->stop || !atomic_load(to->stop))
		return false;
	err_set(e, ERR_GONE, "stopped");
	return true;
}

void interleave(const void *from, size_t channels, size_t area, size_t width, void *ret)
{
	assert(width == 1 || width == 4);
	for (size_t c = 0; c < channels; c++)
		for (size_t k = 0; k < area; k++)
			if (width == 1)
				((unsigned char *)ret)[k * channels + c] = ((const unsigned char *)from)[c * area + k];
			else
				((uint32_t *)ret)[k * channels + c] = ((const uint32_t *)from)[c * area + k];
}
