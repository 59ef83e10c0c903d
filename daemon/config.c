/* config.c -- what the daemon is told by its file.
 * SPDX-License-Identifier: MIT
 *
 * The raw struct borrows strings from the document; the finished config owns copies, so that the document may go. */
#include "daemon/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

enum { LARGEST_TOKEN = 256, SHORTEST_TOKEN = 16, MOST_WORKERS = 64 };

struct raw {
	const char *state, *socket, *socket_mode, *cache, *log_level;
	const cJSON *tcp, *workers, *worker_program;
	int64_t max_blob_mb, lease_seconds;
};

static const struct json_field raw_fields[] = {
	JSON_FIELD(struct raw, state, JSON_STRING, false, 0, 0),
	JSON_FIELD(struct raw, socket, JSON_STRING, false, 0, 0),
	JSON_FIELD(struct raw, socket_mode, JSON_STRING, false, 0, 0),
	JSON_FIELD(struct raw, tcp, JSON_ANY, false, 0, 0),
	JSON_FIELD(struct raw, workers, JSON_ANY, false, 0, 0),
	JSON_FIELD(struct raw, worker_program, JSON_ANY, false, 0, 0),
	JSON_FIELD(struct raw, cache, JSON_STRING, false, 0, 0),
	JSON_FIELD(struct raw, max_blob_mb, JSON_INT, false, 1, 1024 * 1024),
	JSON_FIELD(struct raw, log_level, JSON_STRING, false, 0, 0),
	JSON_FIELD(struct raw, lease_seconds, JSON_INT, false, 2, 3600),
};

struct raw_tcp {
	const char *host, *token_file;
	int64_t port;
};

