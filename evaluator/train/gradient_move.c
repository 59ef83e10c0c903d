/* gradient_move.c -- the backward pass of what moves numbers: they move back, and copies are added up.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "evaluator/model/operand.h"
#include "evaluator/train/gradient_rules.h"

void gradient_reshape(struct backward *b, const struct node *n, const int *dy)
{
	struct shape x = gradient_shape(b, n, 0);
	gradient_flow(b, n, 0, writer_reshape(&b->w, *dy, &x));
}

/* Output dimension i is input dimension order[i]. */
static int transposed(struct backward *b, int x, const int64_t *order)
{
	struct shape is = writer_shape(&b->w, x), s = is;
	for (int i = 0; i < s.rank; i++)
		s.dim[i] = is.dim[order[i]];
	int y = writer_node(&b->w, OP_TRANSPOSE, 1, &x, &s);
	writer_ints(&b->w, "perm", s.rank, order);
	return y;
}

void gradient_transpose(struct backward *b, const struct node *n, const int *dy)
{
	int rank = gradient_shape(b, n, 0).rank, order[SHAPE_MAX_RANK] = { 0 };
	int64_t back[SHAPE_MAX_RANK] = { 0 };
	writer_fail(&b->w, operand_permutation(b->net, n, rank, order, b->w.e));
	for (int i = 0; i < rank; i++)
		back[order[i]] = i;
	gradient_flow(b, n, 0, transposed(b, *dy, back));
}

void gradient_concat(struct backward *b, const struct node *n, const int *dy)
{
	int axis = 0;
	writer_fail(&b->w, node_axis(n, writer_shape(&b->w, *dy).rank, 0, &axis, b->w.e));
	int64_t start = 0, end;
	for (int k = 0; k < n->in_count && !b->w.err; k++, start = end) {
		struct shape part = gradient_shape(b, n, k);
		end = start + part.dim[axis];
		if (!gradient_wanted(b, n, k))
			continue;
		int d = writer_node(&b->w, OP_SLICE, 1, dy, &part);
		writer_ints(&b->w, "axes", 1, (int64_t[]){ axis });
		writer_ints(&b->w, "starts", 1, &start);
		writer_ints(&b->w, "ends", 1, &end);
		gradient_flow(b, n, k, d);
	}
}

/* Parts that nothing flows to are zeros. */
void gradient_split(struct backward *b, const struct node *n, const int *dy)
{
	struct shape x = gradient_shape(b, n, 0);
	int axis = 0, *parts = ARENA_ARRAY(b->w.g->arena, int, (size_t)n->out_count);
	int64_t *sizes = ARENA_ARRAY(b->w.g->arena, int64_t, (size_t)n->out_count);
	if (!parts || !sizes)
		writer_fail(&b->w, err_set(b->w.e, ERR_MEMORY, "out of memory"));
	else
		writer_fail(&b->w, operand_split(b->net, n, &axis, sizes, b->w.e));
	if (b->w.err)
		return;
	for (int k = 0; k < n->out_count; k++) {
		struct shape part = x;
		part.dim[axis] = sizes[k];
		parts[k] = dy[k] >= 0 ? dy[k] : writer_spread(&b->w, writer_constant(&b->w, 0), &part);
	}
	int dx = writer_node(&b->w, OP_CONCAT, n->out_count, parts, &x);
	writer_int(&b->w, "axis", axis);
	gradient_flow(b, n, 0, dx);
}

void gradient_expand(struct backward *b, const struct node *n, const int *dy)
{
	struct shape x = gradient_shape(b, n, 0);
	gradient_flow(b, n, 0, writer_sum_to(&b->w, *dy, &x));
}

/* The node's inputs in their places, then dy. */
static void flow_moved(struct backward *b, const struct node *n, enum op op, int places, int dy)
{
	int in[SHAPE_MAX_RANK];
	for (int k = 0; k < places; k++)
		in[k] = k < n->in_count ? n->in[k] : -1;
	in[places] = dy;
	gradient_flow(b, n, 0, gradient_node(b, op, n, 0, places + 1, in));
}

/* Slice, Gather, Tile, Pad. */
void gradient_moved(struct backward *b, const struct node *n, const int *dy)
{
	enum op op = n->op == OP_SLICE ? OP_SLICE_GRADIENT
		: n->op == OP_GATHER   ? OP_GATHER_GRADIENT
		: n->op == OP_TILE     ? OP_TILE_GRADIENT
				       : OP_PAD_GRADIENT;
	flow_moved(b, n, op, op_table[n->op].max_in, *dy);
}

/* Where an Upsample is in a network, Resize has its places and defaults too: both are older than opset 11. */
void gradient_resize(struct backward *b, const struct node *n, const int *dy)
{
	flow_moved(b, n, OP_RESIZE_GRADIENT, op_table[OP_RESIZE].max_in, *dy);
}

/* ---- blocks ---- */

void gradient_space_to_depth(struct backward *b, const struct node *n, const int *dy)
{
	gradient_flow(b, n, 0, gradient_node(b, OP_DEPTH_TO_SPACE, n, 0, 1, dy));
}

/* (batch, c, h, block, w, block) back to (batch, c, block, block, h, w) for CRD; DCR has an operator. */
void gradient_depth_to_space(struct backward *b, const struct node *n, const int *dy)
{
	const struct attribute *mode = node_attribute(n, "mode");
	struct shape x = gradient_shape(b, n, 0), y = writer_shape(&b->w, *dy);
	int64_t block = node_int(n, "blocksize", 1);
	if (!mode || strcmp(mode->s, "CRD")) {
		int dx = writer_node(&b->w, OP_SPACE_TO_DEPTH, 1, dy, &x);
		writer_int(&b->w, "blocksize", block);
		gradient_flow(b, n, 0, dx);
		return;
	}
	struct shape blocks = { 6, { x.dim[0], y.dim[1], x.dim[2], block, x.dim[3], block } };
	int moved = transposed(b, writer_reshape(&b->w, *dy, &blocks), (int64_t[]){ 0, 1, 3, 5, 2, 4 });
	gradient_flow(b, n, 0, writer_reshape(&b->w, moved, &x));
}
