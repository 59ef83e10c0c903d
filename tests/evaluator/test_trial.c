/* test_trial.c -- whole trials on real models and real images.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evaluator/data/dataset.h"
#include "evaluator/measure/accuracy.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/trial.h"
#include "tests/evaluator/suites.h"

#define DATA "/usr/share/datasets/fashion-mnist/"
#define ZEROS "000000000000000000000000000000000000000000000000000000000000000"

/* The digests of these tests are a digit for each file. */
static char exported[64];
static const char *const files[] = {
	"models/fashion-lenet5.onnx",
	"models/fashion-resnet20.onnx",
	DATA "train-images-idx3-ubyte.gz",
	DATA "train-labels-idx1-ubyte.gz",
	DATA "t10k-images-idx3-ubyte.gz",
	DATA "t10k-labels-idx1-ubyte.gz",
	exported,
};
enum { LENET, RESNET, EXPORTED = 6 };

static int fetched;

static enum err fetch(const char *digest, char ret_path[4096], void *arg, struct errinfo *e)
{
	(void)arg;
	size_t i = (size_t)(digest[0] - '0');
	fetched++;
	if (i >= sizeof files / sizeof *files)
		return err_set(e, ERR_UNAVAILABLE, "no blob %s", digest);
	snprintf(ret_path, 4096, "%s", files[i]);
	return ERR_OK;
}

/* A lease as the daemon gives it; recalibrate on 512 images, score 1,000. */
static cJSON *lease(const char *kind, int model, const char *candidate, const char *latency, int recalibrate)
{
	char text[2048];
	snprintf(text, sizeof text,
		"{\"id\": 1, \"trial\": \"1.2\", \"kind\": \"%s\", \"heartbeat\": 5, \"expires\": 20, \"model\": "
		"\"%d" ZEROS "\","
		" \"data\": {\"format\": \"idx\", \"train\": {\"images\": \"sha256:2" ZEROS
		"\", \"labels\": \"sha256:3" ZEROS "\"},"
		" \"test\": {\"images\": \"sha256:4" ZEROS "\", \"labels\": \"sha256:5" ZEROS "\"}, \"holdout\": 5000,"
		" \"mean\": [0.2860], \"std\": [0.3530]},"
		" \"prune\": {\"criterion\": \"l1\", \"max_ratio\": 0.95, \"round_to\": 1},"
		" \"rung\": {\"recalibrate\": %d, \"images\": 1000, \"latency\": %s},"
		" \"limits\": {\"trial_seconds\": 600, \"trial_memory_mb\": 4096}, \"seed\": 3, \"candidate\": %s}",
		kind, model, recalibrate, latency, candidate);
	cJSON *doc = cJSON_Parse(text);
	ck_assert_ptr_nonnull(doc);
	return doc;
}

static struct workspace *workspace;
static atomic_bool stop;

static void setup(void)
{
	struct errinfo e;
	snprintf(exported, sizeof exported, "/tmp/pared-trial-%d.onnx", (int)getpid());
	atomic_store(&stop, false);
	ck_assert(!workspace_open(fetch, NULL, &workspace, &e));
}

static void teardown(void)
{
	workspace_close(workspace);
	unlink(files[EXPORTED]);
}

static cJSON *run(cJSON *doc)
{
	struct errinfo e;
	cJSON *report;
	ck_assert_msg(!trial_run(workspace, doc, files[EXPORTED], &stop, &report, &e), "%s", e.msg);
	cJSON_Delete(doc);
	return report;
}

static enum err run_error(cJSON *doc, struct errinfo *e)
{
	cJSON *report;
	enum err err = trial_run(workspace, doc, files[EXPORTED], &stop, &report, e);
	ck_assert_int_ne(err, ERR_OK);
	cJSON_Delete(doc);
	return err;
}

static double metric(const cJSON *report, const char *name)
{
	const cJSON *x = cJSON_GetObjectItem(cJSON_GetObjectItem(report, "metrics"), name);
	ck_assert_msg(cJSON_IsNumber(x), "no metric %s", name);
	return x->valuedouble;
}

