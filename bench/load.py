#!/usr/bin/python3
"""How long a model takes to load and how much memory, ours and ONNX Runtime's in turn.

SPDX-License-Identifier: MIT

Usage: load.py FOLDER, by `make bench-load`. FOLDER takes a model of about 500 MB that is made on the way. Every load
is a process of its own and the file is in the page cache; what is timed is the call that reads the model (ours: read,
checked, shapes inferred; ONNX Runtime: a session, with its graph optimisations and without), not the start of the
process. Medians; peaks are the process's largest resident set.
"""
import json
import os
import statistics
import sys

import numpy
import onnx
from onnx import helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../tests/peers"))
from programs import OUT, run  # noqa: E402 (the folder beside this one)

CONVOLUTIONS, CHANNELS, LAYERS, WIDTH = 22, 512, 5, 4096


def tensor(generator, name, *dims):
    numbers = generator.standard_normal(dims, dtype="f4") / numpy.float32(numpy.prod(dims[1:]) ** 0.5)
    return numpy_helper.from_array(numbers, name)


def make_large(path):
    """Convolutions, then linear layers, their numbers as raw data as PyTorch writes them."""
    generator, nodes, stored, last = numpy.random.default_rng(1), [], [], "x"
    for i in range(CONVOLUTIONS):
        stored += [tensor(generator, "conv%d.weight" % i, CHANNELS, CHANNELS, 3, 3)]
        nodes += [helper.make_node("Conv", [last, "conv%d.weight" % i], ["c%d" % i], pads=[1, 1, 1, 1]),
                  helper.make_node("Relu", ["c%d" % i], ["r%d" % i])]
        last = "r%d" % i
    nodes += [helper.make_node("GlobalAveragePool", [last], ["p"]), helper.make_node("Flatten", ["p"], ["f"])]
    last = "f"
    for i in range(LAYERS + 1):
        inner, outer = CHANNELS if i == 0 else WIDTH, 1000 if i == LAYERS else WIDTH
        stored += [tensor(generator, "fc%d.weight" % i, outer, inner), tensor(generator, "fc%d.bias" % i, outer)]
        nodes += [helper.make_node("Gemm", [last, "fc%d.weight" % i, "fc%d.bias" % i], ["g%d" % i], transB=1)]
        last = "g%d" % i
    graph = helper.make_graph(
        nodes, "large", [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["batch", CHANNELS, 8, 8])],
        [helper.make_tensor_value_info(last, onnx.TensorProto.FLOAT, ["batch", 1000])], stored)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7), path)


def ours(model):
    return json.loads(run(os.path.join(OUT, "tests/zoo-probe"), "--load", model))


def theirs(level):
    return lambda model: json.loads(run("node", os.path.join(HERE, "load.js"), model, level))


READERS = {"ours": ours, "ONNX Runtime, all optimisations": theirs("all"),
           "ONNX Runtime, none": theirs("disabled")}


def compare(model, rounds):
    size = os.path.getsize(model)
    print("%s, %.1f MB, median of %d rounds" % (os.path.basename(model), size / 1e6, rounds))
    figures = {who: [] for who in READERS}
    for i in range(rounds + 1):
        for who, load in READERS.items():
            said = load(model)
            if i:  # the first round warms the page cache
                figures[who].append(said)
    our_time = statistics.median(f["ms"] for f in figures["ours"])
    for who, said in figures.items():
        times, peak = sorted(f["ms"] for f in said), statistics.median(f["peak"] for f in said)
        print("  %-33s %9.2f ms (%.2f to %.2f), %6.2f x ours; peak %7.1f MB, %6.2f x the file" % (
            who, statistics.median(times), times[0], times[-1], statistics.median(times) / our_time, peak / 1e6,
            peak / size), flush=True)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    large = os.path.join(sys.argv[1], "large.onnx")
    os.makedirs(sys.argv[1], exist_ok=True)
    make_large(large)
    compare(large, 5)
    compare(os.path.join(HERE, "../models/fashion-resnet20.onnx"), 15)
    os.remove(large)


if __name__ == "__main__":
    main()
