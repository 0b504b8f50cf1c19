"""Counts of SciPy's and PyTorch's optimisers on the test problems, written to peers.json.

Run with SciPy 1.17, PyTorch 2 and JAX (for derivatives) installed:  python peers.py
Each entry is [iterations, values, gradients, Hessian products, converged, value]: converged is |g|_inf <= 1e-8 (of the
projected gradient within bounds, of J'r for "lm") at the end. PROBLEMS are sums of squares of residuals, SUMS of terms.
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

cat = jnp.concatenate
TOLERANCE = 1e-8


def rosenbrock(x):
    return cat([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])


def extended_rosenbrock(x):
    return cat([10 * (x[1::2] - x[::2] ** 2), 1 - x[::2]])


def beale(x):
    return jnp.array([y - x[0] * (1 - x[1] ** (i + 1)) for i, y in enumerate([1.5, 2.25, 2.625])])


def tquartic(x):
    return jnp.concatenate([x[:1] - 1, x[0] ** 2 - x[1:] ** 2])


def himmelblau(x):
    return jnp.array([x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7])


def helical_valley(x):
    theta = jnp.arctan2(x[1], x[0]) / (2 * math.pi)
    return jnp.array([10 * (x[2] - 10 * theta), 10 * (jnp.sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2]])


def powell_singular(x):
    return jnp.array([x[0] + 10 * x[1], math.sqrt(5) * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2,
                      math.sqrt(10) * (x[0] - x[3]) ** 2])


def wood(x):
    return jnp.array([10 * (x[1] - x[0] ** 2), 1 - x[0], math.sqrt(90) * (x[3] - x[2] ** 2), 1 - x[2],
                      math.sqrt(10) * (x[1] + x[3] - 2), (x[1] - x[3]) / math.sqrt(10)])


def variably_dimensioned(x):
    w = jnp.sum(jnp.arange(1, len(x) + 1) * (x - 1))
    return cat([x - 1, jnp.array([w, w**2])])


def broyden_tridiagonal(x):
    left, right = jnp.pad(x, (1, 0))[:-1], jnp.pad(x, (0, 1))[1:]
    return (3 - 2 * x) * x - left - 2 * right + 1


def broyden_banded(x):
    n = len(x)
    sums = jnp.array([sum(x[j] * (1 + x[j]) for j in range(max(0, i - 5), min(n, i + 2)) if j != i) for i in range(n)])
    return x * (2 + 5 * x**2) + 1 - sums


def zakharov(x):
    w = 0.5 * jnp.sum(jnp.arange(1, len(x) + 1) * x)
    return cat([x, jnp.array([w, w**2])])


def freudenstein_roth(x):
    return jnp.array([-13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1], -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]])


def powell_badly_scaled(x):
    return jnp.array([1e4 * x[0] * x[1] - 1, jnp.exp(-x[0]) + jnp.exp(-x[1]) - 1.0001])


def brown_badly_scaled(x):
    return jnp.array([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])


def jennrich_sampson(x):
    i = jnp.arange(1, 11)
    return 2 + 2 * i - (jnp.exp(i * x[0]) + jnp.exp(i * x[1]))


GAUSSIAN = np.array([0.0009, 0.0044, 0.0175, 0.054, 0.1295, 0.242, 0.3521, 0.3989, 0.3521, 0.242, 0.1295, 0.054, 0.0175,
                     0.0044, 0.0009])


def gaussian(x):
    t = (8 - np.arange(1, 16)) / 2
    return x[0] * jnp.exp(-x[1] * (t - x[2]) ** 2 / 2) - GAUSSIAN


def box_3d(x):
    t = 0.1 * np.arange(1, 11)
    return jnp.exp(-t * x[0]) - jnp.exp(-t * x[1]) - x[2] * (np.exp(-t) - np.exp(-10 * t))


def biggs_exp6(x):
    t = 0.1 * np.arange(1, 14)
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    return x[2] * jnp.exp(-t * x[0]) - x[3] * jnp.exp(-t * x[1]) + x[5] * jnp.exp(-t * x[4]) - y


def penalty_1(x):
    return cat([math.sqrt(1e-5) * (x - 1), jnp.array([jnp.sum(x**2) - 0.25])])


def penalty_2(x):
    n, a = len(x), math.sqrt(1e-5)
    i = np.arange(2, n + 1)
    y = np.exp(i / 10) + np.exp((i - 1) / 10)
    return cat([jnp.array([x[0] - 0.2]), a * (jnp.exp(x[1:] / 10) + jnp.exp(x[:-1] / 10) - y),
                a * (jnp.exp(x[1:] / 10) - math.exp(-0.1)), jnp.array([jnp.sum(np.arange(n, 0, -1) * x**2) - 1])])


def trigonometric(x):
    n = len(x)
    return n - jnp.sum(jnp.cos(x)) + np.arange(1, n + 1) * (1 - jnp.cos(x)) - jnp.sin(x)


def brown_almost_linear(x):
    return cat([x[:-1] + jnp.sum(x) - (len(x) + 1), jnp.array([jnp.prod(x) - 1])])


def discrete_boundary_value(x):
    n = len(x)
    h = 1 / (n + 1)
    left, right = jnp.pad(x, (1, 0))[:-1], jnp.pad(x, (0, 1))[1:]
    return 2 * x - left - right + h**2 * (x + h * np.arange(1, n + 1) + 1) ** 3 / 2


def chebyquad(x):
    n = len(x)
    before, now = jnp.ones(n), 2 * x - 1
    rows = []
    for i in range(1, n + 1):
        rows.append(jnp.mean(now) + (1 / (i * i - 1) if i % 2 == 0 else 0))
        before, now = now, 2 * (2 * x - 1) * now - before
    return jnp.array(rows)


def dixon_price(x):
    return cat([x[:1] - 1, np.sqrt(np.arange(2, len(x) + 1)) * (2 * x[1:] ** 2 - x[:-1])])


def rastrigin(x):
    return cat([x, math.sqrt(20) * jnp.sin(math.pi * x)])


def kowalik_osborne(x):
    y = np.array([0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
    u = np.array([4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
    return y - x[0] * u * (u + x[1]) / (u * (u + x[2]) + x[3])


def gulf(x):
    t = np.arange(1, 100) / 100
    distance = jnp.abs(25 + (-50 * np.log(t)) ** (2 / 3) - x[1])
    return jnp.exp(-jnp.exp(jnp.log(distance) * x[2]) / x[0]) - t


BARD = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])


def bard(x):
    u = np.arange(1.0, 16)
    return BARD - (x[0] + u / ((16 - u) * x[1] + np.minimum(u, 16 - u) * x[2]))


def watson(x):
    t, powers = np.arange(1, 30) / 29, np.arange(len(x))
    rows, slopes = t[:, None] ** powers, powers[1:] * t[:, None] ** powers[:-1]
    return cat([slopes @ x[1:] - (rows @ x) ** 2 - 1, jnp.array([x[0], x[1] - x[0] ** 2 - 1])])


OSBORNE_2 = np.array([
    1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616, 0.606,
    0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495, 0.500, 0.423,
    0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668,
    0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098,
    0.054])


def osborne_2(x):
    t = np.arange(65) / 10
    bumps = sum(x[i] * jnp.exp(-((t - x[7 + i]) ** 2) * x[4 + i]) for i in (1, 2, 3))
    return OSBORNE_2 - (x[0] * jnp.exp(-t * x[4]) + bumps)


def brown_dennis(x):
    t = np.arange(1, 21) / 5
    return (x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + np.sin(t) * x[3] - np.cos(t)) ** 2


def extended_freudenstein_roth(x):
    return jax.vmap(freudenstein_roth)(x.reshape(-1, 2)).reshape(-1)


def discrete_integral_equation(x):
    n = len(x)
    h = 1 / (n + 1)
    t = h * np.arange(1, n + 1)
    cubes = (x + t + 1) ** 3
    left = np.tril(np.ones((n, n))) @ (t * cubes)
    right = np.triu(np.ones((n, n)), 1) @ ((1 - t) * cubes)
    return x + h * ((1 - t) * left + t * right) / 2


def arwhead(x):
    return (x[:-1] ** 2 + x[-1] ** 2) ** 2 - 4 * x[:-1] + 3


def engval1(x):
    return (x[:-1] ** 2 + x[1:] ** 2) ** 2 - 4 * x[:-1] + 3


def bohachevsky(x):
    waves = 0.3 * jnp.cos(3 * math.pi * x[0]) + 0.4 * jnp.cos(4 * math.pi * x[1])
    return jnp.array([x[0] ** 2 + 2 * x[1] ** 2 - waves + 0.7])


def log_cosh(x):
    z = np.arange(1, len(x) + 1) * (x - 1) / 3
    return jnp.log((jnp.exp(z) + jnp.exp(-z)) / 2)


def trid(x):
    return cat([(x - 1) ** 2, -x[1:] * x[:-1]])


def logistic(x):
    i, j = np.arange(1, 101), np.arange(1, len(x) + 1)
    rows = np.sin(1.7 * i[:, None] * j + 0.3 * i[:, None])
    labels = np.where(np.sin(7.3 * i) + 0.3 * rows[:, 0] > 0, 1.0, -1.0)
    return cat([jnp.log(1 + jnp.exp(-labels * (rows @ x))), 0.005 * x**2])


def power(x):
    return (np.arange(1, len(x) + 1) * x) ** 2


def valley(n):
    return np.tile([-1.2, 1.0], n // 2)


PROBLEMS = {
    "rosenbrock_2": (rosenbrock, valley(2)),
    "rosenbrock_100": (rosenbrock, valley(100)),
    "rosenbrock_100_from_half": (rosenbrock, np.full(100, 0.5)),
    "extended_rosenbrock_100": (extended_rosenbrock, valley(100)),
    "extended_rosenbrock_1000": (extended_rosenbrock, valley(1000)),
    "beale": (beale, np.ones(2)),
    "himmelblau": (himmelblau, np.ones(2)),
    "helical_valley": (helical_valley, np.array([-1.0, 0.0, 0.0])),
    "powell_singular": (powell_singular, np.array([3.0, -1.0, 0.0, 1.0])),
    "wood": (wood, np.array([-3.0, -1.0, -3.0, -1.0])),
    "variably_dimensioned_10": (variably_dimensioned, 1 - np.arange(1, 11) / 10),
    "broyden_tridiagonal_100": (broyden_tridiagonal, np.full(100, -1.0)),
    "broyden_banded_50": (broyden_banded, np.full(50, -1.0)),
    "zakharov_10": (zakharov, np.ones(10)),
    "freudenstein_roth": (freudenstein_roth, np.array([0.5, -2.0])),
    "powell_badly_scaled": (powell_badly_scaled, np.array([0.0, 1.0])),
    "brown_badly_scaled": (brown_badly_scaled, np.ones(2)),
    "jennrich_sampson": (jennrich_sampson, np.array([0.3, 0.4])),
    "gaussian": (gaussian, np.array([0.4, 1.0, 0.0])),
    "box_3d": (box_3d, np.array([0.0, 10.0, 20.0])),
    "biggs_exp6": (biggs_exp6, np.array([1.0, 2.0, 1.0, 1.0, 1.0, 1.0])),
    "penalty_1_10": (penalty_1, np.arange(1.0, 11.0)),
    "penalty_2_10": (penalty_2, np.full(10, 0.5)),
    "trigonometric_10": (trigonometric, np.full(10, 0.1)),
    "brown_almost_linear_10": (brown_almost_linear, np.full(10, 0.5)),
    "discrete_boundary_value_10": (discrete_boundary_value, np.arange(1, 11) / 11 * (np.arange(1, 11) / 11 - 1)),
    "chebyquad_8": (chebyquad, np.arange(1, 9) / 9),
    "dixon_price_10": (dixon_price, np.ones(10)),
    "rastrigin_10": (rastrigin, 0.1 + 0.02 * np.arange(10)),
    "kowalik_osborne": (kowalik_osborne, np.array([0.25, 0.39, 0.415, 0.39])),
    "gulf": (gulf, np.array([5.0, 2.5, 0.15])),
    "bard": (bard, np.ones(3)),
    "watson_6": (watson, np.zeros(6)),
    "osborne_2": (osborne_2, np.array([1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5])),
    "brown_dennis": (brown_dennis, np.array([25.0, 5.0, -5.0, -1.0])),
    "extended_freudenstein_roth_100": (extended_freudenstein_roth, np.tile([0.5, -2.0], 50)),
    "tquartic_50": (tquartic, np.full(50, 0.1)),
    "discrete_integral_equation_10": (discrete_integral_equation, np.arange(1, 11) / 11 * (np.arange(1, 11) / 11 - 1)),
}

SUMS = {
    "arwhead_100": (arwhead, np.ones(100)),
    "engval1_100": (engval1, np.full(100, 2.0)),
    "bohachevsky": (bohachevsky, np.array([0.2, -0.1])),
    "log_cosh_10": (log_cosh, np.zeros(10)),
    "trid_10": (trid, np.zeros(10)),
    "logistic_20": (logistic, np.zeros(20)),
    "power_50": (power, np.ones(50)),
}

# The problems that L-BFGS-B is given within bounds as well: bounds that are active at the solution.
BOUNDED = {
    "rosenbrock_2": (-2.0, 0.5),
    "rosenbrock_100": (-1.5, 0.9),
    "extended_rosenbrock_1000": (-1.5, 0.8),
    "wood": (-4.0, 0.9),
    "beale": (0.5, 2.5),
    "helical_valley": (-1.0, 0.8),
    "broyden_tridiagonal_100": (-1.0, -0.6),
    "zakharov_10": (0.1, 1.0),
    "chebyquad_8": (0.1, 0.9),
    "rastrigin_10": (0.05, 0.4),
}

SCIPY = {
    "BFGS": dict(gtol=TOLERANCE),
    "CG": dict(gtol=TOLERANCE),
    "L-BFGS-B": dict(gtol=TOLERANCE, ftol=0, maxcor=10, maxfun=10**5, maxiter=10**5),
    "Newton-CG": dict(xtol=1e-12),
    "trust-ncg": dict(gtol=TOLERANCE),
    "trust-krylov": dict(gtol=TOLERANCE),
    "trust-exact": dict(gtol=TOLERANCE),
}


class Problem:
    """A problem's compiled derivatives."""

    def __init__(self, residuals, squares=True):
        def f(x):
            return jnp.sum(residuals(x) ** 2 if squares else residuals(x))

        self.f, self.g, self.r = jax.jit(f), jax.jit(jax.grad(f)), jax.jit(residuals)
        self.hv = jax.jit(lambda x, v: jax.jvp(jax.grad(f), (x,), (v,))[1])
        self.h, self.j = jax.jit(jax.hessian(f)), jax.jit(jax.jacfwd(residuals))


