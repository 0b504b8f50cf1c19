"""Indices, masks, scattering and segments."""

import torch
import torch.nn.functional as F

from ..program import Refused
from . import op
from .shapes import slices

SOME = ("ties", "special")


@op("index_select", "gather", "take", "take_along_axis", "index", "index_fill", flavours=SOME)
def picked(d, name):
    x = d.any(rank=(1, 4), low=0 if d.chance(0.1) else 1)
    shape = d.shape_of(x)
    axis = d.axis(x, 1)
    n = shape[axis]
    if name == "index_select":
        index, attribute = d.positions([d.int(0, 5)], n)
        return d.step(name, [x], {"axis": axis, "index": attribute}, lambda x: x.index_select(axis, index))
    if name == "index_fill":
        index, attribute = d.positions([d.int(0, 3)], n)
        value = d.number(-1, 1)
        return d.step(name, [x], {"axis": axis, "index": attribute, "value": value},
                      lambda x: x.index_fill(axis, index, value))
    if name == "gather":
        size = [d.int(0 if d.chance(0.1) else min(1, m), m) for m in shape]
        size[axis] = d.int(0, 5)
        index, attribute = d.positions(size, n)
        return d.step(name, [x], {"axis": axis, "index": attribute}, lambda x: x.gather(axis, index))
    if name == "take_along_axis":
        size = [m if d.chance(0.7) else 1 for m in shape]
        size[axis] = d.int(1, 4)
        index, attribute = d.positions(size, n)
        return d.step(name, [x], {"axis": axis, "index": attribute}, lambda x: torch.take_along_dim(x, index, axis))
    if name == "take":
        index, attribute = d.positions(d.shape(rank=(0, 3)), d.at(x).numel())
        return d.step(name, [x], {"index": attribute}, lambda x: x.take(index))
    indices = several(d, shape)
    return d.step(name, [x], {"index": [a for _, a in indices]}, lambda x: x[tuple(i for i, _ in indices)])


def several(d, shape):
    """Positions along the first axes, of shapes that broadcast."""
    common = d.shape(rank=(0, 2), low=1, high=3)
    of = lambda: [n if d.chance(0.8) else 1 for n in common]
    return [d.positions(of(), n) for n in shape[:d.int(1, len(shape))]]


@op("masked_fill", "masked_select", "masked_scatter", flavours=SOME)
def masked(d, name):
    x = d.any(rank=(0, 4))
    mask, attribute = d.mask(d.shape_of(x))
    if name == "masked_fill":
        value = d.number(-1, 1)
        return d.step(name, [x], {"mask": attribute, "value": value}, lambda x: x.masked_fill(mask, value))
    if name == "masked_select":
        return d.step(name, [x], {"mask": attribute}, lambda x: x.masked_select(mask))
    source = d.of_shape([int(mask.sum()) + d.int(0, 2)])
    return d.step(name, [x, source], {"mask": attribute}, lambda x, s: x.masked_scatter(mask, s))


@op("embedding")
def embedding(d):
    x = d.any(rank=(2, 2), low=1)
    n = d.shape_of(x)[0]
    index, attribute = d.positions(d.shape(rank=(0, 3)), n)
    padding = d.int(0, n - 1) if d.chance(0.5) else None
    attributes = {"index": attribute} | ({} if padding is None else {"padding": padding})
    return d.step("embedding", [x], attributes, lambda x: F.embedding(index, x, padding))


@op("index_add", "index_copy", flavours=SOME)
def along(d, name):
    x = d.any(rank=(1, 4), low=1)
    axis = d.axis(x, 1)
    shape = d.shape_of(x)
    n = shape[axis]
    if name == "index_copy":
        # Of equal positions PyTorch leaves open which one is taken.
        count = d.int(0, n)
        list_ = d.random.sample(range(n), count)
        index, attribute = torch.tensor(list_, dtype=torch.int64), [[count], list_]
    else:
        index, attribute = d.positions([d.int(0, 5)], n)
    shape[axis] = index.numel()
    source = d.of_shape(shape)
    function = {"index_add": torch.index_add, "index_copy": torch.index_copy}[name]
    return d.step(name, [x, source], {"axis": axis, "index": attribute}, lambda x, s: function(x, axis, index, s))


