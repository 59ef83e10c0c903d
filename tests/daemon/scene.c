/* scene.c -- what the daemon's tests stand on.
 * SPDX-License-Identifier: MIT */
#include "tests/daemon/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

struct errinfo e;

static const char blob_text[] = "stands for a model and for data";

const char *scene_program(const char *name)
{
	static char path[512];
	const char *out = getenv("OUT");
	snprintf(path, sizeof path, "%s/%s", out ? out : "build/release", name);
	return path;
}

static void write_text(const struct scene *s, const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", s->directory, name);
	ck_ok(file_write(path, text, strlen(text), &e));
}

void scene_set(struct scene *s)
{
	char config[2048];
	snprintf(s->directory, sizeof s->directory, "/tmp/pared-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(s->directory));
	snprintf(s->socket, sizeof s->socket, "%s/s", s->directory);
	snprintf(s->url, sizeof s->url, "unix:%s", s->socket);
	snprintf(config, sizeof config,
		"{\"state\": \"%s/state\", \"socket\": \"%s\", \"cache\": \"%s/cache\", %s \"workers\": %s}",
		s->directory, s->socket, s->directory, s->extra ? s->extra : "", s->workers ? s->workers : "0");
	write_text(s, "pared.json", config);
	if (s->token)
		write_text(s, "token", s->token);
}

/* The daemon must not outlive a test that fails. */
static pid_t spawn(const char *program, char *const *args, const char *errors, long largest_file)
{
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int fd = open(errors, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDERR_FILENO);
	dup2(fd, STDOUT_FILENO);
	if (largest_file) {
		struct rlimit limit = { .rlim_cur = (rlim_t)largest_file, .rlim_max = (rlim_t)largest_file };
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
	}
	execv(program, args);
	_exit(127);
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

void scene_start(struct scene *s)
{
	char config[128], errors[128];
	snprintf(config, sizeof config, "%s/pared.json", s->directory);
	snprintf(errors, sizeof errors, "%s/log", s->directory);
	const char *program = scene_program("pared");
	char *const args[] = { (char *)program, "-c", config, NULL };
	s->pid = spawn(program, args, errors, s->largest_file);
	ck_ok(http_open(s->url, NULL, &s->http, &e));
	for (int i = 0; http_call(s->http, "GET", "/healthz", NULL, 5, NULL, &e); i++) {
		ck_assert_msg(i < 2000 && waitpid(s->pid, NULL, WNOHANG) == 0, "pared does not start: %s",
			scene_log(s));
		nap();
	}
}

void scene_open(struct scene *s)
{
	char path[96];
	scene_set(s);
	scene_start(s);
	ck_ok(digest_bytes(blob_text, strlen(blob_text), s->blob, &e));
	snprintf(path, sizeof path, "/v1/blobs/%s", s->blob);
	ck_ok(http_put_bytes(s->http, path, blob_text, strlen(blob_text), &e));
}

static int reap(struct scene *s)
{
	int status;
	ck_assert_int_eq(waitpid(s->pid, &status, 0), s->pid);
	http_close(s->http);
	s->http = NULL;
	s->pid = 0;
	return status;
}

void scene_kill(struct scene *s)
{
	kill(s->pid, SIGKILL);
	ck_assert(WIFSIGNALED(reap(s)));
}

int scene_stop(struct scene *s)
{
	kill(s->pid, SIGTERM);
	int status = reap(s);
	ck_assert_msg(WIFEXITED(status), "pared died by signal %d: %s", WTERMSIG(status), scene_log(s));
	return WEXITSTATUS(status);
}

void scene_strike(struct scene *s)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf '%s'", s->directory);
	ck_assert_int_eq(system(command), 0);
}

void scene_close(struct scene *s)
{
	int status = scene_stop(s);
	ck_assert_msg(status == 0, "pared ended with %d: %s", status, scene_log(s));
	scene_strike(s);
}

int scene_run(char *const *args, char *ret, size_t size)
{
	char errors[] = "/tmp/pared-test.XXXXXX";
	char *text;
	size_t len;
	int status;
	int fd = mkstemp(errors);
	ck_assert_int_ge(fd, 0);
	close(fd);
	pid_t pid = spawn(args[0], args, errors, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_ok(file_read(errors, 1 << 20, &text, &len, &e));
	snprintf(ret, size, "%s", text);
	free(text);
	unlink(errors);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

const char *scene_log(const struct scene *s)
{
	static char *text;
	char path[128];
	size_t len;
	free(text);
	text = NULL;
	snprintf(path, sizeof path, "%s/log", s->directory);
	return file_read(path, 16 << 20, &text, &len, &e) ? "" : text;
}

/* ---- calls ---------------------------------------------------------------------------------------------------- */

static enum err call(struct scene *s, const char *method, const char *path, const char *body, cJSON **ret)
{
	cJSON *doc = body ? cJSON_Parse(body) : NULL;
	ck_assert_msg(!body || doc, "not JSON: %s", body);
	enum err err = http_call(s->http, method, path, doc, 30, ret, &e);
	cJSON_Delete(doc);
	return err;
}

cJSON *scene_get(struct scene *s, const char *path)
{
	cJSON *ret = NULL;
	enum err err = call(s, "GET", path, NULL, &ret);
	ck_assert_msg(!err, "GET %s: %s", path, e.msg);
	return ret;
}

cJSON *scene_post(struct scene *s, const char *path, const char *body)
{
	cJSON *ret = NULL;
	enum err err = call(s, "POST", path, body, &ret);
	ck_assert_msg(!err, "POST %s %s: %s", path, body, e.msg);
	return ret;
}

void scene_refused(struct scene *s, enum err code, const char *part, const char *path, const char *body)
{
	cJSON *ret = NULL;
	enum err err = call(s, body ? "POST" : "GET", path, body, &ret);
	ck_assert_msg(err == code, "%s %s: %s (%s), expected %s", path, body, err_name(err), err ? e.msg : "",
		err_name(code));
	ck_assert_msg(strstr(e.msg, part), "%s %s: \"%s\" does not say \"%s\"", path, body, e.msg, part);
}

char *scene_job(const struct scene *s, const char *more)
{
	char *ret;
	ck_assert_int_ge(asprintf(&ret,
		"{%s \"name\": \"made up\", \"model\": \"sha256:%s\", \"data\": {\"format\": \"idx\", "
		"\"train\": {\"images\": \"sha256:%s\", \"labels\": \"sha256:%s\"}, "
		"\"test\": {\"images\": \"sha256:%s\", \"labels\": \"sha256:%s\"}}}",
		more, s->blob, s->blob, s->blob, s->blob, s->blob), 0);
	return ret;
}

int scene_submit(struct scene *s, const char *more)
{
	char *text = scene_job(s, more);
	cJSON *job = scene_post(s, "/v1/jobs", text);
	int id = (int)scene_number(job, "id");
	cJSON_Delete(job);
	free(text);
	return id;
}

static const cJSON *member(const cJSON *doc, const char *path)
{
	char key[64];
	while (doc && *path) {
		size_t n = strcspn(path, ".");
		snprintf(key, sizeof key, "%.*s", (int)n, path);
		doc = cJSON_IsArray(doc) ? cJSON_GetArrayItem(doc, atoi(key)) : cJSON_GetObjectItemCaseSensitive(doc,
			key);
		path += n + (path[n] == '.');
	}
	return doc;
}

const char *scene_text(const cJSON *doc, const char *path)
{
	static char *ring[8];
	static int at;
	const cJSON *item = member(doc, path);
	at = (at + 1) % 8;
	cJSON_free(ring[at]);
	ring[at] = !item ? strdup("") : cJSON_IsString(item) ? strdup(item->valuestring) : cJSON_PrintUnformatted(item);
	return ring[at];
}

double scene_number(const cJSON *doc, const char *path)
{
	const cJSON *item = member(doc, path);
	ck_assert_msg(cJSON_IsNumber(item), "%s is not a number", path);
	return item->valuedouble;
}

const char *scene_state(struct scene *s, int job)
{
	char path[64];
	snprintf(path, sizeof path, "/v1/jobs/%d", job);
	cJSON *doc = scene_get(s, path);
	const char *state = scene_text(doc, "state");
	cJSON_Delete(doc);
	return state;
}

/* ---- sockets by hand ------------------------------------------------------------------------------------------ */

int scene_send(const struct scene *s, const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_ge(fd, 0);
	memcpy(address.sun_path, s->socket, strlen(s->socket) + 1);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	return fd;
}

int scene_send_json(const struct scene *s, const char *method, const char *path, const char *body)
{
	char *text;
	ck_assert_int_ge(asprintf(&text, "%s %s HTTP/1.1\r\nHost: pared\r\nContent-Length: %zu\r\n\r\n%s", method, path,
		strlen(body), body), 0);
	int fd = scene_send(s, text);
	free(text);
	return fd;
}

const char *scene_read(int fd, const char *want)
{
	static char buf[4 << 20];
	size_t len = 0;
	buf[0] = '\0';
	while (len < sizeof buf - 1 && !(want && strstr(buf, want))) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, 10000) <= 0)
			break;
		ssize_t n = recv(fd, buf + len, sizeof buf - 1 - len, 0);
		if (n <= 0)
			break;
		len += (size_t)n;
		buf[len] = '\0';
	}
	return buf;
}