class Done(Exception):
    """The test holds."""


class Counter:
    """Counts calls."""

    def __init__(self, problem):
        self.problem = problem
        self.counts = dict(f=0, g=0, hv=0)

    def value(self, x):
        self.counts["f"] += 1
        return float(self.problem.f(x))

    def gradient(self, x):
        self.counts["g"] += 1
        return np.asarray(self.problem.g(x))

    def product(self, x, v):
        self.counts["hv"] += 1
        return np.asarray(self.problem.hv(x, v))

    def hessian(self, x):
        self.counts["hv"] += len(x)
        return np.asarray(self.problem.h(x))


def run_scipy(problem, x0, method, options, bounds=None):
    """Stops at the first iterate where the test holds, so that every peer has the same test."""
    c = Counter(problem)
    iterations, last, at_end = 0, x0, None

    def holds(x):
        g = np.asarray(problem.g(x))
        if bounds is not None:
            g = np.clip(x - g, *bounds) - x
        return np.max(np.abs(g)) <= TOLERANCE

    def callback(x, *_):
        nonlocal iterations, last, at_end
        iterations, last = iterations + 1, np.array(x)
        if holds(x):
            at_end = dict(c.counts)
            raise Done

    kwargs = {}
    if method in ("Newton-CG", "trust-ncg", "trust-krylov"):
        kwargs["hessp"] = c.product
    if method == "trust-exact":
        kwargs["hess"] = c.hessian
    if bounds is not None:
        kwargs["bounds"] = [bounds] * len(x0)
    try:
        scipy.optimize.minimize(c.value, x0, jac=c.gradient, method=method, options=options, callback=callback, **kwargs)
    except Done:
        pass
    counts = at_end or c.counts
    return [iterations, counts["f"], counts["g"], counts["hv"], at_end is not None, float(problem.f(last))]


