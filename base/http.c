/* http.c -- the client's side of the protocol, on libcurl.
 * SPDX-License-Identifier: MIT */
#include "base/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

enum { LARGEST_ANSWER = 256 * 1024 * 1024, LONGEST_TOKEN = 480, CONNECT_TIMEOUT_S = 10, CALL_TIMEOUT_S = 120 };

struct http {
	CURL *curl;
	char *base;   /* "http://host:port", no slash at the end */
	char *socket; /* path of the Unix socket, or NULL */
	struct curl_slist *auth;
	const atomic_bool *stop; /* or NULL */
	bool unreached;
	char error[CURL_ERROR_SIZE];
};

struct buffer {
	char *data;
	size_t len, capacity;
	bool too_large;
};

static size_t buffer_take(char *p, size_t size, size_t n, void *arg)
{
	struct buffer *b = arg;
	size_t len = size * n;
	if (len > LARGEST_ANSWER - b->len) {
		b->too_large = true;
		return 0;
	}
	if (b->len + len + 1 > b->capacity) {
		size_t capacity = 2 * (b->len + len + 1);
		char *grown = realloc(b->data, capacity);
		if (!grown)
			return 0;
		b->data = grown;
		b->capacity = capacity;
	}
	memcpy(b->data + b->len, p, len);
	b->len += len;
	b->data[b->len] = '\0';
	return len;
}

enum err http_open(const char *url, const char *token, struct http **ret, struct errinfo *e)
{
	static bool initialised;
	bool local = !strncmp(url, "unix:", 5) && url[5];
	if (!local && strncmp(url, "http://", 7))
		return err_set(e, ERR_INPUT, "'%.200s': not an address, expected unix:PATH or http://HOST:PORT", url);
	if (token && (strlen(token) > LONGEST_TOKEN || strpbrk(token, "\r\n")))
		return err_set(e, ERR_INPUT, "token: expected one line of at most %d characters", LONGEST_TOKEN);
	if (!initialised && curl_global_init(CURL_GLOBAL_DEFAULT))
		return err_set(e, ERR_INTERNAL, "libcurl does not start");
	initialised = true;
	struct http *h = calloc(1, sizeof *h);
	if (!h)
		return err_set(e, ERR_MEMORY, "out of memory");
	h->curl = curl_easy_init();
	h->base = strdup(local ? "http://pared" : url);
	if (local)
		h->socket = strdup(url + 5);
	if (token) {
		char header[LONGEST_TOKEN + 32];
		snprintf(header, sizeof header, "Authorization: Bearer %s", token);
		h->auth = curl_slist_append(NULL, header);
	}
	if (!h->curl || !h->base || (local && !h->socket) || (token && !h->auth)) {
		http_close(h);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	size_t len = strlen(h->base);
	while (len && h->base[len - 1] == '/')
		h->base[--len] = '\0';
	*ret = h;
	return ERR_OK;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	curl_slist_free_all(h->auth);
	curl_easy_cleanup(h->curl);
	free(h->socket);
	free(h->base);
	free(h);
}

bool http_unreached(const struct http *h)
{
	return h->unreached;
}

void http_set_stop(struct http *h, const atomic_bool *stop)
{
	h->stop = stop;
}

/* curl calls this about once a second, and at once when a signal interrupts its wait. */
static int stop_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct http *h = arg;
	(void)a, (void)b, (void)c, (void)d;
	return atomic_load(h->stop);
}

/* curl keeps the connection over a reset of the options. */
static enum err prepare(struct http *h, const char *path, struct errinfo *e)
{
	char url[2048];
	int n = snprintf(url, sizeof url, "%s%s", h->base, path);
	if (n < 0 || (size_t)n >= sizeof url)
		return err_set(e, ERR_INPUT, "%.200s...: the path is too long", path);
	curl_easy_reset(h->curl);
	h->error[0] = '\0';
	h->unreached = false;
	curl_easy_setopt(h->curl, CURLOPT_URL, url);
	curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, h->error);
	curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h->curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(h->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	if (h->socket)
		curl_easy_setopt(h->curl, CURLOPT_UNIX_SOCKET_PATH, h->socket);
	if (h->auth)
		curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->auth);
	if (h->stop) {
		curl_easy_setopt(h->curl, CURLOPT_XFERINFOFUNCTION, stop_progress);
		curl_easy_setopt(h->curl, CURLOPT_XFERINFODATA, h);
		curl_easy_setopt(h->curl, CURLOPT_NOPROGRESS, 0L);
	}
	return ERR_OK;
}

