/* nets.c -- small networks, one a kind of coupling.
 * SPDX-License-Identifier: MIT */
#include "tests/evaluator/nets.h"

#include <check.h>
#include <string.h>

#include "evaluator/model/graph.h"

#define DIMS(...) (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[]){ __VA_ARGS__ }
#define NODE(s, op, ...) \
	sketch_node(s, op, (int)(sizeof((int[]){ __VA_ARGS__ }) / sizeof(int)), (int[]){ __VA_ARGS__ })

/* ---- pieces ---- */

static const struct sketch_window K3 = {
	.kernel = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .pads = { 1, 1, 1, 1 }
};
static const struct sketch_window K1 = { .kernel = { 1, 1 }, .stride = { 1, 1 }, .dilation = { 1, 1 } };
static const struct sketch_window HALVE = { .kernel = { 2, 2 }, .stride = { 2, 2 }, .dilation = { 1, 1 } };

static int conv3(struct sketch *s, int x, int64_t out)
{
	return sketch_one(s, OP_RELU, sketch_conv(s, x, out, &K3, true));
}

static int grouped(struct sketch *s, int x, int64_t out, int64_t group)
{
	struct sketch_window w = K3;
	w.group = group;
	return sketch_one(s, OP_RELU, sketch_conv(s, x, out, &w, true));
}

static int concat(struct sketch *s, int axis, int x, int y)
{
	int z = sketch_two(s, OP_CONCAT, x, y);
	sketch_int(s, "axis", axis);
	return z;
}

static int reshape(struct sketch *s, int x, int count, const int64_t *sizes)
{
	return sketch_two(s, OP_RESHAPE, x, sketch_operand(s, count, sizes));
}

static int transpose(struct sketch *s, int x, int count, const int64_t *perm)
{
	int y = sketch_one(s, OP_TRANSPOSE, x);
	sketch_ints(s, "perm", count, perm);
	return y;
}

static int slice(struct sketch *s, int x, int axis, const int64_t bounds[3])
{
	return NODE(s, OP_SLICE, x, sketch_operand(s, DIMS(bounds[0])), sketch_operand(s, DIMS(bounds[1])),
		sketch_operand(s, DIMS(axis)), sketch_operand(s, DIMS(bounds[2])));
}

/* x W + b over the last dimension. */
static int linear(struct sketch *s, int x, int64_t out)
{
	const struct shape *shape = sketch_shape(s, x);
	int64_t in = shape->dim[shape->rank - 1];
	int y = sketch_two(s, OP_MATMUL, x, sketch_tensor(s, -0.7, 0.7, DIMS(in, out)));
	return sketch_add(s, y, sketch_tensor(s, -1, 1, DIMS(out)));
}

/* Global pooling and a classifier of three. */
static void finish(struct sketch *s, int x)
{
	int y = sketch_one(s, OP_FLATTEN, sketch_one(s, OP_GLOBAL_AVERAGE_POOL, x));
	sketch_finish(s, sketch_gemm(s, y, 3, true, true));
}

/* ---- concatenation and parts ---- */

static void cascaded_concat(struct sketch *s)
{
	int a = conv3(s, 0, 8), ab = concat(s, 1, a, conv3(s, a, 6));
	int abc = concat(s, 1, ab, conv3(s, sketch_one(s, OP_RELU, sketch_batch_norm(s, ab)), 5));
	finish(s, conv3(s, abc, 7));
}

static void split_and_rejoin(struct sketch *s)
{
	int x = conv3(s, 0, 12);
	int parts = sketch_node_of(s, OP_SPLIT, 2, (int[]){ x, sketch_operand(s, DIMS(5, 7)) }, 2);
	sketch_int(s, "axis", 1);
	int sum = sketch_add(s, conv3(s, parts, 6), conv3(s, parts + 1, 6));
	finish(s, concat(s, 1, parts + 1, sum));
}

/* Without sizes, the halves stay equal: a gated linear unit. */
static void equal_split(struct sketch *s)
{
	int parts = sketch_node_of(s, OP_SPLIT, 1, (int[]){ sketch_conv(s, 0, 10, &K3, true) }, 2);
	sketch_int(s, "axis", 1);
	finish(s, conv3(s, sketch_two(s, OP_MUL, parts, sketch_one(s, OP_SIGMOID, parts + 1)), 4));
}

