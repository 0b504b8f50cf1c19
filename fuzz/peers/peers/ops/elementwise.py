"""Functions of one number and of two, activations, comparisons."""

import math

import mpmath
import torch
import torch.nn.functional as F

from ..program import Refused
from ..wire import number
from . import op

ALL = ("ties", "special", "extreme")


def softplus(x):
    # PyTorch's own is the identity above a threshold.
    return torch.logaddexp(x, torch.zeros_like(x))


class Gamma(torch.autograd.Function):
    """The n-th derivative of ln Γ by mpmath: PyTorch's trigamma has ten digits."""

    @staticmethod
    def forward(ctx, x, n):
        ctx.save_for_backward(x)
        ctx.n = n
        f = mpmath.loggamma if n == 0 else lambda x: mpmath.polygamma(n - 1, x)
        numbers = [float(mpmath.re(f(v))) for v in x.detach().reshape(-1).tolist()]
        return torch.tensor(numbers, dtype=x.dtype).reshape(x.shape)

    @staticmethod
    def backward(ctx, v):
        return v * Gamma.apply(ctx.saved_tensors[0], ctx.n + 1), None


def normal(x):
    """The normal distribution function without the cancellation of PyTorch's in its lower tail."""
    return torch.erfc(x * -(0.5**0.5)) / 2


def gelu_tanh(x):
    # σ(2u) is (1 + tanh u)/2 without its cancellation.
    return x * torch.sigmoid(2 * (2 / math.pi) ** 0.5 * (x + 0.044715 * x**3))


def tanhshrink(x):
    # PyTorch's own is the difference. That of x and the continued fraction of tanh x is one without subtractions.
    near = x.abs() < 1
    z = torch.where(near, x, 0.5).square()
    t = torch.full_like(z, 25.0)
    for odd in range(23, 1, -2):
        t = odd + z / t
    t = z / t
    return torch.where(near, x * (t / (1 + t)), F.tanhshrink(x))


def sinc(x):
    # PyTorch's own is of a πx that is rounded: of whole numbers it is 0.
    near = x.abs() < 0.5
    far = torch.where(near, 1.0, x)
    whole = torch.round(far).detach()
    half_turns = 1 - 2 * (whole.abs() % 2)
    sine = half_turns * torch.sin(math.pi * (far - whole))
    return torch.where(near, torch.sinc(torch.where(near, x, 0.0)), sine / (math.pi * far))


def sign(x):
    # NaN has no sign; PyTorch gives 0.
    return torch.where(x.isnan(), x, torch.sign(x))


def hardsigmoid(x):
    # PyTorch's own has a sixth in single precision in its derivative, and no second one.
    return F.relu6(x + 3) / 6


# Near 0 PyTorch's second derivatives of i1 and i1e are differences of nearly equal numbers.
UNARY = {
    "exp": ("any", torch.exp), "exp_m1": ("any", torch.expm1), "ln": ("positive", torch.log),
    "ln_1p": ("unit", torch.log1p), "sqrt": ("positive", torch.sqrt), "rsqrt": ("positive", torch.rsqrt),
    "recip": ("nonzero", torch.reciprocal), "abs": ("any", torch.abs), "sign": ("any", sign),
    "sin": ("any", torch.sin), "cos": ("any", torch.cos), "tan": ("unit", torch.tan), "sinh": ("any", torch.sinh),
    "cosh": ("any", torch.cosh), "tanh": ("any", torch.tanh), "asin": ("unit", torch.asin), "acos": ("unit", torch.acos),
    "atan": ("any", torch.atan), "asinh": ("any", torch.asinh), "acosh": ("above one", torch.acosh),
    "atanh": ("unit", torch.atanh), "exp2": ("any", torch.exp2), "log2": ("positive", torch.log2),
    "log10": ("positive", torch.log10), "sigmoid": ("any", torch.sigmoid), "erf": ("any", torch.erf),
    "erfc": ("any", torch.erfc), "erfinv": ("unit", torch.erfinv), "ndtr": ("any", normal),
    "erfcx": ("any", torch.special.erfcx), "log_ndtr": ("any", torch.special.log_ndtr),
    "ndtri": ("probability", torch.special.ndtri), "gelu": ("any", lambda x: x * normal(x)), "softplus": ("any", softplus),
    "square": ("any", torch.square), "relu": ("any", torch.relu), "log_sigmoid": ("any", F.logsigmoid),
    "logit": ("probability", torch.logit), "entr": ("positive", torch.special.entr), "floor": ("any", torch.floor),
    "ceil": ("any", torch.ceil), "trunc": ("any", torch.trunc), "frac": ("any", torch.frac),
    "round": ("any", torch.round), "sinc": ("nonzero", sinc), "i0": ("any", torch.i0),
    "i0e": ("any", torch.special.i0e), "i1": ("nonzero", torch.special.i1), "i1e": ("nonzero", torch.special.i1e),
    "silu": ("any", F.silu), "gelu_tanh": ("any", gelu_tanh), "selu": ("any", F.selu),
    "mish": ("any", F.mish), "hardswish": ("any", F.hardswish), "hardsigmoid": ("any", hardsigmoid),
    "relu6": ("any", F.relu6), "squared_relu": ("any", lambda x: torch.relu(x).square()),
    "softsign": ("any", F.softsign), "tanhshrink": ("any", tanhshrink), "neg": ("any", torch.neg),
}


