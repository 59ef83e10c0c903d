/* stall.c -- whether results still improve the Pareto set.
 * SPDX-License-Identifier: MIT */
#include "search/stall.h"

#include <stdlib.h>

#include "search/front.h"

static const double GAIN = 0.001;

struct stall {
	struct front *front;
	double volume, mark; /* now, and at the last gain */
	int since, most;     /* results since then */
};

enum err stall_open(const struct problem *p, struct stall **ret, struct errinfo *e)
{
	struct stall *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(e, ERR_MEMORY, "out of memory");
	s->most = p->stall;
	enum err err = front_open(p, &s->front, e);
	if (err)
		free(s);
	else
		*ret = s;
	return err;
}

void stall_close(struct stall *s)
{
	if (!s)
		return;
	front_close(s->front);
	free(s);
}

enum err stall_tell(struct stall *s, const struct outcome *o, struct errinfo *e)
{
	bool joined;
	const int *left;
	int left_count;
	double gain = 0;
	s->since++;
	enum err err = o->ok ? front_gain(s->front, o->number, o->metrics, &gain, e) : ERR_OK;
	if (!err && o->ok)
		err = front_offer(s->front, o->number, o->metrics, &joined, &left, &left_count, e);
	s->volume += gain;
	if (s->volume > s->mark && s->volume >= s->mark * (1 + GAIN)) {
		s->mark = s->volume;
		s->since = 0;
	}
	return err;
}

bool stall_is(const struct stall *s)
{
	return s->since >= s->most;
}
