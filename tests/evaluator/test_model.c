/* test_model.c -- the samples answer as PyTorch does, in whatever form their file has, and after being written again.
 * SPDX-License-Identifier: MIT
 *
 * What PyTorch's exporter gives lies under forms/, made by tests/peers/forms.py; the forms of other exporters are made
 * here, by changing a sample's messages so that the network stays the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/data/dataset.h"
#include "evaluator/measure/accuracy.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "tests/evaluator/folder.h"
#include "tests/evaluator/forms.h"
#include "tests/evaluator/golden.h"
#include "tests/evaluator/sketch.h"
#include "tests/evaluator/suites.h"

#define FORMS "tests/evaluator/forms/"

/* The samples themselves, then forms that the exporter gave. */
static const char *const files[] = {
	"models/fashion-lenet5.onnx",
	"models/fashion-vgg.onnx",
	"models/fashion-resnet20.onnx",
	FORMS "lenet5-11-eval-fixed-inputs.onnx",
	FORMS "vgg-12-eval-folded.onnx",
	FORMS "vgg-11-preserve.onnx",
	FORMS "resnet20-11-eval-folded-fixed.onnx",
	FORMS "resnet20-12-training.onnx",
};
enum { FILES = sizeof files / sizeof *files };

static int file_sample(int i)
{
	return i < SAMPLES ? i : sample_of(strrchr(files[i], '/') + 1);
}

START_TEST(every_exported_form_answers_as_pytorch_does)
{
	struct graph *g = golden_read(files[_i]);
	golden_check(g, file_sample(_i), NULL, files[_i]);
	graph_free(g);
}
END_TEST

START_TEST(the_answer_does_not_depend_on_the_batch)
{
	static float one[GOLDEN_IMAGES * CLASSES], many[GOLDEN_IMAGES * CLASSES];
	struct graph *g = golden_read(samples[_i].path);
	golden_run(g, 1, one);
	golden_run(g, 100, many);
	for (int i = 0; i < GOLDEN_IMAGES * CLASSES; i++)
		ck_assert_float_eq_tol(one[i], many[i], 1e-4);
	graph_free(g);
}
END_TEST

START_TEST(test_accuracy_is_what_pytorch_printed)
{
	struct score s;
	struct errinfo e;
	struct graph *g = golden_read(samples[_i].path);
	ck_assert_msg(!score_graph(g, golden_images(), SIZE_MAX, NULL, &s, &e), "%s", e.msg);
	ck_assert_uint_eq(s.count, 10000);
	ck_assert_double_eq_tol(s.accuracy, samples[_i].accuracy, 0.0002);
	graph_free(g);
}
END_TEST

/* ---- forms made here ---- */

static void constants_for_initialisers(const struct form *f)
{
	Onnx__GraphProto *g = f->graph;
	for (size_t i = 0; i < g->n_initializer; i++) {
		Onnx__TensorProto *t = g->initializer[i];
		Onnx__NodeProto *n = form_new_node(f, "Constant", NULL, t->name);
		form_add_attribute(f, n, "value", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR)->t = t;
		t->name = NULL;
		form_insert(f, 0, n);
	}
	g->n_initializer = 0;
}

static void typed_for_raw_data(const struct form *f)
{
	for (size_t i = 0; i < f->graph->n_initializer; i++) {
		Onnx__TensorProto *t = f->graph->initializer[i];
		t->float_data = form_floats(t, &t->n_float_data);
		t->has_raw_data = false;
	}
}

/* Every tensor that a node reads goes through two Identity nodes first, and the output through one. */
static void identities_everywhere(const struct form *f)
{
	int made = 0;
	char *output = f->graph->output[0]->name;
	for (size_t i = 0; i < f->graph->n_node; i++) {
		Onnx__NodeProto *n = f->graph->node[i];
		for (size_t k = 0; k < n->n_input; k++) {
			char *first = form_text(f, "way.%d", made++), *second = form_text(f, "way.%d", made++);
			form_insert(f, i++, form_new_node(f, "Identity", n->input[k], first));
			form_insert(f, i++, form_new_node(f, "Identity", first, second));
			n->input[k] = second;
		}
		if (!strcmp(n->output[0], output))
			n->output[0] = form_text(f, "not yet %s", output);
	}
	Onnx__NodeProto *last = f->graph->node[f->graph->n_node - 1];
	form_insert(f, f->graph->n_node, form_new_node(f, "Identity", last->output[0], output));
}

