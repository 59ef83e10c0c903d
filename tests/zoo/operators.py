"""Operators, one at a time, in the forms that ONNX gives them: what compare_operators.py compares.

SPDX-License-Identifier: MIT

FAMILIES has a table each. A row is an operator, its inputs and attributes, and the first and the last opset (of those
that we read) that has this form: it is tried at both. An input is `x(...)`, computed, the batch before those
dimensions; an array, stored; or None, left out. Sizes are odd where they may be: a rule that only holds for equal or
even ones shows.
"""
import collections
import itertools

import numpy

FIRST_OPSET, LAST_OPSET, BATCH = 9, 18, 2
RANDOM = numpy.random.RandomState(3)


# ---- what rows are made of ----

class x(tuple):
    """The dimensions of a computed input, without the batch."""

    def __new__(cls, *dims):
        return super().__new__(cls, dims)


def numbers(*dims):
    return RANDOM.randn(*dims).astype("f4")


def above_zero(*dims):
    return numpy.abs(numbers(*dims)) + numpy.float32(.1)


def wide(*dims):
    """Far out, too, where a function is flat or steep."""
    return numbers(*dims) * numpy.float32(8)


def quarters(*dims):
    """Zeros, halves and whole numbers among them."""
    return numpy.round(8 * numbers(*dims)) / numpy.float32(4)


def scalar(number):
    return numpy.float32(number)


def floats(*values):
    return numpy.array(values, "f4")


def ints(*values):
    return numpy.array(values, "i8")


Row = collections.namedtuple("Row", "op inputs attributes first last outputs values fixed")


def row(op, *inputs, first=FIRST_OPSET, last=LAST_OPSET, outputs=1, values=numbers, fixed=False, **attributes):
    """`values` makes the numbers of computed inputs; with `fixed` the file names the batch as a number."""
    return Row(op, inputs, attributes, first, last, outputs, values, fixed)


# ---- convolutions ----

CONVOLUTIONS = [
    row("Conv", x(6, 9, 8), numbers(5, 6, 3, 3)),
    row("Conv", x(6, 9, 8), numbers(5, 6, 1, 1), numbers(5), kernel_shape=[1, 1]),
    row("Conv", x(6, 9, 8), numbers(4, 3, 3, 2), numbers(4), group=2, dilations=[2, 1], pads=[1, 0, 2, 1],
        strides=[2, 1]),
    row("Conv", x(5, 9, 8), numbers(5, 1, 3, 3), numbers(5), group=5, pads=[1, 1, 1, 1]),
    row("Conv", x(5, 9, 8), numbers(10, 1, 3, 3), group=5, strides=[2, 2]),
    row("Conv", x(3, 9, 8), numbers(4, 3, 3, 2), auto_pad="VALID", strides=[3, 2]),
    row("Conv", x(6, 9), numbers(4, 6, 3), auto_pad="SAME_LOWER", strides=[2]),
    row("Conv", x(6, 9), numbers(4, 3, 3), numbers(4), group=2, dilations=[3], pads=[4, 3]),
    row("Conv", x(3, 5, 6, 7), numbers(4, 3, 3, 2, 3), auto_pad="SAME_UPPER", strides=[2, 1, 2]),
    row("Conv", x(4, 5, 6, 7), numbers(4, 2, 2, 3, 2), numbers(4), group=2, pads=[1, 0, 0, 0, 2, 1],
        dilations=[1, 2, 1]),
] + [
    row("ConvTranspose", x(6, 5, 4), numbers(6, 2, 3, 2), numbers(4), group=2, auto_pad=pad, strides=[stride, stride])
    for pad in ("SAME_UPPER", "SAME_LOWER", "VALID") for stride in (1, 2, 3)
] + [
    row("ConvTranspose", x(6, 5, 4), numbers(6, 2, 3, 2), group=2, pads=[1, 0, 0, 2], strides=[stride, stride])
    for stride in (1, 2, 3)
] + [
    row("ConvTranspose", x(6, 5, 4), numbers(6, 1, 3, 3), group=6, strides=[2, 2], pads=[1, 1, 1, 1]),
    row("ConvTranspose", x(6, 5, 4), numbers(6, 2, 3, 2), dilations=[2, 3], pads=[1, 0, 2, 1]),
    row("ConvTranspose", x(6, 5, 4), numbers(6, 2, 3, 2), output_shape=[11, 8], strides=[2, 2]),
    row("ConvTranspose", x(6, 5, 4), numbers(6, 2, 3, 2), output_shape=[9, 7], strides=[2, 2], auto_pad="SAME_UPPER"),
    row("ConvTranspose", x(6, 5, 4), numbers(6, 2, 3, 2), output_shape=[10, 9], strides=[2, 2], auto_pad="SAME_LOWER"),
    row("ConvTranspose", x(6, 5, 4), numbers(6, 2, 3, 2), output_padding=[1, 1], strides=[2, 2], pads=[1, 1, 1, 1]),
    row("ConvTranspose", x(4, 7), numbers(4, 2, 3), strides=[2], pads=[1, 0], output_padding=[1]),
    row("ConvTranspose", x(4, 3, 4, 5), numbers(4, 2, 3, 2, 2), strides=[2, 1, 3], pads=[0, 1, 0, 1, 0, 1]),
]


