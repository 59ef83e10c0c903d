/* test_supply.c -- where data comes from: usual names at a terminal, a lease's data in whole trials.
 * SPDX-License-Identifier: MIT */
#include <cjson/cJSON.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evaluator/data/dataset.h"
#include "evaluator/data/usual.h"
#include "evaluator/trial.h"
#include "tests/evaluator/archive.h"
#include "tests/evaluator/folder.h"
#include "tests/evaluator/suites.h"

enum { IMAGES = 30, SIDE = 28, AREA = SIDE * SIDE };

static char model[4096];
static struct usual *u;
static struct split s;
static struct workspace *workspace;
static struct errinfo e;

/* A pair of arrays; labels count up to `classes`. */
static void put_pair(const char *images, const char *labels, int count, int classes)
{
	static unsigned char pixels[IMAGES * AREA], numbers[IMAGES];
	static struct bytes b;
	char shape[32];
	for (int i = 0; i < count * AREA; i++)
		pixels[i] = (unsigned char)(i * 3 + i / AREA * 17);
	for (int i = 0; i < count; i++)
		numbers[i] = (unsigned char)(i % classes);
	snprintf(shape, sizeof shape, "%d, 28, 28", count);
	npy_make(&b, "|u1", shape, pixels, (size_t)(count * AREA));
	bytes_put(&b, images);
	snprintf(shape, sizeof shape, "%d,", count);
	npy_make(&b, "|u1", shape, numbers, (size_t)count);
	bytes_put(&b, labels);
}

/* A digest's first digit is the file's number; those of letters don't exist. */
static enum err fetch(const char *digest, char ret_path[4096], void *arg, struct errinfo *err)
{
	(void)arg;
	if (digest[0] == '0')
		snprintf(ret_path, 4096, "%s", model);
	else
		snprintf(ret_path, 4096, "%c.npy", digest[0]);
	return digest[0] <= '9' ? ERR_OK : err_set(err, ERR_UNAVAILABLE, "no blob %s", digest);
}

static void setup(void)
{
	ck_assert_ptr_nonnull(realpath("models/fashion-lenet5.onnx", model));
	folder_enter();
	put_pair("1.npy", "2.npy", IMAGES, 10);
	put_pair("3.npy", "4.npy", IMAGES / 2, 10);
	put_pair("5.npy", "6.npy", IMAGES / 3, 10);
	ck_assert(!workspace_open(fetch, NULL, &workspace, &e));
}

static void teardown(void)
{
	usual_free(u);
	u = NULL;
	workspace_close(workspace);
	folder_leave();
}

/* ---- usual names ---- */

static enum err open_usual(const char *path, bool test, size_t most)
{
	usual_free(u);
	u = NULL;
	e = (struct errinfo){ 0 };
	return usual_open(&(struct usual_request){ .path = path, .test = test, .most = most }, &u, &s, &e);
}

static void copy(const char *from, const char *to)
{
	static struct bytes b;
	FILE *f = fopen(from, "rb");
	ck_assert_ptr_nonnull(f);
	b.len = fread(b.data, 1, sizeof b.data, f);
	fclose(f);
	bytes_put(&b, to);
}

START_TEST(a_folder_is_known_by_the_names_in_it)
{
	ck_assert_int_eq(open_usual(".", true, 0), ERR_NOT_FOUND);
	ck_assert_msg(strstr(e.msg, "has no data under a usual name"), "%s", e.msg);
	copy("3.npy", "x_test.npy");
	ck_assert_int_eq(open_usual(".", true, 0), ERR_NOT_FOUND);
	ck_assert_msg(strstr(e.msg, ".: has no readable y_test.npy"), "%s", e.msg);
	copy("4.npy", "y_test.npy");
	ck_assert_msg(!open_usual(".", true, 0), "%s", e.msg);
	ck_assert_uint_eq(s.count, IMAGES / 2);
	ck_assert_int_eq(open_usual(".", false, 0), ERR_NOT_FOUND);
	ck_assert_msg(strstr(e.msg, ".: has no readable x_train.npy"), "%s", e.msg);
	ck_assert_msg(!open_usual(".", true, 4), "%s", e.msg);
	ck_assert_uint_eq(s.count, 4);
	ck_assert_int_eq(open_usual(".", true, 16), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "has 15 images, 16 were asked for"), "%s", e.msg);
}
END_TEST

