/* spec.c -- the job document: its defaults, its canonical form, and every refusal.
 * SPDX-License-Identifier: MIT */
#include "daemon/spec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/text.h"
#include "tests/daemon/scene.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define PAIR(x) "{\"images\": \"" x "\", \"labels\": \"" B "\"}"
#define DATA "\"format\": \"idx\", \"train\": " PAIR(A) ", \"test\": " PAIR(A)
#define N_A "{\"name\": \"n\", \"model\": \"" A "\", \"data\": "
#define JOB(more) N_A "{" DATA "}" more "}"
#define JOB_DATA(more) N_A "{" DATA more "}}"

START_TEST(a_short_document_gets_the_defaults)
{
	struct spec *s;
	ck_ok(spec_parse(JOB(""), &s, &e));
	ck_assert_str_eq(s->model, A + 7);
	ck_assert_str_eq(s->data.sets[DATA_TEST].files[1].name, B);
	ck_assert_int_eq(s->data.held_count, 5000);
	ck_assert_str_eq(s->criterion, "l1");
	ck_assert_double_eq(s->max_ratio, 0.95);
	ck_assert_int_eq(s->objective_count, 2);
	ck_assert_int_eq(s->objectives[1], METRIC_PARAMS);
	ck_assert_int_eq(s->constraint_count, 0);
	ck_assert_str_eq(cJSON_GetObjectItem(s->strategy, "name")->valuestring, "guided");
	ck_assert_int_eq(s->trials, 60);
	ck_assert_int_eq(s->rungs[0].images, 5000);
	ck_assert(!s->rungs[0].latency);
	ck_assert_int_eq(s->window, 4);
	ck_assert(spec_trial_seconds(s, false) == 600 && spec_trial_seconds(s, true) == 86400);
	spec_free(s);
}
END_TEST

START_TEST(what_is_written_is_what_is_meant)
{
	struct spec *s;
	ck_ok(spec_parse(JOB(", \"objectives\": [\"latency\", \"macs\", \"accuracy\"], \"seed\": 9, \"window\": 0,"
		"\"constraints\": {\"macs\": \"<= 50%\"}, \"budget\": {\"trials\": 7}, \"prune\": {\"round_to\": 8},"
		"\"rungs\": [{\"images\": 100, \"latency\": {\"rounds\": 5, \"exclusive\": true}}],"
		"\"limits\": {\"trial_seconds\": 3}"), &s, &e));
	ck_assert_int_eq(s->objective_count, 3);
	ck_assert_int_eq(s->objectives[0], METRIC_LATENCY);
	ck_assert_int_eq(s->constraint_count, 1);
	ck_assert_int_eq(s->trials, 7);
	ck_assert_int_eq(s->round_to, 8);
	ck_assert(s->rungs[0].latency && s->rungs[0].exclusive);
	ck_assert_int_eq(s->rungs[0].latency_rounds, 5);
	ck_assert_int_eq(s->rungs[0].latency_batch, 1);
	ck_assert_int_eq(s->seed, 9);
	ck_assert(spec_trial_seconds(s, false) == 3 && spec_trial_seconds(s, true) == 3);
	ck_assert_int_eq(s->trial_memory_mb, 4096);
	spec_free(s);
}
END_TEST

