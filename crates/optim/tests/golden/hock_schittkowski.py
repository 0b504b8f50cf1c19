"""SciPy's solvers on the problems of hock_schittkowski.txt, written to hock_schittkowski.json.

Run with SciPy 1.17 and JAX (for derivatives) installed:  python hock_schittkowski.py
Each entry is, for SLSQP and for trust-constr, [value, violation, evaluations of f]. The script stops where no solver comes to
the best value or to that of another minimum that the file gives.
"""

import json
import math
import pathlib
import re
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize

jax.config.update("jax_enable_x64", True)
warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
NAMES = {"ln": jnp.log, "exp": jnp.exp, "sin": jnp.sin, "cos": jnp.cos, "sqrt": jnp.sqrt, "pi": math.pi}


def read():
    problems = {}
    for line in (HERE / "hock_schittkowski.txt").read_text().splitlines():
        word, _, rest = line.partition(" ")
        if word == "problem":
            problem = problems[int(rest)] = {"eq": [], "ge": []}
        elif word in ("start", "lower", "upper", "best", "also"):
            problem[word] = [float(number) for number in rest.split()]
        elif word in ("eq", "ge"):
            problem[word].append(rest)
        elif word == "min":
            problem[word] = rest
    return problems


def function(texts):
    code = compile("[" + ",".join(texts).replace("^", "**") + "]", "formula", "eval")

    def evaluate(x):
        names = {f"x{i + 1}": x[i] for i in range(len(x))}
        return jnp.array([1.0 * value for value in eval(code, dict(NAMES), names)])

    return jax.jit(evaluate)


def numbers(given, n, default):
    given = given or [default]
    return np.array(given * n if len(given) == 1 else given)


def solve(problem, method):
    n = len(problem["start"])
    f = function([problem["min"]])
    count = [0]

    def value(x):
        count[0] += 1
        return float(f(x)[0])

    gradient = jax.jit(jax.grad(lambda x: f(x)[0]))
    constraints = []
    for kind, word in (("eq", "eq"), ("ineq", "ge")):
        if not problem[word]:
            continue
        c = function(problem[word])
        jacobian = jax.jit(jax.jacobian(c))
        as_numpy = (lambda c: lambda x: np.asarray(c(x)))
        if method == "SLSQP":
            constraints.append({"type": kind, "fun": as_numpy(c), "jac": as_numpy(jacobian)})
        else:
            top = 0.0 if kind == "eq" else np.inf
            constraints.append(scipy.optimize.NonlinearConstraint(as_numpy(c), 0.0, top, jac=as_numpy(jacobian)))
    low, high = numbers(problem.get("lower"), n, -np.inf), numbers(problem.get("upper"), n, np.inf)
    options = {"maxiter": 500, "ftol": 1e-12} if method == "SLSQP" else {"maxiter": 3000, "gtol": 1e-9, "xtol": 1e-12}
    found = scipy.optimize.minimize(value, np.clip(problem["start"], low, high), jac=lambda x: np.asarray(gradient(x)),
                                    method=method, bounds=scipy.optimize.Bounds(low, high), constraints=constraints,
                                    options=options)
    x = jnp.array(found.x)
    violation = max([0.0, *np.maximum(low - found.x, 0), *np.maximum(found.x - high, 0)])
    for word, worst in (("eq", jnp.abs), ("ge", lambda c: jnp.maximum(-c, 0))):
        if problem[word]:
            violation = max(violation, float(worst(function(problem[word])(x)).max()))
    return [float(found.fun), float(violation), count[0]]


def main():
    entries = {}
    for number, problem in read().items():
        known = problem["best"] + problem.get("also", [])
        entry = {method: solve(problem, method) for method in ("SLSQP", "trust-constr")}
        near = any(abs(value - k) <= 1e-4 * max(1, abs(k)) and violation < 1e-4
                   for value, violation, _ in entry.values() for k in known)
        assert near, (number, known, entry)
        entries[number] = entry
    text = json.dumps(entries, indent=1)
    text = re.sub(r"\[\s+([^\]]+?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m[1]) + "]", text)
    (HERE / "hock_schittkowski.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
