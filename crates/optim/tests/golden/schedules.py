"""Writes schedules.json: learning rates of steps 0 to 59 by PyTorch's and optax's schedulers.

    JAX_ENABLE_X64=1 python schedules.py        # torch 2.15.0, optax 0.2.8
"""

import json
import pathlib

import optax
import torch

L = torch.optim.lr_scheduler
cases = {}


def with_torch(name, make, lr=0.1):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr, momentum=0.9)
    scheduler = make(optimizer)
    rates = []
    for _ in range(60):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    cases["torch " + name] = rates


def with_optax(name, schedule):
    cases["optax " + name] = [float(schedule(t)) for t in range(60)]


with_torch("step", lambda o: L.StepLR(o, 7, 0.3))
with_torch("multi_step", lambda o: L.MultiStepLR(o, [5, 20, 21], 0.5))
with_torch("exponential", lambda o: L.ExponentialLR(o, 0.93))
with_torch("polynomial", lambda o: L.PolynomialLR(o, 40, 2.0))
with_torch("cosine", lambda o: L.CosineAnnealingLR(o, 60, 0.01))
with_torch("restarts", lambda o: L.CosineAnnealingWarmRestarts(o, 9, 1, 0.01))
with_torch("restarts growing", lambda o: L.CosineAnnealingWarmRestarts(o, 6, 2, 0.01))
with_torch("linear", lambda o: L.LinearLR(o, 0.25, 1.0, 10))
with_torch("one_cycle", lambda o: L.OneCycleLR(o, 0.5, 60, pct_start=0.3))
with_torch("one_cycle linear", lambda o: L.OneCycleLR(o, 0.5, 60, pct_start=0.25, anneal_strategy="linear"))
with_torch("one_cycle three_phase", lambda o: L.OneCycleLR(o, 0.5, 60, pct_start=0.3, three_phase=True))
with_torch("cyclic triangular", lambda o: L.CyclicLR(o, 0.1, 0.5, 8, 8))
with_torch("cyclic triangular2", lambda o: L.CyclicLR(o, 0.1, 0.5, 6, 10, mode="triangular2"))
with_torch("cyclic exp_range", lambda o: L.CyclicLR(o, 0.1, 0.5, 6, mode="exp_range", gamma=0.97))
with_torch("inverse_time", lambda o: L.LambdaLR(o, lambda t: 1 / (1 + 0.2 * t)))
with_torch("noam", lambda o: L.LambdaLR(o, lambda t: 512**-0.5 * min((t + 1) ** -0.5, (t + 1) * 20**-1.5)), 1.0)
with_optax("warmup_cosine", optax.warmup_cosine_decay_schedule(0.01, 0.1, 10, 50, 0.001))
with_optax("polynomial", optax.polynomial_schedule(0.1, 0.01, 3.0, 30))
with_optax("wsd", optax.join_schedules([optax.linear_schedule(0.0, 0.1, 10), optax.constant_schedule(0.1), optax.linear_schedule(0.1, 0.02, 15)], [10, 35]))

# Values that fall, stall, jump and rise.
values = [1.0, 0.9, 0.9, 0.89995, 0.91, 0.95, 0.96, 0.97, 0.5, 0.51, 0.52, 0.53, 0.54, 0.55, 0.56, 0.57, 0.4999, 0.58, 0.59, 0.6] * 3
for mode in ("rel", "abs"):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1)
    scheduler = L.ReduceLROnPlateau(optimizer, factor=0.5, patience=2, threshold=1e-3, threshold_mode=mode, cooldown=1, min_lr=0.002, eps=0.0)
    rates = []
    for value in values:
        scheduler.step(value)
        rates.append(optimizer.param_groups[0]["lr"])
    cases["torch plateau " + mode] = rates
cases["plateau values"] = values

lines = [f"{json.dumps(name)}: {json.dumps(rates, separators=(',', ':'))}" for name, rates in cases.items()]
path = pathlib.Path(__file__).with_name("schedules.json")
path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(len(cases), "cases,", path.stat().st_size, "bytes")
