/* test_topology.c -- graphs whose nodes, names or border are wrong are refused, and the message names the place.
 * SPDX-License-Identifier: MIT
 *
 * Each row is a sample with one thing changed, the code it must give and what the message must say. */
#include <stdlib.h>
#include <string.h>

#include "evaluator/model/graph.h"
#include "tests/evaluator/forms.h"
#include "tests/evaluator/golden.h"
#include "tests/evaluator/suites.h"

#define CONV0 "/features/features.0/Conv"
#define CONV3 "/features/features.3/Conv"
#define RELU0 "/features/features.1/Relu"
#define POOL0 "/features/features.2/MaxPool"
#define GEMM0 "/classifier/classifier.1/Gemm"

enum { LENET5, RESNET20 = 2 };

/* ---- names ---- */

static void tensors_of_one_name(const struct form *f)
{
	form_tensor(f, "features.3.bias")->name = form_text(f, "features.0.bias");
}

static void output_named_as_a_tensor(const struct form *f)
{
	form_node(f, "Relu", 0)->output[0] = form_text(f, "features.0.bias");
}

static void outputs_of_one_name(const struct form *f)
{
	form_node(f, "Relu", 1)->output[0] = form_node(f, "Relu", 0)->output[0];
}

static void output_named_as_the_input(const struct form *f)
{
	form_node(f, "Relu", 0)->output[0] = form_text(f, "input");
}

static void cycle(const struct form *f)
{
	form_node(f, "Conv", 0)->input[0] = form_node(f, "MaxPool", 1)->output[0];
}

static void node_that_reads_itself(const struct form *f)
{
	Onnx__NodeProto *n = form_node(f, "Relu", 0);
	n->input[0] = n->output[0];
}

static void identity_that_reads_itself(const struct form *f)
{
	form_insert(f, 0, form_new_node(f, "Identity", form_text(f, "round"), form_text(f, "round")));
}

static void identity_of_a_taken_name(const struct form *f)
{
	form_insert(f, 0, form_new_node(f, "Identity", form_text(f, "input"), form_text(f, "features.0.bias")));
}

static void identity_without_input(const struct form *f)
{
	form_insert(f, 0, form_new_node(f, "Identity", NULL, form_text(f, "nothing")));
}

static void identity_of_nothing(const struct form *f)
{
	form_insert(f, 0, form_new_node(f, "Identity", form_text(f, "%s", ""), form_text(f, "nothing")));
}

/* ---- the graph's border ---- */

static void no_graph(const struct form *f)
{
	f->model->graph = NULL;
}

static void no_inputs(const struct form *f)
{
	f->graph->n_input = 0;
}

/* A second input, declared as the first. */
static Onnx__ValueInfoProto *second_input(const struct form *f, const char *name)
{
	Onnx__ValueInfoProto *second = ARENA_NEW(f->arena, Onnx__ValueInfoProto);
	Onnx__ValueInfoProto **both = ARENA_ARRAY(f->arena, Onnx__ValueInfoProto *, 2);
	*second = *f->graph->input[0];
	second->name = form_text(f, "%s", name);
	both[0] = f->graph->input[0];
	both[1] = second;
	f->graph->input = both;
	f->graph->n_input = 2;
	return second;
}

static void input_of_another_batch(const struct form *f)
{
	static Onnx__TypeProto type;
	static Onnx__TypeProto__Tensor tensor;
	static Onnx__TensorShapeProto shape;
	static Onnx__TensorShapeProto__Dimension first;
	Onnx__ValueInfoProto *second = second_input(f, "mask");
	type = *second->type;
	tensor = *type.tensor_type;
	shape = *tensor.shape;
	first = *shape.dim[0];
	first.value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
	first.dim_value = 8;
	shape.dim = ARENA_ARRAY(f->arena, Onnx__TensorShapeProto__Dimension *, shape.n_dim);
	memcpy(shape.dim, tensor.shape->dim, shape.n_dim * sizeof *shape.dim);
	shape.dim[0] = &first;
	tensor.shape = &shape;
	type.tensor_type = &tensor;
	second->type = &type;
}

