"""Small PyTorch networks, one a coupling of channels that real ones have.

SPDX-License-Identifier: MIT

NETS says of each how to make it, the dimensions of its inputs without the batch, and how it is exported. Sizes are odd
where they may be: a rule that only holds for equal or even ones shows.
"""
import collections
import math

import torch
from torch import nn
from torch.nn import functional as F


def conv(cin, cout, kernel=3, stride=1, **more):
    return nn.Sequential(nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False, **more), nn.BatchNorm2d(cout),
                         nn.ReLU())


class Head(nn.Module):
    """Maps to ten logits."""

    def __init__(self, channels):
        super().__init__()
        self.fc = nn.Linear(channels, 10)

    def forward(self, x):
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Net(nn.Module):
    """A function over named parts."""

    def __init__(self, run, **parts):
        super().__init__()
        self.run = run
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *x):
        return self.run(self, *x)


# ---- joins and splits ----

def cascaded_concat():
    def run(m, x):
        a = m.a(x)
        b = m.b(a)
        ab = torch.cat([a, b], 1)
        c = m.c(ab)
        return m.head(m.d(torch.cat([torch.cat([c, ab], 1), b, c], 1)))
    return Net(run, a=conv(3, 7), b=conv(7, 9), c=conv(16, 5), d=conv(35, 11), head=Head(11))


def unequal_split():
    def run(m, x):
        a, b, c = torch.split(m.stem(x), [5, 11, 8], 1)
        return m.head(m.out(torch.cat([c, m.b(b), a], 1)))
    return Net(run, stem=conv(3, 24), b=conv(11, 7), out=conv(20, 9), head=Head(9))


def split_rejoin():
    """The halves meet again in a sum, and once more with the whole."""
    def run(m, x):
        whole = m.stem(x)
        a, b = whole.chunk(2, 1)
        return m.head(m.out(torch.cat([a + m.b(b), whole], 1)))
    return Net(run, stem=conv(3, 18), b=conv(9, 9), out=conv(27, 10), head=Head(10))


def shared_conv():
    """One convolution applied three times: its inputs and outputs are the same channels."""
    def run(m, x):
        x = m.stem(x)
        for _ in range(3):
            x = torch.relu(m.shared(x))
        return m.head(m.out(x))
    return Net(run, stem=conv(3, 13), shared=nn.Conv2d(13, 13, 3, padding=1), out=conv(13, 9), head=Head(9))


def shared_branches():
    """One convolution applied to three maps, as detectors do."""
    def run(m, x):
        a = m.a(x)
        b = m.b(a)
        c = m.c(b)
        return torch.cat([m.head(torch.relu(m.shared(y))) for y in (a, b, c)], 1)
    return Net(run, a=conv(3, 11), b=conv(11, 11, stride=2), c=conv(11, 11, stride=2),
               shared=nn.Conv2d(11, 6, 3, padding=1), head=Head(6))


def option_a():
    """A residual network whose shortcut pads channels (He et al. 2016, option A)."""
    def run(m, x):
        x = m.stem(x)
        short = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 4, 4))
        return m.head(torch.relu(m.inner(x) + short))
    inner = nn.Sequential(conv(9, 17, stride=2), nn.Conv2d(17, 17, 3, padding=1, bias=False), nn.BatchNorm2d(17))
    return Net(run, stem=conv(3, 9), inner=inner, head=Head(17))


def fused_maps():
    """Maps of three sizes, weighted by learned numbers and summed (as in EfficientDet's pyramid)."""
    def run(m, x):
        a = m.a(x)
        b = m.b(a)
        w = torch.relu(m.w)
        w = w / (w.sum() + 1e-4)
        up = F.interpolate(b, scale_factor=2.0, mode="nearest")
        return m.head(m.out(w[0] * a + w[1] * up))
    return Net(run, a=conv(3, 11), b=conv(11, 11, stride=2), out=conv(11, 7), head=Head(7),
               w=nn.Parameter(torch.ones(2)))


