#!/usr/bin/python3
"""Training steps and inference beside PyTorch and ONNX Runtime, in turn, one thread each.

SPDX-License-Identifier: MIT

Usage: evaluator.py FOLDER [ROUNDS], by `make bench-evaluator`. FOLDER takes the candidates that are made on the way:
each sample network with about half of its channels removed by lot, so that their numbers are odd ones. In each round
every program measures each row once; the table has medians over rounds. PyTorch runs with whichever OpenBLAS kernel is
fastest for it here (OPENBLAS_CORETYPE, tried first). A training step is: images to floats, forward, backward, SGD with
Nesterov momentum and weight decay. "of peak" is 2 MACs an image (forward) or 6 (a step, less the first layer's data
gradient) over what the processor's multiply-adds could do in the time, measured in the same run; Winograd's convolutions
do less arithmetic than that counts.
"""
import json
import os
import random
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, ".."))
sys.path.insert(0, os.path.join(HERE, "../tests/peers"))
from programs import OUT, core as own_core, environment, worker  # noqa: E402 (the folder beside this one)

NAMES = ("lenet5", "vgg", "resnet20")
BATCH = 64
CORES = ("SkylakeX", "Haswell", "Zen")


class Line:
    """A program that answers each line with one."""

    def __init__(self, command, **changes):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**environment(), **changes})

    def ask(self, *words):
        self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("%s: no answer to %s" % (self.process.args[0], words))
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def pytorch_side():
    """Answers lines, in a process of its own: OpenBLAS chooses its kernels when it is loaded."""
    import torch
    import networks
    torch.set_num_threads(1)
    kept = {}

    def net_of(name, path):
        if path not in kept:
            net = networks.shaped(name, path)
            kept[path] = net, torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, weight_decay=5e-4, nesterov=True)
        return kept[path]

    pixels = torch.from_numpy(networks.read_idx("train-images-idx3-ubyte.gz").copy())
    labels = torch.from_numpy(networks.read_idx("train-labels-idx1-ubyte.gz").astype("int64"))

    def train(name, path, batch, steps):
        net, optimiser = net_of(name, path)
        net.train()
        order = torch.randperm(len(pixels))
        start = time.perf_counter()
        for i in range(steps):
            which = order[i * batch:(i + 1) * batch]
            x = ((pixels[which].float() / 255 - 0.2860) / 0.3530).unsqueeze(1)
            loss = torch.nn.functional.cross_entropy(net(x), labels[which])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return (time.perf_counter() - start) / steps * 1e3

    def infer(name, path, batch):
        net = net_of(name, path)[0].eval()
        x, times = torch.rand(batch, 1, 28, 28) * 2 - 1, []
        with torch.no_grad():
            while len(times) < 3 or (sum(times) < 300 and len(times) < 400):
                start = time.perf_counter()
                net(x)
                times.append((time.perf_counter() - start) * 1e3)
        return statistics.median(times)

    for line in sys.stdin:
        verb, name, path, *numbers = line.split()
        print("%.6f" % {"train": train, "infer": infer}[verb](name, path, *map(int, numbers)), flush=True)


def runner():
    """Ours, with the kernels that it would choose itself, whatever this shell says."""
    return Line([os.path.join(OUT, "bench/runner")], **({"OPENBLAS_CORETYPE": own_core()} if own_core() else {}))


def pytorch(core):
    return Line(["/usr/bin/python3", os.path.abspath(__file__), "--pytorch"], OPENBLAS_CORETYPE=core)


def fastest_core(path):
    """The OpenBLAS kernel that PyTorch trains VGG fastest with."""
    times = {}
    for core in CORES:
        side = pytorch(core)
        side.ask("train", "vgg", path, BATCH, 3)
        times[core] = min(float(side.ask("train", "vgg", path, BATCH, 5)) for _ in range(3))
        side.close()
    return min(times, key=times.get)