static const struct {
	const char *text, *part;
} wrong[] = {
	{ "[]", "document: is an array of 0, expected an object" },
	{ "{\"model\": \"" A "\"}", "name: missing" },
	{ JOB(", \"nam\": 1"), "nam: unknown key" },
	{ JOB(", \"name\": \"again\""), "name: is \"again\", expected the key only once" },
	{ "{\"name\": \"\", \"model\": \"" A "\", \"data\": {" DATA "}}", "name: has 0 bytes, expected 1 to 200" },
	{ "{\"name\": \"a\\nb\", \"model\": \"" A "\", \"data\": {" DATA "}}",
	"name: contains the control character 10" },
	{ "{\"name\": \"n\", \"model\": \"m.onnx\", \"data\": {" DATA "}}",
	"model: is \"m.onnx\", expected \"sha256:DIGEST\"" },
	{ "{\"name\": \"n\", \"model\": \"m.onnx\", \"data\": {" DATA "}}", "`pare submit`" },
	{ "{\"name\": \"n\", \"model\": \"sha256:12\", \"data\": {" DATA "}}",
	"model: is \"sha256:12\", expected sha256: and 64" },
	{ "{\"name\": \"n\", \"model\": 5, \"data\": {" DATA "}}", "model: is 5, expected a string" },
	{ "{\"name\": \"n\", \"model\": \"" A "\"}", "data: missing" },
	{ N_A "{}}", "data.format: missing" },
	{ N_A "{\"format\": \"hdf5\", \"train\": " PAIR(A) ", \"test\": " PAIR(A) "}}",
	  "data.format: is \"hdf5\", expected \"idx\", \"npy\"" },
	{ N_A "{\"format\": \"idx\", \"train\": " PAIR("t.gz") ", \"test\": " PAIR(A) "}}",
	  "data.train.images: is \"t.gz\"" },
	{ N_A "{\"format\": \"idx\", \"train\": {\"images\": \"" A "\"}, \"test\": " PAIR(A)
	  "}}", "data.train.labels: missing" },
	{ JOB_DATA(", \"holdout\": 0"), "data.holdout: is 0, expected an integer from 1" },
	{ JOB_DATA(", \"mean\": [\"x\"]"), "data.mean[0]: is \"x\", expected a number" },
	{ JOB_DATA(", \"std\": [0]"), "data.std[0]: is 0, expected a number above 0" },
	{ JOB_DATA(", \"mean\": [0, 0], \"std\": [1]"), "data.std: has 1 entries, expected 2" },
	{ JOB_DATA(", \"shuffle\": true"), "data.shuffle: unknown key" },
	{ JOB(", \"prune\": {\"criterion\": \"l9\"}"), "prune.criterion: is \"l9\", expected l1, l2, fpgm, bn" },
	{ JOB(", \"prune\": {\"max_ratio\": 1.5}"), "prune.max_ratio: is 1.5, expected a number from 0 to 1" },
	{ JOB(", \"prune\": {\"max_ratio\": 0}"), "prune.max_ratio: is 0, expected a number above 0" },
	{ JOB(", \"prune\": {\"round_to\": 0}"), "prune.round_to: is 0, expected an integer from 1" },
	{ JOB(", \"prune\": {\"include\": \"a\"}"), "prune.include: is \"a\", expected an array" },
	{ JOB(", \"prune\": {\"include\": []}"), "prune.include: has 0 entries, expected at least one" },
	{ JOB(", \"prune\": {\"exclude\": [\"a\", 5]}"), "prune.exclude[1]: is 5, expected the name of a group" },
	{ JOB(", \"prune\": {\"exclude\": [\"\"]}"), "prune.exclude[0]: has 0 bytes, expected 1 to 200" },
	{ JOB(", \"prune\": {\"groups\": {}}"), "prune.groups: is an object" },
	{ JOB(", \"prune\": {\"groups\": [{\"max_ratio\": 1}]}"), "prune.groups[0].match: missing" },
	{ JOB(", \"prune\": {\"groups\": [{\"match\": 7, \"max_ratio\": 1}]}"), "prune.groups[0].match: is 7" },
	{ JOB(", \"prune\": {\"groups\": [{\"match\": [], \"max_ratio\": 1}]}"),
	"prune.groups[0].match: has 0 entries" },
	{ JOB(", \"prune\": {\"groups\": [{\"match\": \"a\"}]}"), "prune.groups[0]: limits nothing" },
	{ JOB(", \"prune\": {\"groups\": [{\"match\": \"a\", \"ratio\": 1}]}"),
	"prune.groups[0].ratio: unknown key" },
	{ JOB(", \"prune\": {\"groups\": [{\"match\": \"a\", \"min_ratio\": -1}]}"),
	"prune.groups[0].min_ratio: is -1" },
	{ JOB(", \"prune\": {\"groups\": [{\"match\": \"a\", \"round_to\": 0}]}"),
	"prune.groups[0].round_to: is 0" },
	{ JOB(", \"prune\": {\"groups\": [{\"match\": \"a\", \"min_ratio\": 0.5, \"max_ratio\": 0.4}]}"),
	"prune.groups[0].min_ratio: is 0.5, expected at most max_ratio, which is 0.4" },
	{ JOB(", \"objectives\": [\"accuracy\"]"), "objectives: has 1 entries, expected 2 to 4" },
	{ JOB(", \"objectives\": [\"accuracy\", \"speed\"]"), "objectives[1]: is \"speed\", expected accuracy" },
	{ JOB(", \"objectives\": [\"macs\", \"macs\"]"), "objectives[1]: is \"macs\", expected each metric only once" },
	{ JOB(", \"objectives\": [\"macs\", \"latency\"]"),
	"objectives[1]: is \"latency\", expected rungs[0].latency" },
	{ JOB(", \"constraints\": {\"latency\": \"<= 0.5\"}"), "constraints.latency: bounds the latency" },
	{ JOB(", \"constraints\": {\"macs\": \"half\"}"), "macs" },
	{ JOB(", \"strategy\": {\"name\": \"luck\"}"), "luck" },
	{ JOB(", \"strategy\": {\"name\": \"nsga2\", \"luck\": 1}"), "luck: unknown key" },
	{ JOB(", \"warm_start\": 0"), "warm_start: is 0, expected the id of a job" },
	{ JOB(", \"warm_start\": \"7\""), "warm_start: is \"7\", expected the id" },
	{ JOB(", \"warm_start\": {}"), "warm_start: is an object" },
	{ JOB(", \"warm_start\": []"), "warm_start: has 0 entries, expected 1 to 8" },
	{ JOB(", \"warm_start\": [1,2,3,4,5,6,7,8,9]"), "warm_start: has 9 entries" },
	{ JOB(", \"warm_start\": [1, 2.5]"), "warm_start[1]: is 2.5" },
	{ JOB(", \"warm_start\": [3, 3]"), "warm_start[1]: is 3, expected each job only once" },
	{ JOB(", \"warm_start\": 1e300"), "warm_start: is 1e+300" },
	{ JOB(", \"budget\": {\"trials\": -3}"), "budget.trials: is -3, expected an integer from 1 to 1000000" },
	{ JOB(", \"budget\": {\"seconds\": 0}"), "budget.seconds: is 0, expected an integer from 1 to 1000000000" },
	{ JOB(", \"budget\": {\"stall\": 1.5}"), "budget.stall: is 1.5, expected an integer from 1 to 1000000" },
	{ JOB(", \"rungs\": []"), "rungs: has 0 entries, expected 1 to 8" },
	{ JOB(", \"rungs\": [{},{},{},{},{},{},{},{},{}]"), "rungs: has 9 entries, expected 1 to 8" },
	{ JOB(", \"rungs\": [{}, 3]"), "rungs[1]: is 3, expected an object" },
	{ JOB(", \"rungs\": [{}, {\"images\": 6000}]"), "rungs[1].images: is 6000" },
	{ JOB(", \"rungs\": [{}, {\"train\": 1}]"), "rungs[1].train: is 1, expected an object or null" },
	{ JOB(", \"rungs\": [{\"train\": {\"epochs\": 0}}]"), "rungs[0].train.epochs: is 0, expected" },
	{ JOB(", \"rungs\": [{\"train\": {\"distil\": {\"weight\": 2}}}]"), "rungs[0].train.distil.weight: is 2" },
	{ JOB(", \"rungs\": [{\"latency\": {}}, {}], \"objectives\": [\"macs\", \"latency\"]"),
	"objectives[1]: is \"latency\", expected rungs[1].latency" },
	{ JOB(", \"rungs\": [{\"latency\": {}}, {}], \"constraints\": {\"latency\": \"<= 0.5\"}"),
	"constraints.latency: bounds the latency, expected rungs[1].latency" },
	{ JOB(", \"eta\": 1"), "eta: is 1, expected an integer from 2 to 100" },
	{ JOB(", \"pretrain\": true"), "pretrain: is true, expected an object or null" },
	{ JOB(", \"pretrain\": {\"distil\": {}}"), "pretrain.distil: is given, expected nothing" },
	{ JOB(", \"rungs\": [{\"images\": 6000}]"), "rungs[0].images: is 6000, expected at most data.holdout, 5000" },
	{ JOB_DATA(", \"split\": {\"validation\": 9}}, \"rungs\": [{\"images\": 10}], \"limits\": {"),
	"rungs[0].images: is 10, expected at most data.split.validation, 9" },
	{ JOB_DATA(", \"validation\": " PAIR("v.gz")), "data.validation.images: is \"v.gz\"" },
	{ JOB(", \"rungs\": [{\"recalibrate\": -1}]"), "rungs[0].recalibrate: is -1" },
	{ JOB(", \"rungs\": [{\"latency\": 1}]"), "rungs[0].latency: is 1, expected an object or null" },
	{ JOB(", \"rungs\": [{\"latency\": {\"rounds\": 2}}]"), "rungs[0].latency.rounds: is 2" },
	{ JOB(", \"seed\": -1"), "seed: is -1, expected an integer from 0" },
	{ JOB(", \"window\": 1025"), "window: is 1025, expected an integer from 0 to 1024" },
	{ JOB(", \"limits\": {\"trial_seconds\": 0}"), "limits.trial_seconds: is 0" },
	{ JOB(", \"limits\": {\"trial_memory_mb\": 1}"), "limits.trial_memory_mb: is 1, expected an integer from 16" },
};