def two_inputs():
    def run(m, x, y):
        return m.head(m.out(torch.cat([m.a(x), m.b(y)], 1) + m.c(y)))
    return Net(run, a=conv(3, 7), b=conv(2, 9), c=conv(2, 16), out=conv(16, 8), head=Head(8))


def two_outputs():
    def run(m, x):
        x = m.stem(x)
        return m.maps(x), m.head(m.out(x))
    return Net(run, stem=conv(3, 13), maps=nn.Conv2d(13, 5, 1), out=conv(13, 9), head=Head(9))


def inputs_outputs():
    """Two and three, of different rank; one output is another's channels."""
    def run(m, x, v):
        x = m.stem(x)
        scale = torch.sigmoid(m.scale(v))
        x = x * scale.unsqueeze(-1).unsqueeze(-1)
        return scale, x, m.head(m.out(x))
    return Net(run, stem=conv(3, 12), scale=nn.Linear(5, 12), out=conv(12, 9), head=Head(9))


# ---- groups of channels ----

def shuffle_grouped():
    """Channel shuffle into a grouped convolution (ShuffleNet)."""
    def run(m, x):
        x = m.first(m.stem(x))
        n, c, h, w = x.shape
        x = x.view(n, 3, c // 3, h, w).transpose(1, 2).reshape(n, c, h, w)
        return m.head(m.second(x))
    return Net(run, stem=conv(3, 18), first=conv(18, 24, groups=3), second=conv(24, 12, groups=4), head=Head(12))


def shuffle_split():
    """A unit of ShuffleNet V2: half goes by, the other is convolved, then both are shuffled."""
    def run(m, x):
        x = m.stem(x)
        for unit in m.units:
            a, b = x.chunk(2, 1)
            x = torch.cat([a, unit(b)], 1)
            n, c, h, w = x.shape
            x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        return m.head(m.out(x))
    units = nn.ModuleList(nn.Sequential(conv(9, 9, 1), nn.Conv2d(9, 9, 3, padding=1, groups=9, bias=False),
                                        nn.BatchNorm2d(9), conv(9, 9, 1)) for _ in range(2))
    return Net(run, stem=conv(3, 18), units=units, out=conv(18, 10), head=Head(10))


def depthwise():
    """Depthwise, once as it is and once with three filters a channel."""
    def run(m, x):
        return m.head(m.out(m.wide(m.plain(m.stem(x)))))
    return Net(run, stem=conv(3, 11), plain=conv(11, 11, groups=11), wide=conv(11, 33, groups=11), out=conv(33, 7, 1),
               head=Head(7))


def grouped_residual():
    """A block of ResNeXt."""
    def run(m, x):
        x = m.stem(x)
        return m.head(torch.relu(x + m.inner(x)))
    return Net(run, stem=conv(3, 14), head=Head(14),
               inner=nn.Sequential(conv(14, 12, 1), conv(12, 12, groups=3), nn.Conv2d(12, 14, 1)))


def pixel_shuffle():
    def run(m, x):
        x = F.pixel_shuffle(m.wide(m.stem(x)), 2)
        return m.out(x)
    return Net(run, stem=conv(3, 9), wide=nn.Conv2d(9, 28, 3, padding=1), out=nn.Conv2d(7, 3, 3, padding=1))


def pixel_unshuffle():
    def run(m, x):
        return m.head(m.out(F.pixel_unshuffle(m.stem(x), 2)))
    return Net(run, stem=conv(3, 5), out=conv(20, 9), head=Head(9))


# ---- gates ----

def channel_gate():
    """Squeeze and excite."""
    def run(m, x):
        x = m.stem(x)
        gate = F.hardsigmoid(m.up(torch.relu(m.down(F.adaptive_avg_pool2d(x, 1)))))
        return m.head(m.out(x * gate))
    return Net(run, stem=conv(3, 14), down=nn.Conv2d(14, 5, 1), up=nn.Conv2d(5, 14, 1), out=conv(14, 9), head=Head(9))


def linear_gate():
    """The same by linear layers, as it was first written."""
    def run(m, x):
        x = m.stem(x)
        n, c = x.shape[:2]
        gate = torch.sigmoid(m.up(torch.relu(m.down(x.mean((2, 3)))))).view(n, c, 1, 1)
        return m.head(m.out(x * gate.expand_as(x)))
    return Net(run, stem=conv(3, 14), down=nn.Linear(14, 5), up=nn.Linear(5, 14), out=conv(14, 9), head=Head(9))


def spatial_gate():
    """One map for all channels, from their mean and maximum (CBAM)."""
    def run(m, x):
        x = m.stem(x)
        both = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return m.head(m.out(x * torch.sigmoid(m.gate(both))))
    return Net(run, stem=conv(3, 14), gate=nn.Conv2d(2, 1, 5, padding=2), out=conv(14, 9), head=Head(9))


def convolved_gate():
    """One map for all channels, from a convolution of them."""
    def run(m, x):
        x = m.stem(x)
        return m.head(m.out(x * torch.sigmoid(m.gate(torch.relu(m.inner(x))))))
    return Net(run, stem=conv(3, 14), inner=nn.Conv2d(14, 6, 1), gate=nn.Conv2d(6, 1, 3, padding=1), out=conv(14, 9),
               head=Head(9))


def gated_linear():
    """GLU: one half of the channels gates the other."""
    def run(m, x):
        return m.head(m.out(F.glu(m.wide(m.stem(x)), 1)))
    return Net(run, stem=conv(3, 9), wide=nn.Conv2d(9, 22, 3, padding=1), out=conv(11, 8), head=Head(8))


# ---- normalisation and activations ----

def group_norm():
    def run(m, x):
        x = torch.relu(m.norm(m.conv(x)))
        return m.head(m.out(x))
    return Net(run, conv=nn.Conv2d(3, 24, 3, padding=1), norm=nn.GroupNorm(4, 24), out=conv(24, 9), head=Head(9))


def instance_norm():
    def run(m, x):
        x = torch.relu(m.second(m.conv2(torch.relu(m.first(m.conv1(x))))))
        return m.head(x)
    return Net(run, conv1=nn.Conv2d(3, 11, 3, padding=1), first=nn.InstanceNorm2d(11, affine=True),
               conv2=nn.Conv2d(11, 7, 3, padding=1), second=nn.InstanceNorm2d(7), head=Head(7))


def local_norm():
    """Of neighbouring channels (AlexNet as it was in 2012)."""
    def run(m, x):
        return m.head(m.out(F.local_response_norm(m.stem(x), 5)))
    return Net(run, stem=conv(3, 13), out=conv(13, 9), head=Head(9))


def norm_maps():
    """LayerNorm over the channels of maps (ConvNeXt), with a scale for each channel of the branch."""
    def run(m, x):
        x = m.stem(x)
        y = m.depthwise(x).permute(0, 2, 3, 1)
        y = m.down(F.gelu(m.up(m.norm(y)))) * m.scale
        return m.head(x + y.permute(0, 3, 1, 2))
    return Net(run, stem=conv(3, 11), depthwise=nn.Conv2d(11, 11, 7, padding=3, groups=11), norm=nn.LayerNorm(11),
               up=nn.Linear(11, 29), down=nn.Linear(29, 11), scale=nn.Parameter(torch.ones(11)), head=Head(11))


def prelu():
    """A slope for each channel, and one for all."""
    def run(m, x):
        return m.head(m.one(m.b(m.many(m.a(x)))))
    return Net(run, a=nn.Conv2d(3, 13, 3, padding=1), many=nn.PReLU(13), b=nn.Conv2d(13, 9, 3, padding=1),
               one=nn.PReLU(), head=Head(9))


ACTIVATIONS = [nn.GELU, nn.SiLU, nn.Hardswish, nn.Hardsigmoid, nn.Mish, nn.ELU, nn.SELU, nn.CELU, nn.Softplus,
               nn.LeakyReLU, nn.ReLU6, nn.Tanh, nn.Softsign, nn.Sigmoid]


def activations():
    def run(m, x):
        return m.head(m.layers(x))
    layers, channels = [], 3
    for i, kind in enumerate(ACTIVATIONS):
        layers += [nn.Conv2d(channels, 5 + i % 3, 1), nn.BatchNorm2d(5 + i % 3), kind()]
        channels = 5 + i % 3
    return Net(run, layers=nn.Sequential(*layers), head=Head(channels))


def arithmetic():
    """Numbers, vectors and maps against each other, in both orders."""
    def run(m, x):
        x = m.stem(x)
        y = (1.5 - x) * m.v.view(-1, 1, 1) + m.v.view(1, -1, 1, 1) / (2 + x)
        y = torch.maximum(y, x) - torch.minimum(y, 0.1 * x) + torch.clamp(y, min=-0.3) ** 2
        y = y - y.mean((2, 3), keepdim=True)
        y = y / torch.sqrt(y.pow(2).mean((2, 3), keepdim=True) + 1e-3)
        return m.head(m.out(torch.exp(-y.abs()) + torch.log(1 + y * y) - (-y)))
    return Net(run, stem=conv(3, 11), v=nn.Parameter(torch.ones(11)), out=conv(11, 7), head=Head(7))


# ---- windows ----

def flatten_maps():
    """Maps of 16 x 16 into a linear layer."""
    def run(m, x):
        return m.fc(m.hidden(m.b(m.a(x)).flatten(1)).relu())
    return Net(run, a=conv(3, 7), b=conv(7, 9), hidden=nn.Linear(9 * 16 * 16, 21), fc=nn.Linear(21, 10))


def unet(upsample):
    def run(m, x):
        a = m.a(x)
        b = m.b(F.max_pool2d(a, 2))
        c = m.c(F.max_pool2d(b, 2))
        b = m.up_b(torch.cat([m.grow_b(c), b], 1))
        return m.out(m.up_a(torch.cat([m.grow_a(b), a], 1)))
    grow = {"transposed": lambda i, o: nn.ConvTranspose2d(i, o, 2, 2),
            "nearest": lambda i, o: nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(i, o, 1)),
            "bilinear": lambda i, o: nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(i, o, 1)),
            "aligned": lambda i, o: nn.Sequential(
                nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), nn.Conv2d(i, o, 1)),
            "bicubic": lambda i, o: nn.Sequential(nn.Upsample(scale_factor=2, mode="bicubic"), nn.Conv2d(i, o, 1))}
    return Net(run, a=conv(3, 7), b=conv(7, 9), c=conv(9, 13), grow_b=grow[upsample](13, 8), up_b=conv(17, 9),
               grow_a=grow[upsample](9, 6), up_a=conv(13, 7), out=nn.Conv2d(7, 2, 1))