START_TEST(baseline_reports_metrics_and_inventory)
{
	cJSON *report = run(lease("baseline", LENET, "null", "null", 0));
	ck_assert_double_gt(metric(report, "accuracy"), 0.88);
	ck_assert_double_eq(metric(report, "params"), 61706);
	ck_assert_double_eq(metric(report, "macs"), 416520);
	ck_assert_int_eq(
		cJSON_GetArraySize(cJSON_GetObjectItem(cJSON_GetObjectItem(report, "inventory"), "groups")), 4);
	ck_assert_ptr_null(cJSON_GetObjectItem(cJSON_GetObjectItem(report, "metrics"), "latency"));
	ck_assert_int_eq(access(files[EXPORTED], F_OK), -1);
	cJSON_Delete(report);
}
END_TEST

/* Of the first 1,000 held-out images, one class has this many (counted with numpy). */
enum { COMMONEST = 119 };

START_TEST(the_inventory_tells_what_the_weights_and_the_labels_say_whatever_the_criterion)
{
	cJSON *doc = lease("baseline", LENET, "null", "null", 0), *prune = cJSON_GetObjectItem(doc, "prune");
	cJSON_ReplaceItemInObject(prune, "criterion", cJSON_CreateString("random"));
	cJSON *first = run(lease("baseline", LENET, "null", "null", 0)), *second = run(doc);
	const cJSON *inventory = cJSON_GetObjectItem(first, "inventory"), *group;
	ck_assert(cJSON_Compare(inventory, cJSON_GetObjectItem(second, "inventory"), true));
	ck_assert_double_eq(cJSON_GetNumberValue(cJSON_GetObjectItem(inventory, "chance")), COMMONEST / 1000.0);
	cJSON_ArrayForEach(group, cJSON_GetObjectItem(inventory, "groups"))
		ck_assert_int_ge(cJSON_GetArraySize(cJSON_GetObjectItem(group, "importance")), 7);
	cJSON_Delete(first);
	cJSON_Delete(second);
}
END_TEST

#define HALF_RESNET "[12,8,8,8,20,28,16,16,40,60,32,32]"

START_TEST(the_same_candidate_gives_the_same_bits)
{
	cJSON *first = run(lease("candidate", RESNET, HALF_RESNET, "null", 512));
	cJSON *second = run(lease("candidate", RESNET, HALF_RESNET, "null", 512));
	ck_assert(cJSON_Compare(first, second, true));
	cJSON_Delete(first);
	cJSON_Delete(second);
}
END_TEST

static cJSON *with_criterion(const char *criterion, int seed)
{
	cJSON *doc = lease("candidate", RESNET, HALF_RESNET, "null", 0);
	cJSON *prune = cJSON_GetObjectItem(doc, "prune");
	cJSON_ReplaceItemInObject(prune, "criterion", cJSON_CreateString(criterion));
	cJSON_ReplaceItemInObject(doc, "seed", cJSON_CreateNumber(seed));
	return run(doc);
}

/* One workspace for all: nothing of one criterion's ranking is left for the next. */
START_TEST(every_criterion_ranks_a_candidate_by_itself)
{
	static const char *const criteria[] = { "l1", "l2", "fpgm", "bn", "activation", "taylor", "random",
		"l1" };
	enum { COUNT = sizeof criteria / sizeof *criteria };
	cJSON *reports[COUNT];
	for (int i = 0; i < COUNT; i++) {
		reports[i] = with_criterion(criteria[i], 3);
		ck_assert_double_eq(metric(reports[i], "macs"), metric(reports[0], "macs"));
		for (int k = 0; k < i && i < COUNT - 1; k++)
			ck_assert(metric(reports[i], "loss") != metric(reports[k], "loss"));
	}
	ck_assert(cJSON_Compare(reports[0], reports[COUNT - 1], true));
	for (int i = 0; i < COUNT; i++)
		cJSON_Delete(reports[i]);
}
END_TEST

START_TEST(random_ranks_by_the_seed_of_the_lease)
{
	cJSON *a = with_criterion("random", 3), *b = with_criterion("random", 4), *c = with_criterion("random", 3);
	ck_assert(cJSON_Compare(a, c, true));
	ck_assert(!cJSON_Compare(a, b, true));
	cJSON_Delete(a);
	cJSON_Delete(b);
	cJSON_Delete(c);
}
END_TEST

