"""Products of vectors, matrices and tensors, distances, complex numbers."""

import torch
import torch.nn.functional as F

from ..wire import number
from . import op


@op("matmul", weight=3.0, flavours=("ties", "special"))
def matmul(d):
    x = d.any(rank=(1, 4), high=6)
    shape = d.shape_of(x)
    k = shape[-1]
    if d.chance(0.2):
        y = d.of_shape([k])
    else:
        batch = [n if d.chance(0.6) else 1 for n in shape[:-2]]
        batch = batch[d.int(0, len(batch)):] if d.chance(0.4) else batch
        y = d.of_shape([*batch, k, d.int(0 if d.chance(0.1) else 1, 6)])
    return d.step("matmul", [x, y], {}, torch.matmul)


@op("matmul_large", weight=0.3)
def matmul_large(d):
    """Blocks and their edges."""
    m, k, n = [d.choice([1, 3, 8, 17, 33, 64, 70]) for _ in range(3)]
    x, y = d.of_shape([m, k]), d.of_shape([k, n])
    if d.chance(0.3):
        [x] = d.step("transpose", [x], {"a": 0, "b": 1}, lambda x: x.transpose(0, 1))
        x, y = y, x
        [x] = d.step("transpose", [x], {"a": 0, "b": 1}, lambda x: x.transpose(0, 1))
        y, x = x, y
        return d.step("matmul", [y, x], {}, torch.matmul)
    return d.step("matmul", [x, y], {}, torch.matmul)


@op("dot", "outer", "inner", "vecdot", "kron", "cross")
def vectors(d, name):
    if name in ("dot", "outer"):
        x = d.any(rank=(1, 1))
        y = d.of_shape(d.shape_of(x)) if name == "dot" else d.any(rank=(1, 1))
        return d.step(name, [x, y], {}, {"dot": torch.dot, "outer": torch.outer}[name])
    if name == "inner":
        x = d.any(rank=(1, 3))
        y = d.of_shape([*d.shape(rank=(0, 2)), d.shape_of(x)[-1]])
        return d.step(name, [x, y], {}, torch.inner)
    if name == "kron":
        return d.step(name, [d.any(rank=(0, 3), limit=20), d.any(rank=(0, 3), limit=20)], {}, torch.kron)
    if name == "vecdot":
        x = d.any(rank=(1, 4))
        axis = d.axis(x)
        return d.step(name, [x, d.of_shape(d.shape_of(x))], {"axis": axis},
                      lambda x, y: torch.linalg.vecdot(x, y, dim=axis))
    shape = d.shape(rank=(0, 2), high=3)
    axis = d.int(0, len(shape))
    shape.insert(axis, 3)
    return d.step(name, [d.of_shape(shape), d.of_shape(shape)], {"axis": axis},
                  lambda x, y: torch.linalg.cross(x, y, dim=axis))


@op("tensordot")
def tensordot(d):
    x = d.any(rank=(1, 3))
    shape = d.shape_of(x)
    axes = d.random.sample(range(len(shape)), d.int(0, len(shape)))
    rest = d.shape(rank=(0, 2))
    of_y = [shape[a] for a in axes] + rest
    order = d.random.sample(range(len(of_y)), len(of_y))
    y = d.of_shape([of_y[i] for i in order])
    other = [order.index(i) for i in range(len(axes))]
    return d.step("tensordot", [x, y], {"axes": axes, "other_axes": other},
                  lambda x, y: torch.tensordot(x, y, dims=(axes, other)))


@op("einsum", weight=3.0)
def einsum(d):
    """Two or three operands whose axes share letters, each letter also twice in one."""
    lengths = {letter: d.int(0 if d.chance(0.03) else 1, 3) for letter in "abcde"}
    terms = ["".join(d.random.choices("abcde", k=d.int(0, 3))) for _ in range(d.int(1, 3))]
    letters = sorted(set("".join(terms)))
    out = "".join(d.random.sample(letters, d.int(0, min(3, len(letters)))))
    equation = ",".join(terms) + "->" + out
    operands = [d.of_shape([lengths[c] for c in term]) for term in terms]
    return d.step("einsum", operands, {"equation": equation}, lambda *x: torch.einsum(equation, *x))


