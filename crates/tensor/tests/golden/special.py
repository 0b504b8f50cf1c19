#!/usr/bin/env python3
"""Writes special.txt, in the format of transcendental.txt: functions that came after it, and those with an order.

Run: python3 special.py > special.txt
"""

import math

import mpmath as mp

from transcendental import Numbers, line, real

mp.mp.dps = 60
mp.mp.prec = 700
numbers = Numbers(11)


def erfcx(x):
    return mp.exp(x * x) * mp.erfc(x)


def log_ndtr(x):
    return mp.log(mp.erfc(-x / mp.sqrt(2)) / 2) if x < 0 else mp.log1p(-mp.erfc(x / mp.sqrt(2)) / 2)


def bessel(n, scaled, x):
    value = mp.besseli(n, x)
    return value * mp.exp(-abs(x)) if scaled else value


def erfcx_derivative(n, x):
    """By the recurrence, in many digits."""
    before, here = 2 / mp.sqrt(mp.pi), erfcx(x)
    for k in range(1, n + 1):
        before, here = here, (before / 2 - x * here) / k
    return here * mp.factorial(n) * (-2) ** n


def log_gamma_sample(n, a, w):
    """ln z with P(a, z) = Phi(w), or a derivative with respect to a."""
    with mp.workdps(40):
        lower = w < 0
        u = mp.erfc(abs(w) / mp.sqrt(2)) / 2

        def tail(a, z):
            return mp.gammainc(a, 0, z, regularized=True) if lower else mp.gammainc(a, z, mp.inf, regularized=True)

        def f(a):
            # A concave function: Newton's method from outside.
            y = (mp.log(u if lower else mp.mpf(1) / 2) + mp.loggamma(a + 1)) / a
            root = 1 - 1 / (9 * a) + w / (3 * mp.sqrt(a))
            if root > 0.1:
                y = max(y, mp.log(a * root**3))
            for _ in range(200):
                z = mp.exp(y)
                t = tail(a, z)
                slope = mp.exp(a * y - z - mp.loggamma(a)) / t * (1 if lower else -1)
                step = (mp.log(t) - mp.log(u)) / slope
                step = max(min(step, 3), -3)
                y -= step
                if abs(step) < mp.mpf(10) ** -32 * max(abs(y), 1):
                    return y
            raise AssertionError((a, w))

        return f(a) if n == 0 else mp.diff(f, a, n, h=a * mp.mpf(10) ** -7)


def main():
    print("# erfcx")
    for x in (numbers.uniform(100, -26, 30) + numbers.uniform(60, -3, 3) + numbers.magnitudes(30, -60, 1)
              + numbers.magnitudes(30, 5, 1000, False)
              + numbers.magnitudes(30, 4, 20, False)):
        print(line([x], erfcx(real(x)) if x < 1e4 else mp.erfc(real(x)) * mp.exp(real(x) ** 2) if x < 1e8
                   else 1 / (real(x) * mp.sqrt(mp.pi)) * (1 - 1 / (2 * real(x) ** 2))))
    print("# log_ndtr")
    for x in (numbers.uniform(100, -40, 8) + numbers.uniform(60, -3, 3) + numbers.magnitudes(30, -60, 1)
              + [-x for x in numbers.magnitudes(20, 5, 13, False)]):
        print(line([x], log_ndtr(real(x))))
    print("# bessel_i")
    for n in range(6):
        for scaled in (0, 1):
            for x in numbers.uniform(20, -12, 12) + numbers.uniform(12, 8, 700) + numbers.magnitudes(8, -60, 1):
                print(line([float(n), float(scaled), x], bessel(n, scaled, real(x))))
    print("# erfcx_derivative")
    for n in range(1, 6):
        for x in numbers.uniform(20, -5, 6) + numbers.uniform(10, 6, 100) + numbers.magnitudes(6, -60, 1):
            print(line([float(n), x], erfcx_derivative(n, real(x))))
    print("# log_gamma_sample")
    for n in range(3):
        for a in (0.01, 0.3, 1.0, 2.5, 30.0, 999.0, 1001.0):
            for w in (-5.0, -1.2, -0.001, 0.0, 0.6, 2.0, 5.5):
                print(line([float(n), a, w], log_gamma_sample(n, real(a), real(w))))


if __name__ == "__main__":
    main()
