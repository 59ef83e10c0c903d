/* dataspec.c -- the "data" section of a job: what it may say, and every refusal.
 * SPDX-License-Identifier: MIT */
#include "base/dataspec.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "tests/base/scene.h"

#define PAIR "{'images': 'a', 'labels': 'b'}"
#define IDX(more) "{'format': 'idx', 'train': " PAIR ", 'test': " PAIR more "}"
#define NPY(more) "{'format': 'npy', 'train': " PAIR ", 'test': " PAIR more "}"
#define NPZ(more) "{'format': 'npz', 'train': {'file': 'a'}, 'test': {'file': 'a'" more "}}"
#define CIFAR(files) "{'format': 'cifar10', 'train': {'files': " files "}, 'test': {'files': ['t']}}"
#define FOLDER(more) "{'format': 'folder', 'train': {'folder': 'a'}, 'test': {'folder': 'b'}" more "}"
#define SPLIT ", 'split': {'validation': 0.25, 'seed': 7, 'stratified': true}"

static cJSON *doc;
static struct dataspec d;

/* ' stands for ". */
static enum err read_text(const char *text)
{
	char json[4096];
	cJSON_Delete(doc);
	snprintf(json, sizeof json, "%s", text);
	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	ck_ok(json_parse("section", json, strlen(json), &doc, &e));
	return dataspec_read(doc, &d, &e);
}

START_TEST(a_pair_of_files_holds_out_its_last_5000_images)
{
	ck_ok(read_text(IDX("")));
	ck_assert(d.format == DATA_IDX && d.held == DATA_HOLDOUT && d.held_count == 5000);
	ck_assert_int_eq(d.sets[DATA_TEST].file_count, 2);
	ck_assert_str_eq(d.sets[DATA_TEST].files[1].key, "labels");
	ck_assert_str_eq(d.sets[DATA_TEST].files[1].name, "b");
	ck_assert_int_eq(d.sets[DATA_VALIDATION].file_count, 0);
	ck_assert(d.mean_count == 0 && d.std_count == 0 && !d.channels_first);
	ck_ok(read_text(IDX(", 'holdout': 7, 'mean': [0.5, 0.25], 'std': [2, 4]")));
	ck_assert(d.held_count == 7 && d.mean_count == 2 && d.std[1] == 4);
}
END_TEST

START_TEST(what_scores_is_a_number_a_fraction_or_a_set_of_its_own)
{
	ck_ok(read_text(IDX(", 'split': {'validation': 300}")));
	ck_assert(d.held == DATA_SPLIT && d.held_count == 300 && d.split_seed == 1 && !d.stratified);
	ck_ok(read_text(IDX(SPLIT)));
	ck_assert(d.held_count == 0 && d.held_fraction == 0.25 && d.split_seed == 7 && d.stratified);
	ck_ok(read_text(IDX(", 'validation': " PAIR)));
	ck_assert(d.held == DATA_OWN_SET && d.held_count == 0 && d.sets[DATA_VALIDATION].file_count == 2);
}
END_TEST

START_TEST(arrays_have_a_layout_and_names)
{
	ck_ok(read_text(NPY(", 'layout': 'nchw'")));
	ck_assert(d.format == DATA_NPY && d.channels_first);
	ck_ok(read_text(NPZ(", 'images_key': 'pixels'")));
	ck_assert_str_eq(d.sets[DATA_TRAIN].images_key, "x_train");
	ck_assert_str_eq(d.sets[DATA_TRAIN].labels_key, "y_train");
	ck_assert_str_eq(d.sets[DATA_TEST].images_key, "pixels");
	ck_assert_str_eq(d.sets[DATA_TEST].labels_key, "y_test");
}
END_TEST

START_TEST(a_set_may_be_several_files)
{
	ck_ok(read_text(CIFAR("['1', '2', '3']")));
	ck_assert_int_eq(d.sets[DATA_TRAIN].file_count, 3);
	ck_assert_str_eq(d.sets[DATA_TRAIN].files[2].key, "files[2]");
	ck_assert_str_eq(d.sets[DATA_TRAIN].files[2].name, "3");
}
END_TEST

START_TEST(pictures_have_a_size)
{
	ck_ok(read_text(FOLDER(SPLIT ", 'size': 224, 'resize': 256")));
	ck_assert(d.height == 224 && d.width == 224 && d.resize == 256 && d.channels == 3);
	ck_ok(read_text(FOLDER(SPLIT ", 'size': [28, 30], 'channels': 1")));
	ck_assert(d.height == 28 && d.width == 30 && d.resize == 0 && d.channels == 1);
}
END_TEST

