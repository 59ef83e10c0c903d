/* jobfile.c -- tests of a job file's way to the posted document.
 * SPDX-License-Identifier: MIT */
#include "client/jobfile.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/view.h"
#include "tests/client/scene.h"

#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* SHA-256 of "hello" */
#define KNOWN "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static struct jobfile j;

static void write_job(const char *text)
{
	scene_file("job.json", text);
}

static enum err open_job(void)
{
	return jobfile_open(scene_path("job.json"), &j, &e);
}

START_TEST(named_files_become_digests_and_the_rest_stays)
{
	scene_file("m.onnx", "hello");
	scene_file("labels", "other");
	write_job("{ // with a comment\n"
		  "\"name\": \"n\", \"model\": \"m.onnx\", \"extra\": [1, {\"a\": null}],\n"
		  "\"data\": {\"format\": \"idx\", \"train\": {\"images\": \"./m.onnx\", \"labels\": \"labels\"},\n"
		  "\"test\": {\"images\": \"" KNOWN "\", \"labels\": \"labels\"}}}");
	ck_ok(open_job());
	ck_assert_int_eq(j.file_count, 4);
	ck_assert_str_eq(j.files[0].key, "model");
	ck_assert_int_eq(j.files[0].size, 5);
	ck_assert_str_eq(j.files[0].digest, HELLO);
	ck_ok(jobfile_rewrite(&j, &e));
	ck_assert_str_eq(view_text(j.doc, "model"), "sha256:" HELLO);
	ck_assert_str_eq(view_text(j.doc, "data.train.images"), "sha256:" HELLO);
	ck_assert_str_eq(view_text(j.doc, "data.test.images"), KNOWN);
	ck_assert_str_eq(view_text(j.doc, "data.train.labels"), view_text(j.doc, "data.test.labels"));
	ck_assert_str_eq(view_text(j.doc, "data.format"), "idx");
	ck_assert_int_eq(cJSON_GetArraySize(view_member(j.doc, "extra")), 2);
	jobfile_close(&j);
}
END_TEST

START_TEST(every_form_of_data_has_its_files_digested)
{
	scene_file("a", "hello");
	scene_file("b", "other");
	write_job("{\"data\": {\"train\": {\"file\": \"a\", \"images_key\": \"b\"},"
		  "\"test\": {\"files\": [\"b\", \"a\", \"" KNOWN "\"]},"
		  "\"validation\": {\"images\": \"b\", \"labels\": \"a\"}}}");
	ck_ok(open_job());
	ck_assert_int_eq(j.file_count, 5);
	ck_assert_str_eq(j.files[2].key, "data.test.files[1]");
	ck_ok(jobfile_rewrite(&j, &e));
	ck_assert_str_eq(view_text(j.doc, "data.train.file"), "sha256:" HELLO);
	ck_assert_str_eq(view_text(j.doc, "data.train.images_key"), "b");
	ck_assert_str_eq(view_text(j.doc, "data.validation.labels"), "sha256:" HELLO);
	const cJSON *files = view_member(j.doc, "data.test.files");
	ck_assert_str_eq(cJSON_GetArrayItem(files, 1)->valuestring, "sha256:" HELLO);
	ck_assert_str_eq(cJSON_GetArrayItem(files, 2)->valuestring, KNOWN);
	jobfile_close(&j);
}
END_TEST

START_TEST(a_folder_of_pictures_becomes_one_file)
{
	char digest[DIGEST_HEX + 1];
	ck_assert(!mkdir(scene_path("set"), 0700) && !mkdir(scene_path("set/cat"), 0700));
	ck_assert(!mkdir(scene_path("set/dog"), 0700));
	scene_file("set/cat/1.png", "meow");
	scene_file("set/dog/1.jpg", "wow");
	write_job("{\"data\": {\"train\": {\"folder\": \"set\"}, \"test\": {\"folder\": \"set/\"}}}");
	ck_ok(open_job());
	ck_assert_int_eq(j.file_count, 2);
	ck_assert_str_eq(j.files[0].digest, j.files[1].digest);
	ck_assert_int_eq(j.files[0].size, 6 * 512); /* two headers, two files, the end */
	ck_ok(digest_file(j.files[0].bytes, digest, &e));
	ck_assert_str_eq(j.files[0].digest, digest);
	jobfile_close(&j);
	scene_file("set/dog/1.txt", "x");
	ck_assert_int_eq(open_job(), ERR_INPUT);
	assert_has(e.msg, "data.train.folder: ");
	assert_has(e.msg, "'dog/1.txt' is no picture by its name");
}
END_TEST

START_TEST(names_count_from_the_folder_of_the_job_file)
{
	ck_assert_int_eq(mkdir(scene_path("sub"), 0700), 0);
	scene_file("m.onnx", "hello");
	scene_file("sub/job.json", "{\"model\": \"../m.onnx\"}");
	ck_ok(jobfile_open(scene_path("sub/job.json"), &j, &e));
	ck_assert_str_eq(j.files[0].digest, HELLO);
	jobfile_close(&j);
	ck_assert_int_eq(chdir(scene_path("sub")), 0);
	ck_ok(jobfile_open("job.json", &j, &e));
	ck_assert_str_eq(j.files[0].path, "../m.onnx");
	jobfile_close(&j);
}
END_TEST

START_TEST(an_absolute_name_is_taken_as_it_is)
{
	char text[256];
	snprintf(text, sizeof text, "{\"model\": \"%s\"}", scene_file("m.onnx", "hello"));
	write_job(text);
	ck_ok(open_job());
	ck_assert_str_eq(j.files[0].digest, HELLO);
	jobfile_close(&j);
}
END_TEST

