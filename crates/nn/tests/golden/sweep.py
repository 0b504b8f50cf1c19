"""Random settings of convolutions and pools, and what PyTorch gives for them in double precision.

Run in this folder: python sweep.py > sweep.json

To keep the file small, inputs are made by a formula (see `windows.py`), and of each result there are its shape and a few
sums with weights of its own: a single wrong element changes all of them.
"""

import json
import random

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
SUMS = 3


def formula(shape, seed):
    n = 1
    for d in shape:
        n *= d
    i = torch.arange(n)
    return (((i * 7919 + seed * 104729) % 4036 - 2018).to(torch.float64) / 4036.0).reshape(shape)


def sums(t):
    """The shape, and sums of the elements with weights in [-1, 1]."""
    flat = t.detach().reshape(-1)
    i = torch.arange(flat.numel(), dtype=torch.float64)
    values = [(flat * torch.cos(i * (k + 1) + k)).sum().item() for k in range(SUMS)]
    return {"shape": list(t.shape), "sums": [float(f"{v:.14g}") for v in values]}


def outcome(function, inputs):
    """The output and the gradients of its sum with weights; None if PyTorch refuses the setting."""
    inputs = [t.requires_grad_(True) for t in inputs]
    try:
        output = function(*inputs)
    except RuntimeError:
        return None
    i = torch.arange(output.numel(), dtype=torch.float64).reshape(output.shape)
    grads = torch.autograd.grad((output * torch.sin(i + 1.0)).sum(), inputs)
    return {"output": sums(output), "grads": [sums(g) for g in grads]}


def setting(r, kind):
    d = r.choice([1, 2, 2, 3])
    many = lambda low, high: [r.randint(low, high) for _ in range(d)]
    largest = {1: 12, 2: 8, 3: 5}[d]
    batch = r.choice([0, 1, 1, 2, 3])
    size = many(1, largest)
    s = {"kind": kind, "d": d, "kernel": many(1, 4 if d < 3 else 3), "stride": many(1, 3), "dilation": many(1, 3)}
    if kind in ("conv", "conv_transpose"):
        groups = r.choice([1, 1, 2, 3])
        ins, outs = groups * r.randint(1, 3), groups * r.randint(1, 3)
        s |= {"padding": many(0, 3), "groups": groups, "bias": r.random() < 0.5}
        s["input"] = [batch, ins] + size
        if kind == "conv":
            s["weight"] = [outs, ins // groups] + s["kernel"]
        else:
            s["weight"] = [ins, outs // groups] + s["kernel"]
            s["output_padding"] = many(0, 2)
        s["channels"] = outs
    else:
        s |= {"padding": [r.randint(0, k // 2) for k in s["kernel"]], "ceil": r.random() < 0.5}
        s["input"] = [batch, r.randint(1, 3)] + size
        if kind == "avg_pool":
            s["dilation"] = [1] * d
            s["count_padding"] = r.random() < 0.5
            s["divisor"] = r.choice([0, 0, 3]) if d > 1 else 0
        if kind.startswith("adaptive"):
            s = {"kind": kind, "d": d, "input": s["input"], "size": many(1, largest)}
    return s


def misses(s):
    """Whether a window of max pooling meets no pixel, for which PyTorch has no gradient (of volumes it crashes)."""
    for axis, size in enumerate(s["input"][2:]):
        k, p, d = s["kernel"][axis], s["padding"][axis], s["dilation"][axis]
        for start in range(-p, size, s["stride"][axis]):
            if start <= size + p - d * (k - 1) - 1 + s["stride"][axis]:
                if not any(0 <= start + tap * d < size for tap in range(k)):
                    return True
    return False


def run(s):
    d, kind = s["d"], s["kind"]
    if kind == "max_pool" and misses(s):
        return None
    inputs = [formula(s["input"], 0)]
    f = getattr(F, f"{kind}{d}d")
    if kind in ("conv", "conv_transpose"):
        inputs.append(formula(s["weight"], 1))
        if s["bias"]:
            inputs.append(formula([s["channels"]], 2))
        more, limits = s.get("output_padding", [0] * d), zip(s["stride"], s["dilation"])
        # PyTorch says so, but not for a batch of 0.
        if any(m >= max(limit) for m, limit in zip(more, limits)):
            return None
        options = {k: s[k] for k in ("stride", "padding", "dilation", "groups", "output_padding") if k in s}
        return outcome(lambda x, w, b=None: f(x, w, b, **options), inputs)
    if kind.startswith("adaptive"):
        return outcome(lambda x: f(x, s["size"]), inputs)
    if kind == "max_pool":
        options = {"stride": s["stride"], "padding": s["padding"], "dilation": s["dilation"]}
        return outcome(lambda x: f(x, s["kernel"], ceil_mode=s["ceil"], **options), inputs)
    options = {"ceil_mode": s["ceil"], "count_include_pad": s["count_padding"]}
    if s["divisor"]:
        options["divisor_override"] = s["divisor"]
    return outcome(lambda x: f(x, s["kernel"], s["stride"], s["padding"], **options), inputs)


def main():
    r = random.Random(11)
    cases, refused = [], 0
    kinds = ["conv", "conv_transpose", "conv", "max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool"]
    while len(cases) < 240:
        s = setting(r, kinds[(len(cases) + refused) % len(kinds)])
        result = run(s)
        refused += result is None
        # Some of the settings that PyTorch refuses are kept, too. (Its avg_pool3d alone wants windows no larger than the
        # padded volume also in ceil mode.)
        if result is not None or refused % 4 == 0 and (s["kind"], s["d"]) != ("avg_pool", 3):
            cases.append(s | {"result": result})
    print("[" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "]")


main()
