/* test_fold.c -- what exporters leave in a graph is evaluated while it is read.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/model/operand.h"
#include "tests/evaluator/folder.h"
#include "tests/evaluator/script.h"
#include "tests/evaluator/suites.h"

#define COUNT(rows) (sizeof rows / sizeof *rows)
#define X	    "input x n,4,6,6\n"
#define OUT	    "\noutput y"

/* ---- shapes: what the output is, and how many nodes are left ---- */

static const struct {
	const char *text, *shape;
	int nodes;
} shape_rows[] = {
	/* arithmetic on shapes, with the batch in it */
	{ X "s = Shape x\nints z - 0\nb = Gather s z\nints u 1 0\nv = Unsqueeze b u\nints m 1 -1\nt = Concat v m "
	    "axis=0\n"
	    "y = Reshape x t" OUT,
		"(batch, 144)", 1 },
	{ X "s = Shape x\nints a 1 0\nints b 1 1\nv = Slice s a b\nints k 1 3\nw = Mul v k\n"
	    "t = Concat w k axis=0\nints m 1 -1\nq = Concat t m axis=0\ny = Reshape x q" OUT,
		"(3 x batch, 3, 16)", 1 },
	{ X "s = Shape x\nints d - 2\nh = Gather s d\ni = Cast h to=1\nfloats two - 2\nj = Div i two\nk = Floor j\n"
	    "l = Cast k to=7\nints u 1 0\nv = Unsqueeze l u\nints m 1 -1\nints o 1 0\nt = Concat o v m axis=0\n"
	    "y = Reshape x t" OUT,
		"(batch, 3, 48)", 1 },
	{ X "ints i 1 1\nc = ConstantOfShape i\nints t 2 0 -1\ny = Reshape x t" OUT, "(batch, 144)", 1 },
	{ X "ints a - 0\nints b - 4\nints c - 1\nr = Range a b c\ny = Gather x r axis=1" OUT, "(batch, 4, 6, 6)", 1 },
	/* expanded to the batch */
	{ X "floats p 1,1,6,6 0.5\ns = Shape x\nints a 1 0\nints b 1 1\nv = Slice s a b\nints w 3 2 6 6\n"
	    "t = Concat v w axis=0\ne = Expand p t\ny = Concat x e axis=1" OUT,
		"(batch, 6, 6, 6)", 2 },
	{ X "s = Shape x\nc = ConstantOfShape s\ny = Add x c" OUT, "(batch, 4, 6, 6)", 2 },
	{ X "floats p 1,4,6,6 0.5\ns = Shape x\nints a 1 0\nints b 1 1\nv = Slice s a b\nints w 3 1 1 1\n"
	    "t = Concat v w axis=0\ne = Tile p t\ny = Add x e" OUT,
		"(batch, 4, 6, 6)", 2 },
	/* written for a batch of one, or of two */
	{ "input x 1,4,6,6\nints t 2 1 144\ny = Reshape x t" OUT, "(batch, 144)", 1 },
	{ "input x 1,4,6,6\nints t 2 1 -1\ny = Reshape x t" OUT, "(batch, 144)", 1 },
	{ "input x 2,4,6,6\nints t 3 8 -1 2\ny = Reshape x t" OUT, "(4 x batch, 18, 2)", 1 },
	{ "input x 2,4,6,6\nints t 2 4 72\ny = Reshape x t" OUT, "(2 x batch, 72)", 1 },
	{ "input x 1,5,6\nt = Transpose x perm=[1,0,2]\nints r 3 5 2 3\ny = Reshape t r" OUT, "(5, 2 x batch, 3)", 2 },
	{ "input x 1,5,6\nt = Transpose x perm=[1,0,2]\nints r 3 5 2 3\nu = Reshape t r\nints q 2 5 6\ny = Reshape u "
	  "q" OUT,
		"(5 x batch, 6)", 3 },
	{ "input x 1,5,6\nt = Transpose x perm=[1,0,2]\nints r 2 5 6\nu = Reshape t r\nints q 3 5 1 6\ny = Reshape u "
	  "q" OUT,
		"(5, batch, 6)", 3 },
	{ "input x 1,5,6\nfloats c 1,1,6 0.5\ny = Concat c x axis=1" OUT, "(batch, 6, 6)", 2 },
	{ "input x 2,5,6\nfloats c 2,1,6 1 2 3 4 5 6\ny = Concat c x axis=1" OUT, "(batch, 6, 6)", 2 },
	{ "input x 2,5,6\nfloats c 2,5,6 1 2 3 4 5 6\ny = Add x c" OUT, "(batch, 5, 6)", 1 },
	{ "input x 2,5,6\nints s 3 2 5 6\ny = Expand x s" OUT, "(batch, 5, 6)", 1 },
	/* names only */
	{ X "i = Identity x\nd,m = Dropout i\ny = Relu d" OUT, "(batch, 4, 6, 6)", 1 },
	{ X "c = Cast x to=1\ny = Relu c" OUT, "(batch, 4, 6, 6)", 1 },
	{ "input x n,1,10,10\nfloats s 4 1 1 0.7 1.3\ny = Resize x _ s" OUT, "(batch, 1, 7, 13)", 1 },
	/* windows */
	{ X "floats w 4,2,3,3 0.1\ny = ConvTranspose x w strides=[2,2]" OUT, "(batch, 2, 13, 13)", 1 },
	{ X "floats w 4,2,3,3 0.1\ny = ConvTranspose x w strides=[2,2] output_shape=[15,12]" OUT, "(batch, 2, 15, 12)",
		1 },
	{ X "floats w 4,2,3,3 0.1\ny = ConvTranspose x w strides=[2,2] auto_pad='SAME_UPPER'" OUT, "(batch, 2, 12, 12)",
		1 },
	{ X "floats w 4,2,2,2 0.1\ny = ConvTranspose x w strides=[3,3] auto_pad='SAME_UPPER'" OUT, "(batch, 2, 17, 17)",
		1 },
	{ X "floats w 5,4,3,3 0.1\ny = Conv x w strides=[4,4] auto_pad='SAME_LOWER'" OUT, "(batch, 5, 2, 2)", 1 },
	{ X "y = MaxPool x kernel_shape=[3,3] strides=[2,2] ceil_mode=1" OUT, "(batch, 4, 3, 3)", 1 },
	/* every version of an operand */
	{ X "p = GlobalAveragePool x\ny = Squeeze p" OUT, "(batch, 4)", 2 },
	{ "opset 11\n" X "p = GlobalAveragePool x\ny = Squeeze p" OUT, "(batch, 4)", 2 },
	{ "opset 12\n" X "y = Unsqueeze x axes=[1]" OUT, "(batch, 1, 4, 6, 6)", 1 },
	{ X "ints a 1 1\ny = Unsqueeze x a" OUT, "(batch, 1, 4, 6, 6)", 1 },
	{ "opset 9\n" X "y = Slice x starts=[1,0] ends=[3,-1] axes=[1,3]" OUT, "(batch, 2, 6, 5)", 1 },
	{ X "ints s 1 3\nints e 1 -9\nints a 1 1\nints t 1 -1\ny = Slice x s e a t" OUT, "(batch, 4, 6, 6)", 1 },
	{ "opset 11\n" X "y,z = Split x axis=1 split=[1,3]" OUT, "(batch, 1, 6, 6)", 1 },
	{ X "ints s 2 1 3\nz,y = Split x s axis=1" OUT, "(batch, 3, 6, 6)", 1 },
	{ "opset 9\n" X "y = Pad x pads=[0,1,0,0,0,2,0,0]" OUT, "(batch, 7, 6, 6)", 1 },
	{ "opset 18\n" X "ints p 2 1 2\nints a 1 1\ny = Pad x p _ a" OUT, "(batch, 7, 6, 6)", 1 },
	{ "opset 18\n" X "ints a 2 2 3\ny = ReduceMean x a keepdims=0" OUT, "(batch, 4)", 1 },
	{ "opset 11\n" X "y = ReduceMean x axes=[2,3] keepdims=1" OUT, "(batch, 4, 1, 1)", 1 },
	{ "opset 18\n" X "y = ReduceMean x noop_with_empty_axes=1" OUT, "(batch, 4, 6, 6)", 1 },
	{ "opset 18\n" X "ints a 0\ny = ReduceSum x a noop_with_empty_axes=1" OUT, "(batch, 4, 6, 6)", 1 },
	{ "opset 9\n" X "floats s 4 1 1 2 2\ny = Upsample x s" OUT, "(batch, 4, 12, 12)", 1 },
	{ "opset 10\n" X "floats s 4 1 1 0.5 2\ny = Resize x s" OUT, "(batch, 4, 3, 12)", 1 },
	{ X "s = Shape x\nints a 1 0\nints b 1 2\nv = Slice s a b\nints w 2 9 5\nt = Concat v w axis=0\ny = Resize x _ "
	    "_ t" OUT,
		"(batch, 4, 9, 5)", 1 },
};