START_TEST(mnist_files_may_be_zipped_or_not)
{
	folder_put("train-images-idx3-ubyte.gz", "", 0);
	folder_put("train-labels-idx1-ubyte", "", 0);
	ck_assert_int_eq(open_usual(".", true, 0), ERR_NOT_FOUND);
	ck_assert_msg(strstr(e.msg, "no readable t10k-images-idx3-ubyte.gz or t10k-images-idx3-ubyte"), "%s", e.msg);
	ck_assert_int_eq(open_usual(".", false, 0), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "./train-labels-idx1-ubyte: has 0 bytes"), "%s", e.msg);
}
END_TEST

START_TEST(a_job_file_says_where_its_data_is)
{
	ck_assert(!mkdir("sub", 0700));
	static const char job[] = "{\"data\": {\"format\": \"npy\","
		" \"train\": {\"images\": \"../1.npy\", \"labels\": \"../2.npy\"},"
		" \"test\": {\"images\": \"../3.npy\", \"labels\": \"sha256:12\"}, \"mean\": [0.5]}}";
	folder_put("sub/job.json", job, sizeof job - 1);
	ck_assert_msg(!open_usual("sub/job.json", false, 0), "%s", e.msg);
	ck_assert_uint_eq(s.count, IMAGES);
	ck_assert(s.norm->channels == 1 && s.norm->mean[0] == 0.5f);
	ck_assert_int_eq(open_usual("sub/job.json", true, 0), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "sub/job.json: data.test.labels: is \"sha256:12\", expected the name"), "%s",
	e.msg);
	folder_put("sub/job.json", "{}", 2);
	ck_assert_int_eq(open_usual("sub/job.json", true, 0), ERR_INPUT);
	ck_assert_int_eq(open_usual("1.npy", true, 0), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "expected one, an .npz archive, or a job file"), "%s", e.msg);
}
END_TEST

/* ---- trials ---- */

#define ZEROS "000000000000000000000000000000000000000000000000000000000000000"
#define PAIR(x, y) "{'images': '" x ZEROS "', 'labels': '" y ZEROS "'}"

/* Runs a trial with this data (' for "); *ret_accuracy only when it went well. */
static enum err run(const char *kind, const char *data, double *ret_accuracy)
{
	char text[2048];
	cJSON *report;
	atomic_bool stop = false;
	snprintf(text, sizeof text,
		"{'id': 1, 'trial': '1.2', 'kind': '%s', 'heartbeat': 5, 'expires': 20, 'model': '0" ZEROS
		"', 'data': {'format': 'npy', 'train': " PAIR("1", "2") ", %s},"
		" 'prune': {'criterion': 'l1', 'max_ratio': 0.95, 'round_to': 1},"
		" 'rung': {'recalibrate': 0, 'images': 1000000000, 'latency': null},"
		" 'limits': {'trial_seconds': 600, 'trial_memory_mb': 4096}, 'seed': 3, 'candidate': null}",
		kind, data);
	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	cJSON *doc = cJSON_Parse(text);
	ck_assert_ptr_nonnull(doc);
	e = (struct errinfo){ 0 };
	enum err err = trial_run(workspace, doc, "out.onnx", &stop, &report, &e);
	cJSON_Delete(doc);
	if (err)
		return err;
	const cJSON *metrics = cJSON_GetObjectItem(report, *kind == 't' ? "test" : "metrics");
	*ret_accuracy = cJSON_GetNumberValue(cJSON_GetObjectItem(metrics, "accuracy"));
	cJSON_Delete(report);
	return ERR_OK;
}