static const struct json_field tcp_fields[] = {
	JSON_FIELD(struct raw_tcp, host, JSON_STRING, true, 0, 0),
	JSON_FIELD(struct raw_tcp, port, JSON_INT, true, 0, 65535),
	JSON_FIELD(struct raw_tcp, token_file, JSON_STRING, true, 0, 0),
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static enum err copy(const char *s, char **ret, struct errinfo *e)
{
	*ret = strdup(s);
	return *ret ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
}

static enum err copy_path(const char *key, const char *path, char **ret, struct errinfo *e)
{
	if (path[0] != '/')
		return err_set(e, ERR_INPUT, "%s: is \"%.200s\", expected a path that starts with /", key, path);
	if (strlen(path) >= PATH_MAX)
		return err_set(e, ERR_INPUT, "%s: is longer than %d bytes", key, PATH_MAX - 1);
	return copy(path, ret, e);
}

static enum err read_socket(const struct raw *raw, struct config *c, struct errinfo *e)
{
	size_t room = sizeof((struct sockaddr_un *)0)->sun_path;
	char *end;
	unsigned long mode = strtoul(raw->socket_mode, &end, 8);
	if (*end || end == raw->socket_mode || *raw->socket_mode == '-' || mode > 0777)
		return err_set(e, ERR_INPUT, "socket_mode: is \"%.40s\", expected octal permissions like \"0660\"",
			raw->socket_mode);
	if (strlen(raw->socket) >= room)
		return err_set(e, ERR_INPUT, "socket: is \"%.200s\", expected a path of at most %zu bytes", raw->socket,
			room - 1);
	c->socket_mode = (unsigned)mode;
	return copy_path("socket", raw->socket, &c->socket, e);
}

/* The token is the file's first line; the file must hold nothing else. */
static enum err read_token(const char *path, char **ret, struct errinfo *e)
{
	char *text;
	size_t len;
	enum err err = file_read(path, LARGEST_TOKEN + 1, &text, &len, e);
	if (err)
		return err_wrap(e, "tcp.token_file");
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		text[--len] = '\0';
	size_t printable = 0;
	while (text[printable] > ' ' && text[printable] < 0x7f)
		printable++;
	if (printable != len || len < SHORTEST_TOKEN || len > LARGEST_TOKEN) {
		free(text);
		return err_set(e, ERR_INPUT,
			"tcp.token_file: %.200s holds %zu bytes, expected one line of %d to %d printable "
			"characters without blanks", path, len, SHORTEST_TOKEN, LARGEST_TOKEN);
	}
	*ret = text;
	return ERR_OK;
}

static enum err read_tcp(const cJSON *tcp, struct config *c, struct errinfo *e)
{
	struct raw_tcp raw = { 0 };
	unsigned char address[sizeof(struct in6_addr)];
	if (!tcp || cJSON_IsNull(tcp))
		return ERR_OK;
	enum err err = json_read(tcp, "tcp", tcp_fields, COUNT(tcp_fields), &raw, e);
	if (err)
		return err;
	if (inet_pton(AF_INET, raw.host, address) != 1 && inet_pton(AF_INET6, raw.host, address) != 1)
		return err_set(e, ERR_INPUT, "tcp.host: is \"%.100s\", expected a numeric address like \"127.0.0.1\"",
			raw.host);
	err = read_token(raw.token_file, &c->tcp_token, e);
	if (err)
		return err;
	c->tcp_port = (int)raw.port;
	return copy(raw.host, &c->tcp_host, e);
}

static int core_count(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > MOST_WORKERS ? MOST_WORKERS : (int)n;
}

static enum err read_workers(const cJSON *workers, int *ret, struct errinfo *e)
{
	char brief[64];
	const char *word = cJSON_GetStringValue(workers);
	if (!workers || cJSON_IsNull(workers) || (word && !strcmp(word, "auto"))) {
		*ret = core_count();
		return ERR_OK;
	}
	double n = cJSON_IsNumber(workers) ? workers->valuedouble : -1;
	if (!(n >= 0 && n <= MOST_WORKERS && n == (int)n))
		return err_set(e, ERR_INPUT, "workers: is %s, expected an integer from 0 to %d, \"auto\" or null",
			json_brief(workers, brief), MOST_WORKERS);
	*ret = (int)n;
	return ERR_OK;
}

/* pare-worker beside the running program, unless the file names another. */
static enum err read_program(const cJSON *program, struct config *c, struct errinfo *e)
{
	char self[PATH_MAX], brief[64];
	if (cJSON_IsString(program))
		return copy_path("worker_program", program->valuestring, &c->worker_program, e);
	if (program && !cJSON_IsNull(program))
		return err_set(e, ERR_INPUT, "worker_program: is %s, expected a path or null", json_brief(program,
			brief));
	ssize_t n = readlink("/proc/self/exe", self, sizeof self);
	if (n <= 0 || (size_t)n >= sizeof self)
		return err_errno(e, "/proc/self/exe");
	while (n && self[n - 1] != '/')
		n--;
	if (asprintf(&c->worker_program, "%.*spare-worker", (int)n, self) < 0) {
		c->worker_program = NULL;
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	return ERR_OK;
}

static enum err read_level(const char *word, enum log_level *ret, struct errinfo *e)
{
	static const char *const words[] = { "error", "warning", "info", "debug" };
	for (size_t i = 0; i < COUNT(words); i++) {
		if (strcmp(word, words[i]))
			continue;
		*ret = (enum log_level)i;
		return ERR_OK;
	}
	return err_set(e, ERR_INPUT, "log_level: is \"%.40s\", expected error, warning, info or debug", word);
}

static enum err read_all(const struct raw *raw, struct config *c, struct errinfo *e)
{
	enum err err = copy_path("state", raw->state, &c->state, e);
	if (!err)
		err = copy_path("cache", raw->cache, &c->cache, e);
	if (!err)
		err = read_socket(raw, c, e);
	if (!err)
		err = read_tcp(raw->tcp, c, e);
	if (!err)
		err = read_workers(raw->workers, &c->workers, e);
	if (!err)
		err = read_program(raw->worker_program, c, e);
	if (!err)
		err = read_level(raw->log_level, &c->log_level, e);
	c->max_blob = raw->max_blob_mb * 1024 * 1024;
	c->lease_seconds = (int)raw->lease_seconds;
	return err;
}

enum err config_read(const cJSON *doc, struct config *ret, struct errinfo *e)
{
	struct raw raw = { .state = "/var/lib/pared", .socket = "/run/pared/pared.sock", .socket_mode = "0660",
		.cache = "/var/cache/pared", .log_level = "info", .max_blob_mb = 2048, .lease_seconds = 20 };
	struct config c = { 0 };
	enum err err = json_read(doc, "", raw_fields, COUNT(raw_fields), &raw, e);
	if (!err)
		err = read_all(&raw, &c, e);
	if (err) {
		config_fini(&c);
		return err;
	}
	*ret = c;
	return ERR_OK;
}

enum err config_load(const char *path, struct config *ret, struct errinfo *e)
{
	cJSON *doc;
	enum err err = json_parse_file(path, &doc, e);
	if (err)
		return err;
	err = config_read(doc, ret, e);
	cJSON_Delete(doc);
	return err ? err_wrap(e, "%s", path) : ERR_OK;
}

/* ---- against the machine ---------------------------------------------------------------------------------------- */

/* A folder that is there must be writable; of one that isn't, the nearest folder above it. */
static enum err check_folder(const char *key, const char *path, struct errinfo *e)
{
	char at[PATH_MAX];
	struct stat st;
	snprintf(at, sizeof at, "%s", path);
	while (stat(at, &st) && errno == ENOENT && strcmp(at, "/")) {
		char *slash = strrchr(at, '/');
		slash[slash == at] = '\0';
	}
	if (!stat(at, &st) && !S_ISDIR(st.st_mode))
		errno = ENOTDIR;
	else if (access(at, W_OK | X_OK) == 0)
		return ERR_OK;
	const char *what = strcmp(at, path) ? "can't be made" : "can't be written";
	return err_set(e, ERR_INPUT, "%s: %s: %s: %s", key, path, what, strerror(errno));
}

static enum err check_program(const char *path, struct errinfo *e)
{
	struct stat st;
	if (stat(path, &st) || !S_ISREG(st.st_mode) || access(path, X_OK))
		return err_set(e, ERR_INPUT, "worker_program: %s: not an executable file", path);
	return ERR_OK;
}

enum err config_check(const struct config *c, struct errinfo *e)
{
	enum err err = check_folder("state", c->state, e);
	if (!err && c->workers)
		err = check_folder("cache", c->cache, e);
	if (!err && c->workers)
		err = check_program(c->worker_program, e);
	return err;
}

void config_fini(struct config *c)
{
	free(c->state);
	free(c->socket);
	free(c->tcp_host);
	free(c->tcp_token);
	free(c->worker_program);
	free(c->cache);
	*c = (struct config){ 0 };
}