static enum err code_of_status(long status)
{
	switch (status) {
	case 400: case 422: return ERR_INPUT;
	case 401: case 403: return ERR_DENIED;
	case 404: return ERR_NOT_FOUND;
	case 409: return ERR_CONFLICT;
	case 410: return ERR_GONE;
	case 413: return ERR_LIMIT;
	case 507: return ERR_IO;
	case 503: return ERR_UNAVAILABLE;
	default: return ERR_INTERNAL;
	}
}

static enum err refusal(long status, const struct buffer *body, struct errinfo *e)
{
	cJSON *problem = body && body->data ? cJSON_Parse(body->data) : NULL;
	const char *detail = cJSON_GetStringValue(cJSON_GetObjectItem(problem, "detail"));
	enum err err = detail ? err_set(e, code_of_status(status), "%s", detail)
			      : err_set(e, code_of_status(status), "the daemon answered with status %ld", status);
	cJSON_Delete(problem);
	return err;
}

/* Why nobody answers at a Unix socket. curl keeps that to itself and names a port that isn't there, so it is tried once
 * more. */
static const char *socket_trouble(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof address.sun_path)
		return "the path of a socket must be shorter";
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int code = fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) ? errno : 0;
	if (fd >= 0)
		close(fd);
	switch (code) {
	case 0: case EAGAIN: return "the daemon takes no connection";
	case ENOENT: return "no such file";
	case EACCES: return "permission denied";
	case ECONNREFUSED: return "connection refused: no daemon listens there";
	default: return strerror(code);
	}
}

static enum err failure(struct http *h, CURLcode code, const struct buffer *body, struct errinfo *e)
{
	const char *where = h->socket ? h->socket : h->base;
	const char *why = *h->error ? h->error : curl_easy_strerror(code);
	if (body && body->too_large)
		return err_set(e, ERR_LIMIT, "%s: the answer is larger than %d bytes", where, LARGEST_ANSWER);
	if (code == CURLE_OUT_OF_MEMORY)
		return err_set(e, ERR_MEMORY, "out of memory");
	h->unreached = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;
	if (h->unreached && h->socket)
		why = socket_trouble(h->socket);
	return err_set(e, ERR_UNAVAILABLE, "%s: %s", where, why);
}

/* Performs what is prepared; body (may be NULL) holds the answer. */
static enum err perform(struct http *h, const struct buffer *body, struct errinfo *e)
{
	CURLcode code = curl_easy_perform(h->curl);
	if (code)
		return failure(h, code, body, e);
	long status = 0;
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status < 300 ? ERR_OK : refusal(status, body, e);
}

static void collect_into(struct http *h, struct buffer *body)
{
	curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, buffer_take);
	curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, body);
}

enum err http_call(struct http *h, const char *method, const char *path, const cJSON *body, long timeout_s, cJSON **ret,
	struct errinfo *e)
{
	struct buffer answer = { 0 };
	struct curl_slist *headers = NULL;
	char *text = NULL;
	cJSON *doc = NULL;
	enum err err = prepare(h, path, e);
	if (err)
		return err;
	curl_easy_setopt(h->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(h->curl, CURLOPT_TIMEOUT, timeout_s);
	collect_into(h, &answer);
	if (body) {
		text = cJSON_PrintUnformatted(body);
		headers = curl_slist_append(NULL, "Content-Type: application/json");
		bool whole = text && headers && (!h->auth || curl_slist_append(headers, h->auth->data));
		if (!whole) {
			err = err_set(e, ERR_MEMORY, "out of memory");
			goto out;
		}
		curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, text);
	}
	err = perform(h, &answer, e);
	if (!err && answer.len && json_parse("the daemon's answer", answer.data, answer.len, &doc, e))
		err = err_set(e, ERR_INTERNAL, "the daemon's answer is not JSON");
	if (!err && ret)
		*ret = doc;
	else
		cJSON_Delete(doc);
out:
	curl_slist_free_all(headers);
	cJSON_free(text);
	free(answer.data);
	return err;
}

