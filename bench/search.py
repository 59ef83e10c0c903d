#!/usr/bin/python3
"""How far a search gets with how many evaluations: our strategies and Optuna's on the same evaluator.

SPDX-License-Identifier: MIT

Usage: search.py FOLDER, by `make bench-search`. FOLDER keeps a daemon's state and a file for each finished run. What was
cut off is started again: a finished run is not repeated (remove its file to have it again, after a strategy changed),
and an unfinished one is answered from the daemon's store as far as it got. The environment narrows it: STRATEGIES,
NETS, COSTS and SEEDS, each a list with commas; HOURS is how long it may take (12). Then it prints the report of what is
there (also in FOLDER/tables.md), and draws the curves into FIGURES (FOLDER).

CHECK=constraints, CHECK=warm and CHECK=scale do something else: search_constraints.py, search_warm.py,
search_scale.py.
"""
import importlib
import os
import signal
import sys

import choice
import search_report
from run import Run
from runner import complete

CHECKS = ("constraints", "warm", "scale")


def main(folder):
    wanted = [Run(c, n, seed, s) for c in choice.costs() for n in choice.nets() for seed in choice.seeds()
              for s in choice.strategies()]
    good = complete(folder, wanted)
    search_report.write(wanted, os.path.join(folder, "runs"), os.environ.get("FIGURES") or folder)
    return good


def chosen(check):
    """What is to be done."""
    if not check:
        return main
    if check not in CHECKS:
        sys.exit("CHECK: is %s, expected one of %s" % (check, ", ".join(CHECKS)))
    return importlib.import_module("search_" + check).main


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    if not chosen(os.environ.get("CHECK"))(os.path.abspath(sys.argv[1])):
        sys.exit("not all is finished: start again to go on")
