/* test_refusal.c -- stored tensors and attributes that are wrong are refused, and the message names the place.
 * SPDX-License-Identifier: MIT
 *
 * Each row is a sample with one thing changed, the code it must give and what the message must say: the node or
 * tensor, and the value. Dimensions and attributes have tables of their own, everything else is a function. */
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
#define FLATTEN "/classifier/classifier.0/Flatten"
#define GEMM0 "/classifier/classifier.1/Gemm"
#define NORM0 "/features/features.1/BatchNormalization"

enum { LENET5, VGG, RESNET20 };

#define COUNT(rows) (sizeof rows / sizeof *rows)
#define POWER(n) ((int64_t)1 << (n))

/* ---- dimensions of stored tensors ---- */

static const struct {
	const char *tensor;
	size_t rank;
	int64_t dims[10];
	enum err code;
	const char *place, *what;
} dims_rows[] = {
	{ "features.0.weight", 4, { -6, 1, 5, 5 }, ERR_INPUT, "'features.0.weight'", "dimension 0 is -6" },
	{ "features.0.weight", 4, { 6, 1, 0, 5 }, ERR_INPUT, "'features.0.weight'", "dimension 2 is 0" },
	{ "features.0.weight", 4, { INT64_MIN, 1, 5, 5 }, ERR_INPUT, "'features.0.weight'",
		"dimension 0 is -9223372036854775808" },
	{ "features.0.weight", 4, { -2, -3, 5, 5 }, ERR_INPUT, "'features.0.weight'", "dimension 0 is -2" },
	{ "features.0.weight", 4, { 7, 1, 5, 5 }, ERR_INPUT, "'features.0.weight'",
		"has 600 bytes of data, its dimensions need 700" },
	{ "features.0.weight", 4, { 5, 1, 5, 5 }, ERR_INPUT, "'features.0.weight'",
		"has 600 bytes of data, its dimensions need 500" },
	{ "features.0.weight", 0, { 0 }, ERR_INPUT, "'features.0.weight'",
		"has 600 bytes of data, its dimensions need 4" },
	{ "features.0.weight", 4, { POWER(16), POWER(15), 1, 1 }, ERR_INPUT, "'features.0.weight'", "need 8589934592" },
	{ "features.0.weight", 4, { POWER(16), POWER(15) + 1, 1, 1 }, ERR_LIMIT, "'features.0.weight'", "2^31" },
	{ "features.0.weight", 4, { POWER(32), POWER(32), 5, 5 }, ERR_LIMIT, "'features.0.weight'", "2^31" },
	{ "features.0.weight", 4, { INT64_MAX, INT64_MAX, 5, 5 }, ERR_LIMIT, "'features.0.weight'", "2^31" },
	{ "features.0.weight", 4, { POWER(62), 6, 5, 5 }, ERR_LIMIT, "'features.0.weight'", "2^31" },
	{ "features.0.weight", 9, { 6, 1, 5, 5, 1, 1, 1, 1, 1 }, ERR_UNSUPPORTED, "'features.0.weight'",
		"9 dimensions" },
	{ "features.0.weight", 3, { 6, 5, 5 }, ERR_INPUT, CONV0,
		"the weight is (6, 5, 5), expected 4 dimensions as the input" },
	{ "features.0.weight", 4, { 1, 6, 5, 5 }, ERR_INPUT, CONV0,
		"the weight is (1, 6, 5, 5), expected 1 input channels" },
	{ "features.0.weight", 4, { 6, 1, 25, 1 }, ERR_INPUT, CONV0,
		"'kernel_shape' has 5 in dimension 0, the weight has 25" },
	{ "features.0.weight", 4, { 5, 6, 1, 5 }, ERR_INPUT, CONV0, "expected 1 input channels" },
	{ "features.0.bias", 2, { 2, 3 }, ERR_INPUT, CONV0, "the bias is (2, 3), expected (6)" },
	{ "features.0.bias", 2, { 1, 6 }, ERR_INPUT, CONV0, "the bias is (1, 6), expected (6)" },
	{ "classifier.1.weight", 2, { 400, 120 }, ERR_INPUT, GEMM0, "the operands are (batch, 400) and (400, 120)" },
	{ "classifier.1.weight", 1, { 48000 }, ERR_INPUT, GEMM0, "operand 1 is (48000), expected a matrix" },
	{ "classifier.1.weight", 3, { 120, 20, 20 }, ERR_INPUT, GEMM0,
		"operand 1 is (120, 20, 20), expected a matrix" },
	{ "classifier.1.bias", 2, { 120, 1 }, ERR_INPUT, GEMM0, "the bias is (120, 1), expected (batch, 120)" },
};

