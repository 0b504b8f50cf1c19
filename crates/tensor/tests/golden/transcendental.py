#!/usr/bin/env python3
"""Writes transcendental.txt: f64 arguments and exact results of the transcendental functions, computed with mpmath.

A line `# name` opens a function. Every other line is the arguments' bits in hexadecimal, then the result as the
nearest f64 (bits) and, for finite results, the rest of it in units of 2^-8 ulp (an integer), so that an error can be
measured to a fraction of an ulp.

Run: python3 transcendental.py > transcendental.txt
"""

import math
import random
import struct

import mpmath as mp

mp.mp.dps = 60
mp.mp.prec = 1500
rng = random.Random(20240229)


def bits(x):
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def real(x):
    """mp.mpf of a double."""
    return mp.mpf(x)


def nearest(y):
    """y to the nearest double, halves to even, subnormals and overflow included."""
    if y == 0:
        return 0.0
    exponent = max(int(mp.floor(mp.log(abs(y), 2))), -1022)
    for e in (exponent, exponent + 1):
        unit = mp.mpf(2) ** (max(e, -1022) - 52)
        scaled = y / unit
        if abs(scaled) <= 2**53:
            count = int(mp.nint(scaled))
            return math.inf * (1 if y > 0 else -1) if abs(count) * unit >= mp.mpf(2) ** 1024 else float(count * unit)
    raise AssertionError


def line(args, y):
    y64 = nearest(y)
    rest = ""
    if math.isfinite(y64):
        rest = f" {int(mp.nint((y - real(y64)) / mp.mpf(math.ulp(y64)) * 256))}"
    return " ".join(f"{bits(a):x}" for a in args) + f" {bits(y64):x}{rest}"


def uniform(count, low, high):
    return [rng.uniform(low, high) for _ in range(count)]


def magnitudes(count, low, high, signed=True):
    """Log-uniform between 2^low and 2^high."""
    return [math.ldexp(rng.uniform(1, 2), rng.randint(low, high - 1)) * (rng.choice([-1, 1]) if signed else 1)
            for _ in range(count)]


class Numbers:
    """Arguments of functions that came later, so that those of the others stay."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def uniform(self, count, low, high):
        return [self.rng.uniform(low, high) for _ in range(count)]

    def magnitudes(self, count, low, high, signed=True):
        return [math.ldexp(self.rng.uniform(1, 2), self.rng.randint(low, high - 1))
                * (self.rng.choice([-1, 1]) if signed else 1) for _ in range(count)]

    def positive(self):
        return self.magnitudes(90, -1074, 1024, False) + self.uniform(90, 0.4, 2.5)


later = Numbers(7)


def inverse_erf(x):
    """The y with erf y = x, by Newton's method on ln erfc, from an asymptotic start."""
    if x < 0:
        return -inverse_erf(-x)
    with mp.workprec(2400):
        target = mp.log(1 - x)
        y = mp.mpf(mp.erfinv(float(x))) if x < 0.999 else mp.sqrt(-target)
        for _ in range(200):
            e = mp.erfc(y)
            step = (mp.log(e) - target) * e / (2 / mp.sqrt(mp.pi) * mp.exp(-y * y))
            y += step
            if abs(step) < abs(y) * mp.mpf(2) ** -200:
                return y
    raise AssertionError(x)


def erfcx_free_gelu(x):
    return x * mp.erfc(-x / mp.sqrt(2)) / 2


ANGLES = (magnitudes(70, -40, 8) + magnitudes(80, 8, 1024) + uniform(60, -10, 10)
          + [float(n * mp.pi / 2) for n in (1, 2, 3, 4, 5, 7, 11, 100, 12345, 10**9, 10**15)]
          # Doubles closest to multiples of π/2 (Muller et al., Handbook of Floating-Point Arithmetic, 11.3).
          + [math.ldexp(6381956970095103.0, 797), math.ldexp(5706674932067741.0, -38 + 0), 1e22, 1e300, 5e-324])
POSITIVE = magnitudes(90, -1074, 1024, False) + uniform(90, 0.4, 2.5) + [1.0 + k * 2.0**-40 for k in (-3, 1, 7)] + [5e-324]
UNIT = uniform(110, -1, 1) + magnitudes(40, -60, 0) + [0.5, -0.5, 1.0, -1.0, math.nextafter(1, 0), math.nextafter(-1, 0),
                                                        math.nextafter(0.5, 1)]