@op("multi_dot", "trace")
def matrices(d, name):
    if name == "trace":
        x = d.any(rank=(2, 2))
        return d.step(name, [x], {}, torch.trace)
    sizes = [d.int(1, 4) for _ in range(d.int(3, 6))]
    parts = [d.of_shape([m, n]) for m, n in zip(sizes, sizes[1:])]
    return d.step(name, parts, {}, lambda *x: torch.linalg.multi_dot(x))


def cosine(x, y, axis, eps):
    # PyTorch differentiates a norm below ε as if it were not replaced by it.
    length = lambda x: torch.linalg.vector_norm(x, 2, axis).clamp_min(eps)
    return (x * y).sum(axis) / (length(x) * length(y))


P = [0.0, 0.5, 1.0, 1.5, 2.0, 2.0, 3.0, torch.inf]


@op("cdist", "pdist", "dist", "pairwise_distance", "cosine_similarity")
def distances(d, name):
    p = d.choice(P)
    attributes = {"p": number(p)}
    if name == "cdist":
        batch, m = d.shape(rank=(0, 1)), d.int(1, 4)
        x, y = d.of_shape([*batch, d.int(1, 4), m]), d.of_shape([*batch, d.int(1, 4), m])
        # PyTorch's own derivatives have none; of p = 0 and 0.5 it has others at equal numbers.
        return d.step(name, [x, y], attributes,
                      lambda x, y: torch.linalg.vector_norm(x.unsqueeze(-2) - y.unsqueeze(-3), p, -1))
    if name == "pdist":
        x = d.any(rank=(2, 2), low=1)
        n = d.shape_of(x)[0]
        pairs = torch.triu_indices(n, n, 1)
        return d.step(name, [x], attributes, lambda x: torch.linalg.vector_norm(x[pairs[0]] - x[pairs[1]], p, -1))
    x = d.any(rank=(1, 3), low=1)
    y = d.of_shape(d.shape_of(x))
    if name == "dist":
        return d.step(name, [x, y], attributes, lambda x, y: torch.dist(x, y, p))
    if name == "pairwise_distance":
        eps, keep = d.choice([1e-6, 0.0, 0.1]), d.chance(0.5)
        return d.step(name, [x, y], attributes | {"eps": eps, "keep": keep},
                      lambda x, y: F.pairwise_distance(x, y, p, eps, keep))
    axis, eps = d.axis(x, 1), d.choice([1e-8, 0.1])
    return d.step(name, [x, y], {"axis": axis, "eps": eps}, lambda x, y: cosine(x, y, axis, eps))


@op("complex_mul", "conj", "complex_abs", "complex_angle", "polar")
def complex_numbers(d, name):
    if name == "polar":
        x = d.any(rank=(0, 3))
        return d.step(name, [x, d.of_shape(d.shape_of(x))], {},
                      lambda r, a: torch.stack([r * torch.cos(a), r * torch.sin(a)], -1))
    shape = [*d.shape(rank=(0, 3)), 2]
    pairs = lambda f: lambda *x: f(*[torch.view_as_complex(y.contiguous()) for y in x])
    seen = lambda f: pairs(lambda *z: torch.view_as_real(f(*z).resolve_conj()))
    if name == "complex_mul":
        return d.step(name, [d.of_shape(shape), d.of_shape(shape)], {}, seen(torch.mul))
    function = {"conj": seen(torch.conj), "complex_abs": pairs(torch.abs), "complex_angle": pairs(torch.angle)}[name]
    return d.step(name, [d.of_shape(shape, "nonzero")], {}, function)