# ---- pooling ----

WINDOWS = [
    dict(kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 0, 0]),
    dict(kernel_shape=[3, 2], strides=[2, 3], pads=[1, 1, 1, 1]),
    dict(kernel_shape=[2, 3], strides=[2, 2], pads=[0, 1, 1, 2]),
    dict(kernel_shape=[3, 3], strides=[3, 3], pads=[1, 0, 2, 1]),
]
MAPS = x(5, 10, 11), x(3, 7, 8)

POOLING = [
    row("MaxPool", maps, first=10, ceil_mode=ceil, **window)
    for maps, window, ceil in itertools.product(MAPS, WINDOWS, (0, 1))
] + [
    row("AveragePool", maps, first=10, ceil_mode=ceil, count_include_pad=include, **window)
    for maps, window, ceil, include in itertools.product(MAPS, WINDOWS, (0, 1), (0, 1))
] + [
    row("MaxPool", x(5, 10, 7), kernel_shape=[3, 2]),
    row("MaxPool", x(5, 10), kernel_shape=[3], strides=[2], auto_pad="SAME_LOWER"),
    row("MaxPool", x(5, 10, 7, 6), first=10, kernel_shape=[3, 2, 2], strides=[2, 1, 2], dilations=[1, 2, 1]),
    row("MaxPool", x(5, 10, 7), first=10, kernel_shape=[3, 2], strides=[2, 1], dilations=[2, 3], pads=[2, 1, 2, 1],
        ceil_mode=1),
    row("AveragePool", x(5, 10, 7), kernel_shape=[3, 2]),
    row("AveragePool", x(5, 10), first=10, kernel_shape=[3], strides=[2], pads=[1, 1], ceil_mode=1,
        count_include_pad=1),
    row("AveragePool", x(5, 10, 7), kernel_shape=[3, 4], strides=[2, 3], auto_pad="SAME_LOWER", count_include_pad=1),
    row("AveragePool", x(5, 10, 7), kernel_shape=[3, 4], strides=[2, 3], auto_pad="SAME_UPPER"),
    row("AveragePool", x(3, 5, 7, 6), kernel_shape=[3, 2, 2], strides=[2, 1, 2], pads=[1, 0, 1, 1, 1, 0]),
] + [
    row(op, x(*dims)) for op in ("GlobalAveragePool", "GlobalMaxPool") for dims in ((5, 4), (5, 4, 3), (5, 4, 3, 2))
]


# ---- one number to one number ----

SMOOTH = "Relu LeakyRelu Elu Selu Sigmoid HardSigmoid Tanh Softplus Softsign Erf Exp Abs Neg Sin Cos".split()

