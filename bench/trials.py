#!/usr/bin/python3
"""Quick trials a minute beside PyTorch: ResNet-20 pruned, batch-norms recalibrated on 2,048 images, 5,000 scored.

SPDX-License-Identifier: MIT

Usage: trials.py [ROUNDS], by `make bench-trials`. Both sides do the same candidates in turn, each in one process of one
thread that keeps model and data between trials, and both are asked for the accuracy: it must be nearly the same, or
they would not be doing the same thing. Candidates are drawn like a search's first ones: 5 to 95 % of the channels of
every group stay, by lot. Ours is all that a worker does for a trial, with the pruned ONNX file written; PyTorch's is
torch's own modules with their weights sliced by hand. PyTorch scores with whichever batch size is fastest for it.
"""
import json
import os
import random
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import evaluator  # noqa: E402 (the file beside this one)
from evaluator import Line, ROOT, worker  # noqa: E402

MODEL = os.path.join(ROOT, "models/fashion-resnet20.onnx")
HELD, RECALIBRATE, SCORED, BATCH = 5000, 2048, 5000, 64
DIGIT = "0" * 63


def lease(keep):
    """What a daemon would ask for; digests are a digit for each file (bench/runner.c)."""
    return json.dumps({
        "id": 1, "trial": "1.1", "kind": "candidate", "heartbeat": 5, "expires": 20, "model": "0" + DIGIT,
        "data": {"format": "idx", "train": {"images": "sha256:1" + DIGIT, "labels": "sha256:2" + DIGIT},
                 "test": {"images": "sha256:3" + DIGIT, "labels": "sha256:4" + DIGIT},
                 "holdout": HELD, "mean": [0.2860], "std": [0.3530]},
        "prune": {"criterion": "l1", "max_ratio": 0.95, "round_to": 1},
        "rung": {"recalibrate": RECALIBRATE, "images": SCORED, "latency": None},
        "limits": {"trial_seconds": 600, "trial_memory_mb": 4096}, "seed": 1, "candidate": keep})


def pytorch_side():
    """Answers {"keep": [...], "batch": N} with milliseconds and accuracy."""
    import copy
    import numpy
    import torch
    import networks
    torch.set_num_threads(1)
    torch.manual_seed(1)
    whole = networks.sample("resnet20")
    pixels = networks.read_idx("train-images-idx3-ubyte.gz")
    images = torch.from_numpy(((pixels.astype("f4") / 255 - 0.2860) / 0.3530)[:, None])
    labels = torch.from_numpy(networks.read_idx("train-labels-idx1-ubyte.gz").astype(numpy.int64))
    train = len(images) - HELD

    def rows_norm(conv, out):
        return conv.weight.abs().sum(dim=(1, 2, 3) if out else (0, 2, 3))

    def share(norm):
        return norm / norm.mean()

    def chosen(importance, count):
        return torch.sort(torch.topk(importance, count).indices).values

    def cut_conv(conv, out, into):
        weight = conv.weight.data[out]
        conv.weight = torch.nn.Parameter(weight if into is None else weight[:, into])

    def cut_norm(norm, out):
        for name in ("weight", "bias"):
            setattr(norm, name, torch.nn.Parameter(getattr(norm, name).data[out]))
        norm.running_mean, norm.running_var = norm.running_mean[out], norm.running_var[out]
        norm.num_features = len(out)

    def prune(keep):
        """keep is in the order of the groups: the stem's stream, each block's inner channels, and where a stage begins
        the next stream behind its first block's."""
        net, blocks, counts = copy.deepcopy(whole), whole.blocks, iter(keep)
        stem = next(counts)
        inner, streams = [], [stem]
        for block in blocks:
            inner.append(next(counts))
            if isinstance(block.short, torch.nn.Sequential):
                streams.append(next(counts))
        stage, stage_of = 0, []
        for block in blocks:
            stage += isinstance(block.short, torch.nn.Sequential)
            stage_of.append(stage)
        writers, readers = [[whole.conv], [], []], [[], [], []]
        for i, block in enumerate(blocks):
            before = stage_of[i - 1] if i else 0
            readers[before].append(block.conv1)
            writers[stage_of[i]].append(block.conv2)
            if isinstance(block.short, torch.nn.Sequential):
                writers[stage_of[i]].append(block.short[0])
                readers[before].append(block.short[0])
        kept = []
        for s in range(3):
            importance = sum(share(rows_norm(c, True)) for c in writers[s])
            importance = importance + sum(share(rows_norm(c, False)) for c in readers[s])
            if s == 2:
                importance = importance + share(whole.fc.weight.abs().sum(dim=0))
            kept.append(chosen(importance, streams[s]))
        cut_conv(net.conv, kept[0], None)
        cut_norm(net.bn, kept[0])
        for i, block in enumerate(net.blocks):
            into, out = kept[stage_of[i - 1] if i else 0], kept[stage_of[i]]
            middle = chosen(share(rows_norm(block.conv1, True)) + share(rows_norm(block.conv2, False)), inner[i])
            cut_conv(block.conv1, middle, into)
            cut_norm(block.bn1, middle)
            cut_conv(block.conv2, out, middle)
            cut_norm(block.bn2, out)
            if isinstance(block.short, torch.nn.Sequential):
                cut_conv(block.short[0], out, into)
                cut_norm(block.short[1], out)
        net.fc.weight = torch.nn.Parameter(net.fc.weight.data[:, kept[2]])
        return net

    def recalibrate(net):
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None
        net.train()
        order = torch.randperm(train)[:RECALIBRATE]
        for batch in order.split(BATCH):
            net(images[batch])
        net.eval()

    def trial(keep, batch):
        start = time.perf_counter()
        with torch.no_grad():
            net = prune(keep)
            recalibrate(net)
            held = range(train, train + SCORED, batch)
            hits = sum((net(images[i:i + batch]).argmax(1) == labels[i:i + batch]).sum().item() for i in held)
        return (time.perf_counter() - start) * 1e3, hits / SCORED

    for line in sys.stdin:
        asked = json.loads(line)
        print("%.6f %.4f" % trial(asked["keep"], asked["batch"]), flush=True)


