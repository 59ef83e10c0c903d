/* play.c -- simulated workers.
 * SPDX-License-Identifier: MIT */
#include "tests/daemon/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search/cost.h"
#include "search/space.h"

static const char chain[] =
	"{\"groups\": [{\"name\": \"a\", \"channels\": 16, \"members\": [\"a.weight\"]},"
	" {\"name\": \"b\", \"channels\": 24, \"members\": [\"b.weight\"]}, {\"name\": \"c\", \"channels\": 32}],"
	" \"frozen\": [{\"name\": \"fc.weight\", \"channels\": 10, \"reason\": \"network output\"}],"
	" \"layers\": ["
	"{\"name\": \"/a\", \"op\": \"Conv\", \"out\": [[0, 1]], \"in\": [[-1, 1]], \"kernel\": 9, \"positions\": 784,"
	" \"vectors\": 1, \"buffers\": 0},"
	"{\"name\": \"/b\", \"op\": \"Conv\", \"out\": [[1, 1]], \"in\": [[0, 1]], \"kernel\": 9, \"positions\": 196,"
	" \"vectors\": 1, \"buffers\": 0},"
	"{\"name\": \"/c\", \"op\": \"Conv\", \"out\": [[2, 1]], \"in\": [[1, 1]], \"kernel\": 9, \"positions\": 49,"
	" \"vectors\": 1, \"buffers\": 2},"
	"{\"name\": \"/fc\", \"op\": \"Gemm\", \"out\": [[-1, 10]], \"in\": [[2, 49]], \"kernel\": 1, \"positions\": 1,"
	" \"vectors\": 1, \"buffers\": 0}],"
	" \"fixed\": {\"params\": 3, \"buffers\": 0}}";

static const char *inventory = chain;

const char *play_inventory(void)
{
	return inventory;
}

void play_use_inventory(const char *text)
{
	inventory = text;
}

static struct space *read_space(void)
{
	struct space_limits limits = { .max_ratio = 0.95, .round_to = 1 };
	struct space *space;
	cJSON *doc = cJSON_Parse(inventory);
	ck_ok(space_read(doc, &limits, &space, &e));
	cJSON_Delete(doc);
	return space;
}

static double accuracy_of(const struct space *s, const int *keep)
{
	double accuracy = 0.95;
	for (int g = 0; g < s->group_count; g++) {
		double gone = 1 - (double)keep[g] / s->groups[g].channels;
		accuracy -= (0.1 + 0.1 * g) * gone * gone;
	}
	return accuracy;
}

static void read_candidate(const struct space *s, const cJSON *lease, int *keep)
{
	const cJSON *candidate = cJSON_GetObjectItem(lease, "candidate");
	for (int g = 0; g < s->group_count; g++)
		keep[g] = cJSON_IsArray(candidate) ? cJSON_GetArrayItem(candidate, g)->valueint : s->groups[g].channels;
}

/* A ratio of MACs where the rung wants a latency; training adds to the accuracy, the more so the better it was. */
static char *metrics_text(const cJSON *lease)
{
	struct space *space = read_space();
	int *keep = calloc((size_t)space->group_count, sizeof *keep);
	char *ret, latency[32] = "null";
	read_candidate(space, lease, keep);
	struct cost cost = cost_of(space, keep), intact = cost_of_intact(space);
	double accuracy = accuracy_of(space, keep);
	if (*scene_text(lease, "rung.train"))
		accuracy += 0.04 * accuracy;
	if (*scene_text(lease, "from"))
		accuracy += 0.01 * accuracy;
	if (strcmp(scene_text(lease, "rung.latency"), "null"))
		snprintf(latency, sizeof latency, "%.17g", (double)cost.macs / (double)intact.macs);
	ck_assert_int_ge(asprintf(&ret,
		"{\"accuracy\": %.17g, \"loss\": %.17g, \"params\": %lld, \"macs\": %lld, \"bytes\": %lld, "
		"\"memory\": 4096, \"latency\": %s}",
		accuracy, 1 - accuracy, (long long)cost.params, (long long)cost.macs,
		(long long)cost.bytes, latency), 0);
	space_free(space);
	free(keep);
	return ret;
}

static const char *upload(struct scene *s, const char *text, char digest[DIGEST_HEX + 1])
{
	char path[96];
	ck_ok(digest_bytes(text, strlen(text), digest, &e));
	snprintf(path, sizeof path, "/v1/blobs/%s", digest);
	ck_ok(http_put_bytes(s->http, path, text, strlen(text), &e));
	return digest;
}