START_TEST(the_exported_file_scores_as_reported)
{
	struct errinfo e;
	struct graph *g;
	struct dataset *d;
	struct split train, held;
	struct score score;
	const struct normalisation norm = { 1, { 0.2860f }, { 0.3530f } };
	cJSON *report = run(lease("candidate", RESNET, HALF_RESNET, "null", 512));
	ck_assert_msg(!onnx_read(files[EXPORTED], &g, &e), "%s", e.msg);
	ck_assert(!dataset_read_idx(files[2], files[3], &d, &e));
	ck_assert(!split_holdout(d, &norm, 5000, &train, &held, &e));
	ck_assert(!score_graph(g, &held, 1000, NULL, &score, &e));
	ck_assert_double_eq(score.accuracy, metric(report, "accuracy"));
	ck_assert_double_eq_tol(score.loss, metric(report, "loss"), 1e-12);
	dataset_free(d);
	graph_free(g);
	cJSON_Delete(report);
}
END_TEST

START_TEST(recalibration_recovers_accuracy)
{
	cJSON *without = run(lease("candidate", RESNET, HALF_RESNET, "null", 0));
	cJSON *with = run(lease("candidate", RESNET, HALF_RESNET, "null", 512));
	ck_assert_double_gt(metric(with, "accuracy"), metric(without, "accuracy") + 0.02);
	cJSON_Delete(without);
	cJSON_Delete(with);
}
END_TEST

#define SMALL_LENET "[3,8,60,42]"

/* A lease with one more key, in "rung" or at the top. */
static cJSON *with_key(cJSON *doc, bool in_rung, const char *key, const char *json)
{
	cJSON *value = cJSON_Parse(json);
	ck_assert_ptr_nonnull(value);
	cJSON_AddItemToObject(in_rung ? cJSON_GetObjectItem(doc, "rung") : doc, key, value);
	return doc;
}

static cJSON *training(const char *train)
{
	return with_key(lease("candidate", LENET, SMALL_LENET, "null", 0), true, "train", train);
}

START_TEST(training_recovers_accuracy_to_the_same_bits)
{
	cJSON *without = run(lease("candidate", LENET, SMALL_LENET, "null", 0));
	cJSON *with = run(training("{\"steps\": 60, \"batch\": 64, \"rate\": 0.02}"));
	cJSON *again = run(training("{\"steps\": 60, \"batch\": 64, \"rate\": 0.02}"));
	cJSON *alone = run(training("{\"steps\": 60, \"batch\": 64, \"rate\": 0.02, \"distil\": null}"));
	ck_assert_double_gt(metric(with, "accuracy"), metric(without, "accuracy") + 0.05);
	ck_assert_double_gt(metric(alone, "accuracy"), metric(without, "accuracy") + 0.05);
	ck_assert(cJSON_Compare(with, again, true));
	ck_assert(!cJSON_Compare(with, alone, true));
	cJSON_Delete(without);
	cJSON_Delete(with);
	cJSON_Delete(again);
	cJSON_Delete(alone);
}
END_TEST

START_TEST(a_promoted_candidate_continues_from_the_rung_below)
{
	cJSON *low = run(training("{\"steps\": 60, \"batch\": 64, \"rate\": 0.02}"));
	cJSON *high = run(with_key(lease("candidate", LENET, SMALL_LENET, "null", 0), false, "from", "\"6" ZEROS "\""));
	ck_assert(cJSON_Compare(low, high, true)); /* nothing was done to it in between */
	cJSON_Delete(low);
	cJSON_Delete(high);
}
END_TEST

START_TEST(another_network_is_no_earlier_self)
{
	struct errinfo e;
	cJSON_Delete(run(training("{\"steps\": 1, \"batch\": 64}")));
	cJSON *other = with_key(lease("candidate", LENET, "[3,8,60,41]", "null", 0), false, "from", "\"6" ZEROS "\"");
	ck_assert_int_eq(run_error(other, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "from: tensor 'classifier.3.weight' is (42, 60), expected (41, 60)"), "%s", e.msg);
}
END_TEST

