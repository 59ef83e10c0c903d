#!/usr/bin/python3
"""Every classifier of torchvision, as ONNX: loaded, run, cut and exported, compared with ONNX Runtime.

SPDX-License-Identifier: MIT

Usage: zoo.py FOLDER [PATTERN], by `make zoo`. A line a row (a model in one form), then "N passed, M failed". Rows are
kept in FOLDER: a row that passed is not done again while our programs and what exports stay as they are. With all rows
there docs/zoo.md is written anew. Models are large, 20 GB in all: each is exported, compared and deleted before the
next, unless ZOO_KEEP is 1; then it stays for the next run.
"""
import fnmatch
import glob
import hashlib
import json
import os
import subprocess
import sys
import time

import judge
import table

HERE = os.path.dirname(os.path.abspath(__file__))
FORMS = ("folded", "unfolded")
APART, SEED, RATIO, LEAST_SPREAD, LARGEST_SCALE = 1e-3, 1, 0.5, 1e-4, 10 ** 6
EXPORTED_BY = [os.path.join(HERE, name) for name in ("export.py", "weights.py")]
JUDGED_BY = [os.path.join(judge.OUT, "pare-worker"), judge.PROBE] + [
    os.path.join(HERE, name) for name in ("judge.py", "zoo.py")]


def version(paths):
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as f:
            digest.update(f.read())
    return digest.hexdigest()


# ---- exports ----

def run_export(*arguments):
    """In a process of its own: its memory goes with it."""
    return judge.run(sys.executable, os.path.join(HERE, "export.py"), *arguments)


def export(name, work):
    """Unless it is there from an earlier run. The stamp is written last."""
    stamp, current = os.path.join(work, name + ".version"), version(EXPORTED_BY)
    if os.path.exists(stamp):
        with open(stamp) as f:
            if f.read() == current:
                return
    run_export(name, work)
    with open(stamp, "w") as f:
        f.write(current)


def clear(name, work):
    """Our answers and theirs; the exports too unless they are wanted."""
    kept = ["%s-%s.onnx" % (name, form) for form in FORMS] + [
        name + end for end in (".input.f32", ".logits.f32", ".json", ".version")]
    for path in glob.glob(os.path.join(glob.escape(work), name + "[-.]*")):
        if os.environ.get("ZOO_KEEP") != "1" or os.path.basename(path) not in kept:
            os.remove(path)


# ---- rows ----