/* The bias of a convolution that has none, the places of maxima, what training adds to a batch-norm. */
static void empty_optional_names(const struct form *f)
{
	char *none = form_text(f, "%s", "");
	for (size_t i = 0; i < f->graph->n_node; i++) {
		Onnx__NodeProto *n = f->graph->node[i];
		if (!strcmp(n->op_type, "Conv") && n->n_input == 2) {
			n->input = form_names(f, 3, n->input[0], n->input[1], none);
			n->n_input = 3;
		} else if (!strcmp(n->op_type, "MaxPool")) {
			n->output = form_names(f, 2, n->output[0], none);
			n->n_output = 2;
		} else if (!strcmp(n->op_type, "BatchNormalization")) {
			n->output = form_names(f, 5, n->output[0], none, none, none, none);
			n->n_output = 5;
		}
	}
}

static bool ints_are(const Onnx__AttributeProto *a, int64_t value)
{
	for (size_t i = 0; i < a->n_ints; i++)
		if (a->ints[i] != value)
			return false;
	return true;
}

/* ONNX's defaults of the operators that the samples have; a convolution's kernel_shape is its weight's. */
static bool is_default(const Onnx__AttributeProto *a, bool conv)
{
	static const char *const zeros[] = { "pads", "ceil_mode", "transA", "transB" };
	static const char *const ones[] = { "strides", "dilations", "group", "axis", "alpha", "beta" };
	for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
		if (!strcmp(a->name, zeros[i]))
			return a->n_ints ? ints_are(a, 0) : a->i == 0;
	for (size_t i = 0; i < sizeof ones / sizeof *ones; i++)
		if (!strcmp(a->name, ones[i]))
			return a->n_ints ? ints_are(a, 1) : a->i == 1 || (a->has_f && a->f == 1.0f);
	if (!strcmp(a->name, "kernel_shape"))
		return conv;
	return !strcmp(a->name, "momentum") || (!strcmp(a->name, "epsilon") && a->f == 1e-5f);
}

static void defaults_left_out(const struct form *f)
{
	int dropped = 0;
	for (size_t i = 0; i < f->graph->n_node; i++) {
		Onnx__NodeProto *n = f->graph->node[i];
		for (size_t k = n->n_attribute; k--;) {
			if (!is_default(n->attribute[k], !strcmp(n->op_type, "Conv")))
				continue;
			form_drop_attribute(n, n->attribute[k]->name);
			dropped++;
		}
	}
	ck_assert_int_gt(dropped, 10);
}

static void plain_weights_for_transposed(const struct form *f)
{
	for (size_t i = 0; i < f->graph->n_node; i++) {
		Onnx__NodeProto *n = f->graph->node[i];
		if (strcmp(n->op_type, "Gemm"))
			continue;
		size_t count;
		Onnx__TensorProto *t = form_tensor(f, n->input[1]);
		float *w = form_floats(t, &count);
		size_t out = (size_t)t->dims[0], in = (size_t)t->dims[1];
		float *turned = arena_alloc(f->arena, count, sizeof *turned);
		for (size_t k = 0; k < count; k++)
			turned[k % in * out + k / in] = w[k];
		t->raw_data.data = (uint8_t *)turned;
		t->dims[0] = (int64_t)in;
		t->dims[1] = (int64_t)out;
		form_attribute(n, "transB")->i = 0;
	}
}

static void scale(const struct form *f, const char *name, float factor)
{
	size_t count;
	float *x = form_floats(form_tensor(f, name), &count);
	for (size_t i = 0; i < count; i++)
		x[i] *= factor;
}

