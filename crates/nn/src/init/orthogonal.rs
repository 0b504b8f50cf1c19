//! Random orthogonal matrices.

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
    orthonormalize(&mut vectors, length);
    for (i, out) in out.iter_mut().enumerate() {
        let (row, column) = (i / columns, i % columns);
        let at = if rows <= columns { row * length + column } else { column * length + row };
        *out = T::from_f64(gain * vectors[at]);
    }
}

/// Makes the consecutive vectors of that length orthonormal, by the method of Gram and Schmidt, twice: once more than
/// in exact arithmetic is enough (Giraud, Langou & Rozložník, 2005). Each keeps a positive product with what it was.
fn orthonormalize(vectors: &mut [f64], length: usize) {
    if length == 0 {
        return;
    }
    for i in 0..vectors.len() / length {
        let (done, rest) = vectors.split_at_mut(i * length);
        let vector = &mut rest[..length];
        for _ in 0..2 {
            for earlier in done.chunks_exact(length) {
                let along = dot(earlier, vector);
                for (v, e) in vector.iter_mut().zip(earlier) {
                    *v -= along * e;
                }
            }
        }
        let norm = dot(vector, vector).sqrt();
        for v in vector {
            *v /= norm;
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Four sums, so that the compiler may compute them side by side.
    let mut sums = [0.0; 4];
    for (a, b) in a.chunks(4).zip(b.chunks(4)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}
