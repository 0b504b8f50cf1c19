"""Linear algebra of matrices R M C whose rows and columns differ by many orders of magnitude, as mpmath computes it with so many
digits that none is missing: values, gradients, and Hessian products along R H C.

R and C are given by the exponents of powers of two (`rows`, `columns`), and results are in their units: M's, so to say. The
elements of M are random numbers; of what is singular they are whole, so that nothing is rounded.

Run in this folder: python graded.py > graded.json
"""

import json
import random
import struct

from mpmath import ldexp, log, matrix, mp, mpf

mp.dps = 2500
STEP = mpf(10) ** -600
random.seed(5)


def single(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def inverse(a):
    return mp.inverse(a)


def minor(a, i, j):
    n = a.rows
    return matrix([[a[k, l] for l in range(n) if l != j] for k in range(n) if k != i])


def determinant(a):
    """By expansion, which singular matrices do not hinder."""
    if a.rows == 1:
        return a[0, 0]
    return sum((-1) ** j * a[0, j] * determinant(minor(a, 0, j)) for j in range(a.rows) if a[0, j])


def cofactors(a):
    n = a.rows
    return matrix([[(-1) ** (i + j) * determinant(minor(a, i, j)) for j in range(n)] for i in range(n)])


def scaled(a, rows, columns, sign=1):
    return matrix(
        [[ldexp(a[i, j], sign * (rows[i] + columns[j])) for j in range(a.cols)] for i in range(a.rows)]
    )


def numbers(a):
    return [float(mp.nstr(x, 20)) for x in a]


def singular(a):
    """The singular values and vectors, as columns, of a matrix with no more columns than rows."""
    squares, v = mp.eigsy(a.T * a)
    order = sorted(range(a.cols), key=lambda k: -squares[k])
    values = [mp.sqrt(squares[k]) for k in order]
    v = matrix([[v[i, k] for k in order] for i in range(a.cols)])
    u = a * v
    u = matrix([[u[i, k] / values[k] for k in range(a.cols)] for i in range(a.rows)])
    return values, u, v


def along(slope, a, h):
    """The derivative of the gradient."""
    return (slope(a + h * STEP) - slope(a - h * STEP)) / (2 * STEP)


def results(a, h, rows, columns, b, regular):
    n = a.rows
    total = sum(rows) + sum(columns)
    bottom, side = [-r for r in rows], [-c for c in columns]
    weights = matrix([[mpf(1) / (1 + i + 2 * j) for j in range(n)] for i in range(n)])
    # Of the inverse: C⁻¹ M⁻¹ R⁻¹.
    w = scaled(weights, columns, rows)
    zero = [0] * max(n, b.cols)

    def result(value, slope, unit):
        g, s = slope(a), along(slope, a, h)
        back = lambda x: numbers(scaled(x, [r - unit for r in rows], columns))
        return {"value": value, "slope": back(g), "second": back(s)}

    found = {"det": result([float(ldexp(determinant(a), -total))], cofactors, total)}
    if not regular:
        return found
    x = inverse(a)
    found["slogdet"] = result([float(log(abs(determinant(a))))], lambda a: inverse(a).T, 0)
    found["inv"] = result(
        numbers(scaled(x, columns, rows)), lambda a: -inverse(a).T * w * inverse(a).T, 0
    )
    wb = scaled(weights[:, : b.cols], columns, zero)
    found["solve"] = result(
        numbers(scaled(x * b, columns, zero)), lambda a: -inverse(a).T * wb * (inverse(a) * b).T, 0
    )
    # The gradient of the sum of the singular values is U Vᵀ, of elements to 1.
    values, u, v = singular(a)
    polar = lambda a: (lambda _, u, v: u * v.T)(*singular(a))
    found["nuclear"] = {
        "value": [float(sum(values))],
        "slope": numbers(u * v.T),
        "second": numbers(along(polar, a, h)),
    }
    return found


def case(n, rows, columns, type, regular=True):
    rows, columns = (list(rows) * n)[:n], (list(columns) * n)[:n]
    if regular:
        m = [[random.gauss(0, 1) for _ in range(n)] for _ in range(n)]
    else:
        m = [[random.randint(-4, 4) for _ in range(n)] for _ in range(n)]
        m[n - 1] = [sum(m[i][j] for i in range(n - 1)) for j in range(n)]
    h = [[round(random.gauss(0, 1), 2) for _ in range(n)] for _ in range(n)]
    b = [[round(random.gauss(0, 1), 2) for _ in range(2)] for _ in range(n)]
    if type == "f32":
        m, h, b = ([[single(x) for x in row] for row in x] for x in (m, h, b))
    a, along = (scaled(matrix(x), rows, columns) for x in (m, h))
    right = scaled(matrix(b), rows, [0, 0])
    out = {"type": type, "regular": regular, "rows": rows, "columns": columns}
    out |= {"m": sum(m, []), "h": sum(h, []), "b": sum(b, [])}
    if regular:
        values, _, _ = singular(a)
        # Mantissas and exponents.
        exponents = [int(mp.floor(log(x, 2))) for x in values]
        out["singular"] = [[float(ldexp(x, -e)), e] for x, e in zip(values, exponents)]
    out["results"] = results(a, along, rows, columns, right, regular)
    return out


def cases():
    for type, near, far in [("f64", 199, 498), ("f32", 23, 48)]:
        for size in [near, far]:
            for n in [2, 3, 4, 6] if type == "f64" else [3, 5]:
                graded, other = [0, size, -size, 3, -size, size], [-size, 5, size, 0, size, -size]
                yield case(n, graded, [0], type)
                yield case(n, [0], other, type)
                yield case(n, graded, other, type)
                yield case(n, [0, 0, size], [0], type, n < 4)
                if n > 2:
                    yield case(n, [0, size, 0], [0, -size, 0, size], type, False)


print(json.dumps(list(cases())))
