"""Layers with computed weights, as PyTorch computes them in double precision.

Run in this folder: python parametrize.py > parametrize.json
"""

import json

import torch
from torch import nn
from torch.nn.utils.parametrizations import orthogonal, spectral_norm, weight_norm

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)


def pack(t):
    return {"shape": list(t.shape), "values": [float(f"{v:.13g}") for v in t.detach().reshape(-1).tolist()]}


def short(t):
    return (t * 1e3).round() / 1e3


def case(name, module, x, options):
    """Three forward passes, of which the last is given, with the gradients of its weighted sum."""
    for p in module.parameters():
        p.data = short(torch.randn_like(p))
    for b in module.buffers():
        b.data = short(b)
    before = {n: pack(b) for n, b in module.named_buffers()}
    x = short(x).requires_grad_(True)
    for _ in range(3):
        y = module(x)
    named = dict(module.named_parameters())
    weights = torch.linspace(-1.0, 2.0, y.numel()).reshape(y.shape)
    grads = torch.autograd.grad((y * weights).sum(), [x, *named.values()])
    return {
        "name": name,
        "x": pack(x),
        "params": {n: pack(p) for n, p in named.items()},
        "output": pack(y),
        "of_x": pack(grads[0]),
        "grads": {n: pack(g) for n, g in zip(named, grads[1:])},
        "before": before,
        "after": {n: pack(b) for n, b in module.named_buffers()},
        "training": module.training,
        **options,
    }


def cases():
    for axis in [0, 1, None]:
        o = {"axis": axis}
        yield case("weight Linear", weight_norm(nn.Linear(4, 3), dim=axis), torch.randn(2, 4), o)
        yield case("weight Conv2d", weight_norm(nn.Conv2d(2, 3, 2), dim=axis), torch.randn(2, 2, 4, 3), o)
    for axis in [0, 1]:
        for steps in [1, 3]:
            for train in [True, False]:
                o = {"axis": axis, "steps": steps}
                m = spectral_norm(nn.Linear(4, 3), n_power_iterations=steps, dim=axis).train(train)
                yield case("spectral Linear", m, torch.randn(2, 4), o)
                m = spectral_norm(nn.Conv2d(2, 3, 2), n_power_iterations=steps, dim=axis).train(train)
                yield case("spectral Conv2d", m, torch.randn(2, 2, 4, 3), o)
    m = spectral_norm(nn.Linear(4, 3), "bias")
    yield case("spectral bias", m, torch.randn(2, 4), {"axis": 0, "steps": 1})
    for map in ["matrix_exp", "cayley", "householder"]:
        yield case(f"orthogonal {map}", orthogonal(nn.Linear(4, 3), orthogonal_map=map), torch.randn(2, 4), {})
    yield case("orthogonal square", orthogonal(nn.Linear(4, 4)), torch.randn(2, 4), {})
    yield case("orthogonal tall", orthogonal(nn.Linear(4, 6)), torch.randn(2, 4), {})


print(json.dumps({"cases": [*cases()]}))