START_TEST(a_tensor_whose_dimensions_are_wrong_is_refused)
{
	struct form f = form_open(samples[LENET5].path);
	Onnx__TensorProto *t = form_tensor(&f, dims_rows[_i].tensor);
	t->n_dims = dims_rows[_i].rank;
	t->dims = (int64_t *)dims_rows[_i].dims;
	form_refused(&f, dims_rows[_i].code, dims_rows[_i].place, dims_rows[_i].what);
	form_close(&f);
}
END_TEST

/* ---- attributes ---- */

#define INT ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT
#define INTS ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS
#define FLOAT ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT
#define FLOATS ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS
#define STRING ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING
#define GRAPH ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH
#define TENSOR ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR
#define UNDEFINED ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED

#define FIT "the window does not fit into the input"

/* The first node of an operator gets the attribute; the values are the ints, or the int or float. */
static const struct {
	const char *op, *name;
	Onnx__AttributeProto__AttributeType type;
	size_t count;
	int64_t value[5];
	enum err code;
	const char *place, *what;
} attribute_rows[] = {
	/* values out of range */
	{ "MaxPool", "kernel_shape", INTS, 2, { 0, 2 }, ERR_INPUT,
		POOL0, "'kernel_shape' has the value 0, expected 1 to" },
	{ "MaxPool", "kernel_shape", INTS, 2, { 2, -2 }, ERR_INPUT, POOL0, "'kernel_shape' has the value -2" },
	{ "MaxPool", "kernel_shape", INTS, 2, { POWER(40), 2 }, ERR_INPUT,
		POOL0, "'kernel_shape' has the value 1099511627776" },
	{ "MaxPool", "kernel_shape", INTS, 2, { 2, INT64_MIN }, ERR_INPUT,
		POOL0, "'kernel_shape' has the value -9223372036854775808" },
	{ "MaxPool", "kernel_shape", INTS, 2, { 29, 2 }, ERR_INPUT, POOL0, FIT " (batch, 6, 28, 28)" },
	{ "MaxPool", "kernel_shape", INTS, 2, { POWER(20), 2 }, ERR_INPUT, POOL0, FIT },
	{ "MaxPool", "strides", INTS, 2, { 0, 2 }, ERR_INPUT, POOL0, "'strides' has the value 0, expected 1 to" },
	{ "MaxPool", "strides", INTS, 2, { 2, -1 }, ERR_INPUT, POOL0, "'strides' has the value -1" },
	{ "MaxPool", "pads", INTS, 4, { 0, -1, 0, 0 }, ERR_INPUT, POOL0, "'pads' has the value -1" },
	{ "MaxPool", "pads", INTS, 4, { 2, 0, 0, 0 }, ERR_INPUT, POOL0, "'pads' is as large as the kernel" },
	{ "MaxPool", "pads", INTS, 4, { 0, 0, 0, 5 }, ERR_INPUT, POOL0, "'pads' is as large as the kernel" },
	{ "Conv", "strides", INTS, 2, { 0, 0 }, ERR_INPUT, CONV0, "'strides' has the value 0" },
	{ "Conv", "strides", INTS, 2, { 1, POWER(40) }, ERR_INPUT, CONV0, "'strides' has the value 1099511627776" },
	{ "Conv", "dilations", INTS, 2, { 1, 0 }, ERR_INPUT, CONV0, "'dilations' has the value 0" },
	{ "Conv", "dilations", INTS, 2, { -1, 1 }, ERR_INPUT, CONV0, "'dilations' has the value -1" },
	{ "Conv", "dilations", INTS, 2, { 8, 1 }, ERR_INPUT, CONV0, FIT " (batch, 1, 28, 28)" },
	{ "Conv", "dilations", INTS, 2, { POWER(20), 1 }, ERR_INPUT, CONV0, FIT },
	{ "Conv", "pads", INTS, 4, { 0, 0, POWER(40), 0 }, ERR_INPUT, CONV0, "'pads' has the value 1099511627776" },
	{ "Conv", "pads", INTS, 4, { 0, 0, 0, INT64_MIN }, ERR_INPUT,
		CONV0, "'pads' has the value -9223372036854775808" },
	{ "Conv", "pads", INTS, 4, { POWER(20), POWER(20), POWER(20), POWER(20) }, ERR_LIMIT,
		CONV0, "expected 1 to 2^40 elements" },
	{ "Conv", "group", INT, 1, { 2 }, ERR_INPUT, CONV0, "'group' is 2" },
	{ "Conv", "group", INT, 1, { -1 }, ERR_INPUT, CONV0, "'group' is -1" },
	{ "Conv", "kernel_shape", INTS, 2, { 3, 3 }, ERR_INPUT,
		CONV0, "'kernel_shape' has 3 in dimension 0, the weight has 5" },
	{ "Flatten", "axis", INT, 1, { 0 }, ERR_INPUT, GEMM0, "don't fit" },
	{ "Flatten", "axis", INT, 1, { 5 }, ERR_INPUT, FLATTEN, "'axis' is 5" },
	{ "Flatten", "axis", INT, 1, { INT64_MIN }, ERR_INPUT, FLATTEN, "'axis' is -9223372036854775808" },
	{ "Gemm", "transA", INT, 1, { 1 }, ERR_INPUT, GEMM0, "don't fit" },
	{ "Gemm", "transB", INT, 1, { 0 }, ERR_INPUT, GEMM0, "the operands are (batch, 400) and (120, 400)" },
	/* the wrong number of values */
	{ "Conv", "strides", INTS, 0, { 0 }, ERR_INPUT, CONV0, "'strides' has 0 values, expected 2" },
	{ "Conv", "strides", INTS, 1, { 1 }, ERR_INPUT, CONV0, "'strides' has 1 values, expected 2" },
	{ "Conv", "dilations", INTS, 3, { 1, 1, 1 }, ERR_INPUT, CONV0, "'dilations' has 3 values, expected 2" },
	{ "Conv", "pads", INTS, 2, { 2, 2 }, ERR_INPUT, CONV0, "'pads' has 2 values, expected 4" },
	{ "MaxPool", "kernel_shape", INTS, 3, { 2, 2, 2 }, ERR_INPUT,
		POOL0, "'kernel_shape' has 3 values, expected 2" },
	/* the wrong type */
	{ "Conv", "strides", INT, 1, { 1 }, ERR_INPUT, CONV0, "'strides' has the type 2, expected 7 (ints)" },
	{ "Conv", "strides", FLOATS, 0, { 0 }, ERR_INPUT, CONV0, "'strides' has the type 6, expected 7 (ints)" },
	{ "Conv", "group", FLOAT, 1, { 2 }, ERR_INPUT, CONV0, "'group' has the type 1, expected 2 (int)" },
	{ "Conv", "group", INTS, 1, { 2 }, ERR_INPUT, CONV0, "'group' has the type 7, expected 2 (int)" },
	{ "Conv", "kernel_shape", STRING, 1, { 5 }, ERR_INPUT,
		CONV0, "'kernel_shape' has the type 3, expected 7 (ints)" },
	{ "Conv", "pads", GRAPH, 0, { 0 }, ERR_INPUT, CONV0, "'pads' has the type 5, expected 7 (ints)" },
	{ "Conv", "dilations", TENSOR, 0, { 0 }, ERR_INPUT, CONV0, "'dilations' has the type 4, expected 7 (ints)" },
	{ "Conv", "auto_pad", INT, 1, { 0 }, ERR_INPUT, CONV0, "'auto_pad' has the type 2, expected 3 (string)" },
	{ "MaxPool", "ceil_mode", FLOAT, 1, { 1 }, ERR_INPUT, POOL0, "'ceil_mode' has the type 1, expected 2 (int)" },
	{ "MaxPool", "ceil_mode", UNDEFINED, 1, { 1 }, ERR_INPUT,
		POOL0, "'ceil_mode' has the type 0, expected 2 (int)" },
	{ "Flatten", "axis", INTS, 1, { 1 }, ERR_INPUT, FLATTEN, "'axis' has the type 7, expected 2 (int)" },
	{ "Gemm", "alpha", INT, 1, { 2 }, ERR_INPUT, GEMM0, "'alpha' has the type 2, expected 1 (float)" },
	{ "Gemm", "beta", STRING, 1, { 2 }, ERR_INPUT, GEMM0, "'beta' has the type 3, expected 1 (float)" },
	{ "Gemm", "transA", FLOAT, 1, { 1 }, ERR_INPUT, GEMM0, "'transA' has the type 1, expected 2 (int)" },
	/* unknown */
	{ "Relu", "slope", FLOAT, 1, { 1 }, ERR_UNSUPPORTED, RELU0, "'slope' is not known" },
	{ "Conv", "alpha", FLOAT, 1, { 1 }, ERR_UNSUPPORTED, CONV0, "'alpha' is not known" },
};

