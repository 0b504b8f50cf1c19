"""Sums, extremes, moments, norms, order statistics, softmax."""

import math

import torch
import torch.nn.functional as F

from ..program import Refused
from ..wire import number
from . import op

ALL = ("ties", "special", "extreme")


def over(d, **limits):
    x = d.any(rank=(0, 4), **limits)
    axes, attribute = d.axes(x)
    keep = d.chance(0.5)
    return x, axes, keep, {"axes": attribute, "keep": keep}


@op("sum", "mean", "nansum", "nanmean", "logsumexp", flavours=("ties", "special"))
def sums(d, name):
    x, axes, keep, attributes = over(d)
    function = {"sum": torch.sum, "mean": torch.mean, "nansum": torch.nansum, "nanmean": torch.nanmean,
                "logsumexp": torch.logsumexp}[name]
    if name == "logsumexp" and not axes:
        function = lambda x, axes, keep: torch.logsumexp(x.reshape(1), 0)
    return d.step(name, [x], attributes, lambda x: function(x, axes, keep))


@op("max", "min", "aminmax", flavours=ALL)
def extremes(d, name):
    x, axes, keep, attributes = over(d, low=1)
    low, high = (lambda x: torch.amin(x, axes, keep)), (lambda x: torch.amax(x, axes, keep))
    function = {"max": high, "min": low, "aminmax": lambda x: (low(x), high(x))}[name]
    return d.step(name, [x], attributes, function)


@op("var", "std")
def moments(d, name):
    x, axes, keep, attributes = over(d)
    correction = d.int(0, 2)
    shape = d.shape_of(x)
    if math.prod(shape[a] for a in axes) <= correction:
        raise Refused("fewer numbers than the correction")
    function = {"var": torch.var, "std": torch.std}[name]
    return d.step(name, [x], attributes | {"correction": correction},
                  lambda x: function(x, axes or None, correction=correction, keepdim=keep))


@op("norm", flavours=("ties", "extreme"))
def norm(d):
    x, axes, keep, attributes = over(d, low=1)
    # Of far numbers PyTorch's powers overflow, or lose their last digits.
    p = d.choice([1.0, torch.inf, -torch.inf] if d.program.flavour == "extreme" else
                 [0.0, 0.5, 1.0, 1.5, 2.0, 2.0, 3.0, 4.0, torch.inf, -1.0, -2.0, -torch.inf])
    return d.step("norm", [x], attributes | {"p": number(p)},
                  lambda x: torch.linalg.vector_norm(x, p, axes or None, keep))


@op("count_nonzero", flavours=("ties", "special"), weight=0.2)
def count_nonzero(d):
    x = d.any(rank=(0, 4))
    axes, attribute = d.axes(x)
    axes = [a % max(len(d.shape_of(x)), 1) for a in axes]
    return d.step("count_nonzero", [x], {"axes": attribute, "keep": False},
                  lambda x: torch.count_nonzero(x, axes or None).to(x.dtype))


@op("prod", "prod_axis", flavours=("ties", "special"))
def products(d, name):
    x = d.any(rank=(0 if name == "prod" else 1, 4), limit=24)
    if d.program.flavour == "special":
        # 0 · ∞ of what has no share in a second derivative is NaN, on one side or the other.
        d.program.order = 1
    if name == "prod":
        return d.step(name, [x], {}, torch.prod)
    axis, keep = d.axis(x), d.chance(0.5)
    return d.step(name, [x], {"axis": axis, "keep": keep}, lambda x: torch.prod(x, axis, keep))


