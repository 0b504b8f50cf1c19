//! The terms of the test problems that are no sums of squares, each written once, over any scalar: f = Σ tᵢ.

use std::f64::consts::PI;

use super::dual::Scalar;
use super::residuals::sum;

/// Its Hessian is an arrow head.
pub(super) fn arwhead<S: Scalar>(x: &[S]) -> Vec<S> {
    let (last, rest) = x.split_last().unwrap();
    rest.iter().map(|&x| (x.square() + last.square()).square() - x * 4.0 + 3.0).collect()
}

pub(super) fn engval1<S: Scalar>(x: &[S]) -> Vec<S> {
    x.windows(2).map(|w| (w[0].square() + w[1].square()).square() - w[0] * 4.0 + 3.0).collect()
}

/// At the minimum a difference of numbers of the order of 1 that is 0.
pub(super) fn bohachevsky<S: Scalar>(x: &[S]) -> Vec<S> {
    let waves = (x[0] * (3.0 * PI)).cos() * 0.3 + (x[1] * (4.0 * PI)).cos() * 0.4;
    vec![x[0].square() + x[1].square() * 2.0 - waves + 0.7]
}

/// ln cosh zᵢ with zᵢ = i (xᵢ − 1)/3.
pub(super) fn log_cosh<S: Scalar>(x: &[S]) -> Vec<S> {
    let term = |(i, &x): (usize, &S)| {
        let z = (x + -1.0) * ((i + 1) as f64 / 3.0);
        ((z.exp() + (-z).exp()) * 0.5).ln()
    };
    x.iter().enumerate().map(term).collect()
}

pub(super) fn trid<S: Scalar>(x: &[S]) -> Vec<S> {
    let squares = x.iter().map(|&x| (x + -1.0).square());
    squares.chain(x.windows(2).map(|w| -(w[0] * w[1]))).collect()
}

/// Logistic regression on a hundred points that formulas make, with a ridge.
pub(super) fn logistic<S: Scalar>(x: &[S]) -> Vec<S> {
    let loss = |i: usize| {
        let feature = |j: usize| (1.7 * (i * (j + 1)) as f64 + 0.3 * i as f64).sin();
        let label = if (7.3 * i as f64).sin() + 0.3 * feature(0) > 0.0 { 1.0 } else { -1.0 };
        let margin = sum(x.iter().enumerate().map(|(j, &x)| x * (label * feature(j))));
        ((-margin).exp() + 1.0).ln()
    };
    (1..=100).map(loss).chain(x.iter().map(|&x| x.square() * 0.005)).collect()
}

/// A quadratic whose curvatures are 2 i².
pub(super) fn power<S: Scalar>(x: &[S]) -> Vec<S> {
    x.iter().enumerate().map(|(i, &x)| (x * (i + 1) as f64).square()).collect()
}