static const struct {
	const char *text, *message;
} wrong[] = {
	{ "[]", "data: is an array" },
	{ "{'train': " PAIR ", 'test': " PAIR "}", "data.format: missing" },
	{ "{'format': 'hdf5', 'train': " PAIR ", 'test': " PAIR "}", "data.format: is \"hdf5\", expected \"idx\", " },
	{ "{'format': 'idx', 'test': " PAIR "}", "data.train: missing" },
	{ "{'format': 'idx', 'train': 3, 'test': " PAIR "}", "data.train: is 3" },
	{ "{'format': 'idx', 'train': {'images': 'a'}, 'test': " PAIR "}", "data.train.labels: missing" },
	{ "{'format': 'idx', 'train': {'file': 'a'}, 'test': " PAIR "}", "data.train.file: unknown key" },
	{ IDX(", 'holdout': 0"), "data.holdout: is 0" },
	{ IDX(", 'holdout': 1.5"), "data.holdout: is 1.5" },
	{ IDX(", 'holdout': 9, 'split': {'validation': 9}"), "data.holdout: is given beside data.split" },
	{ IDX(SPLIT ", 'validation': " PAIR), "data.split: is given beside data.validation" },
	{ IDX(", 'split': {}"), "data.split.validation: missing" },
	{ IDX(", 'split': {'validation': 0}"), "data.split.validation: is 0, expected" },
	{ IDX(", 'split': {'validation': 1.5}"), "data.split.validation: is 1.5, expected" },
	{ IDX(", 'split': {'validation': -0.5}"), "data.split.validation: is -0.5, expected" },
	{ IDX(", 'split': {'validation': 9, 'seed': -1}"), "data.split.seed: is -1" },
	{ IDX(", 'split': {'validation': 9, 'stratified': 1}"), "data.split.stratified: is 1" },
	{ IDX(", 'validation': {'images': 'a'}"), "data.validation.labels: missing" },
	{ IDX(", 'layout': 'nchw'"), "data.layout: is given, expected only with the formats npy and npz" },
	{ NPY(", 'layout': 'chw'"), "data.layout: is \"chw\", expected \"nhwc\" or \"nchw\"" },
	{ NPZ(", 'key': 'pixels'"), "data.test.key: unknown key" },
	{ CIFAR("[]"), "data.train.files: has 0 entries, expected 1 to 16" },
	{ CIFAR("['a', 3]"), "data.train.files[1]: is 3, expected the name of a file" },
	{ CIFAR("'a'"), "data.train.files: is \"a\"" },
	{ IDX(", 'size': 3"), "data.size: is given, expected only with the format folder" },
	{ IDX(", 'resize': 3"), "data.resize: is given" },
	{ IDX(", 'channels': 3"), "data.channels: is given" },
	{ FOLDER(SPLIT), "data.size: missing" },
	{ FOLDER(", 'size': 9"), "data.split: missing, expected data.split or data.validation" },
	{ FOLDER(", 'size': 9, 'holdout': 3"), "data.holdout: is given, expected data.split or data.validation" },
	{ FOLDER(SPLIT ", 'size': 0"), "data.size: is 0, expected an integer from 1 to 4096" },
	{ FOLDER(SPLIT ", 'size': [3, 4097]"), "data.size: is 4097" },
	{ FOLDER(SPLIT ", 'size': [3]"), "data.size: is an array of 1, expected" },
	{ FOLDER(SPLIT ", 'size': 'big'"), "data.size: is \"big\", expected" },
	{ FOLDER(SPLIT ", 'size': [32, 64], 'resize': 63"), "data.resize: is 63, expected at least 64" },
	{ FOLDER(SPLIT ", 'size': 9, 'channels': 2"), "data.channels: is 2, expected 1" },
	{ FOLDER(SPLIT ", 'size': 9, 'channels': 4"), "data.channels: is 4" },
	{ IDX(", 'mean': []"), "data.mean: is empty" },
	{ IDX(", 'mean': ['x']"), "data.mean[0]: is \"x\"" },
	{ IDX(", 'mean': [1e39]"), "data.mean[0]: is 1e+39" },
	{ IDX(", 'mean': [0, 0], 'std': [1]"), "data.std: has 1 entries, expected 2" },
	{ IDX(", 'std': [0]"), "data.std[0]: is 0" },
	{ IDX(", 'std': [1, -2]"), "data.std[1]: is -2" },
	{ IDX(", 'std': [1e-60]"), "data.std[0]: is 1e-60" },
	{ IDX(", 'std': [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"), "data.std: has 17 entries" },
	{ IDX(", 'shuffle': true"), "data.shuffle: unknown key" },
};

START_TEST(a_wrong_section_is_refused_by_key_and_value)
{
	ck_fails(ERR_INPUT, read_text(wrong[_i].text));
	ck_assert_msg(!strncmp(e.msg, wrong[_i].message, strlen(wrong[_i].message)), "%s", e.msg);
}
END_TEST

Suite *suite_dataspec(void)
{
	Suite *s = suite_create("dataspec");
	TCase *t = tcase_create("dataspec");
	tcase_add_test(t, a_pair_of_files_holds_out_its_last_5000_images);
	tcase_add_test(t, what_scores_is_a_number_a_fraction_or_a_set_of_its_own);
	tcase_add_test(t, arrays_have_a_layout_and_names);
	tcase_add_test(t, a_set_may_be_several_files);
	tcase_add_test(t, pictures_have_a_size);
	tcase_add_loop_test(t, a_wrong_section_is_refused_by_key_and_value, 0, sizeof wrong / sizeof *wrong);
	suite_add_tcase(s, t);
	return s;
}
