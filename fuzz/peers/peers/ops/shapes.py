"""What moves elements and leaves them as they are."""

import torch
import torch.nn.functional as F

from ..program import Refused
from . import op

ALL = ("ties", "special")


@op("cat", "stack", "hstack", "vstack", "dstack", "block_diag", flavours=ALL)
def joined(d, name):
    x = d.any(rank=(0 if name in ("stack", "hstack", "vstack", "dstack", "block_diag") else 1, 2 if name == "block_diag" else 4))
    shape = d.shape_of(x)
    parts = [x]
    if name == "stack":
        axis = d.int(-len(shape) - 1, len(shape))
        parts += [d.of_shape(shape) for _ in range(d.int(0, 2))]
        return d.step(name, parts, {"axis": axis}, lambda *x: torch.stack(x, axis))
    if name == "cat":
        axis = d.axis(x)
        for _ in range(d.int(0, 2)):
            other = list(shape)
            other[axis] = d.int(0, 3)
            parts.append(d.of_shape(other))
        return d.step(name, parts, {"axis": axis}, lambda *x: torch.cat(x, axis))
    parts += [d.of_shape(shape) for _ in range(d.int(0, 2))]
    function = {"hstack": torch.hstack, "vstack": torch.vstack, "dstack": torch.dstack,
                "block_diag": lambda x: torch.block_diag(*x)}[name]
    return d.step(name, parts, {}, lambda *x: function(x))


@op("meshgrid", "cartesian_prod")
def grids(d, name):
    parts = [d.any(rank=(1, 1)) for _ in range(d.int(1, 3))]
    if name == "cartesian_prod":
        return d.step(name, parts, {}, lambda *x: torch.cartesian_prod(*x))
    xy = d.chance(0.5)
    return d.step(name, parts, {"xy": xy}, lambda *x: torch.meshgrid(*x, indexing="xy" if xy else "ij"))


@op("reshape", "flatten", "permute", "transpose", "movedim", "squeeze", "unsqueeze", flavours=ALL)
def seen(d, name):
    x = d.any(rank=(0 if name in ("reshape", "unsqueeze", "permute") else 1, 5))
    shape = d.shape_of(x)
    rank = len(shape)
    if name == "reshape":
        factors = [n for n in shape]
        d.random.shuffle(factors)
        if len(factors) > 1 and d.chance(0.5):
            factors = [factors[0] * factors[1], *factors[2:]]
        if d.chance(0.3):
            factors.insert(d.int(0, len(factors)), 1)
        if factors and 0 not in factors and d.chance(0.4):
            factors[d.int(0, len(factors) - 1)] = -1
        return d.step(name, [x], {"shape": factors}, lambda x: x.reshape(factors))
    if name == "flatten":
        start = d.int(0, rank - 1)
        end = d.int(start, rank - 1)
        if d.chance(0.5):
            end -= rank
        return d.step(name, [x], {"start": start, "end": end}, lambda x: x.flatten(start, end))
    if name == "permute":
        order = d.random.sample(range(rank), rank)
        order = [a - rank if d.chance(0.3) else a for a in order]
        return d.step(name, [x], {"order": order}, lambda x: x.permute(order))
    if name == "transpose":
        a, b = d.axis(x), d.axis(x)
        return d.step(name, [x], {"a": a, "b": b}, lambda x: x.transpose(a, b))
    if name == "movedim":
        count = d.int(1, rank)
        a, b = d.random.sample(range(rank), count), d.random.sample(range(-rank, 0), count)
        return d.step(name, [x], {"source": a, "destination": b}, lambda x: x.movedim(a, b))
    if name == "unsqueeze":
        axis = d.int(-rank - 1, rank)
        return d.step(name, [x], {"axis": axis}, lambda x: x.unsqueeze(axis))
    ones = [i for i, n in enumerate(shape) if n == 1]
    if not ones:
        raise Refused("no axis of length 1")
    axis = d.choice(ones)
    return d.step(name, [x], {"axis": axis}, lambda x: x.squeeze(axis))


