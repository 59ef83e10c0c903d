/* test_sound.c -- models that can be read and would lead astray: numbers that diverge, tensors that are shared, nodes
 * that nobody needs. SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evaluator/data/dataset.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/measure/accuracy.h"
#include "evaluator/measure/latency.h"
#include "evaluator/measure/recalibrate.h"
#include "evaluator/measure/size.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/prune/coupling.h"
#include "tests/evaluator/forms.h"
#include "tests/evaluator/suites.h"

#define LENET "models/fashion-lenet5.onnx"
#define VGG "models/fashion-vgg.onnx"

static struct errinfo e;

/* 256 images of noise. */
static void noise(struct dataset *d, struct split *ret)
{
	static const struct normalisation norm = { 1, { 0.5f }, { 0.25f } };
	static unsigned char pixels[256 * 784];
	static uint32_t labels[256];
	for (size_t i = 0; i < sizeof pixels; i++)
		pixels[i] = (unsigned char)(i * 2654435761u >> 13);
	*d = (struct dataset){
		.count = 256, .channels = 1, .height = 28, .width = 28, .pixels = pixels, .labels = labels, .classes = 1
	};
	*ret = (struct split){ .data = d, .first = 0, .count = 256, .norm = &norm };
}

START_TEST(a_weight_that_is_not_finite_is_refused_by_name)
{
	static const float values[] = { NAN, INFINITY, -INFINITY };
	struct form f = form_open(LENET);
	size_t count;
	form_floats(form_tensor(&f, "features.3.weight"), &count)[77] = values[_i];
	form_refused(&f, ERR_INPUT, "features.3.weight", "element 77");
	form_close(&f);
}
END_TEST

START_TEST(a_variance_whose_root_is_none_is_refused_by_node)
{
	struct form f = form_open(VGG);
	size_t count;
	form_floats(form_tensor(&f, "features.1.running_var"), &count)[3] = -1;
	form_refused(&f, ERR_INPUT, "BatchNormalization", "channel 3");
	form_close(&f);
}
END_TEST

/* Behind the overflow a ReLU makes 0 of NaN, and the logits are finite again. */
START_TEST(a_network_that_overflows_inside_has_diverged)
{
	struct form f = form_open(LENET);
	struct graph *g;
	struct dataset d;
	struct split s;
	struct score score;
	size_t count;
	float *w = form_floats(form_tensor(&f, "features.0.weight"), &count);
	for (size_t i = 0; i < count; i++)
		w[i] = i % 2 ? 3e38f : 2e38f;
	noise(&d, &s);
	ck_assert_msg(!form_read(&f, &g, &e), "%s", e.msg);
	ck_assert_int_eq(score_graph(g, &s, 256, NULL, &score, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "not finite"), "%s", e.msg);
	graph_free(g);
	form_close(&f);
}
END_TEST

static const struct node *batch_norm(const struct graph *g, int which)
{
	for (int i = 0; i < g->node_count; i++)
		if (g->nodes[i].op == OP_BATCH_NORM && which-- == 0)
			return &g->nodes[i];
	ck_abort_msg("too few batch-norms");
}

/* An optimiser of models may let scale and variance be one tensor of ones, in several layers. */
START_TEST(recalibration_of_shared_statistics_leaves_everything_else_alone)
{
	struct form f = form_open(VGG);
	struct graph *g;
	struct dataset d;
	struct split s;
	Onnx__NodeProto *first = form_node(&f, "BatchNormalization", 0),
			*second = form_node(&f, "BatchNormalization", 1);
	second->input[3] = first->input[3];
	second->input[4] = first->input[4] = first->input[1];
	noise(&d, &s);
	ck_assert_msg(!form_read(&f, &g, &e), "%s", e.msg);
	const struct node *a = batch_norm(g, 0), *b = batch_norm(g, 1);
	ck_assert_int_ne(a->in[3], b->in[3]);
	ck_assert_int_ne(a->in[4], a->in[1]);
	ck_assert_int_ne(a->in[4], b->in[4]);
	float scale[32];
	memcpy(scale, g->values[a->in[1]].data, sizeof scale);
	ck_assert_msg(!recalibrate(g, &s, 256, 1, NULL, &e), "%s", e.msg);
	ck_assert_mem_eq(scale, g->values[a->in[1]].data, sizeof scale);
	ck_assert_mem_ne(g->values[a->in[3]].data, g->values[b->in[3]].data, sizeof scale);
	graph_free(g);
	form_close(&f);
}
END_TEST

