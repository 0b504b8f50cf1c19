"""Writes structure.json: operations on axes, indices and orders with their gradients, by PyTorch in double precision.

    python structure.py        (needs torch)

The gradient is that of the sum of the result's elements times weights that the test has, too.
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

CASES = []


def array(x):
    return {"shape": list(x.shape), "data": [number(n) for n in x.detach().double().flatten().tolist()]}


def number(n):
    if math.isfinite(n):
        return float(f"{n:.15g}")
    return str(n)  # JSON has no infinities


def numbers(*shape, salt=0):
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    return (torch.sin(1.3 * i + 0.7 * salt + 0.2) * 2).reshape(shape)


def case(name, f, *inputs):
    """One function at one point. Several results are put one behind the other."""
    inputs = [x.clone().requires_grad_() for x in inputs]
    result = f(*inputs)
    if isinstance(result, (tuple, list)):
        result = torch.cat([r.double().flatten() for r in result])
    entry = {"name": name, "inputs": [array(x) for x in inputs], "value": array(result)}
    if result.requires_grad:
        weights = torch.cos(0.9 * torch.arange(result.numel(), dtype=torch.float64) + 0.4).reshape(result.shape)
        gradient = torch.autograd.grad((result * weights).sum(), inputs, allow_unused=True)
        entry["gradient"] = [array(torch.zeros_like(x) if g is None else g) for g, x in zip(gradient, inputs)]
    CASES.append(entry)


def products():
    case("tensordot", lambda a, b: torch.tensordot(a, b, dims=([1, 2], [1, 0])), numbers(2, 3, 4), numbers(4, 3, 5, salt=1))
    case("tensordot of no axes", lambda a, b: torch.tensordot(a, b, dims=0), numbers(2), numbers(3, salt=1))
    case("kron", torch.kron, numbers(2, 3), numbers(2, 2, 1, salt=1))
    case("outer", torch.outer, numbers(3), numbers(2, salt=1))
    case("inner", torch.inner, numbers(2, 3), numbers(4, 3, salt=1))
    case("dot", torch.dot, numbers(4), numbers(4, salt=1))
    case("trace", torch.trace, numbers(3, 4))
    case("cross", lambda a, b: torch.linalg.cross(a, b, dim=0), numbers(3, 2), numbers(3, 1, salt=1))
    case("einsum broadcasts", lambda a, b: torch.einsum("ij,ij->i", a, b), numbers(2, 3), numbers(2, 1, salt=1))
    case("einsum sums the ellipsis", lambda a: torch.einsum("...i->i", a), numbers(2, 3, 2))
    for p in [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, math.inf]:
        points = numbers(3, 4), numbers(2, 4, salt=1)
        case(f"cdist {p}", lambda a, b: torch.cdist(a, b, p, "donot_use_mm_for_euclid_dist"), *points)
    same = torch.tensor([[1.0, 2.0], [3.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
    case("cdist coinciding", lambda a: torch.cdist(a, a.detach(), 2.0, "donot_use_mm_for_euclid_dist"), same)
    case("pairwise_distance", F.pairwise_distance, numbers(3, 4), numbers(3, 4, salt=1))
    case("pairwise_distance at 0", lambda a: F.pairwise_distance(a, a.detach()), numbers(2, 3))
    case("pairwise_distance 1", lambda a, b: F.pairwise_distance(a, b, 1.0, 0.1, True), numbers(3, 4), numbers(4, salt=1))
    case("cosine_similarity", F.cosine_similarity, numbers(2, 3, 2), numbers(2, 3, 2, salt=1))
    case("cosine_similarity broadcast", lambda a, b: F.cosine_similarity(a, b, dim=-1), numbers(2, 1, 3), numbers(4, 1, salt=1))
    zeros = torch.cat([torch.zeros(1, 3, dtype=torch.float64), numbers(1, 3)])
    case("cosine_similarity at 0", lambda a, b: F.cosine_similarity(a, b, dim=1, eps=0.01), zeros, numbers(2, 3, salt=1))
    case("normalize", lambda a: F.normalize(a, dim=0), numbers(3, 2))
    case("normalize 1", lambda a: F.normalize(a, p=1.0, dim=-1), numbers(3, 2))
    case("normalize at 0", lambda a: F.normalize(a, dim=1, eps=0.5), zeros)
    case("normalize short", lambda a: F.normalize(a, dim=1, eps=5.0), numbers(2, 3))


def arrangements():
    case("movedim", lambda a: torch.movedim(a, (2, 0), (0, 1)), numbers(2, 3, 4))
    case("windows", lambda a: a.unfold(0, 3, 2), numbers(6, 2))
    case("repeat_interleave", lambda a: a.repeat_interleave(2, 1), numbers(2, 3))
    case("repeat_interleave_counts", lambda a: a.repeat_interleave(torch.tensor([2, 0, 3]), 1), numbers(2, 3))
    case("meshgrid ij", lambda a, b, c: torch.meshgrid(a, b, c, indexing="ij"), numbers(2), numbers(3, salt=1), numbers(1, salt=2))
    case("meshgrid xy", lambda a, b, c: torch.meshgrid(a, b, c, indexing="xy"), numbers(2), numbers(3, salt=1), numbers(2, salt=2))
    case("cartesian_prod", torch.cartesian_prod, numbers(2), numbers(3, salt=1))
    case("diag_embed", lambda a: torch.diag_embed(a, offset=1, dim1=0, dim2=2), numbers(2, 3))
    case("diag_embed below", lambda a: torch.diag_embed(a, offset=-1, dim1=-1, dim2=0), numbers(2, 3))
    case("unbind", lambda a: torch.unbind(a, 1)[::-1], numbers(2, 3))
    case("split_sizes", lambda a: torch.split(a, [1, 2], 1)[::-1], numbers(2, 3))
    case("hstack", lambda a, b: torch.hstack([a, b]), numbers(2, 2), numbers(2, 1, salt=1))
    case("hstack vectors", lambda a, b: torch.hstack([a, b]), numbers(2), numbers(salt=1))
    case("vstack", lambda a, b: torch.vstack([a, b]), numbers(2), numbers(2, 2, salt=1))
    case("dstack", lambda a, b: torch.dstack([a, b]), numbers(2), numbers(1, 2, 2, salt=1))


def scattering():
    index = torch.tensor([[2, 2, 2, 0], [0, 1, 0, 0]])
    x, source = numbers(2, 3), numbers(2, 4, salt=1)
    # Without duplicates, for which PyTorch leaves open which one stays.
    case("scatter", lambda a, b: a.scatter(1, torch.tensor([[2, 0], [0, 1]]), b), x, numbers(2, 2, salt=1))
    case("scatter_add", lambda a, b: a.scatter_add(1, index, b), x, source)
    case("index_copy", lambda a, b: a.index_copy(1, torch.tensor([2, 0]), b), x, numbers(2, 2, salt=1))
    case("index_fill", lambda a: a.index_fill(1, torch.tensor([2, 0]), 1.5), x)
    case("index_add", lambda a, b: a.index_add(1, torch.tensor([2, 0, 2]), b), x, numbers(2, 3, salt=1))
    rows, columns = torch.tensor([[1], [0]]), torch.tensor([2, 0])
    case("index", lambda a: a[rows, columns], numbers(2, 3, 2))
    case("index of rows", lambda a: a[torch.tensor([1, 1, 0])], x)
    case("index_put", lambda a, b: a.index_put((rows, columns), b), numbers(2, 3, 2), numbers(2, 2, 2, salt=1))
    case("index_put of rows", lambda a, b: a.index_put((torch.tensor([1]),), b), x, numbers(salt=1))
    repeated = torch.tensor([1, 0, 1])
    case("index_put accumulated", lambda a, b: a.index_put((repeated, repeated), b, accumulate=True), x, numbers(3, salt=1))
    case("take", lambda a: torch.take(a, torch.tensor([[5, 0], [5, 2]])), x)
    case("take_along_axis", lambda a: torch.take_along_dim(a, torch.tensor([[1, 0, 1]]), 1), x)
    mask = torch.tensor([True, False, True])
    case("masked_scatter", lambda a, b: a.masked_scatter(mask, b), x, numbers(5, salt=1))
    case("masked_select", lambda a: a.masked_select(a > 0.5), x)
    ties = torch.tensor([[1.0, 2.0, 3.0], [4.0, -1.0, 0.0]], dtype=torch.float64)
    tied = torch.tensor([[3.0, 3.0, 1.0, 1.0], [4.0, -2.0, 4.0, 2.0]], dtype=torch.float64)
    zeros = torch.tensor([[0.0, 2.0, 3.0, 0.5], [0.0, 4.0, 0.0, 2.0]], dtype=torch.float64)
    for how in ["sum", "mean", "amax", "amin", "prod"]:
        for include in [True, False]:
            reduce = lambda a, b: a.scatter_reduce(1, index, b, how, include_self=include)  # noqa: E731
            kept = "with itself" if include else "alone"
            case(f"scatter_reduce {how} {kept}", reduce, x, source)
            # An element that is not included, and equal to the extreme, has a share of the gradient in PyTorch.
            here = ties if include else ties + 0.125
            case(f"scatter_reduce {how} {kept}", reduce, here, zeros if how == "prod" else tied)
    lengths = torch.tensor([2, 0, 3])
    for how in ["sum", "mean", "max", "min", "prod"]:
        # An empty segment has the mean 0 here and NaN there.
        of = torch.tensor([2, 3]) if how == "mean" else lengths
        case(f"segment_{how}", lambda a: torch.segment_reduce(a, how, lengths=of, axis=0), numbers(5, 2))


NAN, INF = math.nan, math.inf


def orders():
    x = numbers(3, 4)
    runs = torch.tensor([[1.0, 1.0, 0.0, 3.0, 3.0], [2.0, NAN, 5.0, 1.0, 2.0]], dtype=torch.float64)
    holes = torch.tensor([[1.0, NAN, 4.0, 2.0], [NAN, 3.0, NAN, NAN]], dtype=torch.float64)
    ties = torch.tensor([[3.0, 2.0, 2.0, 1.0, 3.0], [5.0, 4.0, 1.0, 2.0, 3.0]], dtype=torch.float64)
    case("cummax", lambda a: torch.cummax(a, 1).values, x)
    case("cummax", lambda a: torch.cummax(a, 1).values, runs)
    case("cummax index", lambda a: torch.cummax(a, 1).indices, runs)
    case("cummin", lambda a: torch.cummin(a, 0).values, x)
    case("cummin index", lambda a: torch.cummin(a, 1).indices, ties)
    case("logcumsumexp", lambda a: torch.logcumsumexp(a, 1), x)
    case("logcumsumexp", lambda a: torch.logcumsumexp(a, 1), x * 300)
    # Of nothing the gradient is NaN in PyTorch.
    case("logcumsumexp from nothing", lambda a: torch.logcumsumexp(a.detach(), 0), torch.tensor([-INF, -INF, 1.0, -INF], dtype=torch.float64))
    case("median", lambda a: torch.median(a, 1).values, x)
    case("median", lambda a: torch.median(a, 1).values, holes)
    case("median of all", lambda a: torch.median(a.flatten(), 0, keepdim=True).values, x)
    case("nanmedian", lambda a: torch.nanmedian(a, 1).values, holes)
    case("kthvalue", lambda a: torch.kthvalue(a, 3, 1, keepdim=True).values, x)
    case("mode", lambda a: torch.mode(a, 1).values, ties)
    case("mode index", lambda a: torch.mode(a, 1).indices, ties)
    q = torch.tensor([0.0, 0.3, 0.5, 0.85, 1.0], dtype=torch.float64)
    case("quantile", lambda a: torch.quantile(a, 0.3, dim=1), x)
    case("quantile of NaN", lambda a: torch.quantile(a.detach(), 0.3, dim=1), holes)
    for method in ["linear", "lower", "higher", "midpoint", "nearest"]:
        case(f"quantiles {method}", lambda a: torch.quantile(a, q, dim=1, interpolation=method), x)
    case("quantiles kept", lambda a: torch.quantile(a, q, dim=0, keepdim=True), x)
    case("nanquantile", lambda a: torch.nanquantile(a, 0.4, dim=1), holes[:1])
    case("nanquantiles", lambda a: torch.nanquantile(a, q, dim=1), holes[:, 1:3])
    case("aminmax", lambda a: torch.aminmax(a, dim=1), x)
    case("msort", torch.msort, x)
    case("topk", lambda a: torch.topk(a, 2, 1).values, x)
    case("logsumexp of two axes", lambda a: torch.logsumexp(a, (0, 2)), numbers(2, 3, 2))
    case("var", lambda a: torch.var(a, dim=1, correction=2), x)
    case("std", lambda a: torch.std(a, dim=(0, 1), correction=0), x)
    case("nansum", lambda a: torch.nansum(a, 1), holes)
    case("nanmean", lambda a: torch.nanmean(a, 0), holes)
    case("nanmean", lambda a: torch.nanmean(a.detach(), 0), holes[1:])
    case("cov", torch.cov, x)
    case("cov", torch.cov, numbers(4))
    case("cov of all", lambda a: torch.cov(a, correction=0), x)
    case("corrcoef", torch.corrcoef, x)
    case("cumsum", lambda a: torch.cumsum(a, 1), x)
    case("cumsum reversed", lambda a: torch.flip(torch.cumsum(torch.flip(a, [1]), 1), [1]), x)


def counts():
    ordered = torch.tensor([[1.0, 2.0, 2.0, 5.0], [-1.0, 0.0, 2.0, INF]], dtype=torch.float64)
    values = torch.tensor([[2.0, 6.0, 0.0], [-INF, 2.0, 0.5]], dtype=torch.float64)
    for right in [False, True]:
        side = "right" if right else "left"
        case(f"searchsorted {side}", lambda a, b: torch.searchsorted(a.detach(), b.detach(), right=right), ordered, values)
        case(f"bucketize {side}", lambda a, b: torch.bucketize(b.detach(), a.detach(), right=right), ordered[0], values)
    case("bincount", lambda a: torch.bincount(a.detach().long(), minlength=6), torch.tensor([3.0, 1.0, 3.0], dtype=torch.float64))
    wide = torch.tensor([0.0, 0.5, 1.0, 1.0, 3.0, 4.0, 7.0, -2.0], dtype=torch.float64)
    case("histc", lambda a: torch.histc(a.detach(), 4, 0.0, 4.0), wide)
    case("histc of the whole range", lambda a: torch.histc(a.detach(), 3), wide)
    case("histc of equals", lambda a: torch.histc(a.detach(), 3), torch.ones(3, dtype=torch.float64))
    case("count_nonzero", lambda a: torch.count_nonzero(a.detach(), 1), torch.tensor([[0.0, 1.0], [NAN, -INF]], dtype=torch.float64))
    again = torch.tensor([[3.0, 1.0], [3.0, 2.0]], dtype=torch.float64)
    case("unique", lambda a: torch.unique(a.detach(), return_inverse=True, return_counts=True), again)


def main():
    products()
    arrangements()
    scattering()
    orders()
    counts()
    path = pathlib.Path(__file__).with_name("structure.json")
    text = {"torch": torch.__version__.split("+")[0], "cases": CASES}
    path.write_text(json.dumps(text, separators=(",", ":")) + "\n")


main()