def candidates(count):
    generator = random.Random(7)
    groups = [g["channels"] for g in worker("inspect", MODEL)["groups"]]
    return [[max(1, round(n * generator.uniform(0.05, 0.95))) for n in groups] for _ in range(count)]


def ask_pytorch(side, keep, batch):
    ms, accuracy = side.ask(json.dumps({"keep": keep, "batch": batch})).split()
    return float(ms), float(accuracy)


def ask_ours(side, keep):
    ms, metrics = side.ask("trial", MODEL, lease(keep)).split(" ", 1)
    return float(ms), json.loads(metrics)["accuracy"]


def main(rounds):
    core = evaluator.fastest_core(os.path.join(ROOT, "models/fashion-vgg.onnx"))
    ours = evaluator.runner()
    theirs = Line(["/usr/bin/python3", os.path.abspath(__file__), "--pytorch"], OPENBLAS_CORETYPE=core)
    first, *others = candidates(rounds + 1)
    ask_ours(ours, first)
    batch = min((64, 128, 256, 500), key=lambda b: min(ask_pytorch(theirs, first, b)[0] for _ in range(2)))
    print("PyTorch with OPENBLAS_CORETYPE=%s, scoring %d images at a time" % (core, batch))
    print("%-44s %9s %9s %7s %9s %9s" % ("channels kept", "pared ms", "PyTorch", "ratio", "accuracy", "PyTorch's"))
    mine, peers = [], []
    for keep in others:
        my_ms, my_accuracy = ask_ours(ours, keep)
        peer_ms, peer_accuracy = ask_pytorch(theirs, keep, batch)
        mine.append(my_ms)
        peers.append(peer_ms)
        print("%-44s %9.0f %9.0f %7.2f %9.4f %9.4f" % (
            ",".join(map(str, keep)), my_ms, peer_ms, peer_ms / my_ms, my_accuracy, peer_accuracy), flush=True)
    print("trials a minute: pared %.1f, PyTorch %.1f; %.2f times as many (all candidates), %.2f (median)" % (
        6e4 * len(mine) / sum(mine), 6e4 * len(peers) / sum(peers), sum(peers) / sum(mine),
        statistics.median(p / m for p, m in zip(peers, mine))))
    for side in (ours, theirs):
        side.close()


if __name__ == "__main__":
    if sys.argv[1:] == ["--pytorch"]:
        sys.path.insert(0, os.path.join(HERE, "../tests/peers"))
        pytorch_side()
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