START_TEST(statistics_that_are_not_finite_are_never_written)
{
	struct form f = form_open(VGG);
	struct graph *g;
	struct dataset d;
	struct split s;
	size_t count;
	float *w = form_floats(form_tensor(&f, "features.0.weight"), &count), before[32];
	for (size_t i = 0; i < count; i++)
		w[i] = 3e38f;
	noise(&d, &s);
	ck_assert_msg(!form_read(&f, &g, &e), "%s", e.msg);
	const struct node *n = batch_norm(g, 0);
	memcpy(before, g->values[n->in[3]].data, sizeof before);
	ck_assert_int_eq(recalibrate(g, &s, 256, 1, NULL, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, n->name) && strstr(e.msg, "its statistics are not finite"), "%s", e.msg);
	ck_assert_mem_eq(before, g->values[n->in[3]].data, sizeof before);
	graph_free(g);
	form_close(&f);
}
END_TEST

START_TEST(a_run_leaves_its_input_alone)
{
	static const char *const models[] = { LENET, VGG, "models/fashion-resnet20.onnx" };
	struct graph *g;
	struct plan *p;
	float before[784], first[10];
	ck_assert(!onnx_read(models[_i], &g, &e));
	ck_assert(!plan_new(g, 1, PLAN_INFER, &p, &e));
	for (int i = 0; i < 784; i++)
		before[i] = plan_input(p, 0)[i] = (float)(i % 17) / 8 - 1;
	ck_assert(!plan_run(p, &e));
	memcpy(first, plan_output(p, 0), sizeof first);
	ck_assert_mem_eq(plan_input(p, 0), before, sizeof before);
	ck_assert(!plan_run(p, &e));
	ck_assert_mem_eq(plan_output(p, 0), first, sizeof first);
	plan_free(p);
	graph_free(g);
}
END_TEST