static void sliced_channels(struct sketch *s)
{
	int x = conv3(s, 0, 9);
	int head = slice(s, x, 1, (int64_t[]){ 0, 4, 1 }), tail = slice(s, x, 1, (int64_t[]){ -5, 1000, 1 });
	finish(s, concat(s, 1, conv3(s, tail, 6), head));
}

static void gathered_channels(struct sketch *s)
{
	int y = sketch_two(s, OP_GATHER, conv3(s, 0, 6), sketch_operand(s, DIMS(5, 0, -3, 1)));
	sketch_int(s, "axis", 1);
	finish(s, conv3(s, y, 4));
}

static void tiled_channels(struct sketch *s)
{
	int y = sketch_two(s, OP_TILE, conv3(s, 0, 4), sketch_operand(s, DIMS(1, 3, 1, 1)));
	finish(s, conv3(s, y, 5));
}

/* The cheap shortcut of the first residual networks: every second place, zeros for the new channels. */
static void padded_shortcut(struct sketch *s)
{
	int x = conv3(s, 0, 6);
	struct sketch_window w = K3;
	w.stride[0] = w.stride[1] = 2;
	int deep = sketch_batch_norm(s, sketch_conv(s, x, 10, &w, false));
	int flat = slice(s, slice(s, x, 2, (int64_t[]){ 0, 1000, 2 }), 3, (int64_t[]){ 0, 1000, 2 });
	int wide = sketch_two(s, OP_PAD, flat, sketch_operand(s, DIMS(0, 2, 0, 0, 0, 2, 0, 0)));
	finish(s, sketch_one(s, OP_RELU, sketch_add(s, deep, wide)));
}

/* ---- convolutions ---- */

/* One weight, one bias, three times. */
static void shared_convolution(struct sketch *s)
{
	int x = conv3(s, 0, 7);
	int w = sketch_tensor(s, -0.3, 0.3, DIMS(7, 7, 3, 3)), b = sketch_tensor(s, -1, 1, DIMS(7));
	for (int i = 0; i < 3; i++) {
		int y = NODE(s, OP_CONV, x, w, b);
		sketch_ints(s, "pads", DIMS(1, 1, 1, 1));
		x = sketch_one(s, OP_RELU, y);
	}
	finish(s, x);
}

static int shuffle(struct sketch *s, int x, int64_t groups)
{
	const struct shape shape = *sketch_shape(s, x);
	int y = reshape(s, x, DIMS(-1, groups, shape.dim[1] / groups, shape.dim[2], shape.dim[3]));
	return reshape(s, transpose(s, y, DIMS(0, 2, 1, 3, 4)), DIMS(0, -1, shape.dim[2], shape.dim[3]));
}

static void shuffled_groups(struct sketch *s)
{
	finish(s, grouped(s, shuffle(s, grouped(s, conv3(s, 0, 16), 16, 2), 2), 16, 2));
}

static void shuffled_depthwise(struct sketch *s)
{
	finish(s, conv3(s, grouped(s, shuffle(s, grouped(s, conv3(s, 0, 12), 12, 3), 3), 12, 12), 5));
}

static void depthwise_multiplier(struct sketch *s)
{
	finish(s, conv3(s, sketch_batch_norm(s, grouped(s, conv3(s, 0, 5), 10, 5)), 4));
}

static void inverted_residual(struct sketch *s)
{
	int x = conv3(s, 0, 6);
	int wide = sketch_one(s, OP_RELU, sketch_batch_norm(s, sketch_conv(s, x, 11, &K1, false)));
	int y = sketch_batch_norm(s, sketch_conv(s, grouped(s, wide, 11, 11), 6, &K1, false));
	finish(s, sketch_add(s, x, y));
}

static void encoder_decoder(struct sketch *s)
{
	int skip = conv3(s, 0, 6), deep = conv3(s, sketch_max_pool(s, skip, &HALVE), 8);
	int up = sketch_one(s, OP_RELU, sketch_conv_transpose(s, deep, 4, &HALVE, true));
	sketch_finish(s, sketch_conv(s, conv3(s, concat(s, 1, skip, up), 5), 2, &K1, true));
}

