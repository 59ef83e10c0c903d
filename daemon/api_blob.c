/* api_blob.c -- models and data, in and out.
 * SPDX-License-Identifier: MIT
 *
 * An upload is streamed into the store's writer as it arrives; nothing of it is kept in memory. */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/api.h"
#include "daemon/daemon.h"
#include "daemon/exchange.h"
#include "daemon/text.h"
#include "store/blob.h"
#include "store/trial.h"

static enum err check_digest(const struct exchange *r, struct errinfo *e)
{
	if (digest_valid(r->args.word))
		return ERR_OK;
	return err_set(e, ERR_INPUT, "digest: is \"%s\", expected 64 lower-case hexadecimal digits", r->args.word);
}

enum err api_blob_begin(struct exchange *r, struct errinfo *e)
{
	int64_t most = r->daemon->config.max_blob;
	const char *length = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Content-Length");
	enum err err = check_digest(r, e);
	if (err)
		return err;
	if (length && strtoull(length, NULL, 10) > (unsigned long long)most)
		return err_set(e, ERR_LIMIT, "Content-Length: is %.20s, expected at most max_blob_mb, %lld bytes",
			length, (long long)most);
	return blob_begin(r->daemon->store, r->args.word, most, &r->upload, e);
}

enum err api_blob_put(struct exchange *r, struct errinfo *e)
{
	struct blob_writer *w = r->upload;
	struct text t;
	bool is_new;
	r->upload = NULL;
	enum err err = blob_finish(w, clock_wall_ms(), &is_new, e);
	if (err)
		return err;
	text_init(&t);
	text_open(&t, '{');
	text_put_string(&t, "digest", r->args.word);
	text_close(&t, '}');
	return exchange_answer_json(r, is_new ? 201 : 200, &t, e);
}

static enum err answer_blob(struct exchange *r, const char *digest, struct errinfo *e)
{
	int fd;
	int64_t size;
	enum err err = blob_open(r->daemon->store, digest, &fd, &size, e);
	if (err)
		return err;
	struct MHD_Response *response = MHD_create_response_from_fd64((uint64_t)size, fd);
	if (!response) {
		close(fd);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	exchange_answer(r, 200, "application/octet-stream", response);
	return ERR_OK;
}

enum err api_blob_get(struct exchange *r, struct errinfo *e)
{
	enum err err = check_digest(r, e);
	return err ? err : answer_blob(r, r->args.word, e);
}

enum err api_trial_model(struct exchange *r, struct errinfo *e)
{
	struct trial_row row;
	enum err err = trial_load(r->daemon->store, r->args.id, r->args.number, &row, e);
	if (err)
		return err;
	if (row.model)
		err = answer_blob(r, row.model, e);
	else
		err = err_set(e, ERR_NOT_FOUND, "trial %lld.%lld: is %s, it has no model", (long long)row.job,
			(long long)row.number, trial_state_name(row.state));
	trial_row_fini(&row);
	return err;
}
