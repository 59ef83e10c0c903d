/* trainspec.c -- how a network is trained: what may be said, every refusal, and that what is written reads the same.
 * SPDX-License-Identifier: MIT */
#include "base/trainspec.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "tests/base/scene.h"

static cJSON *doc;
static struct trainspec s;

/* ' stands for ". */
static void parse(const char *text)
{
	char json[1024];
	cJSON_Delete(doc);
	snprintf(json, sizeof json, "%s", text);
	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	ck_ok(json_parse("settings", json, strlen(json), &doc, &e));
}

static enum err read_text(const char *text, bool teacher)
{
	parse(text);
	return trainspec_read(doc, "train", teacher, &s, &e);
}

/* The settings as text, for the caller to cJSON_free. */
static char *written(void)
{
	cJSON *object = trainspec_write(&s);
	ck_assert_ptr_nonnull(object);
	char *text = cJSON_PrintUnformatted(object);
	cJSON_Delete(object);
	ck_assert_ptr_nonnull(text);
	return text;
}

START_TEST(nothing_said_is_one_epoch_of_sgd_with_a_teacher)
{
	ck_ok(read_text("{}", true));
	ck_assert(s.epochs == 1 && s.steps == 0 && s.batch == 128);
	ck_assert(s.optimizer == TRAIN_SGD && s.rate == 0.05 && s.momentum == 0.9 && s.nesterov);
	ck_assert(s.weight_decay == 5e-4 && !s.decay_norms && s.clip == 2 && s.smoothing == 0);
	ck_assert(s.schedule == TRAIN_COSINE && s.warmup == 0);
	ck_assert(s.distil_weight == 0.5 && s.distil_temperature == 4);
	ck_assert(!s.flip && s.shift == 0 && s.crop == 1 && s.patience == 0 && s.patience_images == 2000);
}
END_TEST

START_TEST(adamw_has_defaults_of_its_own)
{
	ck_ok(read_text("{'optimizer': 'adamw'}", true));
	ck_assert(s.optimizer == TRAIN_ADAMW && s.rate == 0.001 && s.weight_decay == 0.01);
	ck_assert(s.beta1 == 0.9 && s.beta2 == 0.999 && s.epsilon == 1e-8);
}
END_TEST

START_TEST(steps_take_the_place_of_epochs)
{
	ck_ok(read_text("{'steps': 30}", true));
	ck_assert(s.steps == 30 && s.epochs == 0);
	ck_ok(read_text("{'epochs': 0.25}", true));
	ck_assert(s.steps == 0 && s.epochs == 0.25);
}
END_TEST

START_TEST(without_a_teacher_there_is_no_distillation)
{
	ck_ok(read_text("{}", false));
	ck_assert(s.distil_weight == 0);
	ck_ok(read_text("{'distil': null}", false));
	ck_ok(read_text("{'distil': null}", true));
	ck_assert(s.distil_weight == 0);
	ck_ok(read_text("{'distil': {'weight': 0, 'temperature': 9}}", true));
	ck_assert(s.distil_weight == 0 && s.distil_temperature == 4);
	ck_fails(ERR_INPUT, read_text("{'distil': {}}", false));
	ck_assert_str_eq(e.msg, "train.distil: is given, expected nothing: there is no teacher");
}
END_TEST

/* The settings at the ends of their ranges. */
static const char *const right[] = {
	"{'epochs': 10000, 'batch': 2, 'rate': 1000, 'momentum': 0, 'weight_decay': 0}",
	"{'steps': 1, 'batch': 65536, 'rate': 1e-9, 'momentum': 0.999999, 'nesterov': false, 'weight_decay': 1}",
	"{'optimizer': 'adamw', 'beta1': 0, 'beta2': 0.1, 'epsilon': 1, 'decay_norms': true, 'rate': 0.3}",
	"{'schedule': 'one-cycle', 'clip': 1e9, 'smoothing': 0.9}",
	"{'schedule': 'constant', 'warmup': 0.9, 'clip': null}",
	"{'distil': {'weight': 1, 'temperature': 0.1}, 'augment': {'flip': true, 'shift': 64, 'crop': 0.1}}",
	"{'distil': {'temperature': 100}, 'early_stop': {'patience': 1000, 'images': 1}}",
	"{'distil': null, 'augment': {}, 'early_stop': {'patience': 0, 'images': 7}, 'steps': 1000000000}",
};

START_TEST(what_is_written_reads_the_same)
{
	ck_ok(read_text(right[_i], true));
	struct trainspec first = s;
	char *text = written();
	ck_ok(read_text(text, true));
	ck_assert_mem_eq(&first, &s, sizeof s);
	char *again = written();
	ck_assert_str_eq(text, again);
	cJSON_free(text);
	cJSON_free(again);
}
END_TEST

START_TEST(two_spellings_of_the_same_settings_are_written_alike)
{
	ck_ok(read_text("{'rate': 5e-2, 'epochs': 1.0, 'early_stop': {'images': 9}, 'clip': 2}", false));
	char *text = written();
	ck_ok(read_text("{}", false));
	char *plain = written();
	ck_assert_str_eq(text, plain);
	cJSON_free(text);
	cJSON_free(plain);
}
END_TEST

