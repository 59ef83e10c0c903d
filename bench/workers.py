#!/usr/bin/python3
"""Trials a minute with one worker and with two, and a worker's memory over many trials.

SPDX-License-Identifier: MIT

Usage: workers.py FOLDER [ROUNDS], by `make bench-workers`. Each round starts a private daemon with one worker and then one
with two, and lets each do the same job of quick trials of ResNet-20 (recalibrated on 2,048 images, 5,000 scored); what
counts is the time between the first and the last report of a candidate. Then one worker does 500 trials of LeNet-5, and
the memory that is its own (RssAnon) is looked at after 50 and at the end.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, ".."))
OUT = os.environ.get("OUT", os.path.join(ROOT, "build/release"))
DATA = "/usr/share/datasets/fashion-mnist/"


def job(network, trials, seed, recalibrate):
    return {
        "name": network, "model": os.path.join(ROOT, "models/fashion-%s.onnx" % network),
        "data": {"format": "idx", "holdout": 5000, "mean": [0.2860], "std": [0.3530], **{
            part: {"images": DATA + name + "-images-idx3-ubyte.gz", "labels": DATA + name + "-labels-idx1-ubyte.gz"}
            for part, name in (("train", "train"), ("test", "t10k"))}},
        "objectives": ["accuracy", "macs"], "strategy": {"name": "random"}, "budget": {"trials": trials},
        "rungs": [{"recalibrate": recalibrate, "images": 5000}], "seed": seed, "window": 8}


class Daemon:
    def __init__(self, folder, workers):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        self.folder, self.url = folder, "unix:%s/pared.sock" % folder
        with open(os.path.join(folder, "pared.json"), "w", encoding="ascii") as f:
            json.dump({"state": folder + "/state", "socket": folder + "/pared.sock", "cache": folder + "/cache",
                       "workers": workers, "log_level": "error"}, f)
        self.process = subprocess.Popen([os.path.join(OUT, "pared"), "-c", folder + "/pared.json"])
        while not os.path.exists(folder + "/pared.sock"):
            time.sleep(0.05)

    def pare(self, *arguments):
        command = [os.path.join(OUT, "pare"), "-u", self.url, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def submit(self, document):
        path = os.path.join(self.folder, "job.json")
        with open(path, "w", encoding="ascii") as f:
            json.dump(document, f)
        return json.loads(self.pare("submit", path, "--json"))["id"]

    def trials(self, number):
        found = json.loads(self.pare("trials", str(number), "--json"))["trials"]
        return [t for t in found if t["number"] > 0 and t["state"] == "complete" and not t["source"]]

    def own_memory(self):
        """Of its first worker, in MB."""
        pid = json.loads(self.pare("workers", "--json"))["workers"][0]["pid"]
        with open("/proc/%d/status" % pid, encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("RssAnon")) / 1024

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)


def rate(folder, workers, count, seed):
    """Trials a minute."""
    daemon = Daemon(folder, workers)
    number = daemon.submit(job("resnet20", count, seed, 2048))
    while len(daemon.trials(number)) < count:
        time.sleep(3)  # asking takes a core for a moment
    finished = sorted(t["finished"] for t in daemon.trials(number))
    daemon.close()
    return (len(finished) - workers) / ((finished[-1] - finished[workers - 1]) / 6e4)


def growth(folder, count):
    daemon = Daemon(folder, 1)
    number, memory = daemon.submit(job("lenet5", count, 1, 0)), None
    while len(daemon.trials(number)) < count:
        if memory is None and len(daemon.trials(number)) >= count // 10:
            memory = daemon.own_memory()
        time.sleep(0.5)
    after = daemon.own_memory()
    daemon.close()
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