enum err http_exists(struct http *h, const char *path, bool *ret, struct errinfo *e)
{
	enum err err = prepare(h, path, e);
	if (err)
		return err;
	curl_easy_setopt(h->curl, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(h->curl, CURLOPT_TIMEOUT, (long)CALL_TIMEOUT_S);
	CURLcode code = curl_easy_perform(h->curl);
	if (code)
		return failure(h, code, NULL, e);
	long status = 0;
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	*ret = status == 200;
	return ERR_OK;
}

static enum err put(struct http *h, FILE *f, curl_off_t len, struct errinfo *e)
{
	struct buffer answer = { 0 };
	curl_easy_setopt(h->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(h->curl, CURLOPT_READDATA, f);
	curl_easy_setopt(h->curl, CURLOPT_INFILESIZE_LARGE, len);
	collect_into(h, &answer);
	enum err err = perform(h, &answer, e);
	free(answer.data);
	return err;
}

enum err http_put_file(struct http *h, const char *path, const char *file, struct errinfo *e)
{
	struct stat st;
	FILE *f = fopen(file, "rb");
	if (!f)
		return err_errno(e, "%s", file);
	enum err err = fstat(fileno(f), &st) ? err_errno(e, "%s", file) : prepare(h, path, e);
	if (!err && !S_ISREG(st.st_mode))
		err = err_set(e, ERR_INPUT, "%s: is not a regular file", file);
	if (!err)
		err = put(h, f, st.st_size, e);
	fclose(f);
	return err;
}

enum err http_put_bytes(struct http *h, const char *path, const void *data, size_t len, struct errinfo *e)
{
	FILE *f = fmemopen((void *)data, len ? len : 1, "rb");
	if (!f)
		return err_errno(e, "upload");
	enum err err = prepare(h, path, e);
	if (!err)
		err = put(h, f, (curl_off_t)len, e);
	fclose(f);
	return err;
}

enum err http_get_text(struct http *h, const char *path, char **ret, struct errinfo *e)
{
	struct buffer answer = { 0 };
	enum err err = prepare(h, path, e);
	if (err)
		return err;
	collect_into(h, &answer);
	err = perform(h, &answer, e);
	if (!err && !answer.data && !buffer_take("", 1, 0, &answer) && !answer.data)
		err = err_set(e, ERR_MEMORY, "out of memory");
	if (err)
		free(answer.data);
	else
		*ret = answer.data;
	return err;
}

/* A refusal's body must not end up in the file: it is told apart by the status, known when data comes. */
struct download {
	CURL *curl;
	FILE *file;
	int failed; /* errno of the write that failed */
	struct buffer refusal;
};

static size_t download_take(char *p, size_t size, size_t n, void *arg)
{
	struct download *d = arg;
	long status = 0;
	curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return buffer_take(p, size, n, &d->refusal);
	size_t wrote = size * fwrite(p, size, n, d->file);
	if (wrote < size * n)
		d->failed = errno;
	return wrote;
}

/* Ends the download into its temporary file: bytes and permissions on disk, or the error. */
static enum err download_settle(struct download *d, const char *file, struct errinfo *e)
{
	mode_t mask = umask(0);
	umask(mask);
	if (d->failed)
		errno = d->failed;
	else if (!fflush(d->file) && !fchmod(fileno(d->file), 0666 & ~mask) && !fsync(fileno(d->file)))
		return ERR_OK;
	return err_errno(e, "%s", file);
}

enum err http_get_file(struct http *h, const char *path, const char *file, struct errinfo *e)
{
	char target[PATH_MAX], temporary[PATH_MAX];
	enum err err = file_target(file, target, e);
	if (!err && (size_t)snprintf(temporary, sizeof temporary, "%s.XXXXXX", target) >= sizeof temporary)
		err = err_set(e, ERR_INPUT, "%.200s...: the path is too long", file);
	if (!err)
		err = prepare(h, path, e);
	if (err)
		return err;
	int fd = mkstemp(temporary);
	if (fd < 0)
		return err_errno(e, "%s", file);
	struct download d = { .curl = h->curl, .file = fdopen(fd, "wb") };
	if (!d.file) {
		err = err_errno(e, "%s", file);
		close(fd);
		unlink(temporary);
		return err;
	}
	curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, download_take);
	curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, &d);
	err = perform(h, &d.refusal, e);
	if (!err || d.failed)
		err = download_settle(&d, file, e);
	fclose(d.file);
	if (!err && rename(temporary, target))
		err = err_errno(e, "%s", file);
	if (err)
		unlink(temporary);
	free(d.refusal.data);
	return err;
}

