#!/usr/bin/env python3
"""Writes src/math/coefficients.rs: the polynomials and constants of the transcendental functions.

Each polynomial interpolates its function at Chebyshev nodes of the interval (in 80-digit arithmetic), which is
within a small factor of the minimax polynomial; the degree is the lowest whose error, multiplied by the weight that
the polynomial has in the result, is below 2^-28 (f32) or 2^-57 (f64). Method: J. C. Mason and
D. C. Handscomb, "Chebyshev Polynomials", 2003, chapters 3 and 6.

Needs mpmath. Run: python3 scripts/coefficients.py > src/math/coefficients.rs && rustfmt src/math/coefficients.rs
"""

import operator
import struct

import mpmath as mp

mp.mp.dps = 80


def rounded(x, kind):
    """x to the nearest number of the type (f64 by Python's float, f32 through struct)."""
    x = float(mp.mpf(x))
    return x if kind == "f64" else struct.unpack("f", struct.pack("f", x))[0]


def interpolate(g, a, b, count):
    """Monomial coefficients of the polynomial that equals g at the Chebyshev nodes of [a, b]."""
    nodes = [(a + b) / 2 + (b - a) / 2 * mp.cos(mp.pi * (2 * k + 1) / (2 * count)) for k in range(count)]
    divided = [g(x) for x in nodes]
    for level in range(1, count):
        for i in range(count - 1, level - 1, -1):
            divided[i] = (divided[i] - divided[i - 1]) / (nodes[i] - nodes[i - level])
    poly = [mp.mpf(0)] * count
    for i in range(count - 1, -1, -1):
        shifted = [mp.mpf(0)] + poly[:-1]
        poly = [s - nodes[i] * p for s, p in zip(shifted, poly)]
        poly[0] += divided[i]
    return poly


def fit(g, a, b, weight, kind, bits=None):
    """Coefficients, lowest first, rounded to the type; with an error below 2^-bits, if given."""
    a, b = mp.mpf(a), mp.mpf(b)
    bound = mp.mpf(2) ** -(bits or (28 if kind == "f32" else 57))
    samples = [a + (b - a) * (mp.mpf(i) + mp.mpf("0.37")) / 150 for i in range(150)]
    exact = [g(x) for x in samples]
    for count in range(2, 40):
        poly = interpolate(g, a, b, count)
        error = max(abs(mp.polyval(poly[::-1], x) - y) * weight(x) for x, y in zip(samples, exact))
        if error < bound:
            break
    return [rounded(c, kind) for c in poly]


def series(term, count=60):
    """Σ term(k, x), for functions whose closed form cancels near 0."""
    return lambda x: mp.fsum(term(k, x) for k in range(count))


def erfcx(x):
    """exp(x²) erfc(x)."""
    return mp.exp(x * x) * mp.erfc(x)


def scaled_erfcx(u):
    """(1 + 2x) exp(x²) erfc(x) − 1 as a function of u = (x − 4)/(x + 4)."""
    x = 4 * (1 + u) / (1 - u)
    return (1 + 2 * x) * erfcx(x) - 1


half_ln2 = mp.log(2) / 2 * mp.mpf("1.001")
quarter_pi2 = (mp.pi / 4) ** 2 * mp.mpf("1.0001")
s_max = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)
tan_pi_8 = mp.tan(mp.pi / 8)
F = mp.factorial

FITS = [
    ("EXP", "(eʳ − 1 − r)/r² for |r| ≤ ln 2 / 2.",
     series(lambda k, r: r**k / F(k + 2)), -half_ln2, half_ln2, lambda r: r * r),
    ("LN", "(ln((1 + s)/(1 − s)) − 2s)/s³ in z = s², for s ≤ (√2 − 1)/(√2 + 1).",
     series(lambda k, z: 2 * z**k / (2 * k + 3)), 0, s_max**2 * mp.mpf("1.001"), lambda z: z),
    ("LN_FROM_FIFTH", "The same without its first term, divided by z.",
     series(lambda k, z: 2 * z**k / (2 * k + 5)), 0, s_max**2 * mp.mpf("1.001"), lambda z: z * z),
    ("SIN", "(sin x − x)/x³ in z = x², for |x| ≤ π/4.",
     series(lambda k, z: (-1) ** (k + 1) * z**k / F(2 * k + 3)), 0, quarter_pi2, lambda z: z),
    ("COS", "(cos x − 1 + x²/2)/x⁴ in z = x², for |x| ≤ π/4.",
     series(lambda k, z: (-1) ** k * z**k / F(2 * k + 4)), 0, quarter_pi2, lambda z: z * z * mp.sqrt(2)),
    ("ATAN", "(arctan t − t)/t³ in z = t², for |t| ≤ tan(π/8).",
     series(lambda k, z: (-1) ** (k + 1) * z**k / (2 * k + 3), 120), 0, tan_pi_8**2 * mp.mpf("1.0001"), lambda z: z),
    ("ASIN", "(arcsin x − x)/x³ in z = x², for |x| ≤ 1/2.",
     series(lambda k, z: mp.binomial(2 * k + 2, k + 1) / mp.mpf(4) ** (k + 1) * z**k / (2 * k + 3), 150),
     0, mp.mpf("0.25"), lambda z: z),
    ("SINH", "(sinh x − x)/x³ in z = x², for |x| ≤ 1.",
     series(lambda k, z: z**k / F(2 * k + 3)), 0, 1, lambda z: z),
    ("ERF", "erf(x)/x − 1 in z = x², for |x| ≤ 1.",
     series(lambda k, z: 2 / mp.sqrt(mp.pi) * (-1) ** k * z**k / (F(k) * (2 * k + 1)) - (1 if k == 0 else 0)),
     0, 1, lambda z: 1),
]