static void grouped_transpose(struct sketch *s)
{
	struct sketch_window lock = HALVE, deep = HALVE;
	lock.group = 2;
	deep.group = 6;
	int y = sketch_one(s, OP_RELU, sketch_conv_transpose(s, conv3(s, 0, 8), 6, &lock, true));
	finish(s, conv3(s, sketch_conv_transpose(s, conv3(s, y, 6), 12, &deep, true), 4));
}

static void one_dimensional(struct sketch *s)
{
	struct sketch_window w = { .kernel = { 3 }, .stride = { 1 }, .dilation = { 1 }, .pads = { 1, 1 } };
	int x = sketch_one(s, OP_RELU, sketch_batch_norm(s, sketch_conv(s, 0, 7, &w, false)));
	struct sketch_window pool = { .kernel = { 2 }, .stride = { 2 }, .dilation = { 1 } };
	finish(s, sketch_one(s, OP_RELU, sketch_conv(s, sketch_max_pool(s, x, &pool), 5, &w, true)));
}

/* ---- gates and slopes ---- */

static void channel_gate(struct sketch *s)
{
	int x = sketch_one(s, OP_RELU, sketch_batch_norm(s, sketch_conv(s, 0, 8, &K3, false)));
	int squeezed = sketch_one(s, OP_RELU, sketch_conv(s, sketch_one(s, OP_GLOBAL_AVERAGE_POOL, x), 4, &K1, true));
	int gate = sketch_one(s, OP_SIGMOID, sketch_conv(s, squeezed, 8, &K1, true));
	finish(s, conv3(s, sketch_two(s, OP_MUL, gate, x), 5));
}

/* One gate for all channels of a place. */
static void spatial_gate(struct sketch *s)
{
	int x = conv3(s, 0, 8), gate = sketch_one(s, OP_SIGMOID, sketch_conv(s, x, 1, &K1, true));
	finish(s, conv3(s, sketch_two(s, OP_MUL, x, gate), 5));
}

/* The same, from mean and maximum over the channels. */
static void pooled_gate(struct sketch *s)
{
	int x = conv3(s, 0, 8);
	int mean = sketch_one(s, OP_REDUCE_MEAN, x);
	sketch_ints(s, "axes", DIMS(1));
	int most = sketch_one(s, OP_REDUCE_MAX, x);
	sketch_ints(s, "axes", DIMS(-3));
	int gate = sketch_one(s, OP_SIGMOID, sketch_conv(s, concat(s, 1, mean, most), 1, &K3, true));
	finish(s, conv3(s, sketch_two(s, OP_MUL, x, gate), 5));
}

static void learned_slopes(struct sketch *s)
{
	int x = sketch_conv(s, 0, 8, &K3, true);
	int y = sketch_two(s, OP_PRELU, x, sketch_tensor(s, 0.1, 0.4, DIMS(8, 1, 1)));
	finish(s, sketch_two(s, OP_MUL, conv3(s, y, 5), sketch_tensor(s, 0.5, 1.5, DIMS(1, 5, 1, 1))));
}

/* Zero doesn't stay zero. */
static void moved_zeros(struct sketch *s)
{
	int x = sketch_one(s, OP_SIGMOID, sketch_conv(s, 0, 7, &K3, true));
	finish(s, sketch_one(s, OP_EXP, sketch_one(s, OP_TANH, sketch_conv(s, x, 5, &K3, true))));
}

/* ---- normalisation ---- */

static int group_norm(struct sketch *s, int x, int64_t groups)
{
	s->g->opset = 18;
	int y = NODE(s, OP_GROUP_NORM, x, sketch_tensor(s, 0.5, 1.5, DIMS(groups)),
		sketch_tensor(s, -1, 1, DIMS(groups)));
	sketch_int(s, "num_groups", groups);
	return y;
}

