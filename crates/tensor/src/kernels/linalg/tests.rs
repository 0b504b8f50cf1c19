use super::*;
use crate::array::element::Float;
use crate::machine::parallel::with_threads;

/// Numbers in (−1, 1) that depend on `seed` only.
pub(super) fn random<T: Float>(len: usize, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        T::from_f64((state >> 11) as f64 / (1u64 << 52) as f64 - 1.0)
    };
    (0..len).map(|_| next()).collect()
}

pub(super) fn symmetric<T: Float>(n: usize, seed: u64) -> Vec<T> {
    let a = random::<T>(n * n, seed);
    (0..n * n).map(|k| a[k] + a[k % n * n + k / n]).collect()
}

/// B Bᵀ/n + `shift` I.
pub(super) fn positive<T: Float>(n: usize, seed: u64, shift: f64) -> Vec<T> {
    let b = random::<f64>(n * n, seed);
    let of = |i: usize, j: usize| {
        let dot: f64 = (0..n).map(|k| b[i * n + k] * b[j * n + k]).sum();
        dot / n as f64 + if i == j { shift } else { 0.0 }
    };
    (0..n * n).map(|k| T::from_f64(of(k / n, k % n))).collect()
}

pub(super) fn product<T: Float>(a: &[T], n: usize, x: &[T]) -> Vec<T> {
    a.chunks(n.max(1)).map(|row| row.iter().zip(x).map(|(&a, &x)| a * x).sum()).collect()
}

#[track_caller]
pub(super) fn assert_close<T: Float>(x: &[T], y: &[T], tolerance: f64, label: &str) {
    assert_eq!(x.len(), y.len(), "{label}");
    for (i, (x, y)) in x.iter().zip(y).enumerate() {
        assert!((*x - *y).abs().to_f64() <= tolerance, "{label}: element {i}: {x} and {y}");
    }
}

#[test]
fn ldl_solves_and_counts_signs() {
    for n in 1..30 {
        // Zero diagonals force the blocks of two.
        for zero in [false, true] {
            let mut a = symmetric::<f64>(n, 100 + n as u64);
            if zero && n > 1 {
                (0..n).for_each(|i| a[i * n + i] = 0.0);
            }
            let x = random(n, 7);
            let factor = Ldl::new(&a, n).unwrap();
            let (values, _) = symmetric_eigen(&a, n).unwrap();
            let condition = values.iter().fold(0.0f64, |m, v| m.max(v.abs()))
                / values.iter().fold(f64::INFINITY, |m, v| m.min(v.abs()));
            let found = factor.solve(&product(&a, n, &x)).unwrap();
            assert_close(&found, &x, 1e-13 * condition * n as f64, &format!("n = {n}"));
            let positive = values.iter().filter(|v| **v > 0.0).count();
            assert_eq!(factor.inertia(), (positive, n - positive, 0), "n = {n}");
            let single: Vec<f32> = a.iter().map(|&a| a as f32).collect();
            assert_eq!(Ldl::new(&single, n).unwrap().inertia(), (positive, n - positive, 0), "n = {n}");
        }
    }
    assert_eq!(Ldl::<f64>::new(&[], 0).unwrap().solve(&[]), Ok(vec![]));
    let singular = Ldl::new(&[1.0, 1.0, 1.0, 1.0], 2).unwrap();
    assert_eq!(singular.inertia(), (1, 0, 1));
    assert_eq!(singular.solve(&[1.0, 2.0]), Err(LinalgError::Singular { row: 1 }));
    assert_eq!(Ldl::new(&[f64::INFINITY], 1).unwrap_err(), LinalgError::NotFinite);
}

#[test]
fn elements_whose_squares_leave_the_range() {
    for scale in [1e30f32, 1e-30] {
        let a = [0.5, 1.0, 2.0, 1.0, -0.25, 3.0, 2.0, 3.0, 0.125].map(|a| a * scale);
        let x = Ldl::new(&a, 3).unwrap().solve(&product(&a, 3, &[1.0, -2.0, 3.0])).unwrap();
        assert_close(&x, &[1.0, -2.0, 3.0], 1e-5, "ldl");
        let x = Qr::new(a.to_vec(), 3, 3).solve(&product(&a, 3, &[1.0, -2.0, 3.0])).unwrap();
        assert_close(&x, &[1.0, -2.0, 3.0], 1e-5, "qr");
        let (values, _) = symmetric_eigen(&a, 3).unwrap();
        assert!((values.iter().sum::<f32>() / (0.375 * scale) - 1.0).abs() < 1e-5, "{values:?}");
    }
}

