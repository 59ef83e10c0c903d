#!/usr/bin/python3
"""Export the sample networks in every form that PyTorch's exporter has.

SPDX-License-Identifier: MIT

Usage: forms.py FOLDER [WORD...]: only forms whose name has all the words. A name says what was asked for:
NAME-OPSET-MODE[-folded][-fixed][-inputs].onnx, `fixed` for a batch of one instead of an open one, `inputs` for
initialisers that are listed as inputs too (opset 11). A few of these files are committed under tests/evaluator/forms/.
"""
import io
import itertools
import os
import sys
import warnings

import onnx
import torch

import networks

MODES = {"eval": torch.onnx.TrainingMode.EVAL, "preserve": torch.onnx.TrainingMode.PRESERVE,
         "training": torch.onnx.TrainingMode.TRAINING}


def all_forms():
    for name, opset, mode, folded, fixed in itertools.product(
            networks.NETWORKS, (11, 12, 13), MODES, (False, True), (False, True)):
        for inputs in (False, True) if opset == 11 else (False,):
            wanted = (("folded", folded), ("fixed", fixed), ("inputs", inputs))
            title = "-".join([name, str(opset), mode] + [word for word, on in wanted if on])
            yield title, (name, opset, mode, folded, fixed, inputs)


def fresh(name, mode):
    """A network of its own for each export: in training mode the exporter runs it, which moves running statistics
    unless they are told to stay."""
    net = networks.sample(name)
    for module in net.modules():
        if mode == "training" and isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.0
    return net


def export(form):
    name, opset, mode, folded, fixed, inputs = form
    into = io.BytesIO()
    axes = {} if fixed else {"input": {0: "batch"}, "logits": {0: "batch"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(fresh(name, mode), torch.zeros(1, *networks.IMAGE), into, opset_version=opset,
                          input_names=["input"], output_names=["logits"], dynamic_axes=axes, training=MODES[mode],
                          do_constant_folding=folded, keep_initializers_as_inputs=inputs)
    return into.getvalue()


def check(name, path):
    """Where a file has a tensor of the sample's under the sample's name, it must be the sample's to the bit."""
    ours, theirs = networks.weights(path), networks.weights(networks.sample_path(name))
    shared = [k for k in ours if k in theirs]
    assert shared, "%s: shares no tensor with the sample" % path
    for k in shared:
        assert torch.equal(ours[k], theirs[k]), "%s: %s differs from the sample's" % (path, k)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder, wanted = sys.argv[1], set(sys.argv[2:])
    os.makedirs(folder, exist_ok=True)
    for title, form in all_forms():
        if not wanted <= set(title.split("-")):
            continue
        path = os.path.join(folder, title + ".onnx")
        with open(path, "wb") as f:
            f.write(export(form))
        onnx.checker.check_model(path)
        check(form[0], path)
        ops = sorted({n.op_type for n in onnx.load(path).graph.node})
        print("%s: %d bytes, %s" % (path, os.path.getsize(path), " ".join(ops)), flush=True)


if __name__ == "__main__":
    main()