def resize_to():
    """A head of segmentation: brought to the size of another map, whatever it is."""
    def run(m, x):
        low = m.b(m.a(x))
        low = torch.cat([low, F.interpolate(F.adaptive_avg_pool2d(low, 1), size=low.shape[2:], mode="bilinear")], 1)
        return F.interpolate(m.out(low), size=x.shape[2:], mode="bilinear", align_corners=False)
    return Net(run, a=conv(3, 7, stride=2), b=conv(7, 9, stride=2), out=nn.Conv2d(18, 4, 1))


def transposed():
    """Transposed convolutions: strides, paddings of the output, groups, none of them even."""
    def run(m, x):
        return m.out(m.depthwise(torch.relu(m.groups(torch.relu(m.norm(m.up(m.stem(x))))))))
    return Net(run, stem=conv(3, 9), up=nn.ConvTranspose2d(9, 12, 3, 2, 1, output_padding=1), norm=nn.BatchNorm2d(12),
               groups=nn.ConvTranspose2d(12, 15, 4, 2, 1, groups=3), out=nn.Conv2d(15, 2, 1),
               depthwise=nn.ConvTranspose2d(15, 15, 3, 1, 1, groups=15, bias=False))


def windows():
    """Dilation, uneven kernels and paddings, pooling that rounds up or counts its padding, maps that go round."""
    def run(m, x):
        x = m.uneven(F.pad(x, (1, 2, 0, 1)))
        x = m.round(torch.cat([x[:, :, :, -1:], x, x[:, :, :, :1]], 3))
        x = F.avg_pool2d(F.max_pool2d(x, 3, 2, ceil_mode=True), 3, 2, 1, count_include_pad=True)
        x = F.avg_pool2d(m.dilated(F.pad(x, (2, 1, 1, 2), mode="reflect")), 3, 2, 1, count_include_pad=False)
        return m.head(x + F.max_pool2d(x, 3, 1, 1))
    return Net(run, uneven=nn.Conv2d(3, 9, (5, 2), (1, 2), (2, 0)), dilated=conv(11, 7, dilation=2), head=Head(7),
               round=nn.Conv2d(9, 11, 3, padding=(1, 0)))