#[test]
fn reflections_in_blocks_are_the_same_in_every_unit() {
    let (m, n) = (90, 70);
    let a = random::<f32>(m * n, 8);
    let near = Qr::new(a.clone(), m, n);
    // Powers of two, of which not a bit depends.
    for scale in [2f32.powi(120), 2f32.powi(-90)] {
        let far = Qr::new(a.iter().map(|x| x * scale).collect(), m, n);
        assert!(far.r().iter().zip(near.r()).all(|(far, near)| *far == near * scale), "{scale}");
        assert!(far.q() == near.q(), "{scale}");
    }
    // A triangle stays, with its signs.
    let r = near.r();
    let stacked = [r.clone(), vec![0.0; n * 3]].concat();
    assert!(Qr::new(stacked, n + 3, n).r() == r);
    let with_nan = Qr::new([a[..m * n - 1].to_vec(), vec![f32::NAN]].concat(), m, n);
    assert_eq!(with_nan.solve(&vec![1.0; m]).unwrap_err(), LinalgError::Singular { row: n - 1 });
}

#[test]
fn a_modified_factor_is_positive_definite_and_leaves_positive_matrices_alone() {
    for n in 1..20 {
        let mut factor = Ldl::new(&symmetric(n, n as u64), n).unwrap();
        let before = factor.inertia();
        assert_eq!(factor.make_positive(1e-8), before.0 < n);
        assert_eq!(factor.inertia(), (n, 0, 0));
        let b = random::<f64>(n, 3);
        let x = factor.solve(&b).unwrap();
        assert!(b.iter().zip(&x).map(|(b, x)| b * x).sum::<f64>() > 0.0);
    }
}

/// Sizes at every depth of the recursion.
const SIZES: [usize; 11] = [0, 1, 2, 3, 47, 48, 49, 96, 97, 150, 233];

fn cholesky_of<T: Float>() {
    let rounding = T::EPSILON.to_f64();
    for n in SIZES {
        let a = positive::<T>(n, n as u64, 0.1);
        let factor = Cholesky::new(&a, n).unwrap();
        let (l, inverse, label) = (factor.factor(), factor.inverse(), format!("n = {n}"));
        let row = |m: &'_ [T], i: usize| m[i * n..(i + 1) * n].to_vec();
        for i in 0..n {
            assert_close(&product(l, n, &row(l, i)), &row(&a, i), 50.0 * rounding, &label);
            assert!(l[i * n + i + 1..(i + 1) * n].iter().all(|&x| x == T::ZERO));
            let mut unit = vec![T::ZERO; n];
            unit[i] = T::ONE;
            assert_close(&product(&a, n, &row(&inverse, i)), &unit, 5e3 * rounding, &label);
            for j in 0..i {
                assert!(inverse[i * n + j] == inverse[j * n + i], "{label}: not symmetric");
            }
        }
        let x = random::<T>(n, 9);
        assert_close(&factor.solve(&product(&a, n, &x)), &x, 5e3 * rounding, &label);
        // Only the lower triangle is read.
        let mut half = a.clone();
        (0..n).for_each(|i| half[i * n + i + 1..(i + 1) * n].fill(T::NAN));
        assert!(Cholesky::new(&half, n).unwrap().factor() == l);
    }
}

#[test]
fn cholesky_factors_solves_and_inverts() {
    cholesky_of::<f64>();
    cholesky_of::<f32>();
}

#[test]
fn indefinite_and_non_finite_matrices_are_refused() {
    for n in [1, 3, 60, 131] {
        for row in [0, n / 2, n - 1] {
            let mut a = positive::<f64>(n, 5, 0.1);
            a[row * (n + 1)] = -1.0;
            assert_eq!(Cholesky::new(&a, n).unwrap_err(), LinalgError::NotPositiveDefinite { row });
            a[row * (n + 1)] = f64::INFINITY;
            assert_eq!(Cholesky::new(&a, n).unwrap_err(), LinalgError::NotFinite);
            a[row * (n + 1)] = 1.0;
            a[(n - 1) * n] = f64::NAN;
            assert_eq!(Cholesky::new(&a, n).unwrap_err(), LinalgError::NotFinite);
        }
        // Of rank one: what is left is rounding.
        let ones = vec![1.0f32; n * n];
        let expected = if n == 1 { None } else { Some(LinalgError::NotPositiveDefinite { row: 1 }) };
        assert_eq!(Cholesky::new(&ones, n).err(), expected);
    }
}

