//! Normalisation of rows of elements by their mean and variance, with its derivatives to second order, each in one pass.
//!
//! With z = (x − x̄)·r and r = 1/√(variance + ε) of each row, the tangent of z is J·ẋ with the Jacobian
//! J·u = r·(u − ū − z·mean(u·z)), which is symmetric (Ba, Kiros and Hinton, "Layer normalization", 2016). So it serves
//! tangents and cotangents alike, and its own derivative along ẋ is
//! −r·(mean(z·ẋ)·J·u + mean(u·z)·J·ẋ + z·mean(u·J·ẋ)). Without the mean (Zhang and Sennrich, "Root mean square layer
//! normalization", 2019) the same holds with x̄ = ū = 0.
//!
//! The functions read and write slices of whole tensors, whose [`NormGeometry`] says what a row is. They panic where a
//! slice has another length.

mod channels;
mod far;
mod formulas;
mod geometry;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_range;

pub use geometry::NormGeometry;

use crate::array::element::Float;
use crate::compiled_here;
use crate::loops::rows::{map_slices, pass_over_rows};
use channels::Frame;
use formulas::{
    GainGradient, GainGradientTangent, Gradient, GradientTangent, Gradients, Value, ValueTangent,
};

/// z·gain + bias.
///
/// # Panics
/// If a slice has not as many elements as x, or the gain.
#[track_caller]
pub fn value<T: Float>(geometry: &NormGeometry, x: &[T], gain: &[T], bias: &[T], out: &mut [T]) {
    compiled_here! {
        fn value<T: Float>(geometry: &NormGeometry, x: &[T], gain: &[T], bias: &[T], out: &mut [T]) {
            if let Some(frame) = geometry.frame() {
                return channels::value(geometry, frame, [x, gain, bias], out);
            }
            map_slices(x, geometry.length(), out, &Value { geometry, gain, bias });
        }
    }
    check(geometry, [x, out], [gain, bias]);
    value(geometry, x, gain, bias, out);
}

/// The tangent of [`value`] along tangents of x, gain and bias.
///
/// # Panics
/// If a slice has not as many elements as x, or the gain.
#[track_caller]
pub fn tangent<T: Float>(geometry: &NormGeometry, x: &[T], gain: &[T], along: [&[T]; 3], out: &mut [T]) {
    compiled_here! {
        fn tangent<T: Float>(geometry: &NormGeometry, x: &[T], gain: &[T], along: [&[T]; 3], out: &mut [T]) {
            if let Some(frame) = geometry.frame() {
                return channels::tangent(geometry, frame, [x, gain], along, out);
            }
            map_slices(x, geometry.length(), out, &ValueTangent { geometry, gain, along });
        }
    }
    check(geometry, [x, along[0], out], [gain, along[1], along[2]]);
    tangent(geometry, x, gain, along, out);
}

/// The gradient of [`value`] with respect to x, J·(gain·v), for the cotangent `v`.
///
/// # Panics
/// If a slice has not as many elements as x, or the gain.
#[track_caller]
pub fn gradient<T: Float>(geometry: &NormGeometry, x: &[T], gain: &[T], v: &[T], out: &mut [T]) {
    compiled_here! {
        fn gradient<T: Float>(geometry: &NormGeometry, x: &[T], gain: &[T], v: &[T], out: &mut [T]) {
            if let Some(frame) = geometry.frame() {
                channels::gradients(geometry, frame, [x, gain, v], Some(out));
                return;
            }
            map_slices(x, geometry.length(), out, &Gradient { geometry, gain, v });
        }
    }
    check(geometry, [x, v, out], [gain]);
    gradient(geometry, x, gain, v, out);
}

/// The tangent of [`gradient`] along tangents of x, gain and `v`.
///
/// # Panics
/// If a slice has not as many elements as x, or the gain.
#[track_caller]
pub fn gradient_tangent<T: Float>(
    geometry: &NormGeometry,
    x: &[T],
    gain: &[T],
    v: &[T],
    along: [&[T]; 3],
    out: &mut [T],
) {
    compiled_here! {
        fn gradient_tangent<T: Float>(
            geometry: &NormGeometry,
            x: &[T],
            gain: &[T],
            v: &[T],
            along: [&[T]; 3],
            out: &mut [T],
        ) {
            if let Some(frame) = geometry.frame() {
                return channels::gradient_tangent(geometry, frame, [x, gain, v], along, out);
            }
            map_slices(x, geometry.length(), out, &GradientTangent { geometry, gain, v, along });
        }
    }
    check(geometry, [x, v, along[0], along[2], out], [gain, along[1]]);
    gradient_tangent(geometry, x, gain, v, along, out);
}

