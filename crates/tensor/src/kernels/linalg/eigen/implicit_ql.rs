//! Eigenvalues of tridiagonal matrices.

use super::rotations::Rotations;
use crate::array::element::Float;

/// Sweeps for one eigenvalue: no matrix has ever needed thirty.
const SWEEPS: usize = 60;

/// Diagonalises the tridiagonal matrix (d, e), part of one whose largest element is about `size`, rotating the rows of a matrix along.
/// Gives whether it came to an end.
pub(super) fn diagonalise<T: Float>(d: &mut [T], e: &mut [T], size: T, rows: &mut Rotations<T>) -> bool {
    let n = d.len();
    let two = T::from_f64(2.0);
    // What multiplied with itself leaves the range of numbers: sweeps that underflow change nothing.
    let least = size * T::MIN_POSITIVE.sqrt();
    for l in 0..n {
        let mut sweeps = 0;
        loop {
            let negligible = |&m: &usize| {
                let (own, beside) = (e[m].abs(), d[m].abs() + d[m + 1].abs());
                own <= T::EPSILON * beside || sweeps > SWEEPS / 2 && own <= least
            };
            let m = (l..n - 1).find(negligible).unwrap_or(n - 1);
            if m == l {
                break;
            }
            sweeps += 1;
            if sweeps > SWEEPS {
                return false;
            }
            // Wilkinson's shift from the leading two.
            let g = (d[l + 1] - d[l]) / (two * e[l]);
            let mut g = d[m] - d[l] + e[l] / (g + g.hypot(T::ONE).copysign(g));
            let (mut s, mut c, mut p) = (T::ONE, T::ONE, T::ZERO);
            let mut early = None;
            for i in (l..m).rev() {
                let (f, b) = (s * e[i], c * e[i]);
                let (r, turn) = rotation(f, g);
                e[i + 1] = r;
                if r == T::ZERO {
                    d[i + 1] -= p;
                    e[m] = T::ZERO;
                    early = Some(i + 1);
                    break;
                }
                (s, c) = turn;
                g = d[i + 1] - p;
                let t = (d[i] - g) * s + two * c * b;
                p = s * t;
                d[i + 1] = g + p;
                g = c * t - b;
                rows.push(c, s);
            }
            let last = early.unwrap_or(l);
            rows.end(last, m - last);
            if early.is_some() {
                continue;
            }
            d[l] -= p;
            e[l] = g;
            e[m] = T::ZERO;
        }
    }
    true
}

/// r = √(x² + y²), without a call where the squares are in range, and (x/r, y/r), which mean nothing where it is 0.
#[inline(always)]
fn rotation<T: Float>(x: T, y: T) -> (T, (T, T)) {
    let square = x * x + y * y;
    if square > T::MIN_POSITIVE / (T::EPSILON * T::EPSILON) && square < T::MAX {
        let length = square.sqrt();
        let inverse = T::ONE / length;
        return (length, (x * inverse, y * inverse));
    }
    // Subnormal numbers have too few digits for a rotation.
    let unit = if x.abs().maximum(y.abs()) < T::ONE { T::MIN_POSITIVE } else { T::ONE };
    let (x, y) = (x / unit, y / unit);
    let length = x.hypot(y);
    (length * unit, (x / length, y / length))
}