def one_dimension():
    def run(m, x):
        x = F.max_pool1d(torch.relu(m.norm(m.a(x))), 3, 2, 1)
        x = x + torch.relu(m.depthwise(x))
        x = F.avg_pool1d(torch.relu(m.b(x)), 2)
        return m.fc(torch.cat([x.mean(2), F.adaptive_max_pool1d(x, 1).squeeze(2)], 1))
    return Net(run, a=nn.Conv1d(3, 11, 7, 2, 3), norm=nn.BatchNorm1d(11), b=nn.Conv1d(11, 9, 3),
               depthwise=nn.Conv1d(11, 11, 5, padding=2, groups=11), fc=nn.Linear(18, 10))


def three_dimensions():
    def run(m, x):
        x = F.max_pool3d(torch.relu(m.norm(m.a(x))), 2)
        return m.fc(torch.relu(m.b(x)).mean((2, 3, 4)))
    return Net(run, a=nn.Conv3d(2, 9, 3, padding=1), norm=nn.BatchNorm3d(9), b=nn.Conv3d(9, 7, (1, 3, 3)),
               fc=nn.Linear(7, 10))


# ---- rows of features ----

def perceptron():
    """Linear layers with LayerNorm between them."""
    def run(m, x):
        return m.layers(x)
    return Net(run, layers=nn.Sequential(nn.Linear(19, 31), nn.LayerNorm(31), nn.ReLU(), nn.Linear(31, 23),
                                         nn.LayerNorm(23), nn.GELU(), nn.Linear(23, 10)))


