//! Functions of one number and of two, and activations.

use std::ops::{AddAssign, DivAssign, MulAssign, SubAssign};

use wengert::nn::Activations;
use wengert::tape::Var;
use wengert::tensor::Float;

use super::{Results, one, truth};
use crate::wire::Attrs;

/// The methods without arguments, by their names.
macro_rules! by_name {
    ($name:ident, $x:expr; $($method:ident)*) => {
        match $name { $( stringify!($method) => return one($x.$method()), )* _ => {} }
    };
}
macro_rules! by_name_of_two {
    ($name:ident, $x:expr, $y:expr; $($method:ident)*) => {
        match $name { $( stringify!($method) => return one($x.$method($y)), )* _ => {} }
    };
}
/// What is written over a variable that others have, too.
macro_rules! assignments {
    ($name:ident, $x:expr, $y:expr; $($method:ident)*) => {
        match $name { $( stringify!($method) => { let mut z = $x.clone(); z.$method($y); return one(z); } )* _ => {} }
    };
}
macro_rules! comparisons {
    ($name:ident, $x:expr, $y:expr; $($method:ident)*) => {
        match $name { $( stringify!($method) => return one(truth(&$x.$method($y))), )* _ => {} }
    };
}

pub(super) fn apply<T: Float>(name: &str, a: &Attrs, v: &[Var<T>]) -> Results<T> {
    let x = v.first()?;
    by_name!(name, x; exp exp_m1 ln ln_1p sqrt rsqrt recip abs sign sin cos tan sinh cosh tanh asin acos atan asinh acosh
        atanh exp2 log2 log10 sigmoid erf erfc erfinv ndtr erfcx log_ndtr ndtri lgamma digamma gelu softplus square relu
        log_sigmoid logit entr floor ceil trunc frac round sinc i0 i0e i1 i1e silu gelu_tanh selu mish hardswish
        hardsigmoid relu6 squared_relu softsign tanhshrink);
    match name {
        "neg" => return one(-x),
        "is_nan" => return one(truth(&x.is_nan())),
        "is_inf" => return one(truth(&x.is_inf())),
        "is_finite" => return one(truth(&x.is_finite())),
        "powi" => return one(x.powi(a.int("n") as i32)),
        "powf" => return one(x.powf(a.number("p"))),
        "polygamma" => return one(x.polygamma(a.size("n") as u32)),
        "multigammaln" => return one(x.multigammaln(a.size("p"))),
        "clamp" => return one(x.clamp(a.number("low"), a.number("high"))),
        "nan_to_num" => {
            let [p, n] = ["posinf", "neginf"].map(|name| a.has(name).then(|| a.number(name)));
            return one(x.nan_to_num(a.number("nan"), p, n));
        }
        "leaky_relu" => return one(x.leaky_relu(a.number("slope"))),
        "elu" => return one(x.elu(a.number("alpha"))),
        "celu" => return one(x.celu(a.number("alpha"))),
        "swish" => return one(x.swish(a.number("beta"))),
        "hardtanh" => return one(x.hardtanh(a.number("low"), a.number("high"))),
        "hardshrink" => return one(x.hardshrink(a.number("lambda"))),
        "softshrink" => return one(x.softshrink(a.number("lambda"))),
        "threshold" => return one(x.threshold(a.number("threshold"), a.number("value"))),
        "glu" => return one(x.glu(a.int("axis"))),
        "add_number" => return one(x + a.number("s")),
        "mul_number" => return one(x * a.number("s")),
        "div_number" => return one(x / a.number("s")),
        "number_sub" => return one(a.number("s") - x),
        "number_div" => return one(a.number("s") / x),
        _ => {}
    }
    let y = v.get(1)?;
    by_name_of_two!(name, x, y; atan2 hypot copysign heaviside maximum minimum fmax fmin pow ldexp logaddexp logaddexp2
        xlogy xlog1py fmod remainder floor_divide prelu);
    assignments!(name, x, y; add_assign sub_assign mul_assign div_assign);
    comparisons!(name, x, y; gt ge lt le equal not_equal);
    match name {
        "add" => one(x + y),
        "sub" => one(x - y),
        "mul" => one(x * y),
        "div" => one(x / y),
        "is_close" => one(truth(&x.is_close(y, a.number("rtol"), a.number("atol")))),
        "lerp" => one(x.lerp(y, &v[2])),
        "lerp_number" => one(x.lerp(y, a.number("s"))),
        "clamp_to" => one(x.clamp_to(y, &v[2])),
        "select_where" => one(Var::select_where(a.mask("mask"), x, y)),
        _ => None,
    }
}