/* As exporters write it before there was an operator: one instance a group, then scale and shift. */
static int written_group_norm(struct sketch *s, int x, int64_t groups)
{
	const struct shape shape = *sketch_shape(s, x);
	int flat = reshape(s, x, DIMS(0, groups, -1));
	int y = NODE(s, OP_INSTANCE_NORM, flat, sketch_tensor(s, 1, 1, DIMS(groups)),
		sketch_tensor(s, 0, 0, DIMS(groups)));
	y = reshape(s, y, DIMS(-1, shape.dim[1], shape.dim[2], shape.dim[3]));
	y = sketch_two(s, OP_MUL, y, sketch_tensor(s, 0.5, 1.5, DIMS(shape.dim[1], 1, 1)));
	return sketch_add(s, y, sketch_tensor(s, -1, 1, DIMS(shape.dim[1], 1, 1)));
}

/* Few channels a group: whole groups go. */
static void whole_groups(struct sketch *s)
{
	finish(s, conv3(s, group_norm(s, sketch_conv(s, 0, 12, &K3, true), 4), 5));
}

/* Many: index j of every group goes, and what is left is normalised by itself. */
static void parts_of_groups(struct sketch *s)
{
	finish(s, conv3(s, group_norm(s, sketch_conv(s, 0, 12, &K3, true), 2), 5));
}

static void written_whole_groups(struct sketch *s)
{
	finish(s, conv3(s, written_group_norm(s, sketch_conv(s, 0, 12, &K3, true), 4), 5));
}

static void written_parts_of_groups(struct sketch *s)
{
	finish(s, conv3(s, written_group_norm(s, sketch_conv(s, 0, 12, &K3, true), 3), 5));
}

static int instance_norm(struct sketch *s, int x, int64_t channels)
{
	return NODE(s, OP_INSTANCE_NORM, x, sketch_tensor(s, 0.5, 1.5, DIMS(channels)),
		sketch_tensor(s, -1, 1, DIMS(channels)));
}

static void instances(struct sketch *s)
{
	int x = sketch_one(s, OP_RELU, instance_norm(s, sketch_conv(s, 0, 6, &K3, true), 6));
	finish(s, sketch_one(s, OP_RELU, instance_norm(s, sketch_conv(s, x, 4, &K3, true), 4)));
}

static int layer_norm(struct sketch *s, int x, int64_t channels)
{
	s->g->opset = 18;
	int y = NODE(s, OP_LAYER_NORM, x, sketch_tensor(s, 0.5, 1.5, DIMS(channels)),
		sketch_tensor(s, -1, 1, DIMS(channels)));
	sketch_int(s, "axis", -1);
	return y;
}

/* As exporters write it before there was an operator. */
static int written_layer_norm(struct sketch *s, int x, int64_t channels)
{
	int mean = sketch_one(s, OP_REDUCE_MEAN, x);
	sketch_ints(s, "axes", DIMS(-1));
	int centred = sketch_two(s, OP_SUB, x, mean);
	int variance = sketch_one(s, OP_REDUCE_MEAN, sketch_two(s, OP_MUL, centred, centred));
	sketch_ints(s, "axes", DIMS(-1));
	int spread = sketch_one(s, OP_SQRT, sketch_add(s, variance, sketch_tensor(s, 1e-5, 1e-5, 0, NULL)));
	int scale = sketch_tensor(s, 0.5, 1.5, DIMS(channels));
	int y = sketch_two(s, OP_MUL, sketch_two(s, OP_DIV, centred, spread), scale);
	return sketch_add(s, y, sketch_tensor(s, -1, 1, DIMS(channels)));
}

/* x (1 + erf(x / sqrt 2)) / 2 */
static int gelu(struct sketch *s, int x)
{
	int scaled = sketch_two(s, OP_DIV, x, sketch_tensor(s, 1.41421356, 1.41421356, 0, NULL));
	int one = sketch_add(s, sketch_one(s, OP_ERF, scaled), sketch_tensor(s, 1, 1, 0, NULL));
	return sketch_two(s, OP_MUL, sketch_two(s, OP_MUL, x, one), sketch_tensor(s, 0.5, 0.5, 0, NULL));
}

/* x + f(norm(x)) */
static void layer_norm_mlp(struct sketch *s)
{
	int x = linear(s, 0, 8);
	int y = linear(s, gelu(s, linear(s, layer_norm(s, x, 8), 12)), 8);
	sketch_finish(s, linear(s, sketch_add(s, x, y), 3));
}

static void written_layer_norm_mlp(struct sketch *s)
{
	int x = linear(s, 0, 8);
	int y = linear(s, gelu(s, linear(s, written_layer_norm(s, x, 8), 12)), 8);
	sketch_finish(s, linear(s, sketch_add(s, x, y), 3));
}

