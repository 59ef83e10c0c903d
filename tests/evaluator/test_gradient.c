/* test_gradient.c -- the backward pass of every operator, of every coupling and of the samples.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <string.h>

#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/train/gradient.h"
#include "tests/evaluator/nets.h"
#include "tests/evaluator/sketch.h"
#include "tests/evaluator/slope.h"
#include "tests/evaluator/specimen.h"
#include "tests/evaluator/suites.h"

static const struct gradient_request SEEDS = { .loss = false };

/* By operator. What is flat stops the flow: nothing before it is a parameter. A bias before a normalisation may cancel,
 * all others must not. */
START_TEST(an_operators_gradients_are_its_slopes)
{
	enum op op = (enum op)_i;
	ck_assert_msg(specimen_forms(op), "%s has no specimen", op_table[op].name);
	for (int i = 0; i < specimen_forms(op); i++) {
		struct sketch s = specimen_draw(op, i);
		struct slope_count c = slope_agree(&s, 3, &SEEDS);
		if (specimen_is_flat(op))
			ck_assert_msg(!c.parameters, "%s: a parameter lies before it", s.what);
		else
			ck_assert_msg(c.moving && c.moving + 1 >= c.parameters, "%s: %d of %d gradients are zero",
				s.what, c.parameters - c.moving, c.parameters);
		sketch_close(&s);
	}
}
END_TEST

START_TEST(a_networks_gradients_are_its_slopes)
{
	struct sketch s = net_draw(&nets[_i], 1);
	slope_agree(&s, 2, &SEEDS);
	sketch_close(&s);
}
END_TEST

START_TEST(a_network_by_lot_has_its_slopes_for_gradients)
{
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct sketch s = net_draw_any(seed);
		slope_agree(&s, 2, &SEEDS);
		sketch_close(&s);
	}
}
END_TEST

START_TEST(a_samples_gradients_are_its_slopes)
{
	static const char *const paths[] = { "models/fashion-lenet5.onnx", "models/fashion-vgg.onnx",
		"models/fashion-resnet20.onnx" };
	struct graph *g;
	struct errinfo e;
	ck_assert_msg(!onnx_read(paths[_i], &g, &e), "%s", e.msg);
	slope_agree_whole(g, paths[_i], 2);
	graph_free(g);
}
END_TEST

/* ---- the loss ---- */