START_TEST(a_model_of_an_old_ir_is_written_in_one_that_allows_its_form)
{
	struct form f = form_open(LENET);
	struct graph *g, *again;
	char path[] = "/tmp/pared-test-XXXXXX";
	int fd = mkstemp(path);
	f.model->ir_version = 3;
	ck_assert_msg(!form_read(&f, &g, &e), "%s", e.msg);
	ck_assert(!onnx_write(g, path, &e));
	ck_assert(!onnx_read(path, &again, &e));
	ck_assert_int_ge(again->ir_version, 4);
	graph_free(again);
	graph_free(g);
	form_close(&f);
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(what_does_not_lead_to_the_output_is_no_part_of_the_network)
{
	struct form f = form_open(LENET);
	struct graph *g, *plain;
	struct size with, without;
	Onnx__NodeProto *first = form_node(&f, "Conv", 0);
	Onnx__NodeProto *dead = form_new_node(&f, "Conv", first->input[0], form_text(&f, "nowhere"));
	dead->input = first->input;
	dead->n_input = first->n_input;
	dead->attribute = first->attribute;
	dead->n_attribute = first->n_attribute;
	form_insert(&f, 0, dead);
	ck_assert_msg(!form_read(&f, &g, &e), "%s", e.msg);
	ck_assert(!onnx_read(LENET, &plain, &e));
	ck_assert(!size_count(g, &with, &e));
	ck_assert(!size_count(plain, &without, &e));
	ck_assert_int_eq(g->node_count, plain->node_count);
	ck_assert_int_eq(with.params, without.params);
	ck_assert_int_eq(with.macs, without.macs);
	ck_assert_int_eq(with.memory, without.memory);
	graph_free(plain);
	graph_free(g);
	form_close(&f);
}
END_TEST

START_TEST(names_that_could_command_a_terminal_are_refused)
{
	static const char *const names[] = { "c\033[31mred", "bell\a", "\xff\xfe", "\xc2\x9b" "31m", "line\nbreak" };
	struct form f = form_open(LENET);
	Onnx__NodeProto *n = form_node(&f, "Conv", 0);
	n->name = form_text(&f, "%s", names[_i]);
	form_refused(&f, ERR_INPUT, "name", "printable");
	form_close(&f);
}
END_TEST

START_TEST(a_node_without_a_name_is_called_after_its_output)
{
	struct form f = form_open(LENET);
	struct graph *g;
	for (size_t i = 0; i < f.graph->n_node; i++)
		f.graph->node[i]->name = NULL;
	ck_assert_msg(!form_read(&f, &g, &e), "%s", e.msg);
	for (int i = 0; i < g->node_count; i++)
		ck_assert_str_eq(g->nodes[i].name, g->values[g->nodes[i].out[0]].name);
	graph_free(g);
	form_close(&f);
}
END_TEST

START_TEST(groups_of_layers_with_one_name_have_names_of_their_own)
{
	struct form f = form_open(VGG);
	struct graph *g;
	struct coupling *c;
	for (size_t i = 0; i < f.graph->n_node; i++)
		f.graph->node[i]->name = form_text(&f, "same");
	for (int i = 0; i < 6; i++) {
		Onnx__NodeProto *n = form_node(&f, "Conv", i);
		Onnx__TensorProto *t = form_tensor(&f, n->input[1]);
		t->name = n->input[1] = form_text(&f, "onnx::Conv_%d", i);
	}
	ck_assert_msg(!form_read(&f, &g, &e), "%s", e.msg);
	ck_assert_msg(!coupling_new(g, &c, &e), "%s", e.msg);
	ck_assert_int_eq(c->group_count, 6);
	ck_assert_str_eq(c->groups[0].name, "same");
	for (int i = 0; i < 6; i++)
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(c->groups[i].name, c->groups[k].name);
	coupling_free(c);
	graph_free(g);
	form_close(&f);
}
END_TEST

START_TEST(more_work_than_can_be_counted_is_refused_by_node)
{
	struct form f = form_open(LENET);
	Onnx__NodeProto *n = form_node(&f, "Conv", 0);
	Onnx__AttributeProto *pads = form_attribute(n, "pads");
	for (size_t i = 0; i < pads->n_ints; i++)
		pads->ints[i] = 1 << 18;
	form_refused(&f, ERR_LIMIT, n->name, "2^");
	form_close(&f);
}
END_TEST

START_TEST(timing_can_be_stopped)
{
	struct graph *g;
	struct plan *a, *b;
	struct latency l;
	atomic_bool stop = true;
	ck_assert(!onnx_read(LENET, &g, &e));
	ck_assert(!plan_new(g, 1, PLAN_INFER, &a, &e));
	ck_assert(!plan_new(g, 1, PLAN_INFER, &b, &e));
	ck_assert_int_eq(latency_measure(a, b, 5, &stop, &l, &e), ERR_GONE);
	ck_assert_int_eq(latency_measure(a, b, 2, NULL, &l, &e), ERR_INPUT);
	plan_free(a);
	plan_free(b);
	graph_free(g);
}
END_TEST

Suite *sound_suite(void)
{
	Suite *s = suite_create("sound");
	TCase *t = tcase_create("sound");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, a_weight_that_is_not_finite_is_refused_by_name, 0, 3);
	tcase_add_test(t, a_variance_whose_root_is_none_is_refused_by_node);
	tcase_add_test(t, a_network_that_overflows_inside_has_diverged);
	tcase_add_test(t, recalibration_of_shared_statistics_leaves_everything_else_alone);
	tcase_add_test(t, statistics_that_are_not_finite_are_never_written);
	tcase_add_loop_test(t, a_run_leaves_its_input_alone, 0, 3);
	tcase_add_test(t, a_model_of_an_old_ir_is_written_in_one_that_allows_its_form);
	tcase_add_test(t, what_does_not_lead_to_the_output_is_no_part_of_the_network);
	tcase_add_loop_test(t, names_that_could_command_a_terminal_are_refused, 0, 5);
	tcase_add_test(t, a_node_without_a_name_is_called_after_its_output);
	tcase_add_test(t, groups_of_layers_with_one_name_have_names_of_their_own);
	tcase_add_test(t, more_work_than_can_be_counted_is_refused_by_node);
	tcase_add_test(t, timing_can_be_stopped);
	suite_add_tcase(s, t);
	return s;
}
