"""Steps of PyTorch's optimisers in double precision with gradients near both ends of single precision, for
tests/optim/extremes.rs, and parameters that have no gradient for a while, for tests/optim/frozen.rs.

    python extremes.py > extremes.json
"""

import json
import math

import torch

torch.set_default_dtype(torch.float64)
O = torch.optim
STEPS = 8
METHODS = {
    "sgd": lambda p: O.SGD(p, lr=0.01),
    "momentum": lambda p: O.SGD(p, lr=0.01, momentum=0.9),
    "adagrad": lambda p: O.Adagrad(p, lr=0.01),
    "adadelta": lambda p: O.Adadelta(p, lr=1.0),
    "rmsprop": lambda p: O.RMSprop(p, lr=0.01),
    "adam": lambda p: O.Adam(p, lr=0.001),
    "adamw": lambda p: O.AdamW(p, lr=0.001),
    "amsgrad": lambda p: O.Adam(p, lr=0.001, amsgrad=True),
    "adamax": lambda p: O.Adamax(p, lr=0.002),
    "nadam": lambda p: O.NAdam(p, lr=0.002),
    "radam": lambda p: O.RAdam(p, lr=0.001),
    "rprop": lambda p: O.Rprop(p, lr=0.01),
    "adafactor": lambda p: O.Adafactor(p, lr=0.01, eps=(2.0**-23, 1e-3)),
}


def number(i, t):
    return math.sin(0.7 * t + 1.3 * i) + 0.1


def gradient(kind, i, t):
    """One scale, another one for each element, or another one at every step."""
    if kind == "mixed":
        return number(i, t) * 10.0 ** (-28 + 56 * i / 7)
    if kind == "jumping":
        return number(i, t) * 10.0 ** (25 if t % 2 else -25)
    return number(i, t) * 10.0**kind


def run(make, kind):
    weight = torch.zeros(2, 3, requires_grad=True)
    bias = torch.zeros(2, requires_grad=True)
    optimizer = make([weight, bias])
    for t in range(STEPS):
        g = torch.tensor([gradient(kind, i, t) for i in range(8)])
        # The gradient of single precision.
        g = g.to(torch.float32).to(torch.float64)
        weight.grad, bias.grad = g[:6].reshape(2, 3), g[6:]
        optimizer.step()
    return torch.cat([weight.detach().flatten(), bias.detach()]).tolist()


def paused(make):
    """Three steps on the sum of squares, three with no gradient for the first parameter, and three more."""
    a, b = (torch.tensor([x], requires_grad=True) for x in (1.0, -2.0))
    optimizer, seen = make([a, b]), []
    for t in range(9):
        a.grad = None if 3 <= t < 6 else 2 * a.detach()
        b.grad = 2 * b.detach()
        optimizer.step()
        seen.append([a.item(), b.item()])
    return seen


kinds = [-30, -25, -20, -12, 0, 12, 19, 20, 21, 25, 30, "mixed", "jumping"]
steps = {name: {str(kind): run(make, kind) for kind in kinds} for name, make in METHODS.items()}
pause = {
    "adam": paused(lambda p: O.Adam(p, lr=0.1)),
    "adamw": paused(lambda p: O.AdamW(p, lr=0.1, weight_decay=0.1)),
    "momentum": paused(lambda p: O.SGD(p, lr=0.05, momentum=0.9)),
    "nadam": paused(lambda p: O.NAdam(p, lr=0.1)),
    "adagrad": paused(lambda p: O.Adagrad(p, lr=0.3)),
    "rmsprop": paused(lambda p: O.RMSprop(p, lr=0.05, momentum=0.9)),
}
print(json.dumps({"steps": steps, "paused": pause}, indent=1))
