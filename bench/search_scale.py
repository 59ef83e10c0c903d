"""CHECK=scale: what a proposal costs the daemon at 1,000 results of 60 groups, and how it restarts with 100,000.

SPDX-License-Identifier: MIT

A worker that makes its results up does one trial after another (fake_worker.py), with window 0, so that every proposal
waits for all results. What is told is the time from a report to the next lease, the processor time that the daemon
used for it (with the report's and the lease's own share: `random`, which thinks nothing, is measured beside), and how
soon /healthz answers another process meanwhile. For the restart the 100,000 results are rows written into the database
as the daemon writes them, copies of one of its own with other candidates (`guided` alone: what the others propose is
computed again and compared). STRATEGIES (guided), RESULTS (1000) and STORED (100000) in the environment say otherwise.
"""
import glob
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import sqlite3
import statistics
import time

import choice
import hypervolume
from api import Api
from daemon import Daemon
from fake_worker import FakeWorker, Network

GROUPS, MEASURED, MAX_RATIO = 60, 200, 0.95
PROBES_PAUSE = 0.002
SKIPS = ("guided",)  # a replay takes their stored proposals as they are; the others' must be what they would propose


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def document(api, strategy, trials):
    blob = lambda what: "sha256:" + api.store(what.encode())
    sets = {s: {"images": blob(s + " images"), "labels": blob(s + " labels")} for s in ("train", "test")}
    return {"name": "scale-" + strategy, "model": blob("model"), "data": {"format": "idx", **sets},
            "prune": {"max_ratio": MAX_RATIO}, "objectives": ["accuracy", "macs"], "strategy": {"name": strategy},
            "budget": {"trials": trials}, "rungs": [{}], "seed": 1, "window": 0}


def cpu_seconds(pid):
    """Of all its threads."""
    files = glob.glob("/proc/%d/task/*/schedstat" % pid)
    return sum(int(open(f, encoding="ascii").read().split()[0]) for f in files) / 1e9


def probe(socket, end, answers):
    """Milliseconds that /healthz takes, until end is set."""
    api, took = Api(socket), []
    while not end.is_set():
        began = time.perf_counter()
        api.get("/healthz")
        took.append((time.perf_counter() - began) * 1e3)
        time.sleep(PROBES_PAUSE)
    answers.put(took)


class Probe:
    def __init__(self, socket):
        self.end, self.answers = multiprocessing.Event(), multiprocessing.Queue()
        self.process = multiprocessing.Process(target=probe, args=(socket, self.end, self.answers), daemon=True)
        self.process.start()

    def stop(self):
        self.end.set()
        took = self.answers.get()
        self.process.join()
        return took


def spread(ms):
    return "median %.2f ms, p99 %.2f, most %.2f of %d" % (statistics.median(ms), percentile(ms, 0.99), max(ms), len(ms))


def measure(daemon, worker, lease, what):
    probe_process, before = Probe(daemon.socket), cpu_seconds(daemon.process.pid)
    lease, seconds = worker.turns(lease, MEASURED)
    health = probe_process.stop()
    processor = (cpu_seconds(daemon.process.pid) - before) / MEASURED * 1e3  # the probe's requests are in it
    print("%s\n  processor %.2f ms a trial\n  report to next lease %s\n  healthz meanwhile %s" % (
        what, processor, spread([s * 1e3 for s in seconds]), spread(health)), flush=True)
    return lease


def begin(daemon, strategy, trials):
    """A job, its worker, and the lease of its first candidate."""
    api = daemon.api()
    job = api.post("/v1/jobs", document(api, strategy, trials))["id"]
    worker = FakeWorker(api, Network(GROUPS))
    lease, _ = worker.turn(worker.lease())
    return job, worker, lease


