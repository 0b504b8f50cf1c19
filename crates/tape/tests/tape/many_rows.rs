//! Matrices of many rows, whose determinants have derivatives by the inverse where that is well-conditioned, and else by complete
//! pivoting; pseudo-inverses by products.

use wengert_tape::{Var, grad, hvp};
use wengert_tensor::Tensor;

const N: usize = 30;

/// Numbers in ±1, the same each time.
fn numbers(shape: [usize; 2], seed: u64) -> Var<f64> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    let numbers: Vec<f64> = std::iter::repeat_with(next).take(shape[0] * shape[1]).collect();
    Var::constant(Tensor::from_vec(numbers, shape).unwrap())
}

fn orthogonal(n: usize, seed: u64) -> Var<f64> {
    numbers([n, n], seed).qr().unwrap().0
}

fn diagonal(values: &[f64]) -> Var<f64> {
    Var::constant(Tensor::from(values)).diag_embed(0, -2, -1)
}

/// The largest difference beside the largest number.
fn error(found: &Var<f64>, expected: &Var<f64>) -> f64 {
    let size = expected.abs().max().item();
    assert!(size.is_finite() && size > 0.0, "{size}");
    (found - expected).abs().max().item() / size
}

fn det(a: &Var<f64>) -> Var<f64> {
    a.det().unwrap()
}

/// The product of all but the i-th.
fn without(values: &[f64], i: usize) -> f64 {
    values.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, s)| s).product()
}

#[test]
fn derivatives_of_determinants_are_those_of_logarithms() {
    let by_logarithm = |a: &Var<f64>| {
        let (sign, log) = a.slogdet().unwrap();
        sign * log.exp()
    };
    for (n, scale) in [(23, 1.0), (24, 1.0), (N, 1.0), (N, 1e-3), (2 * N, 1.0)] {
        let (a, h) = (numbers([n, n], 1) * scale, numbers([n, n], 2));
        let first = error(&grad(det, &a), &grad(by_logarithm, &a));
        assert!(first < 1e-11, "{n}: {first:e}");
        let second = error(&hvp(det, &a, &h), &hvp(by_logarithm, &a, &h));
        assert!(second < 1e-11, "{n}: {second:e}");
        // A direction of any size.
        let small = error(&(hvp(det, &a, &(&h * 1e-200)) * 1e200), &hvp(det, &a, &h));
        assert!(small < 1e-13, "{n}: {small:e}");
    }
}

#[test]
fn nearly_singular_matrices_have_the_cofactors_of_their_singular_values() {
    let (u, v) = (orthogonal(N, 3), orthogonal(N, 4));
    let sign = det(&u) * det(&v);
    for least in [1e-3, 1e-7, 1e-12, 0.0] {
        let mut values: Vec<f64> = (0..N).map(|i| 0.5 + i as f64 / N as f64).collect();
        values[7] = least;
        let cofactors: Vec<f64> = (0..N).map(|i| without(&values, i)).collect();
        let product = |values: &[f64]| u.matmul(&diagonal(values)).matmul(&v.t());
        let found = error(&grad(det, &product(&values)), &(product(&cofactors) * &sign));
        assert!(found < 1e-11, "{least:e}: {found:e}");
    }
}

#[test]
fn second_derivatives_of_singular_diagonal_matrices() {
    let mut values: Vec<f64> = (0..N).map(|i| 1.0 + (i % 3) as f64).collect();
    (values[4], values[9]) = (0.0, 0.0);
    let (a, h) = (diagonal(&values), numbers([N, N], 5));
    assert_eq!(grad(det, &a).abs().max().item(), 0.0);
    let rest: f64 = values.iter().filter(|s| **s != 0.0).product();
    let mut expected = vec![0.0; N * N];
    for [i, j] in [[4, 9], [9, 4]] {
        expected[i * N + i] = rest * h.value().at([j, j]);
        expected[i * N + j] = -rest * h.value().at([j, i]);
    }
    let expected = Var::constant(Tensor::from_vec(expected, [N, N]).unwrap());
    let found = error(&hvp(det, &a, &h), &expected);
    assert!(found < 1e-14, "{found:e}");
}

#[test]
fn pseudo_inverses_are_those_of_moore_and_penrose() {
    for ([m, n], rank) in [([60, 40], 40), ([40, 60], 25), ([50, 50], 20), ([7, 0], 0), ([0, 3], 0)] {
        let a = numbers([m, rank], 6).matmul(&numbers([rank, n], 7));
        let p = a.pinv(None).unwrap();
        assert_eq!(p.shape(), &[n, m]);
        if rank > 0 {
            let (ap, pa) = (a.matmul(&p), p.matmul(&a));
            for (found, expected) in [(ap.matmul(&a), &a), (pa.matmul(&p), &p), (ap.t(), &ap), (pa.t(), &pa)]
            {
                assert!(error(&found, expected) < 1e-11, "{m} × {n}: {:e}", error(&found, expected));
            }
        }
    }
}
