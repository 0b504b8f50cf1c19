"""Tensors of every type of elements without derivatives, as NumPy has them: what moves, orders and counts elements, step by step
on views of views, and what is written in place."""

import numpy

from . import wire
from .compare import Difference
from .draw import Draw
from .program import Refused

NUMBERS = {
    "u8": [0, 1, 2, 127, 128, 254, 255],
    "u32": [0, 1, 2, 255, 256, 2**24, 2**24 + 1, 2**31, 2**32 - 1],
    "bool": [0, 1],
    "f32": [0.0, 1.0, -1.0, 2.0**-149, 2.0**127, numpy.nan],
    "f64": [0.0, 1.0, -1.0, 5e-324, 1e300, -1e300, numpy.nan],
}
LIMIT = 600


def order(x, axis, descending):
    """The positions in order: equal ones as they stand, NaN above all."""
    x = numpy.where(numpy.isnan(x), numpy.inf, x)
    return numpy.argsort(-x if descending else x, axis, kind="stable")


def narrowed(x, kind):
    """As the language's `as` does it."""
    if kind == "bool":
        return (x != 0).astype(float)
    if kind == "f32":
        with numpy.errstate(over="ignore"):
            return x.astype(numpy.float32).astype(float)
    return numpy.trunc(numpy.clip(numpy.nan_to_num(x, nan=0.0, posinf=numpy.inf), 0, 255 if kind == "u8" else 2**32 - 1))


class Whole:
    """A case: steps, and all that they give."""

    def __init__(self, seed, only=None):
        self.d = d = Draw(f"whole {seed}")
        self.element = d.choice(sorted(NUMBERS))
        # What is written or padded is a number of the type.
        d.some = NUMBERS[self.element]
        x = d.numpy.choice(NUMBERS[self.element], size=d.shape()).astype(float)
        self.start = wire.tensor(x, d.int(0, 7))
        self.steps, self.wanted = [], [x]
        for _ in range(d.int(1, 6)):
            name = d.choice(only or STEPS)
            try:
                attributes, next_, *others = STEPS[name](d, x)
            except Refused:
                continue
            if next_.size > LIMIT or next_.ndim > 7:
                continue
            self.steps.append([name, attributes])
            self.wanted += [next_, *others]
            x = next_
        self.wanted = [numpy.asarray(w, dtype=float) for w in self.wanted]
        self.name = self.steps[-1][0] if self.steps else "nothing"

    def case(self):
        return {"kind": "whole", "element": self.element, "start": self.start, "steps": self.steps}

    def differences(self, answer):
        if "panic" in answer:
            return [Difference("panic", answer["panic"], "an answer", 0, 1, "panic")]
        found = answer["results"]
        if len(found) != len(self.wanted):
            return [Difference("results", len(found), len(self.wanted), 0, 1, "shape")]
        for i, ((shape, text), wanted) in enumerate(zip(found, self.wanted)):
            if shape != list(wanted.shape):
                return [Difference(f"result {i}", shape, list(wanted.shape), 0, 1, "shape")]
            ours = wire.numbers(text).reshape(shape)
            if not numpy.array_equal(ours, wanted, equal_nan=True):
                return [Difference(f"result {i}", ours.tolist(), wanted.tolist(), 0, 1, "number")]
        return []

    def __str__(self):
        return f"{self.element} {self.wanted[0].shape}: {self.steps}"


STEPS = {}


def step(*names):
    def add(function):
        for name in names:
            STEPS[name] = (lambda d, x, name=name: function(d, x, name)) if len(names) > 1 else function
        return function
    return add


def axis_of(d, x, least=0):
    fit = [i for i, n in enumerate(x.shape) if n >= least]
    if not fit:
        raise Refused("no such axis")
    axis = d.choice(fit)
    return axis if d.chance(0.5) else axis - x.ndim


def some_slice(d, n):
    ends = [None if d.chance(0.3) else d.int(-n - 2, n + 2) for _ in range(2)]
    step = d.choice([1, 1, 2, 3, -1, -2, -3])
    attributes = {"step": step} | {k: v for k, v in zip(("start", "end"), ends) if v is not None}
    return attributes, slice(*ends, step)


