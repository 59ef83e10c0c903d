"""What the environment wants of a benchmark: STRATEGIES, NETS, COSTS, SEEDS, each a list with commas.

SPDX-License-Identifier: MIT
"""
import os
import sys

import optuna_search
from jobs import NETWORKS
from run import COSTS

OURS = ("guided", "nsga2", "abc", "netadapt", "anneal", "uniform", "random")
STRATEGIES = (*OURS, *optuna_search.SAMPLERS)


def listed(name, default, known):
    wanted = [w for w in os.environ.get(name, "").split(",") if w] or list(default)
    wrong = [w for w in wanted if w not in known]
    if wrong:
        sys.exit("%s: is %s, expected some of %s" % (name, wrong[0], ", ".join(known)))
    return wanted


def seeds():
    return [int(s) for s in listed("SEEDS", "123", "123")]


def nets(default=NETWORKS):
    return listed("NETS", default, NETWORKS)


def costs(default=COSTS):
    return listed("COSTS", default, COSTS)


def strategies(default=STRATEGIES):
    return listed("STRATEGIES", default, STRATEGIES)
