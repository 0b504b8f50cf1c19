//! Eigenvalues and singular values.

use super::tests::{assert_close, product, random, symmetric};
use super::tests_of_solvers::times;
use super::*;
use crate::array::element::Float;
use crate::machine::parallel::with_threads;

fn eigenpairs_of<T: Float>() {
    let rounding = T::EPSILON.to_f64();
    for n in (0..40).chain([64, 100, 131]) {
        let a = symmetric::<T>(n, n as u64);
        let (values, vectors) = symmetric_eigen(&a, n).unwrap();
        assert_eq!((values.len(), vectors.len()), (n, n * n));
        for (k, v) in vectors.chunks(n.max(1)).enumerate() {
            let scaled: Vec<T> = v.iter().map(|&v| v * values[k]).collect();
            assert_close(&product(&a, n, v), &scaled, 5e3 * rounding, &format!("n = {n}"));
            let square: T = v.iter().map(|&v| v * v).sum();
            assert!((square.to_f64() - 1.0).abs() < 5e3 * rounding);
        }
        assert!(values.windows(2).all(|w| w[0] <= w[1]));
    }
    assert_eq!(symmetric_eigen(&[T::NAN], 1).unwrap_err(), LinalgError::NotFinite);
    assert_eq!(symmetric_eigen(&[T::ZERO; 9], 3).unwrap().0, [T::ZERO; 3]);
}

#[test]
fn eigenpairs_are_eigenpairs() {
    eigenpairs_of::<f64>();
    eigenpairs_of::<f32>();
}

fn svd_of<T: Float>() {
    let rounding = T::EPSILON.to_f64();
    for (m, n) in [
        (0, 0),
        (0, 2),
        (2, 0),
        (1, 1),
        (1, 4),
        (4, 1),
        (6, 6),
        (20, 9),
        (9, 20),
        (60, 50),
        (64, 64),
        (101, 101),
        (90, 40),
        (40, 90),
    ] {
        for scale in [1.0, 1e-30, 1e30] {
            let a: Vec<T> =
                random::<T>(m * n, (m + n) as u64).into_iter().map(|x| x * T::from_f64(scale)).collect();
            check_svd(&a, m, n, scale * 200.0 * rounding);
        }
    }
}

#[track_caller]
fn check_svd<T: Float>(a: &[T], m: usize, n: usize, tolerance: f64) -> Vec<T> {
    let k = m.min(n);
    let Svd { u, values, vt } = svd(a, m, n).unwrap();
    assert_eq!([u.len(), values.len(), vt.len()], [m * k, k, k * n]);
    assert!(values.windows(2).all(|w| w[0] >= w[1]) && values.iter().all(|&s| s >= T::ZERO));
    let scaled: Vec<T> = (0..k * n).map(|e| values[e / n] * vt[e]).collect();
    assert_close(&times(&u, &scaled, [m, k, n]), a, tolerance, &format!("{m} × {n}"));
    let identity: Vec<T> = (0..k * k).map(|e| if e / k == e % k { T::ONE } else { T::ZERO }).collect();
    let v: Vec<T> = (0..n * k).map(|e| vt[e % k * n + e / k]).collect();
    assert_close(&times(&vt, &v, [k, n, k]), &identity, 200.0 * T::EPSILON.to_f64(), "VᵀV");
    let ut: Vec<T> = (0..k * m).map(|e| u[e % m * k + e / m]).collect();
    assert_close(&times(&ut, &u, [k, m, k]), &identity, 200.0 * T::EPSILON.to_f64(), "UᵀU");
    values
}

