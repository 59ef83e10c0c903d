/* schema.c -- the tables and views, and the steps that lead to them.
 * SPDX-License-Identifier: MIT
 *
 * PRAGMA user_version says how many of the steps a database has seen. A step is never edited once released: a change is
 * a new one at the end. The views are public (docs/database.md): a column of theirs is not renamed or removed. */
#include "store/schema.h"

#include <stdio.h>

static const char step_1[] =
	"-- Compression requests. Times are milliseconds since 1970, NULL: not yet.\n"
	"CREATE TABLE job (\n"
	"  id          INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice\n"
	"  name        TEXT    NOT NULL,\n"
	"  state       TEXT    NOT NULL CHECK (state IN\n"
	"              ('queued', 'preparing', 'searching', 'finishing', 'done', 'failed', 'cancelled', 'paused')),\n"
	"  resume      TEXT    NOT NULL CHECK (resume IN -- the state to go back to after 'paused'\n"
	"              ('queued', 'preparing', 'searching', 'finishing', 'done', 'failed', 'cancelled', 'paused')),\n"
	"  spec        TEXT    NOT NULL,                  -- the job document, JSON\n"
	"  inventory   TEXT,                              -- what the baseline reported of the network, JSON\n"
	"  reason      TEXT,                              -- why it failed\n"
	"  budget      INTEGER NOT NULL,                  -- proposals, the baseline not counted\n"
	"  created     INTEGER NOT NULL,\n"
	"  started     INTEGER,\n"
	"  finished    INTEGER,\n"
	"  hypervolume REAL                               -- of the Pareto set, NULL: none yet\n"
	") STRICT;\n"
	"CREATE INDEX job_live ON job(id) WHERE state NOT IN ('done', 'failed', 'cancelled');\n"
	"\n"
	"-- Candidates, each evaluated once; number 0 is the job's baseline. A metric that was not measured is NULL.\n"
	"CREATE TABLE trial (\n"
	"  job               INTEGER NOT NULL REFERENCES job(id),\n"
	"  number            INTEGER NOT NULL CHECK (number >= 0),\n"
	"  rung              INTEGER NOT NULL,  -- the fidelity it was evaluated at, 0 is the quickest\n"
	"  state             TEXT    NOT NULL CHECK (state IN\n"
	"                    ('waiting', 'running', 'complete', 'failed', 'cancelled')),\n"
	"  candidate         TEXT,              -- channels kept, one a group, JSON array\n"
	"  requested         TEXT,              -- ratios that the strategy asked for, JSON object\n"
	"  achieved          TEXT,              -- ratios that came of it, JSON object\n"
	"  digest            TEXT,              -- SHA-256 over all that decides the result\n"
	"  source            TEXT,              -- JOB.NUMBER of the trial whose result this one shares\n"
	"  model             TEXT,              -- digest of the pruned model's blob\n"
	"  worker            TEXT,\n"
	"  reason            TEXT,              -- why it failed\n"
	"  attempts          INTEGER NOT NULL,\n"
	"  accuracy          REAL,              -- on the held-out part of the training set\n"
	"  loss              REAL,\n"
	"  params            REAL,\n"
	"  macs              REAL,              -- multiply-accumulates of one forward pass\n"
	"  bytes             REAL,              -- of the weights as stored\n"
	"  memory            REAL,              -- peak of the activations, bytes\n"
	"  latency           REAL,              -- median ratio to the baseline timed in turn with it\n"
	"  latency_ratio_p10 REAL,\n"
	"  latency_ratio_p90 REAL,\n"
	"  latency_ms        REAL,\n"
	"  latency_p10_ms    REAL,\n"
	"  latency_p90_ms    REAL,\n"
	"  test_accuracy     REAL,              -- on the test set, scored once for members of the final Pareto set\n"
	"  test_loss         REAL,\n"
	"  feasible          INTEGER NOT NULL CHECK (feasible IN (0, 1)),\n"
	"  pareto            INTEGER NOT NULL CHECK (pareto IN (0, 1)), -- a member of its job's Pareto set now\n"
	"  created           INTEGER NOT NULL,\n"
	"  started           INTEGER,\n"
	"  finished          INTEGER,\n"
	"  PRIMARY KEY (job, number)\n"
	") STRICT;\n"
	"CREATE INDEX trial_state  ON trial(job, state, number);\n"
	"CREATE INDEX trial_digest ON trial(digest) WHERE state = 'complete';\n"
	"CREATE INDEX trial_best   ON trial(job, accuracy) WHERE state = 'complete' AND number > 0;\n"
	"CREATE INDEX trial_pareto ON trial(job, accuracy DESC, number) WHERE pareto = 1;\n"
	"\n"
	"-- Who is evaluating what, until when. A row is removed when its lease ends.\n"
	"CREATE TABLE lease (\n"
	"  id         INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: one that ended is known\n"
	"  job        INTEGER NOT NULL,\n"
	"  number     INTEGER NOT NULL,\n"
	"  kind       TEXT    NOT NULL CHECK (kind IN ('baseline', 'candidate', 'test')),\n"
	"  exclusive  INTEGER NOT NULL CHECK (exclusive IN (0, 1)),  -- nothing else is handed out meanwhile\n"
	"  supervised INTEGER NOT NULL CHECK (supervised IN (0, 1)), -- the worker was started by the daemon\n"
	"  worker     TEXT    NOT NULL,\n"
	"  granted    INTEGER NOT NULL,\n"
	"  expires    INTEGER NOT NULL,\n"
	"  FOREIGN KEY (job, number) REFERENCES trial(job, number)\n"
	") STRICT;\n"
	"CREATE INDEX lease_trial ON lease(job, number);\n"
	"\n"
	"-- Files below blobs/, named by their SHA-256.\n"
	"CREATE TABLE blob (\n"
	"  digest  TEXT    NOT NULL PRIMARY KEY CHECK (length(digest) = 64),\n"
	"  size    INTEGER NOT NULL CHECK (size >= 0),\n"
	"  created INTEGER NOT NULL\n"
	") STRICT, WITHOUT ROWID;\n"
	"\n"
	"-- Public: the Pareto sets, best accuracy first. *_ratio is the fraction removed against trial 0.\n"
	"CREATE VIEW pareto AS\n"
	"SELECT t.job, j.name AS job_name, t.number AS trial, t.accuracy, t.test_accuracy, t.loss,\n"
	"       CAST(t.params AS INTEGER) AS params, CAST(t.macs AS INTEGER) AS macs,\n"
	"       CAST(t.bytes AS INTEGER) AS bytes, CAST(t.memory AS INTEGER) AS memory, t.latency, t.latency_ms,\n"
	"       1.0 - t.params / b.params AS params_ratio, 1.0 - t.macs / b.macs AS macs_ratio, t.model\n"
	"FROM trial t\n"
	"JOIN job j ON j.id = t.job\n"
	"LEFT JOIN trial b ON b.job = t.job AND b.number = 0\n"
	"WHERE t.pareto = 1\n"
	"ORDER BY t.job, t.accuracy DESC, t.number;\n"
	"\n"
	"-- Public: one row a trial, by number. *_delta: value less the baseline's; *_ratio: the fraction removed.\n"
	"CREATE VIEW trial_summary AS\n"
	"SELECT t.job, j.name AS job_name, t.number AS trial, t.rung, t.state, t.reason, t.worker, t.attempts,\n"
	"       (t.finished - t.started) / 1000.0 AS seconds,\n"
	"       t.accuracy, t.loss, CAST(t.params AS INTEGER) AS params, CAST(t.macs AS INTEGER) AS macs,\n"
	"       CAST(t.bytes AS INTEGER) AS bytes, CAST(t.memory AS INTEGER) AS memory, t.latency, t.latency_ms,\n"
	"       t.test_accuracy, t.test_loss,\n"
	"       t.accuracy - b.accuracy AS accuracy_delta, t.loss - b.loss AS loss_delta,\n"
	"       1.0 - t.params / b.params AS params_ratio, 1.0 - t.macs / b.macs AS macs_ratio,\n"
	"       1.0 - t.bytes / b.bytes AS bytes_ratio, 1.0 - t.memory / b.memory AS memory_ratio,\n"
	"       t.candidate, t.requested, t.achieved, t.feasible, t.pareto, t.source, t.model\n"
	"FROM trial t\n"
	"JOIN job j ON j.id = t.job\n"
	"LEFT JOIN trial b ON b.job = t.job AND b.number = 0\n"
	"ORDER BY t.job, t.number;\n";