START_TEST(shapes_are_known_for_any_batch)
{
	char text[128];
	struct graph *g = script_graph(shape_rows[_i].text);
	const struct value *y = &g->values[g->outputs[0]];
	for (int i = 0; i < g->node_count; i++)
		ck_assert_msg(!g->nodes[i].opaque, "%s: %s", shape_rows[_i].text, g->nodes[i].opaque);
	for (int i = 1; i < g->node_count; i++)
		ck_assert_str_ne(g->nodes[i].name, g->nodes[i - 1].name);
	ck_assert_str_eq(shape_text(&y->shape, text), shape_rows[_i].shape);
	ck_assert_int_eq(g->node_count, shape_rows[_i].nodes);
	graph_free(g);
}
END_TEST

/* ---- numbers: the second input of the last node ---- */

static const struct {
	const char *text;
	int count;
	double numbers[12];
} number_rows[] = {
	{ X "floats a 2,2 1 2 3 4\nb = Transpose a\nints r 4 1 4 1 1\nc = Reshape b r\ny = Add x c" OUT, 4,
		{ 1, 3, 2, 4 } },
	{ X "floats a 1,4,1,1 1 2 3 4\nfloats b - 3\nc = Mul a b\nd = Sub c a\ne = Neg d\ny = Add x e" OUT, 4,
		{ -2, -4, -6, -8 } },
	{ X "floats a 6 1 2 3 4 5 6\nints s 1 5\nints e 1 -9\nints z 1 0\nints t 1 -2\nb = Slice a s e z t\nc = "
	    "ReduceSum b\n"
	    "y = Add x c" OUT,
		1, { 12 } },
	{ X "floats a 3,2 1 2 3 4 5 6\nints i 3 2 0 -2\nb = Gather a i axis=0\nints r 2 6 1\nc = Reshape b r\ny = Add "
	    "x c" OUT,
		6, { 5, 6, 1, 2, 3, 4 } },
	{ X "floats a 2,1 1 2\nints s 2 2 3\nb = Expand a s\nints r 2 6 1\nc = Reshape b r\ny = Add x c" OUT, 6,
		{ 1, 1, 1, 2, 2, 2 } },
	{ X "floats a 2 1 2\nints s 1 3\nb = Tile a s\ny = Add x b" OUT, 6, { 1, 2, 1, 2, 1, 2 } },
	{ X "floats a 6 0 0 0 0 0 0\nints i 2,1 1 4\nfloats u 2 7 8\nb = ScatterND a i u\ny = Add x b" OUT, 6,
		{ 0, 7, 0, 0, 8, 0 } },
	{ X "floats a 2,2 1 2 3 4\nfloats b 2,3 1 0 1 0 1 1\nc = MatMul a b\nints r 2 6 1\nd = Reshape c r\ny = Add x "
	    "d" OUT,
		6, { 1, 2, 3, 3, 4, 7 } },
	{ X "floats a 6 -3 -2 -1 1 2 3\nfloats lo - -2\nfloats hi - 2\nb = Clip a lo hi\nc = Relu b\ny = Add x c" OUT,
		6, { 0, 0, 0, 1, 2, 2 } },
	{ X "bool c 6 1 0\nfloats a - 5\nfloats b 6 1 2 3 4 5 6\nd = Where c a b\ny = Add x d" OUT, 6,
		{ 5, 2, 5, 4, 5, 6 } },
	{ X "floats a 6 1 2 3 4 5 6\nfloats b - 3\nc = Greater a b\nd = Not c\ne = Cast d to=1\ny = Add x e" OUT, 6,
		{ 1, 1, 1, 0, 0, 0 } },
	{ X "floats a 6 9 2 3 4 5 6\np,q = Split a axis=0\nr = Concat q p axis=0\ny = Add x r" OUT, 6,
		{ 4, 5, 6, 9, 2, 3 } },
};

