/* jobfile.c -- a job as a person wrote it, on its way to the document that is posted.
 * SPDX-License-Identifier: MIT */
#include "client/jobfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/tar.h"
#include "base/tree.h"
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

/* ---- folders ---- */

/* A file without a name, which is gone with its last descriptor however this program ends. */
static int nameless_file(void)
{
	const char *folder = getenv("TMPDIR");
	return open(folder && *folder ? folder : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* The pictures of a folder as one archive: the same ones always give the same bytes. */
static enum err pack(struct jobfile_file *f, struct errinfo *e)
{
	struct tree tree;
	struct stat st;
	enum err err = tree_read(f->path, &tree, e);
	if (err)
		return err;
	f->packed = nameless_file();
	if (f->packed < 0)
		err = err_errno(e, "a temporary file for the archive of %s (TMPDIR says where)", f->path);
	if (!err)
		err = tar_write(&tree, f->path, f->packed, e);
	if (!err && fstat(f->packed, &st))
		err = err_errno(e, "%s", f->path);
	tree_fini(&tree);
	if (err)
		return err;
	f->size = st.st_size;
	return asprintf(&f->bytes, "/proc/self/fd/%d", f->packed) < 0 ? no_memory(e) : ERR_OK;
}

/* ---- files ---- */

/* Only regular files: a FIFO would be read to its end for the digest and be empty for the upload. */
static enum err check_file(struct jobfile_file *f, bool folder, struct errinfo *e)
{
	struct stat st;
	if (stat(f->path, &st))
		return err_set(e, ERR_INPUT, "%s: is \"%s\": %s", f->key, f->path, strerror(errno));
	if (folder && S_ISDIR(st.st_mode))
		return pack(f, e) ? err_wrap(e, "%s", f->key) : ERR_OK;
	const char *what = S_ISDIR(st.st_mode) ? "a directory"
		: S_ISREG(st.st_mode)	       ? "an empty file"
					       : "no regular file";
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return err_set(e, ERR_INPUT, "%s: is \"%s\", %s, expected a %s with something in it", f->key, f->path,
			what, folder ? "folder or a tar archive" : "file");
	f->size = st.st_size;
	f->bytes = strdup(f->path);
	return f->bytes ? ERR_OK : no_memory(e);
}

static enum err add_file(struct jobfile *j, const char *jobfile, const char *key, cJSON *node, struct errinfo *e)
{
	char brief[64];
	size_t len = strlen(key);
	bool folder = len > 7 && !strcmp(key + len - 7, ".folder");
	if (!cJSON_IsString(node) || !*node->valuestring)
		return err_set(e, ERR_INPUT, "%s: is %s, expected the name of a %s or \"sha256:DIGEST\"", key,
			json_brief(node, brief), folder ? "folder" : "file");
	if (!strncmp(node->valuestring, "sha256:", 7))
		return ERR_OK;
	struct jobfile_file *f = &j->files[j->file_count++];
	*f = (struct jobfile_file){ .node = node, .packed = -1, .path = beside(jobfile, node->valuestring) };
	snprintf(f->key, sizeof f->key, "%s", key);
	if (!f->path)
		return no_memory(e);
	enum err err = check_file(f, folder, e);
	if (!err && digest_file(f->bytes, f->digest, e))
		err = err_wrap(e, "%s", f->key);
	return err ? as_input(e) : ERR_OK;
}

/* Each of a list of files; whether it is one, and how long it may be, is for the daemon to say. */
static enum err add_list(struct jobfile *j, const char *jobfile, const char *key, cJSON *list, struct errinfo *e)
{
	char name[48];
	int i = 0;
	enum err err = ERR_OK;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > DATASPEC_FILES)
		return ERR_OK;
	for (cJSON *node = list->child; node && !err; node = node->next) {
		snprintf(name, sizeof name, "%.32s[%d]", key, i++);
		err = add_file(j, jobfile, name, node, e);
	}
	return err;
}

/* That something is missing, or doesn't belong to the format, is for the daemon to say. */
static enum err add_set(struct jobfile *j, const char *jobfile, const char *set, struct errinfo *e)
{
	static const char *const keys[] = { "images", "labels", "file", "folder" };
	char key[48];
	enum err err = ERR_OK;
	for (size_t i = 0; i < sizeof keys / sizeof *keys && !err; i++) {
		snprintf(key, sizeof key, "%s.%s", set, keys[i]);
		cJSON *node = (cJSON *)view_member(j->doc, key);
		if (node)
			err = add_file(j, jobfile, key, node, e);
	}
	snprintf(key, sizeof key, "%s.files", set);
	return err ? err : add_list(j, jobfile, key, (cJSON *)view_member(j->doc, key), e);
}

static enum err add_files(struct jobfile *j, const char *jobfile, struct errinfo *e)
{
	static const char *const sets[DATA_ROLES] = { "data.train", "data.test", "data.validation" };
	cJSON *model = (cJSON *)view_member(j->doc, "model");
	enum err err = model ? add_file(j, jobfile, "model", model, e) : ERR_OK;
	for (int i = 0; i < DATA_ROLES && !err; i++)
		err = add_set(j, jobfile, sets[i], e);
	return err;
}

enum err jobfile_open(const char *path, struct jobfile *ret, struct errinfo *e)
{
	struct jobfile j = { 0 };
	if (json_parse_file(path, &j.doc, e))
		return as_input(e);
	enum err err = cJSON_IsObject(j.doc) ? ERR_OK : err_set(e, ERR_INPUT, "%s: is no JSON object", path);
	if (!err && add_files(&j, path, e))
		err = err_wrap(e, "%s", path);
	if (err)
		jobfile_close(&j);
	else
		*ret = j;
	return err;
}

void jobfile_close(struct jobfile *j)
{
	for (int i = 0; i < j->file_count; i++) {
		free(j->files[i].path);
		free(j->files[i].bytes);
		if (j->files[i].packed >= 0)
			close(j->files[i].packed);
	}
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
