"""Does the runs that are missing, on one daemon.

SPDX-License-Identifier: MIT
"""
import os
import queue
import sys
import threading
import time

import optuna_search
import run as runs
from daemon import Daemon
from jobs import EVALUATIONS, Jobs

WORKERS = 2
RUNNERS = 3  # one more than workers: Optuna thinks between evaluations


def cancel_leftovers(api):
    """Jobs of a driver that was killed; what they know stays in the store."""
    for job in api.get("/v1/jobs")["jobs"]:
        if job["state"] not in runs.OVER:
            api.post("/v1/jobs/%d/cancel" % job["id"])


def do(api, jobs, run, folder):
    number = api.post("/v1/jobs", jobs.document(api, run))["id"]
    if run.strategy in optuna_search.SAMPLERS:
        optuna_search.search(api, number, run, EVALUATIONS)
    runs.finished(api, number)
    runs.save(run, folder, runs.rows(api, number))


class Runner(threading.Thread):
    """Does runs until there are none left or end is set; what fails is said and skipped."""

    def __init__(self, api, jobs, left, folder, end):
        super().__init__(daemon=True)
        self.api, self.jobs, self.left, self.folder, self.end, self.failed = api, jobs, left, folder, end, 0

    def run(self):
        while not self.end.is_set():
            try:
                run = self.left.get_nowait()
            except queue.Empty:
                return
            began = time.monotonic()
            try:
                do(self.api, self.jobs, run, self.folder)
                print("%s: %.0f s" % (run.name(), time.monotonic() - began), flush=True)
            except Exception as error:  # one run less; the others count
                self.failed += 1
                if not self.end.is_set():
                    print("%s: %s" % (run.name(), error), file=sys.stderr, flush=True)


def evaluate(folder, wanted, hours):
    """True unless something failed or time ran out."""
    left, over = queue.Queue(), threading.Event()
    for run in wanted:
        left.put(run)
    daemon = Daemon(folder, WORKERS)
    try:
        cancel_leftovers(daemon.api())
        jobs = Jobs(daemon.api(), folder)
        runners = [Runner(daemon.api(), jobs, left, os.path.join(folder, "runs"), over) for _ in range(RUNNERS)]
        end = time.monotonic() + 3600 * hours
        for r in runners:
            r.start()
        for r in runners:
            r.join(max(0, end - time.monotonic()))
        return not any(r.is_alive() or r.failed for r in runners)
    finally:
        over.set()
        daemon.stop()


def complete(folder, wanted):
    """Does what is missing; True when nothing is any more."""
    missing = [r for r in wanted if not os.path.exists(r.path(os.path.join(folder, "runs")))]
    print("%d runs, %d to do" % (len(wanted), len(missing)), flush=True)
    return not missing or evaluate(folder, missing, float(os.environ.get("HOURS", 12)))
