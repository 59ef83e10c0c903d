"""What `make zoo` asks of a model and of what is cut from it.

SPDX-License-Identifier: MIT
"""
import json
import os
import sys

import numpy
import onnx
import onnx.checker

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../peers"))
from programs import OUT, onnxruntime, run, worker  # noqa: E402, F401 (some are for who imports this)

PROBE = os.path.join(OUT, "tests/zoo-probe")


def inspect(model):
    return worker("inspect", model)


def answer(model, numbers, output, batch):
    """Our answers; the dimensions of every output."""
    return json.loads(run(PROBE, model, numbers, output, str(batch)))["outputs"]


def prune(model, seed, ratio, output):
    """A random candidate, and what there is to say about it (probe.c)."""
    return json.loads(run(PROBE, "--prune", str(seed), "%g" % ratio, model, output))


def floats(path):
    return numpy.fromfile(path, "<f4")


def distance(ours, theirs):
    """The largest difference, relative to the largest of theirs. Infinite where a number is none."""
    if ours.shape != theirs.shape:
        raise RuntimeError("ours has %d numbers, theirs %d" % (ours.size, theirs.size))
    if not (numpy.isfinite(ours).all() and numpy.isfinite(theirs).all()):
        return float("inf")
    return float(numpy.abs(ours.astype("f8") - theirs).max() / max(float(numpy.abs(theirs).max()), 1e-30))


def spread(answers):
    """How much of (batch, numbers) depends on the input: the mean deviation of a number, over the largest."""
    return float(answers.std(0).mean() / max(float(numpy.abs(answers).max()), 1e-30))


def check_file(path):
    """onnx's own opinion: sound, and shapes that agree."""
    onnx.checker.check_model(onnx.load(path), full_check=True)


def frozen_channels(inventory):
    """Of the channels that layers with stored weights compute (convolutions and linear layers of any kind): how many
    can't go, and all."""
    channels = [g["channels"] for g in inventory["groups"]]
    terms = [term for layer in inventory["layers"] if layer["positions"] and layer.get("stored", 1)
             for term in layer["out"]]
    return sum(n for g, n in terms if g < 0), sum(n * (channels[g] if g >= 0 else 1) for g, n in terms)


def frozen_share(inventory):
    frozen, total = frozen_channels(inventory)
    return frozen / total if total else 1.0
