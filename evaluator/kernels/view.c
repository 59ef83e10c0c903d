/* view.c -- numbers in memory, seen as a tensor.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/view.h"

#include <stdlib.h>

struct order order_row_major(void)
{
	struct order o;
	for (int i = 0; i < VIEW_MAX_RANK; i++)
		o.at[i] = i;
	return o;
}

struct order order_channels_last(int rank)
{
	struct order o = order_row_major();
	for (int i = 1; i + 1 < rank; i++)
		o.at[i] = i + 1;
	if (rank > 1)
		o.at[rank - 1] = 1;
	return o;
}

static bool says_nothing(const struct view *v, int axis)
{
	return v->dim[axis] == 1 || v->stride[axis] == 0;
}

/* Insertion sort by falling stride, stepping over what says nothing. */
struct order order_of(const struct view *v)
{
	struct order o = order_row_major();
	for (int i = 1; i < v->rank; i++) {
		int axis = o.at[i], to = i;
		if (says_nothing(v, axis))
			continue;
		for (int k = i - 1; k >= 0; k--) {
			if (says_nothing(v, o.at[k]))
				continue;
			if (llabs(v->stride[o.at[k]]) >= llabs(v->stride[axis]))
				break;
			to = k;
		}
		for (int k = i; k > to; k--)
			o.at[k] = o.at[k - 1];
		o.at[to] = axis;
	}
	return o;
}

struct view view_dense(int rank, const int64_t *dims, int64_t batch, const struct order *o, float *data)
{
	struct view v = { .rank = rank, .data = data };
	int64_t stride = 1;
	for (int i = 0; i < rank; i++)
		v.dim[i] = dim_size(dims[i], batch);
	for (int i = rank - 1; i >= 0; i--) {
		v.stride[o->at[i]] = stride;
		stride *= v.dim[o->at[i]];
	}
	return v;
}

struct view view_row_major(const struct shape *s, int64_t batch, float *data)
{
	struct order o = order_row_major();
	return view_dense(s->rank, s->dim, batch, &o, data);
}

int64_t view_count(const struct view *v)
{
	int64_t n = 1;
	for (int i = 0; i < v->rank; i++)
		n *= v->dim[i];
	return n;
}

bool view_same(const struct view *a, const struct view *b)
{
	if (a->rank != b->rank || a->data != b->data)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (a->dim[i] != b->dim[i] || (a->dim[i] != 1 && a->stride[i] != b->stride[i]))
			return false;
	return true;
}

bool view_is_dense(const struct view *v, const struct order *o)
{
	struct view dense = view_dense(v->rank, v->dim, 1, o, v->data);
	return view_same(v, &dense);
}

struct view view_permuted(const struct view *v, const int *permutation)
{
	struct view r = { .rank = v->rank, .data = v->data };
	for (int i = 0; i < v->rank; i++) {
		r.dim[i] = v->dim[permutation[i]];
		r.stride[i] = v->stride[permutation[i]];
	}
	return r;
}

struct view view_split(const struct view *v, int axis, int64_t inner)
{
	struct view r = { .rank = v->rank + 1, .data = v->data };
	for (int i = 0; i < r.rank; i++) {
		r.dim[i] = v->dim[i > axis ? i - 1 : i];
		r.stride[i] = v->stride[i > axis ? i - 1 : i];
	}
	r.dim[axis] /= inner;
	r.stride[axis] *= inner;
	r.dim[axis + 1] = inner;
	return r;
}

struct view view_lifted(const struct view *v, int rank)
{
	struct view r = { .rank = rank, .data = v->data };
	for (int i = 0; i < rank; i++) {
		int from = i - (rank - v->rank);
		r.dim[i] = from < 0 ? 1 : v->dim[from];
		r.stride[i] = from < 0 ? 0 : v->stride[from];
	}
	return r;
}

struct view view_expanded(const struct view *v, const int64_t *dims)
{
	struct view r = *v;
	for (int i = 0; i < v->rank; i++) {
		if (v->dim[i] == dims[i])
			continue;
		r.dim[i] = dims[i];
		r.stride[i] = 0;
	}
	return r;
}

/* Dimension i of v with the ones behind it that go on where it ends, as one run: *ret_next is behind the last. */
static int64_t run_from(const struct view *v, int i, int *ret_next)
{
	int64_t count = v->dim[i];
	for (i++; i < v->rank && (v->dim[i] == 1 || v->stride[i - 1] == v->dim[i] * v->stride[i]); i++)
		count *= v->dim[i];
	*ret_next = i;
	return count;
}

static struct view without_ones(const struct view *v)
{
	struct view r = { .data = v->data };
	for (int i = 0; i < v->rank; i++) {
		if (v->dim[i] == 1)
			continue;
		r.dim[r.rank] = v->dim[i];
		r.stride[r.rank++] = v->stride[i];
	}
	return r;
}

/* Each run of the old dimensions is cut into new ones from its inner end. */
bool view_reshaped(const struct view *v, int rank, const int64_t *dims, struct view *ret)
{
	struct view old = without_ones(v), r = { .rank = rank, .data = v->data };
	int at = 0;
	for (int i = 0; i < rank; i++) {
		r.dim[i] = dims[i];
		if (dims[i] == 1)
			continue;
		int first = i, next = at;
		int64_t run = at < old.rank ? run_from(&old, at, &next) : 0, product = dims[i];
		for (; product < run && i + 1 < rank; product *= dims[i]) {
			i++;
			r.dim[i] = dims[i];
		}
		if (product != run)
			return false;
		int64_t stride = old.stride[next - 1];
		for (int k = i; k >= first; k--) {
			r.stride[k] = stride;
			stride *= r.dim[k];
		}
		at = next;
	}
	*ret = r;
	return true;
}

static bool joins(const struct view *views, int count, int outer, int inner)
{
	for (int k = 0; k < count; k++)
		if (views[k].stride[outer] != views[k].dim[inner] * views[k].stride[inner])
			return false;
	return true;
}

static void drop(struct view *v, int axis)
{
	v->rank--;
	for (int i = axis; i < v->rank; i++) {
		v->dim[i] = v->dim[i + 1];
		v->stride[i] = v->stride[i + 1];
	}
}

void view_collapse(struct view *views, int count)
{
	struct order o = order_of(&views[0]);
	for (int k = 0; k < count; k++)
		views[k] = view_permuted(&views[k], o.at);
	for (int i = views[0].rank - 1; i >= 0 && views[0].rank > 1; i--) {
		bool one = views[0].dim[i] == 1;
		for (int k = 0; k < count && one; k++)
			drop(&views[k], i);
	}
	for (int i = views[0].rank - 2; i >= 0; i--) {
		if (!joins(views, count, i, i + 1))
			continue;
		for (int k = 0; k < count; k++) {
			views[k].dim[i + 1] *= views[k].dim[i];
			drop(&views[k], i);
		}
	}
}

struct walk walk_start(const struct view *views, int count, int depth)
{
	struct walk w = { .views = views, .count = count, .depth = depth };
	for (int k = 0; k < count; k++)
		w.at[k] = views[k].data;
	return w;
}

bool walk_next(struct walk *w)
{
	for (int i = w->depth - 1; i >= 0; i--) {
		bool more = ++w->index[i] < w->views[0].dim[i];
		for (int k = 0; k < w->count; k++)
			w->at[k] += more ? w->views[k].stride[i] : -(w->views[k].dim[i] - 1) * w->views[k].stride[i];
		if (more)
			return true;
		w->index[i] = 0;
	}
	return false;
}
