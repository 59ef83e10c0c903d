/* jobfile.c -- a job as a person wrote it, on its way to the document that is posted.
 * SPDX-License-Identifier: MIT */
#include "client/jobfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "client/view.h"

/* Whatever is wrong with a local file is the writer's to mend. */
static enum err as_input(struct errinfo *e)
{
	return e->code = e->code == ERR_MEMORY ? ERR_MEMORY : ERR_INPUT;
}

static enum err no_memory(struct errinfo *e)
{
	return err_set(e, ERR_MEMORY, "out of memory");
}

/* name, or the job file's folder before it. */
static char *beside(const char *jobfile, const char *name)
{
	const char *slash = strrchr(jobfile, '/');
	size_t folder = *name == '/' || !slash ? 0 : (size_t)(slash - jobfile) + 1;
	size_t len = strlen(name);
	char *path = malloc(folder + len + 1);
	if (!path)
		return NULL;
	memcpy(path, jobfile, folder);
	memcpy(path + folder, name, len + 1);
	return path;
}

/* Only regular files: a FIFO would be read to its end for the digest and be empty for the upload. */
static enum err check_file(struct jobfile_file *f, struct errinfo *e)
{
	struct stat st;
	if (stat(f->path, &st))
		return err_set(e, ERR_INPUT, "%s: is \"%s\": %s", f->key, f->path, strerror(errno));
	const char *what = S_ISDIR(st.st_mode) ? "a directory"
		: S_ISREG(st.st_mode)	       ? "an empty file"
					       : "no regular file";
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return err_set(
			e, ERR_INPUT, "%s: is \"%s\", %s, expected a file with something in it", f->key, f->path, what);
	f->size = st.st_size;
	if (digest_file(f->path, f->digest, e)) {
		err_wrap(e, "%s", f->key);
		return as_input(e);
	}
	return ERR_OK;
}

static enum err add_file(struct jobfile *j, const char *jobfile, const char *key, cJSON *node, struct errinfo *e)
{
	char brief[64];
	if (!cJSON_IsString(node) || !*node->valuestring)
		return err_set(e, ERR_INPUT, "%s: is %s, expected the name of a file or \"sha256:DIGEST\"", key,
			json_brief(node, brief));
	if (!strncmp(node->valuestring, "sha256:", 7))
		return ERR_OK;
	struct jobfile_file *f = &j->files[j->file_count++];
	f->key = key;
	f->node = node;
	f->path = beside(jobfile, node->valuestring);
	return f->path ? check_file(f, e) : no_memory(e);
}

enum err jobfile_open(const char *path, struct jobfile *ret, struct errinfo *e)
{
	static const char *const keys[JOBFILE_MAX_FILES] = {
		"model", "data.train.images", "data.train.labels", "data.test.images", "data.test.labels",
	};
	struct jobfile j = { 0 };
	if (json_parse_file(path, &j.doc, e))
		return as_input(e);
	enum err err = cJSON_IsObject(j.doc) ? ERR_OK : err_set(e, ERR_INPUT, "%s: is no JSON object", path);
	for (int i = 0; i < JOBFILE_MAX_FILES && !err; i++) {
		cJSON *node = (cJSON *)view_member(j.doc, keys[i]);
		if (node && add_file(&j, path, keys[i], node, e)) /* that one is missing is for the daemon to say */
			err = err_wrap(e, "%s", path);
	}
	if (err)
		jobfile_close(&j);
	else
		*ret = j;
	return err;
}

void jobfile_close(struct jobfile *j)
{
	for (int i = 0; i < j->file_count; i++)
		free(j->files[i].path);
	j->file_count = 0;
	cJSON_Delete(j->doc);
	j->doc = NULL;
}

/* Takes value over, also on failure. */
static enum err put(cJSON *object, const char *key, cJSON *value, struct errinfo *e)
{
	bool there = cJSON_GetObjectItemCaseSensitive(object, key) != NULL;
	if (value &&
		(there ? cJSON_ReplaceItemInObjectCaseSensitive(object, key, value)
		       : cJSON_AddItemToObject(object, key, value)))
		return ERR_OK;
	cJSON_Delete(value);
	return no_memory(e);
}

static enum err put_budget(cJSON *doc, int64_t trials, struct errinfo *e)
{
	char brief[64];
	cJSON *budget = cJSON_GetObjectItemCaseSensitive(doc, "budget");
	if (!budget && !(budget = cJSON_AddObjectToObject(doc, "budget")))
		return no_memory(e);
	if (!cJSON_IsObject(budget))
		return err_set(
			e, ERR_INPUT, "budget: is %s, expected an object {\"trials\": N}", json_brief(budget, brief));
	return put(budget, "trials", cJSON_CreateNumber((double)trials), e);
}

enum err jobfile_change(struct jobfile *j, const struct jobfile_changes *changes, struct errinfo *e)
{
	if (changes->name && put(j->doc, "name", cJSON_CreateString(changes->name), e))
		return e->code;
	if (changes->seed >= 0 && put(j->doc, "seed", cJSON_CreateNumber((double)changes->seed), e))
		return e->code;
	return changes->budget >= 0 ? put_budget(j->doc, changes->budget, e) : ERR_OK;
}

enum err jobfile_rewrite(struct jobfile *j, struct errinfo *e)
{
	for (int i = 0; i < j->file_count; i++) {
		char text[sizeof "sha256:" + DIGEST_HEX];
		snprintf(text, sizeof text, "sha256:%s", j->files[i].digest);
		if (!cJSON_SetValuestring(j->files[i].node, text))
			return no_memory(e);
	}
	return ERR_OK;
}
