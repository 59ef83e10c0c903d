/* graph.c -- a network as nodes and values: looking things up.
 * SPDX-License-Identifier: MIT */
#include "evaluator/model/graph.h"

#include <stdio.h>
#include <string.h>

void graph_free(struct graph *g)
{
	if (!g)
		return;
	file_bytes_close(&g->file);
	arena_free(g->arena); /* g itself lives there */
}

int64_t dim_size(int64_t dim, int64_t batch)
{
	return dim < 0 ? -dim * batch : dim;
}

int64_t shape_count(const struct shape *s, int64_t batch)
{
	int64_t n = 1;
	for (int i = 0; i < s->rank; i++)
		n *= dim_size(s->dim[i], batch);
	return n;
}

bool shape_equal(const struct shape *a, const struct shape *b)
{
	if (a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (a->dim[i] != b->dim[i])
			return false;
	return true;
}

const char *shape_text(const struct shape *s, char buf[128])
{
	if (s->rank < 0)
		return strcpy(buf, "(unknown)");
	size_t used = (size_t)snprintf(buf, 128, "(");
	for (int i = 0; i < s->rank && used < 100; i++) {
		const char *comma = i ? ", " : "";
		long long d = s->dim[i];
		if (d == DIM_BATCH)
			used += (size_t)snprintf(buf + used, 128 - used, "%sbatch", comma);
		else if (d < 0)
			used += (size_t)snprintf(buf + used, 128 - used, "%s%lld x batch", comma, -d);
		else
			used += (size_t)snprintf(buf + used, 128 - used, "%s%lld", comma, d);
	}
	snprintf(buf + used, 128 - used, ")");
	return buf;
}

const float *value_floats(const struct value *v)
{
	size_t off = (uintptr_t)v->data % sizeof(float);
	if (off) { /* before it are the field's tag and length, at least three bytes that nobody needs any more */
		char *aligned = (char *)v->data - off;
		memmove(aligned, v->data, (size_t)shape_count(&v->shape, 1) * sizeof(float));
		((struct value *)v)->data = aligned;
	}
	return v->data;
}

size_t dtype_size(enum dtype t)
{
	return t == DTYPE_FLOAT ? sizeof(float) : sizeof(int64_t);
}

const struct value *node_input(const struct graph *g, const struct node *n, int i)
{
	return i < n->in_count && n->in[i] >= 0 ? &g->values[n->in[i]] : NULL;
}

const struct attribute *node_attribute(const struct node *n, const char *name)
{
	for (int i = 0; i < n->attribute_count; i++)
		if (!strcmp(n->attributes[i].name, name))
			return &n->attributes[i];
	return NULL;
}

int64_t node_int(const struct node *n, const char *name, int64_t otherwise)
{
	const struct attribute *a = node_attribute(n, name);
	return a && a->kind == ATTRIBUTE_INT ? a->i : otherwise;
}

float node_float(const struct node *n, const char *name, float otherwise)
{
	const struct attribute *a = node_attribute(n, name);
	return a && a->kind == ATTRIBUTE_FLOAT ? a->f : otherwise;
}

enum err node_axis(const struct node *n, int rank, int64_t otherwise, int *ret, struct errinfo *e)
{
	char text[256];
	int64_t axis = node_int(n, "axis", otherwise);
	if (axis < -rank || axis >= rank)
		return err_set(e, ERR_INPUT, "%s: attribute 'axis' is %lld, expected %d to %d", node_text(n, text),
			(long long)axis, -rank, rank - 1);
	*ret = (int)(axis < 0 ? axis + rank : axis);
	return ERR_OK;
}

enum err node_ints(
	const struct node *n, const char *name, size_t count, int64_t otherwise, int64_t *ret, struct errinfo *e)
{
	char text[256];
	const struct attribute *a = node_attribute(n, name);
	if (a && (a->kind != ATTRIBUTE_INTS || a->count != count))
		return err_set(e, ERR_INPUT, "%s: attribute '%s' has %zu values, expected %zu", node_text(n, text),
			name, a->kind == ATTRIBUTE_INTS ? a->count : 0, count);
	for (size_t i = 0; i < count; i++)
		ret[i] = a ? a->ints[i] : otherwise;
	return ERR_OK;
}

const char *node_text(const struct node *n, char buf[256])
{
	snprintf(buf, 256, "node '%.180s' (%.60s)", n->name, n->op < OP_COUNT ? op_table[n->op].name : n->type);
	return buf;
}
