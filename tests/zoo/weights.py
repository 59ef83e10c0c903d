"""Random weights, and statistics that suit them, for any PyTorch network.

SPDX-License-Identifier: MIT

Fresh networks hide mistakes: a batch-norm that changes nothing, biases and heads of zeros, branches scaled by 1e-6.
Here every number matters: all is random, and running statistics are those of random images, each then put off a little.
"""
import torch
from torch import nn

NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm, nn.modules.instancenorm._InstanceNorm)


def smooth(generator, batch, dims):
    """Inputs that differ as images do: coarse patterns, each in a brightness and a contrast of its own. Noise alone
    would leave nothing of itself behind a global average pooling."""
    if len(dims) < 2:
        return torch.randn(batch, *dims, generator=generator)
    coarse = torch.randn(batch, dims[0], *[min(d, 4) for d in dims[1:]], generator=generator)
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[len(dims) - 1]
    x = nn.functional.interpolate(coarse, size=dims[1:], mode=mode, align_corners=False)
    x = x + 0.3 * torch.randn(batch, *dims, generator=generator)
    single = (batch,) + (1,) * len(dims)
    return x * (0.5 + torch.rand(single, generator=generator)) + torch.randn(single, generator=generator)


def fan_in(weight):
    return weight[0].numel()


def fill(parameter, std, mean=0.0, generator=None):
    parameter.copy_(mean + std * torch.randn(parameter.shape, generator=generator))


def randomise_parameters(net, generator):
    known = set()
    for module in net.modules():
        for name, p in module.named_parameters(recurse=False):
            known.add(id(p))
            if isinstance(module, NORMS) and name == "weight":
                small = 1.0 if p.any() else 0.3  # zero: the end of a branch that is to start small
                p.copy_(small * (0.5 + torch.rand(p.shape, generator=generator)))
            elif isinstance(module, nn.PReLU):
                p.copy_(0.5 * torch.rand(p.shape, generator=generator))
            elif name.endswith("weight") and p.dim() > 1:
                fill(p, (2 / fan_in(p)) ** 0.5, generator=generator)
            elif name == "layer_scale":
                p.copy_(0.2 + 0.6 * torch.rand(p.shape, generator=generator))
            elif name == "logit_scale":
                p.copy_(1 + torch.rand(p.shape, generator=generator))
            else:
                fill(p, 0.1, generator=generator)
    assert known == {id(p) for p in net.parameters()}


def settle_statistics(net, inputs, generator):
    """Batch-norms take the means and variances of what reaches them, each put off at random, in the order in which they
    run: what is behind one sees what it really gives."""
    def settle(norm, arguments):
        x = arguments[0].transpose(0, 1).flatten(1)
        mean, variance = x.mean(1), x.var(1)
        variance += 0.2 * variance.mean() + 1e-3  # a channel that hardly varies would be blown up
        norm.running_mean.copy_(mean + 0.2 * variance.sqrt() * torch.randn(mean.shape, generator=generator))
        norm.running_var.copy_(variance * (0.6 + 0.8 * torch.rand(mean.shape, generator=generator)))
        hooks.pop(norm).remove()
    norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    hooks = {m: m.register_forward_pre_hook(settle) for m in norms}
    if norms:
        net(*inputs)
    assert not hooks, "a batch-norm that is never used"


def randomise(net, dims, seed, batch=32):
    """`dims`: of every input, without the batch; `batch`: how many are looked at for the statistics. The network is in
    eval mode afterwards."""
    generator = torch.Generator().manual_seed(seed)
    net.eval()
    with torch.no_grad():
        randomise_parameters(net, generator)
        settle_statistics(net, [smooth(generator, batch, d) for d in dims], generator)
    return net