static void set_attribute(const struct form *f, int row)
{
	static Onnx__GraphProto empty = ONNX__GRAPH_PROTO__INIT;
	static Onnx__TensorProto scalar = ONNX__TENSOR_PROTO__INIT;
	const int64_t *value = attribute_rows[row].value;
	size_t count = attribute_rows[row].count;
	Onnx__NodeProto *n = form_node(f, attribute_rows[row].op, 0);
	for (size_t i = 0; i < n->n_attribute; i++)
		if (!strcmp(n->attribute[i]->name, attribute_rows[row].name))
			form_drop_attribute(n, attribute_rows[row].name);
	Onnx__AttributeProto__AttributeType type = attribute_rows[row].type;
	Onnx__AttributeProto *a = form_add_attribute(f, n, attribute_rows[row].name, type);
	a->i = value[0];
	a->has_i = type == INT;
	a->f = (float)value[0];
	a->has_f = type == FLOAT;
	a->ints = (int64_t *)value;
	a->n_ints = type == INTS ? count : 0;
	a->has_s = type == STRING;
	a->s = (ProtobufCBinaryData){ 5, (uint8_t *)form_text(f, "2, 2,") };
	a->g = type == GRAPH ? &empty : NULL;
	a->t = type == TENSOR ? &scalar : NULL;
}