char *play_report_text(struct scene *s, const cJSON *lease)
{
	const char *kind = scene_text(lease, "kind");
	char digest[DIGEST_HEX + 1], *metrics, *ret;
	if (!strcmp(kind, "test"))
		return strdup("{\"test\": {\"accuracy\": 0.5, \"loss\": 1.25}}");
	metrics = metrics_text(lease);
	if (!strcmp(kind, "baseline")) {
		bool trained = *scene_text(lease, "pretrain");
		char model[DIGEST_HEX + 32] = "";
		if (trained)
			snprintf(model, sizeof model, ", \"model\": \"%s\"", upload(s, "trained", digest));
		ck_assert_int_ge(asprintf(&ret, "{\"metrics\": %s, \"inventory\": %s%s}", metrics, inventory,
			model), 0);
	} else {
		char model[4096];
		snprintf(model, sizeof model, "%s%s", scene_text(lease, "candidate"), scene_text(lease, "from"));
		upload(s, model, digest);
		ck_assert_int_ge(asprintf(&ret, "{\"metrics\": %s, \"model\": \"%s\"}", metrics, digest), 0);
	}
	free(metrics);
	return ret;
}

enum err play_say(struct scene *s, const cJSON *lease, const char *verb, const char *body)
{
	char path[64];
	cJSON *doc = cJSON_Parse(body);
	ck_assert_msg(doc != NULL, "not JSON: %s", body);
	snprintf(path, sizeof path, "/v1/leases/%s/%s", scene_text(lease, "id"), verb);
	enum err err = http_call(s->http, "POST", path, doc, 30, NULL, &e);
	cJSON_Delete(doc);
	return err;
}

void play_report(struct scene *s, const cJSON *lease)
{
	char *text = play_report_text(s, lease);
	ck_ok(play_say(s, lease, "complete", text));
	free(text);
}

cJSON *play_lease(struct scene *s, const char *worker)
{
	char body[64];
	snprintf(body, sizeof body, "{\"worker\": \"%s\"}", worker);
	return scene_post(s, "/v1/leases", body);
}

static void conclude(struct play *p, const cJSON *lease)
{
	const char *dot = strchr(scene_text(lease, "trial"), '.');
	int number = atoi(dot + 1);
	bool fails = p->fail_every && number && number % p->fail_every == 0 && strcmp(scene_text(lease, "kind"),
		"test");
	if (fails)
		ck_ok(play_say(p->scene, lease, "fail", "{\"reason\": \"diverged\"}"));
	else
		play_report(p->scene, lease);
	p->reports++;
}

/* Takes a lease when a worker is free and there is one, otherwise reports for a worker chosen by lot. */
static bool step(struct play *p)
{
	int held[PLAY_MOST_WORKERS], count = 0, idle = -1;
	char name[16];
	for (int w = 0; w < p->workers; w++)
		if (p->held[w])
			held[count++] = w;
		else
			idle = w;
	if (idle >= 0) {
		snprintf(name, sizeof name, "w%d", idle);
		p->held[idle] = play_lease(p->scene, name);
		if (p->held[idle])
			return true;
	}
	if (count == 0)
		return false;
	int w = held[rand_r(&p->order) % (unsigned)count];
	conclude(p, p->held[w]);
	cJSON_Delete(p->held[w]);
	p->held[w] = NULL;
	return true;
}

void play_run(struct play *p, int most)
{
	int before = p->reports;
	while ((!most || p->reports - before < most) && step(p))
		;
}

void play_drop(struct play *p)
{
	for (int w = 0; w < PLAY_MOST_WORKERS; w++) {
		cJSON_Delete(p->held[w]);
		p->held[w] = NULL;
	}
}

char *play_story(struct scene *s, int job)
{
	char path[64], *ret = NULL;
	size_t len = 0;
	snprintf(path, sizeof path, "/v1/jobs/%d/trials", job);
	cJSON *doc = scene_get(s, path);
	FILE *f = open_memstream(&ret, &len);
	const cJSON *t;
	cJSON_ArrayForEach(t, cJSON_GetObjectItem(doc, "trials")) {
		fprintf(f, "%s %s %s %s %s ", scene_text(t, "number"), scene_text(t, "state"), scene_text(t, "rung"),
			scene_text(t, "parent"), scene_text(t, "candidate"));
		fprintf(f, "%s %s %s %s\n", scene_text(t, "metrics.params"), scene_text(t, "metrics.accuracy"),
			scene_text(t, "pareto"), scene_text(t, "test"));
	}
	fclose(f);
	cJSON_Delete(doc);
	return ret;
}
