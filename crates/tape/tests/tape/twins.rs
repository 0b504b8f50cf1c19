//! What tensors and variables both have is the same, to the bit.

use wengert_tape::Var;
use wengert_tensor::{Float, Tensor};

/// A function of tensors and the same of variables.
type Twins<T> = (&'static str, fn(&Tensor<T>) -> Tensor<T>, fn(&Var<T>) -> Var<T>);

macro_rules! twins {
    ($($name:literal: |$x:ident| $f:expr;)*) => { [$(($name, |$x| $f, |$x| $f)),*] };
}

#[rustfmt::skip]
fn elementwise<T: Float>() -> [Twins<T>; 36] {
    twins! {
        "exp": |x| x.exp(); "exp_m1": |x| x.exp_m1(); "ln": |x| x.ln(); "ln_1p": |x| x.ln_1p();
        "sqrt": |x| x.sqrt(); "rsqrt": |x| x.rsqrt(); "recip": |x| x.recip(); "square": |x| x.square();
        "abs": |x| x.abs(); "sign": |x| x.sign(); "sin": |x| x.sin(); "cos": |x| x.cos(); "tan": |x| x.tan();
        "sinh": |x| x.sinh(); "cosh": |x| x.cosh(); "tanh": |x| x.tanh(); "asin": |x| x.asin(); "acos": |x| x.acos();
        "atan": |x| x.atan(); "sigmoid": |x| x.sigmoid(); "erf": |x| x.erf(); "erfc": |x| x.erfc(); "gelu": |x| x.gelu();
        "softplus": |x| x.softplus(); "relu": |x| x.relu(); "clamp": |x| x.clamp(-0.5, 2.0);
        "powi(2)": |x| x.powi(2); "powi(3)": |x| x.powi(3); "powi(5)": |x| x.powi(5); "powi(-2)": |x| x.powi(-2);
        "powi(MIN)": |x| x.powi(i32::MIN); "powf(0.5)": |x| x.powf(0.5); "powf(-1.5)": |x| x.powf(-1.5);
        "powf(0)": |x| x.powf(0.0); "x + 1": |x| x + 1.0; "1 / x": |x| 1.0 / x;
    }
}

#[rustfmt::skip]
fn reductions<T: Float>() -> [Twins<T>; 27] {
    twins! {
        "sum": |x| x.sum(); "mean": |x| x.mean(); "mean_axes": |x| x.mean_axes(0, true);
        "var": |x| x.var(); "var_axes": |x| x.var_axes(1, 0, false); "std_axes": |x| x.std_axes(0, 1, true);
        "max": |x| x.max(); "min_axes": |x| x.min_axes(1, false);
        "norm 0": |x| x.norm(0.0); "norm 0.5": |x| x.norm(0.5); "norm 1": |x| x.norm(1.0); "norm 1.5": |x| x.norm(1.5);
        "norm 2": |x| x.norm(2.0); "norm 3": |x| x.norm(3.0); "norm -2": |x| x.norm(-2.0);
        "norm inf": |x| x.norm(f64::INFINITY); "norm -inf": |x| x.norm(f64::NEG_INFINITY);
        "norm_axes": |x| x.norm_axes(2.0, 1, true);
        "logsumexp": |x| x.logsumexp(1, false); "softmax": |x| x.softmax(1); "log_softmax": |x| x.log_softmax(0);
        "cumsum": |x| x.cumsum(1); "cumprod": |x| x.cumprod(0); "cumprod 1": |x| x.cumprod(1); "prod": |x| x.prod();
        "sort": |x| x.sort(1, false); "tril": |x| x.tril(0);
    }
}

#[track_caller]
fn same<T: Float>(what: &str, tensor: &Tensor<T>, var: &Var<T>) {
    assert_eq!(tensor.shape(), var.shape(), "{what}");
    for (t, v) in tensor.to_vec().into_iter().zip(var.value().to_vec()) {
        assert!(t == v || (t.is_nan() && v.is_nan()), "{what}: {t} of tensors, {v} of variables");
    }
}

fn compare<T: Float>(special: &[f64]) {
    let numbers: Vec<T> = special.iter().map(|&x| T::from_f64(x)).chain((0..200).map(wave)).collect();
    let x = Tensor::vector(&numbers);
    for (name, tensor, var) in elementwise() {
        same(name, &tensor(&x), &var(&Var::constant(x.clone())));
    }
    for scale in [1.0, 1e-25, 1e18] {
        for offset in [0.0, 1e6] {
            let x = Tensor::from_fn([30, 70], |i| wave::<T>(i[0] * 70 + i[1])) * scale + offset * scale;
            for x in [x.clone(), x.t(), x.flip(1)] {
                for (name, tensor, var) in reductions() {
                    same(name, &tensor(&x), &var(&Var::constant(x.clone())));
                }
            }
        }
    }
}

fn wave<T: Float>(i: usize) -> T {
    T::from_f64(((i * 37) % 101) as f64 * 0.037 - 1.8)
}

#[test]
fn in_both_precisions() {
    let special =
        [0.0, -0.0, 1.0, -1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e-45, 1e20, -1e20, 1e-20, 3e38];
    compare::<f32>(&special);
    compare::<f64>(&special);
}

/// The variance where the mean is much larger, against the exact one.
#[test]
fn a_large_mean_costs_variables_no_accuracy() {
    let x = Var::constant(Tensor::<f32>::from_fn([100_000], |i| 1e6 + (i[0] % 4) as f32));
    assert_eq!(x.var_axes(.., 0, false).item(), 1.25);
    assert!((x.std_axes(.., 0, false).item() / 1.25f32.sqrt() - 1.0).abs() < 1e-6);
    let gradient = wengert_tape::grad(|x: &Var<f32>| x.var_axes(.., 0, false) * 1e5, &x);
    assert!((gradient.value().at([3]) - 3.0).abs() < 1e-5, "{}", gradient.value().at([3]));
}