START_TEST(an_attribute_that_is_wrong_is_refused)
{
	struct form f = form_open(samples[LENET5].path);
	set_attribute(&f, _i);
	form_refused(&f, attribute_rows[_i].code, attribute_rows[_i].place, attribute_rows[_i].what);
	form_close(&f);
}
END_TEST

/* ---- stored tensors ---- */

static void raw_data_too_long(const struct form *f)
{
	Onnx__TensorProto *t = form_tensor(f, "features.0.weight");
	t->raw_data.data = (uint8_t *)arena_strndup(f->arena, (const char *)t->raw_data.data, t->raw_data.len);
	t->raw_data.len++;
}

static void raw_data_too_short(const struct form *f)
{
	form_tensor(f, "features.0.weight")->raw_data.len--;
}

static void raw_data_empty(const struct form *f)
{
	form_tensor(f, "features.0.weight")->raw_data.len = 0;
}

static void raw_data_missing(const struct form *f)
{
	form_tensor(f, "features.0.weight")->has_raw_data = false;
}

static void data_in_another_type(const struct form *f)
{
	Onnx__TensorProto *t = form_tensor(f, "features.0.weight");
	t->has_raw_data = false;
	t->double_data = ARENA_ARRAY(f->arena, double, 150);
	t->n_double_data = 150;
}

static void external_location(const struct form *f)
{
	Onnx__TensorProto *t = form_tensor(f, "features.0.weight");
	t->has_data_location = true;
	t->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
}

static void external_path(const struct form *f)
{
	static Onnx__StringStringEntryProto entry = ONNX__STRING_STRING_ENTRY_PROTO__INIT;
	static Onnx__StringStringEntryProto *entries[] = { &entry };
	Onnx__TensorProto *t = form_tensor(f, "features.0.weight");
	entry.key = form_text(f, "location");
	entry.value = form_text(f, "../../../etc/passwd");
	t->n_external_data = 1;
	t->external_data = entries;
}

static void halves(const struct form *f)
{
	form_tensor(f, "features.0.weight")->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16;
}

static void doubles(const struct form *f)
{
	form_tensor(f, "features.0.weight")->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
}

static void unheard_of_type(const struct form *f)
{
	form_tensor(f, "features.0.weight")->data_type = -77;
}

static void integers_for_a_weight(const struct form *f)
{
	Onnx__TensorProto *t = form_tensor(f, "features.0.bias");
	t->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
	t->raw_data.len *= 2;
	t->raw_data.data = arena_alloc(f->arena, t->raw_data.len, 1);
}

