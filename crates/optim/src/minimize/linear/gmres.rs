use super::{Settings, Solve, Stop, check_input, residual};
use crate::minimize::operator::Operator;
use crate::minimize::rounding;
use crate::minimize::vector::{self, Float, axpy, dot, scale};

/// GMRES (Saad and Schultz, 1986), restarted every `restart` iterations, for any square A x = b from the start in
/// `x`. `restart` + 1 vectors of memory; modified Gram–Schmidt.
///
/// # Panics
/// If the lengths differ, `restart` is 0, or a setting means nothing: a tolerance that is negative or not finite, no iterations.
#[track_caller]
pub fn gmres<T: Float>(
    a: &dyn Operator<T>,
    b: &[T],
    x: &mut [T],
    restart: usize,
    settings: &Settings,
) -> Solve {
    check_input("gmres", a, b, x, settings);
    assert!(restart > 0, "gmres: restart must be at least 1");
    let n = b.len();
    let m = restart.min(n);
    let target = settings.tolerance * vector::norm(b);
    let limit = settings.limit(n);
    let mut basis = vec![vec![T::ZERO; n]; m + 1];
    // Column k of the triangular factor of the Hessenberg matrix, with the rotations that made it.
    let mut columns = vec![vec![0.0; m + 1]; m];
    let (mut rotations, mut rhs) = (vec![(1.0, 0.0); m], vec![0.0; m + 1]);
    let mut iterations = 0;
    // The largest ‖A v‖: what is small beside it is rounding.
    let mut largest: f64 = 0.0;
    loop {
        residual(a, b, x, &mut basis[0]);
        let start = vector::norm(&basis[0]);
        let done = |stop, residual| Solve { stop, iterations, residual };
        if !start.is_finite() {
            return done(Stop::NonFinite, start);
        }
        if start <= target {
            return done(Stop::Converged, start);
        }
        if iterations >= limit {
            return done(Stop::MaxIterations, start);
        }
        scale(1.0 / start, &mut basis[0]);
        rhs.fill(0.0);
        rhs[0] = start;
        let (mut size, mut singular) = (0, false);
        while size < m && iterations < limit && rhs[size].abs() > target {
            let (old, new) = basis.split_at_mut(size + 1);
            let (w, column) = (&mut new[0], &mut columns[size]);
            a.apply(&old[size], w);
            iterations += 1;
            let length = vector::norm(w);
            if !length.is_finite() {
                return Solve { stop: Stop::NonFinite, iterations, residual: rhs[size].abs() };
            }
            largest = largest.max(length);
            for (h, v) in column.iter_mut().zip(old.iter()) {
                *h = dot(v, w);
                axpy(-*h, v, w);
            }
            let mut below = vector::norm(w);
            // What is left is rounding: the Krylov space is invariant.
            if below <= rounding::of::<T>(1.0, length) {
                below = 0.0;
            } else {
                scale(1.0 / below, w);
            }
            for (k, &(c, s)) in rotations[..size].iter().enumerate() {
                (column[k], column[k + 1]) =
                    (c * column[k] + s * column[k + 1], c * column[k + 1] - s * column[k]);
            }
            let length = column[size].hypot(below);
            singular = length <= rounding::of::<T>(4.0 * (size + 1) as f64, largest);
            if singular {
                break;
            }
            let (c, s) = (column[size] / length, below / length);
            column[size] = length;
            rotations[size] = (c, s);
            (rhs[size], rhs[size + 1]) = (c * rhs[size], -s * rhs[size]);
            size += 1;
            if below == 0.0 {
                break;
            }
        }
        // Back substitution, then x += V y.
        let mut y = rhs[..size].to_vec();
        for k in (0..size).rev() {
            y[k] /= columns[k][k];
            for i in 0..k {
                y[i] -= y[k] * columns[k][i];
            }
        }
        for (y, v) in y.iter().zip(&basis) {
            axpy(*y, v, x);
        }
        if size == 0 {
            return Solve { stop: Stop::Breakdown, iterations, residual: start };
        }
        // An exhausted space that did not solve the system never will.
        let exhausted = singular || (size < m && rhs[size] == 0.0);
        if exhausted {
            residual(a, b, x, &mut basis[0]);
            let norm = vector::norm(&basis[0]);
            let stop = if norm <= target.max(rounding::of::<T>(1e3, start)) {
                Stop::Converged
            } else {
                Stop::Breakdown
            };
            return Solve { stop, iterations, residual: norm };
        }
    }
}
