"""The sample networks of models/ in PyTorch, their weights taken from the ONNX files, and the data they learnt from.

SPDX-License-Identifier: MIT

Attribute names are those of the files' initialisers, so that loading is a plain copy. Needs Debian's python3-torch and
python3-onnx: run what imports this with /usr/bin/python3.
"""
import gzip
import os

import numpy
import onnx
import onnx.numpy_helper
import torch
from torch import nn

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
DATA = "/usr/share/datasets/fashion-mnist"
IMAGE = (1, 28, 28)


def lenet5():
    net = nn.Sequential()
    net.add_module("features", nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, kernel_size=5), nn.ReLU(), nn.MaxPool2d(2)))
    net.add_module("classifier", nn.Sequential(
        nn.Flatten(), nn.Linear(16 * 5 * 5, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)))
    return net


def normed(cin, cout, kernel, stride=1):
    """A convolution that keeps the size (over its stride), without bias, and the batch-norm that has it instead."""
    return nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(cout)


def vgg():
    layers, cin = [], 1
    for cout in (32, 64, 128):
        layers += [*normed(cin, cout, 3), nn.ReLU(), *normed(cout, cout, 3), nn.ReLU(), nn.MaxPool2d(2)]
        cin = cout
    net = nn.Sequential()
    net.add_module("features", nn.Sequential(*layers))
    net.add_module("flatten", nn.Flatten())
    net.add_module("classifier", nn.Linear(128 * 3 * 3, 10))
    return net


class Residual(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1, self.bn1 = normed(cin, cout, 3, stride)
        self.conv2, self.bn2 = normed(cout, cout, 3)
        self.short = nn.Identity() if stride == 1 and cin == cout else nn.Sequential(*normed(cin, cout, 1, stride))

    def forward(self, x):
        inner = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(inner)) + self.short(x))


class ResNet20(nn.Module):
    """He et al. 2016, for small images: three stages of three blocks, 16, 32 and 64 channels wide."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn = normed(1, 16, 3)
        widths = [16] * 3 + [32] * 3 + [64] * 3
        self.blocks = nn.Sequential(*(
            Residual(cin, cout, 1 if cin == cout else 2) for cin, cout in zip([16] + widths, widths)))
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        maps = self.blocks(torch.relu(self.bn(self.conv(x))))
        return self.fc(nn.functional.adaptive_avg_pool2d(maps, 1).flatten(1))


NETWORKS = {"lenet5": lenet5, "vgg": vgg, "resnet20": ResNet20}


def sample_path(name):
    return os.path.join(ROOT, "models", "fashion-%s.onnx" % name)


def weights(path):
    """A file's initialisers by name; an Identity of one is one more."""
    graph = onnx.load(path).graph
    found = {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in found:
            found[node.output[0]] = found[node.input[0]].clone()
    return found


def load_weights(net, path):
    """Copies them into net: each must be there, none may be left over."""
    state = weights(path)
    state.update({k: v for k, v in net.state_dict().items() if k.endswith("num_batches_tracked")})
    net.load_state_dict(state)


def shaped(name, path):
    """A sample network as wide as a pruned file of it is, with the file's weights."""
    net = NETWORKS[name]()
    for key, tensor in weights(path).items():
        owner, _, attribute = key.rpartition(".")
        module = net.get_submodule(owner)
        if attribute in module._buffers:
            module._buffers[attribute] = tensor
        else:
            setattr(module, attribute, nn.Parameter(tensor))
    return net


def sample(name):
    """A sample network ready to answer."""
    net = NETWORKS[name]()
    load_weights(net, sample_path(name))
    return net.eval()


def read_idx(name):
    with gzip.open(os.path.join(DATA, name)) as f:
        raw = f.read()
    dims = [int.from_bytes(raw[4 + 4 * i:8 + 4 * i], "big") for i in range(raw[3])]
    return numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * len(dims)).reshape(dims)


def test_images(count):
    """The first images of the test set as the networks want them."""
    pixels = torch.from_numpy(read_idx("t10k-images-idx3-ubyte.gz")[:count].copy())
    return ((pixels.float() / 255 - 0.2860) / 0.3530).unsqueeze(1)