def run_lm(problem, x0):
    """MINPACK's Levenberg-Marquardt: residuals, Jacobians, and the half sum of squares."""
    counts, last, converged = dict(f=0, g=0), x0, False

    def residuals(x):
        counts["f"] += 1
        return np.asarray(problem.r(x))

    def jacobian(x):
        nonlocal last, converged
        counts["g"] += 1
        last = np.array(x)
        j = np.asarray(problem.j(x))
        if np.max(np.abs(j.T @ np.asarray(problem.r(x)))) <= TOLERANCE:
            converged = True
            raise Done
        return j

    try:
        scipy.optimize.least_squares(residuals, x0, jac=jacobian, method="lm", ftol=1e-15, xtol=1e-15, gtol=1e-15,
                                     max_nfev=10**4)
    except Done:
        pass
    return [counts["g"] - 1, counts["f"], counts["g"], 0, converged, 0.5 * float(problem.f(last))]


def run_torch(problem, x0):
    c = Counter(problem)
    x = torch.tensor(x0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([x], lr=1, max_iter=5000, max_eval=10**6, history_size=10, tolerance_grad=TOLERANCE,
                                  tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        point = x.detach().numpy().copy()
        x.grad = torch.tensor(c.gradient(point))
        return torch.tensor(c.value(point), dtype=torch.float64)

    optimizer.step(closure)
    end = x.detach().numpy()
    converged = bool(np.max(np.abs(np.asarray(problem.g(end)))) <= TOLERANCE)
    return [optimizer.state[x]["n_iter"], c.counts["f"], c.counts["g"], 0, converged, float(problem.f(end))]


def main():
    table = {}
    for name, (residuals, x0) in {**PROBLEMS, **SUMS}.items():
        problem = Problem(residuals, name in PROBLEMS)
        # Dense factorisations of 1000 x 1000 take SciPy minutes.
        methods = [m for m in SCIPY if len(x0) <= 100 or m not in ("BFGS", "trust-exact")]
        row = {method: run_scipy(problem, x0, method, SCIPY[method]) for method in methods}
        row["torch-LBFGS"] = run_torch(problem, x0)
        # MINPACK wants at least as many residuals as variables.
        if name in PROBLEMS and len(x0) <= 100 and len(problem.r(x0)) >= len(x0):
            row["lm"] = run_lm(problem, x0)
        if name in BOUNDED:
            start = np.clip(x0, *BOUNDED[name])
            row["L-BFGS-B bounded"] = run_scipy(problem, start, "L-BFGS-B", SCIPY["L-BFGS-B"], BOUNDED[name])
        table[name] = row
        print(name, table[name], flush=True)
    path = pathlib.Path(__file__).with_name("peers.json")
    # JSON has no NaN or infinity: a value that is not finite is null.
    finite = lambda row: [v if not isinstance(v, float) or math.isfinite(v) else None for v in row]
    rows = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps({peer: finite(counts) for peer, counts in row.items()})}"
        for name, row in table.items())
    path.write_text("{\n" + rows + "\n}\n")


if __name__ == "__main__":
    main()
