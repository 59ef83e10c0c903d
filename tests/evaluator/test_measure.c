/* test_measure.c -- which networks can be scored, and how many images they get at a time.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <string.h>

#include "evaluator/data/dataset.h"
#include "evaluator/measure/accuracy.h"
#include "evaluator/measure/batch.h"
#include "evaluator/measure/chance.h"
#include "evaluator/measure/size.h"
#include "evaluator/model/graph.h"
#include "tests/evaluator/sketch.h"
#include "tests/evaluator/suites.h"

static struct errinfo e;

static const struct dataset black = { .count = 1, .channels = 3, .height = 4, .width = 4, .classes = 2 };
static const struct split images = { .data = &black, .count = 1 };

static void refused(const struct graph *g, const char *text)
{
	ck_assert_int_eq(score_check_model(g, &e), ERR_UNSUPPORTED);
	ck_assert_msg(strstr(e.msg, text), "%s, expected '%s'", e.msg, text);
	ck_assert_int_eq(score_check(g, &images, &e), ERR_UNSUPPORTED);
	ck_assert_msg(strstr(e.msg, text), "%s, expected '%s'", e.msg, text);
}

/* ---- what a network must be ---- */

START_TEST(a_classifier_of_images_is_scored_flat_or_not)
{
	struct sketch s = sketch_open("image", 1, 3, (int64_t[]){ 3, 4, 4 });
	sketch_finish(&s, sketch_gemm(&s, sketch_one(&s, OP_FLATTEN, 0), 5, true, true));
	ck_assert_msg(!score_check(s.g, &images, &e), "%s", e.msg);
	sketch_close(&s);
	s = sketch_open("flat", 1, 1, (int64_t[]){ 48 });
	sketch_finish(&s, sketch_gemm(&s, 0, 5, true, true));
	ck_assert_msg(!score_check(s.g, &images, &e), "%s", e.msg);
	sketch_close(&s);
	s = sketch_open("few classes", 1, 1, (int64_t[]){ 48 });
	sketch_finish(&s, sketch_gemm(&s, 0, 1, true, true));
	ck_assert(!score_check_model(s.g, &e));
	ck_assert_int_eq(score_check(s.g, &images, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "the data has the label 1"), "%s", e.msg);
	sketch_close(&s);
}
END_TEST

/* The output's shape is unknown then, and says nothing. */
START_TEST(a_node_that_is_not_understood_is_named_with_its_reason)
{
	struct sketch s = sketch_open("opaque", 1, 1, (int64_t[]){ 48 });
	int y = sketch_gemm(&s, 0, 5, true, true);
	sketch_finish(&s, sketch_one(&s, OP_RELU, y));
	struct node *n = &s.g->nodes[0];
	n->op = OP_COUNT;
	n->type = "Mystery";
	n->opaque = "operator 'Mystery' is not known";
	for (int i = 0; i < s.g->node_count; i++)
		s.g->values[s.g->nodes[i].out[0]].shape.rank = -1;
	refused(s.g, n->name);
	refused(s.g, "operator 'Mystery' is not known");
	sketch_close(&s);
}
END_TEST

START_TEST(a_network_of_another_kind_is_refused_by_what_it_is)
{
	struct sketch s = sketch_open("two inputs", 1, 1, (int64_t[]){ 48 });
	sketch_finish(&s, sketch_add(&s, 0, sketch_input(&s, 1, (int64_t[]){ 48 })));
	refused(s.g, "has 2 inputs");
	sketch_close(&s);
	s = sketch_open("sound", 1, 2, (int64_t[]){ 3, 16 });
	sketch_finish(&s, sketch_one(&s, OP_FLATTEN, 0));
	refused(s.g, "input is (batch, 3, 16), expected images");
	sketch_close(&s);
	s = sketch_open("map", 1, 3, (int64_t[]){ 3, 4, 4 });
	sketch_finish(&s, sketch_one(&s, OP_RELU, 0));
	refused(s.g, "output is (batch, 3, 4, 4), expected (batch, classes)");
	sketch_close(&s);
}
END_TEST