#[test]
fn cholesky_gives_the_same_bits_for_any_number_of_threads() {
    let a = positive::<f32>(233, 3, 0.01);
    let bits = || {
        let factor = Cholesky::new(&a, 233).unwrap();
        let all = [factor.inverse(), factor.factor().to_vec()].concat();
        all.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
    };
    let expected = with_threads(1, bits);
    for threads in [2, 3, 8] {
        assert!(with_threads(threads, bits) == expected, "{threads} threads");
    }
}

fn qr_of<T: Float>() {
    let rounding = T::EPSILON.to_f64();
    for (m, n) in [(0, 0), (3, 0), (1, 1), (5, 3), (20, 7), (9, 9), (64, 33), (64, 64), (150, 97)] {
        let (a, b) = (random::<T>(m * n, 5), random::<T>(m, 6));
        let label = format!("{m} × {n}");
        let factor = Qr::new(a.clone(), m, n);
        let (q, r) = (factor.q(), factor.r());
        let column = |a: &[T], j: usize| a.iter().skip(j).step_by(n).copied().collect::<Vec<T>>();
        for j in 0..n {
            assert_close(&product(&q, n, &column(&r, j)), &column(&a, j), 200.0 * rounding, &label);
            for k in 0..n {
                let dot: T = column(&q, j).iter().zip(column(&q, k)).map(|(&a, b)| a * b).sum();
                let identity = if j == k { 1.0 } else { 0.0 };
                assert!((dot.to_f64() - identity).abs() < 50.0 * rounding, "{label}: QᵀQ");
            }
        }
        let x = factor.solve(&b).unwrap();
        let residual: Vec<T> = product(&a, n, &x).iter().zip(&b).map(|(&ax, &b)| ax - b).collect();
        for j in 0..n {
            let dot: T = column(&a, j).iter().zip(&residual).map(|(&a, &r)| a * r).sum();
            assert!(dot.abs().to_f64() < 1e5 * rounding, "{label}: Aᵀr = {dot}");
        }
        // R⁻ᵀ against R⁻¹: yᵀ(R⁻¹x) = (R⁻ᵀy)ᵀx.
        let fit = factor.least_squares(&b);
        let (y, z) = (random::<T>(n, 1), random::<T>(n, 2));
        let left: T = fit.solve(&z).iter().zip(&y).map(|(&a, &b)| a * b).sum();
        let right: T = fit.solve_transposed(&y).iter().zip(&z).map(|(&a, &b)| a * b).sum();
        assert!((left - right).abs().to_f64() < 1e6 * rounding * left.abs().to_f64().max(1.0));
        assert!(fit.is_full_rank());
    }
}

#[test]
fn qr_factors_and_solves_least_squares() {
    qr_of::<f64>();
    qr_of::<f32>();
}

#[test]
fn dependent_columns_have_no_solution_of_least_squares() {
    let twice = Qr::new(vec![1.0, 1.0, 1.0, 1.0], 2, 2);
    assert!(!twice.least_squares(&[1.0, 1.0]).is_full_rank());
    assert_eq!(twice.solve(&[1.0, 1.0]), Err(LinalgError::Singular { row: 1 }));
    assert_eq!(Qr::new(vec![0.0f32; 6], 3, 2).solve(&[1.0; 3]), Err(LinalgError::Singular { row: 0 }));
    assert_eq!(Qr::new(vec![f64::NAN], 1, 1).solve(&[1.0]), Err(LinalgError::Singular { row: 0 }));
}

#[test]
#[should_panic(expected = "cholesky: a matrix of 3 elements is not 2 × 2")]
fn a_matrix_that_is_not_square() {
    let _ = Cholesky::new(&[1.0, 2.0, 3.0], 2);
}

#[test]
#[should_panic(expected = "qr: 4 elements are no matrix of 1 × 4 with at least as many rows")]
fn fewer_rows_than_columns() {
    let _ = Qr::new(vec![1.0; 4], 1, 4);
}

#[test]
#[should_panic(expected = "ldl: right-hand side of 3, matrix of 2 rows")]
fn a_right_hand_side_of_another_length() {
    let _ = Ldl::new(&[1.0, 0.0, 0.0, 1.0], 2).unwrap().solve(&[1.0; 3]);
}
