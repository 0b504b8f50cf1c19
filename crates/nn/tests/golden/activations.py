"""Activations as PyTorch computes them, in double precision, at kinks too.

Run in this folder: python activations.py > activations.json
"""

import json

import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)


def pack(t):
    return {"shape": list(t.shape), "values": [float(f"{v:.13g}") for v in t.detach().reshape(-1).tolist()]}


def case(name, function, inputs):
    inputs = [t.clone().requires_grad_(True) for t in inputs]
    y = function(*inputs)
    weights = torch.linspace(-1.0, 2.0, y.numel()).reshape(y.shape) if y.numel() != 1 else torch.full(y.shape, -1.0)
    grads = torch.autograd.grad((y * weights).sum(), inputs)
    return {
        "name": name,
        "inputs": [pack(t) for t in inputs],
        "output": pack(y),
        "grads": [pack(g) for g in grads],
    }


x = torch.cat([torch.linspace(-6, 6, 25), torch.tensor([-30.0, 30.0, 0.0, 1e-6, -1e-6, -3.0, 3.0, 0.25, -0.25, 6.0])])
# PyTorch rounds 1/alpha of `celu` and 1/6 of `hardsigmoid` to single precision: alphas are powers of 2, and the other is
# written out.
elementwise = {
    "Selu": F.selu,
    "Celu": lambda x: F.celu(x, 2.0),
    "Celu -": lambda x: F.celu(x, -0.5),
    "Mish": F.mish,
    "Hardswish": F.hardswish,
    "Hardsigmoid": lambda x: F.relu6(x + 3) / 6,
    "Hardtanh": F.hardtanh,
    "Hardtanh wide": lambda x: F.hardtanh(x, -3.0, 0.25),
    "Relu6": F.relu6,
    "LogSigmoid": F.logsigmoid,
    "Softsign": F.softsign,
    "Tanhshrink": F.tanhshrink,
    "Hardshrink": F.hardshrink,
    "Hardshrink wide": lambda x: F.hardshrink(x, 3.0),
    "Softshrink": F.softshrink,
    "Softshrink 0": lambda x: F.softshrink(x, 0.0),
    "Threshold": lambda x: F.threshold(x, 0.25, -7.0),
    "Rrelu": lambda x: F.rrelu(x, 0.1, 0.4),
    "Swish": lambda x: x * torch.sigmoid(2.5 * x),
    "Swish -": lambda x: x * torch.sigmoid(-0.5 * x),
    "SquaredRelu": lambda x: torch.relu(x) ** 2,
}
cases = [case(name, function, [x]) for name, function in elementwise.items()]
short = lambda *shape: (torch.randn(*shape) * 1e3).round() / 1e3
for shape in [(3,), (2, 5), (2, 3, 4), (1, 1)]:
    cases.append(case("Softmin", lambda x: F.softmin(x, -1), [short(*shape)]))
for shape in [(2, 3, 4, 5), (3, 2, 2), (1, 1, 1)]:
    cases.append(case("Softmax2d", nn.Softmax2d(), [short(*shape)]))
for shape, axis in [((6,), -1), ((2, 4), 1), ((4, 3), 0), ((2, 6, 3), 1), ((2, 0), -1), ((1, 2), -1)]:
    half = lambda x: x.chunk(2, axis)
    gates = {"Glu": torch.sigmoid, "SwiGlu": F.silu, "GeGlu": F.gelu, "ReGlu": F.relu}
    for name, gate in gates.items():
        function = (lambda x: F.glu(x, axis)) if name == "Glu" else lambda x: half(x)[0] * gate(half(x)[1])
        cases.append({**case(name, function, [short(*shape)]), "axis": axis})
for shape, slopes in [((5,), 1), ((2, 3), 3), ((2, 3, 4), 3), ((2, 1, 2, 2), 1), ((3, 4, 2), 1)]:
    cases.append({**case("Prelu", F.prelu, [short(*shape), short(slopes)]), "slopes": slopes})
cases.append({**case("Prelu", F.prelu, [x, torch.tensor([0.25])]), "slopes": 1})
print(json.dumps({"activations": cases}))
