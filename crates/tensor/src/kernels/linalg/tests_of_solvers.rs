//! LU, triangular systems and the exponential.

use super::tests::{assert_close, random};
use super::*;
use crate::array::element::Float;
use crate::machine::parallel::with_threads;

/// The product of an m × k and a k × n matrix.
pub(super) fn times<T: Float>(a: &[T], b: &[T], [m, k, n]: [usize; 3]) -> Vec<T> {
    let element = |i: usize, j: usize| (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum();
    (0..m * n).map(|e| element(e / n, e % n)).collect()
}

fn lu_of<T: Float>() {
    let rounding = T::EPSILON.to_f64();
    let sizes = [
        (0, 0),
        (1, 1),
        (0, 3),
        (3, 0),
        (5, 5),
        (17, 17),
        (40, 40),
        (7, 30),
        (30, 7),
        (100, 100),
        (129, 65),
        (65, 129),
    ];
    for (m, n) in sizes {
        let a = random::<T>(m * n, (m * 200 + n) as u64);
        let lu = Lu::new(a.clone(), m, n).unwrap();
        let k = m.min(n);
        let l: Vec<T> = (0..m * k)
            .map(|e| match (e / k, e % k) {
                (i, j) if i == j => T::ONE,
                (i, j) if i > j => lu.packed()[i * n + j],
                _ => T::ZERO,
            })
            .collect();
        let u: Vec<T> = (0..k * n).map(|e| if e % n >= e / n { lu.packed()[e] } else { T::ZERO }).collect();
        assert!(l.iter().all(|x| x.abs() <= T::ONE));
        let permuted: Vec<T> = lu.order().iter().flat_map(|&i| a[i as usize * n..][..n].to_vec()).collect();
        assert_close(&times(&l, &u, [m, k, n]), &permuted, 100.0 * rounding, &format!("{m} × {n}"));
    }
    for n in [1, 2, 20, 90] {
        let (a, x) = (random::<T>(n * n, n as u64), random::<T>(n * 3, 7));
        let b = times(&a, &x, [n, n, 3]);
        let lu = Lu::new(a.clone(), n, n).unwrap();
        assert_close(&lu.solve(&b, 3).unwrap(), &x, 2e4 * n as f64 * rounding, "solve");
        let at: Vec<T> = (0..n * n).map(|e| a[e % n * n + e / n]).collect();
        let mut found = vec![T::ZERO; n * 3];
        solve_transposed_with(lu.packed(), lu.order(), &times(&at, &x, [n, n, 3]), 3, &mut found);
        assert_close(&found, &x, 2e4 * n as f64 * rounding, "transposed");
        let again = with_threads(3, || Lu::new(a.clone(), n, n).unwrap());
        assert_eq!(again.packed(), lu.packed());
    }
}

#[test]
fn lu() {
    lu_of::<f32>();
    lu_of::<f64>();
    assert_eq!(Lu::new(vec![0.0, f64::INFINITY], 1, 2).unwrap_err(), LinalgError::NotFinite);
    let singular = Lu::new(vec![0.0f64; 9], 3, 3).unwrap();
    assert_eq!((singular.singular_row(), singular.sign()), (Some(0), 1.0));
    assert_eq!(Lu::new(vec![0.0, 1.0, 1.0, 0.0f64], 2, 2).unwrap().sign(), -1.0);
    // Badly scaled is not singular.
    let scaled = Lu::new(vec![1.0, 1.0, 0.0, 1e-30f64], 2, 2).unwrap();
    assert_eq!(scaled.solve(&[1.0, 1e-30], 1).unwrap(), [0.0, 1.0]);
}

#[test]
fn triangular_systems_of_every_kind() {
    for n in [0, 1, 3, 20, 100] {
        // Strong on the diagonal, so that the solutions are tame.
        let mut a = random::<f64>(n * n, 3);
        a.iter_mut().for_each(|x| *x /= (n + 1) as f64);
        a.iter_mut().step_by(n + 1).for_each(|d| *d += 1.5);
        for columns in [0, 1, 5] {
            let x = random::<f64>(n * columns, 4);
            for kind in 0..8 {
                let [upper, transposed, unit] = [1, 2, 4].map(|bit| kind & bit != 0);
                let m: Vec<f64> = (0..n * n)
                    .map(|e| if transposed { (e % n, e / n) } else { (e / n, e % n) })
                    .map(|(i, j)| match i == j {
                        true if unit => 1.0,
                        false if (i > j) == upper => 0.0,
                        _ => a[i * n + j],
                    })
                    .collect();
                let mut b = times(&m, &x, [n, n, columns]);
                solve_triangular(&a, n, Triangle { upper, transposed, unit }, &mut b, columns);
                assert_close(&b, &x, 1e-12, &format!("n = {n}, {upper}, {transposed}, {unit}"));
            }
        }
    }
}

#[test]
fn exponentials() {
    // Nilpotent, diagonal, a rotation by many turns, and norms that need scaling.
    let nilpotent = exponential(&[0.0, 1.0, 2.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0f64], 3).unwrap();
    assert_close(&nilpotent, &[1.0, 1.0, 3.5, 0.0, 1.0, 3.0, 0.0, 0.0, 1.0], 1e-15, "nilpotent");
    assert_eq!(exponential(&[0.0f32; 4], 2).unwrap(), [1.0, 0.0, 0.0, 1.0]);
    for angle in [1e-9, 0.5, 3.0, 40.0f64] {
        let found = exponential(&[0.0, -angle, angle, 0.0], 2).unwrap();
        let (s, c) = angle.sin_cos();
        assert_close(&found, &[c, -s, s, c], 1e-14 * (1.0 + angle), &format!("{angle}"));
    }
    let diagonal = exponential(&[-30.0, 0.0, 0.0, 2.0f64], 2).unwrap();
    assert_close(&diagonal, &[(-30f64).exp(), 0.0, 0.0, 2f64.exp()], 1e-13, "diagonal");
    let single = exponential(&[-3.0f32, 1.0, 0.5, 2.0], 2).unwrap();
    let double = exponential(&[-3.0f64, 1.0, 0.5, 2.0], 2).unwrap();
    let double: Vec<f32> = double.iter().map(|&x| x as f32).collect();
    assert_close(&single, &double, 2e-5, "single precision");
    // e^A is I + A, also beside numbers that are not small: its derivative along D is D.
    let (a, b, c, d) = (3.2e-31f32, -2.1e-31, -2.4e-30, 1.2e-30);
    assert_close(&exponential(&[a, b, c, d], 2).unwrap(), &[1.0, b, c, 1.0], 1e-6, "small");
    let both = [a, b, -1.0, 1.0, c, d, 0.5, 2.0, 0.0, 0.0, a, b, 0.0, 0.0, c, d];
    let expected = [1.0, b, -1.0, 1.0, c, 1.0, 0.5, 2.0, 0.0, 0.0, 1.0, b, 0.0, 0.0, c, 1.0];
    assert_close(&exponential(&both, 4).unwrap(), &expected, 1e-6, "small beside others");
    assert!(exponential::<f64>(&[], 0).unwrap().is_empty());
    assert_eq!(exponential(&[f64::NAN], 1).unwrap_err(), LinalgError::NotFinite);
}
