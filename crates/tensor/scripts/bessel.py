#!/usr/bin/env python3
"""Writes ../src/math/bessel_coefficients.rs: Chebyshev coefficients of the modified Bessel functions of order 0 and 1.

exp(-x) sqrt(x) I(x) for x = 16/(y + 1) from 8 on, with y in [-1, 1], as c0/2 + c1 T1(y) + ....

For single precision polynomials to 32 bits: exp(-x) I(x), divided by x for order 1, in x/4 - 1 up to 8, and the above in y.

Run: python3 bessel.py > ../src/math/bessel_coefficients.rs
"""

import mpmath as mp

from coefficients import fit

mp.mp.dps = 60


def chebyshev(f, count):
    n = 80
    nodes = [mp.cos(mp.pi * (k + mp.mpf(1) / 2) / n) for k in range(n)]
    values = [f(y) for y in nodes]
    return [2 * sum(v * mp.cos(j * mp.acos(y)) for v, y in zip(values, nodes)) / n for j in range(count)]


def far(order):
    def f(y):
        x = 16 / (y + 1)
        return mp.exp(-x) * mp.sqrt(x) * mp.besseli(order, x)
    return f


print("//! Chebyshev coefficients of the modified Bessel functions. Written by `scripts/bessel.py`; do not edit.")
print("#![allow(clippy::excessive_precision, clippy::unreadable_literal)]")
for order in (0, 1):
    coefficients = chebyshev(far(order), 60)
    while abs(coefficients[-1]) < mp.mpf(2) ** -58 * max(map(abs, coefficients)):
        coefficients.pop()
    print(f"\n#[rustfmt::skip]\npub(super) const FAR_{order}: &[f64] = &[")
    for c in coefficients:
        print(f"    {mp.nstr(c, 17, min_fixed=0, max_fixed=0)},")
    print("];")

for order in (0, 1):
    near = fit(lambda u: mp.exp(-4 * (u + 1)) * mp.besseli(order, 4 * (u + 1)) / (4 * (u + 1)) ** order if u > -1 else 0.5**order,
               -1, 1, lambda u: 8, "f64", 32)
    for name, poly in (("NEAR", near), ("FAR", fit(far(order), -1, 1, lambda y: 1, "f64", 32))):
        print(f"\n#[rustfmt::skip]\npub(super) const {name}_{order}_SHORT: &[f64] = &[")
        for c in poly:
            print(f"    {c!r},")
        print("];")