def literal(x, kind):
    return repr(x) if kind == "f64" else mp.nstr(mp.mpf(x), 9, strip_zeros=False)


def array(kind, values):
    return "&[" + ", ".join(f"{literal(v, kind)}" for v in values) + "]"


def head_and_tail(x, kind, bits):
    """x as a number of `bits` significant bits and the rest."""
    exponent = mp.floor(mp.log(abs(x), 2)) + 1
    unit = mp.mpf(2) ** (exponent - bits)
    head = mp.nint(x / unit) * unit
    return float(head), rounded(x - head, kind)


def constants(kind):
    digits = 24 if kind == "f32" else 53
    ln2 = head_and_tail(mp.log(2), kind, digits - (9 if kind == "f32" else 12))
    pair = {name: head_and_tail(value, kind, digits) for name, value in [
        ("FRAC_PI_2", mp.pi / 2), ("FRAC_PI_4", mp.pi / 4), ("PI", mp.pi), ("FRAC_1_SQRT_2", 1 / mp.sqrt(2)),
        ("TWO_THIRDS", mp.mpf(2) / 3)]}
    lines = [
        f"const LOG2_E: Self = {literal(rounded(1 / mp.log(2), kind), kind)};",
        f"const LN_2: (Self, Self) = ({literal(ln2[0], kind)}, {literal(ln2[1], kind)});",
    ]
    for name, (head, tail) in pair.items():
        lines.append(f"const {name}: (Self, Self) = ({literal(head, kind)}, {literal(tail, kind)});")
    lines.append(f"const TWO_OVER_PI: Self = {literal(rounded(2 / mp.pi, kind), kind)};")
    lines.append(f"const QUADRANT: [Self; 4] = [{', '.join(literal(v, kind) for v in quadrant(kind))}];")
    return lines


def quadrant(kind):
    """π/2 as four numbers: the first two short, the second a multiple of the units of numbers from 1/2 up; both positive, as what is left is."""
    rest, summands = mp.pi / 2, []
    for bits in (12, 24) if kind == "f32" else (32, 53):
        summands.append(mp.floor(rest * mp.mpf(2) ** bits) / mp.mpf(2) ** bits)
        rest -= summands[-1]
    for _ in range(2):
        summands.append(mp.mpf(rounded(rest, kind)))
        rest -= summands[-1]
    return [float(v) for v in summands]


def two_over_pi():
    """Row s: (2/π · 2^(16 s)) mod 4, in [−2, 2), as a sum of four f64; row 0 is 2/π itself."""
    mp.mp.dps = 420
    rows = []
    for s in range(61):
        rest = 2 / mp.pi * mp.mpf(2) ** (16 * s)
        rest -= 4 * mp.nint(rest / 4)
        row = []
        for _ in range(4):
            row.append(float(rest))
            rest -= mp.mpf(row[-1])
        rows.append(row)
    mp.mp.dps = 80
    rows += [rows[-1]] * 3
    return rows


def digamma_root():
    return mp.findroot(mp.digamma, mp.mpf("1.4616"))


def quantile_over(w):
    """(y, a) with erf y = a and w = -ln(1 - a^2)."""
    if w == 0:
        return mp.sqrt(mp.pi) / 2, mp.mpf(1)
    a = mp.sqrt(-mp.expm1(-w))
    if w < 1:
        return mp.erfinv(a), a
    target = -w - mp.log(1 + a)  # ln(1 - a)
    y = mp.sqrt(w)
    for _ in range(12):  # Newton's method on ln erfc, which is nearly a parabola
        tail = mp.erfc(y)
        y += (mp.log(tail) - target) * tail * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
    return y, a