/* ---- regrouped dimensions ---- */

static void flattened_maps(struct sketch *s)
{
	int y = sketch_gemm(s, sketch_one(s, OP_FLATTEN, conv3(s, 0, 5)), 6, false, true);
	sketch_finish(s, sketch_gemm(s, sketch_one(s, OP_RELU, y), 3, true, true));
}

static int depth_to_space(struct sketch *s, int x, const char *mode)
{
	int y = sketch_one(s, OP_DEPTH_TO_SPACE, x);
	sketch_int(s, "blocksize", 2);
	sketch_string(s, "mode", mode);
	return y;
}

static void pixel_shuffle(struct sketch *s)
{
	int x = depth_to_space(s, conv3(s, 0, 12), "CRD");
	finish(s, conv3(s, depth_to_space(s, conv3(s, x, 8), "DCR"), 4));
}

/* As exporters write it: (c, 2, 2, h, w) to (c, h, 2, w, 2). */
static void written_pixel_shuffle(struct sketch *s)
{
	int x = reshape(s, conv3(s, 0, 12), DIMS(0, 3, 2, 2, 8, 8));
	x = reshape(s, transpose(s, x, DIMS(0, 1, 4, 2, 5, 3)), DIMS(0, 3, 16, 16));
	int y = sketch_one(s, OP_SPACE_TO_DEPTH, conv3(s, x, 5));
	sketch_int(s, "blocksize", 2);
	finish(s, conv3(s, y, 4));
}

/* By sizes, which name the channels too, and by scales. */
static void resized(struct sketch *s)
{
	int empty = sketch_tensor(s, 0, 0, DIMS(0));
	int x = NODE(s, OP_RESIZE, conv3(s, 0, 6), empty, empty, sketch_operand(s, DIMS(-1, 6, 12, 12)));
	sketch_string(s, "mode", "nearest");
	sketch_string(s, "coordinate_transformation_mode", "asymmetric");
	sketch_string(s, "nearest_mode", "floor");
	int scales = sketch_tensor(s, 1, 1, DIMS(4));
	((float *)s->g->values[scales].data)[2] = ((float *)s->g->values[scales].data)[3] = 2;
	x = NODE(s, OP_RESIZE, conv3(s, x, 5), empty, scales);
	sketch_string(s, "mode", "linear");
	finish(s, conv3(s, x, 4));
}

/* A learned vector, expanded to all samples and put before the places; and positions, added. */
static void class_token(struct sketch *s)
{
	int places = transpose(s, reshape(s, conv3(s, 0, 6), DIMS(0, 6, -1)), DIMS(0, 2, 1));
	int sizes = sketch_operand(s, DIMS(-1, 1, 6));
	s->g->values[sizes].batch_sizes = true;
	int token = sketch_two(s, OP_EXPAND, sketch_tensor(s, -1, 1, DIMS(1, 1, 6)), sizes);
	int x = sketch_add(s, concat(s, 1, token, places), sketch_tensor(s, -1, 1, DIMS(1, 65, 6)));
	int y = sketch_add(s, x, linear(s, gelu(s, linear(s, x, 9)), 6));
	int first = sketch_two(s, OP_GATHER, y, sketch_operand(s, DIMS(0)));
	sketch_int(s, "axis", 1);
	sketch_finish(s, linear(s, sketch_one(s, OP_FLATTEN, first), 3));
}

/* ---- ports ---- */

static void two_inputs(struct sketch *s)
{
	int side = sketch_input(s, DIMS(5));
	int image = sketch_one(s, OP_FLATTEN, sketch_one(s, OP_GLOBAL_AVERAGE_POOL, conv3(s, 0, 6)));
	int text = sketch_one(s, OP_RELU, sketch_gemm(s, side, 7, true, true));
	int both = sketch_one(s, OP_RELU, sketch_gemm(s, concat(s, 1, image, text), 8, false, true));
	sketch_finish(s, sketch_gemm(s, both, 3, true, true));
}

static void two_outputs(struct sketch *s)
{
	int x = conv3(s, 0, 6);
	sketch_output(s, sketch_conv(s, conv3(s, x, 5), 2, &K1, true));
	finish(s, conv3(s, x, 7));
}

