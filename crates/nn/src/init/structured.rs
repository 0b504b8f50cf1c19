//! Matrices and kernels with most elements 0.

use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Shape};

use super::normal;

#[track_caller]
pub(super) fn identity<T: Float>(shape: &Shape, out: &mut [T]) {
    assert!(shape.len() == 2, "init: shape {shape} is no matrix with a diagonal");
    for (i, out) in out.iter_mut().enumerate() {
        *out = if i / shape[1] == i % shape[1] { T::ONE } else { T::ZERO };
    }
}

#[track_caller]
pub(super) fn dirac<T: Float>(shape: &Shape, groups: usize, out: &mut [T]) {
    assert!(
        (3..=5).contains(&shape.len()),
        "init: shape {shape} is no weight of a convolution, which has three to five axes"
    );
    assert!(
        groups > 0 && shape[0].is_multiple_of(groups),
        "init: {} output channels cannot be parted into {groups} groups",
        shape[0]
    );
    out.fill(T::ZERO);
    if out.is_empty() {
        return;
    }
    let in_group = shape[0] / groups;
    let kernel: usize = shape[2..].iter().product();
    let middle = shape[2..].iter().fold(0, |at, &length| at * length + length / 2);
    for channel in 0..shape[0] {
        let input = channel % in_group;
        if input < shape[1] {
            out[(channel * shape[1] + input) * kernel + middle] = T::ONE;
        }
    }
}

#[track_caller]
pub(super) fn sparse<T: Float>(
    shape: &Shape,
    sparsity: f64,
    std: f64,
    out: &mut [T],
    generator: &mut Generator,
) {
    assert!(shape.len() == 2, "init: shape {shape} is no matrix with sparse columns");
    assert!((0.0..=1.0).contains(&sparsity), "init: {sparsity} is no part of a column");
    normal(out, 0.0, std, generator);
    let (rows, columns) = (shape[0], shape[1]);
    let zeros = (sparsity * rows as f64).ceil() as usize;
    let mut order: Vec<usize> = (0..rows).collect();
    for column in 0..columns {
        // The first places of a random order (Fisher and Yates).
        for i in 0..zeros.min(rows) {
            order.swap(i, i + generator.below((rows - i) as u64) as usize);
            out[order[i] * columns + column] = T::ZERO;
        }
    }
}
