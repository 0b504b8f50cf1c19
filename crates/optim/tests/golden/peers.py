"""Counts of SciPy's and PyTorch's optimisers on the test problems, written to peers.json.

Run with SciPy 1.17, PyTorch 2 and JAX (for derivatives) installed:  python peers.py
Each entry is [iterations, values, gradients, Hessian products, converged]: converged is |g|_inf <= 1e-8 at the end.
"""

import json
import math
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize
import torch

jax.config.update("jax_enable_x64", True)


def rosenbrock(x):
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def extended_rosenbrock(x):
    return jnp.sum(100 * (x[1::2] - x[::2] ** 2) ** 2 + (1 - x[::2]) ** 2)


def beale(x):
    return sum((y - x[0] * (1 - x[1] ** (i + 1))) ** 2 for i, y in enumerate([1.5, 2.25, 2.625]))


def himmelblau(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def helical_valley(x):
    theta = jnp.arctan2(x[1], x[0]) / (2 * math.pi)
    return 100 * (x[2] - 10 * theta) ** 2 + 100 * (jnp.sqrt(x[0] ** 2 + x[1] ** 2) - 1) ** 2 + x[2] ** 2


def powell_singular(x):
    return (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4


def wood(x):
    return (100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2 + 90 * (x[3] - x[2] ** 2) ** 2 + (1 - x[2]) ** 2
            + 10.1 * ((x[1] - 1) ** 2 + (x[3] - 1) ** 2) + 19.8 * (x[1] - 1) * (x[3] - 1))


def variably_dimensioned(x):
    w = jnp.sum(jnp.arange(1, len(x) + 1) * (x - 1))
    return jnp.sum((x - 1) ** 2) + w**2 + w**4


def broyden_tridiagonal(x):
    left, right = jnp.pad(x, (1, 0))[:-1], jnp.pad(x, (0, 1))[1:]
    return jnp.sum(((3 - 2 * x) * x - left - 2 * right + 1) ** 2)


def zakharov(x):
    w = 0.5 * jnp.sum(jnp.arange(1, len(x) + 1) * x)
    return jnp.sum(x**2) + w**2 + w**4


def valley(n):
    return np.tile([-1.2, 1.0], n // 2)


PROBLEMS = {
    "rosenbrock_2": (rosenbrock, valley(2)),
    "rosenbrock_100": (rosenbrock, np.full(100, 0.5)),
    "extended_rosenbrock_1000": (extended_rosenbrock, valley(1000)),
    "beale": (beale, np.ones(2)),
    "himmelblau": (himmelblau, np.ones(2)),
    "helical_valley": (helical_valley, np.array([-1.0, 0.0, 0.0])),
    "powell_singular": (powell_singular, np.array([3.0, -1.0, 0.0, 1.0])),
    "wood": (wood, np.array([-3.0, -1.0, -3.0, -1.0])),
    "variably_dimensioned_10": (variably_dimensioned, 1 - np.arange(1, 11) / 10),
    "broyden_tridiagonal_100": (broyden_tridiagonal, np.full(100, -1.0)),
    "zakharov_10": (zakharov, np.ones(10)),
}

SCIPY = {
    "BFGS": dict(gtol=1e-8),
    "CG": dict(gtol=1e-8),
    "L-BFGS-B": dict(gtol=1e-8, ftol=0, maxcor=10, maxfun=10**5, maxiter=10**5),
    "Newton-CG": dict(xtol=1e-12),
    "trust-ncg": dict(gtol=1e-8),
    "trust-krylov": dict(gtol=1e-8),
    "trust-exact": dict(gtol=1e-8),
}


class Counter:
    """Counts calls, and stops at the first gradient of 1e-8 (so that every peer has the same test)."""

    def __init__(self, f):
        self.f, self.g = jax.jit(f), jax.jit(jax.grad(f))
        self.hv = jax.jit(lambda x, v: jax.jvp(jax.grad(f), (x,), (v,))[1])
        self.h = jax.jit(jax.hessian(f))
        self.counts = dict(f=0, g=0, hv=0)

    def value(self, x):
        self.counts["f"] += 1
        return float(self.f(x))

    def gradient(self, x):
        self.counts["g"] += 1
        return np.asarray(self.g(x))

    def product(self, x, v):
        self.counts["hv"] += 1
        return np.asarray(self.hv(x, v))

    def hessian(self, x):
        self.counts["hv"] += len(x)
        return np.asarray(self.h(x))


def run_scipy(f, x0, method, options):
    c = Counter(f)
    iterations = 0
    at_end = None

    class Done(Exception):
        pass

    def callback(x, *_):
        nonlocal iterations, at_end
        iterations += 1
        if np.max(np.abs(np.asarray(c.g(x)))) <= 1e-8:
            at_end = dict(c.counts)
            raise Done

    kwargs = {}
    if method in ("Newton-CG", "trust-ncg", "trust-krylov"):
        kwargs["hessp"] = c.product
    if method == "trust-exact":
        kwargs["hess"] = c.hessian
    try:
        scipy.optimize.minimize(c.value, x0, jac=c.gradient, method=method, options=options, callback=callback, **kwargs)
    except Done:
        pass
    counts = at_end or c.counts
    return [iterations, counts["f"], counts["g"], counts["hv"], at_end is not None]


def run_torch(f, x0):
    c = Counter(f)
    x = torch.tensor(x0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([x], lr=1, max_iter=5000, max_eval=10**6, history_size=10, tolerance_grad=1e-8,
                                  tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        point = x.detach().numpy().copy()
        x.grad = torch.tensor(c.gradient(point))
        return torch.tensor(c.value(point), dtype=torch.float64)

    optimizer.step(closure)
    converged = bool(np.max(np.abs(np.asarray(c.g(x.detach().numpy())))) <= 1e-8)
    return [optimizer.state[x]["n_iter"], c.counts["f"], c.counts["g"], 0, converged]


def main():
    table = {}
    for name, (f, x0) in PROBLEMS.items():
        # Dense factorisations of 1000 x 1000 take SciPy minutes.
        methods = [m for m in SCIPY if len(x0) <= 100 or m not in ("BFGS", "trust-exact")]
        table[name] = {method: run_scipy(f, x0, method, SCIPY[method]) for method in methods}
        table[name]["torch-LBFGS"] = run_torch(f, x0)
        print(name, table[name], flush=True)
    path = pathlib.Path(__file__).with_name("peers.json")
    rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in table.items())
    path.write_text("{\n" + rows + "\n}\n")


if __name__ == "__main__":
    main()