/* ---- attention ---- */

/* Channels are mixed at each place and places in each channel: then the stream of channels must stay. */
static void mixer(struct sketch *s)
{
	int x = transpose(s, reshape(s, sketch_conv(s, 0, 6, &HALVE, true), DIMS(0, 6, -1)), DIMS(0, 2, 1));
	int tokens = transpose(s, layer_norm(s, x, 6), DIMS(0, 2, 1));
	x = sketch_add(s, x, transpose(s, linear(s, gelu(s, linear(s, tokens, 5)), 16), DIMS(0, 2, 1)));
	x = sketch_add(s, x, linear(s, gelu(s, linear(s, layer_norm(s, x, 6), 7)), 6));
	int y = sketch_one(s, OP_REDUCE_MEAN, x);
	sketch_ints(s, "axes", DIMS(1));
	sketch_int(s, "keepdims", 0);
	s->g->opset = 17;
	sketch_finish(s, linear(s, y, 3));
}

static int pick(struct sketch *s, int x, int64_t i)
{
	int index = sketch_operand(s, DIMS(i));
	s->g->values[index].shape.rank = 0;
	int y = sketch_two(s, OP_GATHER, x, index);
	sketch_int(s, "axis", 0);
	return y;
}

/* Two heads of four; queries, keys and values from one layer. */
static void attention(struct sketch *s)
{
	int x = linear(s, 0, 6);
	int all = transpose(s, reshape(s, linear(s, x, 24), DIMS(0, 5, 3, 2, 4)), DIMS(2, 0, 3, 1, 4));
	int q = pick(s, all, 0), k = transpose(s, pick(s, all, 1), DIMS(0, 1, 3, 2));
	int weights = sketch_two(s, OP_MUL, sketch_two(s, OP_MATMUL, q, k), sketch_tensor(s, 0.5, 0.5, 0, NULL));
	weights = sketch_one(s, OP_SOFTMAX, weights);
	sketch_int(s, "axis", -1);
	int heads = transpose(s, sketch_two(s, OP_MATMUL, weights, pick(s, all, 2)), DIMS(0, 2, 1, 3));
	x = sketch_add(s, x, linear(s, reshape(s, heads, DIMS(0, 5, 8)), 6));
	sketch_finish(s, linear(s, sketch_add(s, x, linear(s, gelu(s, linear(s, x, 9)), 6)), 2));
}

/* The same product of weights as an equation. */
static void equation(struct sketch *s)
{
	int y = sketch_two(s, OP_EINSUM, linear(s, 0, 6), sketch_tensor(s, -1, 1, DIMS(6, 8)));
	sketch_string(s, "equation", "btc,cd->btd");
	sketch_finish(s, linear(s, gelu(s, y), 3));
}

/* ---- the list ---- */

#define IMAGE 3, { 3, 8, 8 }