def plain_perceptron():
    def run(m, x):
        x = torch.relu(m.a(x))
        x = x + torch.relu(m.b(x))
        return F.log_softmax(m.c(x), -1)
    return Net(run, a=nn.Linear(19, 31), b=nn.Linear(31, 31), c=nn.Linear(31, 10, bias=False))


class MixerBlock(nn.Module):
    def __init__(self, tokens, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.tokens = nn.Sequential(nn.Linear(tokens, 13), nn.GELU(), nn.Linear(13, tokens))
        self.channels = nn.Sequential(nn.Linear(width, 29), nn.GELU(), nn.Linear(29, width))

    def forward(self, x):
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norm2(x))


def mixer():
    def run(m, x):
        x = m.patch(x).flatten(2).transpose(1, 2)
        return m.fc(m.norm(m.blocks(x)).mean(1))
    return Net(run, patch=nn.Conv2d(3, 17, 4, 4), blocks=nn.Sequential(MixerBlock(16, 17), MixerBlock(16, 17)),
               norm=nn.LayerNorm(17), fc=nn.Linear(17, 10))


class Attention(nn.Module):
    """Query, key and value from one linear layer; as rows of that, or by splitting it."""

    def __init__(self, width, heads, chunked=False):
        super().__init__()
        self.heads, self.chunked = heads, chunked
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, tokens, width = x.shape
        shape = (n, tokens, self.heads, width // self.heads)
        if self.chunked:
            q, k, v = (part.view(shape).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        else:
            q, k, v = self.qkv(x).reshape(n, tokens, 3, *shape[2:]).permute(2, 0, 3, 1, 4).unbind(0)
        weights = (q @ k.transpose(-2, -1) / math.sqrt(shape[3])).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).reshape(n, tokens, width))


class Transformer(nn.Module):
    def __init__(self, width, heads, chunked=False):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, chunked)
        self.up, self.down = nn.Linear(width, 2 * width + 3), nn.Linear(2 * width + 3, width)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