static void input_twice(const struct form *f)
{
	second_input(f, f->graph->input[0]->name);
}

static void no_outputs(const struct form *f)
{
	f->graph->n_output = 0;
}

static void output_twice(const struct form *f)
{
	Onnx__ValueInfoProto **both = ARENA_ARRAY(f->arena, Onnx__ValueInfoProto *, 2);
	both[0] = both[1] = f->graph->output[0];
	f->graph->output = both;
	f->graph->n_output = 2;
}

static void output_that_nobody_computes(const struct form *f)
{
	f->graph->output[0]->name = form_text(f, "probabilities");
}

static void output_that_is_the_input(const struct form *f)
{
	f->graph->output[0]->name = form_text(f, "input");
}

static void output_that_is_a_tensor(const struct form *f)
{
	f->graph->output[0]->name = form_text(f, "features.0.bias");
}

static void no_nodes(const struct form *f)
{
	f->graph->n_node = 0;
}

static Onnx__TensorShapeProto *input_shape(const struct form *f)
{
	return f->graph->input[0]->type->tensor_type->shape;
}

static void input_of_integers(const struct form *f)
{
	f->graph->input[0]->type->tensor_type->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__UINT8;
}

static void input_without_type(const struct form *f)
{
	f->graph->input[0]->type = NULL;
}

static void input_without_shape(const struct form *f)
{
	f->graph->input[0]->type->tensor_type->shape = NULL;
}

static void input_of_one_dimension(const struct form *f)
{
	input_shape(f)->n_dim = 1;
}

static void input_of_open_height(const struct form *f)
{
	input_shape(f)->dim[2]->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
	input_shape(f)->dim[2]->dim_param = form_text(f, "height");
}

static void input_of_no_height(const struct form *f)
{
	input_shape(f)->dim[2]->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE__NOT_SET;
}

static void input_of_negative_width(const struct form *f)
{
	input_shape(f)->dim[3]->dim_value = -28;
}

static void input_too_large(const struct form *f)
{
	input_shape(f)->dim[2]->dim_value = input_shape(f)->dim[3]->dim_value = (int64_t)1 << 32;
}

static void flattened_too_large(const struct form *f)
{
	input_shape(f)->dim[2]->dim_value = input_shape(f)->dim[3]->dim_value = 46340;
}

static void other_channels(const struct form *f)
{
	input_shape(f)->dim[1]->dim_value = 3;
}

static void input_that_is_flat(const struct form *f)
{
	input_shape(f)->n_dim = 2;
}

static void opset_8(const struct form *f)
{
	f->model->opset_import[0]->version = 8;
}

static void opset_19(const struct form *f)
{
	f->model->opset_import[0]->version = 19;
}

static void opset_huge(const struct form *f)
{
	f->model->opset_import[0]->version = INT64_MAX;
}

static void opset_none(const struct form *f)
{
	f->model->n_opset_import = 0;
}

static void opset_of_another_domain(const struct form *f)
{
	f->model->opset_import[0]->domain = form_text(f, "ai.onnx.ml");
}

/* ---- nodes ---- */

static void unknown_operator(const struct form *f)
{
	form_node(f, "Relu", 0)->op_type = form_text(f, "Gelu");
}

static void foreign_domain(const struct form *f)
{
	form_node(f, "Relu", 0)->domain = form_text(f, "com.example");
}

static void no_operator(const struct form *f)
{
	form_node(f, "Relu", 0)->op_type = NULL;
}