const struct net nets[] = {
	{ "cascaded concat", cascaded_concat, IMAGE, DUE_PRODUCERS, { 8, 6, 5, 7 } },
	{ "unequal split and rejoin", split_and_rejoin, IMAGE, DUE_PRODUCERS, { 5, 7, 6 } },
	{ "equal split", equal_split, IMAGE, DUE_PRODUCERS, { 5, 4 } },
	{ "sliced channels", sliced_channels, IMAGE, DUE_PRODUCERS, { 4, 5, 6 } },
	{ "gathered channels", gathered_channels, IMAGE, DUE_PRODUCERS, { 4, 2, 4 } },
	{ "tiled channels", tiled_channels, IMAGE, DUE_PRODUCERS, { 4, 5 } },
	{ "padded shortcut", padded_shortcut, IMAGE, DUE_PRODUCERS, { 6, 4 } },
	{ "shared convolution", shared_convolution, IMAGE, DUE_PRODUCERS, { 7 } },
	{ "shuffle into groups", shuffled_groups, IMAGE, DUE_PRODUCERS, { 8, 4, 8 } },
	{ "shuffle into depthwise", shuffled_depthwise, IMAGE, DUE_PRODUCERS, { 4, 4, 5 } },
	{ "depthwise with multiplier", depthwise_multiplier, IMAGE, DUE_PRODUCERS, { 5, 4 } },
	{ "inverted residual", inverted_residual, IMAGE, DUE_PRODUCERS, { 6, 11 } },
	{ "encoder and decoder", encoder_decoder, IMAGE, DUE_PRODUCERS, { 6, 8, 4, 5 } },
	{ "grouped transposed convolution", grouped_transpose, IMAGE, DUE_PRODUCERS, { 4, 3, 6, 4 } },
	{ "one dimension", one_dimensional, 2, { 3, 16 }, DUE_PRODUCERS, { 7, 5 } },
	{ "channel gate", channel_gate, IMAGE, DUE_PRODUCERS, { 8, 4, 5 } },
	{ "spatial gate", spatial_gate, IMAGE, DUE_PRODUCERS, { 8, 5 } },
	{ "pooled spatial gate", pooled_gate, IMAGE, DUE_OUTSIDE, { -8, 5 } },
	{ "moved zeros", moved_zeros, IMAGE, DUE_READERS, { 7, 5 } },
	{ "learned slopes", learned_slopes, IMAGE, DUE_PRODUCERS, { 8, 5 } },
	{ "group norm, whole groups", whole_groups, IMAGE, DUE_PRODUCERS, { 4, 5 } },
	{ "group norm, parts of groups", parts_of_groups, IMAGE, DUE_OUTSIDE, { -6, 5 } },
	{ "written group norm, whole groups", written_whole_groups, IMAGE, DUE_PRODUCERS, { 4, 5 } },
	{ "written group norm, parts of groups", written_parts_of_groups, IMAGE, DUE_OUTSIDE, { -4, 5 } },
	{ "instance norm", instances, IMAGE, DUE_PRODUCERS, { 6, 4 } },
	{ "layer norm MLP", layer_norm_mlp, 1, { 10 }, DUE_OUTSIDE, { -8, 12 } },
	{ "written layer norm MLP", written_layer_norm_mlp, 1, { 10 }, DUE_OUTSIDE, { -8, 12 } },
	{ "flattened maps", flattened_maps, 3, { 1, 16, 16 }, DUE_PRODUCERS, { 5, 6 } },
	{ "pixel shuffle", pixel_shuffle, IMAGE, DUE_PRODUCERS, { 3, 2, 4 } },
	{ "written pixel shuffle", written_pixel_shuffle, IMAGE, DUE_PRODUCERS, { 3, 5, 4 } },
	{ "resized", resized, IMAGE, DUE_PRODUCERS, { 6, 5, 4 } },
	{ "class token", class_token, IMAGE, DUE_PRODUCERS, { 6, 9 } },
	{ "two inputs", two_inputs, IMAGE, DUE_PRODUCERS, { 6, 7, 8 } },
	{ "two outputs", two_outputs, IMAGE, DUE_PRODUCERS, { 6, 5, 7 } },
	{ "mixer", mixer, IMAGE, DUE_PRODUCERS, { 5, 7 } },
	{ "attention", attention, 2, { 5, 6 }, DUE_PRODUCERS, { 6, 4, 9 } },
	{ "equation", equation, 2, { 5, 6 }, DUE_PRODUCERS, { 6, 8 } },
};
const int net_count = sizeof nets / sizeof *nets;

static void mark_learned(struct sketch *s)
{
	for (int i = 0; i < s->g->value_count; i++) {
		s->g->values[i].learned = s->g->values[i].data && s->g->values[i].dtype == DTYPE_FLOAT;
		s->g->values[i].file_type = (int)s->g->values[i].dtype;
	}
}

struct sketch net_draw(const struct net *n, uint64_t seed)
{
	struct sketch s = sketch_open(n->name, seed, n->rank, n->dims);
	n->draw(&s);
	mark_learned(&s);
	return s;
}

/* ---- networks by lot ---- */

/* Each makes one value of another, of 8 x 8 places; earlier ones are in `seen`. */
struct lot {
	struct sketch *s;
	int seen[16], count;
};

static int64_t channels_of(struct lot *l, int x)
{
	return sketch_shape(l->s, x)->dim[1];
}

static int any_seen(struct lot *l)
{
	return l->seen[rng_below(&l->s->rng, (uint64_t)l->count)];
}