/* Rungs: a promoted trial continues one at the rung below; the best of a job is one of the last rung, at which the
 * baseline is measured. */
static const char step_2[] =
	"ALTER TABLE trial ADD COLUMN\n"
	"  parent INTEGER CHECK (parent > 0); -- number of the trial at the rung below that it continues\n"
	"ALTER TABLE job ADD COLUMN\n"
	"  plan   TEXT; -- trials at each rung, the baseline not counted, JSON array; NULL: the budget's, at one\n"
	"DROP INDEX trial_best;\n"
	"CREATE INDEX trial_best ON trial(job, rung, accuracy) WHERE state = 'complete' AND number > 0;\n"
	"DROP VIEW trial_summary;\n"
	"-- Public: one row a trial, by number. *_delta: value less the baseline's; *_ratio: the fraction removed.\n"
	"CREATE VIEW trial_summary AS\n"
	"SELECT t.job, j.name AS job_name, t.number AS trial, t.rung, t.state, t.reason, t.worker, t.attempts,\n"
	"       (t.finished - t.started) / 1000.0 AS seconds,\n"
	"       t.accuracy, t.loss, CAST(t.params AS INTEGER) AS params, CAST(t.macs AS INTEGER) AS macs,\n"
	"       CAST(t.bytes AS INTEGER) AS bytes, CAST(t.memory AS INTEGER) AS memory, t.latency, t.latency_ms,\n"
	"       t.test_accuracy, t.test_loss,\n"
	"       t.accuracy - b.accuracy AS accuracy_delta, t.loss - b.loss AS loss_delta,\n"
	"       1.0 - t.params / b.params AS params_ratio, 1.0 - t.macs / b.macs AS macs_ratio,\n"
	"       1.0 - t.bytes / b.bytes AS bytes_ratio, 1.0 - t.memory / b.memory AS memory_ratio,\n"
	"       t.candidate, t.requested, t.achieved, t.feasible, t.pareto, t.source, t.model, t.parent\n"
	"FROM trial t\n"
	"JOIN job j ON j.id = t.job\n"
	"LEFT JOIN trial b ON b.job = t.job AND b.number = 0\n"
	"ORDER BY t.job, t.number;\n";