@op("flip", "slice_axis", "select", "roll", "rot90", "tile", flavours=ALL)
def moved(d, name):
    x = d.any(rank=(1, 4))
    shape = d.shape_of(x)
    rank = len(shape)
    axis = d.axis(x, 1 if name == "select" else 0)
    if name == "flip":
        axes, attribute = d.axes(x)
        return d.step(name, [x], {"axes": attribute}, lambda x: x.flip(axes))
    if name == "select":
        at = d.int(-shape[axis], shape[axis] - 1)
        return d.step(name, [x], {"axis": axis, "at": at}, lambda x: x.select(axis, at))
    if name == "roll":
        shift = d.int(-7, 7)
        return d.step(name, [x], {"shift": shift, "axis": axis}, lambda x: x.roll(shift, axis))
    if name == "rot90":
        if rank < 2:
            raise Refused("one axis")
        axes, k = d.random.sample(range(rank), 2), d.int(-5, 5)
        return d.step(name, [x], {"k": k, "axes": axes}, lambda x: x.rot90(k, axes))
    if name == "tile":
        counts = [d.int(0 if d.chance(0.1) else 1, 3) for _ in range(d.int(rank, rank + 1))]
        return d.step(name, [x], {"counts": counts}, lambda x: x.repeat(counts))
    return d.step(name, [x], *slices(d, axis, shape[axis]))


def slices(d, axis, length):
    """Attributes of a slice, with ends that may be beyond the axis, and the function."""
    ends = [None if d.chance(0.3) else d.int(-length - 2, length + 2) for _ in range(2)]
    step = d.choice([1, 1, 2, 3])
    attributes = {"axis": axis, "step": step}
    attributes |= {k: v for k, v in zip(("start", "end"), ends) if v is not None}
    return attributes, lambda x: x.movedim(axis, 0)[ends[0]:ends[1]:step].movedim(0, axis)


@op("broadcast_to", "sum_to")
def broadcast(d, name):
    x = d.any(rank=(0, 4))
    shape = d.shape_of(x)
    if name == "broadcast_to":
        target = [d.int(0 if d.chance(0.05) else 1, 3) if n == 1 and d.chance(0.7) else n for n in shape]
        target = [d.int(1, 3) for _ in range(d.int(0, 1))] + target
        return d.step(name, [x], {"shape": target}, lambda x: x.broadcast_to(target))
    target = [n if d.chance(0.6) else 1 for n in shape][d.int(0, len(shape)) if d.chance(0.3) else 0:]
    return d.step(name, [x], {"shape": target}, lambda x: x.sum_to_size(target))


@op("repeat_interleave", "repeat_interleave_counts")
def repeated(d, name):
    x = d.any(rank=(1, 4))
    axis = d.axis(x)
    if name == "repeat_interleave":
        count = d.int(0, 3)
        return d.step(name, [x], {"count": count, "axis": axis}, lambda x: x.repeat_interleave(count, axis))
    counts, attribute = d.positions([d.shape_of(x)[axis]], 4)
    return d.step(name, [x], {"counts": attribute, "axis": axis}, lambda x: x.repeat_interleave(counts, axis))


@op("windows")
def windows(d):
    x = d.any(rank=(1, 4))
    axis = d.axis(x, 1)
    size, step = d.int(1, d.shape_of(x)[axis]), d.int(1, 3)
    return d.step("windows", [x], {"axis": axis, "size": size, "step": step},
                  lambda x: x.unfold(axis, size, step))


@op("combinations", "vander", "diag")
def of_vector(d, name):
    x = d.any(rank=(1, 1))
    if name == "combinations":
        r, again = d.int(1, 3), d.chance(0.5)
        return d.step(name, [x], {"r": r, "replacement": again},
                      lambda x: torch.combinations(x, r, again).reshape(-1, r))
    if name == "vander":
        n, increasing = d.int(1, 5), d.chance(0.5)
        return d.step(name, [x], {"n": n, "increasing": increasing},
                      lambda x: torch.linalg.vander(x, N=n) if increasing else torch.linalg.vander(x, N=n).flip(-1))
    offset = d.int(-2, 2)
    return d.step(name, [x], {"offset": offset}, lambda x: torch.diag(x, offset))