ELEMENTWISE = [
    row(op, x(7, 5), values=values) for op in SMOOTH for values in (numbers, wide)
] + [
    row(op, x(7, 5), first=first, values=values)
    for op, first in (("ThresholdedRelu", 10), ("Celu", 12), ("HardSwish", 14), ("Mish", 18))
    for values in (numbers, wide)
] + [
    row(op, x(7, 5), first=first, values=quarters)
    for op, first in (("Sign", 9), ("Floor", 9), ("Ceil", 9), ("Round", 11))
] + [
    row(op, x(7, 5), values=above_zero) for op in ("Log", "Sqrt", "Reciprocal")
] + [
    row("LeakyRelu", x(7, 5), alpha=.3),
    row("Elu", x(7, 5), alpha=1.3),
    row("Celu", x(7, 5), first=12, alpha=2.),
    row("Selu", x(7, 5), alpha=1.3, gamma=.7),
    row("HardSigmoid", x(7, 5), alpha=.3, beta=.1),
    row("ThresholdedRelu", x(7, 5), first=10, alpha=.2),
    row("Clip", x(7, 5), last=10, min=-.5, max=.3),
    row("Clip", x(7, 5), last=10, max=.3),
    row("Clip", x(7, 5), scalar(-.2), scalar(.4), first=11),
    row("Clip", x(7, 5), None, scalar(.4), first=11),
    row("Clip", x(7, 5), scalar(-.2), first=11),
    row("Clip", x(7, 5), scalar(.5), scalar(.1), first=11),
]


# ---- broadcasting ----

ARITHMETIC = "Add Sub Mul Div".split()
VARIADIC = "Min Max Sum Mean".split()

BROADCASTING = [
    row(op, *inputs)
    for op in ARITHMETIC
    for inputs in (
        (x(3, 4, 5), numbers(3, 1, 1)),
        (numbers(4, 1), x(3, 4, 5)),
        (x(3, 4, 5), scalar(.7)),
        (x(5), numbers(3, 1, 5)),
        (x(1, 4, 5), x(3, 1, 5)),
        (x(3, 4, 5), x(3, 4, 5)))
] + [
    row("Pow", x(3, 4), scalar(2)),
    row("Pow", x(3, 4), scalar(3)),
    row("Pow", scalar(2), x(3, 4)),
    row("Pow", x(3, 4), floats(.5, 1, -1, 2.5), values=above_zero),
    row("Pow", x(3, 1), x(3, 4), values=above_zero),
    row("PRelu", x(3, 4, 5), numbers(3, 1, 1)),
    row("PRelu", x(3, 4, 5), numbers(1)),
    row("PRelu", x(3, 4, 5), numbers(5)),
] + [
    row(op, *inputs)
    for op in VARIADIC
    for inputs in (
        (x(3, 4),),
        (x(3, 4, 5), x(3, 1, 5), x(1, 4, 1)),
        (x(3, 4), numbers(4), x(3, 1)))
]


# ---- reductions ----

REDUCED = "Mean Max Min Prod L1 L2 SumSquare".split()

REDUCTIONS = [
    row("Reduce" + op, x(3, 4, 5), last=last, **attributes)
    for op, last in [(op, 17) for op in REDUCED] + [("Sum", 12)]
    for attributes in (dict(axes=[1, 3]), dict(axes=[2], keepdims=0), dict(axes=[2, 3], keepdims=0))
] + [
    row("Reduce" + op, x(3, 4, 5), first=11, last=last, axes=[-1, -3])
    for op, last in [(op, 17) for op in REDUCED] + [("Sum", 12)]
] + [
    row("Reduce" + op, x(3, 4, 5), axes, first=first, **attributes)
    for op, first in [(op, 18) for op in REDUCED] + [("Sum", 13)]
    for axes, attributes in ((ints(2, -1), {}), (ints(1), dict(keepdims=0)))
] + [
    row("Reduce" + op, x(3, 4, 5), *axes, first=first, noop_with_empty_axes=1)
    for op, first in [(op, 18) for op in REDUCED] + [("Sum", 13)]
    for axes in ((), (ints(),), (ints(2),))
]


# ---- movement ----

PADDED = "constant", "reflect", "edge"