#[test]
fn singular_values() {
    svd_of::<f32>();
    svd_of::<f64>();
    assert_eq!(svd(&[f64::NAN], 1, 1).unwrap_err(), LinalgError::NotFinite);
    check_svd(&[0.0f64; 12], 4, 3, 0.0);
    // Of rank one, two and with a column of zeros.
    let outer: Vec<f64> = (0..30).map(|e| ((e / 5 + 1) * (e % 5 + 2)) as f64).collect();
    let values = check_svd(&outer, 6, 5, 1e-13);
    assert!(values[1] < 1e-13);
    let values = check_svd(&[1.0, 0.0, 1.0, 2.0, 0.0, 2.0, 0.0, 0.0, 1.0f64], 3, 3, 1e-14);
    assert_eq!(values[2], 0.0);
    // Small values to high relative accuracy: a column of 1e-20 beside one of 1.
    // Rows whose squares underflow, beside which others are large.
    for a in [
        [1.0, 0.5e-160, 1.0, 1e-160],
        [1e-308, 0.5, 0.0, 1e300],
        [1e-310, 2.0, 3.0, 1e-200],
        [1.0, 1e-305, 1.0, -1e-305f64],
    ] {
        let largest = a.iter().fold(0.0f64, |max, x| max.max(x.abs()));
        check_svd(&a, 2, 2, 1e-14 * largest);
    }
    // A column of zeros between two others.
    let gap = [
        0.0,
        0.0,
        0.0948517463551336,
        -2.001822102388801,
        0.0,
        -3.0002467891519724,
        1.0133857018485697,
        0.0,
        -1.0133857018485697f64,
    ];
    assert_eq!(check_svd(&gap, 3, 3, 1e-14)[2], 0.0);
    check_svd(&[1.0f32, 2.0, 3.0, 1e-20, 3e-20, -1e-20, 1e-38, 1e-38, 2e-38], 3, 3, 1e-5);
    let values = check_svd(&[1.0, 1e-20, 1.0, -1e-20f64], 2, 2, 1e-15);
    assert!((values[1] / (2f64.sqrt() * 1e-20) - 1.0).abs() < 1e-14, "{values:?}");
}

/// B D with columns from 1 down to 2⁻⁶⁰, in no order: in single precision every singular value has all its digits, though the
/// least are far below ε times the largest.
#[test]
fn small_singular_values_have_all_their_digits() {
    for (m, n) in [(40, 40), (70, 50)] {
        let a: Vec<f32> = random::<f32>(m * n, 11)
            .into_iter()
            .enumerate()
            .map(|(e, x)| x * f32::powi(2.0, -((e % n * 17 % n * 60 / n) as i32)))
            .collect();
        // The columns with the scale of each taken out are well conditioned, so that double precision has these digits.
        let wide: Vec<f64> = a.iter().map(|&x| f64::from(x)).collect();
        let (found, exact) = (svd(&a, m, n).unwrap().values, svd(&wide, m, n).unwrap().values);
        assert!(exact[n - 1] < 1e-15 * exact[0]);
        for (k, (found, exact)) in found.iter().zip(&exact).enumerate() {
            assert!((f64::from(*found) / exact - 1.0).abs() < 2e-5, "{m} × {n}, {k}: {found} and {exact}");
        }
    }
}

#[test]
fn many_rows_of_low_rank_and_with_equal_singular_values() {
    let (n, rank) = (64, 20);
    let low = times(&random::<f64>(n * rank, 1), &random(rank * n, 2), [n, rank, n]);
    let values = check_svd(&low, n, n, 1e-12);
    assert!(values[rank - 1] > 0.1 && values[rank] < 1e-12, "{values:?}");
    check_svd(&vec![1.0f32; n * n], n, n, 1e-4);
    // Q + Q wᵀw: all but one of the singular values are 1.
    let q = Qr::new(random::<f64>(n * n, 3), n, n).q();
    let w = random::<f64>(n, 4);
    let plus: Vec<f64> = (0..n * n).map(|e| f64::from(e / n == e % n) + w[e / n] * w[e % n]).collect();
    let values = check_svd(&times(&q, &plus, [n, n, n]), n, n, 1e-12);
    assert!(values[1..].iter().all(|s| (s - 1.0).abs() < 1e-13), "{values:?}");
    let (values, _) = symmetric_eigen(&plus, n).unwrap();
    assert!(values[..n - 1].iter().all(|s| (s - 1.0).abs() < 1e-13), "{values:?}");
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let n = 150;
    let (a, b) = (random::<f32>(n * n, 3), symmetric::<f32>(n, 4));
    let bits = || {
        let Svd { u, values, vt } = svd(&a, n, n).unwrap();
        let (eigenvalues, vectors) = symmetric_eigen(&b, n).unwrap();
        [u, values, vt, eigenvalues, vectors].concat().into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    let expected = with_threads(1, bits);
    for threads in [2, 3, 8] {
        assert!(with_threads(threads, bits) == expected, "{threads} threads");
    }
}
