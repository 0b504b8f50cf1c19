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
}