@op("scatter", "scatter_add", "scatter_reduce", weight=2.0)
def scattered(d, name):
    x = d.any(rank=(1, 3), low=1)
    axis = d.axis(x, 1)
    shape = d.shape_of(x)
    size = [d.int(1, n) for n in shape]
    size[axis] = d.int(0 if d.chance(0.1) else 1, shape[axis] if name == "scatter" else 5)
    attributes = {"axis": axis}
    if name == "scatter":
        # Different positions in each row, as PyTorch leaves open which of equal ones is taken.
        order = torch.tensor(d.numpy.random(size=[*size[:axis % len(size)], shape[axis], *size[axis % len(size) + 1:]]))
        index = order.argsort(axis).narrow(axis, 0, size[axis])
        attribute = [list(index.shape), index.reshape(-1).tolist()]
    else:
        index, attribute = d.positions(size, shape[axis])
    # PyTorch has derivatives where the source is not longer than the index.
    source = d.of_shape([n + d.int(0, 1) for n in size] if d.chance(0.1) and not d.chain else size)
    attributes |= {"index": attribute}
    if name == "scatter_reduce":
        how, include = d.choice(["sum", "mean", "amax", "amin", "prod"]), d.chance(0.5)
        attributes |= {"how": how, "include_self": include}
        if how == "prod" and list(index.shape) != list(d.shape_of(source)):
            # PyTorch has derivatives of terms that no index names, which it documents.
            d.program.order = 0
        # PyTorch shares the derivative of an extreme with an equal number that it was told not to include.
        least = {"amin": torch.inf, "amax": -torch.inf}.get(how)
        alone = (lambda x: x) if include or least is None else lambda x: x.scatter(axis, index, least)
        return d.step(name, [x, source], attributes,
                      lambda x, s: torch.scatter_reduce(alone(x), axis, index, s, how, include_self=include))
    function = {"scatter": torch.scatter, "scatter_add": torch.scatter_add}[name]
    return d.step(name, [x, source], attributes, lambda x, s: function(x, axis, index, s))


@op("index_put", weight=2.0)
def index_put(d):
    x = d.any(rank=(1, 4), low=1)
    shape = d.shape_of(x)
    accumulate = d.chance(0.7)
    indices = several(d, shape)
    if not accumulate:
        # One position, as of equal ones PyTorch leaves open which is taken.
        indices = [d.positions([1], n) for n in shape[:d.int(1, len(shape))]]
    target = d.at(x)[tuple(i for i, _ in indices)]
    values = d.of_shape(list(target.shape))
    return d.step("index_put", [x, values], {"index": [a for _, a in indices], "accumulate": accumulate},
                  lambda x, v: x.index_put(tuple(i for i, _ in indices), v, accumulate))


@op("slice_scatter", "select_scatter", "diagonal_scatter", flavours=SOME)
def corner(d, name):
    x = d.any(rank=(2 if name == "diagonal_scatter" else 1, 4), low=1)
    shape = d.shape_of(x)
    if name == "diagonal_scatter":
        offset = d.int(-2, 2)
        source = d.of_shape(list(d.at(x).diagonal(offset, -2, -1).shape))
        return d.step(name, [x, source], {"offset": offset},
                      lambda x, s: torch.diagonal_scatter(x, s, offset, -2, -1))
    axis = d.axis(x, 1)
    if name == "select_scatter":
        at = d.int(-shape[axis], shape[axis] - 1)
        source = d.of_shape(list(d.at(x).select(axis, at).shape))
        return d.step(name, [x, source], {"axis": axis, "at": at}, lambda x, s: torch.select_scatter(x, s, axis, at))
    attributes, cut = slices(d, axis, shape[axis])
    source = d.of_shape(list(cut(d.at(x)).shape))
    ends = attributes.get("start"), attributes.get("end"), attributes["step"]
    return d.step(name, [x, source], attributes, lambda x, s: torch.slice_scatter(x, s, axis, *ends))


@op("segment", flavours=SOME)
def segment(d):
    x = d.any(rank=(1, 3), low=1)
    axis = d.axis(x, 1) % len(d.shape_of(x))
    left = d.shape_of(x)[axis]
    lengths = []
    while left > 0:
        lengths.append(d.int(1, left))
        left -= lengths[-1]
    how = d.choice(["sum", "mean", "max", "min", "prod"])
    if how == "prod" and d.program.flavour == "special":
        # As of `prod`.
        d.program.order = 1
    # PyTorch's `segment_reduce` has no second derivatives: the segments are reduced one by one.
    one = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin, "prod": torch.prod}[how]
    function = lambda x: torch.stack([one(part, axis) for part in x.split(lengths, axis)], axis)
    return d.step("segment", [x], {"axis": axis, "lengths": [[len(lengths)], lengths], "how": how}, function)


@op("searchsorted", "bucketize", "is_in", weight=0.4)
def looked_up(d, name):
    if name == "searchsorted":
        rows = d.shape(rank=(0, 2), low=1)
        x = d.of_shape([*rows, d.int(1, 5)])
        [x] = d.step("sort", [x], {"axis": -1, "descending": False}, lambda x: x.sort(-1)[0])
        right = d.chance(0.5)
        return d.step(name, [x, d.of_shape([*rows, d.int(1, 4)])], {"right": right},
                      lambda x, y: torch.searchsorted(x.detach(), y.detach(), right=right).to(x.dtype))
    x, y = d.any(), d.any(rank=(1, 1))
    if name == "is_in":
        return d.step(name, [x, y], {}, lambda x, y: torch.isin(x.detach(), y.detach()).to(x.dtype))
    [y] = d.step("sort", [y], {"axis": -1, "descending": False}, lambda x: x.sort(-1)[0])
    right = d.chance(0.5)
    return d.step(name, [x, y], {"right": right},
                  lambda x, y: torch.bucketize(x.detach(), y.detach(), right=right).to(x.dtype))
