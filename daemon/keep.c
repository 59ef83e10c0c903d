/* keep.c -- the candidate of a stored trial, as integers.
 * SPDX-License-Identifier: MIT
 *
 * "[20,32,7]", as proposal.c writes it and nobody else: read by hand, for a general parser would be what an explanation
 * of a hundred thousand results spends its time on. */
#include "daemon/keep.h"

#include <stdbool.h>

#include "search/space.h"
#include "store/trial.h"

enum { MOST_DIGITS = 9 };

/* Past the number at p, NULL: there is none. */
static const char *read_number(const char *p, int *ret)
{
	int digits = 0;
	*ret = 0;
	for (; *p >= '0' && *p <= '9'; p++, digits++)
		*ret = digits < MOST_DIGITS ? 10 * *ret + (*p - '0') : 0;
	return digits && digits <= MOST_DIGITS ? p : NULL;
}

static bool read_numbers(const char *p, int n, int *ret)
{
	for (int i = 0; i < n; i++) {
		if (*p++ != (i ? ',' : '['))
			return false;
		p = read_number(p, &ret[i]);
		if (!p)
			return false;
	}
	return p[0] == ']' && !p[1];
}

enum err keep_read(const struct trial_row *r, const struct space *s, int *ret, struct errinfo *e)
{
	if (r->candidate && read_numbers(r->candidate, s->group_count, ret))
		return ERR_OK;
	return err_set(e, ERR_INTERNAL, "trial %lld.%lld: its candidate is not one of the job's space",
		(long long)r->job, (long long)r->number);
}
