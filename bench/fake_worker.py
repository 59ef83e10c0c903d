"""A worker that makes its results up, for a network that does not exist: what is measured beside it is the daemon.

SPDX-License-Identifier: MIT

The network is a chain of convolutions, a group each. Accuracy falls with the square of what each group loses, times a
weight of its own, and with pairs of neighbours that both lose; the numbers are drawn once, by a seed.
"""
import math
import random
import time

POINTS = 17  # of a group's importance curve
POSITIONS = 64  # at which each convolution is computed
CLASSES = 10


class Network:
    def __init__(self, groups, seed=1):
        draw = random.Random(seed)
        self.channels = [draw.choice((32, 64, 128, 256)) for _ in range(groups)]
        self.weights = [draw.lognormvariate(0, 1.2) for _ in range(groups)]
        self.bends = [draw.uniform(1.2, 2.5) for _ in range(groups)]
        scale = 8 / sum(self.weights)
        self.weights = [w * scale for w in self.weights]

    def layers(self):
        """(outputs, inputs), each a term: [group, multiple]."""
        ends = [[-1, 3]] + [[g, 1] for g in range(len(self.channels))] + [[-1, CLASSES]]
        return list(zip(ends[1:], ends[:-1]))

    def inventory(self):
        return {
            "groups": [{"name": "conv%d" % g, "channels": n, "members": ["conv%d.weight" % g],
                        "importance": [round((i / (POINTS - 1)) ** bend, 6) for i in range(POINTS)]}
                       for g, (n, bend) in enumerate(zip(self.channels, self.bends))],
            "frozen": [], "chance": 1 / CLASSES, "fixed": {"params": 0, "buffers": 0},
            "layers": [{"name": "conv%d" % i, "op": "Conv", "out": [out], "in": [into], "kernel": 9,
                        "positions": POSITIONS, "vectors": 1, "buffers": 0}
                       for i, (out, into) in enumerate(self.layers())]}

    def metrics(self, keep=None):
        """A report's; of the whole network without keep."""
        kept = keep or self.channels
        sizes = [(out[1] if out[0] < 0 else kept[out[0]], into[1] if into[0] < 0 else kept[into[0]])
                 for out, into in self.layers()]
        products, outputs = sum(out * into * 9 for out, into in sizes), sum(out for out, _ in sizes)
        accuracy = self.accuracy([1 - k / n for k, n in zip(kept, self.channels)])
        return {"accuracy": accuracy, "loss": 2.5 - 2 * accuracy, "params": products + outputs,
                "macs": products * POSITIONS, "bytes": 4 * (products + outputs), "memory": 4 * POSITIONS * max(kept)}

    def accuracy(self, ratios):
        damage = sum(w * r * r for w, r in zip(self.weights, ratios))
        damage += 0.3 * sum(a * b * min(v, w) for a, b, v, w in zip(ratios, ratios[1:], self.weights, self.weights[1:]))
        return 1 / CLASSES + (1 - 1 / CLASSES) / (1 + math.exp(damage - 3))


class FakeWorker:
    def __init__(self, api, network, name="fake-1"):
        self.api, self.network, self.name = api, network, name
        self.model = api.store(b"a model that nobody opens")

    def lease(self, wait=30):
        return self.api.post("/v1/leases", {"worker": self.name, "wait": wait})

    def report(self, lease):
        if lease["kind"] == "test":
            return {"test": {"accuracy": 0.5, "loss": 1.0}}
        if lease["kind"] == "baseline":
            return {"metrics": self.network.metrics(), "inventory": self.network.inventory()}
        return {"metrics": self.network.metrics(lease["candidate"]), "model": self.model}

    def turn(self, lease):
        """Completes a lease; the next one, and the seconds until it was there: what the daemon took."""
        report = self.report(lease)
        began = time.perf_counter()
        self.api.post("/v1/leases/%d/complete" % lease["id"], report)
        following = self.lease()
        return following, time.perf_counter() - began

    def turns(self, lease, count):
        """So many candidates, or fewer when the search has ended; the lease that follows, and the seconds of each."""
        seconds = []
        while lease["kind"] == "candidate" and len(seconds) < count:
            lease, took = self.turn(lease)
            seconds.append(took)
        return lease, seconds
