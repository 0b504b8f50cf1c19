use super::lower::Lower;
use super::scales::{Scales, is_far, solve_scaled};
use super::{check_right_hand_sides, check_square};
use crate::array::element::Float;
use crate::compiled_here;

/// Which triangle of a matrix counts, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Triangle {
    /// The upper triangle instead of the lower one.
    pub upper: bool,
    /// The transpose of that triangle.
    pub transposed: bool,
    /// With ones in the place of the diagonal.
    pub unit: bool,
}

/// B ← M⁻¹ B for the triangular matrix M that `triangle` takes out of the n × n matrix `a`, and B of `columns` columns.
/// Where M is singular the result is infinite or NaN.
///
/// ```
/// use wengert_tensor::linalg::{Triangle, solve_triangular};
///
/// let a = [2.0, 1.0, 0.0, 4.0];
/// let mut x = [4.0, 8.0];
/// solve_triangular(&a, 2, Triangle { upper: true, ..Triangle::default() }, &mut x, 1);
/// assert_eq!(x, [1.0, 2.0]);
/// ```
///
/// # Panics
/// If `a` has not n² elements, or `b` not n rows of `columns`.
#[track_caller]
pub fn solve_triangular<T: Float>(a: &[T], n: usize, triangle: Triangle, b: &mut [T], columns: usize) {
    check_square("solve_triangular", a, n);
    check_right_hand_sides("solve_triangular", b, n, columns);
    solve(a, n, triangle, b, columns);
}

compiled_here! {
    fn solve<T: Float>(a: &[T], n: usize, triangle: Triangle, b: &mut [T], columns: usize) {
        let Triangle { upper, transposed, unit } = triangle;
        // Backwards, an upper triangle is a lower one.
        let backwards = upper != transposed;
        let mut l = vec![T::ZERO; n * n];
        for i in 0..n {
            for j in 0..=i {
                let (i_a, j_a) = if backwards { (n - 1 - i, n - 1 - j) } else { (i, j) };
                l[i * n + j] = if transposed { a[j_a * n + i_a] } else { a[i_a * n + j_a] };
            }
            if unit {
                l[i * n + i] = T::ONE;
            }
        }
        if backwards {
            reverse_rows(b, columns);
        }
        let regular = l.iter().step_by(n + 1).all(|&d| d != T::ZERO);
        if regular && l.iter().all(|x| x.is_finite()) && is_far(&l) {
            // Products may leave the range of numbers, though the solution is within.
            let scales = Scales::always(&l, n);
            let (scaled, right) = (scales.divide(&l), b.to_vec());
            let solve = |x: &mut [T]| Lower::new(&scaled, n, n).solve(x, columns);
            solve_scaled([&scales.rows, &scales.columns], &right, b, solve);
        } else {
            Lower::new(&l, n, n).solve(b, columns);
        }
        if backwards {
            reverse_rows(b, columns);
        }
    }
}

fn reverse_rows<T>(b: &mut [T], columns: usize) {
    if columns == 1 {
        return b.reverse();
    }
    let rows = b.len() / columns.max(1);
    for i in 0..rows / 2 {
        let (above, below) = b.split_at_mut((rows - 1 - i) * columns);
        above[i * columns..][..columns].swap_with_slice(&mut below[..columns]);
    }
}