START_TEST(constants_are_computed_as_onnx_says)
{
	struct graph *g = script_graph(number_rows[_i].text);
	const struct node *n = &g->nodes[g->node_count - 1];
	const struct value *v = node_input(g, n, 1);
	ck_assert_int_eq(g->node_count, 1);
	ck_assert_ptr_nonnull(v->data);
	ck_assert_int_eq(shape_count(&v->shape, 1), number_rows[_i].count);
	for (int i = 0; i < number_rows[_i].count; i++)
		ck_assert_float_eq(((float *)v->data)[i], (float)number_rows[_i].numbers[i]);
	graph_free(g);
}
END_TEST

/* ---- what stays opaque, and why ---- */

static const struct {
	const char *text, *reason;
} opaque_rows[] = {
	{ X "y = Mystery x" OUT, "operator 'Mystery' is not known" },
	{ X "y = Relu x slope=0.5" OUT, "'slope' is not known" },
	{ X "a = Mystery x\ny = Relu a" OUT, "operator 'Mystery' is not known" },
	{ X "s = Shape x\nf = Cast s to=1\ny = Relu x" OUT, NULL },
	{ X "c = Greater x x\nd = Cast c to=1\ny = Mul x d" OUT, "Greater" },
	{ X "y = ReduceMean x axes=[0]" OUT, "runs over the batch" },
	{ X "s = Shape x\nt = Mul s s\ny = Reshape x t" OUT, "depends on the batch" },
	{ "opset 18\n" X "floats s 4 1 1 2 2\ny = Resize x _ s antialias=1 mode='linear'" OUT,
		"'antialias' is not supported" },
	{ X "ints z 2 1 0\na = ConstantOfShape z\nints w 2 0 8\nb = ConstantOfShape w\nc = MatMul a b\ny = Add x c" OUT,
		"stored numbers of a kind" },
	{ "input x 1,1,4\ny = Squeeze x" OUT, "the batch is declared as one" },
	{ X "y = Softmax x axis=0" OUT, "runs over the batch" },
	{ X "ints i 1 0\ny = Gather x i axis=0" OUT, "out of the batch" },
};

