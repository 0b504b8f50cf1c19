//! Second derivatives of powers and norms that are in range though parts of them are not.

use super::extremes_of_range::assert_near;
use wengert_tape::{Var, grad, hvp, jvp};

type Both = (fn(&Var<f32>) -> Var<f32>, fn(&Var<f64>) -> Var<f64>);

/// A function in both precisions.
macro_rules! both {
    (|$x:ident| $f:expr) => {
        ((|$x| $f) as fn(&Var<f32>) -> Var<f32>, (|$x| $f) as fn(&Var<f64>) -> Var<f64>)
    };
}

/// The Hessian times a direction in single precision, forwards over backwards and the other way round, is that in double precision,
/// in whose range all of its parts are.
#[track_caller]
fn second_derivatives(label: &str, (single, double): Both, x: &[f32], v: &[f32]) {
    let wide = |x: &[f32]| Var::from(x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>());
    let exact = hvp(double, &wide(x), &wide(v)).value().to_vec();
    assert!(exact.iter().all(|h| h.is_finite()), "{label}: {exact:?}");
    let (x, v) = (Var::from(x.to_vec()), Var::from(v.to_vec()));
    let label = format!("{label} at {x} along {v}");
    assert_near(&hvp(single, &x, &v), &exact, &label);
    assert_near(&grad(|x: &Var<f32>| jvp(single, x, &v).1, &x), &exact, &label);
}

#[test]
fn powers_beyond_the_range_times_what_is_small() {
    let pow = both!(|x| x.select(0, 0).pow(x.select(0, 1)));
    for x in [[1e-30, 1e-30], [1e-30, -2e-30], [3e-25, 1e-20], [1e-20, 1.0], [1e-25, 0.0]] {
        second_derivatives("pow", pow, &x, &[1.0, 0.0]);
    }
    second_derivatives("pow", pow, &[1e-30, 1e-30], &[0.5, 1e-30]);
    // Of an exponent whose square is out of range the power is 0, far below what the square could bring back.
    for x in [[0.5, 1e25], [1e20, -3e22], [1e-10, 2e30]] {
        second_derivatives("pow", pow, &x, &[1.0, 0.0]);
        second_derivatives("pow", pow, &x, &[-0.5, 1.0]);
    }
    let weighted = both!(|x| x.select(0, 0).pow(x.select(0, 1)) * 1e-10);
    for x in [[1e-28, 0.5], [2e-14, -1.0], [3e-10, -2.0]] {
        second_derivatives("pow", weighted, &x, &[1.0, 0.0]);
    }
    // Of a negative number there is no derivative by the exponent, and the power has a sign.
    let odd = both!(|x| (x.pow(Var::from([-3.0])) * 1e-10).sum());
    let even = both!(|x| (x.pow(Var::from([-2.0])) * 1e-10).sum());
    for (name, power) in [("pow(-3)", odd), ("pow(-2)", even)] {
        second_derivatives(name, power, &[-3e-9], &[1.0]);
        second_derivatives(name, power, &[-1e-10], &[0.5]);
    }
}

#[test]
fn norms_of_far_numbers() {
    let norms = [
        ("norm(0.5)", both!(|x| x.norm(0.5))),
        ("norm(1.5)", both!(|x| x.norm(1.5))),
        ("norm(3)", both!(|x| x.norm(3.0))),
    ];
    for (name, norm) in norms {
        for unit in [1e-30, 1e-20, 1.0, 1e20, 1e30] {
            second_derivatives(name, norm, &[1.0, -2.0, 0.75].map(|x| x * unit), &[1.0, -0.5, 2.0]);
        }
        second_derivatives(name, norm, &[1e-20, -0.5, 2.0], &[1e-10, 1.0, 2.0]);
    }
}