/* Server-sent events: lines "event: NAME" and "data: TEXT", an empty line ends one. Several data lines are one text. */
struct stream {
	CURL *curl;
	struct buffer line, data, refusal;
	char event[64];
	http_event_cb *on_event;
	bool (*tick)(void *arg);
	void *arg;
	const atomic_bool *stop;
	bool stopped;
};

static bool stream_line(struct stream *s, const char *line)
{
	if (!strncmp(line, "event:", 6)) {
		line += 6 + (line[6] == ' ');
		snprintf(s->event, sizeof s->event, "%s", line);
	} else if (!strncmp(line, "data:", 5)) {
		line += 5 + (line[5] == ' ');
		size_t len = strlen(line);
		return buffer_take((char *)line, 1, len, &s->data) == len && buffer_take("\n", 1, 1, &s->data) == 1;
	} else if (!*line) {
		if (s->data.len) {
			s->data.data[s->data.len - 1] = '\0';
			s->stopped = !s->on_event(*s->event ? s->event : "message", s->data.data, s->arg);
		}
		s->data.len = 0;
		s->event[0] = '\0';
	}
	return !s->stopped;
}

static size_t stream_take(char *p, size_t size, size_t n, void *arg)
{
	struct stream *s = arg;
	long status = 0;
	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return buffer_take(p, size, n, &s->refusal);
	for (size_t i = 0; i < size * n; i++) {
		if (p[i] == '\r')
			continue;
		if (p[i] != '\n') {
			if (buffer_take(p + i, 1, 1, &s->line) != 1)
				return 0;
			continue;
		}
		if (!stream_line(s, s->line.data ? s->line.data : ""))
			return 0;
		s->line.len = 0;
		if (s->line.data)
			s->line.data[0] = '\0';
	}
	return size * n;
}

static int stream_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct stream *s = arg;
	(void)a, (void)b, (void)c, (void)d;
	if (s->tick && !s->tick(s->arg))
		s->stopped = true;
	return s->stopped || (s->stop && atomic_load(s->stop));
}

enum err http_events(struct http *h, const char *path, http_event_cb *on_event, bool (*tick)(void *arg), void *arg,
	struct errinfo *e)
{
	struct stream s = { .curl = h->curl, .on_event = on_event, .tick = tick, .arg = arg, .stop = h->stop };
	enum err err = prepare(h, path, e);
	if (err)
		return err;
	curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, stream_take);
	curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, &s);
	curl_easy_setopt(h->curl, CURLOPT_XFERINFOFUNCTION, stream_progress);
	curl_easy_setopt(h->curl, CURLOPT_XFERINFODATA, &s);
	curl_easy_setopt(h->curl, CURLOPT_NOPROGRESS, 0L);
	/* A peer that vanished without a word: the daemon sends something every 15 s. */
	curl_easy_setopt(h->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(h->curl, CURLOPT_LOW_SPEED_TIME, 60L);
	err = perform(h, &s.refusal, e);
	if (s.stopped)
		err = ERR_OK;
	free(s.line.data);
	free(s.data.data);
	free(s.refusal.data);
	return err;
}