static struct sketch draw_classifier(uint64_t seed, bool softmax)
{
	static const struct sketch_window window = { { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, false, 0 };
	struct sketch s = sketch_open("classifier", seed, 3, (int64_t[]){ 2, 5, 4 });
	int x = sketch_one(&s, OP_RELU, sketch_batch_norm(&s, sketch_conv(&s, 0, 4, &window, false)));
	x = sketch_gemm(&s, sketch_one(&s, OP_FLATTEN, x), 5, true, true);
	sketch_finish(&s, softmax ? sketch_one(&s, OP_SOFTMAX, x) : x);
	slope_learn_all(&s);
	return s;
}

static const struct gradient_request requests[] = {
	{ .loss = true },
	{ .loss = true, .distil = true, .temperature = 1, .weight = 0.5f },
	{ .loss = true, .distil = true, .temperature = 4, .weight = 0.9f },
	{ .loss = true, .distil = true, .temperature = 2, .weight = 1 },
};
enum { REQUESTS = sizeof requests / sizeof *requests };

START_TEST(the_losss_gradients_are_its_slopes)
{
	struct sketch s = draw_classifier((uint64_t)_i, false);
	struct slope_count c = slope_agree(&s, 6, &requests[_i]);
	ck_assert_int_eq(c.parameters, 5);
	ck_assert_int_eq(c.moving, 5);
	sketch_close(&s);
}
END_TEST

START_TEST(the_loss_is_of_what_a_last_softmax_reads)
{
	struct sketch s = draw_classifier((uint64_t)_i, true);
	ck_assert_int_eq(gradient_logits(s.g), s.g->nodes[s.g->node_count - 1].in[0]);
	struct slope_count c = slope_agree(&s, 6, &requests[_i]);
	ck_assert_int_eq(c.moving, 5);
	sketch_close(&s);
}
END_TEST

/* ---- what the graph is like ---- */

static struct gradient *open_gradient(const struct graph *g, bool loss)
{
	struct gradient *d;
	struct errinfo e;
	ck_assert_msg(!gradient_open(g, &(struct gradient_request){ .loss = loss }, &d, &e), "%s", e.msg);
	return d;
}

static int count_nodes(const struct gradient *d, enum op op)
{
	int count = 0;
	for (int i = 0; i < d->graph->node_count; i++)
		count += d->graph->nodes[i].op == op;
	return count;
}

START_TEST(ports_stand_in_their_order)
{
	struct sketch s = draw_classifier(1, false);
	struct gradient *d = open_gradient(s.g, true);
	ck_assert_int_eq(d->target, 1);
	ck_assert_int_eq(d->teacher, -1);
	ck_assert_int_eq(d->seed, -1);
	ck_assert_int_eq(d->loss, 1);
	ck_assert_int_eq(d->norm_count, 1);
	ck_assert_int_eq(d->norms[0].mean, 2);
	ck_assert_int_eq(d->norms[0].variance, 3);
	ck_assert_int_eq(d->graph->input_count, 2 + d->parameter_count);
	ck_assert_int_eq(d->graph->output_count, 4 + d->parameter_count);
	for (int i = 0; i < d->parameter_count; i++) {
		const struct parameter *m = &d->parameters[i];
		const struct value *is = &d->graph->values[d->graph->outputs[m->output]];
		ck_assert_int_eq(m->input, 2 + i);
		ck_assert_int_eq(m->output, 4 + i);
		ck_assert_int_eq(m->count, shape_count(&s.g->values[m->value].shape, 1));
		ck_assert(shape_equal(&is->shape, &s.g->values[m->value].shape));
		ck_assert_ptr_null(d->graph->values[d->graph->inputs[m->input]].data);
	}
	gradient_close(d);
	sketch_close(&s);
}
END_TEST

START_TEST(kinds_of_parameters_are_told_apart)
{
	struct sketch s = draw_classifier(1, false);
	struct gradient *d = open_gradient(s.g, true);
	int kinds[3] = { 0 };
	for (int i = 0; i < d->parameter_count; i++)
		kinds[d->parameters[i].kind]++;
	ck_assert_int_eq(kinds[PARAMETER_WEIGHT], 2);
	ck_assert_int_eq(kinds[PARAMETER_BIAS], 1);
	ck_assert_int_eq(kinds[PARAMETER_NORM], 2);
	gradient_close(d);
	sketch_close(&s);
}
END_TEST

START_TEST(a_batch_norm_takes_up_the_relu_that_alone_reads_it)
{
	struct sketch s = draw_classifier(1, false);
	struct gradient *d = open_gradient(s.g, true);
	ck_assert_int_eq(count_nodes(d, OP_RELU), 0);
	ck_assert_int_eq(count_nodes(d, OP_UNARY_GRADIENT), 0);
	ck_assert_int_eq(count_nodes(d, OP_BATCH_NORM_GRADIENT), 1);
	gradient_close(d);
	sketch_output(&s, s.g->nodes[1].out[0]); /* somebody else reads it */
	d = open_gradient(s.g, false);
	ck_assert_int_eq(count_nodes(d, OP_RELU), 1);
	ck_assert_int_eq(count_nodes(d, OP_UNARY_GRADIENT), 1);
	gradient_close(d);
	sketch_close(&s);
}
END_TEST

START_TEST(nothing_is_computed_for_what_is_not_learned)
{
	struct sketch s = draw_classifier(1, false);
	struct gradient *d = open_gradient(s.g, true);
	ck_assert_int_eq(count_nodes(d, OP_CONV_DATA_GRADIENT), 0); /* of the network's input */
	ck_assert_int_eq(count_nodes(d, OP_CONV_WEIGHT_GRADIENT), 1);
	gradient_close(d);
	s.g->values[s.g->nodes[0].in[1]].learned = false;
	d = open_gradient(s.g, true);
	ck_assert_int_eq(d->parameter_count, 4);
	ck_assert_int_eq(count_nodes(d, OP_CONV_WEIGHT_GRADIENT), 0);
	gradient_close(d);
	sketch_close(&s);
}
END_TEST

static bool is_parameter(const struct gradient *d, int value)
{
	for (int i = 0; i < d->parameter_count; i++)
		if (d->parameters[i].value == value)
			return true;
	return false;
}

/* A hard swish written out, whose 6 is Clip's bound and the divisor, and a square. */
START_TEST(numbers_that_steer_an_operator_are_not_trained_wherever_else_they_are_read)
{
	struct sketch s = sketch_open("steered", 1, 1, (int64_t[]){ 6 });
	int low = sketch_tensor(&s, 0, 0, 0, NULL), six = sketch_tensor(&s, 6, 6, 0, NULL);
	int two = sketch_tensor(&s, 2, 2, 0, NULL), x = sketch_gemm(&s, 0, 4, true, true);
	int gate = sketch_node(&s, OP_CLIP, 3, (int[]){ sketch_add(&s, x, x), low, six });
	x = sketch_two(&s, OP_DIV, sketch_two(&s, OP_MUL, x, gate), six);
	sketch_finish(&s, sketch_two(&s, OP_POW, x, two));
	for (int i = 0; i < s.g->value_count; i++)
		s.g->values[i].learned = s.g->values[i].data != NULL;
	struct gradient *d = open_gradient(s.g, false);
	ck_assert(!is_parameter(d, low) && !is_parameter(d, six) && !is_parameter(d, two));
	ck_assert_ptr_nonnull(d->graph->values[six].data);
	ck_assert(is_parameter(d, s.g->nodes[0].in[1]) && is_parameter(d, s.g->nodes[0].in[2]));
	gradient_close(d);
	sketch_close(&s);
}
END_TEST

/* ---- what cannot be ---- */

static void refused(const struct graph *g, bool loss, const char *what)
{
	struct gradient *d;
	struct errinfo e;
	ck_assert_int_eq(gradient_open(g, &(struct gradient_request){ .loss = loss }, &d, &e), ERR_UNSUPPORTED);
	ck_assert_msg(strstr(e.msg, what) != NULL, "'%s' does not say '%s'", e.msg, what);
}

START_TEST(a_node_that_is_not_understood_is_named)
{
	struct sketch s = draw_classifier(1, false);
	struct node *n = &s.g->nodes[2];
	n->op = OP_COUNT;
	n->opaque = "operator 'Strange' is not supported";
	refused(s.g, true, "node 2");
	refused(s.g, true, "Strange");
	sketch_close(&s);
}
END_TEST

START_TEST(a_loss_needs_an_output_of_classes)
{
	struct sketch s = sketch_open("maps", 1, 3, (int64_t[]){ 2, 3, 4 });
	sketch_finish(&s, sketch_add(&s, 0, sketch_tensor(&s, -1, 1, 0, NULL)));
	refused(s.g, true, "(batch, 2, 3, 4)");
	sketch_close(&s);
}
END_TEST

START_TEST(a_loss_is_of_the_first_output)
{
	struct sketch s = draw_classifier(1, false);
	sketch_output(&s, s.g->nodes[1].out[0]);
	struct gradient *d = open_gradient(s.g, true);
	ck_assert_int_eq(d->loss, 2);
	ck_assert_int_eq(d->parameter_count, 5);
	gradient_close(d);
	sketch_close(&s);
}
END_TEST

Suite *gradient_suite(void)
{
	Suite *s = suite_create("gradient");
	TCase *t = tcase_create("gradient");
	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, an_operators_gradients_are_its_slopes, 0, OP_IDENTITY);
	tcase_add_loop_test(t, a_networks_gradients_are_its_slopes, 0, net_count);
	tcase_add_test(t, a_network_by_lot_has_its_slopes_for_gradients);
	tcase_add_loop_test(t, a_samples_gradients_are_its_slopes, 0, 3);
	tcase_add_loop_test(t, the_losss_gradients_are_its_slopes, 0, REQUESTS);
	tcase_add_loop_test(t, the_loss_is_of_what_a_last_softmax_reads, 0, REQUESTS);
	tcase_add_test(t, ports_stand_in_their_order);
	tcase_add_test(t, kinds_of_parameters_are_told_apart);
	tcase_add_test(t, a_batch_norm_takes_up_the_relu_that_alone_reads_it);
	tcase_add_test(t, nothing_is_computed_for_what_is_not_learned);
	tcase_add_test(t, a_node_that_is_not_understood_is_named);
	tcase_add_test(t, a_loss_needs_an_output_of_classes);
	tcase_add_test(t, a_loss_is_of_the_first_output);
	tcase_add_test(t, numbers_that_steer_an_operator_are_not_trained_wherever_else_they_are_read);
	suite_add_tcase(s, t);
	return s;
}
