/* client.c -- what the commands of pare share: the connection, where to print, how to end.
 * SPDX-License-Identifier: MIT */
#include "client/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/http.h"
#include "client/args.h"
#include "client/format.h"

enum { CALL_SECONDS = 60 };

enum err client_connect(const struct client *c, struct http **ret, struct errinfo *e)
{
	const char *url = c->args->url ? c->args->url : getenv("PARED_URL");
	return http_open(url && *url ? url : "unix:/run/pared/pared.sock", c->token, ret, e);
}

enum err client_get(struct client *c, const char *path, cJSON **ret, struct errinfo *e)
{
	cJSON *answer = NULL;
	enum err err = http_call(c->http, "GET", path, NULL, CALL_SECONDS, &answer, e);
	if (err)
		return err;
	if (!answer)
		return err_set(e, ERR_INTERNAL, "%s: the daemon's answer is empty", path);
	*ret = answer;
	return ERR_OK;
}

enum err client_print_json(struct client *c, const cJSON *json, struct errinfo *e)
{
	char *text = cJSON_Print(json);
	if (!text)
		return err_set(e, ERR_MEMORY, "out of memory");
	fprintf(c->out, "%s\n", text);
	cJSON_free(text);
	return ERR_OK;
}

enum err client_job(const struct client *c, int64_t *ret, struct errinfo *e)
{
	const char *word = c->args->operands[0];
	char *end;
	errno = 0;
	long long id = strtoll(word, &end, 10);
	if (end == word || *end || errno || id < 1)
		return err_set(
			e, ERR_INPUT, "JOB: is '%.100s', expected the number of a job; 'pare jobs' lists them", word);
	*ret = id;
	return ERR_OK;
}

void client_note(struct client *c, const char *fmt, ...)
{
	char text[1024], clean[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fprintf(c->err, "pare: %s\n", format_clean(text, clean, sizeof clean));
	fflush(c->err);
}