def attention(chunked):
    def run(m, x):
        x = m.patch(x).flatten(2).transpose(1, 2)
        return m.fc(m.blocks(x).mean(1))
    return Net(run, patch=nn.Conv2d(3, 18, 4, 4), fc=nn.Linear(18, 10),
               blocks=nn.Sequential(Transformer(18, 3, chunked), Transformer(18, 2, chunked)))


def vision_transformer():
    """With a class token and learned positions."""
    def run(m, x):
        x = m.patch(x)
        n, width = x.shape[:2]
        x = x.reshape(n, width, -1).permute(0, 2, 1)
        x = torch.cat([m.token.expand(n, -1, -1), x], 1) + m.positions
        return m.fc(m.norm(m.blocks(x))[:, 0])
    return Net(run, patch=nn.Conv2d(3, 18, 4, 4), token=nn.Parameter(torch.zeros(1, 1, 18)), norm=nn.LayerNorm(18),
               positions=nn.Parameter(torch.zeros(1, 17, 18)), fc=nn.Linear(18, 10),
               blocks=nn.Sequential(Transformer(18, 3), Transformer(18, 3)))


def encoder_layer():
    """PyTorch's own: attention with a packed weight, the feed-forward behind it."""
    def run(m, x):
        return m.fc(m.layer(m.lift(x)).mean(1))
    layer = nn.TransformerEncoderLayer(18, 3, 25, batch_first=True)
    return Net(run, lift=nn.Linear(7, 18), layer=layer, fc=nn.Linear(18, 10))


def window_attention():
    """Windows of maps, moved round by two, are batches of their own (Swin)."""
    def run(m, x):
        x = m.patch(x).permute(0, 2, 3, 1)
        n, h, w, c = x.shape
        y = torch.roll(x, (-2, -2), (1, 2)).view(n, h // 4, 4, w // 4, 4, c)
        y = m.attention(m.norm(y.permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, c)))
        y = y.view(n, h // 4, w // 4, 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, c)
        x = x + torch.roll(y, (2, 2), (1, 2))
        merged = torch.cat([x[:, i::2, j::2] for j in (0, 1) for i in (0, 1)], -1)
        return m.fc(m.merge(merged).mean((1, 2)))
    return Net(run, patch=nn.Conv2d(3, 18, 2, 2), norm=nn.LayerNorm(18), attention=Attention(18, 3),
               merge=nn.Linear(72, 23, bias=False), fc=nn.Linear(23, 10))


def einsum_pairs():
    """Attention between maps and a few learned queries, by Einsum."""
    def run(m, x):
        keys = m.keys(m.stem(x)).flatten(2)
        weights = torch.einsum("qc,bct->bqt", m.queries, keys).softmax(-1)
        return m.fc(torch.relu(torch.einsum("bqt,bct->bqc", weights, m.values(m.stem(x)).flatten(2))).flatten(1))
    return Net(run, stem=conv(3, 9), keys=nn.Conv2d(9, 11, 1), values=nn.Conv2d(9, 13, 1),
               queries=nn.Parameter(torch.zeros(4, 11)), fc=nn.Linear(4 * 13, 10))


def covariance():
    """Bilinear pooling: every channel with every other."""
    def run(m, x):
        a, b = m.a(x).flatten(2), m.b(x).flatten(2)
        return m.fc((a @ b.transpose(1, 2) / a.shape[2]).flatten(1))
    return Net(run, a=conv(3, 7), b=conv(3, 5), fc=nn.Linear(35, 10))


def opaque():
    """An operator without a rule: what touches it stays, and what is behind it, since its shape isn't known. What is
    before it can be pruned."""
    def run(m, x):
        return m.head(m.out(torch.cumsum(m.inner(m.stem(x)), 1)))
    return Net(run, stem=conv(3, 11), inner=conv(11, 9), out=conv(9, 7), head=Head(7))


def versatile():
    """What the exporter writes otherwise from one version of ONNX to the next: bounds, axes, pads and sizes moved
    from attributes to inputs."""
    def run(m, x):
        x = F.pad(m.stem(x), (1, 1, 1, 1), value=0.1)
        x = torch.clamp(F.dropout(x, 0.5, m.training), 0, 4)[:, :, 1:-1, 1:-1]
        a, b = torch.split(x, [5, 8], 1)
        x = torch.cat([a, m.b(b)], 1)
        x = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2.0, mode="nearest") + x
        pooled = x.sum(3, keepdim=True).mean(2, keepdim=True).squeeze(3).squeeze(2).unsqueeze(1)
        return F.softmax(m.fc(m.norm(F.hardswish(pooled)).flatten(1)), 1)
    return Net(run, stem=conv(3, 13), b=conv(8, 8), norm=nn.LayerNorm(13), fc=nn.Linear(13, 10))


