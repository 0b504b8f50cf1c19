"""Linear algebra as PyTorch computes it, in double precision: values, and gradients of the sum of the products of the
output's elements with the weights linspace(-1, 2).

Run in this folder: python linalg.py > linalg.json
"""

import json

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
L = torch.linalg


def pack(t):
    return {"shape": list(t.shape), "data": t.detach().reshape(-1).tolist()}


def case(name, function, *inputs):
    inputs = [t.clone().requires_grad_(True) for t in inputs]
    output = function(*inputs)
    weights = torch.linspace(-1.0, 2.0, output.numel()).reshape(output.shape)
    grads = torch.autograd.grad((output * weights).sum(), inputs)
    return {
        "name": name,
        "inputs": [pack(t) for t in inputs],
        "output": pack(output),
        "grads": [pack(g) for g in grads],
    }


def symmetric(a):
    return (a + a.mT) / 2


def eigh(a):
    values, vectors = L.eigh(symmetric(a))
    return (vectors * values.tanh().unsqueeze(-2)) @ vectors.mT


def svd(a):
    u, s, vt = L.svd(a, full_matrices=False)
    return (u * s.tanh().unsqueeze(-2)) @ vt


def lu(a, which):
    return L.lu(a)[which]


def cases():
    square, batch = torch.randn(4, 4), torch.randn(3, 2, 2)
    tall, wide = torch.randn(5, 3), torch.randn(3, 5)
    large = torch.randn(20, 20) / 4 + torch.eye(20)
    b, many = torch.randn(4, 2), torch.randn(3, 2, 4)
    yield case("solve", L.solve, square, b)
    yield case("solve_vector", L.solve, square, torch.randn(4))
    yield case("solve_batch", L.solve, batch, many)
    yield case("inv", L.inv, square)
    yield case("inv", L.inv, batch)
    yield case("det", L.det, square)
    yield case("det", L.det, batch)
    yield case("slogdet", lambda a: L.slogdet(a)[1], large)
    yield case("matrix_exp", torch.matrix_exp, square)
    yield case("matrix_exp", torch.matrix_exp, batch * 4)
    yield case("pinv", L.pinv, tall)
    yield case("pinv", L.pinv, wide)
    yield case("lstsq", lambda a, b: L.lstsq(a, b)[0], tall, torch.randn(5, 2))
    yield case("lower", lambda a, b: L.solve_triangular(a, b, upper=False), large.tril(), torch.randn(20, 3))
    yield case("upper", lambda a, b: L.solve_triangular(a, b, upper=True), large.triu(), torch.randn(20, 3))
    yield case("cholesky", lambda a: L.cholesky(a @ a.mT + torch.eye(4)), square)
    yield case("cholesky", lambda a: L.cholesky(a @ a.mT + torch.eye(2)), batch)
    for a in [square, tall, batch]:
        yield case("qr_q", lambda a: L.qr(a)[0], a)
        yield case("qr_r", lambda a: L.qr(a)[1], a)
    yield case("qr_r", lambda a: L.qr(a)[1], wide)
    for a in [square, tall, wide, batch]:
        yield case("lu_l", lambda a: lu(a, 1), a)
        yield case("lu_u", lambda a: lu(a, 2), a)
    yield case("eigh", eigh, square)
    yield case("eigh", eigh, large)
    yield case("eigvalsh", lambda a: L.eigvalsh(symmetric(a)), square)
    for a in [square, tall, wide, batch]:
        yield case("svd", svd, a)
        yield case("svdvals", L.svdvals, a)
    for kind in ["fro", "nuc", 2, -2, 1, -1, float("inf"), -float("inf")]:
        yield case(f"norm_{kind}", lambda a: L.matrix_norm(a, kind), tall)
    yield case("cond", L.cond, square)
    yield case("matrix_power", lambda a: L.matrix_power(a, 5), square)
    yield case("matrix_power_negative", lambda a: L.matrix_power(a, -3), square)


print(json.dumps(list(cases())))