static int lot_conv(struct lot *l, int x)
{
	return conv3(l->s, x, 4 * sketch_between(l->s, 1, 4));
}

static int lot_norm(struct lot *l, int x)
{
	return sketch_one(l->s, OP_RELU, sketch_batch_norm(l->s, x));
}

static int lot_concat(struct lot *l, int x)
{
	return concat(l->s, 1, x, any_seen(l));
}

/* With something of as many channels, or made so. */
static int lot_sum(struct lot *l, int x)
{
	int y = any_seen(l);
	if (channels_of(l, y) != channels_of(l, x))
		y = sketch_conv(l->s, y, channels_of(l, x), &K1, false);
	return sketch_two(l->s, rng_below(&l->s->rng, 2) ? OP_ADD : OP_MUL, x, y);
}

static int lot_depthwise(struct lot *l, int x)
{
	return grouped(l->s, x, channels_of(l, x) * sketch_between(l->s, 1, 2), channels_of(l, x));
}

static int lot_grouped(struct lot *l, int x)
{
	return channels_of(l, x) % 2 ? lot_conv(l, x) : grouped(l->s, x, 8, 2);
}

static int lot_shuffle(struct lot *l, int x)
{
	return channels_of(l, x) % 2 ? lot_norm(l, x) : shuffle(l->s, x, 2);
}

static int lot_split(struct lot *l, int x)
{
	int64_t all = channels_of(l, x), first = all > 1 ? sketch_between(l->s, 1, all - 1) : 0;
	if (!first)
		return x;
	int parts = sketch_node_of(l->s, OP_SPLIT, 2, (int[]){ x, sketch_operand(l->s, DIMS(first, all - first)) }, 2);
	sketch_int(l->s, "axis", 1);
	return concat(l->s, 1, parts + 1, rng_below(&l->s->rng, 2) ? parts : any_seen(l));
}

static int lot_slice(struct lot *l, int x)
{
	int64_t from = sketch_between(l->s, 0, channels_of(l, x) - 1);
	return slice(l->s, x, 1, (int64_t[]){ from, sketch_between(l->s, from + 1, channels_of(l, x)), 1 });
}

static int lot_pad(struct lot *l, int x)
{
	int64_t before = sketch_between(l->s, 0, 3), behind = sketch_between(l->s, 0, 3);
	return sketch_two(l->s, OP_PAD, x, sketch_operand(l->s, DIMS(0, before, 0, 0, 0, behind, 0, 0)));
}

static int lot_gate(struct lot *l, int x)
{
	int64_t wide = rng_below(&l->s->rng, 2) ? channels_of(l, x) : 1;
	int gate = sketch_conv(l->s, sketch_one(l->s, OP_GLOBAL_AVERAGE_POOL, x), wide, &K1, true);
	return sketch_two(l->s, OP_MUL, sketch_one(l->s, OP_SIGMOID, gate), x);
}

static int lot_regroup(struct lot *l, int x)
{
	int64_t all = channels_of(l, x), few = all % 4 ? all % 3 ? 1 : 3 : 4;
	int y = reshape(l->s, x, DIMS(-1, few, all / few, 64));
	return reshape(l->s, y, DIMS(0, all, 8, 8));
}

struct sketch net_draw_any(uint64_t seed)
{
	static int (*const pieces[])(struct lot * l, int x) = { lot_conv, lot_conv, lot_conv, lot_norm, lot_concat,
		lot_sum, lot_depthwise, lot_grouped, lot_shuffle, lot_split, lot_slice, lot_pad, lot_gate,
		lot_regroup };
	enum { PIECES = sizeof pieces / sizeof *pieces, LONGEST = 9 };
	struct sketch s = sketch_open("by lot", seed, 3, (int64_t[]){ 3, 8, 8 });
	struct lot l = { .s = &s };
	l.seen[l.count++] = conv3(&s, 0, 8);
	while (l.count < LONGEST && s.g->node_count < SKETCH_NODES - 10) {
		int x = l.seen[l.count - 1];
		l.seen[l.count++] = pieces[rng_below(&s.rng, PIECES)](&l, x);
	}
	finish(&s, conv3(&s, l.seen[l.count - 1], 5));
	mark_learned(&s);
	return s;
}