START_TEST(a_baseline_is_trained_first_when_asked)
{
	cJSON *plain = run(lease("baseline", LENET, "null", "null", 0));
	cJSON *trained = run(with_key(lease("baseline", LENET, "null", "null", 0), false, "pretrain",
		"{\"steps\": 50, \"rate\": 0.01}"));
	ck_assert(metric(trained, "loss") != metric(plain, "loss"));
	ck_assert_double_eq(metric(trained, "params"), metric(plain, "params"));
	ck_assert_int_eq(access(files[EXPORTED], F_OK), 0);
	cJSON *test = run(lease("test", EXPORTED, "null", "null", 0));
	ck_assert_double_gt(
		cJSON_GetObjectItem(cJSON_GetObjectItem(test, "test"), "accuracy")->valuedouble, 0.88);
	cJSON_Delete(plain);
	cJSON_Delete(trained);
	cJSON_Delete(test);
}
END_TEST

START_TEST(a_candidate_that_diverges_fails_with_the_step_and_the_rate)
{
	struct errinfo e;
	ck_assert_int_eq(run_error(training("{\"steps\": 60, \"rate\": 1000, \"schedule\": \"constant\"}"), &e),
		ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "training diverged at step"), "%s", e.msg);
	ck_assert_int_eq(access(files[EXPORTED], F_OK), -1);
}
END_TEST

START_TEST(settings_of_training_are_checked_by_field)
{
	struct errinfo e;
	ck_assert_int_eq(run_error(training("{\"rate\": -1}"), &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "rung.train.rate"), "%s", e.msg);
	ck_assert_int_eq(run_error(with_key(lease("baseline", LENET, "null", "null", 0), false, "pretrain",
		"{\"distil\": {\"weight\": 0.5}}"), &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "pretrain.distil"), "%s", e.msg);
	ck_assert_int_eq(run_error(with_key(lease("candidate", LENET, SMALL_LENET, "null", 0), false, "pretrain", "{}"),
		&e), ERR_INPUT);
	ck_assert_int_eq(run_error(with_key(lease("candidate", LENET, SMALL_LENET, "null", 0), false, "from", "\"x\""),
		&e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "from: is 'x'"), "%s", e.msg);
}
END_TEST

START_TEST(latency_is_told_with_its_spread_and_beside_the_baseline)
{
	cJSON *report =
		run(lease("candidate", LENET, "[3,8,60,42]", "{\"batch\": 1, \"rounds\": 5, \"exclusive\": false}", 0));
	ck_assert_double_gt(metric(report, "latency"), 0);
	ck_assert_double_le(metric(report, "latency_p10_ms"), metric(report, "latency_ms"));
	ck_assert_double_le(metric(report, "latency_ms"), metric(report, "latency_p90_ms"));
	ck_assert_double_le(metric(report, "latency_ratio_p10"), metric(report, "latency_ratio_p90"));
	cJSON_Delete(report);
	report = run(lease("baseline", LENET, "null", "{\"batch\": 2, \"rounds\": 3}", 0));
	ck_assert_double_eq(metric(report, "latency"), 1);
	cJSON_Delete(report);
}
END_TEST

START_TEST(test_leases_score_the_whole_test_set)
{
	cJSON *report = run(lease("test", LENET, "null", "null", 0));
	const cJSON *test = cJSON_GetObjectItem(report, "test");
	ck_assert_double_eq_tol(cJSON_GetObjectItem(test, "accuracy")->valuedouble, 0.9099, 0.0002);
	ck_assert_ptr_null(cJSON_GetObjectItem(report, "metrics"));
	cJSON_Delete(report);
}
END_TEST

START_TEST(models_and_data_are_opened_once_a_job)
{
	cJSON_Delete(run(lease("baseline", LENET, "null", "null", 0)));
	fetched = 0;
	cJSON_Delete(run(lease("candidate", LENET, "[3,8,60,42]", "null", 0)));
	ck_assert_int_eq(fetched, 0);
}
END_TEST

