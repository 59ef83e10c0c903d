#!/usr/bin/python3
"""Compare what pare-worker computes with ONNX Runtime, PyTorch and onnx itself.

SPDX-License-Identifier: MIT

Usage: compare.py FOLDER, by `make check-peers`. FOLDER is emptied and takes what is made on the way; OUT in the
environment is where our programs are, NODE_PATH where onnxruntime-node is. One line a comparison, then
"N passed, M failed".
"""
import functools
import glob
import json
import os
import shutil
import sys

import numpy
import onnx
import onnx.checker
import onnx.shape_inference
import torch

import counting
import networks
from programs import OUT, Tally, onnxruntime, run, worker

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGES, CANDIDATES, SEED = 256, 20, 1
LOGITS, ACCURACY = 1e-4, 0.0002  # how far two answers may be apart
TEST_IMAGES = os.path.join(networks.DATA, "t10k-images-idx3-ubyte.gz")
TRAIN_IMAGES = os.path.join(networks.DATA, "train-images-idx3-ubyte.gz")


# ---- answers ----

def title(model):
    """A model's path, short and the same wherever the working copy is."""
    sample = os.path.dirname(model) == os.path.dirname(networks.sample_path("vgg"))
    return os.path.relpath(model, networks.ROOT if sample else FOLDER)


def logits_path(model, whose):
    return os.path.join(FOLDER, "logits", "%s.%s.f32" % (title(model).replace("/", "-"), whose))


def read_logits(model, whose):
    return numpy.fromfile(logits_path(model, whose), "<f4").reshape(IMAGES, -1)


@functools.lru_cache(maxsize=1)
def our_logits(model):
    out = logits_path(model, "ours")
    run(os.path.join(OUT, "tests/peers-candidates"), "logits", model, TEST_IMAGES, out, str(IMAGES))
    return read_logits(model, "ours")


def for_inference(model):
    """The file that ONNX Runtime gets: the model's own, but for the exporter's training mode. Before opset 14 a
    batch-norm with more than one output means training: it is run on its batch's statistics even where nobody reads
    the others. We drop such outputs, since a network comes here for inference; the comparison is with a copy that
    lacks them."""
    loaded = onnx.load(model)
    trained = [n for n in loaded.graph.node if n.op_type == "BatchNormalization" and len(n.output) > 1]
    if not trained:
        return model
    for node in trained:
        del node.output[1:]
    path = os.path.join(FOLDER, "inference", os.path.basename(model))
    onnx.save(loaded, path)
    return path


def batch_dims(model):
    """The dimensions that a run of the model wants; all images at once where the batch is left open."""
    graph = onnx.load(model).graph
    fixed = {t.name for t in graph.initializer}
    value = next(v for v in graph.input if v.name not in fixed)
    dims = [d.dim_value for d in value.type.tensor_type.shape.dim]
    return [dims[0] or IMAGES] + dims[1:]


def runtime_errors(models):
    """Lets ONNX Runtime answer to all models, in one process; the errors by model."""
    images = os.path.join(FOLDER, "images.f32")
    networks.test_images(IMAGES).numpy().astype("<f4").tofile(images)
    rows = [{"model": for_inference(m), "input": images, "output": logits_path(m, "onnxruntime"), "dims": batch_dims(m)}
            for m in models]
    results = onnxruntime(rows, os.path.join(FOLDER, "list.json"))
    return {m: r["error"] for m, r in zip(models, results) if "error" in r}


# ---- the comparisons ----

def near(ours, theirs, scale=1.0):
    """Whether all logits agree; never when one is not a number."""
    if ours.shape != theirs.shape:
        return False, "ours are %s, theirs %s" % (ours.shape, theirs.shape)
    apart = numpy.abs(ours.astype("f8") - theirs).max() / scale
    return bool(apart <= LOGITS), "%.1e apart" % apart


def compare_runtime(tally, model, errors):
    def act():
        return (False, errors[model]) if model in errors else near(our_logits(model), read_logits(model, "onnxruntime"))
    tally.attempt("logits, ONNX Runtime", title(model), act)