START_TEST(what_has_no_rule_is_opaque_and_says_why)
{
	struct graph *g = script_graph(opaque_rows[_i].text);
	const char *reason = g->nodes[0].opaque;
	if (opaque_rows[_i].reason)
		ck_assert_msg(reason && strstr(reason, opaque_rows[_i].reason), "%s", reason ? reason : "not opaque");
	else
		ck_assert_msg(!reason, "%s", reason);
	graph_free(g);
}
END_TEST

static const struct node *last_node(const struct graph *g)
{
	return &g->nodes[g->node_count - 1];
}

/* Sound for the batch that the file declares, not for any. */
static const struct {
	const char *text, *reason;
} mixed_rows[] = {
	{ "input x 1,4,6\nints r 2 4 6\nq = Reshape x r\nints a 1 0\nints b 1 2\ny = Slice q a b" OUT,
		"takes a part of the batch" },
	{ "input x 2,4\nints r 2 4 2\nq = Reshape x r\nfloats v 4,2 1 2\ny = Add q v" OUT, "input 1 is (4, 2)" },
};

START_TEST(what_mixes_the_images_of_a_batch_is_opaque)
{
	struct graph *g = script_graph(mixed_rows[_i].text);
	const char *reason = last_node(g)->opaque;
	ck_assert_ptr_null(g->nodes[0].opaque);
	ck_assert_msg(reason && strstr(reason, mixed_rows[_i].reason), "%s", reason ? reason : "not opaque");
	graph_free(g);
}
END_TEST

START_TEST(a_cast_of_what_is_not_understood_stays)
{
	struct graph *g = script_graph(X "c = Mystery x\nd = Cast c to=1\ny = Mul x d" OUT);
	ck_assert_int_eq(g->node_count, 3);
	ck_assert_str_eq(g->nodes[1].type, "Cast");
	graph_free(g);
}
END_TEST

