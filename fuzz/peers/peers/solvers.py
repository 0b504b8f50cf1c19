"""Minimisations with known solutions: whether a method that says it converged is there, and that it says so."""

import numpy
import scipy.optimize

from . import wire
from .compare import Said
from .draw import Draw

FIRST_ORDER = ["steepest descent", "nonlinear CG", "BFGS", "DFP", "SR1", "L-BFGS"]
SECOND_ORDER = ["Newton", "saddle-free Newton", "Newton-CG", "damped Newton", "trust region", "exact trust region"]
BOUNDED = ["L-BFGS-B", "projected gradient", "interior point", "augmented Lagrangian"]
CONSTRAINED = ["interior point", "augmented Lagrangian"]


class Minimisation:
    """A problem with its solution, or its solutions, and a method."""

    def __init__(self, seed, only=None):
        d = Draw(f"solver {seed}")
        self.rng = d.numpy
        self.tolerance = 1e-8
        # How far from the solution the point may be.
        self.near = 1e-5
        kind = d.choice(["quadratic", "rosenbrock", "log_sum_exp", "least_squares", "bounded", "linear_constraints", "ball"])
        self.kind = kind
        self.fields, self.solutions, self.start, methods = getattr(self, kind)(d)
        self.method = d.choice(methods)
        self.name = f"{kind} by {self.method}"

    def convex(self, d, n, condition):
        """A matrix with eigenvalues from 1 to the condition."""
        q, _ = numpy.linalg.qr(self.rng.normal(size=(n, n)))
        values = condition ** self.rng.uniform(0, 1, size=n)
        return (q * values) @ q.T

    def quadratic(self, d):
        n, slow = d.int(1, 12), d.chance(0.5)
        a = self.convex(d, n, 50 if slow else 1e4)
        a, b = (a + a.T) / 2, self.rng.normal(size=n)
        return ({"problem": "quadratic", "a": wire.tensor(a), "b": wire.tensor(b)}, [numpy.linalg.solve(a, b)],
                self.rng.normal(size=n) * d.choice([1, 100]), (FIRST_ORDER if slow else FIRST_ORDER[1:]) + SECOND_ORDER)

    def rosenbrock(self, d):
        n, steep = d.int(2, 6), d.choice([1.0, 10.0, 100.0])
        scale, shift = self.rng.uniform(0.5, 2, size=n), self.rng.normal(size=n)
        start = shift + self.rng.uniform(-2, 2, size=n) / scale
        # From four variables on there is a second minimum near −1: the gradient is looked at instead.
        self.gradient = lambda x: self.valley((x - shift) * scale, steep) * scale
        methods = FIRST_ORDER[1:] + SECOND_ORDER
        return ({"problem": "rosenbrock", "scale": wire.tensor(scale), "shift": wire.tensor(shift), "steep": steep},
                [shift + 1 / scale] if n < 4 else None, start, methods)

    @staticmethod
    def valley(y, steep):
        g = numpy.zeros_like(y)
        off = y[1:] - y[:-1] ** 2
        g[1:] += 2 * steep * off
        g[:-1] += -4 * steep * off * y[:-1] - 2 * (1 - y[:-1])
        return g

    def log_sum_exp(self, d):
        m, n = d.int(2, 8), d.int(1, 6)
        a, b, ridge = self.rng.normal(size=(m, n)), self.rng.normal(size=m), d.choice([1.0, 0.01])

        def gradient(x):
            z = a @ x + b
            p = numpy.exp(z - z.max())
            return a.T @ (p / p.sum()) + 2 * ridge * x

        def hessian(x):
            z = a @ x + b
            p = numpy.exp(z - z.max())
            p /= p.sum()
            return a.T @ (numpy.diag(p) - numpy.outer(p, p)) @ a + 2 * ridge * numpy.eye(n)

        found = scipy.optimize.root(gradient, numpy.zeros(n), jac=hessian, tol=1e-13)
        return ({"problem": "log_sum_exp", "a": wire.tensor(a), "b": wire.tensor(b), "ridge": ridge}, [found.x],
                self.rng.normal(size=n) * 3, FIRST_ORDER + SECOND_ORDER)

    def least_squares(self, d):
        model = d.choice(["linear", "decay", "logistic", "wave"])
        m = d.int(6, 20)
        noise = self.rng.normal(size=m) * d.choice([0.0, 0.05])
        methods = ["Gauss-Newton", "Levenberg-Marquardt", "BFGS", "L-BFGS"]
        if model == "linear":
            n = d.int(1, 5)
            t = self.rng.normal(size=(m, n))
            y = t @ self.rng.normal(size=n) + noise
            return ({"model": model, "t": wire.tensor(t), "y": wire.tensor(y)}, [numpy.linalg.lstsq(t, y)[0]],
                    self.rng.normal(size=n), methods)
        t = numpy.linspace(0, 4, m)
        function, truth = {
            "decay": (lambda p: p[0] * numpy.exp(-t * p[1]) + p[2], numpy.array([2.0, 1.0, 0.5])),
            "logistic": (lambda p: p[0] / (1 + numpy.exp(-p[1] * (t - p[2]))), numpy.array([3.0, 2.0, 2.0])),
            "wave": (lambda p: p[0] * numpy.sin(p[1] * t + p[2]), numpy.array([1.5, 1.2, 0.3])),
        }[model]
        truth = truth * self.rng.uniform(0.8, 1.2, size=3)
        y = function(truth) + noise
        start = truth * self.rng.uniform(0.85, 1.15, size=3)
        found = scipy.optimize.least_squares(lambda p: function(p) - y, truth, xtol=1e-15, ftol=1e-15, gtol=1e-15)
        # Near zero residuals of a valley the point is told to the root of what the gradient is told to.
        self.near = 1e-4
        return ({"model": model, "t": wire.tensor(t), "y": wire.tensor(y)}, [found.x], start, methods)

    def bounded(self, d):
        """The solution and the multipliers first, then the problem that has them."""
        n = d.int(1, 10)
        a = self.convex(d, n, 50)
        a = (a + a.T) / 2
        x = self.rng.uniform(-1, 1, size=n)
        side = self.rng.integers(-1, 2, size=n)
        low = numpy.where(side < 0, x, x - self.rng.uniform(0.1, 2, size=n))
        high = numpy.where(side > 0, x, x + self.rng.uniform(0.1, 2, size=n))
        b = a @ x + side * self.rng.uniform(0.1, 1, size=n)
        low, high = low, high
        open_ = (side == 0) & (self.rng.random(size=n) < 0.3)
        low, high = numpy.where(open_, -numpy.inf, low), numpy.where(open_, numpy.inf, high)
        start = numpy.clip(self.rng.normal(size=n), low, high)
        return ({"problem": "quadratic", "a": wire.tensor(a), "b": wire.tensor(b), "low": wire.text(low),
                 "high": wire.text(high)}, [x], start, BOUNDED)

    def linear_constraints(self, d):
        n = d.int(2, 8)
        a = self.convex(d, n, 50)
        a = (a + a.T) / 2
        x = self.rng.normal(size=n)
        equal, above = self.rng.normal(size=(d.int(0, n // 2), n)), self.rng.normal(size=(d.int(1, 2), n))
        active = self.rng.random(size=len(above)) < 0.5
        if len(equal) + active.sum() > n:
            active[:] = False
        gap = numpy.where(active, 0.0, self.rng.uniform(0.2, 1, size=len(above)))
        multipliers = numpy.where(active, self.rng.uniform(0.2, 2, size=len(above)), 0.0)
        # ∇f = Eᵀμ + Cᵀλ
        b = a @ x - equal.T @ self.rng.normal(size=len(equal)) - above.T @ multipliers
        fields = {"problem": "quadratic", "a": wire.tensor(a), "b": wire.tensor(b),
                  "inequalities": [wire.tensor(above), wire.tensor(above @ x - gap)]}
        if len(equal):
            fields["equalities"] = [wire.tensor(equal), wire.tensor(equal @ x)]
        return fields, [x], self.rng.normal(size=n), CONSTRAINED

    def ball(self, d):
        n, square = d.int(2, 6), d.number(0.5, 4)
        c = self.rng.normal(size=n)
        x = -c / numpy.linalg.norm(c) * square**0.5
        kind = d.choice(["sphere", "ball"])
        start = self.rng.normal(size=n)
        if kind == "sphere":
            # c itself is a maximum on the sphere, from beside which there is no telling.
            start = start - c
        return {"problem": "linear", "c": wire.tensor(c), kind: square}, [x], start, CONSTRAINED

    def case(self):
        return {"kind": "solver", "start": wire.tensor(self.start)[1], "method": self.method,
                "tolerance": self.tolerance} | self.fields

    def differences(self, answer):
        return [Said(text) for text in self.judge(answer)]

    def judge(self, answer):
        """What is wrong with an answer, as texts."""
        if "panic" in answer:
            return ["panic: " + answer["panic"]]
        point = wire.numbers(answer["point"])
        wrong = [] if answer["converged"] else ["not converged: " + answer["reason"]]
        if self.solutions is None:
            norm = abs(self.gradient(point)).max()
            return wrong + ([f"the gradient is {norm}"] if norm > 1e-6 else [])
        off = min(abs(point - s).max() / max(1, abs(s).max()) for s in self.solutions)
        return wrong + ([f"off by {off}"] if not off <= self.near else [])

    def __str__(self):
        return f"{self.kind} by {self.method}, {len(self.start)} variables"
