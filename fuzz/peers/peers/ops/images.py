"""Convolutions, pools, resampling and normalisation."""

import math

import torch
import torch.nn.functional as F

from ..program import Refused
from ..wire import number
from . import op


def many(d, axes, low, high):
    return [d.int(low, high) for _ in range(axes)]


def some_pixel(*sizes):
    """Refuses transposed convolutions without an output: lengths, kernel, stride, padding, dilation, output padding."""
    if any((n - 1) * s - 2 * p + t * (k - 1) + o + 1 < 1 for n, k, s, p, t, o in zip(*sizes)):
        raise Refused("no pixel left, which PyTorch minds unless the batch is empty")


@op("conv", "conv_transpose", weight=4.0)
def convolution(d, name):
    axes = d.choice([1, 1, 2, 2, 3])
    largest = {1: 9, 2: 6, 3: 4}[axes]
    groups = d.choice([1, 1, 2, 3])
    ins, outs = groups * d.int(1, 2), groups * d.int(1, 2)
    kernel = many(d, axes, 1, 3)
    options = {"stride": many(d, axes, 1, 3), "padding": many(d, axes, 0, 2), "dilation": many(d, axes, 1, 2),
               "groups": groups}
    x = d.of_shape([d.choice([0, 1, 1, 2]), ins, *many(d, axes, 1, largest)])
    weight = d.of_shape(([outs, ins // groups] if name == "conv" else [ins, outs // groups]) + kernel)
    operands = [x, weight] + ([d.of_shape([outs])] if d.chance(0.5) else [])
    more = {}
    if name == "conv_transpose":
        more = {"output_padding": [d.int(0, max(s, t) - 1) for s, t in zip(options["stride"], options["dilation"])]}
        some_pixel(d.shape_of(x)[2:], kernel, *list(options.values())[:3], more["output_padding"])
    f = getattr(F, f"{name}{axes}d")
    return d.step(name, operands, options | more | {"d": axes}, lambda x, w, b=None: f(x, w, b, **options, **more))


@op("unfold", "fold")
def patches(d, name):
    """PyTorch has them along two axes."""
    kernel = many(d, 2, 1, 3)
    options = {"stride": many(d, 2, 1, 3), "padding": many(d, 2, 0, 2), "dilation": many(d, 2, 1, 2)}
    size = many(d, 2, 1, 6)
    batch, channels = d.int(1, 2), d.int(1, 2)
    if name == "unfold":
        x = d.of_shape([batch, channels, *size])
        return d.step(name, [x], options | {"kernel": kernel, "d": 2}, lambda x: F.unfold(x, kernel, **options))
    positions = [(n + 2 * p - t * (k - 1) - 1) // s + 1
                 for n, k, s, p, t in zip(size, kernel, *options.values())]
    if min(positions) <= 0:
        raise Refused("a kernel that does not fit")
    x = d.of_shape([batch, channels * kernel[0] * kernel[1], positions[0] * positions[1]])
    return d.step(name, [x], options | {"kernel": kernel, "size": size, "d": 2},
                  lambda x: F.fold(x, size, kernel, **options))


def misses(shape, kernel, options, ceil):
    """Whether a window meets no pixel, for which PyTorch has no gradient (of volumes it crashes)."""
    for size, k, s, p, t in zip(shape, kernel, options["stride"], options["padding"], options["dilation"]):
        for start in range(-p, size + p, s):
            if not any(0 <= start + tap * t < size for tap in range(k)):
                return True
    return False


@op("max_pool", "avg_pool", "lp_pool", weight=2.0)
def pool(d, name):
    axes = d.choice([1, 2, 2, 3])
    largest = {1: 9, 2: 6, 3: 4}[axes]
    kernel = many(d, axes, 1, 3)
    options = {"stride": many(d, axes, 1, 3), "padding": [d.int(0, k // 2) for k in kernel],
               "dilation": many(d, axes, 1, 2) if name == "max_pool" else [1] * axes}
    ceil = d.chance(0.4)
    size = many(d, axes, 1, largest)
    # PyTorch's fault: without a batch nothing comes back of volumes.
    x = d.of_shape([d.batch(2), d.int(1, 2), *size])
    size = d.shape_of(x)[2:]
    attributes = options | {"kernel": kernel, "ceil": ceil, "d": axes}
    f = lambda name: getattr(F, f"{name}{axes}d")
    if name == "max_pool":
        if misses(size, kernel, options, ceil):
            raise Refused("a window without pixels")
        call = lambda x: f("max_pool")(x, kernel, ceil_mode=ceil, return_indices=True, **options)
        return d.step(name, [x], attributes, lambda x: (call(x)[0], call(x)[1].to(x.dtype)))
    del options["dilation"]
    if name == "avg_pool":
        count, divisor = d.chance(0.5), d.int(1, 4) if axes > 1 and d.chance(0.2) else None
        attributes |= {"count_padding": count} | ({} if divisor is None else {"divisor": divisor})
        more = {} if divisor is None else {"divisor_override": divisor}
        return d.step(name, [x], attributes,
                      lambda x: f("avg_pool")(x, kernel, ceil_mode=ceil, count_include_pad=count, **options, **more))
    if d.program.flavour == "far":
        raise Refused("sums of powers leave the range on both sides")
    p = d.choice([1.0, 2.0, 2.0, 3.0])
    attributes["padding"] = [0] * axes
    if ceil and p != 2.0:
        # PyTorch scales the mean of the pixels by the whole window, and leaves the rest of the window to what is there.
        attributes["ceil"] = ceil = False
    positions = [(n - k) // s + 1 for n, k, s in zip(size, kernel, options["stride"])]
    if min(positions) < 1:
        raise Refused("a window that does not fit")
    attributes["ceil"] = False

    def call(x):
        # Of a sum of powers, which PyTorch takes without absolute values: those of numbers that are not negative.
        for axis in range(axes):
            x = x.unfold(2 + axis, kernel[axis], options["stride"][axis])
        return torch.linalg.vector_norm(x, p, list(range(-axes, 0)))

    return d.step(name, [d.moved(x, "positive")], attributes | {"p": p}, call)


@op("adaptive_avg_pool", "adaptive_max_pool")
def adaptive(d, name):
    axes = d.choice([1, 2, 2, 3])
    size = many(d, axes, 1, 5)
    x = d.of_shape([d.int(1, 2), d.int(1, 2), *many(d, axes, 1, 5)])
    attributes = {"size": size, "d": axes}
    f = getattr(F, f"{name}{axes}d")
    if name == "adaptive_avg_pool":
        return d.step(name, [x], attributes, lambda x: f(x, size))
    call = lambda x: f(x, size, return_indices=True)
    return d.step(name, [x], attributes, lambda x: (call(x)[0], call(x)[1].to(x.dtype)))


@op("interpolate", weight=3.0)
def interpolate(d):
    axes = d.choice([1, 2, 2, 3])
    mode = d.choice(["nearest", "nearest-exact", "linear", "cubic", "area"])
    if mode == "cubic":
        axes = 2
    name = {"linear": {1: "linear", 2: "bilinear", 3: "trilinear"}[axes], "cubic": "bicubic"}.get(mode, mode)
    x = d.of_shape([d.int(1, 2), d.int(1, 2), *many(d, axes, 1, 5)])
    attributes, options = {"mode": mode, "d": axes}, {}
    if mode in ("linear", "cubic"):
        attributes["align"] = options["align_corners"] = d.chance(0.5)
    if d.chance(0.5) or mode == "area":
        attributes["size"] = options["size"] = many(d, axes, 1, 7)
    else:
        scale = [d.choice([0.5, 0.75, 1.25, 1.5, 2.0, 2.5, 3.0]) for _ in range(axes)]
        lengths = [math.floor(n * s) for n, s in zip(d.shape_of(x)[2:], scale)]
        if min(lengths) < 1:
            raise Refused("nothing left")
        # PyTorch forgets the scale of `nearest` where the length doubles, as the dictionary of the guide says, and for the
        # derivative also where it stays.
        if "nearest" in mode and any(m in (n, 2 * n) and m != s * n for m, n, s in zip(lengths, d.shape_of(x)[2:], scale)):
            raise Refused("a scale that PyTorch forgets")
        attributes["scale"] = scale
        options["scale_factor"] = scale
    return d.step("interpolate", [x], attributes, lambda x: F.interpolate(x, mode=name, **options))


@op("grid_sample", weight=2.0)
def grid_sample(d):
    axes = d.choice([2, 2, 3])
    mode = d.choice(["nearest", "bilinear", "bilinear", "bicubic"]) if axes == 2 else d.choice(["nearest", "bilinear"])
    padding, align = d.choice(["zeros", "border", "reflection"]), d.chance(0.5)
    x = d.of_shape([d.batch(2), d.int(1, 2), *many(d, axes, 1, 4)])
    grid = d.of_shape([d.shape_of(x)[0], *many(d, axes, 1, 3), axes])
    if d.program.flavour in ("ties", "far") and padding != "zeros":
        # At the limits of a border, or of a mirror, the derivative is that inside, as the dictionary of the guide says. Far numbers
        # are whole ones, so that a mirror has them at its limits.
        d.program.order = 0
    return d.step("grid_sample", [x, grid], {"mode": mode, "padding": padding, "align": align},
                  lambda x, g: F.grid_sample(x, g, mode, padding, align))


@op("affine_grid")
def affine_grid(d):
    axes, batch = d.choice([2, 3]), d.batch(2)
    size, align = many(d, axes, 1, 4), d.chance(0.5)
    x = d.of_shape([batch, axes, axes + 1])
    return d.step("affine_grid", [x], {"size": size, "align": align, "d": axes},
                  lambda x: F.affine_grid(x, [batch, 1, *size], align))


@op("layer_norm", "rms_norm", "group_norm", "instance_norm", "batch_norm", weight=1.5)
def norms(d, name):
    eps = d.choice([1e-5, 1e-5, 1e-3, 0.1])
    attributes = {"eps": eps}
    if name in ("layer_norm", "rms_norm"):
        x = d.any(rank=(1, 4))
        shape = d.shape_of(x)
        shape = shape[d.int(0, len(shape) - 1):]
        if name == "layer_norm":
            return d.step(name, [x, d.of_shape(shape), d.of_shape(shape)], attributes,
                          lambda x, w, b: F.layer_norm(x, shape, w, b, eps))
        return d.step(name, [x, d.of_shape(shape)], attributes, lambda x, w: F.rms_norm(x, shape, w, eps))
    groups = d.int(1, 3)
    channels = groups * d.int(1, 2)
    x = d.of_shape([d.batch(), channels, *d.shape(rank=(1, 3), low=1)])
    operands = [x, d.of_shape([channels]), d.of_shape([channels])]
    if name == "group_norm":
        return d.step(name, operands, attributes | {"groups": groups},
                      lambda x, w, b: F.group_norm(x, groups, w, b, eps))
    if name == "instance_norm":
        return d.step(name, operands, attributes, lambda x, w, b: F.instance_norm(x, None, None, w, b, True, 0.1, eps))
    return d.step(name, operands, attributes, lambda x, w, b: F.batch_norm(x, None, None, w, b, True, 0.1, eps))