START_TEST(a_reason_may_be_cut_in_the_middle_of_a_character)
{
	char text[1024] = X;
	for (int i = 0; i < 95; i++)
		strcat(text, "\xc3\xa9");
	strcat(text, " = Softmax x axis=0\ny = Relu x" OUT);
	for (int i = 0; i < 3; i++) {
		struct form f = script_open(text);
		f.graph->output[0]->name = f.graph->node[0]->output[0];
		f.graph->node[0]->name = form_text(&f, "%.*s%s", i, "xx", f.graph->node[0]->output[0]);
		struct graph *g;
		struct errinfo e;
		ck_assert_msg(!form_read(&f, &g, &e), "%s", e.msg);
		ck_assert_msg(strstr(g->nodes[0].opaque, "runs over the batch"), "%s", g->nodes[0].opaque);
		graph_free(g);
		form_close(&f);
	}
}
END_TEST

START_TEST(a_batch_norm_is_read_for_inference)
{
	struct graph *g = script_graph("opset 15\n" X "floats s 4 1\nfloats b 4 0\nfloats m 4 0\nfloats v 4 1\n"
				       "y,p,q = BatchNormalization x s b m v training_mode=1" OUT);
	ck_assert_ptr_null(node_attribute(&g->nodes[0], "training_mode"));
	ck_assert_int_eq(g->nodes[0].out_count, 1);
	graph_free(g);
}
END_TEST

/* Sizes that a node isn't understood with, in every form: -1, the batch, a multiple of it and more. */
START_TEST(sizes_for_what_is_not_understood_are_written_and_read_again)
{
	struct graph *g =
		script_graph(X "s = Shape x\nints z 1 0\nb = Gather s z\nints k 1 3\nt = Mul b k\nints o 1 1\n"
			       "u = Add t o\nints m 1 -1\nv = Concat b m t u axis=0\nints q - 0\n"
			       "w = Gather s q\na = Mystery x v w\ninfo a n,7\ny = Relu a" OUT);
	struct graph *again;
	struct errinfo e;
	folder_enter();
	ck_assert_msg(!onnx_write(g, "sizes.onnx", &e), "%s", e.msg);
	ck_assert_msg(!onnx_read("sizes.onnx", &again, &e), "%s", e.msg);
	folder_leave();
	const struct value *v = node_input(again, &again->nodes[0], 1), *w = node_input(again, &again->nodes[0], 2);
	const int64_t base[] = { 0, -1, 0, 1 }, slope[] = { 1, 0, 3, 3 };
	ck_assert_int_eq(again->node_count, 2);
	ck_assert_mem_eq(v->data, base, sizeof base);
	ck_assert_mem_eq(v->slope, slope, sizeof slope);
	ck_assert_int_eq(w->shape.rank, 0);
	ck_assert_int_eq(w->slope[0], 1);
	ck_assert_ptr_null(again->nodes[1].opaque);
	graph_free(again);
	graph_free(g);
}
END_TEST

START_TEST(a_truth_stays_a_bool)
{
	struct graph *g = script_graph(X "floats a 4,1,1 1 2 3 4\nfloats b - 2\nc = Greater a b\ny = Mystery c x" OUT);
	ck_assert_int_eq(node_input(g, last_node(g), 0)->file_type, ONNX__TENSOR_PROTO__DATA_TYPE__BOOL);
	graph_free(g);
}
END_TEST

START_TEST(an_opaque_node_has_the_shape_that_the_file_declares)
{
	char text[128];
	struct graph *g = script_graph(X "a = Mystery x\ninfo a n,7\ny = Relu a" OUT);
	ck_assert_ptr_nonnull(g->nodes[0].opaque);
	ck_assert_ptr_null(g->nodes[1].opaque);
	ck_assert_str_eq(shape_text(&g->values[g->outputs[0]].shape, text), "(batch, 7)");
	graph_free(g);
}
END_TEST

/* ---- branches ---- */

