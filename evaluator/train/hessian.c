/* hessian.c -- the diagonal of a function's second derivative, from its gradients alone.
 * SPDX-License-Identifier: MIT */
#include "evaluator/train/hessian.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

struct probe {
	float *at, *gradient;
	bool *minus; /* the signs z */
};

static void draw(const struct hessian_request *r, struct probe *p)
{
	for (size_t k = 0; k < r->n; k++)
		p->minus[k] = rng_below(r->rng, 2);
}

/* Adds the gradient at w + side * step * z, times side * z / (2 step). */
static enum err add_side(const struct hessian_request *r, struct probe *p, float side, double *sum, struct errinfo *e)
{
	for (size_t k = 0; k < r->n; k++)
		p->at[k] = r->w[k] + (p->minus[k] ? -side : side) * r->step[k];
	enum err err = r->gradient(p->at, p->gradient, r->arg, e);
	for (size_t k = 0; k < r->n && !err; k++)
		sum[k] += (p->minus[k] ? -side : side) * (double)p->gradient[k] / (2 * (double)r->step[k]);
	return err;
}

static enum err run_probes(const struct hessian_request *r, struct probe *p, double *ret, struct errinfo *e)
{
	memset(ret, 0, r->n * sizeof *ret);
	for (int i = 0; i < r->probes; i++) {
		draw(r, p);
		enum err err = add_side(r, p, 1, ret, e);
		if (!err)
			err = add_side(r, p, -1, ret, e);
		if (err)
			return err;
	}
	for (size_t k = 0; k < r->n; k++)
		ret[k] /= r->probes;
	return ERR_OK;
}

enum err hessian_diagonal(const struct hessian_request *r, double *ret_diagonal, struct errinfo *e)
{
	struct probe p = { malloc(r->n * sizeof *p.at + 1), malloc(r->n * sizeof *p.gradient + 1),
		malloc(r->n * sizeof *p.minus + 1) };
	enum err err = p.at && p.gradient && p.minus ? run_probes(r, &p, ret_diagonal, e)
						      : err_set(e, ERR_MEMORY, "out of memory");
	free(p.at);
	free(p.gradient);
	free(p.minus);
	return err;
}
