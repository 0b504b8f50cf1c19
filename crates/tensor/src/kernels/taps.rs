//! Weighted sums of a few elements of a plane for each position, as sampling at places between the elements needs. They are
//! linear in the elements and in the weights, and the three functions are the derivatives of one another.

use crate::array::element::Float;
use crate::array::size;
use crate::compiled_here;
use crate::loops::blocks::for_each_block;

/// Planes `[batch, channels, inputs]`, weights and positions `[batch, taps, outputs]`, results `[batch, channels, outputs]`.
///
/// ```
/// use wengert_tensor::taps::{TapSums, sampled};
/// let sums = TapSums { batch: 1, channels: 2, inputs: 3, taps: 2, outputs: 1 };
/// let mut out = [0.0; 2];
/// sampled(&sums, &[1.0, 2.0, 3.0, 10.0, 20.0, 30.0], &[0.25, 0.75], &[0, 2], &mut out);
/// assert_eq!(out, [2.5, 25.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapSums {
    /// Independent examples.
    pub batch: usize,
    /// Planes of each example, which have the weights and positions in common.
    pub channels: usize,
    /// Elements of a plane.
    pub inputs: usize,
    /// Terms of each sum.
    pub taps: usize,
    /// Sums of each plane.
    pub outputs: usize,
}

impl TapSums {
    /// Panics unless the slices are of these numbers of elements and all positions are in a plane.
    #[track_caller]
    fn check(&self, planes: usize, weights: usize, at: &[u32], sums: usize) {
        let TapSums { batch, channels, inputs, taps, outputs } = *self;
        let count = |sizes: [usize; 3]| size::product("taps", &sizes);
        assert!(
            planes == count([batch, channels, inputs])
                && weights == count([batch, taps, outputs])
                && at.len() == weights
                && sums == count([batch, channels, outputs]),
            "taps: {planes} elements, {weights} weights, {} positions and {sums} sums do not fit {self:?}",
            at.len()
        );
        assert!(
            at.iter().all(|&at| (at as usize) < inputs),
            "taps: a position is outside of {inputs} elements"
        );
    }

    /// The weights or positions of an example.
    fn of_example<'a, X>(&self, all: &'a [X], example: usize) -> &'a [X] {
        let size = self.taps * self.outputs;
        &all[example * size..][..size]
    }
}

/// Each sum: Σₖ `weights[n, k, p]` · `planes[n, c, at[n, k, p]]`.
///
/// # Panics
/// If a slice has another length than `sums` says, these are too large, or a position is outside of a plane.
#[track_caller]
pub fn sampled<T: Float>(sums: &TapSums, planes: &[T], weights: &[T], at: &[u32], out: &mut [T]) {
    sums.check(planes.len(), weights.len(), at, out.len());
    of_planes(sums, planes, weights, at, out);
}

compiled_here! {
    fn of_planes<T: Float>(sums: &TapSums, planes: &[T], weights: &[T], at: &[u32], out: &mut [T]) {
        for_each_block(out, sums.outputs, |i, out| {
            let example = i / sums.channels;
            let plane = &planes[i * sums.inputs..][..sums.inputs];
            let (weights, at) = (sums.of_example(weights, example), sums.of_example(at, example));
            out.fill(T::ZERO);
            for (weights, at) in weights.chunks_exact(sums.outputs).zip(at.chunks_exact(sums.outputs)) {
                for ((sum, &weight), &at) in out.iter_mut().zip(weights).zip(at) {
                    *sum += weight * plane[at as usize];
                }
            }
        });
    }
}

/// The gradient with respect to the planes: each sum's goes, times the weights, to where its terms came from.
///
/// # Panics
/// As [`sampled`].
#[track_caller]
pub fn spread<T: Float>(sums: &TapSums, gradient: &[T], weights: &[T], at: &[u32], planes: &mut [T]) {
    sums.check(planes.len(), weights.len(), at, gradient.len());
    to_planes(sums, gradient, weights, at, planes);
}

compiled_here! {
    fn to_planes<T: Float>(sums: &TapSums, gradient: &[T], weights: &[T], at: &[u32], planes: &mut [T]) {
        planes.fill(T::ZERO);
        if gradient.is_empty() {
            return;
        }
        for_each_block(planes, sums.inputs, |i, plane| {
            let example = i / sums.channels;
            let gradient = &gradient[i * sums.outputs..][..sums.outputs];
            let (weights, at) = (sums.of_example(weights, example), sums.of_example(at, example));
            for (weights, at) in weights.chunks_exact(sums.outputs).zip(at.chunks_exact(sums.outputs)) {
                for ((&g, &weight), &at) in gradient.iter().zip(weights).zip(at) {
                    plane[at as usize] += weight * g;
                }
            }
        });
    }
}

