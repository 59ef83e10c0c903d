"""One search by Optuna, evaluated by a manual job.

SPDX-License-Identifier: MIT

It is written as Optuna's users would: each group has a pruning ratio, a float, and what Optuna asks for is told before
it asks again. The ratios go as far as the job's prune.max_ratio.
"""
import math
import time
import warnings

import optuna

SAMPLERS = {
    "optuna-nsga2": lambda seed: optuna.samplers.NSGAIISampler(population_size=50, crossover_prob=0.9, seed=seed),
    "optuna-tpe": lambda seed: optuna.samplers.TPESampler(multivariate=True, seed=seed),
    "optuna-random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}
MAX_RATIO = 0.95

optuna.logging.set_verbosity(optuna.logging.WARNING)
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


def candidate(trial, channels):
    """No group keeps less than prune.max_ratio leaves it, which is what its last channel rounds to or one more."""
    ratios = [trial.suggest_float("ratio%d" % g, 0, MAX_RATIO) for g in range(len(channels))]
    least = [max(1, n - math.floor(n * MAX_RATIO + 1e-9)) for n in channels]
    return [max(m, round(n * (1 - r))) for n, r, m in zip(channels, ratios, least)]


def searching(api, number):
    """The job once its unpruned network is known."""
    while True:
        job = api.get("/v1/jobs/%d" % number)
        if job["state"] not in ("queued", "preparing"):
            return job
        time.sleep(0.05)


def evaluated(api, number, keep):
    posted = api.post("/v1/jobs/%d/trials" % number, {"candidate": keep})["trials"][0]
    while posted["state"] in ("waiting", "running"):
        posted = api.get("/v1/trials/%s?wait=30" % posted["id"])
    return posted


def search(api, number, run, evaluations):
    """Brings the manual job to its end."""
    job = searching(api, number)
    channels, whole = [g["channels"] for g in job["groups"]], job["baseline"][run.cost]
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=SAMPLERS[run.strategy](run.seed))
    for _ in range(evaluations):
        asked = study.ask()
        trial = evaluated(api, number, candidate(asked, channels))
        if trial["state"] == "complete":
            study.tell(asked, [trial["metrics"]["accuracy"], trial["metrics"][run.cost] / whole])
        else:
            study.tell(asked, state=optuna.trial.TrialState.FAIL)
    if api.get("/v1/jobs/%d" % number)["state"] == "searching":
        api.post("/v1/jobs/%d/finish" % number)
