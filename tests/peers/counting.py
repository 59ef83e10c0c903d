"""Params and MACs of an ONNX file, counted from the file alone.

SPDX-License-Identifier: MIT

A second opinion on `pare-worker inspect`: the operators' definitions and onnx's own shape inference, nothing of ours.
Params are the numbers that a layer learns, those of a tensor once, whoever reads it; what comes out of an Identity or
a Constant is a tensor of its own, since these are only the exporter's way of writing one down.
"""
import math

import onnx
import onnx.numpy_helper
import onnx.shape_inference

LEARNED = {"Conv": (1, 2), "Gemm": (1, 2), "BatchNormalization": (1, 2)}  # positions among the inputs


def stored_shapes(graph):
    """Dimensions of everything in the file that has fixed values, by name."""
    shapes = {t.name: tuple(t.dims) for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            shapes.update({node.output[0]: tuple(a.t.dims) for a in node.attribute if a.name == "value"})
        elif node.op_type == "Identity" and node.input[0] in shapes:
            shapes[node.output[0]] = shapes[node.input[0]]
    return shapes


def shapes_for_one(model):
    """Dimensions of every computed value for a batch of one, by name."""
    one = onnx.ModelProto()
    one.CopyFrom(model)
    fixed = {t.name for t in one.graph.initializer}
    for value in one.graph.input:
        if value.name not in fixed:
            value.type.tensor_type.shape.dim[0].dim_value = 1
    for value in one.graph.output:
        value.type.tensor_type.ClearField("shape")
    del one.graph.value_info[:]
    inferred = onnx.shape_inference.infer_shapes(one, check_type=True, strict_mode=True).graph
    return {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim)
            for v in [*inferred.input, *inferred.value_info, *inferred.output]}


def macs_of(node, weight, output):
    """Each number of the output is a sum over one filter, or over one row of the matrix."""
    if node.op_type == "Conv":
        return math.prod(output) * math.prod(weight[1:])
    if node.op_type == "Gemm":
        transposed = any(a.name == "transB" and a.i for a in node.attribute)
        return math.prod(output) * weight[1 if transposed else 0]
    return 0


def count(model):
    """(params, MACs for one sample)."""
    stored, computed = stored_shapes(model.graph), shapes_for_one(model)
    params = macs = 0
    counted = set()
    for node in model.graph.node:
        learned = [node.input[i] for i in LEARNED.get(node.op_type, ()) if i < len(node.input) and node.input[i]]
        params += sum(math.prod(stored[name]) for name in set(learned) - counted)
        counted.update(learned)
        if learned:
            macs += macs_of(node, stored[learned[0]], computed[node.output[0]])
    return params, macs
