//! Systems whose rows and columns are in units of their own: their solutions are those of the system in one unit.

use super::scales::times_power;
use super::tests::{assert_close, positive, random};
use super::tests_of_solvers::times;
use super::*;
use crate::array::element::Float;

/// Exponents of rows or columns, up to ± `size`.
fn exponents(n: usize, size: i64, seed: usize) -> Vec<i64> {
    (0..n).map(|i| [0, size, -size, size / 3, size / 5 - size, size / 7][(i + seed) % 6]).collect()
}

/// R A C of an m × n matrix.
fn scaled<T: Float>(a: &[T], rows: &[i64], columns: &[i64]) -> Vec<T> {
    let n = columns.len();
    a.iter().enumerate().map(|(e, &x)| times_power(x, rows[e / n] + columns[e % n])).collect()
}

/// Those whose product with another is within the range of numbers.
fn sizes<T: Float>() -> [i64; 3] {
    let room = T::MAX.to_f64().log2() as i64 / 2;
    [0, room / 3, room - 8]
}

fn solutions<T: Float>() {
    let tolerance = 1e5 * T::EPSILON.to_f64();
    for n in [1, 2, 3, 5, 6, 20, 70] {
        let (mut a, x) = (random::<T>(n * n, n as u64), random::<T>(n * 2, 7));
        // As well conditioned as the triangles below.
        a.iter_mut().for_each(|x| *x /= T::from_usize(n));
        a.iter_mut().step_by(n + 1).for_each(|d| *d += T::ONE);
        for size in sizes::<T>() {
            let far = [exponents(n, size, 0), exponents(n, size, 2)];
            let near = vec![0; n];
            for (rows, columns) in [(&far[0], &near), (&near, &far[1]), (&far[0], &far[1])] {
                let label = format!("{n}, {rows:?}, {columns:?}");
                let right = |a: &[T]| scaled(&times(a, &x, [n, n, 2]), rows, &[0, 0]);
                let back = |x: Vec<T>| scaled(&x, columns, &[0, 0]);
                let matrix = scaled(&a, rows, columns);
                let found = Lu::new(matrix.clone(), n, n).unwrap().solve(&right(&a), 2).unwrap();
                assert_close(&back(found), &x, tolerance, &format!("lu, {label}"));
                for kind in 0..8 {
                    let [upper, transposed, unit] = [1, 2, 4].map(|bit| kind & bit != 0);
                    // Ones on the diagonal are those of one unit.
                    if unit && size > 0 {
                        continue;
                    }
                    let triangle: Vec<T> = (0..n * n)
                        .map(|e| match (e / n, e % n) {
                            (i, j) if i == j && unit => T::ONE,
                            (i, j) if i != j && (i > j) == upper => T::ZERO,
                            _ => a[e],
                        })
                        .collect();
                    let side = |x: &[T]| (0..n * n).map(|e| x[e % n * n + e / n]).collect::<Vec<T>>();
                    let whole = if transposed { side(&triangle) } else { triangle.clone() };
                    let matrix = scaled(&whole, rows, columns);
                    let stored = if transposed { side(&matrix) } else { matrix };
                    let mut b = right(&whole);
                    solve_triangular(&stored, n, Triangle { upper, transposed, unit }, &mut b, 2);
                    assert_close(&back(b), &x, tolerance, &format!("triangle {kind}, {label}"));
                }
            }
            // Columns alone: Q is the same.
            let columns = &far[1];
            let b: Vec<T> = times(&a, &x, [n, n, 2]).into_iter().step_by(2).collect();
            let found = Qr::new(scaled(&a, &near, columns), n, n).solve(&b).unwrap();
            let expected: Vec<T> = x.iter().copied().step_by(2).collect();
            assert_close(&scaled(&found, columns, &[0]), &expected, tolerance, &format!("qr, {columns:?}"));
            let (spd, sides) = (positive::<T>(n, n as u64, 0.5), &far[0]);
            let b: Vec<T> = times(&spd, &expected, [n, n, 1]);
            let factor = Cholesky::new(&scaled(&spd, sides, sides), n).unwrap();
            let found = factor.solve(&scaled(&b, sides, &[0]));
            assert_close(&scaled(&found, sides, &[0]), &expected, tolerance, &format!("cholesky, {sides:?}"));
            let inverse = scaled(&factor.inverse(), sides, sides);
            let identity = times(&inverse, &spd, [n, n, n]);
            let exact: Vec<T> = (0..n * n).map(|e| T::from_usize(usize::from(e / n == e % n))).collect();
            assert_close(&identity, &exact, tolerance, &format!("inverse, {sides:?}"));
        }
    }
}

#[test]
fn systems_in_many_units_have_their_solutions() {
    solutions::<f32>();
    solutions::<f64>();
}

/// Of one size in all rows and columns, and yet not to be eliminated with the first element, in whose rounding the others are lost.
#[test]
fn small_elements_that_decide() {
    let e = 2f64.powi(-70);
    let a = vec![1.0, 1.0, 1.0, 1.0, e, 2.0 * e, 1.0, -e, 3.0 * e];
    // The right-hand side is that of (0, 1, −1).
    let x = Lu::new(a, 3, 3).unwrap().solve(&[0.0, -e, -4.0 * e], 1).unwrap();
    assert_close(&x, &[0.0, 1.0, -1.0], 1e-14, "lu");
    // Of rank two, whatever the units: what is left is rounding.
    let singular = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
    let far = scaled(&singular, &[400, 0, -400], &[0, 100, -30]);
    assert!(matches!(Lu::new(far, 3, 3).unwrap().solve(&[1.0; 3], 1), Err(LinalgError::Singular { .. })));
    let zero_row = vec![1e200f64, 2.0, 0.0, 0.0];
    assert_eq!(Lu::new(zero_row, 2, 2).unwrap().singular_row(), Some(1));
}

/// A row that is solved for exceeds the range on the way.
#[test]
fn triangles_whose_products_are_out_of_range() {
    for (far, x) in [(1e300, 1e10), (1e-300, 1e-100)] {
        let mut b = [x, 0.0f64];
        solve_triangular(&[1.0, 0.0, far, far], 2, Triangle::default(), &mut b, 1);
        assert_close(&[b[0] / x, b[1] / x], &[1.0, -1.0], 1e-15, "triangle");
    }
}

/// The permutation whose product is the largest, against all permutations.
#[test]
fn scales_are_of_the_best_permutation() {
    fn best(logarithms: &[i64], n: usize, row: usize, taken: usize) -> i64 {
        if row == n {
            return 0;
        }
        let free = (0..n).filter(|j| taken & 1 << j == 0);
        free.map(|j| logarithms[row * n + j] + best(logarithms, n, row + 1, taken | 1 << j)).max().unwrap()
    }
    for n in 1..7 {
        for seed in 0..20 {
            let logarithms: Vec<i64> = random::<f64>(n * n, (100 * n + seed) as u64)
                .iter()
                .map(|x| (x * 150.0).round() as i64)
                .collect();
            let a: Vec<f64> = logarithms.iter().map(|&e| 2f64.powi(e as i32)).collect();
            let scales = scales::Scales::always(&a, n);
            let total: i64 = scales.rows.iter().chain(&scales.columns).sum();
            assert_eq!(total, best(&logarithms, n, 0, 0), "{logarithms:?}");
            let scaled = scales.divide(&a);
            assert!(
                scaled.iter().all(|&x| x <= 1.0) && (0..n).all(|i| scaled[i * n + scales.places[i]] == 1.0)
            );
        }
    }
}
