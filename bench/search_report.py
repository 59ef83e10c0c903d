"""What the search's runs say: tables as Markdown, and curves.

SPDX-License-Identifier: MIT
"""
import itertools
import os
import statistics

import curves
import hypervolume
import run as runs
from choice import STRATEGIES
from jobs import EVALUATIONS

MARKS = (20, 40, 60, 100, 200)
CHANCE = 0.12  # ten classes in 2,000 images: one answer for all gets 0.1, with a standard deviation of 0.007


def median(values):
    return statistics.median(values) if values else float("nan")


def ranks(values):
    """Equal ones share the mean of their ranks."""
    order = sorted(values)
    return [order.index(v) + (order.count(v) - 1) / 2 for v in values]


def spearman(pairs):
    """Rank correlation; nan when there is nothing to correlate."""
    x, y = (ranks([p[i] for p in pairs]) for i in (0, 1))
    try:
        return statistics.correlation(x, y)
    except statistics.StatisticsError:
        return float("nan")


def padded(course):
    """A search that had nothing left to propose stays where it was."""
    return course + course[-1:] * (EVALUATIONS - len(course))


class Entry:
    """All seeds of a strategy on one network with one cost."""

    def __init__(self, run_rows, cost):
        self.rows = run_rows
        self.courses = [padded(hypervolume.course(runs.points(rows, cost))) for rows in run_rows]
        self.members = [[r for r in rows[1:] if r["others"] is not None] for rows in run_rows]
        self.others = [hypervolume.area((r["others"], r[cost]) for r in members) for members in self.members]

    def at(self, evaluations):
        return median([c[evaluations - 1] for c in self.courses])

    def reach(self, target):
        """Evaluations to that hypervolume, the median; None when it is never reached."""
        found = median([next((i for i, v in enumerate(c, 1) if v >= target), float("inf")) for c in self.courses])
        return None if found == float("inf") else found

    def at_chance(self):
        known = [r["accuracy"] for rows in self.rows for r in rows[1:] if r["accuracy"] is not None]
        return sum(a <= CHANCE for a in known) / len(known)

    def agreement(self):
        return median([spearman([(r["accuracy"], r["others"]) for r in members]) for members in self.members])


def gather(wanted, folder):
    """{cost: {network: {strategy: Entry}}} of the finished ones."""
    found = {}
    for run in wanted:
        rows = runs.load(run, folder)
        if rows:
            found.setdefault(run.cost, {}).setdefault(run.network, {}).setdefault(run.strategy, []).append(rows)
    return {cost: {network: {s: Entry(rows, cost) for s, rows in by_name.items()} for network, by_name in nets.items()}
            for cost, nets in found.items()}


def optunas_best(entries):
    """(name, hypervolume at the end) of the best of Optuna's."""
    theirs = {name: e.at(MARKS[-1]) for name, e in entries.items() if name.startswith("optuna-")}
    return max(theirs.items(), key=lambda item: item[1], default=(None, None))


def hypervolume_table(entries):
    best, target = optunas_best(entries)
    yield "| strategy | %s | reaches %s | at chance |" % (
        " | ".join(str(m) for m in MARKS), "%.3f (%s)" % (target, best) if best else "Optuna's")
    yield "|---|" + "---|" * (len(MARKS) + 2)
    for name, e in entries.items():
        reached = e.reach(target) if best else None
        yield "| `%s` | %s | %s | %.0f %% |" % (
            name, " | ".join("%.3f" % e.at(m) for m in MARKS), "never" if reached is None else "%g" % reached,
            100 * e.at_chance())


def check_table(entries):
    yield "| strategy | 2,000 that scored | 5,000 others | rank correlation | seeds |"
    yield "|---|---|---|---|---|"
    for name, e in entries.items():
        yield "| `%s` | %.4f | %.4f | %.3f | %d |" % (
            name, e.at(MARKS[-1]), median(e.others), e.agreement(), len(e.rows))


def disputes(entries):
    """Pairs of strategies that change places on the other images."""
    for (a, x), (b, y) in itertools.combinations(entries.items(), 2):
        here, there = x.at(MARKS[-1]) - y.at(MARKS[-1]), median(x.others) - median(y.others)
        if here * there < 0:
            yield "`%s` and `%s` (%+.4f, %+.4f)" % (a, b, here, there)


def trial_ms(entries):
    """Of an evaluation that was not known."""
    rows = (r for e in entries.values() for rows in e.rows for r in rows[1:])
    return median([r["ms"] for r in rows if not r["known"] and r["ms"]])


def section(cost, network, entries):
    yield "### %s, accuracy and %s" % (network, cost)
    yield ""
    yield from hypervolume_table(entries)
    yield ""
    yield from check_table(entries)
    yield ""
    turned = list(disputes(entries))
    yield "Order on the other images: %s. An evaluation took %.2f s (median)." % (
        "changed for " + ", ".join(turned) if turned else "the same", trial_ms(entries) / 1000)
    yield ""


def draw(cost, nets, folder):
    panels = {network: {name: e.courses for name, e in entries.items()} for network, entries in nets.items()}
    with open(os.path.join(folder, "search-%s.svg" % cost), "w", encoding="utf-8") as f:
        f.write(curves.drawing("Hypervolume over accuracy and %s, by evaluations" % cost, panels,
                               "hypervolume", STRATEGIES, STRATEGIES[0]))


def write(wanted, folder, figures):
    lines = []
    for cost, nets in gather(wanted, folder).items():
        draw(cost, nets, figures)
        for network, entries in nets.items():
            lines += section(cost, network, entries)
    with open(os.path.join(folder, "../tables.md"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines))
    print("\n".join(lines))
