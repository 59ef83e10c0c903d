"""CHECK=constraints: what constraints do to the candidates of a search, on the ResNet-20 sample.

SPDX-License-Identifier: MIT

With at most 30 % of the MACs every candidate must keep the bound. With at most five points of accuracy lost nobody can
know before; the share that loses more should fall. STRATEGIES (guided) and SEEDS as in search.py.
"""
import os

import choice
from jobs import EVALUATIONS
from run import load, Run
from runner import complete

BOUND, LOSS, BLOCK = 0.30, 0.05, 40


def over(rows):
    return sum(r["macs"] > BOUND for r in rows[1:] if r["accuracy"] is not None)


def infeasible(rows, begin):
    """Share among BLOCK evaluations from the given one."""
    block = rows[1 + begin:1 + begin + BLOCK]
    return sum(r["accuracy"] is None or r["accuracy"] < rows[0]["accuracy"] - LOSS for r in block) / max(1, len(block))


def report(wanted, folder):
    found = [(r, load(r, folder)) for r in wanted]
    found = [(r, rows) for r, rows in found if rows]
    for r, rows in found:
        if r.variant == "macs30":
            print("%s: %d evaluations, %d above %.0f %% of the MACs" % (
                r.name(), len(rows) - 1, over(rows), 100 * BOUND))
    starts = range(0, EVALUATIONS, BLOCK)
    print("\ninfeasible among | %s\n---|%s" % (
        " | ".join("%d-%d" % (b + 1, b + BLOCK) for b in starts), "---|" * len(starts)))
    for r, rows in found:
        if r.variant == "accuracy5":
            print("%s | %s" % (r.name(), " | ".join("%.0f %%" % (100 * infeasible(rows, b)) for b in starts)))


def main(folder):
    strategies, seeds = choice.strategies(("guided",)), choice.seeds()
    wanted = [Run("macs", "resnet20", seed, s, v) for v in ("macs30", "accuracy5") for s in strategies
              for seed in seeds]
    good = complete(folder, wanted)
    report(wanted, os.path.join(folder, "runs"))
    return good
