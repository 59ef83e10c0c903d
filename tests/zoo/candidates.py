#!/usr/bin/python3
"""Two thousand random candidates of twenty architectures: no export may have shapes that disagree.

SPDX-License-Identifier: MIT

Usage: candidates.py FOLDER, by `make zoo-candidates`. A hundred candidates a model, from light pruning to heavy; each is
written, read again by us (shapes inferred afresh, the network counted), and judged by onnx's checker with strict shape
inference. A line a model; the ones that are done are not done again.
"""
import json
import os
import sys

import judge
import zoo

CANDIDATES, FORM = 100, "unfolded"
ARCHITECTURES = (
    "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet", "inception_v3",
    "maxvit_t", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "regnet_x_400mf", "regnet_y_400mf", "resnet18",
    "resnet50", "resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_1", "swin_t", "swin_v2_t")


def ratio(seed):
    """From 0.05 to 0.95, evenly."""
    return 0.05 + 0.9 * (seed % CANDIDATES) / (CANDIDATES - 1)


def judge_one(model, seed, path):
    """An error, or None."""
    try:
        said = judge.prune(model, seed, ratio(seed), path)
        judge.check_file(path)
        if judge.inspect(path)["params"] != said["params"][1]:
            return "seed %d: the file has not the %d params of the candidate" % (seed, said["params"][1])
    except Exception as error:  # whatever it is, it is a candidate that failed
        return "seed %d: %s" % (seed, " ".join(str(error).split())[:300])
    return None


def judge_model(folder, name):
    model = os.path.join(folder, "%s-%s.onnx" % (name, FORM))
    path = os.path.join(folder, name + "-candidate.onnx")
    zoo.export(name, folder)
    errors = [e for e in (judge_one(model, seed, path) for seed in range(CANDIDATES)) if e]
    zoo.clear(name, folder)
    return errors


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = os.path.join(sys.argv[1], "candidates")
    os.makedirs(folder, exist_ok=True)
    current, failed = zoo.version(zoo.EXPORTED_BY + zoo.JUDGED_BY + [__file__]), 0
    for name in ARCHITECTURES:
        row = os.path.join(folder, name + ".row")
        known = json.load(open(row)) if os.path.exists(row) else {}
        if known.get("version") != current or known["errors"]:
            known = {"version": current, "errors": judge_model(folder, name)}
            with open(row, "w") as f:
                json.dump(known, f)
        failed += len(known["errors"])
        print("%-4s  %-20s %d candidates, %d failed  %s" % ("FAIL" if known["errors"] else "ok", name, CANDIDATES,
                                                            len(known["errors"]), known["errors"][:1] or ""), flush=True)
    print("%d candidates of %d architectures, %d failed" % (CANDIDATES * len(ARCHITECTURES), len(ARCHITECTURES), failed))
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
