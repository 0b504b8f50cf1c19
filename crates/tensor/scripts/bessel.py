#!/usr/bin/env python3
"""Writes ../src/math/bessel_coefficients.rs: Chebyshev coefficients of the modified Bessel functions of order 0 and 1.

exp(-x) sqrt(x) I(x) for x = 16/(y + 1) from 8 on, with y in [-1, 1], as c0/2 + c1 T1(y) + ....

Run: python3 bessel.py > ../src/math/bessel_coefficients.rs
"""

import mpmath as mp

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