static void weights_behind_alpha_and_beta(const struct form *f)
{
	for (size_t i = 0; i < f->graph->n_node; i++) {
		Onnx__NodeProto *n = f->graph->node[i];
		if (strcmp(n->op_type, "Gemm"))
			continue;
		form_attribute(n, "alpha")->f = 0.5f;
		form_attribute(n, "beta")->f = -4.0f;
		scale(f, n->input[1], 2.0f);
		scale(f, n->input[2], -0.25f);
	}
}

static void another_name_for_the_batch(const struct form *f)
{
	f->graph->input[0]->type->tensor_type->shape->dim[0]->dim_param = form_text(f, "N");
	f->graph->output[0]->type->tensor_type->shape->dim[0]->dim_param = form_text(f, "N");
}

static void domain_spelt_out(const struct form *f)
{
	f->model->opset_import[0]->domain = form_text(f, "ai.onnx");
	for (size_t i = 0; i < f->graph->n_node; i++)
		f->graph->node[i]->domain = form_text(f, "ai.onnx");
}

/* Branches that nobody reads: behind the output, beside the network, of the input. */
static void dead_branches(const struct form *f)
{
	form_insert(f, 0, form_new_node(f, "Relu", form_text(f, "input"), form_text(f, "dead")));
	form_insert(f, 1, form_new_node(f, "Relu", form_text(f, "dead"), form_text(f, "dead too")));
	form_insert(f, f->graph->n_node, form_new_node(f, "Relu", form_text(f, "logits"), form_text(f, "dead late")));
	size_t at = 0;
	const Onnx__NodeProto *conv = form_node(f, "Conv", 0);
	while (f->graph->node[at] != conv)
		at++;
	form_insert(f, at + 1, form_new_node(f, "Relu", conv->output[0], form_text(f, "dead beside")));
}

static void nameless_nodes(const struct form *f)
{
	for (size_t i = 0; i < f->graph->n_node; i++)
		f->graph->node[i]->name = NULL;
}

static const struct {
	const char *what;
	void (*change)(const struct form *f);
} changes[] = {
	{ "weights in Constant nodes", constants_for_initialisers },
	{ "typed data", typed_for_raw_data },
	{ "Identity nodes around everything", identities_everywhere },
	{ "optional inputs and outputs given as ''", empty_optional_names },
	{ "attributes at their defaults left out", defaults_left_out },
	{ "transB = 0", plain_weights_for_transposed },
	{ "alpha and beta", weights_behind_alpha_and_beta },
	{ "a batch called N", another_name_for_the_batch },
	{ "the domain ai.onnx", domain_spelt_out },
	{ "branches that nobody reads", dead_branches },
	{ "nodes without names", nameless_nodes },
};
enum { CHANGES = sizeof changes / sizeof *changes };

START_TEST(a_form_of_another_exporter_is_the_same_network)
{
	struct graph *g;
	struct errinfo e;
	int which = _i % SAMPLES;
	const char *what = changes[_i / SAMPLES].what;
	struct form f = form_open(samples[which].path);
	changes[_i / SAMPLES].change(&f);
	ck_assert_msg(!form_read(&f, &g, &e), "%s: %s: %s", samples[which].name, what, e.msg);
	ck_assert_str_eq(g->values[g->inputs[0]].name, "input");
	ck_assert_str_eq(g->values[g->outputs[0]].name, "logits");
	golden_check(g, which, NULL, what);
	graph_free(g);
	form_close(&f);
}
END_TEST

/* Reads the sample without the bias of its last layer, which takes it off every answer. */
static void check_without_bias(int which, bool named_empty)
{
	size_t count;
	struct graph *g;
	struct errinfo e;
	struct form f = form_open(samples[which].path);
	Onnx__NodeProto *last = f.graph->node[f.graph->n_node - 1];
	const float *bias = form_floats(form_tensor(&f, last->input[2]), &count);
	ck_assert_uint_eq(count, CLASSES);
	if (named_empty)
		last->input[2] = form_text(&f, "%s", "");
	else
		last->n_input = 2;
	ck_assert_msg(!form_read(&f, &g, &e), "%s", e.msg);
	golden_check(g, which, bias, "without the last bias");
	graph_free(g);
	form_close(&f);
}