class Row:
    """One model in one form. What was found is in `said`, by column; a column that is missing was not reached."""

    def __init__(self, folder, name, form):
        self.folder, self.name = folder, name
        self.model = os.path.join(folder, "%s-%s.onnx" % (name, form))
        self.candidate = os.path.join(folder, "%s-%s.candidate.onnx" % (name, form))
        with open(os.path.join(folder, name + ".json")) as f:
            export_said = json.load(f)
        self.dims = export_said["dims"]
        self.said = {"name": name, "form": form, "params": export_said["params"], "size": self.dims[-1], "seconds": {}}

    def timed(self, what, act, *arguments):
        start = time.monotonic()
        result = act(*arguments)
        self.said["seconds"][what] = round(time.monotonic() - start, 3)
        return result

    def input(self):
        return os.path.join(self.folder, self.name + ".input.f32")

    def spread(self, answers):
        return judge.spread(judge.floats(answers).reshape(self.dims[0], -1))

    def near(self, column, ours, theirs):
        """Answers must also be closer to each other than they are for other inputs."""
        self.said[column] = judge.distance(judge.floats(ours), judge.floats(theirs))
        most = min(APART, self.spread(theirs) / 10)
        if not self.said[column] <= most:
            raise RuntimeError("%.1e apart, expected at most %.1e" % (self.said[column], most))

    def runtime(self, model, numbers=None):
        row = {"model": model, "input": numbers or self.input(), "output": model + ".theirs", "dims": self.dims}
        result = judge.onnxruntime([row], os.path.join(self.folder, "list.json"))[0]
        if "error" in result:
            raise RuntimeError("ONNX Runtime: " + result["error"])

    def exported(self):
        """Whether PyTorch wrote down what it computes."""
        self.runtime(self.model)
        self.near("exported", self.model + ".theirs", os.path.join(self.folder, self.name + ".logits.f32"))

    def loads(self):
        inventory = self.timed("load", judge.inspect, self.model)
        self.said.update(loads=True, groups=len(inventory["groups"]), frozen=judge.frozen_share(inventory),
                         reasons=sorted({f["reason"] for f in inventory["frozen"]}))

    def logits(self):
        self.timed("run", judge.answer, self.model, self.input(), self.model + ".ours", self.dims[0])
        self.near("logits", self.model + ".ours", self.model + ".theirs")

    def removes(self):
        said = self.timed("prune", judge.prune, self.model, SEED, RATIO, self.candidate)
        self.said.update(channels=said["channels"], removed=said["removed"], kept=said["params"][1] / said["params"][0])
        if not said["removed"]:
            raise RuntimeError("no channel was removed")

    def checks(self):
        judge.check_file(self.candidate)
        self.said["checks"] = True

    def candidate_logits(self):
        """Half of a network, its statistics those of the whole, may hardly look at its input any more, and any answers
        would agree: the input is made larger until it does."""
        numbers, scale = self.candidate + ".f32", 1
        while True:
            (scale * judge.floats(self.input())).tofile(numbers)
            self.runtime(self.candidate, numbers)
            if self.spread(self.candidate + ".theirs") >= LEAST_SPREAD or scale == LARGEST_SCALE:
                break
            scale *= 10
        judge.answer(self.candidate, numbers, self.candidate + ".ours", self.dims[0])
        self.near("candidate", self.candidate + ".ours", self.candidate + ".theirs")

    def fill(self):
        """Every column that can be had: a failure in one does not keep the next from being tried."""
        self.said["failed"] = {}
        for column in (self.exported, self.loads, self.logits, self.removes, self.checks, self.candidate_logits):
            try:
                column()
            except Exception as error:  # whatever it is, it is what the table must say
                self.said["failed"][column.__name__] = " ".join(str(error).split())[:300]
        return self.said


def rows_path(folder, name, form):
    return os.path.join(folder, "rows", "%s-%s.json" % (name, form))


def read_row(folder, name, form):
    """What is known, None when nothing is."""
    try:
        with open(rows_path(folder, name, form)) as f:
            return json.load(f)
    except FileNotFoundError:
        return None


def write_row(folder, said):
    path = rows_path(folder, said["name"], said["form"])
    with open(path + ".new", "w") as f:
        json.dump(said, f, indent=1)
    os.replace(path + ".new", path)


def report(said):
    failed = said["failed"]
    print("%-4s  %-20s %-9s %s" % ("FAIL" if failed else "ok", said["name"], said["form"], "; ".join(
        "%s: %s" % pair for pair in failed.items()) if failed else table.summary(said)), flush=True)


def is_done(said, current):
    return said is not None and said["version"] == current and not said["failed"]


def compare(folder, name, current):
    """The rows of one model: those that are done already, and the others."""
    known = [read_row(folder, name, form) for form in FORMS]
    if all(is_done(said, current) for said in known):
        return known
    work = os.path.join(folder, "work")
    export(name, work)
    rows = []
    for form in FORMS:
        said = {**Row(work, name, form).fill(), "version": current}
        write_row(folder, said)
        rows.append(said)
    clear(name, work)
    return rows


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder, pattern = sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else "*"
    os.makedirs(os.path.join(folder, "rows"), exist_ok=True)
    names, rows, current = run_export("--list").split(), [], version(EXPORTED_BY + JUDGED_BY)
    for name in fnmatch.filter(names, pattern):
        try:
            done = compare(folder, name, current)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            sys.exit("zoo.py: %s: %s" % (name, error))
        for said in done:
            report(said)
        rows += done
    failed = sum(bool(said["failed"]) for said in rows)
    print("%d passed, %d failed" % (len(rows) - failed, failed))
    if len(rows) == len(names) * len(FORMS):
        table.write(rows, os.path.join(HERE, "../../docs/zoo.md"))
    sys.exit(1 if failed or not rows else 0)


if __name__ == "__main__":
    main()