# At the ends of the range PyTorch's derivatives of these overflow, underflow or cancel; the tape's own tests hold ours against
# their limits there.
VALUES_ALONE = {"softsign", "asinh", "acosh", "atan", "erfcx", "i0", "i0e", "i1", "i1e", "tanhshrink", "sinc", "ndtri",
                "erfinv", "atanh", "log_ndtr", "gelu_tanh", "mish", "rsqrt", "atan2", "hypot", "powf", "pow", "ldexp"}
# Here ±∞ have the limit as value, where PyTorch has ∞ − ∞ or ∞ · 0.
LIMITS = {"gelu", "gelu_tanh", "hardswish", "softsign", "silu", "mish", "swish", "sinc", "i1", "log_ndtr", "entr", "tanhshrink",
          "erfcx", "i0", "i0e", "i1e"}


OF_ONE_NUMBER = VALUES_ALONE - {"atan2", "hypot", "pow", "ldexp"}


def at_the_ends(d, name):
    if d.program.flavour == "extreme" and name in VALUES_ALONE:
        d.program.order = 0
    if d.program.flavour == "far" and name in OF_ONE_NUMBER:
        # Near 0 and far out PyTorch's second derivatives of these cancel, or are of another formula.
        d.program.order = 1
    d.program.limits = d.program.flavour != "ordinary" and name in LIMITS


@op(*UNARY, flavours=ALL, weight=1.0)
def unary(d, name):
    domain, function = UNARY[name]
    at_the_ends(d, name)
    return d.step(name, [d.any(domain=domain)], {}, function)


@op("is_nan", "is_inf", "is_finite", flavours=ALL, weight=0.2)
def kinds(d, name):
    function = {"is_nan": torch.isnan, "is_inf": torch.isinf, "is_finite": torch.isfinite}[name]
    return d.step(name, [d.any()], {}, lambda x: function(x).to(x.dtype))


@op("powi", flavours=ALL)
def powi(d):
    n = d.choice([-5, -3, -2, -1, 0, 1, 2, 3, 4, 5, 7, 12])
    return d.step("powi", [d.any(domain="nonzero" if n < 0 else "any")], {"n": n}, lambda x: x**n)


@op("powf", flavours=ALL)
def powf(d):
    p = d.choice([-2.0, -1.5, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0])
    at_the_ends(d, "powf")
    # PyTorch's powers ±½ are roots, NaN at −∞ and negative at −0, where IEEE 754's `pow` and its other powers are those of ∞ and 0.
    unsigned = lambda x: torch.where(x.isneginf(), torch.inf, x) + 0.0 if abs(p) == 0.5 else x
    return d.step("powf", [d.any(domain="positive")], {"p": p}, lambda x: torch.pow(unsigned(x), p))


@op("lgamma", "digamma", "polygamma")
def gamma(d, name):
    n = d.int(0, 4)
    order = {"lgamma": 0, "digamma": 1, "polygamma": n + 1}[name]
    x = d.any(domain="positive", limit=16)
    return d.step(name, [x], {"n": n} if name == "polygamma" else {}, lambda x: Gamma.apply(x, order))


@op("multigammaln")
def multigammaln(d):
    p = d.int(1, 4)
    x = d.any(domain="positive", limit=16)
    shift = p / 2
    [x] = d.step("add_number", [x], {"s": shift}, lambda x: x + shift)
    constant = p * (p - 1) / 4 * math.log(math.pi)
    return d.step("multigammaln", [x], {"p": p},
                  lambda x: constant + sum(Gamma.apply(x - j / 2, 0) for j in range(p)))