/// The gradient of [`value`] with respect to the gain, Σ z·v, for the cotangent `v`.
///
/// # Panics
/// If a slice has not as many elements as x, or the gain.
#[track_caller]
pub fn gain_gradient<T: Float>(geometry: &NormGeometry, x: &[T], v: &[T], out: &mut [T]) {
    compiled_here! {
        fn gain_gradient<T: Float>(geometry: &NormGeometry, x: &[T], v: &[T], out: &mut [T]) {
            if let Some(frame) = geometry.frame() {
                let [of_gain, _] = channels::gradients(geometry, frame, [x, out, v], None);
                return out.copy_from_slice(&of_gain);
            }
            let shape = [geometry.rows(), geometry.length()];
            pass_over_rows(shape, &mut [], out, &GainGradient { geometry, x, v });
        }
    }
    check(geometry, [x, v], [out]);
    gain_gradient(geometry, x, v, out);
}

/// The tangent of [`gain_gradient`] along tangents of x and `v`.
///
/// # Panics
/// If a slice has not as many elements as x, or the gain.
#[track_caller]
pub fn gain_gradient_tangent<T: Float>(
    geometry: &NormGeometry,
    x: &[T],
    v: &[T],
    along: [&[T]; 2],
    out: &mut [T],
) {
    compiled_here! {
        fn gain_gradient_tangent<T: Float>(
            geometry: &NormGeometry,
            x: &[T],
            v: &[T],
            along: [&[T]; 2],
            out: &mut [T],
        ) {
            if let Some(frame) = geometry.frame() {
                let of_gain = channels::gain_gradient_tangent(geometry, frame, [x, v], along);
                return out.copy_from_slice(&of_gain);
            }
            let shape = [geometry.rows(), geometry.length()];
            pass_over_rows(shape, &mut [], out, &GainGradientTangent { geometry, x, v, along });
        }
    }
    check(geometry, [x, v, along[0], along[1]], [out]);
    gain_gradient_tangent(geometry, x, v, along, out);
}

/// The gradients of [`value`] with respect to x, and, one behind the other, to gain and bias, for the cotangent `v`, in one
/// pass.
///
/// # Panics
/// If a slice has not as many elements as x, or the gain, or `of_gain_and_bias` not twice as many as the gain.
#[track_caller]
pub fn gradients<T: Float>(
    geometry: &NormGeometry,
    x: &[T],
    gain: &[T],
    v: &[T],
    of_x: &mut [T],
    of_gain_and_bias: &mut [T],
) {
    compiled_here! {
        fn gradients<T: Float>(
            geometry: &NormGeometry,
            x: &[T],
            gain: &[T],
            v: &[T],
            of_x: &mut [T],
            of_gain_and_bias: &mut [T],
        ) {
            if let Some(frame) = geometry.frame() {
                let sums = channels::gradients(geometry, frame, [x, gain, v], Some(of_x));
                return of_gain_and_bias.copy_from_slice(&sums.concat());
            }
            let shape = [geometry.rows(), geometry.length()];
            let rows = Gradients { x, of_x: Gradient { geometry, gain, v } };
            pass_over_rows(shape, of_x, of_gain_and_bias, &rows);
        }
    }
    let both = &of_gain_and_bias[..of_gain_and_bias.len() / 2];
    check(geometry, [x, v, of_x], [gain, both]);
    assert!(of_gain_and_bias.len() == 2 * gain.len(), "normalise: an odd number of sums");
    gradients(geometry, x, gain, v, of_x, of_gain_and_bias);
}

/// (x − mean)·scale + shift with one number of each for each channel, where rows are those of a
/// [batch](NormGeometry::batch).
///
/// # Panics
/// If a slice has not as many elements as x, or the channels, or the geometry is another.
#[track_caller]
pub fn affine<T: Float>(geometry: &NormGeometry, x: &[T], of_channels: [&[T]; 3], out: &mut [T]) {
    compiled_here! {
        fn affine<T: Float>(frame: Frame, x: &[T], of_channels: [&[T]; 3], out: &mut [T]) {
            channels::affine(frame, x, of_channels, out);
        }
    }
    check(geometry, [x, out], of_channels);
    affine(frame_of("affine", geometry), x, of_channels, out);
}

/// The mean and the (biased) variance of each channel, where rows are those of a [batch](NormGeometry::batch).
///
/// # Panics
/// If the slice has not as many elements as x, or the geometry is another.
#[track_caller]
pub fn moments<T: Float>(geometry: &NormGeometry, x: &[T]) -> [Vec<T>; 2] {
    compiled_here! {
        fn moments<T: Float>(geometry: &NormGeometry, frame: Frame, x: &[T]) -> [Vec<T>; 2] {
            channels::moments(geometry, frame, x)
        }
    }
    check(geometry, [x], []);
    moments(geometry, frame_of("moments", geometry), x)
}

#[track_caller]
fn frame_of(function: &str, geometry: &NormGeometry) -> Frame {
    match geometry.frame() {
        Some(frame) => frame,
        None => panic!("normalise: {function} is of the channels of a batch"),
    }
}

#[track_caller]
fn check<T, const N: usize, const M: usize>(geometry: &NormGeometry, xs: [&[T]; N], gains: [&[T]; M]) {
    for (what, expected, found) in xs
        .map(|x| ("x", geometry.elements(), x.len()))
        .into_iter()
        .chain(gains.map(|gain| ("the gain", geometry.gains(), gain.len())))
    {
        assert!(expected == found, "normalise: {what} has {expected} elements, a slice of its size {found}");
    }
}
