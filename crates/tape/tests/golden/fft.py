"""Writes fft.json: Fourier transforms and their gradients by PyTorch in double precision.

    python fft.py        (needs torch)
"""

import json
import pathlib

import torch

torch.manual_seed(6)


def array(x):
    x = x.detach()
    return {"shape": list(x.shape), "data": x.reshape(-1).tolist()}


# Kind, shape (without pairs), axes, lengths, norm.
CASES = [
    ("fft", [7], [-1], None, "backward"),
    ("fft", [3, 8], [-1], [5], "ortho"),
    ("fft", [3, 8], [0], [4], "forward"),
    ("fft", [4, 3, 5], [0, 2], [3, 8], "ortho"),
    ("fft", [1], [0], None, "backward"),
    ("ifft", [6], [-1], None, "backward"),
    ("ifft", [2, 9], [-1], [12], "forward"),
    ("ifft", [5, 4], [0, 1], None, "ortho"),
    ("rfft", [8], [-1], None, "backward"),
    ("rfft", [2, 9], [-1], None, "ortho"),
    ("rfft", [6, 3], [0], [7], "forward"),
    ("rfft", [4, 5], [0, 1], [5, 4], "backward"),
    ("rfft", [1], [0], None, "backward"),
    ("irfft", [5], [-1], None, "backward"),
    ("irfft", [2, 5], [-1], [9], "ortho"),
    ("irfft", [5, 3], [0], [12], "forward"),
    ("irfft", [4, 4], [0, 1], [3, 6], "backward"),
    ("irfft", [2], [0], [1], "backward"),
]


def case(kind, shape, axes, lengths, norm):
    # Numbers that single precision holds exactly, so that both precisions start from the same point.
    pairs = shape if kind == "rfft" else shape + [2]
    x = torch.randn(pairs).double().requires_grad_()
    z = x if kind == "rfft" else torch.view_as_complex(x)
    y = getattr(torch.fft, kind + "n")(z, s=lengths, dim=axes, norm=norm)
    y = y if kind == "irfft" else torch.view_as_real(y)
    weights = torch.randn(y.shape).double()
    (gradient,) = torch.autograd.grad((y * weights).sum(), x)
    return {"kind": kind, "axes": axes, "lengths": lengths, "norm": norm, "input": array(x), "value": array(y),
            "weights": array(weights), "gradient": array(gradient)}


cases = [case(*c) for c in CASES]
path = pathlib.Path(__file__).with_name("fft.json")
path.write_text(json.dumps({"torch": torch.__version__, "cases": cases}) + "\n")