@op("median", "nanmedian", "kthvalue", "mode", "argmax", "argmin")
def order(d, name):
    # Longer rows PyTorch sorts in another way, in which the last of equal ones is any of them.
    x = d.any(rank=(1, 4), low=1, limit=16 if name == "mode" else 120)
    axis, keep = d.axis(x, 1), d.chance(0.5)
    attributes = {"axis": axis, "keep": keep}
    # Which of equal ones is taken, PyTorch leaves open for these; the positions of `argmax` it does not.
    open = d.program.flavour != "ordinary" or d.chain
    if name in ("argmax", "argmin"):
        function = {"argmax": torch.argmax, "argmin": torch.argmin}[name]
        return d.step(name, [x], {"axis": axis}, lambda x: function(x, axis).to(x.dtype))
    if name == "kthvalue":
        k = d.int(1, d.shape_of(x)[axis])
        attributes |= {"k": k}
        call = lambda x: torch.kthvalue(x, k, axis, keep)
    else:
        function = {"median": torch.median, "nanmedian": torch.nanmedian, "mode": torch.mode}[name]
        call = lambda x: function(x, axis, keep)
    if open and name != "mode":
        d.program.order = 0
        value, _ = d.step(name, [x], attributes, lambda x: (call(x)[0], torch.zeros(())))
        return [value]
    return d.step(name, [x], attributes, lambda x: (call(x)[0], call(x)[1].to(x.dtype)))


@op("quantiles", "nanquantiles")
def quantiles(d, name):
    x = d.any(rank=(1, 3), low=1)
    axis, keep = d.axis(x, 1), d.chance(0.5)
    if d.program.flavour == "ties" or d.chain:
        # Which of equal ones has the derivative, PyTorch leaves open.
        d.program.order = 0
    q = [d.choice([0.0, 1.0, 0.5, 0.25, d.random.random()]) for _ in range(d.int(1, 3))]
    method = d.choice(["linear", "lower", "higher", "midpoint", "nearest"])
    function = torch.quantile if name == "quantiles" else torch.nanquantile
    return d.step(name, [x], {"q": q, "axis": axis, "method": method, "keep": keep},
                  lambda x: function(x, torch.tensor(q, dtype=x.dtype), axis, keep, interpolation=method))


@op("softmax", "log_softmax", "softmin", flavours=("ties", "special"))
def softmax(d, name):
    x = d.any(rank=(1, 4))
    axis = d.axis(x)
    function = {"softmax": torch.softmax, "log_softmax": torch.log_softmax, "softmin": lambda x, axis: F.softmin(x, axis)}
    return d.step(name, [x], {"axis": axis}, lambda x: function[name](x, axis))


# Rows that do not vary have no correlation.
@op("cov", "corrcoef", flavours=())
def statistics(d, name):
    # Two numbers are always correlated, and derivatives of that are all rounding.
    x = d.any(rank=(1 if name == "cov" else 2, 2), low=2 if name == "cov" else 3, high=6)
    if name == "corrcoef":
        return d.step(name, [x], {}, torch.corrcoef)
    correction = d.int(0, 1)
    return d.step(name, [x], {"correction": correction}, lambda x: torch.cov(x, correction=correction))


# PyTorch's norms of far numbers leave the range.
@op("normalize", "renorm", flavours=())
def normalised(d, name):
    x = d.any(rank=(1 if name == "normalize" else 2, 3), low=1)
    p, axis = d.choice([1.0, 2.0, 2.0, 3.0]), d.axis(x, 1)
    if name == "normalize":
        eps = d.choice([1e-12, 0.5])
        return d.step(name, [x], {"p": p, "axis": axis, "eps": eps}, lambda x: F.normalize(x, p, axis, eps))
    limit = d.number(0.25, 3)
    return d.step(name, [x], {"p": p, "axis": axis, "limit": limit}, lambda x: torch.renorm(x, p, axis, limit))


@op("histc", weight=0.3)
def histc(d):
    bins, low = d.int(1, 6), d.number(-2, 0)
    high = low + d.number(0.5, 3)
    return d.step("histc", [d.any()], {"bins": bins, "low": low, "high": high},
                  lambda x: torch.histc(x.detach(), bins, low, high))


@op("unique", "unique_consecutive", weight=0.5)
def unique(d, name):
    x = d.any(rank=(0, 3))
    # PyTorch has no derivative: the values are looked up where they stand first.
    function = {"unique": torch.unique, "unique_consecutive": torch.unique_consecutive}[name]

    def call(x):
        values, inverse, counts = function(x.detach(), return_inverse=True, return_counts=True)
        return values, inverse.to(x.dtype), counts.to(x.dtype)

    d.program.order = 0
    return d.step(name, [x], {}, call)