START_TEST(a_wrong_document_is_refused_by_field_and_value)
{
	struct spec *s;
	ck_fails(ERR_INPUT, wrong[_i].part, spec_parse(wrong[_i].text, &s, &e));
}
END_TEST

static void digest_of(const char *job, const char *candidate, char ret[DIGEST_HEX + 1])
{
	struct spec *s;
	ck_ok(spec_parse(job, &s, &e));
	ck_ok(candidate ? spec_digest(s, s->model, spec_last(s), candidate, ret, &e)
		: spec_digest_baseline(s, ret, &e));
	spec_free(s);
}

START_TEST(the_digest_knows_all_that_decides_a_result_and_nothing_else)
{
	char plain[DIGEST_HEX + 1], other[DIGEST_HEX + 1];
	static const char *const same[] = {
		JOB(", \"rungs\": [{\"images\": 5000, \"recalibrate\": 2048, \"latency\": null}]"),
		JOB(", \"limits\": {\"trial_seconds\": 1}, \"budget\": {\"trials\": 3}, \"window\": 9"),
		JOB_DATA(", \"holdout\": 5000.0"),
		JOB(", \"objectives\": [\"loss\", \"macs\"], \"strategy\": {\"name\": \"random\"}"),
		JOB(", \"warm_start\": [4, 5]"), JOB(", \"warm_start\": null"),
		JOB(", \"prune\": {\"max_ratio\": 0.5, \"round_to\": 8, \"exclude\": [\"a\"]}"),
	};
	static const char *const different[] = {
		JOB(", \"seed\": 2"), JOB(", \"rungs\": [{\"images\": 4999}]"), JOB_DATA(", \"holdout\": 5001"),
		JOB(", \"rungs\": [{\"latency\": {}}]"), JOB_DATA(", \"mean\": [0]"),
		JOB(", \"prune\": {\"criterion\": \"l2\"}"),
		"{\"name\": \"n\", \"model\": \"" B "\", \"data\": {" DATA "}}",
	};
	digest_of(JOB(""), "[1,2]", plain);
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		digest_of(same[i], "[1,2]", other);
		ck_assert_str_eq(plain, other);
	}
	for (size_t i = 0; i < sizeof different / sizeof *different; i++) {
		digest_of(different[i], "[1,2]", other);
		ck_assert_str_ne(plain, other);
	}
	digest_of(JOB(""), "[1,3]", other);
	ck_assert_str_ne(plain, other);
	digest_of(JOB(""), NULL, other);
	ck_assert_str_ne(plain, other);
}
END_TEST