FUNCTIONS = {
    "exp": (mp.exp, uniform(110, -746, 710) + uniform(60, -1, 1) + magnitudes(20, -60, 0) + [709.782712893384, -745.13, -708.5]),
    "exp_m1": (mp.expm1, uniform(60, -45, 710) + uniform(100, -2, 2) + magnitudes(40, -60, 0)),
    "ln": (mp.log, POSITIVE),
    "ln_1p": (lambda x: mp.log(1 + x), [x for x in POSITIVE[:90] if x > 1e-300] + uniform(110, -0.99999, 3) + magnitudes(60, -70, -1)),
    "sin": (mp.sin, ANGLES),
    "cos": (mp.cos, ANGLES),
    "tan": (mp.tan, ANGLES),
    "asin": (mp.asin, UNIT),
    "acos": (mp.acos, UNIT),
    "atan": (mp.atan, magnitudes(80, -60, 60) + uniform(120, -5, 5)),
    "sinh": (mp.sinh, uniform(60, -710.4, 710.4) + uniform(100, -3, 3) + magnitudes(30, -60, 0)),
    "cosh": (mp.cosh, uniform(60, -710.4, 710.4) + uniform(100, -3, 3)),
    "tanh": (mp.tanh, uniform(50, -25, 25) + uniform(110, -2, 2) + magnitudes(40, -60, 0)),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), uniform(70, -745, 50) + uniform(110, -6, 6)),
    "softplus": (lambda x: mp.log(1 + mp.exp(x)), uniform(70, -745, 50) + uniform(110, -6, 6)),
    "erf": (mp.erf, uniform(140, -6.5, 6.5) + magnitudes(40, -60, 1)),
    "erfc": (mp.erfc, uniform(140, -6.5, 27.3) + uniform(80, 0, 3) + magnitudes(20, -60, 1)),
    "gelu": (erfcx_free_gelu, uniform(140, -38.6, 9) + uniform(100, -3, 3) + magnitudes(30, -60, 1)),
    "rsqrt": (lambda x: 1 / mp.sqrt(x), POSITIVE),
    "exp2": (lambda x: mp.mpf(2) ** x, later.uniform(110, -1074, 1024) + later.uniform(60, -1, 1) + later.magnitudes(20, -60, 0)),
    "log2": (lambda x: mp.log(x, 2), later.positive() + [2.0**k for k in (-1074, -1, 5, 1023)]),
    "log10": (mp.log10, later.positive() + [10.0**k for k in (1, 2, 3, 15, 22)]),
    "asinh": (mp.asinh, later.uniform(100, -5, 5) + later.magnitudes(80, -60, 1023)),
    "acosh": (mp.acosh, [1 + a for a in later.magnitudes(100, -52, 6, False)] + later.magnitudes(60, 0, 1023, False)),
    "atanh": (mp.atanh, later.uniform(110, -1, 1) + later.magnitudes(40, -60, 0)
              + [1 - a for a in later.magnitudes(30, -52, -1, False)]),
    "ndtr": (lambda x: mp.erfc(-x / mp.sqrt(2)) / 2, later.uniform(110, -37.5, 9) + later.uniform(80, -3, 3)),
    "ndtri": (lambda p: mp.sqrt(2) * inverse_erf(2 * p - 1), later.uniform(110, 0, 1) + later.magnitudes(60, -1000, -1, False)
              + [1 - a for a in later.magnitudes(30, -52, -1, False)]),
    "erfinv": (lambda x: inverse_erf(x), later.uniform(110, -1, 1) + later.magnitudes(40, -1000, 0)
               + [1 - a for a in later.magnitudes(50, -52, -1, False)]),
    "lgamma": (lambda x: mp.log(abs(mp.gamma(x))) if abs(x) < 1e4 else mp.loggamma(x).real,
               later.uniform(100, 0, 4) + later.uniform(60, 0, 40) + later.magnitudes(60, -1000, 1010, False)
               + [1 + a for a in later.magnitudes(20, -40, -3)] + [2 + a for a in later.magnitudes(20, -40, -3)]
               + [-a for a in later.magnitudes(20, -1000, -2, False)]),
    "digamma": (mp.digamma, later.uniform(100, 0, 4) + later.uniform(60, 0, 40) + later.magnitudes(60, -1000, 1010, False)
                + [1.4616321449683622 + a for a in later.magnitudes(20, -40, -3)]),
}


def polygamma(n, x):
    with mp.workprec(400):
        return mp.psi(n, x)


def powers():
    cases = []
    while len(cases) < 260:
        x = rng.choice([magnitudes(1, -1074, 1024, False)[0], rng.uniform(0.2, 5), 1 + magnitudes(1, -45, -3)[0]])
        y = rng.uniform(-1, 1) * 760 / abs(math.log(x)) if x != 1 else 3.5
        if rng.random() < 0.4:
            y = rng.choice([0.5, -0.5, 2.0, 3.0, -1.0, 1 / 3, 1.5, 10.0, 0.1])
        cases.append((x, y))
    cases += [(-x, float(rng.randint(-9, 9))) for x in uniform(30, 0.1, 9)]
    return cases


def main():
    for name, (function, arguments) in FUNCTIONS.items():
        print(f"# {name}")
        for x in arguments:
            print(line([x], function(real(x))))
    print("# polygamma")
    for n in range(1, 6):
        for x in later.uniform(30, 0, 6) + later.uniform(10, 6, 60) + later.magnitudes(10, -200 // n, 1000 // n, False):
            print(line([float(n), x], polygamma(n, real(x))))
    print("# powf")
    for x, y in powers():
        value = mp.power(real(abs(x)), real(y))
        print(line([x, y], -value if x < 0 and int(y) % 2 else value))


if __name__ == "__main__":
    main()