def candidates(network, count):
    """Different ones that cover the costs."""
    draw, seen = random.Random(2), set()
    while len(seen) < count:
        mean = draw.uniform(0.02, 0.9)
        ratios = [min(MAX_RATIO, max(0, draw.gauss(mean, 0.15))) for _ in network.channels]
        keep = tuple(max(n - int(n * MAX_RATIO + 1e-9), round(n * (1 - r))) for n, r in zip(network.channels, ratios))
        if keep not in seen:
            seen.add(keep)
            yield list(keep)


def fill(path, job, network, total):
    """Rows of complete trials up to number `total`, and the Pareto set's flags; the daemon is stopped."""
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    db.execute("DELETE FROM lease WHERE job = ?", (job,))
    db.execute("DELETE FROM trial WHERE job = ? AND state != 'complete'", (job,))
    last = db.execute("SELECT * FROM trial WHERE job = ? ORDER BY number DESC LIMIT 1", (job,)).fetchone()
    whole = network.metrics()
    statement = "INSERT INTO trial (%s) VALUES (%s)" % (", ".join(last.keys()), ", ".join(":" + k for k in last.keys()))
    db.executemany(statement, (made(dict(last), network, whole, last["number"] + 1 + i, keep) for i, keep in enumerate(
        candidates(network, total - last["number"]))))
    rows = db.execute("SELECT number, accuracy, macs FROM trial WHERE job = ?", (job,)).fetchall()
    points = {r["number"]: (r["accuracy"], r["macs"] / whole["macs"] / 2) for r in rows}  # half: the whole one counts
    members = set(hypervolume.front(points.values()))
    chosen = [(number,) for number, point in points.items() if point in members]
    db.execute("UPDATE trial SET pareto = 0 WHERE job = ?", (job,))
    db.executemany("UPDATE trial SET pareto = 1 WHERE job = %d AND number = ?" % job, chosen)
    db.commit()
    db.close()


def made(row, network, whole, number, keep):
    metrics = network.metrics(keep)
    achieved = {"params": 1 - metrics["params"] / whole["params"], "macs": 1 - metrics["macs"] / whole["macs"],
                "channels": 1 - sum(keep) / sum(network.channels)}
    return {**row, **metrics, "number": number, "candidate": json.dumps(keep, separators=(",", ":")),
            "achieved": json.dumps(achieved), "digest": hashlib.sha256(str(keep).encode()).hexdigest(), "source": None}


def restart(daemon, job, worker, stored):
    """From the stop to the first lease; the lease."""
    daemon.stop()
    fill(os.path.join(daemon.folder, "state/pared.db"), job, worker.network, stored)
    began = time.perf_counter()
    until_healthy = daemon.start(600)
    lease = worker.lease()
    print("restart with %d results of %d groups: healthz after %.2f s, a lease after %.2f s (trial %s)" % (
        stored, GROUPS, until_healthy, time.perf_counter() - began, lease and lease["trial"]), flush=True)
    return lease


def scale(folder, strategy, results, stored):
    shutil.rmtree(folder, ignore_errors=True)
    daemon = Daemon(folder, 0)
    try:
        job, worker, lease = begin(daemon, strategy, stored + 10 * MEASURED)
        lease, seconds = worker.turns(lease, results - MEASURED)
        print("%s: the first %d trials took %.1f s" % (strategy, len(seconds), sum(seconds)), flush=True)
        if lease["kind"] != "candidate":
            print("%s: proposes no more" % strategy)
            return
        lease = measure(daemon, worker, lease, "%s, results %d to %d" % (strategy, results - MEASURED, results))
        if stored and strategy in SKIPS:
            lease = restart(daemon, job, worker, stored)
            if lease:
                measure(daemon, worker, lease, "%s, with %d results" % (strategy, stored))
    finally:
        daemon.stop()


def main(folder):
    results, stored = int(os.environ.get("RESULTS", 1000)), int(os.environ.get("STORED", 100000))
    for strategy in ("random", *choice.strategies(("guided",))):
        scale(os.path.join(folder, "scale"), strategy, results, stored)
    shutil.rmtree(os.path.join(folder, "scale"))
    return True