/* What is submitted, with its digests written A and B, and how a worker gets it. */
static const struct {
	const char *job, *lease;
} data_forms[] = {
	{ DATA, "{\"format\":\"idx\",\"train\":{\"images\":\"A\",\"labels\":\"B\"},"
		"\"test\":{\"images\":\"A\",\"labels\":\"B\"},\"holdout\":5000}" },
	{ "\"format\": \"npz\", \"layout\": \"nchw\", \"split\": {\"validation\": 0.5}, \"train\": {\"file\": \"" A
	  "\"}, \"test\": {\"file\": \"" A "\", \"labels_key\": \"y\"}, \"mean\": [0.5]",
		"{\"format\":\"npz\",\"train\":{\"file\":\"A\",\"images_key\":\"x_train\",\"labels_key\":\"y_train\"},"
		"\"test\":{\"file\":\"A\",\"images_key\":\"x_test\",\"labels_key\":\"y\"},"
		"\"split\":{\"validation\":0.5,\"seed\":1,\"stratified\":false},\"layout\":\"nchw\",\"mean\":[0.5]}" },
	{ "\"format\": \"cifar10\", \"train\": {\"files\": [\"" A "\", \"" B "\"]}, \"test\": {\"files\": [\"" A
	  "\"]}, \"validation\": {\"files\": [\"" B "\"]}",
		"{\"format\":\"cifar10\",\"train\":{\"files\":[\"A\",\"B\"]},\"validation\":{\"files\":[\"B\"]},"
		"\"test\":{\"files\":[\"A\"]}}" },
	{ "\"format\": \"folder\", \"train\": {\"folder\": \"" A "\"}, \"test\": {\"folder\": \"" B
	  "\"}, \"split\": {\"validation\": 30, \"seed\": 5, \"stratified\": true}, \"size\": 32, \"resize\": 40",
		"{\"format\":\"folder\",\"train\":{\"folder\":\"A\"},\"test\":{\"folder\":\"B\"},"
		"\"split\":{\"validation\":30,\"seed\":5,\"stratified\":true},\"size\":[32,32],\"resize\":40,"
		"\"channels\":3}" },
};