/* ---- batches ---- */

START_TEST(a_batch_is_as_large_as_its_activations_allow)
{
	static const struct {
		size_t images, most, least, batch;
		int64_t side; /* of two maps of 4 channels that are alive at once: 32 side^2 bytes an image */
	} rows[] = {
		{ 1000, 64, 1, 64, 4 }, { 7, 64, 1, 7, 4 }, { 1000, 64, 1, 64, 256 }, { 1000, 64, 1, 32, 512 },
		{ 1000, 64, 1, 8, 1024 }, { 50, 64, 1, 25, 512 }, { 1000, 64, 16, 16, 1024 }, { 1, 64, 8, 1, 4096 },
		{ 1000, 64, 1, 1, 4096 },
	};
	struct size size;
	size_t batch;
	struct sketch s = sketch_open("large", 1, 3, (int64_t[]){ 4, rows[_i].side, rows[_i].side });
	sketch_finish(&s, sketch_one(&s, OP_RELU, 0));
	ck_assert(!size_count(s.g, &size, &e));
	ck_assert_int_eq(size.memory, 32 * rows[_i].side * rows[_i].side);
	ck_assert(!batch_choose(s.g, rows[_i].images, rows[_i].most, rows[_i].least, &batch, &e));
	ck_assert_uint_eq(batch, rows[_i].batch);
	sketch_close(&s);
}
END_TEST

/* Where every value is kept, a chain of four needs more than the two of it that are alive at once. */
START_TEST(values_that_are_kept_count_all)
{
	struct sketch s = sketch_open("chain", 1, 3, (int64_t[]){ 4, 512, 512 });
	size_t batch;
	int y = 0;
	for (int i = 0; i < 3; i++)
		y = sketch_one(&s, OP_RELU, y);
	sketch_finish(&s, y);
	ck_assert(!batch_choose(s.g, 100, 64, 1, &batch, &e));
	ck_assert_uint_eq(batch, 32);
	ck_assert_uint_eq(batch_choose_whole(s.g, 100, 64), 16);
	ck_assert_uint_eq(batch_choose_whole(s.g, 3, 64), 3);
	sketch_close(&s);
}
END_TEST

START_TEST(chance_is_the_share_of_the_commonest_class_among_those_scored)
{
	static const uint32_t labels[] = { 9, 9, 9, 9, 0, 1, 1, 2 }, order[] = { 0, 1, 2, 7, 7, 7, 5, 6 };
	struct dataset d = { .count = 8, .labels = labels, .classes = 10 };
	struct split s = { .data = &d, .first = 4, .count = 4 };
	double chance;
	ck_assert(!chance_of(&s, 4, &chance, &e));
	ck_assert_double_eq(chance, 0.5);
	ck_assert(!chance_of(&s, 1, &chance, &e));
	ck_assert_double_eq(chance, 1);
	ck_assert(!chance_of(&s, 1000, &chance, &e));
	ck_assert_double_eq(chance, 0.5);
	s.order = order;
	s.first = 3;
	s.count = 5;
	ck_assert(!chance_of(&s, 5, &chance, &e));
	ck_assert_double_eq(chance, 0.6);
}
END_TEST

Suite *measure_suite(void)
{
	Suite *s = suite_create("measure");
	TCase *t = tcase_create("measure");
	tcase_add_test(t, a_classifier_of_images_is_scored_flat_or_not);
	tcase_add_test(t, a_node_that_is_not_understood_is_named_with_its_reason);
	tcase_add_test(t, a_network_of_another_kind_is_refused_by_what_it_is);
	tcase_add_loop_test(t, a_batch_is_as_large_as_its_activations_allow, 0, 9);
	tcase_add_test(t, values_that_are_kept_count_all);
	tcase_add_test(t, chance_is_the_share_of_the_commonest_class_among_those_scored);
	suite_add_tcase(s, t);
	return s;
}