/// The gradient with respect to the weights: Σ over the channels of gradient and element.
///
/// # Panics
/// As [`sampled`].
#[track_caller]
pub fn weighed<T: Float>(sums: &TapSums, gradient: &[T], planes: &[T], at: &[u32], weights: &mut [T]) {
    sums.check(planes.len(), weights.len(), at, gradient.len());
    to_weights(sums, gradient, planes, at, weights);
}

compiled_here! {
    fn to_weights<T: Float>(sums: &TapSums, gradient: &[T], planes: &[T], at: &[u32], weights: &mut [T]) {
        for_each_block(weights, sums.outputs, |i, weights| {
            let example = i / sums.taps;
            let at = &at[i * sums.outputs..][..sums.outputs];
            weights.fill(T::ZERO);
            for channel in example * sums.channels..(example + 1) * sums.channels {
                let plane = &planes[channel * sums.inputs..][..sums.inputs];
                let gradient = &gradient[channel * sums.outputs..][..sums.outputs];
                for ((weight, &g), &at) in weights.iter_mut().zip(gradient).zip(at) {
                    *weight += g * plane[at as usize];
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::parallel::with_threads;

    fn numbers(count: usize, salt: usize) -> Vec<f64> {
        (0..count).map(|i| ((i * 37 + salt * 11) % 101) as f64 / 50.0 - 1.0).collect()
    }

    #[test]
    fn transposes_of_one_another() {
        for [batch, channels, inputs, taps, outputs] in [
            [2, 3, 5, 4, 7],
            [1, 1, 1, 1, 1],
            [2, 0, 3, 2, 4],
            [0, 2, 3, 1, 2],
            [1, 2, 3, 2, 0],
            [2, 2, 3, 0, 4],
        ] {
            let sums = TapSums { batch, channels, inputs, taps, outputs };
            let planes = numbers(batch * channels * inputs, 0);
            let weights = numbers(batch * taps * outputs, 1);
            let gradient = numbers(batch * channels * outputs, 2);
            let at: Vec<u32> = (0..weights.len()).map(|i| (i * 7 % inputs) as u32).collect();
            let [mut out, mut to_planes, mut to_weights] =
                [gradient.len(), planes.len(), weights.len()].map(|n| vec![f64::NAN; n]);
            sampled(&sums, &planes, &weights, &at, &mut out);
            spread(&sums, &gradient, &weights, &at, &mut to_planes);
            weighed(&sums, &gradient, &planes, &at, &mut to_weights);
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let expected = dot(&out, &gradient);
            assert!((dot(&to_planes, &planes) - expected).abs() < 1e-12);
            assert!((dot(&to_weights, &weights) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn the_same_bits_for_any_number_of_threads() {
        let sums = TapSums { batch: 3, channels: 4, inputs: 2000, taps: 4, outputs: 3000 };
        let planes: Vec<f32> = (0..24_000).map(|i| (i as f32 * 0.37).sin()).collect();
        let weights: Vec<f32> = (0..36_000).map(|i| (i as f32 * 0.11).cos()).collect();
        let at: Vec<u32> = (0..36_000).map(|i| i * 7919 % 2000).collect();
        let all = || {
            let (mut out, mut back, mut of_weights) =
                (vec![0.0; 36_000], vec![0.0; 24_000], vec![0.0; 36_000]);
            sampled(&sums, &planes, &weights, &at, &mut out);
            spread(&sums, &out, &weights, &at, &mut back);
            weighed(&sums, &out, &planes, &at, &mut of_weights);
            (out, back, of_weights)
        };
        let expected = with_threads(1, all);
        for threads in [2, 3, 8] {
            assert!(with_threads(threads, all) == expected);
        }
    }

    #[test]
    #[should_panic(expected = "taps: a position is outside of 2 elements")]
    fn a_position_outside() {
        let sums = TapSums { batch: 1, channels: 1, inputs: 2, taps: 1, outputs: 1 };
        sampled(&sums, &[1.0, 2.0], &[1.0], &[2], &mut [0.0]);
    }

    #[test]
    #[should_panic(expected = "taps: 2 elements, 1 weights, 1 positions and 2 sums do not fit")]
    fn a_slice_of_another_length() {
        let sums = TapSums { batch: 1, channels: 1, inputs: 2, taps: 1, outputs: 1 };
        spread(&sums, &[1.0; 2], &[1.0], &[1], &mut [0.0; 2]);
    }
}