START_TEST(images_that_score_come_by_holdout_split_or_from_their_own_set)
{
	static const char *const held[] = { "'holdout': 15", "'split': {'validation': 15}",
		"'split': {'validation': 0.5, 'stratified': true}", "'validation': " PAIR("3", "4") };
	double accuracy, again, test;
	for (size_t i = 0; i < sizeof held / sizeof *held; i++) {
		char data[512];
		snprintf(data, sizeof data, "'test': " PAIR("3", "4") ", %s", held[i]);
		ck_assert_msg(!run("baseline", data, &accuracy), "%s: %s", held[i], e.msg);
		ck_assert_msg(!run("baseline", data, &again), "%s", e.msg);
		ck_assert(accuracy == again);
		ck_assert(accuracy * 15 == (int)(accuracy * 15 + 0.5));
		ck_assert_msg(!run("test", data, &test), "%s", e.msg);
	}
	ck_assert(accuracy == test); /* the own set is the test set here */
}
END_TEST

START_TEST(all_data_is_checked_before_the_first_trial_computes)
{
	double accuracy;
	put_pair("5.npy", "6.npy", IMAGES / 3, 10);
	folder_put("6.npy", "", 0);
	ck_assert_int_eq(run("baseline", "'holdout': 9, 'test': " PAIR("5", "6"), &accuracy), ERR_INPUT);
	ck_assert_msg(!strncmp(e.msg, "data.test.labels: ", 18), "%s", e.msg);
	put_pair("7.npy", "6.npy", IMAGES, 10);
	put_pair("5.npy", "8.npy", IMAGES - 1, 10);
	ck_assert_int_eq(run("baseline", "'holdout': 9, 'test': " PAIR("7", "8"), &accuracy), ERR_INPUT);
	ck_assert_str_eq(e.msg, "data.test.labels: has 29 labels, expected 30, one for each image of data.test.images");
	put_pair("5.npy", "6.npy", IMAGES, 12);
	ck_assert_int_eq(run("baseline", "'holdout': 9, 'test': " PAIR("5", "6"), &accuracy), ERR_INPUT);
	ck_assert_str_eq(e.msg, "data.test: the data has the label 11, the network has 10 classes");
	ck_assert_int_eq(run("baseline", "'validation': " PAIR("5", "6") ", 'test': " PAIR("3", "4"), &accuracy),
	ERR_INPUT);
	ck_assert_str_eq(e.msg, "data.validation: the data has the label 11, the network has 10 classes");
	put_pair("7.npy", "8.npy", IMAGES, 10);
	static struct bytes b;
	npy_make(&b, "|u1", "30, 14, 56", (char[IMAGES * AREA]){ 0 }, IMAGES * AREA);
	bytes_put(&b, "7.npy");
	ck_assert_int_eq(run("baseline", "'holdout': 9, 'test': " PAIR("7", "8"), &accuracy), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "data.test: the data's images are 1 x 14 x 56"), "%s", e.msg);
	ck_assert_int_eq(run("baseline", "'holdout': 30, 'test': " PAIR("3", "4"), &accuracy), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "data.holdout: is 30, expected 1 to 29"), "%s", e.msg);
	ck_assert_int_eq(run("baseline", "'holdout': 9, 'test': " PAIR("a", "b"), &accuracy), ERR_UNAVAILABLE);
}
END_TEST

Suite *supply_suite(void)
{
	Suite *suite = suite_create("supply");
	TCase *t = tcase_create("supply");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_folder_is_known_by_the_names_in_it);
	tcase_add_test(t, mnist_files_may_be_zipped_or_not);
	tcase_add_test(t, a_job_file_says_where_its_data_is);
	tcase_add_test(t, images_that_score_come_by_holdout_split_or_from_their_own_set);
	tcase_add_test(t, all_data_is_checked_before_the_first_trial_computes);
	suite_add_tcase(suite, t);
	return suite;
}