def at(x, axis, place):
    return (slice(None),) * (axis % x.ndim) + (place,)


@step("reshape", "flatten", "permute", "transpose", "unsqueeze", "squeeze", "contiguous", "broadcast_to")
def seen(d, x, name):
    if name == "contiguous":
        return {}, x
    if name == "unsqueeze":
        axis = d.int(-x.ndim - 1, x.ndim)
        return {"axis": axis}, numpy.expand_dims(x, axis)
    if name == "permute":
        order = [a - x.ndim if d.chance(0.3) else a for a in d.random.sample(range(x.ndim), x.ndim)]
        return {"order": order}, x.transpose(order)
    if name == "broadcast_to":
        shape = [d.int(0, 3) if n == 1 and d.chance(0.7) else n for n in x.shape]
        shape = [d.int(0, 3) for _ in range(d.int(0, 1))] + shape
        return {"shape": shape}, numpy.broadcast_to(x, shape)
    if name == "reshape":
        shape = list(x.shape)
        d.random.shuffle(shape)
        if len(shape) > 1 and d.chance(0.5):
            shape = [shape[0] * shape[1], *shape[2:]]
        if shape and 0 not in shape and d.chance(0.5):
            shape[d.int(0, len(shape) - 1)] = -1
        return {"shape": shape}, x.reshape(shape)
    if x.ndim == 0:
        raise Refused("no axis")
    if name == "transpose":
        a, b = axis_of(d, x), axis_of(d, x)
        return {"a": a, "b": b}, x.swapaxes(a, b)
    if name == "flatten":
        a = d.int(0, x.ndim - 1)
        b = d.int(a, x.ndim - 1)
        size = int(numpy.prod(x.shape[a:b + 1]))
        return {"start": a, "end": b - x.ndim}, x.reshape(*x.shape[:a], size, *x.shape[b + 1:])
    ones = [i for i, n in enumerate(x.shape) if n == 1]
    if not ones:
        raise Refused("no axis of length 1")
    axis = d.choice(ones)
    return {"axis": axis}, x.squeeze(axis)


