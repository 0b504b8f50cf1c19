"""Normalisation layers as PyTorch computes them, in double precision.

Run in this folder: python norms.py > norms.json
"""

import json

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)


def pack(t):
    return {"shape": list(t.shape), "values": [float(f"{v:.12g}") for v in t.detach().reshape(-1).tolist()]}


def short(t):
    """Numbers with few digits, so that they are written exactly."""
    return (t * 1e3).round() / 1e3


def case(kind, module, x, options):
    """The output and the gradients of its weighted sum, for the input and all parameters, away from their start."""
    for p in module.parameters():
        p.data = short(torch.randn_like(p))
    for b in module.buffers():
        if b.is_floating_point():
            b.data = short(torch.rand_like(b) + 0.5)
    before = {n: pack(b) for n, b in module.named_buffers()}
    x = short(x).requires_grad_(True)
    y = module(x)
    inputs = [x, *module.parameters()]
    weights = torch.linspace(-1.0, 2.0, y.numel()).reshape(y.shape) if y.numel() != 1 else torch.full(y.shape, -1.0)
    grads = torch.autograd.grad((y * weights).sum(), inputs)
    return {
        "name": kind,
        "inputs": [pack(t) for t in inputs],
        "output": pack(y),
        "grads": [pack(g) for g in grads],
        "before": before,
        "after": {n: pack(b) for n, b in module.named_buffers()},
        "training": module.training,
        **options,
    }


def layers():
    for shape, x in [([4], (3, 4)), ([5], (5,)), ([3, 2], (2, 3, 2)), ([1], (3, 1)), ([7], (2, 1, 3, 7))]:
        # Of a single small number the gradient is nothing but rounding.
        away = 2.0 if shape == [1] else 0.0
        randn = lambda x: torch.randn(x) + away
        for epsilon in [1e-5, 1e-12, 0.1]:
            if len(shape) == 1 and shape != [4] and epsilon != 0.1:
                continue
            o = {"shape": shape, "epsilon": epsilon}
            yield case("LayerNorm", nn.LayerNorm(shape, epsilon), randn(x), {"affine": "all", **o})
            yield case("RmsNorm", nn.RMSNorm(shape, epsilon), randn(x), {"affine": "all", **o})
        o = {"shape": shape, "epsilon": 1e-5}
        yield case("LayerNorm", nn.LayerNorm(shape, bias=False), randn(x), {"affine": "weight", **o})
        yield case("LayerNorm", nn.LayerNorm(shape, elementwise_affine=False), randn(x), {"affine": "no", **o})
        yield case("RmsNorm", nn.RMSNorm(shape), randn(x), {"affine": "all", **o, "epsilon": None})
        no = nn.RMSNorm(shape, elementwise_affine=False)
        yield case("RmsNorm", no, randn(x), {"affine": "no", **o, "epsilon": None})


def groups():
    shapes = [(1, 3, (2, 3, 4)), (2, 6, (2, 6)), (3, 6, (1, 6, 2, 3)), (5, 5, (3, 5, 2, 1, 2)), (1, 1, (2, 1, 5))]
    for g, c, x in shapes:
        for affine in [True, False]:
            o = {"groups": g, "channels": c, "epsilon": 1e-5, "affine": affine}
            yield case("GroupNorm", nn.GroupNorm(g, c, affine=affine), torch.randn(x), o)
    o = {"groups": 2, "channels": 4, "epsilon": 0.1, "affine": True}
    yield case("GroupNorm", nn.GroupNorm(2, 4, 0.1), torch.randn(3, 4, 3), o)


def channels():
    batch = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
    shapes = {1: [(3, 4), (2, 3, 5), (1, 2, 3), (4, 1), (2, 1, 9)], 2: [(2, 3, 3, 2), (1, 1, 1, 2), (3, 2, 3, 2)], 3: [(2, 2, 1, 2, 3)]}
    for d, kinds in shapes.items():
        for x in kinds:
            for affine in [True, False]:
                for momentum in [0.1, None, 1.0]:
                    for train in [True, False]:
                        if (momentum == 1.0 and affine) or (momentum != 0.1 and not train):
                            continue
                        m = batch[d](x[1], momentum=momentum, affine=affine).train(train)
                        o = {"d": d, "channels": x[1], "momentum": momentum, "affine": affine, "tracked": True}
                        yield case("BatchNorm", m, torch.randn(x), o)
            m = batch[d](x[1], eps=0.1, track_running_stats=False).train(len(x) == 2)
            o = {"d": d, "channels": x[1], "momentum": 0.1, "affine": True, "tracked": False, "epsilon": 0.1}
            yield case("BatchNorm", m, torch.randn(x), o)
    instance = {1: nn.InstanceNorm1d, 2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
    shapes = {1: [(2, 3, 5), (3, 4), (1, 1, 2)], 2: [(2, 3, 3, 2), (2, 1, 3)], 3: [(2, 2, 1, 2, 3), (1, 2, 3, 2)]}
    for d, kinds in shapes.items():
        for x in kinds:
            for affine in [True, False]:
                for tracked in [True, False]:
                    for train in [True, False]:
                        c = x[-d - 1]
                        m = instance[d](c, affine=affine, track_running_stats=tracked, momentum=0.3).train(train)
                        o = {"d": d, "channels": c, "momentum": 0.3, "affine": affine, "tracked": tracked}
                        yield case("InstanceNorm", m, torch.randn(x), o)


def responses():
    for size in [1, 2, 3, 5, 12]:
        for x in [(2, 4, 3), (1, 1, 2, 2), (2, 7, 1)]:
            o = {"size": size, "alpha": 0.3, "beta": 0.75, "k": 1.5}
            yield case("LocalResponseNorm", nn.LocalResponseNorm(size, 0.3, 0.75, 1.5), torch.randn(x), o)


def sequence():
    """Running statistics after several batches."""
    for momentum in [0.1, None]:
        m = nn.BatchNorm1d(3, momentum=momentum)
        batches = [short(torch.randn(n, 3, 2) * n + n) for n in [2, 5, 3]]
        for x in batches:
            m(x)
        yield {
            "momentum": momentum,
            "batches": [pack(x) for x in batches],
            "mean": pack(m.running_mean),
            "variance": pack(m.running_var),
            "count": int(m.num_batches_tracked),
        }


print(json.dumps({"layers": [*layers(), *groups(), *channels(), *responses()], "sequence": [*sequence()]}))