def candidate(folder, name, model):
    """About half of each group's channels, by lot, and never a multiple of 8."""
    generator, keep = random.Random(1), {}
    for group in worker("inspect", model)["groups"]:
        n = group["channels"]
        choices = [k for k in range(max(1, n * 4 // 10), max(2, n * 6 // 10 + 1)) if k % 8] or [max(1, n // 2)]
        keep[group["name"]] = generator.choice(choices)
    listed, path = os.path.join(folder, name + ".json"), os.path.join(folder, name + "-half.onnx")
    with open(listed, "w", encoding="ascii") as f:
        json.dump(keep, f)
    worker("prune", model, "--keep", listed, "--criterion", "random", "-o", path)
    return path


def rows(folder):
    """(label, network, file, MACs), the sample networks and their halves."""
    found = []
    for name in NAMES:
        model = os.path.join(ROOT, "models", "fashion-%s.onnx" % name)
        for label, path in ((name, model), (name + ", half", candidate(folder, name, model))):
            found.append((label, name, path, worker("inspect", path)["macs"]))
    return found


def measure(table, rounds, ours, theirs, session):
    """{(label, kind): {program: [ms, ...]}}"""
    times, peaks = {}, []
    for turn in range(rounds + 1):  # the first warms up
        peaks.append(float(ours.ask("peak")))
        for label, name, path, _ in table:
            steps = 100 if name == "lenet5" else 8
            asked = {
                "step, batch %d" % BATCH: {
                    "pared": lambda: ours.ask("train", path, BATCH, steps),
                    "PyTorch": lambda: theirs.ask("train", name, path, BATCH, steps)},
                "infer, batch %d" % BATCH: {
                    "pared": lambda: ours.ask("infer", path, BATCH),
                    "PyTorch": lambda: theirs.ask("infer", name, path, BATCH),
                    "ONNX Runtime": lambda: session.ask("infer", path, BATCH)},
                "infer, batch 1": {
                    "pared": lambda: ours.ask("infer", path, 1),
                    "PyTorch": lambda: theirs.ask("infer", name, path, 1),
                    "ONNX Runtime": lambda: session.ask("infer", path, 1)}}
            for kind, programs in asked.items():
                for program, ask in programs.items():
                    ms = float(ask())
                    if turn:
                        times.setdefault((label, kind), {}).setdefault(program, []).append(ms)
        print("round %d of %d" % (turn, rounds), file=sys.stderr)
    return times, statistics.median(sorted(peaks)[len(peaks) // 2:])


def print_table(table, times, peak, rounds):
    macs = {label: m for label, _, _, m in table}
    print("one thread, medians of %d rounds in turn; multiply-adds reach %.0f GFLOP/s here" % (rounds, peak))
    print("%-15s %-15s %10s %10s %10s %9s %9s %9s %8s" % (
        "network", "what", "pared ms", "PyTorch", "ONNX Rt", "images/s", "x PyTorch", "x ONNX Rt", "of peak"))
    for (label, kind), programs in sorted(times.items(), key=lambda item: item[0][1], reverse=True):
        ms = {program: statistics.median(values) for program, values in programs.items()}
        batch = int(kind.rsplit(" ", 1)[1])
        work = (6 if kind.startswith("step") else 2) * macs[label] * batch
        session = ms.get("ONNX Runtime")
        print("%-15s %-15s %10.3f %10.3f %10s %9.0f %9.2f %9s %7.0f%%" % (
            label, kind, ms["pared"], ms["PyTorch"], "%.3f" % session if session else "", batch / ms["pared"] * 1e3,
            ms["PyTorch"] / ms["pared"], "%.2f" % (session / ms["pared"]) if session else "",
            100 * work / (ms["pared"] * 1e6) / peak))


def main(folder, rounds):
    os.makedirs(folder, exist_ok=True)
    table = rows(folder)
    core = fastest_core(table[2][2])
    ours = runner()
    theirs, session = pytorch(core), Line(["node", os.path.join(HERE, "session.js")])
    print("PyTorch with OPENBLAS_CORETYPE=%s" % core)
    times, peak = measure(table, rounds, ours, theirs, session)
    print_table(table, times, peak, rounds)
    for side in (ours, theirs, session):
        side.close()


if __name__ == "__main__":
    if sys.argv[1] == "--pytorch":
        pytorch_side()
    else:
        main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 9)