@step("flip", "slice_axis", "select", "roll", "tile", "repeat_interleave", "pad", "cat", "stack", "parts")
def moved(d, x, name):
    if name == "stack":
        axis = d.int(-x.ndim - 1, x.ndim)
        return {"axis": axis}, numpy.stack([numpy.flip(x), x], axis)
    if name == "tile":
        counts = [d.int(0 if d.chance(0.1) else 1, 3) for _ in range(x.ndim + d.int(0, 1))]
        return {"counts": counts}, numpy.tile(x, counts)
    if name == "pad":
        value = d.choice(d.some)
        widths = [d.int(0, 2) for _ in range(2 * x.ndim)]
        padded = numpy.full([n + a + b for n, a, b in zip(x.shape, widths[::2], widths[1::2])], float(value))
        padded[tuple(slice(a, a + n) for n, a in zip(x.shape, widths[::2]))] = x
        return {"widths": widths, "value": wire.number(value)}, padded
    if name == "flip":
        axes = [a - x.ndim if d.chance(0.5) else a for a in d.random.sample(range(x.ndim), d.int(0, x.ndim))]
        return {"axes": axes}, numpy.flip(x, axes)
    axis = axis_of(d, x, 1 if name in ("select", "parts") else 0)
    n = x.shape[axis]
    if name == "slice_axis":
        attributes, place = some_slice(d, n)
        return {"axis": axis} | attributes, x[at(x, axis, place)]
    if name == "select":
        place = d.int(-n, n - 1)
        return {"axis": axis, "at": place}, x[at(x, axis, place)]
    if name == "roll":
        shift = d.int(-9, 9)
        return {"axis": axis, "shift": shift}, numpy.roll(x, shift, axis)
    if name == "repeat_interleave":
        count = d.int(0, 3)
        return {"axis": axis, "count": count}, numpy.repeat(x, count, axis)
    if name == "cat":
        return {"axis": axis}, numpy.concatenate([x, numpy.flip(x), x], axis)
    size, count = d.int(1, n + 1), d.int(1, n + 2)
    longest = -(-n // count)
    cut = lambda size: [x[at(x, axis, slice(i, i + size))] for i in range(0, n, size)]
    return {"axis": axis, "size": size, "count": count}, x, *cut(size), *cut(longest)


@step("diagonal", "diag", "tril", "triu")
def diagonals(d, x, name):
    offset = d.int(-4, 4)
    if x.ndim < (1 if name == "diag" else 2):
        raise Refused("no matrices")
    if name == "diag":
        n = x.shape[-1] + abs(offset)
        made = numpy.zeros([*x.shape[:-1], n, n])
        i = numpy.arange(x.shape[-1])
        made[..., i + max(-offset, 0), i + max(offset, 0)] = x
        return {"offset": offset}, made
    function = {"tril": numpy.tril, "triu": numpy.triu, "diagonal": lambda x, k: x.diagonal(k, -2, -1)}[name]
    return {"offset": offset}, function(x, offset)


@step("index_select", "gather", "sort", "argsort", "topk", "unique")
def placed(d, x, name):
    if name == "unique":
        return {}, numpy.unique(x)
    axis = axis_of(d, x, 1 if name in ("index_select", "gather") else 0)
    n = x.shape[axis]
    if name in ("sort", "argsort", "topk"):
        descending = d.chance(0.5) or name == "topk"
        places = order(x, axis, descending)
        if name == "topk":
            k = d.int(0, n)
            places = places[at(x, axis, slice(0, k))]
            return {"axis": axis, "k": k}, numpy.take_along_axis(x, places, axis), places
        attributes = {"axis": axis, "descending": descending}
        return (attributes, x, places) if name == "argsort" else (attributes, numpy.take_along_axis(x, places, axis))
    if name == "index_select":
        _, attribute = d.positions([d.int(0, 3) for _ in range(d.int(0, 2))], n)
        return {"axis": axis, "index": attribute}, x.take(numpy.reshape(attribute[1], attribute[0]).astype(int), axis)
    _, attribute = d.positions([d.int(0, 5) if i == axis % x.ndim else m for i, m in enumerate(x.shape)], n)
    return {"axis": axis, "index": attribute}, \
        numpy.take_along_axis(x, numpy.reshape(attribute[1], attribute[0]).astype(int), axis)


@step("masked_fill", "masked_select", "select_where", "nonzero", "truth", "cast")
def told(d, x, name):
    if name == "nonzero":
        return {}, x, numpy.argwhere(x) if x.ndim else numpy.zeros([int(x != 0), 0])
    if name == "cast":
        return {}, x, *[narrowed(x, kind) for kind in ("u8", "u32", "f32", "bool")]
    if name == "truth":
        some = d.random.sample(range(x.ndim), d.int(0, x.ndim))
        keep = d.chance(0.5)
        axes = tuple(some)
        return {"axes": [a - x.ndim if d.chance(0.5) else a for a in some], "keep": keep}, x, \
            *[f(x != 0, axis=axes, keepdims=keep) for f in (numpy.any, numpy.all, numpy.count_nonzero)]
    mask, attribute = d.mask(x.shape)
    mask = mask.numpy()
    if name == "masked_fill":
        value = d.choice(d.some)
        return {"mask": attribute, "value": wire.number(value)}, numpy.where(mask, float(value), x)
    return {"mask": attribute}, x[mask] if name == "masked_select" else numpy.where(mask, x, numpy.flip(x))


@step("slice_assign", "select_assign")
def written(d, x, name):
    axis = axis_of(d, x, 1 if name == "select_assign" else 0)
    n = x.shape[axis]
    new = x.copy()
    if name == "slice_assign":
        attributes, place = some_slice(d, n)
        new[at(x, axis, place)] = numpy.flip(x)[at(x, axis, place)]
        return {"axis": axis} | attributes, new, x
    place, origin = d.int(-n, n - 1), d.int(-n, n - 1)
    new[at(x, axis, place)] = x[at(x, axis, origin)]
    return {"axis": axis, "at": place, "from": origin}, new, x, x[at(x, axis, origin)]
