//! Flat vectors and the parameters' tensors.

use wengert_nn::{Layout, pieces};
use wengert_tape::Var;
use wengert_tensor::{Float, Tensor};

#[track_caller]
pub(crate) fn check_length(operation: &str, what: &str, length: usize, layout: &Layout) {
    let parameters = layout.len();
    assert!(
        length == parameters,
        "{operation}: the {what} has {length} elements, for {parameters} parameters"
    );
}

/// The parameters along which `v` is not zero, out of the `trained` ones, with the parts of `v` that belong to them: a sweep
/// visits only what depends on these.
#[track_caller]
pub(crate) fn split<'a, T: Float>(
    operation: &str,
    layout: &Layout,
    trained: &'a [Var<T>],
    v: &[T],
) -> (Vec<&'a Var<T>>, Vec<Var<T>>) {
    check_length(operation, "vector", v.len(), layout);
    let flat = Tensor::vector(v);
    let entries = layout.entries().iter().filter(|e| !e.frozen);
    let moved = entries.zip(trained).filter(|(e, _)| v[e.range()].iter().any(|&v| v != T::ZERO));
    moved.map(|(e, parameter)| (parameter, Var::constant(e.view(&flat)))).unzip()
}

/// Writes something for each parameter that is not frozen to its place, and zeros where there is nothing.
#[track_caller]
pub(crate) fn write<T: Float>(operation: &str, layout: &Layout, found: Vec<Option<Var<T>>>, out: &mut [T]) {
    // A part that does not depend on the parameters is zero, not an error.
    write_pieces(operation, layout, &pieces(layout, found, true).unwrap_or_default(), out);
}

/// Writes pieces to their places, zeros where there are none.
#[track_caller]
pub(crate) fn write_pieces<T: Float>(
    operation: &str,
    layout: &Layout,
    pieces: &[Option<Tensor<T>>],
    out: &mut [T],
) {
    check_length(operation, "slice to write to", out.len(), layout);
    for (entry, piece) in layout.entries().iter().zip(pieces) {
        let out = &mut out[entry.range()];
        match piece {
            Some(piece) => out.copy_from_slice(piece.contiguous().as_slice().expect("contiguous")),
            None => out.fill(T::ZERO),
        }
    }
}

/// The tensor of a variable's shape with a single 1, as element number `i`.
pub(crate) fn unit<T: Float>(like: &Var<T>, i: usize) -> Var<T> {
    let mut unit = Tensor::zeros(like.shape());
    unit.as_mut_slice()[i] = T::ONE;
    Var::constant(unit)
}
