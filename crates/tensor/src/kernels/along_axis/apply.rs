//! A map applied to an axis.

use super::AxisMap;
use crate::array::element::Float;
use crate::compiled_here;
use crate::machine::parallel;

/// Applies the map to the axis of length [`inputs`](AxisMap::inputs) of an array `[…, inputs, inner…]` with `inner` elements
/// for each position; `output` is `[…, outputs, inner…]`, contiguous too.
///
/// # Panics
/// If the lengths of the slices do not fit the map.
#[track_caller]
pub fn apply_axis_map<T: Float>(map: &AxisMap, inner: usize, input: &[T], output: &mut [T]) {
    check("apply_axis_map", [map.inputs(), map.outputs()], inner, [input.len(), output.len()]);
    apply(map, inner, input, output);
}

/// Panics unless slices of those lengths are as many blocks of `sizes` times `inner` elements.
#[track_caller]
pub(super) fn check(operation: &str, sizes: [usize; 2], inner: usize, lengths: [usize; 2]) {
    let blocks = [0, 1].map(|i| (sizes[i] * inner, lengths[i]));
    let fits = blocks.iter().all(|&(block, len)| if block == 0 { len == 0 } else { len % block == 0 })
        && (blocks.iter().any(|&(block, _)| block == 0)
            || blocks[0].1 / blocks[0].0 == blocks[1].1 / blocks[1].0);
    let [inputs, outputs] = sizes;
    let [input, output] = lengths;
    assert!(
        fits,
        "{operation}: {input} and {output} elements do not fit a map from {inputs} to {outputs} positions of {inner}"
    );
}

compiled_here! {
    fn apply<T: Float>(map: &AxisMap, inner: usize, input: &[T], output: &mut [T]) {
        let (inputs, outputs) = (map.inputs(), map.outputs());
        if output.is_empty() {
            return;
        }
        // Whole blocks of the axis where they are small, else single rows of it.
        let block = outputs * inner;
        let parallel = output.len().max(input.len()) >= parallel::PARALLEL_THRESHOLD;
        if inner == 1 {
            let at_once = parallel::CHUNK.div_ceil(block) * block;
            parallel::for_each_chunk(output, at_once, parallel, |start, out| {
                let input = &input[start / block * inputs..];
                for (i, out) in out.chunks_exact_mut(block).enumerate() {
                    elements(map, &input[i * inputs..][..inputs], out);
                }
            });
        } else {
            let at_once = parallel::CHUNK.div_ceil(inner) * inner;
            parallel::for_each_chunk(output, at_once, parallel, |start, out| {
                for (i, out) in out.chunks_exact_mut(inner).enumerate() {
                    let row = start / inner + i;
                    let input = &input[row / outputs * inputs * inner..][..inputs * inner];
                    sum_of_rows(map.row(row % outputs), input, out);
                }
            });
        }
    }
}

/// An axis of single elements.
fn elements<T: Float>(map: &AxisMap, input: &[T], out: &mut [T]) {
    for (i, out) in out.iter_mut().enumerate() {
        *out = match map.row(i) {
            [] => T::ZERO,
            [(first, weight), rest @ ..] => {
                rest.iter().fold(input[*first] * T::from_f64(*weight), |sum, (at, w)| {
                    sum + input[*at] * T::from_f64(*w)
                })
            }
        };
    }
}

/// One row of an axis whose positions have as many elements as `out`.
fn sum_of_rows<T: Float>(terms: &[(usize, f64)], input: &[T], out: &mut [T]) {
    let Some((&(first, weight), rest)) = terms.split_first() else { return out.fill(T::ZERO) };
    let row = |at: usize| &input[at * out.len()..][..out.len()];
    let (first, rows) =
        (row(first), rest.iter().map(|&(at, w)| (row(at), T::from_f64(w))).collect::<Vec<_>>());
    if weight == 1.0 {
        out.copy_from_slice(first);
    } else {
        let weight = T::from_f64(weight);
        out.iter_mut().zip(first).for_each(|(out, &x)| *out = x * weight);
    }
    for (row, weight) in rows {
        out.iter_mut().zip(row).for_each(|(out, &x)| *out += x * weight);
    }
}
