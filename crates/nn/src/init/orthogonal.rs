//! Random orthogonal matrices.

use wengert_tensor::linalg::Qr;
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Shape};

/// Fills a matrix `[rows, everything else]` with orthonormal rows, or columns if those are fewer, times `gain`.
///
/// They are the Q of the QR factorisation of a matrix of independent normal numbers, with R's diagonal positive, which
/// makes Q uniformly distributed (Mezzadri, "How to generate random matrices from the classical compact groups", 2007).
/// In double precision for either type.
#[track_caller]
pub(super) fn fill<T: Float>(shape: &Shape, gain: f64, out: &mut [T], generator: &mut Generator) {
    assert!(shape.len() >= 2, "init: shape {shape} is no matrix to be made orthogonal");
    let rows = shape[0];
    let columns: usize = shape[1..].iter().product();
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut vectors = vec![0f64; count * length];
    generator.fill_normal(&mut vectors, 0.0, 1.0);
    let matrix = (0..vectors.len()).map(|i| vectors[i % count * length + i / count]).collect();
    let factors = Qr::new(matrix, length, count);
    let (q, r) = (factors.q(), factors.r());
    let sign = |k: usize| r[k * (count + 1)].signum();
    for (i, out) in out.iter_mut().enumerate() {
        let (row, column) = (i / columns, i % columns);
        let (i, k) = if rows <= columns { (column, row) } else { (row, column) };
        *out = T::from_f64(gain * sign(k) * q[i * count + k]);
    }
}
