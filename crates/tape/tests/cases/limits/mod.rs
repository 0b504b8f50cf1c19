//! Every elementwise function at the ends of the range: its limits, and not the NaN of a product on the way.

pub(crate) mod check;

use std::f64::consts::{FRAC_2_SQRT_PI, FRAC_PI_2, LN_2, LN_10, LOG2_E, LOG10_E};

use check::{Limits, check_limits, limits};

const INF: f64 = f64::INFINITY;
/// What is not to be checked: there is no limit, or the function is not defined.
const NONE: f64 = f64::NAN;
const NOWHERE: check::Expected = |_| [NONE; 3];
/// 1/√(2π).
const PEAK: f64 = 0.398_942_280_401_432_7;

#[rustfmt::skip]
#[test]
fn elementwise_functions_at_the_ends_of_the_range() {
    check_limits(&[
        limits!("exp", |x| x.exp(), |_| [0.0; 3], |_| [1.0; 3], |_| [INF; 3]),
        limits!("exp_m1", |x| x.exp_m1(), |_| [-1.0, 0.0, 0.0], |x| [x, 1.0, 1.0], |_| [INF; 3]),
        limits!("exp2", |x| x.exp2(), |_| [0.0; 3], |_| [1.0, LN_2, LN_2 * LN_2], |_| [INF; 3]),
        limits!("ln", |x| x.ln(), NOWHERE, NOWHERE, |x| [x.ln(), 1.0 / x, -1.0 / x / x]),
        limits!("ln_1p", |x| x.ln_1p(), NOWHERE, |x| [x, 1.0, -1.0], |x| [x.ln_1p(), 1.0 / x, -1.0 / x / x]),
        limits!("log2", |x| x.log2(), NOWHERE, NOWHERE, |x| [x.log2(), LOG2_E / x, -LOG2_E / x / x]),
        limits!("log10", |x| x.log10(), NOWHERE, NOWHERE, |x| [x.ln() / LN_10, LOG10_E / x, -LOG10_E / x / x]),
        limits!("sqrt", |x| x.sqrt(), NOWHERE, NOWHERE, |x| [x.sqrt(), 0.5 / x.sqrt(), -0.25 / x.sqrt() / x]),
        limits!("rsqrt", |x| x.rsqrt(), NOWHERE, NOWHERE, |x| [1.0 / x.sqrt(), -0.5 / x.sqrt() / x, 0.75 / x.sqrt() / x / x]),
        limits!("recip", |x| x.recip(), |x| [1.0 / x, -1.0 / x / x, 0.0], NOWHERE, |x| [1.0 / x, -1.0 / x / x, 0.0]),
        limits!("square", |x| x.square(), |x| [x * x, 2.0 * x, 2.0], |x| [0.0, 2.0 * x, 2.0], |x| [x * x, 2.0 * x, 2.0]),
        limits!("abs", |x| x.abs(), |x| [-x, -1.0, 0.0], |x| [x.abs(), NONE, 0.0], |x| [x, 1.0, 0.0]),
        limits!("sign", |x| x.sign(), |_| [-1.0, 0.0, 0.0], |_| [NONE, 0.0, 0.0], |_| [1.0, 0.0, 0.0]),
        limits!("sin", |x| x.sin(), NOWHERE, |x| [x, 1.0, -x], NOWHERE),
        limits!("cos", |x| x.cos(), NOWHERE, |x| [1.0, -x, -1.0], NOWHERE),
        limits!("tan", |x| x.tan(), NOWHERE, |x| [x, 1.0, 2.0 * x], NOWHERE),
        limits!("sinh", |x| x.sinh(), |_| [-INF, INF, -INF], |x| [x, 1.0, x], |_| [INF; 3]),
        limits!("cosh", |x| x.cosh(), |_| [INF, -INF, INF], |x| [1.0, x, 1.0], |_| [INF; 3]),
        limits!("tanh", |x| x.tanh(), |_| [-1.0, 0.0, 0.0], |x| [x, 1.0, -2.0 * x], |_| [1.0, 0.0, 0.0]),
        limits!("asin", |x| x.asin(), NOWHERE, |x| [x, 1.0, x], NOWHERE),
        limits!("acos", |x| x.acos(), NOWHERE, |x| [FRAC_PI_2, -1.0, -x], NOWHERE),
        limits!("atan", |x| x.atan(), |x| [-FRAC_PI_2, 1.0 / x / x, 0.0], |x| [x, 1.0, -2.0 * x], |x| [FRAC_PI_2, 1.0 / x / x, 0.0]),
        limits!("asinh", |x| x.asinh(), |x| [-(-x).ln() - LN_2, -1.0 / x, 1.0 / x / x], |x| [x, 1.0, -x], |x| [x.ln() + LN_2, 1.0 / x, -1.0 / x / x]),
        limits!("acosh", |x| x.acosh(), NOWHERE, NOWHERE, |x| [x.ln() + LN_2, 1.0 / x, -1.0 / x / x]),
        limits!("atanh", |x| x.atanh(), NOWHERE, |x| [x, 1.0, 2.0 * x], NOWHERE),
        limits!("sigmoid", |x| x.sigmoid(), |_| [0.0; 3], |_| [0.5, 0.25, 0.0], |_| [1.0, 0.0, 0.0]),
        limits!("erf", |x| x.erf(), |_| [-1.0, 0.0, 0.0], |x| [FRAC_2_SQRT_PI * x, FRAC_2_SQRT_PI, -2.0 * FRAC_2_SQRT_PI * x], |_| [1.0, 0.0, 0.0]),
        limits!("erfc", |x| x.erfc(), |_| [2.0, 0.0, 0.0], |x| [1.0, -FRAC_2_SQRT_PI, 2.0 * FRAC_2_SQRT_PI * x], |_| [0.0; 3]),
        limits!("erfcx", |x| x.erfcx(), |_| [INF, -INF, INF], |_| [1.0, -FRAC_2_SQRT_PI, 2.0], |x| [0.5 * FRAC_2_SQRT_PI / x, -0.5 * FRAC_2_SQRT_PI / x / x, 0.0]),
        limits!("erfinv", |x| x.erfinv(), NOWHERE, |x| [x / FRAC_2_SQRT_PI, 1.0 / FRAC_2_SQRT_PI, NONE], NOWHERE),
        limits!("ndtr", |x| x.ndtr(), |_| [0.0; 3], |x| [0.5, PEAK, -PEAK * x], |_| [1.0, 0.0, 0.0]),
        limits!("log_ndtr", |x| x.log_ndtr(), |x| [-0.5 * x * x, -x, -1.0], |_| [-LN_2, 2.0 * PEAK, -4.0 * PEAK * PEAK], |_| [0.0; 3]),
        limits!("lgamma", |x| x.lgamma(), NOWHERE, NOWHERE, |x| [if x > 1e300 || x < 1e100 && x > 1e38 { INF } else { NONE }, x.ln(), 1.0 / x]),
        limits!("digamma", |x| x.digamma(), NOWHERE, NOWHERE, |x| [x.ln(), 1.0 / x, -1.0 / x / x]),
        limits!("trigamma", |x| x.polygamma(1), NOWHERE, NOWHERE, |x| [1.0 / x, -1.0 / x / x, 0.0]),
        limits!("gelu", |x| x.gelu(), |_| [0.0; 3], |x| [0.5 * x, 0.5, 2.0 * PEAK], |x| [x, 1.0, 0.0]),
        limits!("softplus", |x| x.softplus(), |_| [0.0; 3], |_| [LN_2, 0.5, 0.25], |x| [x, 1.0, 0.0]),
        limits!("log_sigmoid", |x| x.log_sigmoid(), |x| [x, 1.0, 0.0], |_| [-LN_2, 0.5, -0.25], |_| [0.0; 3]),
        limits!("entr", |x| x.entr(), NOWHERE, NOWHERE, |x| [-x * x.ln(), -1.0 - x.ln(), -1.0 / x]),
        limits!("relu", |x| x.relu(), |_| [0.0; 3], |_| [0.0, NONE, 0.0], |x| [x, 1.0, 0.0]),
        limits!("clamp", |x| x.clamp(-1.0, 1.0), |_| [-1.0, 0.0, 0.0], |x| [x, 1.0, 0.0], |_| [1.0, 0.0, 0.0]),
        limits!("sinc", |x| x.sinc(), |_| [0.0, NONE, NONE], |_| [1.0, NONE, NONE], |_| [0.0, NONE, NONE]),
        limits!("i0", |x| x.i0(), |_| [INF, -INF, INF], |x| [1.0, 0.5 * x, 0.5], |_| [INF; 3]),
        limits!("i1", |x| x.i1(), |_| [-INF, INF, -INF], |x| [0.5 * x, 0.5, 0.0], |_| [INF; 3]),
        limits!("i0e", |x| x.i0e(), |x| [PEAK / (-x).sqrt(), 0.0, 0.0], |_| [1.0, NONE, NONE], |x| [PEAK / x.sqrt(), 0.0, 0.0]),
        limits!("i1e", |x| x.i1e(), |x| [-PEAK / (-x).sqrt(), 0.0, 0.0], |x| [0.5 * x, 0.5, NONE], |x| [PEAK / x.sqrt(), 0.0, 0.0]),
        limits!("powi 3", |x| x.powi(3), |x| [x * x * x, 3.0 * x * x, 6.0 * x], |x| [0.0, 0.0, 6.0 * x], |x| [x * x * x, 3.0 * x * x, 6.0 * x]),
        limits!("powi -2", |x| x.powi(-2), |x| [1.0 / x / x, 0.0, 0.0], NOWHERE, |x| [1.0 / x / x, 0.0, 0.0]),
        limits!("powf 0.5", |x| x.powf(0.5), NOWHERE, NOWHERE, |x| [x.sqrt(), 0.5 / x.sqrt(), -0.25 / x.sqrt() / x]),
        limits!("powf -0.5", |x| x.powf(-0.5), NOWHERE, NOWHERE, |x| [1.0 / x.sqrt(), -0.5 / x.sqrt() / x, 0.75 / x.sqrt() / x / x]),
        limits!("powf 1.5", |x| x.powf(1.5), NOWHERE, NOWHERE, |x| [x * x.sqrt(), 1.5 * x.sqrt(), 0.75 / x.sqrt()]),
    ]);
}
