"""Systems, factorisations and functions of matrices that are far from singular; those that are near are tested elsewhere."""

import torch

from . import op


def square(d, kind="general"):
    """Matrices with singular values not far from 1."""
    batch, n = d.shape(rank=(0, 1), low=1, high=2), d.int(1, 5)
    x = d.of_shape([*batch, n, n])
    identity = torch.eye(n, dtype=torch.float64).expand(*batch, n, n)
    plus = d.program.input(identity * (1.5 if kind == "general" else 0.75) * d.unit)
    if kind != "general":
        # x·xᵀ + 0.75, so that derivatives see the symmetric part as everybody does.
        [t] = d.step("transpose", [x], {"a": -1, "b": -2}, lambda x: x.transpose(-1, -2))
        [x] = d.step("matmul", [x, t], {}, torch.matmul)
    return d.step("add", [x, plus], {}, torch.add)[0]


@op("inv", "det", "slogdet", "logdet", "matrix_exp", "matrix_power", "lu", "cond", flavours=())
def of_square(d, name):
    x = square(d, "positive" if name == "logdet" else "general")
    attributes = {}
    if name == "matrix_power":
        n = attributes["n"] = d.int(-3, 4)
        function = lambda x: torch.linalg.matrix_power(x, n)
    else:
        function = {"inv": torch.linalg.inv, "det": torch.linalg.det, "slogdet": torch.linalg.slogdet,
                    "logdet": torch.logdet, "matrix_exp": torch.linalg.matrix_exp, "lu": torch.linalg.lu,
                    "cond": torch.linalg.cond}[name]
    return d.step(name, [x], attributes, lambda x: tuple(function(x)) if name in ("slogdet", "lu") else function(x))


@op("cholesky", "cholesky_inverse", "cholesky_solve", "eigvalsh", "eigh", flavours=())
def of_positive(d, name):
    x = square(d, "positive")
    if name == "eigvalsh":
        return d.step(name, [x], {}, torch.linalg.eigvalsh)
    if name == "eigh":
        def eigh(x):
            values, vectors = torch.linalg.eigh(x)
            return values, vectors.square()
        return d.step(name, [x], {}, eigh)
    [l] = d.step("cholesky", [x], {}, torch.linalg.cholesky)
    if name == "cholesky":
        return [l]
    if name == "cholesky_inverse":
        return d.step(name, [l], {}, torch.cholesky_inverse)
    shape = d.shape_of(x)
    b = d.of_shape([*shape[:-1], d.int(1, 3)])
    return d.step(name, [l, b], {}, lambda l, b: torch.cholesky_solve(b, l))


@op("solve", "solve_triangular", flavours=())
def systems(d, name):
    x = square(d)
    b = d.of_shape([*d.shape_of(x)[:-1], d.int(1, 3)])
    if name == "solve":
        return d.step(name, [x, b], {}, torch.linalg.solve)
    upper, transposed, unit = d.chance(0.5), d.chance(0.5), d.chance(0.3)

    def call(x, b):
        # PyTorch's has no transposed triangles: they are those of the other kind.
        x = x.triu() if upper else x.tril()
        x = x.transpose(-1, -2) if transposed else x
        return torch.linalg.solve_triangular(x, b, upper=upper != transposed, unitriangular=unit)

    return d.step(name, [x, b], {"upper": upper, "transposed": transposed, "unit": unit}, call)


@op("qr", "svdvals", "svd", "pinv", "lstsq", "matrix_norm", "householder_product", flavours=())
def rectangular(d, name):
    batch, (m, n) = d.shape(rank=(0, 1), low=1, high=2), sorted((d.int(1, 5), d.int(1, 5)), reverse=True)
    if name in ("svdvals", "svd", "pinv", "matrix_norm") and d.chance(0.4):
        m, n = n, m
    x = d.of_shape([*batch, m, n])
    eye = torch.eye(m, n, dtype=torch.float64).expand(*batch, m, n)
    [x] = d.step("add", [x, d.program.input(eye * 1.5 * d.unit)], {}, torch.add)
    if name == "matrix_norm":
        p = d.choice(["fro", "nuc", 2, -2, 1, -1, torch.inf, -torch.inf])
        return d.step(name, [x], {"p": str(p)}, lambda x: torch.linalg.matrix_norm(x, p))
    if name == "lstsq":
        b = d.of_shape([*batch, m, d.int(1, 3)])
        # PyTorch's own has first derivatives alone.
        return d.step(name, [x, b], {}, lambda x, b: torch.linalg.pinv(x) @ b)
    if name == "householder_product":
        tau = d.of_shape([*batch, d.int(1, n)])
        return d.step(name, [x, tau], {}, torch.linalg.householder_product)
    def svd(x):
        u, s, v = torch.linalg.svd(x, full_matrices=False)
        return u.square(), s, v.square()
    function = {"qr": torch.linalg.qr, "svdvals": torch.linalg.svdvals, "svd": svd, "pinv": torch.linalg.pinv}[name]
    return d.step(name, [x], {}, lambda x: tuple(function(x)) if name == "qr" else function(x))