MOVEMENT = [
    row("Flatten", x(3, 4, 5)),
    row("Flatten", x(3, 4, 5), axis=2),
    row("Flatten", x(3, 4, 5), first=11, axis=-1),
    row("Reshape", x(3, 4, 5), ints(0, -1, 2)),
    row("Reshape", x(12), ints(-1, 3, 2, 2)),
    row("Reshape", x(3, 4, 5), ints(-1, 4, 5)),
    row("Reshape", x(3, 4, 5), ints(BATCH, 12, 5), fixed=True),
    row("Transpose", x(3, 4)),
    row("Transpose", x(3, 4), perm=[1, 0, 2]),
    row("Transpose", x(3, 4, 5), perm=[0, 3, 1, 2]),
    row("Squeeze", x(1, 4, 1), last=12, axes=[1, 3]),
    row("Squeeze", x(1, 4, 1), first=13),
    row("Squeeze", x(1, 4, 1), ints(1, -1), first=13),
    row("Unsqueeze", x(3), last=12, axes=[1, 3]),
    row("Unsqueeze", x(3), ints(0, -1), first=13),
    row("Concat", x(3, 4), x(2, 4), axis=1),
    row("Concat", x(3, 4), x(3, 1), x(3, 2), first=11, axis=-1),
    row("Split", x(6, 4), last=12, outputs=3, axis=1, split=[1, 2, 3]),
    row("Split", x(6, 4), last=17, outputs=2, axis=2),
    row("Split", x(6, 4), ints(1, 5), first=13, outputs=2, axis=-2),
    row("Split", x(7, 4), first=18, outputs=3, axis=1, num_outputs=3),
    row("Slice", x(6, 7), last=9, starts=[1, -3], ends=[5, 100], axes=[1, 2]),
    row("Slice", x(6, 7), ints(0, 2), ints(2**62, -1), first=10),
    row("Slice", x(6, 7), ints(4, 6), ints(0, -100), ints(1, -1), ints(-2, -3), first=10),
    row("Slice", x(6, 7), ints(-100), ints(2**62), ints(2), ints(3), first=10),
    row("Gather", x(6, 7), ints(4, 0, 4), axis=1),
    row("Gather", x(6, 7), ints([0, -1], [3, 2]), first=11, axis=1),
    row("Gather", x(6, 7), numpy.array(-2), first=11, axis=-1),
    row("Expand", x(1, 4), ints(1, 3, 1)),
    row("Expand", x(4), ints(3, 1, 4)),
    row("Tile", x(3, 4), ints(1, 2, 3)),
    row("Pad", x(3, 5, 6), last=10, pads=[0, 0, 1, 2, 0, 1, 0, 3], value=.5),
    row("Pad", x(3, 5, 6), ints(0, -1, 1, -2, 0, 0, -3, 4), scalar(.7), first=11),
    row("Pad", x(3, 5, 6), ints(1, 2, 3, 4), scalar(.7), ints(-1, 1), first=18),
    row("DepthToSpace", x(12, 3, 2), blocksize=2),
    row("DepthToSpace", x(12, 3, 2), first=11, blocksize=2, mode="DCR"),
    row("DepthToSpace", x(18, 3, 2), first=11, blocksize=3, mode="CRD"),
    row("SpaceToDepth", x(3, 4, 6), blocksize=2),
] + [
    row("Pad", x(3, 5, 6), last=10, pads=[0, 0, 1, 2, 0, 0, 3, 4], mode=mode) for mode in PADDED
] + [
    row("Pad", x(3, 5, 6), ints(0, 0, 1, 2, 0, 0, 3, 4), first=11, mode=mode) for mode in PADDED
]


# ---- normalisation ----

NORMALISATION = [
    row("BatchNormalization", x(3, 4, 5), numbers(3), numbers(3), numbers(3), above_zero(3), epsilon=.01),
    row("BatchNormalization", x(3), numbers(3), numbers(3), numbers(3), above_zero(3)),
    row("InstanceNormalization", x(3, 4, 5), numbers(3), numbers(3)),
    row("InstanceNormalization", x(3, 9), numbers(3), numbers(3), epsilon=.1),
    row("LayerNormalization", x(3, 4, 5), numbers(5), first=17),
    row("LayerNormalization", x(3, 4, 5), numbers(5), numbers(5), first=17),
    row("LayerNormalization", x(3, 4, 5), numbers(4, 5), numbers(4, 5), first=17, axis=2, epsilon=.1),
    row("GroupNormalization", x(6, 4, 5), numbers(3), numbers(3), first=18, num_groups=3, epsilon=.01),
    row("LpNormalization", x(7, 4), axis=1, p=1),
    row("LpNormalization", x(7, 4), p=2),
] + [
    row("LRN", x(7, 4, 5), size=size, alpha=.9, beta=.6, bias=1.5) for size in (1, 3, 5)
] + [
    row(op, x(3, 4, 5), values=wide, **attributes)
    for op in ("Softmax", "LogSoftmax")
    for attributes in ({}, dict(axis=1), dict(axis=2))
] + [
    row(op, x(3, 4, 5), first=11, axis=-1) for op in ("Softmax", "LogSoftmax")
]