static void attribute_twice(const struct form *f)
{
	Onnx__NodeProto *n = form_node(f, "Gemm", 0);
	Onnx__AttributeProto *a = form_add_attribute(f, n, "alpha", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
	a->has_f = true;
	a->f = 2.0f;
}

static void padding_by_name(const struct form *f)
{
	Onnx__NodeProto *n = form_node(f, "Conv", 0);
	Onnx__AttributeProto *a = form_add_attribute(f, n, "auto_pad", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
	a->has_s = true;
	a->s = (ProtobufCBinaryData){ 8, (uint8_t *)form_text(f, "SIDEWAYS") };
}

static void pool_without_kernel(const struct form *f)
{
	form_drop_attribute(form_node(f, "MaxPool", 0), "kernel_shape");
}

static void node_without_inputs(const struct form *f)
{
	form_node(f, "Conv", 0)->n_input = 0;
}

static void node_of_four_inputs(const struct form *f)
{
	Onnx__NodeProto *n = form_node(f, "Conv", 0);
	n->input = form_names(f, 4, n->input[0], n->input[1], n->input[2], n->input[2]);
	n->n_input = 4;
}

static void weight_left_out(const struct form *f)
{
	form_node(f, "Conv", 0)->input[1] = form_text(f, "%s", "");
}

static void node_without_outputs(const struct form *f)
{
	form_node(f, "Conv", 0)->n_output = 0;
}

static void node_of_an_unnamed_output(const struct form *f)
{
	form_node(f, "Conv", 0)->output[0] = form_text(f, "%s", "");
}

static void places_of_the_maxima(const struct form *f)
{
	Onnx__NodeProto *n = form_node(f, "MaxPool", 0);
	n->output = form_names(f, 2, n->output[0], form_text(f, "places"));
	n->n_output = 2;
	form_node(f, "Conv", 1)->input[0] = form_text(f, "places");
}

static void weight_that_is_computed(const struct form *f)
{
	form_node(f, "Conv", 1)->input[1] = form_node(f, "MaxPool", 0)->output[0];
}

static void matrix_that_is_computed(const struct form *f)
{
	form_node(f, "Gemm", 1)->input[1] = form_node(f, "Gemm", 0)->output[0];
}

static void data_that_is_stored(const struct form *f)
{
	form_node(f, "Relu", 0)->input[0] = form_text(f, "features.0.weight");
}

static void maps_into_a_matrix(const struct form *f)
{
	form_node(f, "Gemm", 0)->input[0] = form_node(f, "MaxPool", 1)->output[0];
}

static void features_into_a_convolution(const struct form *f)
{
	Onnx__NodeProto *n = form_new_node(f, "Conv", form_text(f, "logits"), form_text(f, "late"));
	n->input = form_names(f, 2, form_text(f, "logits"), form_text(f, "features.0.weight"));
	n->n_input = 2;
	form_insert(f, f->graph->n_node, n);
	f->graph->output[0]->name = n->output[0];
}

static void features_into_a_pool(const struct form *f)
{
	Onnx__NodeProto *n = form_new_node(f, "GlobalAveragePool", form_text(f, "logits"), form_text(f, "late"));
	form_insert(f, f->graph->n_node, n);
	f->graph->output[0]->name = n->output[0];
}

static void sum_of_a_stored_tensor(const struct form *f)
{
	form_node(f, "Add", 0)->input[1] = form_text(f, "conv.weight");
}

static void sum_of_other_shapes(const struct form *f)
{
	form_node(f, "Add", 3)->input[1] = form_node(f, "Add", 2)->output[0];
}

static void sum_of_one(const struct form *f)
{
	form_node(f, "Add", 0)->n_input = 1;
}

static void constant_without_value(const struct form *f)
{
	form_insert(f, 0, form_new_node(f, "Constant", NULL, form_text(f, "half")));
}

static void constant_of_wrong_length(const struct form *f)
{
	static Onnx__TensorProto t = ONNX__TENSOR_PROTO__INIT;
	static int64_t dims[] = { 3 };
	Onnx__NodeProto *n = form_new_node(f, "Constant", NULL, form_text(f, "half"));
	t.has_data_type = true;
	t.data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
	t.n_dims = 1;
	t.dims = dims;
	form_add_attribute(f, n, "value", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR)->t = &t;
	form_insert(f, 0, n);
}

static const struct {
	int sample;
	void (*change)(const struct form *f);
	enum err code;
	const char *place, *what;
} rows[] = {
	{ LENET5, tensors_of_one_name, ERR_INPUT, "'features.0.bias'", "used twice" },
	{ LENET5, output_named_as_a_tensor, ERR_INPUT, "'features.0.bias'", "used twice" },
	{ LENET5, outputs_of_one_name, ERR_INPUT, "'" RELU0 "_output_0'", "used twice" },
	{ LENET5, output_named_as_the_input, ERR_INPUT, "'input'", "used twice" },
	{ LENET5, cycle, ERR_INPUT, CONV0, "'/features/features.5/MaxPool_output_0' is not defined before" },
	{ LENET5, node_that_reads_itself, ERR_INPUT, RELU0, "'" RELU0 "_output_0' is not defined before" },
	{ LENET5, identity_that_reads_itself, ERR_INPUT, "added Identity", "'round' is not defined before" },
	{ LENET5, identity_of_a_taken_name, ERR_INPUT, "'features.0.bias'", "used twice" },
	{ LENET5, identity_without_input, ERR_INPUT, "added Identity", "0 inputs" },
	{ LENET5, identity_of_nothing, ERR_INPUT, "added Identity", "has 0 inputs, expected 1 to 1" },
	{ LENET5, no_graph, ERR_INPUT, "not an ONNX model", "no graph" },
	{ LENET5, no_inputs, ERR_INPUT, "the model", "has no input" },
	{ LENET5, input_of_another_batch, ERR_UNSUPPORTED, "'mask'", "is declared as 8, the first input's as 0" },
	{ LENET5, input_twice, ERR_INPUT, "'input'", "used twice" },
	{ LENET5, no_outputs, ERR_INPUT, "the model", "has no output" },
	{ LENET5, output_twice, ERR_UNSUPPORTED, "'logits'", "is output 'logits' again" },
	{ LENET5, output_that_nobody_computes, ERR_INPUT, "'probabilities'", "no node computes it" },
	{ LENET5, output_that_is_the_input, ERR_INPUT, "'input'", "no node computes it" },
	{ LENET5, output_that_is_a_tensor, ERR_INPUT, "'features.0.bias'", "no node computes it" },
	{ LENET5, no_nodes, ERR_INPUT, "'logits'", "no node computes it" },
	{ LENET5, input_of_integers, ERR_UNSUPPORTED, "'input'", "not a float tensor" },
	{ LENET5, input_without_type, ERR_UNSUPPORTED, "'input'", "not a float tensor" },
	{ LENET5, input_without_shape, ERR_UNSUPPORTED, "'input'", "has 0 dimensions, expected 1 to 8" },
	{ LENET5, input_of_one_dimension, ERR_INPUT, CONV0, "is (6, 1, 5, 5), expected 1 dimensions as the input" },
	{ LENET5, input_of_open_height, ERR_UNSUPPORTED, "'input'", "dimension 2 is not a positive number" },
	{ LENET5, input_of_no_height, ERR_UNSUPPORTED, "'input'", "dimension 2 is not a positive number" },
	{ LENET5, input_of_negative_width, ERR_UNSUPPORTED, "'input'", "dimension 3 is not a positive number" },
	{ LENET5, input_too_large, ERR_LIMIT, "'input'", "2^31" },
	{ LENET5, flattened_too_large, ERR_INPUT, GEMM0, "the operands are (batch, 2146654224) and (120, 400)" },
	{ LENET5, other_channels, ERR_INPUT, CONV0, "the weight is (6, 1, 5, 5), expected 3 input channels" },
	{ LENET5, input_that_is_flat, ERR_INPUT, CONV0, "expected 2 dimensions as the input" },
	{ LENET5, opset_8, ERR_UNSUPPORTED, "opset 8", "expected 9 to 18" },
	{ LENET5, opset_19, ERR_UNSUPPORTED, "opset 19", "expected 9 to 18" },
	{ LENET5, opset_huge, ERR_UNSUPPORTED, "opset 9223372036854775807", "expected 9 to 18" },
	{ LENET5, opset_none, ERR_UNSUPPORTED, "opset 0", "expected 9 to 18" },
	{ LENET5, opset_of_another_domain, ERR_UNSUPPORTED, "opset 0", "expected 9 to 18" },
	{ LENET5, unknown_operator, ERR_UNSUPPORTED, RELU0, "operator 'Gelu' is not known" },
	{ LENET5, foreign_domain, ERR_UNSUPPORTED, RELU0, "operator 'com.example.Relu' is not known" },
	{ LENET5, no_operator, ERR_UNSUPPORTED, RELU0, "operator '' is not known" },
	{ LENET5, attribute_twice, ERR_INPUT, GEMM0, "'alpha' is given twice" },
	{ LENET5, padding_by_name, ERR_INPUT, CONV0, "'auto_pad' is 'SIDEWAYS', expected NOTSET" },
	{ LENET5, pool_without_kernel, ERR_INPUT, POOL0, "'kernel_shape' is missing" },
	{ LENET5, node_without_inputs, ERR_INPUT, CONV0, "has 0 inputs, expected 2 to 3" },
	{ LENET5, node_of_four_inputs, ERR_INPUT, CONV0, "has 4 inputs, expected 2 to 3" },
	{ LENET5, weight_left_out, ERR_INPUT, CONV0, "input 1 is left out" },
	{ LENET5, node_without_outputs, ERR_INPUT, CONV0, "has 0 outputs" },
	{ LENET5, node_of_an_unnamed_output, ERR_INPUT, CONV0, "has 0 outputs" },
	{ LENET5, places_of_the_maxima, ERR_INPUT, CONV3, "'places' is not defined" },
	{ LENET5, weight_that_is_computed, ERR_UNSUPPORTED, CONV3, "the weight is not a stored float tensor" },
	{ LENET5, matrix_that_is_computed, ERR_INPUT, "classifier.3/Gemm", "the bias is (84)" },
	{ LENET5, data_that_is_stored, ERR_UNSUPPORTED, POOL0, "computes with stored numbers only" },
	{ LENET5, maps_into_a_matrix, ERR_INPUT, GEMM0, "operand 0 is (batch, 16, 5, 5), expected a matrix" },
	{ LENET5, features_into_a_convolution, ERR_INPUT, "added Conv", "expected 2 dimensions as the input" },
	{ LENET5, features_into_a_pool, ERR_INPUT, "added GlobalAveragePool", "the input is (batch, 10)" },
	{ RESNET20, sum_of_a_stored_tensor, ERR_INPUT,
		"/blocks/blocks.0/Add", "input 1 is (16, 1, 3, 3), expected (batch, 16, 28, 28)" },
	{ RESNET20, sum_of_other_shapes, ERR_INPUT,
		"/blocks/blocks.3/Add", "input 1 is (batch, 16, 28, 28), expected (batch, 32, 14, 14)" },
	{ RESNET20, sum_of_one, ERR_INPUT, "/blocks/blocks.0/Add", "has 1 inputs, expected 2" },
	{ LENET5, constant_without_value, ERR_UNSUPPORTED, "added Constant", "holds no tensor and no number" },
	{ LENET5, constant_of_wrong_length, ERR_INPUT, "'half'", "has 0 bytes of data, its dimensions need 12" },
};

START_TEST(a_graph_that_is_wired_wrongly_is_refused)
{
	struct form f = form_open(samples[rows[_i].sample].path);
	rows[_i].change(&f);
	form_refused(&f, rows[_i].code, rows[_i].place, rows[_i].what);
	form_close(&f);
}
END_TEST

Suite *topology_suite(void)
{
	Suite *s = suite_create("topology");
	TCase *t = tcase_create("topology");
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, a_graph_that_is_wired_wrongly_is_refused, 0, sizeof rows / sizeof *rows);
	suite_add_tcase(s, t);
	return s;
}