# At its limits it has the slope 1 here, as the guide says: no ties.
@op("clamp", flavours=("special", "extreme"))
def clamp(d):
    low, high = d.number(-2, 0.5) - 1 / 32, d.number(-1, 2) + 1 / 32
    return d.step("clamp", [d.any()], {"low": low, "high": max(low, high)},
                  lambda x: torch.clamp(x, low, max(low, high)))


@op("nan_to_num", flavours=ALL)
def nan_to_num(d):
    nan, high, low = d.number(-1, 1), d.choice([None, 4.0]), d.choice([None, -3.0])
    attributes = {"nan": nan} | ({} if high is None else {"posinf": high}) | ({} if low is None else {"neginf": low})
    return d.step("nan_to_num", [d.any()], attributes, lambda x: torch.nan_to_num(x, nan, high, low))


@op("leaky_relu", "elu", "celu", "swish", "hardtanh", "hardshrink", "softshrink", "threshold", flavours=ALL)
def activation(d, name):
    at_the_ends(d, name)
    s, t = d.number(0.1, 2), d.number(-1, 1)
    attributes, function = {
        "leaky_relu": ({"slope": s}, lambda x: F.leaky_relu(x, s)),
        "elu": ({"alpha": s}, lambda x: F.elu(x, s)),
        "celu": ({"alpha": s}, lambda x: F.celu(x, s)),
        "swish": ({"beta": s}, lambda x: x * torch.sigmoid(s * x)),
        "hardtanh": ({"low": -s, "high": s + 1}, lambda x: F.hardtanh(x, -s, s + 1)),
        "hardshrink": ({"lambda": s}, lambda x: F.hardshrink(x, s)),
        "softshrink": ({"lambda": s}, lambda x: F.softshrink(x, s)),
        "threshold": ({"threshold": t, "value": s}, lambda x: F.threshold(x, t, s)),
    }[name]
    return d.step(name, [d.any()], attributes, function)


@op("glu")
def glu(d):
    x = d.any(rank=(1, 4))
    axis = d.axis(x)
    if d.shape_of(x)[axis] % 2:
        [x] = d.step("cat", [x, x], {"axis": axis}, lambda *x: torch.cat(x, axis))
    return d.step("glu", [x], {"axis": axis}, lambda x: F.glu(x, axis))


@op("prelu", flavours=ALL)
def prelu(d):
    x = d.any(rank=(2, 4))
    shape = [d.choice([1, d.shape_of(x)[1]])] + [1] * (len(d.shape_of(x)) - 2)
    # At 0 PyTorch's second derivatives are those of the other side than its first.
    return d.step("prelu", [x, d.of_shape(shape)], {}, lambda x, w: torch.where(x > 0, x, x * w))


@op("add_number", "mul_number", "div_number", "number_sub", "number_div", flavours=ALL, weight=0.5)
def with_number(d, name):
    s = d.choice([0.0, 1.0, -1.0, d.number(-3, 3), d.number(-3, 3)])
    function = {"add_number": lambda x: x + s, "mul_number": lambda x: x * s, "div_number": lambda x: x / s,
                "number_sub": lambda x: s - x, "number_div": lambda x: s / x}[name]
    if name == "div_number" and s == 0 and d.chain:
        s = 1.0
    return d.step(name, [d.any(domain="nonzero")], {"s": number(s)}, function)


def heaviside(x, y):
    # PyTorch has no derivative; the one of the values is what is left at 0.
    return torch.where(x.isnan(), x, torch.where(x == 0, y, (x > 0).to(y.dtype)))


def power(x, y):
    # At an exponent of 0 PyTorch leaves the mixed second derivative out.
    return torch.exp(y * torch.log(x)) if bool((x > 0).all()) and bool((y == 0).any()) else torch.pow(x, y)


