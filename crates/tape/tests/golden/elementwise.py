"""Writes elementwise.json: values and gradients of elementwise functions by PyTorch in double precision.

    python elementwise.py        (needs torch and scipy)
"""

import json
import pathlib

import scipy.special
import torch

torch.manual_seed(5)


# Numbers that single precision holds exactly, so that both precisions start from the same point.
def numbers(low, high, count=24):
    return (torch.rand(count, dtype=torch.float64) * (high - low) + low).float().double()


def either_sign(low, high):
    x = numbers(low, high)
    x[::2] *= -1
    return x


class Polygamma(torch.autograd.Function):
    """SciPy's, whose digits are all right; of PyTorch's trigamma function the last six are not."""

    @staticmethod
    def forward(ctx, x, n):
        ctx.save_for_backward(x)
        ctx.n = n
        return torch.tensor(scipy.special.polygamma(n, x.detach().numpy()))

    @staticmethod
    def backward(ctx, v):
        (x,) = ctx.saved_tensors
        return v * torch.tensor(scipy.special.polygamma(ctx.n + 1, x.detach().numpy())), None


ONE = {
    "asinh": (torch.asinh, either_sign(0.1, 30)),
    "acosh": (torch.acosh, numbers(1.1, 30)),
    "atanh": (torch.atanh, either_sign(0.05, 0.95)),
    "exp2": (torch.exp2, numbers(-5, 5)),
    "log2": (torch.log2, numbers(0.1, 9)),
    "log10": (torch.log10, numbers(0.1, 200)),
    "erfinv": (torch.erfinv, either_sign(0.05, 0.95)),
    "ndtr": (torch.special.ndtr, either_sign(0.05, 3)),
    "ndtri": (torch.special.ndtri, numbers(0.01, 0.99)),
    "lgamma": (torch.lgamma, numbers(0.1, 20)),
    "digamma": (lambda x: Polygamma.apply(x, 0), numbers(0.1, 20)),
    "polygamma 1": (lambda x: Polygamma.apply(x, 1), numbers(0.3, 20)),
    "polygamma 2": (lambda x: Polygamma.apply(x, 2), numbers(0.3, 20)),
    "sinc": (torch.sinc, either_sign(0.3, 5.4)),
    "log_sigmoid": (torch.nn.functional.logsigmoid, either_sign(0.1, 9)),
    "logit": (torch.logit, numbers(0.02, 0.98)),
    "entr": (torch.special.entr, numbers(0.05, 4)),
    "frac": (torch.frac, either_sign(0.1, 9)),
    "trunc": (torch.trunc, either_sign(0.1, 9)),
    "ceil": (torch.ceil, either_sign(0.1, 9)),
}
TWO = {
    "atan2": (torch.atan2, either_sign(0.2, 3), numbers(-3, 3)),
    "hypot": (torch.hypot, either_sign(0.2, 3), numbers(-3, 3)),
    "pow": (torch.pow, numbers(0.2, 3), numbers(-3, 3)),
    "ldexp": (torch.ldexp, numbers(-3, 3), numbers(-3, 3)),
    "logaddexp": (torch.logaddexp, numbers(-9, 9), numbers(-3, 3)),
    "logaddexp2": (torch.logaddexp2, numbers(-9, 9), numbers(-3, 3)),
    "xlogy": (torch.xlogy, numbers(-3, 3), numbers(0.1, 3)),
    "xlog1py": (torch.special.xlog1py, numbers(-3, 3), numbers(-0.9, 3)),
    "fmod": (torch.fmod, numbers(-20, 20), either_sign(0.7, 3)),
    "remainder": (torch.remainder, numbers(-20, 20), either_sign(0.7, 3)),
    "copysign": (torch.copysign, either_sign(0.1, 3), numbers(-3, 3)),
    "fmax": (torch.fmax, numbers(-3, 3), numbers(-3, 3)),
    "fmin": (torch.fmin, numbers(-3, 3), numbers(-3, 3)),
    "lerp": (lambda a, b: torch.lerp(a, b, 0.7), numbers(-3, 3), numbers(-3, 3)),
    "clamp_to": (lambda a, b: torch.clamp(a, -b.abs(), b.abs()), numbers(-3, 3), numbers(-3, 3)),
}


def array(x):
    return {"shape": list(x.shape), "data": x.detach().tolist()}


def case(name, function, inputs):
    inputs = [x.requires_grad_() for x in inputs]
    value = function(*inputs)
    # Not the sum, whose cotangents are all 1.
    gradient = torch.autograd.grad((value * torch.linspace(1, 2, len(value), dtype=torch.float64)).sum(), inputs,
                                   allow_unused=True)
    zero = torch.zeros(len(value), dtype=torch.float64)
    return {"name": name, "inputs": [array(x) for x in inputs], "value": array(value),
            "gradient": [array(zero if g is None else g) for g in gradient]}


cases = [case(name, f, inputs) for table in (ONE, TWO) for name, (f, *inputs) in table.items()]
path = pathlib.Path(__file__).with_name("elementwise.json")
path.write_text(json.dumps({"torch": torch.__version__, "cases": cases}) + "\n")
