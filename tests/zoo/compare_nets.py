#!/usr/bin/python3
"""Compare small hand-written networks (nets.py), and what is cut from them, with ONNX Runtime and PyTorch.

SPDX-License-Identifier: MIT

Usage: compare_nets.py FOLDER [PATTERN]. One line a network, then "N passed, M failed". Of each, our answers to a
batch must be PyTorch's; no more channels may be frozen than the network's case says; of each of 50 random candidates,
the file must pass onnx.checker and ONNX Runtime's answers must be ours. What a network left behind stays in FOLDER
when it failed.
"""
import fnmatch
import os
import shutil
import sys
import warnings

import numpy
import torch

import judge
import nets
import weights
from programs import Tally

BATCH, CANDIDATES, APART = 3, 50, 1e-4
MODES = {True: torch.onnx.TrainingMode.EVAL, False: torch.onnx.TrainingMode.PRESERVE}


def export(net, case, x, outputs, path):
    names = ["x%d" % i for i in range(len(x))], ["y%d" % i for i in range(outputs)]
    axes = {} if case.fixed else {name: {0: "batch"} for name in names[0] + names[1]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, tuple(a[:1] if case.fixed else a[:2] for a in x), path, opset_version=case.opset,
                          do_constant_folding=case.folded, training=MODES[case.folded], input_names=names[0],
                          output_names=names[1], dynamic_axes=axes)


def write_numbers(arrays, path):
    numpy.concatenate([a.numpy().ravel() for a in arrays]).astype("<f4").tofile(path)


class Trial:
    """One network in a folder of its own."""

    def __init__(self, name, folder):
        self.case, self.folder = nets.NETS[name], folder
        self.batch = 1 if self.case.fixed else BATCH  # of a run of ONNX Runtime
        os.makedirs(folder)
        torch.manual_seed(1)
        net = weights.randomise(self.case.make(), self.case.dims, seed=1)
        generator = torch.Generator().manual_seed(2)
        self.x = [weights.smooth(generator, BATCH, dims) for dims in self.case.dims]
        with torch.no_grad():
            y = net(*self.x)
        self.y = list(y) if isinstance(y, tuple) else [y]
        self.model = self.path("model.onnx")
        export(net, self.case, self.x, len(self.y), self.model)
        write_numbers(self.x, self.path("whole.f32"))
        runs = [a[i:i + self.batch] for i in range(0, BATCH, self.batch) for a in self.x]
        write_numbers(runs, self.path("runs.f32"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def whole(self):
        """Of our answers to the batch and PyTorch's, how far they are apart: each output by itself."""
        judge.answer(self.model, self.path("whole.f32"), self.path("whole.ours"), BATCH)
        ours, worst = judge.floats(self.path("whole.ours")), 0.0
        if ours.size != sum(a.numel() for a in self.y):
            raise RuntimeError("%d numbers, PyTorch %d" % (ours.size, sum(a.numel() for a in self.y)))
        for theirs in (a.numpy().ravel() for a in self.y):
            worst = max(worst, judge.distance(ours[:theirs.size], theirs))
            ours = ours[theirs.size:]
        return worst

    def make_candidates(self):
        """Paths, from hardly any channel removed to hardly any left; how many channels went in all."""
        paths, removed = [], 0
        for i in range(CANDIDATES):
            path = self.path("candidate-%02d.onnx" % i)
            removed += judge.prune(self.model, i, (i + 1) / (CANDIDATES + 1), path)["removed"]
            judge.check_file(path)
            paths.append(path)
        return paths, removed

    def theirs(self, models):
        dims = [[self.batch, *d] for d in self.case.dims]
        rows = [{"model": m, "input": self.path("runs.f32"), "output": m + ".theirs", "dims": dims} for m in models]
        for result in judge.onnxruntime(rows, self.path("list.json")):
            if "error" in result:
                raise RuntimeError("%s: ONNX Runtime: %s" % (os.path.basename(result["model"]), result["error"]))

    def apart(self, model):
        if not self.case.runs:
            return 0.0 if numpy.isfinite(judge.floats(model + ".theirs")).all() else float("inf")
        judge.answer(model, self.path("runs.f32"), model + ".ours", self.batch)
        return judge.distance(judge.floats(model + ".ours"), judge.floats(model + ".theirs"))

    def compare(self):
        frozen, channels = judge.frozen_channels(judge.inspect(self.model))
        whole = self.whole() if self.case.runs else 0.0
        candidates, removed = self.make_candidates()
        self.theirs([self.model] + candidates)
        worst = max((self.apart(m), os.path.basename(m)) for m in [self.model] + candidates)
        good = whole <= APART and worst[0] <= APART and removed > 0 and frozen <= self.case.frozen
        return good, "PyTorch %.1e, ONNX Runtime %.1e (%s); %d channels removed, %d of %d frozen" % (
            whole, *worst, removed, frozen, channels)


def compare(name, folder):
    shutil.rmtree(folder, ignore_errors=True)
    good, detail = Trial(name, folder).compare()
    if good:
        shutil.rmtree(folder)
    return good, detail


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    wanted = fnmatch.filter(nets.NETS, sys.argv[2] if len(sys.argv) == 3 else "*")
    tally = Tally()
    torch.set_num_threads(1)
    for name in wanted:
        tally.attempt("coupling", name, lambda: compare(name, os.path.join(sys.argv[1], name)))
    print("%d passed, %d failed" % (tally.passed, tally.failed))
    sys.exit(1 if tally.failed or not wanted else 0)


if __name__ == "__main__":
    main()
