/* play.h -- simulated workers: they lease, invent results, and report in any order.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_DAEMON_PLAY_H
#define TESTS_DAEMON_PLAY_H

#include "tests/daemon/scene.h"

enum { PLAY_MOST_WORKERS = 8 };

struct play {
	struct scene *scene;
	int workers;
	unsigned order;   /* seed of the order of reports */
	int fail_every;   /* a candidate whose number is a multiple fails; 0: none */
	int reports;      /* counted */
	cJSON *held[PLAY_MOST_WORKERS];
};

/* Works until nothing is left to lease and nothing is held, or until `most` further reports were made (0: no limit);
 * what is still held then stays in held. */
void play_run(struct play *p, int most);
void play_drop(struct play *p); /* forgets what is held */

/* A lease for a worker, NULL: none now. */
cJSON *play_lease(struct scene *s, const char *worker);
/* Reports what a faithful worker would, with the candidate's model uploaded. */
void play_report(struct scene *s, const cJSON *lease);
/* The body of that report; the caller frees. */
char *play_report_text(struct scene *s, const cJSON *lease);
/* POST /v1/leases/ID/VERB with that body; the answer's code. */
enum err play_say(struct scene *s, const cJSON *lease, const char *verb, const char *body);

/* The inventory; the channels of its groups. */
const char *play_inventory(void);
void play_use_inventory(const char *text); /* another one, for this process */

/* All that matters of a finished job, one line a trial: number, state, rung, parent, candidate, params, accuracy,
 * membership, test score. The caller frees. */
char *play_story(struct scene *s, int job);

#endif
