#!/usr/bin/python3
"""How far a search gets with how many evaluations: our strategies and Optuna's on the same evaluator.

SPDX-License-Identifier: MIT

Usage: search.py FOLDER, by `make bench-search`. FOLDER keeps a daemon's state and a file for each finished run. What was
cut off is started again: a finished run is not repeated, and an unfinished one is answered from the daemon's store as far
as it got. The environment narrows it: STRATEGIES, NETS, COSTS and SEEDS, each a list with commas; HOURS is how long it
may take (12). Then it prints the report of what is there and draws the curves, into FIGURES (FOLDER).

CHECK=constraints, CHECK=warm or CHECK=scale does something else: see search_constraints.py, search_warm.py and
search_scale.py.
"""
import os
import queue
import signal
import sys
import threading
import time

import optuna_search
import run as runs
import search_report
from daemon import Daemon
from jobs import EVALUATIONS, Jobs, NETWORKS

OURS = ("guided", "nsga2", "random", "anneal", "uniform", "netadapt", "abc")
STRATEGIES = (*OURS, *optuna_search.SAMPLERS)
WORKERS = 2
RUNNERS = 3  # one more than workers: Optuna thinks between evaluations


def listed(name, default, known):
    wanted = [w for w in os.environ.get(name, "").split(",") if w] or list(default)
    wrong = [w for w in wanted if w not in known]
    if wrong:
        sys.exit("%s: is %s, expected some of %s" % (name, wrong[0], ", ".join(known)))
    return wanted


def plan():
    seeds = listed("SEEDS", ("1", "2", "3"), [str(n) for n in range(1, 100)])
    nets, costs = listed("NETS", NETWORKS, NETWORKS), listed("COSTS", runs.COSTS, runs.COSTS)
    strategies = listed("STRATEGIES", STRATEGIES, STRATEGIES)
    return [runs.Run(c, n, int(s), name) for c in costs for n in nets for s in seeds for name in strategies]


def cancel_leftovers(api):
    """Jobs of a driver that was killed; what they know stays in the store."""
    for job in api.get("/v1/jobs")["jobs"]:
        if job["state"] not in runs.OVER:
            api.post("/v1/jobs/%d/cancel" % job["id"])


def do(api, jobs, run, folder):
    number = api.post("/v1/jobs", jobs.document(run))["id"]
    if run.strategy in optuna_search.SAMPLERS:
        optuna_search.search(api, number, run, EVALUATIONS)
    runs.finished(api, number)
    runs.save(run, folder, runs.rows(api, number))


class Runner(threading.Thread):
    """Does runs until there are none left; what fails is said and skipped."""

    def __init__(self, api, jobs, wanted, folder):
        super().__init__(daemon=True)
        self.api, self.jobs, self.wanted, self.folder, self.failed = api, jobs, wanted, folder, 0

    def run(self):
        while True:
            try:
                run = self.wanted.get_nowait()
            except queue.Empty:
                return
            began = time.monotonic()
            try:
                do(self.api, self.jobs, run, self.folder)
                print("%s: %.0f s" % (run.name(), time.monotonic() - began), flush=True)
            except Exception as error:  # one run less; the others count
                self.failed += 1
                print("%s: %s" % (run.name(), error), file=sys.stderr, flush=True)


def search(folder, wanted, hours):
    """True unless something failed or time ran out."""
    left = queue.Queue()
    for run in wanted:
        left.put(run)
    daemon = Daemon(folder, WORKERS)
    try:
        cancel_leftovers(daemon.api())
        jobs = Jobs(daemon.api(), folder)
        runners = [Runner(daemon.api(), jobs, left, os.path.join(folder, "runs")) for _ in range(RUNNERS)]
        end = time.monotonic() + 3600 * hours
        for r in runners:
            r.start()
        for r in runners:
            r.join(max(0, end - time.monotonic()))
        return not any(r.is_alive() or r.failed for r in runners)
    finally:
        daemon.stop()


def main(folder):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    wanted, kept = plan(), os.path.join(folder, "runs")
    missing = [r for r in wanted if not os.path.exists(r.path(kept))]
    print("%d runs, %d to do" % (len(wanted), len(missing)), flush=True)
    good = not missing or search(folder, missing, float(os.environ.get("HOURS", 12)))
    search_report.write(wanted, kept, os.environ.get("FIGURES") or folder)
    if not good:
        sys.exit("not all runs are finished: start again to go on")


if __name__ == "__main__":
    where = os.path.abspath(sys.argv[1])
    check = os.environ.get("CHECK")
    if check:
        __import__("search_" + check).main(where)
    else:
        main(where)