# ---- contractions ----

CONTRACTIONS = [
    row("Gemm", x(5), numbers(5, 4), first=11),
    row("Gemm", x(5), numbers(4, 5), numbers(4), transB=1, alpha=.5, beta=2.),
    row("Gemm", x(5), numbers(5, 4), numbers(1, 4)),
    row("Gemm", x(5), numbers(5, 4), scalar(.3), first=11),
    row("MatMul", x(5), numbers(5, 4)),
    row("MatMul", x(3, 5), numbers(5, 4)),
    row("MatMul", x(3, 5), x(5, 4)),
    row("MatMul", x(3, 4, 5), numbers(3, 5, 2)),
    row("MatMul", x(3, 4, 5), numbers(5)),
    row("MatMul", x(3, 4, 5), x(1, 5, 2)),
    row("MatMul", numbers(3, 4), x(4, 5)),
    row("Einsum", x(3, 4), x(4, 5), first=12, equation="bij,bjk->bik"),
    row("Einsum", x(3, 4, 5), x(6, 3, 5), first=12, equation="bhid,bjhd->bhij"),
    row("Einsum", x(3, 4), x(3, 4), first=12, equation="bij,bij->bi"),
    row("Einsum", x(3, 4), numbers(5, 4), first=12, equation="bij,kj->bki"),
]


# ---- resize ----

COORDINATES = "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"
ROUNDING = "round_prefer_floor", "round_prefer_ceil", "floor", "ceil"
MODES = [dict(mode="nearest", nearest_mode=rounding) for rounding in ROUNDING] + [
    dict(mode="linear"), dict(mode="cubic"), dict(mode="cubic", cubic_coeff_a=-.5, exclude_outside=1)]
SCALES = floats(1, 1, 2, 3), floats(1, 1, .5, .6), floats(1, 1, 1.7, .8)
REGION = floats()

RESIZE = [
    row("Resize", x(3, 6, 10), REGION, scales, first=11, coordinate_transformation_mode=coordinates, **mode)
    for mode, coordinates, scales in itertools.product(MODES, COORDINATES, SCALES)
] + [
    row("Resize", x(3, 6, 10), None, None, ints(BATCH, 3, 7, 11), first=13, fixed=True,
        coordinate_transformation_mode=coordinates, **mode)
    for mode, coordinates in itertools.product(MODES, COORDINATES)
] + [
    row("Resize", x(3, 6, 10), floats(1, 1, 2, .5), first=10, last=10, mode=mode) for mode in ("nearest", "linear")
] + [
    row("Resize", x(3, 10), None, floats(1, 1, 1.7), first=13, mode="linear"),
    row("Resize", x(3, 4, 5, 6), None, floats(1, 1, 2, .5, 1.5), first=13, mode="linear"),
    row("Resize", x(3, 6, 10), None, floats(2, .5), first=18, axes=[2, 3], mode="linear"),
    row("Resize", x(3, 6, 10), None, None, ints(11, 7), first=18, axes=[3, 2], mode="cubic"),
    row("Upsample", x(3, 6, 10), floats(1, 1, 2, 3), last=9, mode="nearest"),
    row("Upsample", x(3, 6, 10), floats(1, 1, 2, 3), last=9, mode="linear"),
]


FAMILIES = {
    "convolutions": CONVOLUTIONS,
    "pooling": POOLING,
    "elementwise": ELEMENTWISE,
    "broadcasting": BROADCASTING,
    "reductions": REDUCTIONS,
    "movement": MOVEMENT,
    "normalisation": NORMALISATION,
    "contractions": CONTRACTIONS,
    "resize": RESIZE,
}