@op("diag_embed", "diagonal", "tril", "triu", flavours=ALL)
def diagonals(d, name):
    offset = d.int(-3, 3)
    if name == "diag_embed":
        x = d.any(rank=(1, 3))
        rank = len(d.shape_of(x)) + 1
        first, second = d.random.sample(range(rank), 2)
        return d.step(name, [x], {"offset": offset, "first": first, "second": second},
                      lambda x: torch.diag_embed(x, offset, first, second))
    x = d.any(rank=(2, 4))
    function = {"diagonal": lambda x: x.diagonal(offset, -2, -1), "tril": lambda x: x.tril(offset),
                "triu": lambda x: x.triu(offset)}[name]
    return d.step(name, [x], {"offset": offset}, function)


@op("pad", "pad_with", flavours=ALL)
def padded(d, name):
    if name == "pad":
        x = d.any(rank=(1, 4))
        widths = [d.int(0, 2) for _ in range(2 * len(d.shape_of(x)))]
        value = d.number(-1, 1)
        # PyTorch's pairs begin with the last axis.
        pairs = [w for i in reversed(range(0, len(widths), 2)) for w in widths[i:i + 2]]
        return d.step(name, [x], {"widths": widths, "value": value}, lambda x: F.pad(x, pairs, value=value))
    axes = d.int(1, 3)
    x = d.any(rank=(axes + 2, axes + 2), low=1)
    mode = d.choice(["reflect", "replicate", "circular"])
    limit = lambda n: n - 1 if mode == "reflect" else n if mode == "circular" else 3
    widths = [d.int(0, min(3, limit(n))) for n in d.shape_of(x)[2:] for _ in range(2)]
    pairs = [w for i in reversed(range(0, len(widths), 2)) for w in widths[i:i + 2]]
    return d.step(name, [x], {"widths": [0] * 4 + widths, "mode": mode}, lambda x: F.pad(x, pairs, mode=mode))


@op("pixel_shuffle", "pixel_unshuffle", "channel_shuffle")
def shuffled(d, name):
    f = d.int(1, 3)
    c, h, w = d.int(1, 3), d.int(1, 3), d.int(1, 3)
    if name == "pixel_shuffle":
        x = d.of_shape([d.int(1, 2), c * f * f, h, w])
        return d.step(name, [x], {"factor": f}, lambda x: F.pixel_shuffle(x, f))
    if name == "pixel_unshuffle":
        x = d.of_shape([d.int(1, 2), c, h * f, w * f])
        return d.step(name, [x], {"factor": f}, lambda x: F.pixel_unshuffle(x, f))
    x = d.of_shape([d.int(1, 2), c * f, h, w])
    return d.step(name, [x], {"groups": f}, lambda x: F.channel_shuffle(x, f))


@op("split", "split_sizes", "chunk", "unbind", flavours=ALL)
def parted(d, name):
    x = d.any(rank=(1, 4), low=1)
    axis = d.axis(x, 1)
    n = d.shape_of(x)[axis]
    if name == "split":
        size = d.int(1, n + 1)
        return d.step(name, [x], {"size": size, "axis": axis}, lambda x: x.split(size, axis))
    if name == "split_sizes":
        cut = d.int(0, n)
        return d.step(name, [x], {"sizes": [cut, n - cut], "axis": axis}, lambda x: x.split([cut, n - cut], axis))
    if name == "chunk":
        count = d.int(1, 4)
        return d.step(name, [x], {"count": count, "axis": axis}, lambda x: x.chunk(count, axis))
    return d.step(name, [x], {"axis": axis}, lambda x: x.unbind(axis))