def main():
    print("//! Polynomials and constants. Written by `scripts/coefficients.py`; do not edit.")
    print("#![allow(clippy::excessive_precision, clippy::approx_constant, clippy::unreadable_literal)]\n")
    print("/// The numbers that the functions need, for one type.")
    print("pub(super) trait Coefficients: Sized + 'static {")
    docs = ["1/ln 2.", "ln 2 as a short head, whose product with an exponent is exact, and the rest.",
            "π/2 and what rounding loses.", "π/4 and what rounding loses.", "π and what rounding loses.",
            "1/√2 and what rounding loses.", "2/3 and what rounding loses.", "2/π.",
            "π/2 as four summands: the products of the first two with an integer below `NEAR`'s are exact, and so are their differences from numbers above π/4; the first three are positive."]
    for line, doc in zip(constants("f64"), docs):
        print(f"    /// {doc}\n    {line.split(' =')[0]};")
    for name, doc, *_ in FITS:
        print(f"    /// {doc}\n    const {name}: &'static [Self];")
    print("    /// (1 + 2x) exp(x²) erfc(x) − 1 in u = (x − 4)/(x + 4), for x from 0 to where erfc underflows.")
    print("    const ERFCX: &'static [Self];")
    print("}\n")
    for kind in ["f32", "f64"]:
        print(f"impl Coefficients for {kind} {{")
        for line in constants(kind):
            print("    " + line)
        for name, _, g, a, b, weight in FITS:
            print(f"    const {name}: &'static [Self] = {array(kind, fit(g, a, b, weight, kind))};")
        limit = mp.mpf(11 if kind == "f32" else 28)
        erfcx_fit = fit(scaled_erfcx, -1, (limit - 4) / (limit + 4), lambda u: 1, kind)
        print(f"    const ERFCX: &'static [Self] = {array(kind, erfcx_fit)};")
        print("}\n")
    print("/// As `ATAN`, to 36 bits.")
    name, _, g, a, b, weight = next(row for row in FITS if row[0] == "ATAN")
    print(f"pub(super) const ATAN_SHORT: &[f64] = {array('f64', fit(g, a, b, weight, 'f64', 36))};")
    root = digamma_root()
    print("/// ln Γ(2 + z)/z for z from −3/4 to 1/2.")
    log_gamma = fit(lambda z: mp.loggamma(2 + z) / z, -0.75, 0.5, abs, "f64")
    print(f"pub(super) const LOG_GAMMA: &[f64] = {array('f64', log_gamma)};")
    print("/// The same to 40 bits, for |z| ≤ 1/2.")
    short = fit(lambda z: mp.loggamma(2 + z) / z if z else 1 - mp.euler, -0.5, 0.5, lambda z: 1, "f64", 40)
    print(f"pub(super) const LOG_GAMMA_SHORT: &[f64] = {array('f64', short)};")
    print("/// Of ln Γ(x) − (x − 1/2) ln x + x − ln(2π)/2 in 1/x², times x: B₂ₖ/(2k (2k − 1)) (J. Stirling).")
    stirling = [float(mp.bernoulli(2 * k) / (2 * k * (2 * k - 1))) for k in range(1, 11)]
    print(f"pub(super) const STIRLING: &[f64] = {array('f64', stirling)};")
    print("/// The zero of the digamma function and what rounding loses.")
    print(f"pub(super) const DIGAMMA_ROOT: (f64, f64) = ({float(root)!r}, {float(root - mp.mpf(float(root)))!r});")
    print("/// ψ(x)/(x − zero) in x − 3/2, for x from 1 to 2.")
    digamma = fit(lambda u: mp.digamma(u + 1.5) / (u + 1.5 - root), -0.5, 0.5, lambda u: 1, "f64")
    print(f"pub(super) const DIGAMMA: &[f64] = {array('f64', digamma)};")
    print("/// ψ(x)/(x − zero) in x − zero, to 40 bits, up to 1/64 from the zero.")
    near = fit(lambda d: mp.digamma(root + d) / d if d else mp.polygamma(1, root), -1 / 64, 1 / 64, lambda d: 1, "f64", 40)
    print(f"pub(super) const DIGAMMA_NEAR_ROOT: &[f64] = {array('f64', near)};")
    print("/// Of ln x − 1/(2x) − ψ(x) in 1/x², times x²: B₂ₖ/(2k).")
    far = [float(mp.bernoulli(2 * k) / (2 * k)) for k in range(1, 7)]
    print(f"pub(super) const DIGAMMA_FAR: &[f64] = {array('f64', far)};")
    print("/// y/a in w − 5/2, with erf y = a and w = −ln(1 − a²), for w from 0 to 5, to 27 bits.")
    near = fit(lambda u: operator.truediv(*quantile_over(u + 2.5)), -2.5, 2.5, lambda u: 1, "f64", 27)
    print(f"pub(super) const QUANTILE_NEAR: &[f64] = {array('f64', near)};")
    print("/// y/√w in 1/√w − 1/4, likewise, for w from 5 to 750.")
    low, high = 1 / mp.sqrt(750) - 0.25, 1 / mp.sqrt(5) - 0.25
    far = fit(lambda u: quantile_over(1 / (u + 0.25) ** 2)[0] * (u + 0.25), low, high, lambda u: 1, "f64", 25)
    print(f"pub(super) const QUANTILE_FAR: &[f64] = {array('f64', far)};")
    print("/// The Bernoulli numbers B₂, B₄, ….")
    print(f"pub(super) const BERNOULLI: &[f64] = {array('f64', [float(mp.bernoulli(2 * k)) for k in range(1, 13)])};")
    rows = two_over_pi()
    print("/// `[j][s]`: the j-th of four summands of (2/π · 2^(16 s)) mod 4.")
    print("pub(super) const TWO_OVER_PI: [[f64; 64]; 4] = [")
    for j in range(4):
        print("    [" + ", ".join(repr(row[j]) for row in rows) + "],")
    print("];")


if __name__ == "__main__":
    main()
