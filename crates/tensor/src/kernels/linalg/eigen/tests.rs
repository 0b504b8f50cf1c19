//! Matrices that are hard to cut in halves.

use super::*;
use crate::array::element::Float;
use crate::machine::parallel::with_threads;

type Element = fn(usize, usize, usize) -> f64;

/// A number that looks random, from −1 to 1.
fn noise(i: usize, j: usize) -> f64 {
    ((i * 7919 + j * 104_729 + i * j * 31) % 2003) as f64 / 1001.0 - 1.0
}

/// Of i ≤ j and n.
const MATRICES: [(&str, Element); 14] = [
    ("noise", |i, j, _| noise(i, j)),
    ("zeros", |_, _, _| 0.0),
    ("identity", |i, j, _| f64::from(u8::from(i == j))),
    ("ones", |_, _, _| 1.0),
    ("pairs of nearly equal eigenvalues", |i, j, n| match j - i {
        0 => (i as f64 - (n - 1) as f64 / 2.0).abs(),
        1 => 1.0,
        _ => 0.0,
    }),
    ("pieces glued by little", |i, j, _| match j - i {
        0 => ((i % 21) as f64 - 10.0).abs(),
        1 if j % 21 == 0 => 1e-7,
        1 => 1.0,
        _ => 0.0,
    }),
    ("differences", |i, j, _| match j - i {
        0 => 2.0,
        1 => -1.0,
        _ => 0.0,
    }),
    ("graded", |i, j, _| noise(i, j) * 0.7f64.powi((i + j) as i32)),
    ("graded upwards", |i, j, n| noise(i, j) * 0.7f64.powi((2 * n - i - j) as i32)),
    ("one and little noise", |i, j, _| f64::from(u8::from(i == j)) + 1e-5 * noise(i, j)),
    ("neighbours in a hypercube", |i, j, _| f64::from(u8::from((i ^ j).count_ones() == 1))),
    ("remainders", |i, j, _| ((i * j) % 3) as f64),
    ("a diagonal", |i, j, _| if i == j { noise(i, 5) } else { 0.0 }),
    ("two blocks", |i, j, n| if (i < n / 2) == (j < n / 2) { noise(i % (n / 2), j % (n / 2)) } else { 0.0 }),
];

fn matrix<T: Float>(element: Element, n: usize, scale: f64) -> Vec<T> {
    (0..n * n).map(|e| T::from_f64(scale * element((e / n).min(e % n), (e / n).max(e % n), n))).collect()
}

/// Eigenpairs to some roundings of the largest eigenvalue, vectors orthogonal to some roundings.
fn check<T: Float>(name: &str, a: &[T], n: usize) -> Vec<T> {
    let (values, vectors) = symmetric_eigen(a, n).unwrap_or_else(|error| panic!("{name}, {n}: {error:?}"));
    assert!(values.windows(2).all(|w| w[0] <= w[1]), "{name}, {n}: {values:?}");
    let rounding = n as f64 * T::EPSILON.to_f64();
    let largest = values.iter().fold(f64::MIN_POSITIVE, |m, v| m.max(v.to_f64().abs()));
    let row = |k: usize| vectors[k * n..][..n].iter().map(|x| x.to_f64());
    for k in 0..n {
        for i in 0..n {
            let product: f64 = a[i * n..][..n].iter().zip(row(k)).map(|(a, v)| a.to_f64() * v).sum();
            let apart = (product - values[k].to_f64() * vectors[k * n + i].to_f64()).abs();
            assert!(
                apart <= 2.0 * rounding * largest,
                "{name}, {n}: pair {k}, {i}: {apart:e} of {largest:e}"
            );
        }
        for l in 0..=k {
            let dot: f64 = row(k).zip(row(l)).map(|(x, y)| x * y).sum();
            let apart = (dot - f64::from(u8::from(k == l))).abs();
            assert!(apart <= 2.0 * rounding, "{name}, {n}: vectors {k} and {l}: {apart:e}");
        }
    }
    values
}

#[test]
fn hard_matrices() {
    for (name, element) in MATRICES {
        for n in [2, 7, 31, 33, 64, 65, 130] {
            for scale in [1.0, 1e-25, 1e25] {
                check::<f64>(name, &matrix(element, n, scale), n);
                check::<f32>(name, &matrix(element, n, scale), n);
            }
        }
    }
}

#[test]
fn eigenvalues_that_are_known() {
    let n = 200;
    let values = check::<f64>("differences", &matrix(MATRICES[6].1, n, 1.0), n);
    for (k, value) in values.iter().enumerate() {
        let exact = 4.0 * (std::f64::consts::PI * (k + 1) as f64 / (2 * (n + 1)) as f64).sin().powi(2);
        assert!((value - exact).abs() < 1e-14 * 4.0, "{k}: {value}, not {exact}");
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let a: Vec<f32> = matrix(MATRICES[0].1, 300, 1.0);
    let one = with_threads(1, || symmetric_eigen(&a, 300).unwrap());
    for threads in [2, 3, 8] {
        assert!(with_threads(threads, || symmetric_eigen(&a, 300).unwrap()) == one, "{threads}");
    }
}