START_TEST(values_of_the_command_line_replace_or_join_those_of_the_file)
{
	struct jobfile_changes changes = { .name = "other", .seed = 0, .budget = 12 };
	write_job("{\"name\": \"n\", \"seed\": 5}");
	ck_ok(open_job());
	ck_ok(jobfile_change(&j, &changes, &e));
	ck_assert_str_eq(view_text(j.doc, "name"), "other");
	ck_assert_double_eq(view_number(j.doc, "seed"), 0);
	ck_assert_double_eq(view_number(j.doc, "budget.trials"), 12);
	ck_assert_int_eq(cJSON_GetArraySize(j.doc), 3);
	jobfile_close(&j);
}
END_TEST

START_TEST(no_change_is_made_that_was_not_asked_for)
{
	struct jobfile_changes changes = { .seed = -1, .budget = -1 };
	write_job("{\"name\": \"n\", \"budget\": {\"trials\": 3, \"other\": 1}}");
	ck_ok(open_job());
	char *before = cJSON_PrintUnformatted(j.doc);
	ck_ok(jobfile_change(&j, &changes, &e));
	char *after = cJSON_PrintUnformatted(j.doc);
	ck_assert_str_eq(before, after);
	changes.budget = 4;
	ck_ok(jobfile_change(&j, &changes, &e));
	ck_assert_double_eq(view_number(j.doc, "budget.trials"), 4);
	ck_assert_double_eq(view_number(j.doc, "budget.other"), 1);
	cJSON_free(before);
	cJSON_free(after);
	jobfile_close(&j);
}
END_TEST

static const struct {
	const char *text, *part;
} wrong[] = {
	{ "{\"model\": \"absent.onnx\"}", "model: is \"" },
	{ "{\"model\": \"absent.onnx\"}", "absent.onnx\": No such file" },
	{ "{\"model\": \".\"}", "a directory, expected a file" },
	{ "{\"model\": \"empty\"}", "an empty file, expected" },
	{ "{\"model\": \"fifo\"}", "no regular file, expected" },
	{ "{\"model\": 7}", "model: is 7, expected the name of a file" },
	{ "{\"model\": \"\"}", "model: is \"\", expected the name of a file" },
	{ "{\"data\": {\"test\": {\"file\": \".\"}}}", "data.test.file: is \"" },
	{ "{\"data\": {\"test\": {\"file\": \".\"}}}", "a directory, expected a file" },
	{ "{\"data\": {\"test\": {\"folder\": \"empty\"}}}", "an empty file, expected a folder or a tar archive" },
	{ "{\"data\": {\"test\": {\"folder\": 3}}}", "data.test.folder: is 3, expected the name of a folder" },
	{ "{\"data\": {\"test\": {\"files\": [\"empty\"]}}}", "data.test.files[0]: is \"" },
	{ "{\"data\": {\"test\": {\"labels\": null}}}", "data.test.labels: is null, expected" },
	{ "[1]", "is no JSON object" },
	{ "{\"model\": }", "line 1, column" },
};

START_TEST(a_wrong_file_is_named_with_its_key)
{
	scene_file("empty", "");
	ck_assert_int_eq(mkfifo(scene_path("fifo"), 0600), 0);
	write_job(wrong[_i].text);
	ck_assert_int_eq(open_job(), ERR_INPUT);
	ck_assert_int_eq(e.code, ERR_INPUT);
	ck_assert_msg(strstr(e.msg, wrong[_i].part) != NULL, "'%s' has no '%s'", e.msg, wrong[_i].part);
	const char *path = scene_path("job.json");
	ck_assert_msg(!strncmp(e.msg, path, strlen(path)), "'%s' doesn't begin with '%s'", e.msg, path);
}
END_TEST

START_TEST(a_missing_job_file_is_wrong_input)
{
	ck_assert_int_eq(jobfile_open(scene_path("absent.json"), &j, &e), ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.msg, "absent.json"));
}
END_TEST

START_TEST(a_budget_of_another_kind_is_not_guessed_at)
{
	struct jobfile_changes changes = { .seed = -1, .budget = 12 };
	write_job("{\"budget\": 5}");
	ck_ok(open_job());
	ck_assert_int_eq(jobfile_change(&j, &changes, &e), ERR_INPUT);
	ck_assert_str_eq(e.msg, "budget: is 5, expected an object {\"trials\": N}");
	jobfile_close(&j);
}
END_TEST

Suite *suite_jobfile(void)
{
	Suite *s = suite_create("jobfile");
	TCase *t = tcase_create("jobfile");
	tcase_add_checked_fixture(t, scene_setup, scene_teardown);
	tcase_add_test(t, named_files_become_digests_and_the_rest_stays);
	tcase_add_test(t, every_form_of_data_has_its_files_digested);
	tcase_add_test(t, a_folder_of_pictures_becomes_one_file);
	tcase_add_test(t, names_count_from_the_folder_of_the_job_file);
	tcase_add_test(t, an_absolute_name_is_taken_as_it_is);
	tcase_add_test(t, values_of_the_command_line_replace_or_join_those_of_the_file);
	tcase_add_test(t, no_change_is_made_that_was_not_asked_for);
	tcase_add_loop_test(t, a_wrong_file_is_named_with_its_key, 0, sizeof wrong / sizeof *wrong);
	tcase_add_test(t, a_missing_job_file_is_wrong_input);
	tcase_add_test(t, a_budget_of_another_kind_is_not_guessed_at);
	suite_add_tcase(s, t);
	return s;
}