/* A search ends by more than the number of its trials. */
static const char step_3[] =
	"ALTER TABLE job ADD COLUMN\n"
	"  ended    TEXT CHECK (ended IN             -- why no more is proposed, NULL: it may be\n"
	"           ('trials', 'seconds', 'stall', 'strategy', 'finish'));\n"
	"ALTER TABLE job ADD COLUMN\n"
	"  searched INTEGER NOT NULL DEFAULT 0;      -- ms that it proposed, without pauses and the daemon's absence\n";

static const char *const steps[STORE_SCHEMA] = { step_1, step_2, step_3 };

static enum err version(struct store *s, int64_t *ret, struct errinfo *e)
{
	static const char sql[] = "PRAGMA user_version";
	struct statement st;
	bool row;
	enum err err = statement_begin(s, sql, &st, e);
	if (err)
		return err;
	err = statement_step(&st, "schema", &row, e);
	if (!err)
		*ret = take_int(&st);
	enum err ended = statement_end(&st, err ? NULL : e);
	return err ? err : ended;
}

enum err schema_check(struct store *s, struct errinfo *e)
{
	int64_t have;
	enum err err = version(s, &have, e);
	if (!err && (have < 0 || have > STORE_SCHEMA))
		err = err_set(e, ERR_CONFLICT,
			"%s/pared.db: has schema %lld, this program knows 0 to %d; use the pared that made it",
			s->directory, (long long)have, STORE_SCHEMA);
	return err;
}

static enum err apply(struct store *s, int64_t from, struct errinfo *e)
{
	char subject[32], done[64];
	snprintf(subject, sizeof subject, "schema step %d", (int)from + 1);
	snprintf(done, sizeof done, "PRAGMA user_version = %d; COMMIT", (int)from + 1);
	if (!sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) &&
		!sqlite3_exec(s->db, steps[from], NULL, NULL, NULL) && !sqlite3_exec(s->db, done, NULL, NULL, NULL))
		return ERR_OK;
	enum err err = statement_failure(s, subject, e);
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

enum err schema_migrate(struct store *s, struct errinfo *e)
{
	int64_t have;
	enum err err = version(s, &have, e);
	for (; !err && have < STORE_SCHEMA; have++)
		err = apply(s, have, e);
	return err;
}