/* Each digest of text by its letter. */
static void shorten(char *text)
{
	for (char *p = text; (p = strchr(p, '"'));) {
		if (strspn(++p, "ab") == DIGEST_HEX) {
			*p = *p == 'a' ? 'A' : 'B';
			memmove(p + 1, p + DIGEST_HEX, strlen(p + DIGEST_HEX) + 1);
		}
	}
}

START_TEST(the_data_of_a_lease_is_in_one_canonical_form)
{
	struct spec *s;
	struct text t;
	char *text, job[2048];
	snprintf(job, sizeof job, N_A "{%s}}", data_forms[_i].job);
	ck_ok(spec_parse(job, &s, &e));
	text_init(&t);
	spec_write_data(s, &t);
	ck_ok(text_take(&t, &text, NULL, &e));
	shorten(text);
	ck_assert_str_eq(text, data_forms[_i].lease);
	ck_assert_int_eq(s->rungs[0].images, s->data.held_count ? s->data.held_count : 1000000000);
	free(text);
	spec_free(s);
}
END_TEST

START_TEST(the_parts_of_a_lease_are_complete)
{
	struct spec *s;
	struct text t;
	char *text;
	ck_ok(spec_parse(JOB(", \"rungs\": [{\"latency\": {\"batch\": 2}}]"), &s, &e));
	text_init(&t);
	spec_write_rung(&s->rungs[0], true, &t);
	ck_ok(text_take(&t, &text, NULL, &e));
	ck_assert_str_eq(text,
		"{\"recalibrate\":2048,\"images\":5000,\"latency\":{\"batch\":2,\"rounds\":15,\"exclusive\":false}}");
	free(text);
	spec_write_prune(s, &t);
	ck_ok(text_take(&t, &text, NULL, &e));
	ck_assert_str_eq(text, "{\"criterion\":\"l1\",\"max_ratio\":0.95,\"round_to\":1}");
	free(text);
	spec_free(s);
}
END_TEST

