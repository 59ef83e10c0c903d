"""A drawing of curves: a median and the band from least to most, in panels beside each other, as SVG.

SPDX-License-Identifier: MIT

Colours and the grey of the text stand out from white and from black alike.
"""
import math
import statistics
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, GAP = 360, 300, 62, 64, 66
STYLE = """text { font-family: system-ui, "Segoe UI", "DejaVu Sans", Arial, sans-serif; fill: #768390; }
.head { font-size: 16px; font-weight: 600; } .label { font-size: 13px; } .key { font-size: 12px; }
.tick { font-size: 12px; font-variant-numeric: tabular-nums; }
.grid { stroke: #768390; stroke-opacity: 0.18; } .axis { stroke: #768390; fill: none; }
.band { fill-opacity: 0.12; } .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.first { stroke-width: 2.8; } .dashed { stroke-dasharray: 5 3; }"""
COLORS = ("#2f81f7", "#1f9d8b", "#8a8f98", "#b58900", "#c2528b", "#6f9c3d", "#9a6dd7", "#d9822b", "#e5534b", "#a0765b")
KEY_WIDTH = 150
START = 10  # values before the one of this number may be off the scale


def nice_step(span):
    """1, 2 or 5 times a power of ten: about five in span."""
    power = 10 ** math.floor(math.log10(span / 5))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= span / 5)


class Panel:
    """x runs from 0 to the number of values in a curve."""

    def __init__(self, title, curves, left):
        self.title, self.curves, self.left = title, curves, left
        self.count = max((len(c) for group in curves.values() for c in group), default=1)
        ends = [c[i] for group in curves.values() for c in group for i in (min(START, len(c)) - 1, -1)]
        self.step = nice_step(max(ends) - min(ends) or 1)
        self.low, self.high = (self.step * bound(end / self.step) for bound, end in (
            (math.floor, min(ends)), (math.ceil, max(ends))))

    def x(self, value):
        return self.left + WIDTH * value / self.count

    def y(self, value):
        """Below the lowest line: on it."""
        return TOP + HEIGHT * min(1, (self.high - value) / (self.high - self.low))

    def path(self, values, numbers):
        return "L".join("%.1f %.1f" % (self.x(n), self.y(v)) for n, v in zip(numbers, values))

    def axes(self):
        bottom, right = TOP + HEIGHT, self.left + WIDTH
        yield '<text class="head" x="%d" y="%d">%s</text>' % (self.left, TOP - 14, escape(self.title))
        for i in range(round((self.high - self.low) / self.step) + 1):
            value = self.low + i * self.step
            at = self.y(value)
            yield '<path class="grid" d="M%d %.1fH%d"/>' % (self.left, at, right)
            yield '<text class="tick" x="%d" y="%.1f" text-anchor="end">%.3g</text>' % (self.left - 8, at + 4, value)
        for n in range(0, self.count + 1, round(nice_step(self.count)) or 1):
            yield '<path class="grid" d="M%.1f %dV%d"/>' % (self.x(n), TOP, bottom)
            yield '<text class="tick" x="%.1f" y="%d" text-anchor="middle">%d</text>' % (self.x(n), bottom + 18, n)
        yield '<path class="axis" d="M%d %dV%dH%d"/>' % (self.left, TOP, bottom, right)
        yield '<text class="label" x="%.1f" y="%d" text-anchor="middle">evaluations</text>' % (
            self.left + WIDTH / 2, bottom + 40)

    def curve(self, group, color, kind):
        """A staircase would say the same with twice the points."""
        numbers = range(1, self.count + 1)
        rows = list(zip(*group))
        low, high = self.path(map(min, rows), numbers), self.path(reversed([max(r) for r in rows]), reversed(numbers))
        middle = self.path(map(statistics.median, rows), numbers)
        if len(group) > 1:
            yield '<path class="band" fill="%s" d="M%sL%sz"/>' % (color, low, high)
        yield '<path class="line%s" stroke="%s" d="M%s"/>' % (kind, color, middle)


def kind_of(name, first):
    return (" first" if name == first else "") + (" dashed" if name.startswith("optuna") else "")


def legend(names, colors, first, width, top):
    per_row = max(1, (width - LEFT) // KEY_WIDTH)
    for i, name in enumerate(names):
        x, y = LEFT + i % per_row * KEY_WIDTH, top + i // per_row * 22
        yield '<path class="line%s" stroke="%s" d="M%d %dh24"/>' % (kind_of(name, first), colors[name], x, y - 4)
        yield '<text class="key" x="%d" y="%d">%s</text>' % (x + 31, y, escape(name))


def drawing(title, panels, label, names, first):
    """panels: {title: {name: [values, ...]}}, all values of the same length; names in the legend's order."""
    colors = dict(zip(names, COLORS))
    width = LEFT + len(panels) * (WIDTH + GAP) - GAP + 24
    shown = [n for n in names if any(n in curves for curves in panels.values())]
    per_row = max(1, (width - LEFT) // KEY_WIDTH)
    height = TOP + HEIGHT + 76 + (len(shown) + per_row - 1) // per_row * 22
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 %d %d" width="%d" height="%d">' % (
        width, height, width, height), "<title>%s</title>" % escape(title), "<style>\n%s\n</style>" % STYLE,
        '<text class="label" text-anchor="middle" transform="translate(16 %d) rotate(-90)">%s</text>' % (
            TOP + HEIGHT / 2, escape(label))]
    for i, (head, curves) in enumerate(panels.items()):
        panel = Panel(head, curves, LEFT + i * (WIDTH + GAP))
        parts += panel.axes()
        for name in reversed(shown):  # the first on top
            parts += panel.curve(curves[name], colors[name], kind_of(name, first)) if name in curves else ()
    parts += legend(shown, colors, first, width, TOP + HEIGHT + 70)
    return "\n".join([*parts, "</svg>", ""])
