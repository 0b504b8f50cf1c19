//! Functions of elements.

use wengert::prelude::*;

use super::Bench;

pub(super) fn time(bench: &mut Bench) {
    let (x, y) = (bench.normal([1024, 1024]), bench.normal([1024, 1024]));
    bench.time("exp", &x, |x| x.exp());
    bench.time("expm1", &x, |x| x.exp_m1());
    bench.time("log", &x, |x| (x.abs() + 0.1).ln());
    bench.time("tanh", &x, |x| x.tanh());
    bench.time("sigmoid", &x, |x| x.sigmoid());
    bench.time("sin", &x, |x| x.sin());
    bench.time("erf", &x, |x| x.erf());
    bench.time("lgamma", &x, |x| (x.abs() + 0.5).lgamma());
    bench.time("digamma", &x, |x| (x.abs() + 0.5).digamma());
    bench.time("pow", &x, |x| (x.abs() + 0.1).powf(1.7));
    bench.time("sqrt", &x, |x| (x.abs() + 0.1).sqrt());
    bench.time("atan2", &x, |x| x.atan2(&y));
    bench.time("clamp", &x, |x| x.clamp(-0.5, 0.5));
    bench.time("maximum", &x, |x| x.maximum(&y));
    bench.time("where", &x, |x| Var::select_where(x.gt(0.0), x, &y));
    bench.time("add", &x, |x| x + &y);
    bench.time("mul", &x, |x| x * &y);
    bench.time("div", &x, |x| &y / (x.abs() + 1.0));
    bench.time("relu", &x, |x| x.relu());
    bench.time("gelu", &x, |x| x.gelu());
    bench.time("softplus", &x, |x| x.softplus());
    let positive = y.abs() + 0.5;
    bench.time("square", &x, |x| x.square());
    bench.time("tan", &x, |x| x.tan());
    bench.time("atan", &x, |x| x.atan());
    bench.time("asin", &x, |x| (x * 0.2).asin());
    bench.time("sinh", &x, |x| x.sinh());
    bench.time("asinh", &x, |x| x.asinh());
    bench.time("log2", &x, |x| (x.abs() + 0.1).log2());
    bench.time("exp2", &x, |x| x.exp2());
    bench.time("erfinv", &x, |x| (x * 0.15).erfinv());
    bench.time("i0", &x, |x| x.i0());
    bench.time("sinc", &x, |x| x.sinc());
    bench.time("polygamma 1", &x, |x| (x.abs() + 0.5).polygamma(1));
    bench.time("hypot", &x, |x| x.hypot(&y));
    bench.time("logaddexp", &x, |x| x.logaddexp(&y));
    bench.time("xlogy", &x, |x| x.xlogy(&positive));
    bench.time("remainder", &x, |x| x.remainder(&positive));
    bench.time("copysign", &x, |x| x.copysign(&y));
    bench.time("lerp", &x, |x| x.lerp(&y, 0.3));
    bench.time("log_sigmoid", &x, |x| x.log_sigmoid());
}