# ---- all of them ----

# dims: of every input, without the batch. frozen: at most so many channels of layers may be; mostly those of the ten
# logits. fixed: exported for a batch of one. runs: whether our kernels have it all.
Case = collections.namedtuple("Case", "make dims frozen opset folded fixed runs", defaults=(10, 13, True, False, True))

IMAGE, ROW = [(3, 16, 16)], [(19,)]
NETS = {make.__name__: Case(make, IMAGE) for make in (
    cascaded_concat, unequal_split, split_rejoin, shared_conv, shared_branches, option_a, fused_maps, two_outputs,
    shuffle_grouped, shuffle_split, depthwise, grouped_residual, pixel_shuffle, pixel_unshuffle, channel_gate,
    linear_gate, spatial_gate, convolved_gate, gated_linear, group_norm, instance_norm, local_norm, norm_maps, prelu,
    activations, arithmetic, flatten_maps, resize_to, transposed, mixer, vision_transformer, window_attention,
    einsum_pairs, covariance)}
NETS.update({
    "two_inputs": Case(two_inputs, [(3, 12, 12), (2, 12, 12)]),
    "inputs_outputs": Case(inputs_outputs, [(3, 12, 12), (5,)]),
    "windows": Case(windows, [(3, 21, 19)]),
    "one_dimension": Case(one_dimension, [(3, 41)]),
    "three_dimensions": Case(three_dimensions, [(2, 6, 8, 8)]),
    "perceptron": Case(perceptron, ROW),
    "plain_perceptron": Case(plain_perceptron, ROW),
    "encoder_layer": Case(encoder_layer, [(6, 7)]),
    "opaque": Case(opaque, IMAGE, frozen=9, runs=False),
    "attention_rows": Case(lambda: attention(False), IMAGE),
    "attention_chunks": Case(lambda: attention(True), IMAGE),
    **{"unet_" + kind: Case(lambda kind=kind: unet(kind), IMAGE, frozen=2)
       for kind in ("transposed", "nearest", "bilinear", "aligned", "bicubic")},
    **{"opset_%d" % v: Case(versatile, IMAGE, opset=v) for v in range(9, 18)},
})
# Two outputs are two sets of channels that stay; a gate for all channels is one; pooling over channels, as a local norm
# does it, takes them in order; rows of a product and products of two computed maps keep one side.
NETS.update({name: NETS[name]._replace(frozen=channels) for name, channels in {
    "two_outputs": 15, "inputs_outputs": 34, "pixel_shuffle": 3, "resize_to": 4, "transposed": 2, "spatial_gate": 11,
    "convolved_gate": 11, "shuffle_split": 13, "local_norm": 23, "mixer": 93, "einsum_pairs": 14, "covariance": 17,
}.items()})
NETS.update({name + "_unfolded": NETS[name]._replace(folded=False) for name in (
    "shuffle_grouped", "group_norm", "vision_transformer", "window_attention", "resize_to", "linear_gate")})
NETS.update({name + "_fixed": NETS[name]._replace(fixed=True) for name in (
    "shuffle_grouped", "channel_gate", "linear_gate", "group_norm", "unet_transposed", "flatten_maps", "mixer",
    "attention_rows", "attention_chunks", "vision_transformer", "window_attention", "one_dimension", "two_inputs",
    "inputs_outputs", "encoder_layer", "option_a", "einsum_pairs")})