static void sparse_tensor(const struct form *f)
{
	static Onnx__SparseTensorProto sparse = ONNX__SPARSE_TENSOR_PROTO__INIT;
	static Onnx__SparseTensorProto *all[] = { &sparse };
	f->graph->n_sparse_initializer = 1;
	f->graph->sparse_initializer = all;
}

static void tensor_without_name(const struct form *f)
{
	form_tensor(f, "features.0.bias")->name = NULL;
}

static void tensor_missing(const struct form *f)
{
	form_tensor(f, "features.3.bias")->name = form_text(f, "elsewhere");
}

static void short_variance(const struct form *f)
{
	Onnx__TensorProto *t = form_tensor(f, "features.1.running_var");
	t->dims[0] = 31;
	t->raw_data.len = 31 * sizeof(float);
}

static void short_scale(const struct form *f)
{
	form_node(f, "BatchNormalization", 0)->input[1] = form_text(f, "features.8.weight");
}

static void integer_epsilon(const struct form *f)
{
	Onnx__NodeProto *n = form_node(f, "BatchNormalization", 0);
	form_drop_attribute(n, "epsilon");
	Onnx__AttributeProto *a = form_add_attribute(f, n, "epsilon", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
	a->has_i = true;
	a->i = 1;
}

static const struct {
	int sample;
	void (*change)(const struct form *f);
	enum err code;
	const char *place, *what;
} rows[] = {
	{ LENET5, raw_data_too_long, ERR_INPUT,
		"'features.0.weight'", "has 601 bytes of data, its dimensions need 600" },
	{ LENET5, raw_data_too_short, ERR_INPUT, "'features.0.weight'", "has 599 bytes of data" },
	{ LENET5, raw_data_empty, ERR_INPUT, "'features.0.weight'", "has 0 bytes of data" },
	{ LENET5, raw_data_missing, ERR_INPUT, "'features.0.weight'", "has 0 bytes of data" },
	{ LENET5, data_in_another_type, ERR_INPUT, "'features.0.weight'", "has 0 bytes of data" },
	{ LENET5, external_location, ERR_UNSUPPORTED, "'features.0.weight'", "outside the file" },
	{ LENET5, external_path, ERR_UNSUPPORTED, "'features.0.weight'", "outside the file" },
	{ LENET5, halves, ERR_UNSUPPORTED, "'features.0.weight'", "data type 10" },
	{ LENET5, doubles, ERR_INPUT, "'features.0.weight'", "has 600 bytes of data, its dimensions need 1200" },
	{ LENET5, unheard_of_type, ERR_UNSUPPORTED, "'features.0.weight'", "data type -77" },
	{ LENET5, integers_for_a_weight, ERR_UNSUPPORTED, CONV0, "the bias is not a stored float tensor" },
	{ LENET5, sparse_tensor, ERR_UNSUPPORTED, "sparse initialisers", "not supported" },
	{ LENET5, tensor_without_name, ERR_INPUT, "tensor", "no name" },
	{ LENET5, tensor_missing, ERR_INPUT, CONV3, "'features.3.bias' is not defined" },
	{ VGG, short_variance, ERR_INPUT, NORM0, "the running variance is (31), expected (32)" },
	{ VGG, short_scale, ERR_INPUT, NORM0, "the scale is (64), expected (32)" },
	{ VGG, integer_epsilon, ERR_INPUT, NORM0, "'epsilon' has the type 2, expected 1 (float)" },
};

START_TEST(a_tensor_that_is_wrong_is_refused)
{
	struct form f = form_open(samples[rows[_i].sample].path);
	rows[_i].change(&f);
	form_refused(&f, rows[_i].code, rows[_i].place, rows[_i].what);
	form_close(&f);
}
END_TEST

Suite *refusal_suite(void)
{
	Suite *s = suite_create("refusal");
	TCase *t = tcase_create("refusal");
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, a_tensor_whose_dimensions_are_wrong_is_refused, 0, COUNT(dims_rows));
	tcase_add_loop_test(t, an_attribute_that_is_wrong_is_refused, 0, COUNT(attribute_rows));
	tcase_add_loop_test(t, a_tensor_that_is_wrong_is_refused, 0, COUNT(rows));
	suite_add_tcase(s, t);
	return s;
}