START_TEST(limits_by_group_are_read_in_their_order)
{
	struct spec *s;
	ck_ok(spec_parse(JOB(", \"prune\": {\"groups\": [{\"match\": [\"c*\", \"d\"], \"min_ratio\": 0.25},"
		" {\"match\": \"e\", \"max_ratio\": 0.5, \"round_to\": 4}], \"max_ratio\": 0.75, \"exclude\": [\"b\"],"
		" \"include\": [\"a\", \"a?\"]}"), &s, &e));
	struct space_limits l = spec_limits(s);
	ck_assert_double_eq(l.max_ratio, 0.75);
	ck_assert_int_eq(l.include.count, 2);
	ck_assert_str_eq(l.include.text[1], "a?");
	ck_assert_int_eq(l.exclude.count, 1);
	ck_assert_str_eq(l.exclude.text[0], "b");
	ck_assert_int_eq(l.rule_count, 2);
	ck_assert_int_eq(l.rules[0].match.count, 2);
	ck_assert_str_eq(l.rules[0].match.text[1], "d");
	ck_assert(l.rules[0].min_ratio == 0.25 && isnan(l.rules[0].max_ratio) && l.rules[0].round_to == 0);
	ck_assert_str_eq(l.rules[1].match.text[0], "e");
	ck_assert(isnan(l.rules[1].min_ratio) && l.rules[1].max_ratio == 0.5 && l.rules[1].round_to == 4);
	spec_free(s);
}
END_TEST

START_TEST(more_or_longer_patterns_than_allowed_are_refused)
{
	struct spec *s;
	char list[2048] = "", long_one[256] = "", job[4096];
	for (int i = 0; i < 257; i++)
		strcat(list, i ? ",\"a\"" : "\"a\"");
	snprintf(job, sizeof job, JOB(", \"prune\": {\"exclude\": [%s]}"), list);
	ck_fails(ERR_INPUT, "prune.exclude[256]: is pattern 257, expected at most 256", spec_parse(job, &s, &e));
	list[256 * 4 - 1] = '\0';
	snprintf(job, sizeof job, JOB(", \"prune\": {\"exclude\": [%s]}"), list);
	ck_ok(spec_parse(job, &s, &e));
	spec_free(s);
	memset(long_one, 'x', 201);
	snprintf(job, sizeof job, JOB(", \"prune\": {\"include\": [\"%s\"]}"), long_one);
	ck_fails(ERR_INPUT, "prune.include[0]: has 201 bytes, expected 1 to 200", spec_parse(job, &s, &e));
}
END_TEST

START_TEST(several_rungs_and_training_are_read)
{
	struct spec *s;
	struct text t;
	char *text;
	ck_ok(spec_parse(JOB(", \"eta\": 4, \"budget\": {\"trials\": 50}, "
		"\"rungs\": [{\"images\": 10}, {\"train\": null}, {\"train\": {\"steps\": 7}, "
		"\"latency\": {\"exclusive\": true}}, {}], \"pretrain\": {\"epochs\": 3}"), &s, &e));
	ck_assert_int_eq(s->rung_count, 4);
	ck_assert_int_eq(s->eta, 4);
	ck_assert(s->rungs[0].images == 10 && s->rungs[3].images == 5000);
	ck_assert(!s->rungs[1].trains && s->rungs[2].trains && s->rungs[2].train.steps == 7);
	ck_assert(!s->rungs[1].latency && s->rungs[2].exclusive && !s->rungs[3].latency);
	ck_assert(s->rungs[2].train.distil_weight == 0.5);
	ck_assert(s->pretrains && s->pretrain.epochs == 3 && s->pretrain.distil_weight == 0);
	text_init(&t);
	spec_write_plan(s, &t);
	ck_ok(text_take(&t, &text, NULL, &e));
	ck_assert_str_eq(text, "[50,12,3,1]");
	free(text);
	spec_free(s);
	ck_ok(spec_parse(JOB(", \"pretrain\": null"), &s, &e));
	ck_assert(!s->pretrains && s->rung_count == 1 && s->eta == 3);
	spec_free(s);
}
END_TEST

static void rung_digest(const char *job, int rung, char ret[DIGEST_HEX + 1])
{
	struct spec *s;
	ck_ok(spec_parse(job, &s, &e));
	ck_ok(rung < 0 ? spec_digest_baseline(s, ret, &e) : spec_digest(s, s->model, rung, "[1,2]", ret, &e));
	spec_free(s);
}

