"""The area that points (gain, cost) dominate, with gain to be raised from 0 and cost to be lowered from 1.

SPDX-License-Identifier: MIT
"""


def front(points):
    """Those that no other dominates, by rising cost and so by rising gain."""
    kept, best = [], 0.0
    for gain, cost in sorted(points, key=lambda p: (p[1], -p[0])):
        if gain > best and cost < 1:
            kept.append((gain, cost))
            best = gain
    return kept


def area(points):
    """Of the staircase: each step reaches from its cost to the next one's."""
    steps = front(points)
    ends = [cost for _, cost in steps[1:]] + [1.0]
    return sum(gain * (end - cost) for (gain, cost), end in zip(steps, ends))


def course(points):
    """The area after each point; None stands for one that counts and adds nothing."""
    areas, kept = [], []
    for point in points:
        if point is not None:
            kept = front(kept + [point])
        areas.append(area(kept))
    return areas
