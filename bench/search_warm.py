"""CHECK=warm: what a search gains from an earlier one's trials.

SPDX-License-Identifier: MIT

Each run of NETS (resnet20) is done cold, after a search of LeNet-5, and after one of the same network with another
seed; the recalibration images are others then, so that no result is answered from the store. STRATEGIES (guided),
COSTS and SEEDS as in search.py.
"""
import os
import statistics

import choice
import hypervolume
import jobs
import run as runs
from runner import complete

MARKS = (10, 20, 40, 60, 100, 200)


def reach(course, target):
    return next((i for i, v in enumerate(course, 1) if v >= target), float("inf"))


def course(run, folder):
    rows = runs.load(run, folder)
    return rows and hypervolume.course(runs.points(rows, run.cost))


def compare(cold, warm, folder):
    """One line a mark: medians over seeds of both hypervolumes, and of the evaluations to the cold run's."""
    pairs = [(course(c, folder), course(w, folder)) for c, w in zip(cold, warm)]
    pairs = [(c, w) for c, w in pairs if c and w]
    if not pairs:
        return
    of = warm[0]
    print("\n%s, %s, %s %s (%d seeds)\n" % (of.network, of.cost, of.strategy, of.variant, len(pairs)))
    print("evaluations | cold | warm | warm reaches cold's after\n---|---|---|---")
    for m in MARKS:
        print("%d | %.4f | %.4f | %g" % (m, *(statistics.median(p[i][m - 1] for p in pairs) for i in (0, 1)),
                                         statistics.median(reach(w, c[m - 1]) for c, w in pairs)))


def main(folder):
    nets, costs = choice.nets(("resnet20",)), choice.costs(("macs",))
    cold = [runs.Run(c, n, seed, s) for s in choice.strategies(("guided",)) for c in costs for n in nets
            for seed in choice.seeds()]
    warm = [r._replace(variant="after-" + n) for r in cold for n in ("lenet5", r.network)]
    teachers = list(dict.fromkeys(jobs.teacher(r) for r in warm))
    good = complete(folder, list(dict.fromkeys(teachers + cold))) and complete(folder, warm)
    kept = os.path.join(folder, "runs")
    for same in dict.fromkeys(r._replace(seed=0) for r in warm):
        chosen = [r for r in warm if r._replace(seed=0) == same]
        compare([r._replace(variant="") for r in chosen], chosen, kept)
    return good