START_TEST(the_digest_knows_the_rungs_up_to_its_own)
{
	static const char two[] = JOB(", \"rungs\": [{\"images\": 10}, {\"train\": {\"steps\": 7}}]");
	static const char other_first[] = JOB(", \"rungs\": [{\"images\": 11}, {\"train\": {\"steps\": 7}}]");
	static const char other_last[] = JOB(", \"rungs\": [{\"images\": 10}, {\"train\": {\"steps\": 8}}]");
	static const char one[] = JOB(", \"rungs\": [{\"images\": 10}]");
	char a[DIGEST_HEX + 1], b[DIGEST_HEX + 1];
	rung_digest(two, 0, a);
	rung_digest(one, 0, b);
	ck_assert_str_eq(a, b);
	rung_digest(other_last, 0, b);
	ck_assert_str_eq(a, b);
	rung_digest(two, 1, a);
	rung_digest(other_first, 1, b);
	ck_assert_str_ne(a, b);
	rung_digest(other_last, 1, b);
	ck_assert_str_ne(a, b);
	rung_digest(JOB(""), -1, a); /* the baseline is never trained by a rung, nor looked at by a lower one */
	rung_digest(two, -1, b);
	ck_assert_str_eq(a, b);
	rung_digest(JOB(", \"prune\": {\"criterion\": \"taylor\", \"max_ratio\": 0.5}, "
		"\"rungs\": [{\"recalibrate\": 7, \"train\": {}}]"), -1, b);
	ck_assert_str_eq(a, b);
	rung_digest(JOB(", \"seed\": 2"), -1, b);
	ck_assert_str_ne(a, b);
	rung_digest(JOB(", \"rungs\": [{\"latency\": {}}]"), -1, b);
	ck_assert_str_ne(a, b);
	rung_digest(one, -1, b);
	ck_assert_str_ne(a, b);
	rung_digest(JOB(", \"pretrain\": {}"), -1, b);
	ck_assert_str_ne(a, b);
	rung_digest(JOB(", \"pretrain\": {\"epochs\": 2}"), -1, a);
	ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(training_in_a_lease_is_complete)
{
	struct spec *s;
	struct text t;
	char *text;
	ck_ok(spec_parse(JOB(", \"rungs\": [{\"train\": {\"epochs\": 2}}]"), &s, &e));
	text_init(&t);
	spec_write_rung(&s->rungs[0], true, &t);
	ck_ok(text_take(&t, &text, NULL, &e));
	ck_assert_str_eq(text, "{\"recalibrate\":2048,\"images\":5000,\"train\":{\"epochs\":2,\"batch\":128,"
		"\"optimizer\":\"sgd\",\"rate\":0.05,\"momentum\":0.9,\"nesterov\":true,\"weight_decay\":0.0005,"
		"\"decay_norms\":false,\"clip\":2,\"schedule\":\"cosine\",\"warmup\":0,\"smoothing\":0,"
		"\"distil\":{\"weight\":0.5,\"temperature\":4},\"augment\":{\"flip\":false,\"shift\":0,\"crop\":1},"
		"\"early_stop\":{\"patience\":0,\"images\":2000}},\"latency\":null}");
	free(text);
	spec_free(s);
}
END_TEST

Suite *suite_spec(void)
{
	Suite *s = suite_create("spec");
	TCase *t = tcase_create("spec");
	tcase_add_test(t, a_short_document_gets_the_defaults);
	tcase_add_test(t, what_is_written_is_what_is_meant);
	tcase_add_loop_test(t, a_wrong_document_is_refused_by_field_and_value, 0, sizeof wrong / sizeof *wrong);
	tcase_add_test(t, the_digest_knows_all_that_decides_a_result_and_nothing_else);
	tcase_add_loop_test(t, the_data_of_a_lease_is_in_one_canonical_form, 0,
		sizeof data_forms / sizeof *data_forms);
	tcase_add_test(t, limits_by_group_are_read_in_their_order);
	tcase_add_test(t, more_or_longer_patterns_than_allowed_are_refused);
	tcase_add_test(t, several_rungs_and_training_are_read);
	tcase_add_test(t, the_digest_knows_the_rungs_up_to_its_own);
	tcase_add_test(t, training_in_a_lease_is_complete);
	tcase_add_test(t, the_parts_of_a_lease_are_complete);
	suite_add_tcase(s, t);
	return s;
}
