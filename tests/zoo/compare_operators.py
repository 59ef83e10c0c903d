#!/usr/bin/python3
"""Compare single operators (operators.py) with ONNX Runtime.

SPDX-License-Identifier: MIT

Usage: compare_operators.py FOLDER [PATTERN]; the pattern chooses operators by name. One line a model, then "N passed,
M failed, K not compared". A model is one node, nearly always with the batch left open; our shapes and our answers to a
batch must be ONNX Runtime's. One that ONNX Runtime refuses is not compared: neither passed nor failed. What a model
left behind stays in FOLDER when it failed.
"""
import collections
import fnmatch
import os
import shutil
import sys

import numpy
import onnx
from onnx import helper, numpy_helper

import judge
import operators
from programs import Tally

APART = 1e-5
BATCH = operators.BATCH

Trial = collections.namedtuple("Trial", "family row opset folder")


def trials(pattern, folder):
    """Each row at the first and the last opset of its form."""
    rows = [(family, row) for family, table in operators.FAMILIES.items() for row in table
            if fnmatch.fnmatch(row.op, pattern)]
    return [Trial(family, row, opset, os.path.join(folder, "%03d-%s-%d" % (i, row.op, opset)))
            for i, (family, row) in enumerate(rows) for opset in sorted({row.first, row.last})]


def describe(operand):
    """Of an input, (its dimensions) when it is computed, [its dimensions] when it is stored."""
    if operand is None:
        return "-"
    return str(operand) if isinstance(operand, operators.x) else str(list(numpy.shape(operand)))


def title(trial):
    words = ["%s-%d" % (trial.row.op, trial.opset)] + [describe(operand) for operand in trial.row.inputs]
    words += ["%s=%s" % attribute for attribute in trial.row.attributes.items()]
    return " ".join(word.replace(", ", ",") for word in words)


def computed(row):
    return [dims for dims in row.inputs if isinstance(dims, operators.x)]


# ---- what a trial needs ----

def make_model(row, opset):
    names, inputs, stored = [], [], []
    for i, operand in enumerate(row.inputs):
        names.append("" if operand is None else "x%d" % i)
        if isinstance(operand, operators.x):
            dims = [BATCH if row.fixed else "batch", *operand]
            inputs.append(helper.make_tensor_value_info(names[i], onnx.TensorProto.FLOAT, dims))
        elif operand is not None:
            stored.append(numpy_helper.from_array(numpy.asarray(operand), names[i]))
    outputs = [helper.make_tensor_value_info("y%d" % i, onnx.TensorProto.FLOAT, None) for i in range(row.outputs)]
    node = helper.make_node(row.op, names, [y.name for y in outputs], **row.attributes)
    graph = helper.make_graph([node], "operator", inputs, outputs, stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def prepare(trial):
    """Writes the model and its input; the row for onnxruntime.js."""
    path = {what: os.path.join(trial.folder, what) for what in ("model.onnx", "numbers.f32", "theirs.f32")}
    os.makedirs(trial.folder)
    onnx.save(make_model(trial.row, trial.opset), path["model.onnx"])
    dims = [[BATCH, *d] for d in computed(trial.row)]
    numpy.concatenate([trial.row.values(*d).ravel() for d in dims]).astype("<f4").tofile(path["numbers.f32"])
    return {"model": path["model.onnx"], "input": path["numbers.f32"], "output": path["theirs.f32"], "dims": dims}


# ---- what comes out ----

def compare(files, theirs):
    ours = files["model"] + ".ours"
    outputs = judge.answer(files["model"], files["input"], ours, BATCH)
    if outputs != theirs["outputs"]:
        return False, "shapes %s, ONNX Runtime %s" % (outputs, theirs["outputs"])
    apart = judge.distance(judge.floats(ours), judge.floats(files["output"]))
    return apart <= APART, "%.1e" % apart


class Comparison:
    def __init__(self):
        self.tally, self.refused = Tally(), 0

    def judge(self, trial, files, theirs):
        failed = self.tally.failed
        if "error" in theirs:
            self.refused += 1
            print("%-4s  %-22s %-50s ONNX Runtime: %s" % ("--", trial.family, title(trial),
                                                          " ".join(theirs["error"].split())[:200]), flush=True)
        else:
            self.tally.attempt(trial.family, title(trial), lambda: compare(files, theirs))
        if self.tally.failed == failed:
            shutil.rmtree(trial.folder)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder = sys.argv[1]
    shutil.rmtree(folder, ignore_errors=True)
    wanted = trials(sys.argv[2] if len(sys.argv) == 3 else "*", folder)
    files = [prepare(trial) for trial in wanted]
    comparison = Comparison()
    for arguments in zip(wanted, files, judge.onnxruntime(files, os.path.join(folder, "list.json")) if files else []):
        comparison.judge(*arguments)
    tally = comparison.tally
    print("%d passed, %d failed, %d not compared" % (tally.passed, tally.failed, comparison.refused))
    sys.exit(1 if tally.failed or not tally.passed else 0)


if __name__ == "__main__":
    main()
