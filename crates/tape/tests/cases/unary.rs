//! Elementwise functions of one variable.

use super::{Case, any, at, case, positive, unit};
use wengert_tape::Var;
use wengert_tensor::Shape;

pub(super) fn cases() -> Vec<Case> {
    vec![
        unary("exp", |v| v[0].exp(), any).order(3),
        unary("exp_m1", |v| v[0].exp_m1(), any),
        unary("ln", |v| v[0].ln(), positive).order(3),
        unary("ln_1p", |v| v[0].ln_1p(), unit),
        unary("sqrt", |v| v[0].sqrt(), positive).order(3),
        unary("rsqrt", |v| v[0].rsqrt(), positive),
        unary("recip", |v| v[0].recip(), positive).also([at([-2.0, -0.5])]),
        unary("square", |v| v[0].square(), any).also([at([0.0])]),
        unary("abs", |v| v[0].abs(), any),
        unary("sign", |v| v[0].sign(), any),
        unary("sin", |v| v[0].sin(), any).order(3).also([at([1000.0, -1e5])]),
        unary("cos", |v| v[0].cos(), any).order(3).also([at([1000.0, -1e5])]),
        unary("tan", |v| v[0].tan(), unit),
        unary("sinh", |v| v[0].sinh(), any),
        unary("cosh", |v| v[0].cosh(), any),
        unary("tanh", |v| v[0].tanh(), any).order(3).also([at([5.0, -9.0, 30.0])]),
        unary("asin", |v| v[0].asin(), unit),
        unary("acos", |v| v[0].acos(), unit),
        unary("atan", |v| v[0].atan(), any).also([at([100.0, -1000.0])]),
        unary("asinh", |v| v[0].asinh(), any).order(3).also([at([5.0, -100.0, 0.0])]),
        unary("acosh", |v| v[0].acosh(), |shape| positive(shape) + 1.0).also([at([1.1, 100.0])]),
        unary("atanh", |v| v[0].atanh(), unit).order(3),
        unary("exp2", |v| v[0].exp2(), any).order(3),
        unary("log2", |v| v[0].log2(), positive),
        unary("log10", |v| v[0].log10(), positive),
        unary("erfinv", |v| v[0].erfinv(), unit).order(3).also([at([0.0, 0.99, -0.999])]),
        unary("ndtr", |v| v[0].ndtr(), any).also([at([5.0, -7.0, 0.0])]),
        unary("ndtri", |v| v[0].ndtri(), |shape| (unit(shape) + 1.0) * 0.5).also([at([0.5, 0.001, 0.999])]),
        unary("erfcx", |v| v[0].erfcx(), any).order(3).also([at([0.0, 5.0, 40.0, -3.0, 0.49, 0.51])]),
        unary("log_ndtr", |v| v[0].log_ndtr(), any).order(3).also([at([5.0, -7.0, 0.3, -40.0, -300.0])]),
        unary("i0", |v| v[0].i0(), any).order(4).also([at([0.0, 7.9, 8.1, -30.0])]),
        unary("i0e", |v| v[0].i0e(), any).order(3).also([at([7.9, 8.1, -30.0, 800.0])]),
        unary("i1", |v| v[0].i1(), any).order(4).also([at([0.0, 7.9, 8.1, -30.0])]),
        unary("i1e", |v| v[0].i1e(), any).order(3).also([at([7.9, 8.1, -30.0, 800.0])]),
        unary("multigammaln", |v| (&v[0] + 1.5).multigammaln(3), positive),
        unary("lgamma", |v| v[0].lgamma(), positive).order(3).also([at([-0.4, -2.3, 11.0, 50.0])]),
        unary("digamma", |v| v[0].digamma(), positive).order(3).also([at([-0.4, -2.3, 11.0, 50.0])]),
        unary("polygamma 0", |v| v[0].polygamma(0), positive),
        unary("polygamma 1", |v| v[0].polygamma(1), positive).also([at([-0.4, -2.3, 11.0])]),
        unary("polygamma 3", |v| v[0].polygamma(3), positive),
        unary("sinc", |v| v[0].sinc(), any).order(4).also([at([0.0, 1.0, 0.3, -4.5, 100.2])]),
        unary("log_sigmoid", |v| v[0].log_sigmoid(), any).order(3).also([at([0.0, 40.0, -40.0])]),
        unary("logit", |v| v[0].logit(), |shape| (unit(shape) + 1.0) * 0.5)
            .order(3)
            .also([at([0.5, 0.25, 0.01])]),
        unary("entr", |v| v[0].entr(), positive).order(3),
        unary("sigmoid", |v| v[0].sigmoid(), any).order(3).also([at([20.0, -20.0, -300.0])]),
        unary("erf", |v| v[0].erf(), any).also([at([4.0, -7.0])]),
        unary("erfc", |v| v[0].erfc(), any).also([at([4.0, -7.0])]),
        unary("gelu", |v| v[0].gelu(), any).order(3).also([at([0.0, 9.0, -9.0, 40.0, -40.0])]),
        unary("softplus", |v| v[0].softplus(), any).order(3).also([at([0.0, 40.0, -40.0])]),
        unary("relu", |v| v[0].relu(), any),
        unary("ceil", |v| v[0].ceil(), any),
        unary("trunc", |v| v[0].trunc(), any),
        unary("frac", |v| v[0].frac(), any),
        unary("powi 0", |v| v[0].powi(0), any),
        unary("powi 1", |v| v[0].powi(1), any),
        unary("powi 2", |v| v[0].powi(2), any).also([at([0.0])]),
        unary("powi 3", |v| v[0].powi(3), any).order(3).also([at([0.0])]),
        unary("powi 5", |v| v[0].powi(5), any),
        unary("powi -2", |v| v[0].powi(-2), positive).also([at([-1.5])]),
        unary("powf 2.5", |v| v[0].powf(2.5), positive).order(3),
        unary("powf -0.3", |v| v[0].powf(-0.3), positive),
        unary("powf 0", |v| v[0].powf(0.0), positive),
        unary("powf 1", |v| v[0].powf(1.0), positive).also([at([-0.5])]),
        unary("powf 2 of a negative", |v| v[0].powf(2.0), any),
        unary("clamp", |v| v[0].clamp(-0.5, 0.75), any).also([at([-0.51, -0.49, 0.74, 0.76])]),
    ]
}

/// A function of one variable, at points of several shapes whose numbers `place` chooses.
fn unary(name: &'static str, f: fn(&[Var<f64>]) -> Var<f64>, place: fn(Shape) -> Var<f64>) -> Case {
    let shapes: [&[usize]; 4] = [&[], &[1], &[0], &[2, 1, 3]];
    shapes
        .into_iter()
        .fold(case(name, f, [place([7].into())]), |case, shape| case.also([place(shape.into())]))
}
