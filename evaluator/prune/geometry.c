/* geometry.c -- how far the filters of a tensor lie from each other.
 * SPDX-License-Identifier: MIT
 *
 * |a - b|^2 = a.a + b.b - 2 a.b, and all a.b are a product of matrices (OpenBLAS), block of rows by block of rows: only
 * what lies right of the diagonal. */
#include "evaluator/prune/geometry.h"

#include <cblas.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/model/graph.h"

enum { BLOCK = 256 };

/* n vectors of `length` numbers each, one after the other. */
struct vectors {
	const float *x;
	int64_t n, length;
	double *squares; /* by vector */
	float *products; /* BLOCK x n */
};

/* The indices along a dimension as vectors: the tensor itself when it is the first one, else a copy. */
static const float *rows_of(const struct value *v, int dim, int64_t n, int64_t length, float *copy)
{
	int64_t inner = 1, outer = 1;
	const float *from = value_floats(v);
	if (dim == 0)
		return from;
	for (int i = 0; i < v->shape.rank; i++) {
		if (i < dim)
			outer *= v->shape.dim[i];
		if (i > dim)
			inner *= v->shape.dim[i];
	}
	for (int64_t o = 0; o < outer; o++)
		for (int64_t i = 0; i < n; i++, from += inner)
			memcpy(copy + i * length + o * inner, from, (size_t)inner * sizeof *from);
	return copy;
}

static void sum_squares(struct vectors *v)
{
	for (int64_t i = 0; i < v->n; i++) {
		v->squares[i] = 0;
		for (int64_t k = 0; k < v->length; k++)
			v->squares[i] += (double)v->x[i * v->length + k] * (double)v->x[i * v->length + k];
	}
}

/* Distances between vectors first .. first + count - 1 and all from there on. */
static void add_block(const struct vectors *v, int64_t first, int64_t count, double *ret)
{
	int64_t columns = v->n - first;
	const float *x = v->x + first * v->length;
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, (int)columns, (int)v->length, 1, x,
		(int)v->length, x, (int)v->length, 0, v->products, (int)columns);
	for (int64_t i = 0; i < count; i++)
		for (int64_t j = i + 1; j < columns; j++) {
			double squared = v->squares[first + i] + v->squares[first + j] -
				2 * (double)v->products[i * columns + j];
			double distance = squared > 0 ? sqrt(squared) : 0;
			ret[first + i] += distance;
			ret[first + j] += distance;
		}
}

enum err geometry_distances(const struct value *value, int dim, double *ret, struct errinfo *e)
{
	int64_t n = value->shape.dim[dim], all = shape_count(&value->shape, 1);
	struct vectors v = { .n = n, .length = all / n };
	float *copy = dim ? malloc((size_t)all * sizeof *copy) : NULL;
	v.squares = calloc((size_t)n, sizeof *v.squares);
	v.products = calloc((size_t)n, BLOCK * sizeof *v.products);
	enum err err = ERR_OK;
	if ((dim && !copy) || !v.squares || !v.products) {
		err = err_set(e, ERR_MEMORY, "out of memory for distances of filters");
	} else {
		v.x = rows_of(value, dim, n, v.length, copy);
		sum_squares(&v);
		memset(ret, 0, (size_t)n * sizeof *ret);
		for (int64_t first = 0; first < n; first += BLOCK)
			add_block(&v, first, n - first < BLOCK ? n - first : BLOCK, ret);
	}
	free(copy);
	free(v.squares);
	free(v.products);
	return err;
}
