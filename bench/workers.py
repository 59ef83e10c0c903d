#!/usr/bin/python3
"""Trials a minute with one worker and with two, and a worker's memory over many trials.

SPDX-License-Identifier: MIT

Usage: workers.py FOLDER [ROUNDS], by `make bench-workers`. Each round starts a private daemon with one worker and then one
with two, and lets each do the same job of quick trials of ResNet-20 (recalibrated on 2,048 images, 5,000 scored); what
counts is the time between the first and the last report of a candidate. Then one worker does 500 trials of LeNet-5, and
the memory that is its own (RssAnon) is looked at after 50 and at the end.
"""
import os
import shutil
import statistics
import sys
import time

from daemon import Daemon, ROOT

DATA = "/usr/share/datasets/fashion-mnist/"


def job(api, network, trials, seed, recalibrate):
    return {
        "name": network, "model": api.upload(os.path.join(ROOT, "models/fashion-%s.onnx" % network)),
        "data": {"format": "idx", "holdout": 5000, "mean": [0.2860], "std": [0.3530], **{
            part: {kind: api.upload(DATA + "%s-%s-ubyte.gz" % (name, file))
                   for kind, file in (("images", "images-idx3"), ("labels", "labels-idx1"))}
            for part, name in (("train", "train"), ("test", "t10k"))}},
        "objectives": ["accuracy", "macs"], "strategy": {"name": "random"}, "budget": {"trials": trials},
        "rungs": [{"recalibrate": recalibrate, "images": 5000}], "seed": seed, "window": 8}


class Bench:
    """A new daemon and one job."""

    def __init__(self, folder, workers, *wanted):
        shutil.rmtree(folder, ignore_errors=True)
        self.daemon = Daemon(folder, workers)
        self.api = self.daemon.api()
        self.job = self.api.post("/v1/jobs", job(self.api, *wanted))["id"]

    def evaluated(self):
        found = self.api.get("/v1/jobs/%d/trials" % self.job)["trials"]
        return [t for t in found if t["number"] > 0 and t["state"] == "complete" and not t["source"]]

    def own_memory(self):
        """Of its first worker, in MB."""
        pid = self.api.get("/v1/workers")["workers"][0]["pid"]
        with open("/proc/%d/status" % pid, encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("RssAnon")) / 1024

    def close(self):
        self.daemon.stop()
        shutil.rmtree(self.daemon.folder)


def rate(folder, workers, count, seed):
    """Trials a minute."""
    bench = Bench(folder, workers, "resnet20", count, seed, 2048)
    while len(bench.evaluated()) < count:
        time.sleep(3)
    finished = sorted(t["finished"] for t in bench.evaluated())
    bench.close()
    return (len(finished) - workers) / ((finished[-1] - finished[workers - 1]) / 6e4)


def growth(folder, count):
    bench, memory = Bench(folder, 1, "lenet5", count, 1, 0), None
    while len(bench.evaluated()) < count:
        if memory is None and len(bench.evaluated()) >= count // 10:
            memory = bench.own_memory()
        time.sleep(0.5)
    after = bench.own_memory()
    bench.close()
    print("memory of a worker's own: %.1f MB after %d trials, %.1f MB after %d" % (memory, count // 10, after, count))


def main(folder, rounds):
    ratios = []
    for turn in range(rounds):
        one, two = (rate(folder, workers, 24, turn + 1) for workers in (1, 2))
        ratios.append(two / one)
        print("one worker %.1f trials a minute, two %.1f: %.2f times as many" % (one, two, two / one), flush=True)
    print("median %.2f" % statistics.median(ratios))
    growth(folder, 500)


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 3)