START_TEST(a_linear_layer_may_have_no_bias)
{
	check_without_bias(_i, false);
	check_without_bias(_i, true);
}
END_TEST

START_TEST(nodes_out_of_order_are_refused_by_name)
{
	struct graph *g;
	struct errinfo e;
	struct form f = form_open(samples[0].path);
	Onnx__NodeProto **n = f.graph->node;
	Onnx__NodeProto *late = n[3];
	n[3] = n[4];
	n[4] = late;
	ck_assert_int_eq(form_read(&f, &g, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, n[3]->name) && strstr(e.msg, n[3]->input[0]), "%s", e.msg);
	ck_assert_msg(strstr(e.msg, "not defined before"), "%s", e.msg);
	form_close(&f);
}
END_TEST

/* ---- writing ---- */

static void check_same_border(const struct graph *g, const struct graph *again, int index, int index_again)
{
	char text[128], text_again[128];
	const struct value *a = &g->values[index], *b = &again->values[index_again];
	ck_assert_str_eq(a->name, b->name);
	ck_assert_str_eq(shape_text(&a->shape, text), shape_text(&b->shape, text_again));
	ck_assert_pstr_eq(a->batch_name, b->batch_name);
	ck_assert_int_eq(a->batch_size, b->batch_size);
}

static struct graph *write_and_read(const struct graph *g)
{
	struct graph *again;
	struct errinfo e;
	folder_enter();
	ck_assert_msg(!onnx_write(g, "again.onnx", &e), "%s", e.msg);
	again = golden_read("again.onnx");
	folder_leave();
	return again;
}

START_TEST(a_model_written_and_read_is_the_same_to_the_bit)
{
	static float before[GOLDEN_IMAGES * CLASSES], after[GOLDEN_IMAGES * CLASSES];
	struct graph *g = golden_read(files[_i]), *again = write_and_read(g);
	golden_run(g, 64, before);
	golden_run(again, 64, after);
	ck_assert_mem_eq(before, after, sizeof before);
	check_same_border(g, again, g->inputs[0], again->inputs[0]);
	check_same_border(g, again, g->outputs[0], again->outputs[0]);
	ck_assert_int_eq(g->opset, again->opset);
	ck_assert_int_eq(g->ir_version, again->ir_version);
	ck_assert_str_eq(g->name, again->name);
	graph_free(g);
	graph_free(again);
}
END_TEST

START_TEST(a_written_model_keeps_the_name_of_its_batch)
{
	struct graph *g, *again;
	struct errinfo e;
	struct form f = form_open(samples[0].path);
	another_name_for_the_batch(&f);
	ck_assert_msg(!form_read(&f, &g, &e), "%s", e.msg);
	again = write_and_read(g);
	ck_assert_str_eq(again->values[again->inputs[0]].batch_name, "N");
	ck_assert_str_eq(again->values[again->outputs[0]].batch_name, "N");
	graph_free(g);
	graph_free(again);
	form_close(&f);
}
END_TEST

START_TEST(a_written_model_keeps_names_and_attributes_of_its_nodes)
{
	struct graph *g = golden_read(files[_i]), *again = write_and_read(g);
	ck_assert_int_eq(g->node_count, again->node_count);
	for (int i = 0; i < g->node_count; i++) {
		const struct node *a = &g->nodes[i], *b = &again->nodes[i];
		ck_assert_str_eq(a->name, b->name);
		ck_assert_int_eq(a->op, b->op);
		ck_assert_int_eq(a->attribute_count, b->attribute_count);
		for (int k = 0; k < a->attribute_count; k++) {
			const struct attribute *p = &a->attributes[k], *q = &b->attributes[k];
			ck_assert_str_eq(p->name, q->name);
			ck_assert_int_eq(p->kind, q->kind);
			ck_assert(p->i == q->i && p->f == q->f && p->count == q->count);
			if (p->count)
				ck_assert_mem_eq(p->ints, q->ints, p->count * sizeof *p->ints);
		}
		ck_assert_str_eq(g->values[a->out[0]].name, again->values[b->out[0]].name);
	}
	graph_free(g);
	graph_free(again);
}
END_TEST

