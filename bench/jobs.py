"""The job documents of the search's benchmarks, and what has to be uploaded for them.

SPDX-License-Identifier: MIT
"""
import os

import fashion
import run as runs
from daemon import ROOT

NETWORKS = ("resnet20", "vgg")
EVALUATIONS = 200
# Options of strategies that need some; COST stands for the run's cost. The rest is what they do by themselves.
OPTIONS = {
    "nsga2": {"population": 50},  # as Optuna's
    "random": {"metric": "COST"},
    "anneal": {"metric": "COST", "target": 0.8},  # rounds on the way there cover the rest
}
# What a run's job has beyond the others. warm_start: the network whose search is known, of the seed that follows.
VARIANTS = {
    "": {},
    "macs30": {"constraints": {"macs": "<= 30%"}},
    "accuracy5": {"constraints": {"accuracy": ">= baseline - 0.05"}},
    "after-lenet5": {"warm_start": "lenet5"},
    "after-resnet20": {"warm_start": "resnet20"},
    "after-vgg": {"warm_start": "vgg"},
}


def next_seed(seed):
    return seed % 3 + 1


def teacher(run):
    """The run that a warm start takes over; None."""
    network = VARIANTS[run.variant].get("warm_start")
    return network and runs.Run(run.cost, network, next_seed(run.seed), run.strategy)


class Jobs:
    def __init__(self, api, folder):
        sets = fashion.split(os.path.join(folder, "data"))
        self.data = {"format": "idx", "holdout": fashion.SCORED, "mean": [0.2860], "std": [0.3530],
                     **{name: {part: api.upload(path) for part, path in files.items()} for name, files in sets.items()}}
        self.models = {n: api.upload(os.path.join(ROOT, "models/fashion-%s.onnx" % n)) for n in ("lenet5", *NETWORKS)}

    @staticmethod
    def changes(api, run):
        """Of a variant: a run's name becomes the number of its job."""
        known = teacher(run)
        if not known:
            return VARIANTS[run.variant]
        number = runs.done(api, known.name())
        if number is None:
            raise RuntimeError("the daemon has no finished job %s: remove that run's file" % known.name())
        return {"warm_start": number}

    def document(self, api, run):
        """window 0: what is proposed knows all earlier results, as with Optuna's ask and tell in turn."""
        options = {k: run.cost if v == "COST" else v for k, v in OPTIONS.get(run.strategy, {}).items()}
        name = "manual" if run.strategy.startswith("optuna-") else run.strategy
        return {"name": run.name(), "model": self.models[run.network], "data": self.data,
                "prune": {"criterion": "l1", "max_ratio": 0.95}, "objectives": ["accuracy", run.cost],
                "strategy": {"name": name, **options}, "budget": {"trials": EVALUATIONS},
                "rungs": [{"recalibrate": 512, "images": fashion.SCORED}], "seed": run.seed, "window": 0,
                **self.changes(api, run)}