/* The graph of a text whose If has these branches. */
static enum err read_branches(
	const char *text, const char *then_text, const char *else_text, struct graph **ret, struct errinfo *e)
{
	struct form f = script_open(text), branches[] = { script_open(then_text), script_open(else_text) };
	Onnx__NodeProto *n = form_node(&f, "If", 0);
	for (int i = 0; i < 2; i++) {
		Onnx__AttributeProto *a = form_add_attribute(
			&f, n, i ? "else_branch" : "then_branch", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH);
		a->g = branches[i].graph;
	}
	enum err err = form_read(&f, ret, e);
	for (int i = 0; i < 2; i++)
		form_close(&branches[i]);
	form_close(&f);
	return err;
}

#define ASK	"input x n,1,6,6\ns = Shape x\nints d - 1\nc = Gather s d\nints one - 1\nq = Equal c one\n"
#define SQUEEZE "ints a 1 1\nt = Squeeze x a\noutput t"

START_TEST(an_if_whose_condition_is_known_is_its_branch)
{
	char text[128];
	struct graph *g = NULL;
	struct errinfo e;
	const char *const conditions[] = { "y = If q\noutput y", "p = Not q\ny = If p\noutput y" };
	for (int i = 0; i < 2; i++) {
		char outer[256];
		snprintf(outer, sizeof outer, "%s%s", ASK, conditions[i]);
		ck_assert_msg(!read_branches(outer, i ? "t = Relu x\noutput t" : SQUEEZE,
				      i ? SQUEEZE : "t = Relu x\noutput t", &g, &e),
			"%s", e.msg);
		ck_assert_int_eq(g->node_count, 1);
		ck_assert_str_eq(g->values[g->outputs[0]].name, "y");
		ck_assert_str_eq(shape_text(&g->values[g->outputs[0]].shape, text), "(batch, 6, 6)");
		graph_free(g);
	}
}
END_TEST

static const struct {
	const char *outer, *branch, *what;
} branch_rows[] = {
	{ ASK "r = ReduceMax x keepdims=0\ny = If r\noutput y", SQUEEZE, "is a graph" },
	{ ASK "y = If q\noutput y", "t = Relu x\noutput u", "no node computes" },
	{ ASK "y = If q\noutput y", "t = Relu x\nu = Relu x\noutput t\noutput u", "with 1 outputs" },
	{ ASK "y = If q\noutput y", "input z 1\nt = Relu x\noutput t", "without inputs" },
	{ ASK "y = If q\noutput y", "t = Relu nothing\noutput t", "not defined before" },
	{ ASK "y = If q\noutput y", "q = Relu x\noutput q", "used twice" },
};

START_TEST(a_branch_that_makes_no_sense_is_refused)
{
	struct graph *g = NULL;
	struct errinfo e;
	ck_assert_int_ne(read_branches(branch_rows[_i].outer, branch_rows[_i].branch, SQUEEZE, &g, &e), ERR_OK);
	ck_assert_msg(strstr(e.msg, branch_rows[_i].what), "%s", e.msg);
	ck_assert_ptr_null(g);
}
END_TEST

Suite *fold_suite(void)
{
	Suite *s = suite_create("fold");
	TCase *t = tcase_create("fold");
	tcase_add_loop_test(t, shapes_are_known_for_any_batch, 0, COUNT(shape_rows));
	tcase_add_loop_test(t, constants_are_computed_as_onnx_says, 0, COUNT(number_rows));
	tcase_add_loop_test(t, what_has_no_rule_is_opaque_and_says_why, 0, COUNT(opaque_rows));
	tcase_add_loop_test(t, what_mixes_the_images_of_a_batch_is_opaque, 0, COUNT(mixed_rows));
	tcase_add_test(t, a_cast_of_what_is_not_understood_stays);
	tcase_add_test(t, a_reason_may_be_cut_in_the_middle_of_a_character);
	tcase_add_test(t, a_batch_norm_is_read_for_inference);
	tcase_add_test(t, sizes_for_what_is_not_understood_are_written_and_read_again);
	tcase_add_test(t, a_truth_stays_a_bool);
	tcase_add_test(t, an_opaque_node_has_the_shape_that_the_file_declares);
	tcase_add_test(t, an_if_whose_condition_is_known_is_its_branch);
	tcase_add_loop_test(t, a_branch_that_makes_no_sense_is_refused, 0, COUNT(branch_rows));
	suite_add_tcase(s, t);
	return s;
}