static const struct {
	const char *text, *message;
} wrong[] = {
	{ "[]", "train: is an array of 0, expected an object" },
	{ "{'epoch': 3}", "train.epoch: unknown key" },
	{ "{'epochs': 0}", "train.epochs: is 0, expected a number above 0 and at most 10000" },
	{ "{'epochs': 10001}", "train.epochs: is 10001, expected a number above 0 and at most 10000" },
	{ "{'epochs': 'x'}", "train.epochs: is \"x\", expected a number above 0 and at most 10000" },
	{ "{'epochs': 1, 'epochs': 2}", "train.epochs: is 2, expected the key only once" },
	{ "{'epochs': 1, 'steps': 1}", "train.epochs: is given, expected either epochs or steps" },
	{ "{'steps': 0}", "train.steps: is 0" },
	{ "{'steps': 1.5}", "train.steps: is 1.5" },
	{ "{'batch': 1}", "train.batch: is 1, expected an integer from 2 to 65536" },
	{ "{'optimizer': 'adam'}", "train.optimizer: is \"adam\", expected \"sgd\" or \"adamw\"" },
	{ "{'rate': 0}", "train.rate: is 0, expected a number above 0" },
	{ "{'rate': -1}", "train.rate: is -1, expected a number above 0 and at most 1000" },
	{ "{'rate': 1e999}", "train.rate: is a number too large to read, expected a number above 0" },
	{ "{'momentum': 1}", "train.momentum: is 1, expected a number from 0 to below 1" },
	{ "{'momentum': -1}", "train.momentum: is -1, expected a number from 0 to below 1" },
	{ "{'momentum': 2}", "train.momentum: is 2, expected a number from 0 to below 1" },
	{ "{'momentum': 0.9, 'optimizer': 'adamw'}", "train.momentum: is given, expected only with the optimizer sgd" },
	{ "{'nesterov': true, 'optimizer': 'adamw'}", "train.nesterov: is given" },
	{ "{'beta1': 0.9}", "train.beta1: is given, expected only with the optimizer adamw" },
	{ "{'beta2': 1, 'optimizer': 'adamw'}", "train.beta2: is 1" },
	{ "{'epsilon': 0, 'optimizer': 'adamw'}", "train.epsilon: is 0" },
	{ "{'weight_decay': 2}", "train.weight_decay: is 2" },
	{ "{'decay_norms': 1}", "train.decay_norms: is 1, expected true or false" },
	{ "{'schedule': 'step'}", "train.schedule: is \"step\", expected \"constant\", \"cosine\" or \"one-cycle\"" },
	{ "{'warmup': 0.95}", "train.warmup: is 0.95" },
	{ "{'warmup': 0, 'schedule': 'one-cycle'}", "train.warmup: is given, expected only with the schedules" },
	{ "{'clip': 0}", "train.clip: is 0, expected a number above 0" },
	{ "{'clip': 'x'}", "train.clip: is \"x\"" },
	{ "{'smoothing': 1}", "train.smoothing: is 1" },
	{ "{'distil': true}", "train.distil: is true, expected an object or null" },
	{ "{'distil': {'weight': 1.1}}", "train.distil.weight: is 1.1" },
	{ "{'distil': {'temperature': 0}}", "train.distil.temperature: is 0" },
	{ "{'augment': {'shift': 65}}", "train.augment.shift: is 65" },
	{ "{'augment': {'crop': 0}}", "train.augment.crop: is 0" },
	{ "{'augment': {'flip': 'x'}}", "train.augment.flip: is \"x\"" },
	{ "{'augment': null}", "train.augment: is null" },
	{ "{'early_stop': {'patience': -1}}", "train.early_stop.patience: is -1" },
	{ "{'early_stop': {'images': 0}}", "train.early_stop.images: is 0" },
};

START_TEST(wrong_settings_are_refused_by_key_and_value)
{
	ck_fails(ERR_INPUT, read_text(wrong[_i].text, true));
	ck_assert_msg(!strncmp(e.msg, wrong[_i].message, strlen(wrong[_i].message)), "%s", e.msg);
}
END_TEST

/* One refusal of each kind. */
static const char *const at_top[][2] = {
	{ "{'rate': 0}", "rate: is 0" }, { "{'batch': 1}", "batch: is 1" }, { "{'clip': 0}", "clip: is 0" },
	{ "{'optimizer': 'adam'}", "optimizer: is \"adam\"" }, { "{'beta1': 0.9}", "beta1: is given" },
	{ "{'distil': {}}", "distil: is given" }, { "{'augment': {'shift': 65}}", "augment.shift: is 65" },
	{ "{'early_stop': {'images': 0}}", "early_stop.images: is 0" },
};

START_TEST(settings_at_the_top_of_a_document_are_named_by_their_key)
{
	parse(at_top[_i][0]);
	ck_fails(ERR_INPUT, trainspec_read(doc, "", false, &s, &e));
	ck_assert_msg(!strncmp(e.msg, at_top[_i][1], strlen(at_top[_i][1])), "%s", e.msg);
}
END_TEST

Suite *suite_trainspec(void)
{
	Suite *suite = suite_create("trainspec");
	TCase *t = tcase_create("trainspec");
	tcase_add_test(t, nothing_said_is_one_epoch_of_sgd_with_a_teacher);
	tcase_add_test(t, adamw_has_defaults_of_its_own);
	tcase_add_test(t, steps_take_the_place_of_epochs);
	tcase_add_test(t, without_a_teacher_there_is_no_distillation);
	tcase_add_loop_test(t, what_is_written_reads_the_same, 0, sizeof right / sizeof *right);
	tcase_add_test(t, two_spellings_of_the_same_settings_are_written_alike);
	tcase_add_loop_test(t, wrong_settings_are_refused_by_key_and_value, 0, sizeof wrong / sizeof *wrong);
	tcase_add_loop_test(t, settings_at_the_top_of_a_document_are_named_by_their_key, 0,
		sizeof at_top / sizeof *at_top);
	suite_add_tcase(suite, t);
	return suite;
}
