#!/usr/bin/python3
"""Export one of torchvision's classifiers for `make zoo`, with inputs and the answers that PyTorch gives.

SPDX-License-Identifier: MIT

Usage: export.py --list, or export.py NAME FOLDER, which writes NAME-folded.onnx, NAME-unfolded.onnx, NAME.input.f32,
NAME.logits.f32 and NAME.json into FOLDER. Weights are random (weights.py) and the same at every run. It fails when the
answers hardly depend on the input: a comparison of such answers would say nothing.
"""
import json
import os
import sys
import warnings
import zlib

import torch
import torchvision

import weights

OPSET, BATCH, LEAST_SPREAD, MOST_PARAMS = 13, 3, 0.01, 150e6  # the spread: ten times what answers may be apart
FORMS = {"folded": (True, torch.onnx.TrainingMode.EVAL), "unfolded": (False, torch.onnx.TrainingMode.PRESERVE)}
TOO_LARGE = {"convnext_large", "regnet_y_128gf", "vit_h_14", "vit_l_16", "vit_l_32"}  # over 150 M params

# The smallest inputs that an architecture takes, where that is more than 64: positions are learned (ViT), windows must
# divide the maps (MaxViT), the exporter wants adaptive pooling to divide them (AlexNet, VGG).
SIZES = {"inception_v3": 123, "maxvit": 224, "vit": 224, "alexnet": 224, "vgg": 224}
NO_TRAINING = {"aux_logits": False, "init_weights": False}
SMALL_BRANCHES = {"zero_init_residual": True}  # of 50 blocks with large ones the rounding errors are 1e-4 of the logits
OPTIONS = {"inception_v3": NO_TRAINING, "googlenet": NO_TRAINING, "resnet": SMALL_BRANCHES, "resnext": SMALL_BRANCHES,
           "wide_resnet": SMALL_BRANCHES}


def names():
    return [n for n in torchvision.models.list_models(module=torchvision.models) if n not in TOO_LARGE]


def by_start(table, name, otherwise):
    return next((value for start, value in table.items() if name.startswith(start)), otherwise)


def allow_zero():
    """Swin V2 writes zeros over the key's third of its bias. The exporter has no word for `zero`; as an operator
    that writes to a part of a tensor it knows how to go on once there is one."""
    def zero(g, x):
        return g.op("Mul", x, g.op("Constant", value_t=torch.tensor(0.0)))
    torch.onnx.register_custom_op_symbolic("aten::zero", zero, OPSET)


def build(name):
    seed = zlib.crc32(name.encode())
    torch.manual_seed(seed)
    net = torchvision.models.get_model(name, weights=None, **by_start(OPTIONS, name, {}))
    params = sum(p.numel() for p in net.parameters())
    if params > MOST_PARAMS:
        raise RuntimeError("%s: %d params, expected at most %d" % (name, params, MOST_PARAMS))
    size = by_start(SIZES, name, 64)
    dims = (3, size, size)
    return weights.randomise(net, [dims], seed, 32 if dims[1] < 200 else 8), dims, params


def export(net, dims, form, path):
    folded, mode = FORMS[form]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, torch.zeros(2, *dims), path, opset_version=OPSET, do_constant_folding=folded,
                          training=mode, input_names=["image"], output_names=["logits"],
                          dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}})


def spread(logits):
    """How much of the answer depends on the input: the mean deviation of a logit, over the largest logit."""
    return float(logits.std(0).mean() / logits.abs().max())


def write_answers(net, dims, folder, name):
    x = weights.smooth(torch.Generator().manual_seed(1), BATCH, dims)
    with torch.no_grad():
        logits = net(x)
    if not torch.isfinite(logits).all() or spread(logits) < LEAST_SPREAD:
        raise RuntimeError("%s: logits up to %g, spread %.4f, expected at least %g" % (
            name, logits.abs().max(), spread(logits), LEAST_SPREAD))
    x.numpy().astype("<f4").tofile(os.path.join(folder, name + ".input.f32"))
    logits.numpy().astype("<f4").tofile(os.path.join(folder, name + ".logits.f32"))
    return {"dims": [BATCH, *dims], "spread": spread(logits), "largest": float(logits.abs().max())}


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(names()))
        return
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    name, folder = sys.argv[1:]
    if name not in names():
        sys.exit("NAME: is '%s', expected one of --list" % name)
    os.makedirs(folder, exist_ok=True)
    torch.set_num_threads(2)
    allow_zero()
    net, dims, params = build(name)
    said = {"name": name, "params": params, **write_answers(net, dims, folder, name)}
    for form in FORMS:
        export(net, dims, form, os.path.join(folder, "%s-%s.onnx" % (name, form)))
    with open(os.path.join(folder, name + ".json"), "w") as f:
        json.dump(said, f)
    print(json.dumps(said))


if __name__ == "__main__":
    main()