def compare_candidate(tally, model, errors):
    """As compare_runtime, but relative to the largest logit: a heavily pruned network may answer with anything."""
    def act():
        if model in errors:
            return False, errors[model]
        ours = our_logits(model)
        return near(ours, read_logits(model, "onnxruntime"), max(1.0, float(numpy.abs(ours).max())))
    tally.attempt("logits, ONNX Runtime", title(model), act)


def compare_torch(tally, model, theirs):
    tally.attempt("logits, PyTorch", title(model), lambda: near(our_logits(model), theirs))


def compare_size(tally, model):
    def act():
        said = worker("inspect", model)
        params, macs = counting.count(onnx.load(model))
        return (said["params"], said["macs"]) == (params, macs), "%d params, %d MACs; counted %d, %d" % (
            said["params"], said["macs"], params, macs)
    tally.attempt("size, counted", title(model), act)


def compare_soundness(tally, model, kept):
    def act():
        loaded = onnx.load(model)
        onnx.checker.check_model(loaded, full_check=True)
        onnx.shape_inference.infer_shapes(loaded, check_type=True, strict_mode=True)
        return True, "sound; channels kept: " + kept
    tally.attempt("file, onnx.checker", title(model), act)


def compare_accuracy(tally, name):
    def act():
        x, y = networks.test_images(None), torch.from_numpy(networks.read_idx("t10k-labels-idx1-ubyte.gz").astype("i8"))
        net = networks.sample(name)
        with torch.no_grad():
            right = sum(int((net(a).argmax(1) == b).sum()) for a, b in zip(x.split(500), y.split(500)))
        ours = worker("eval", networks.sample_path(name), "--data", networks.DATA, "--mean", "0.2860", "--std",
                      "0.3530")
        good = ours["images"] == len(y) and abs(ours["accuracy"] - right / len(y)) <= ACCURACY
        return good, "%.4f; PyTorch %.4f" % (ours["accuracy"], right / len(y))
    tally.attempt("accuracy, PyTorch", title(networks.sample_path(name)), act)


def make_forms():
    folder = os.path.join(FOLDER, "forms")
    run(sys.executable, os.path.join(HERE, "forms.py"), folder)
    forms = {name: sorted(glob.glob(os.path.join(folder, name + "-*.onnx"))) for name in networks.NETWORKS}
    if not all(forms.values()):
        raise RuntimeError("%s: a network has no forms" % folder)
    return forms


def make_candidates(name):
    """By file, the channels kept of each group."""
    folder = os.path.join(FOLDER, "candidates", name)
    lines = run(os.path.join(OUT, "tests/peers-candidates"), "make", networks.sample_path(name), TRAIN_IMAGES,
                str(CANDIDATES), str(SEED), folder).splitlines()
    if len(lines) != CANDIDATES:
        raise RuntimeError("%s: %d candidates, expected %d" % (folder, len(lines), CANDIDATES))
    return dict(line.split(" ", 1) for line in lines)


def compare_all(tally):
    same = {name: [networks.sample_path(name), *files] for name, files in make_forms().items()}
    candidates = {}
    for name in networks.NETWORKS:
        candidates.update(make_candidates(name))
    errors = runtime_errors([model for models in same.values() for model in models] + list(candidates))
    for name, models in same.items():
        with torch.no_grad():
            theirs = networks.sample(name)(networks.test_images(IMAGES)).numpy()
        for model in models:
            compare_runtime(tally, model, errors)
            compare_torch(tally, model, theirs)
            compare_size(tally, model)
        compare_accuracy(tally, name)
    for model, kept in candidates.items():
        compare_soundness(tally, model, kept)
        compare_candidate(tally, model, errors)
        compare_size(tally, model)


def main():
    tally = Tally()
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name in ("logits", "inference"):
        os.makedirs(os.path.join(FOLDER, name))
    torch.set_num_threads(2)
    try:
        compare_all(tally)
    except (OSError, RuntimeError) as error:
        sys.exit("compare.py: %s" % error)
    print("%d passed, %d failed" % (tally.passed, tally.failed))
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    FOLDER = os.path.abspath(sys.argv[1])
    main()