PAIRS = {
    "add": ("any", "any", torch.add), "sub": ("any", "any", torch.sub), "mul": ("any", "any", torch.mul),
    "div": ("any", "nonzero", torch.div), "atan2": ("nonzero", "nonzero", torch.atan2),
    "hypot": ("nonzero", "nonzero", torch.hypot), "copysign": ("nonzero", "nonzero", torch.copysign),
    "maximum": ("any", "any", torch.maximum), "minimum": ("any", "any", torch.minimum),
    "fmax": ("any", "any", torch.fmax), "fmin": ("any", "any", torch.fmin), "pow": ("positive", "any", power),
    "ldexp": ("any", "any", torch.ldexp), "logaddexp": ("any", "any", torch.logaddexp),
    "logaddexp2": ("any", "any", torch.logaddexp2), "xlogy": ("any", "positive", torch.xlogy),
    "xlog1py": ("any", "unit", torch.special.xlog1py), "fmod": ("any", "nonzero", torch.fmod),
    "remainder": ("any", "nonzero", torch.remainder),
    "floor_divide": ("any", "nonzero", lambda x, y: torch.div(x, y, rounding_mode="floor")),
    "heaviside": ("any", "any", heaviside),
}


@op(*PAIRS, flavours=ALL, weight=1.5)
def pair(d, name):
    of_x, of_y, function = PAIRS[name]
    at_the_ends(d, name)
    if d.program.flavour == "extreme" and name in ("fmod", "remainder", "floor_divide"):
        raise Refused("PyTorch's remainders of far numbers are no remainders")
    if d.program.flavour == "special" and name == "floor_divide":
        raise Refused("PyTorch's quotient of infinity is NaN, here as in JAX infinity")
    if d.program.flavour == "special" and name == "pow":
        # Of a base that is infinite or no number PyTorch has the slope 0 at an exponent of 0, here it is NaN.
        d.program.order = 0
    if d.program.flavour == "special" and name in ("xlogy", "xlog1py"):
        # 0 · ln of a negative number is 0, and has no second derivative to agree on.
        d.program.order = 1
    if name.startswith("logaddexp"):
        # Near 0 the sum of a number and a logarithm, on both sides.
        d.program.elementwise = False
    if d.chance(0.3):
        # The first is the one that is broadcast.
        y = d.any(domain=of_y)
        return d.step(name, [d.beside(y, of_x), y], {}, function)
    x = d.any(domain=of_x)
    # At far numbers second derivatives that leave the range cancel if both are one.
    y = x if d.chance(0.05) and of_x == of_y and d.program.flavour != "far" else d.beside(x, of_y)
    return d.step(name, [x, y], {}, function)


ASSIGNMENTS = {"add_assign": torch.add, "sub_assign": torch.sub, "mul_assign": torch.mul, "div_assign": torch.div}


@op(*ASSIGNMENTS, flavours=ALL, weight=0.3)
def assignment(d, name):
    x = d.any()
    y = d.beside(x, "nonzero" if name == "div_assign" else "any")
    if list(torch.broadcast_shapes(d.shape_of(x), d.shape_of(y))) != d.shape_of(x):
        raise Refused("a result that is larger than what it is written over")
    return d.step(name, [x, y], {}, ASSIGNMENTS[name])


COMPARISONS = {"gt": torch.gt, "ge": torch.ge, "lt": torch.lt, "le": torch.le, "equal": torch.eq, "not_equal": torch.ne}


@op(*COMPARISONS, flavours=ALL, weight=0.2)
def comparison(d, name):
    x = d.any()
    return d.step(name, [x, d.beside(x)], {}, lambda x, y: COMPARISONS[name](x, y).to(x.dtype))


@op("is_close", flavours=ALL, weight=0.2)
def is_close(d):
    x = d.any()
    r, a = d.choice([0.0, 0.5]), d.choice([0.0, 0.25])
    return d.step("is_close", [x, d.beside(x)], {"rtol": r, "atol": a},
                  lambda x, y: torch.isclose(x, y, rtol=r, atol=a).to(x.dtype))


@op("lerp", "lerp_number", flavours=ALL)
def lerp(d, name):
    x = d.any()
    y = d.beside(x)
    if name == "lerp":
        return d.step(name, [x, y, d.beside(x)], {}, torch.lerp)
    s = d.number(-0.5, 1.5)
    return d.step(name, [x, y], {"s": s}, lambda x, y: torch.lerp(x, y, s))


# Where the ends meet each other PyTorch gives all to one of them.
@op("clamp_to", flavours=())
def clamp_to(d):
    x = d.any()
    return d.step("clamp_to", [x, d.beside(x), d.beside(x)], {}, torch.clamp)


@op("select_where", flavours=ALL)
def select_where(d):
    x = d.any()
    y = d.of_shape(d.shape_of(x))
    mask, attribute = d.mask(d.shape_of(x))
    return d.step("select_where", [x, y], {"mask": attribute}, lambda x, y: torch.where(mask, x, y))
