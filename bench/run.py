"""One search: a network, a cost beside accuracy, a seed and a strategy; and the file that keeps what came of it.

SPDX-License-Identifier: MIT

A finished run is a file of JSON lines, evaluation 0 (the unpruned network) first, then in the order of evaluation:
    {"number": 7, "candidate": [16, ...], "accuracy": 0.81, "macs": 0.44, "params": 0.52, "others": 0.80,
     "known": false, "ms": 310}
Costs are shares of the unpruned network's; evaluation 0 has them as they are. others is the accuracy on the images that
no search saw, of the front's members only; known says that the store had the answer. accuracy is null where the
evaluation failed.
"""
import collections
import json
import os
import time

COSTS = ("macs", "params")
OVER = ("done", "failed", "cancelled")


class Run(collections.namedtuple("Run", "cost network seed strategy variant", defaults=("",))):
    """variant: what the job has beyond the others, a name in jobs.VARIANTS."""

    def name(self):
        parts = (self.network, self.cost, self.strategy, str(self.seed), self.variant)
        return "-".join(p for p in parts if p)

    def path(self, folder):
        return os.path.join(folder, self.name() + ".jsonl")


def save(run, folder, rows):
    os.makedirs(folder, exist_ok=True)
    with open(run.path(folder) + ".part", "w", encoding="ascii") as f:
        f.writelines(json.dumps(row) + "\n" for row in rows)
    os.rename(run.path(folder) + ".part", run.path(folder))


def load(run, folder):
    """None: not finished yet."""
    try:
        with open(run.path(folder), encoding="ascii") as f:
            return [json.loads(line) for line in f]
    except FileNotFoundError:
        return None


def finished(api, number, pause=1.0):
    """The job when it is over."""
    while True:
        job = api.get("/v1/jobs/%d" % number)
        if job["state"] in OVER:
            break
        time.sleep(pause)
    if job["state"] != "done":
        raise RuntimeError("job %d is %s: %s" % (number, job["state"], job["reason"]))
    return job


def rows(api, number):
    """The job's evaluations as a run's file has them."""
    trials = api.get("/v1/jobs/%d/trials" % number)["trials"]
    whole = trials[0]["metrics"]
    return [row(t, {cost: whole[cost] if t["number"] else 1 for cost in COSTS}) for t in trials]


def done(api, name):
    """The number of the newest job of that name that was brought to its end; None."""
    jobs = (j for j in api.get("/v1/jobs")["jobs"] if j["name"] == name and j["state"] == "done")
    return next((j["id"] for j in jobs), None)


def row(trial, whole):
    metrics, test = trial["metrics"] or {}, trial["test"]
    good = trial["state"] == "complete"
    return {"number": trial["number"], "candidate": trial["candidate"],
            "accuracy": metrics["accuracy"] if good else None,
            **{cost: metrics[cost] / whole[cost] if good else None for cost in COSTS},
            "others": test["accuracy"] if test else None, "known": trial["source"] is not None,
            "ms": trial["finished"] - trial["started"] if trial["started"] and trial["finished"] else None}


def points(evaluations, cost, accuracy="accuracy"):
    """(accuracy, cost) of each evaluation but the unpruned network; None for one that failed."""
    return [None if e[accuracy] is None else (e[accuracy], e[cost]) for e in evaluations[1:]]