START_TEST(candidates_that_do_not_fit_are_refused_by_entry)
{
	struct errinfo e;
	ck_assert_int_eq(run_error(lease("candidate", LENET, "[3,8,60]", "null", 0), &e), ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.msg, "has 3 entries"));
	ck_assert_int_eq(run_error(lease("candidate", LENET, "[3,0,60,42]", "null", 0), &e), ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.msg, "candidate[1]"));
	ck_assert_int_eq(run_error(lease("candidate", LENET, "[3,8,60,85]", "null", 0), &e), ERR_INPUT);
	ck_assert_int_eq(run_error(lease("candidate", LENET, "[3,8,60,\"x\"]", "null", 0), &e), ERR_INPUT);
	ck_assert_int_eq(run_error(lease("candidate", LENET, "[3,8,60,1.5]", "null", 0), &e), ERR_INPUT);
	ck_assert_int_eq(access(files[EXPORTED], F_OK), -1);
}
END_TEST

START_TEST(a_missing_blob_is_unavailable_not_a_failed_trial)
{
	struct errinfo e;
	ck_assert_int_eq(run_error(lease("baseline", 9, "null", "null", 0), &e), ERR_UNAVAILABLE);
}
END_TEST

START_TEST(data_that_is_no_model_fails_with_a_reason)
{
	struct errinfo e;
	ck_assert_int_eq(run_error(lease("baseline", 3, "null", "null", 0), &e), ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.msg, "ONNX"));
}
END_TEST

START_TEST(a_stopped_trial_ends_as_gone)
{
	struct errinfo e;
	atomic_store(&stop, true);
	ck_assert_int_eq(run_error(lease("candidate", RESNET, HALF_RESNET, "null", 512), &e), ERR_GONE);
}
END_TEST

START_TEST(hostile_leases_are_refused_by_field)
{
	struct errinfo e;
	cJSON *doc = lease("baseline", LENET, "null", "null", 0);
	cJSON_AddNumberToObject(doc, "surprise", 1);
	ck_assert_int_eq(run_error(doc, &e), ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.msg, "surprise"));
	ck_assert_int_eq(run_error(lease("nonsense", LENET, "null", "null", 0), &e), ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.msg, "nonsense"));
	ck_assert_int_eq(run_error(lease("candidate", LENET, "[3,8,60,42]", "{\"batch\": -1, \"rounds\": 5}", 0), &e),
		ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.msg, "rung.latency.batch"));
}
END_TEST

Suite *trial_suite(void)
{
	Suite *s = suite_create("trial");
	TCase *t = tcase_create("trial");
	tcase_set_timeout(t, 300);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, baseline_reports_metrics_and_inventory);
	tcase_add_test(t, the_inventory_tells_what_the_weights_and_the_labels_say_whatever_the_criterion);
	tcase_add_test(t, the_same_candidate_gives_the_same_bits);
	tcase_add_test(t, every_criterion_ranks_a_candidate_by_itself);
	tcase_add_test(t, random_ranks_by_the_seed_of_the_lease);
	tcase_add_test(t, the_exported_file_scores_as_reported);
	tcase_add_test(t, recalibration_recovers_accuracy);
	tcase_add_test(t, training_recovers_accuracy_to_the_same_bits);
	tcase_add_test(t, a_promoted_candidate_continues_from_the_rung_below);
	tcase_add_test(t, another_network_is_no_earlier_self);
	tcase_add_test(t, a_baseline_is_trained_first_when_asked);
	tcase_add_test(t, a_candidate_that_diverges_fails_with_the_step_and_the_rate);
	tcase_add_test(t, settings_of_training_are_checked_by_field);
	tcase_add_test(t, latency_is_told_with_its_spread_and_beside_the_baseline);
	tcase_add_test(t, test_leases_score_the_whole_test_set);
	tcase_add_test(t, models_and_data_are_opened_once_a_job);
	tcase_add_test(t, candidates_that_do_not_fit_are_refused_by_entry);
	tcase_add_test(t, a_missing_blob_is_unavailable_not_a_failed_trial);
	tcase_add_test(t, data_that_is_no_model_fails_with_a_reason);
	tcase_add_test(t, a_stopped_trial_ends_as_gone);
	tcase_add_test(t, hostile_leases_are_refused_by_field);
	suite_add_tcase(s, t);
	return s;
}