/* Inference adds the shapes of what is computed; the file has the types of what is stored. */
static struct graph *finish_and_write(struct sketch *s, int output)
{
	sketch_finish(s, output);
	for (int i = 0; i < s->g->value_count; i++)
		s->g->values[i].file_type = (int)s->g->values[i].dtype;
	return write_and_read(s->g);
}

START_TEST(sizes_that_name_the_batch_are_found_when_a_written_model_runs)
{
	struct sketch s = sketch_open("expand", 1, 1, (const int64_t[]){ 5 });
	int row = sketch_tensor(&s, -1, 1, 3, (const int64_t[]){ 1, 1, 5 });
	int sizes = sketch_operand(&s, 3, (const int64_t[]){ DIM_BATCH, 7, 5 });
	s.g->values[sizes].batch_sizes = true;
	struct graph *again = finish_and_write(&s, sketch_node(&s, OP_EXPAND, 2, (const int[]){ row, sizes }));
	const struct value *y = &again->values[again->outputs[0]];
	ck_assert_int_eq(again->node_count, 1);
	ck_assert(shape_equal(&y->shape, &(struct shape){ 3, { DIM_BATCH, 7, 5 } }));
	graph_free(again);
	sketch_close(&s);
}
END_TEST

START_TEST(a_resize_may_leave_out_its_region)
{
	struct sketch s = sketch_open("resize", 1, 3, (const int64_t[]){ 2, 3, 4 });
	int scales = sketch_tensor(&s, 1, 1, 1, (const int64_t[]){ 4 });
	((float *)s.g->values[scales].data)[3] = 2;
	struct graph *again = finish_and_write(&s, sketch_node(&s, OP_RESIZE, 3, (const int[]){ 0, -1, scales }));
	const struct value *y = &again->values[again->outputs[0]];
	ck_assert(shape_equal(&y->shape, &(struct shape){ 4, { DIM_BATCH, 2, 3, 8 } }));
	graph_free(again);
	sketch_close(&s);
}
END_TEST

Suite *model_suite(void)
{
	Suite *s = suite_create("model");
	TCase *t = tcase_create("model");
	tcase_set_timeout(t, 120);
	tcase_add_unchecked_fixture(t, golden_setup, golden_teardown);
	tcase_add_loop_test(t, every_exported_form_answers_as_pytorch_does, 0, FILES);
	tcase_add_loop_test(t, the_answer_does_not_depend_on_the_batch, 0, SAMPLES);
	tcase_add_loop_test(t, test_accuracy_is_what_pytorch_printed, 0, SAMPLES);
	tcase_add_loop_test(t, a_form_of_another_exporter_is_the_same_network, 0, CHANGES * SAMPLES);
	tcase_add_loop_test(t, a_linear_layer_may_have_no_bias, 0, SAMPLES);
	tcase_add_test(t, nodes_out_of_order_are_refused_by_name);
	tcase_add_loop_test(t, a_model_written_and_read_is_the_same_to_the_bit, 0, FILES);
	tcase_add_test(t, a_written_model_keeps_the_name_of_its_batch);
	tcase_add_loop_test(t, a_written_model_keeps_names_and_attributes_of_its_nodes, 0, FILES);
	tcase_add_test(t, sizes_that_name_the_batch_are_found_when_a_written_model_runs);
	tcase_add_test(t, a_resize_may_leave_out_its_region);
	suite_add_tcase(s, t);
	return s;
}
