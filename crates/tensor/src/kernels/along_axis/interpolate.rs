//! Resampling of an axis, by PyTorch's rules.

use super::AxisMap;

/// How the elements between the given ones are made. Unless `align_corners`, elements are taken as the centres of cells
/// that cover the axis; with it, the first and the last element keep their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// The element in whose cell the corner of the new cell lies.
    Nearest,
    /// The element in whose cell the centre of the new cell lies.
    NearestExact,
    /// On the line between the two neighbours: bilinear and trilinear along several axes.
    Linear {
        /// Whether the first and the last element keep their places.
        align_corners: bool,
    },
    /// On a cubic through four neighbours, with the slopes of Keys' kernel, a = −0.75 (Keys, "Cubic convolution
    /// interpolation for digital image processing", 1981). Elements beyond the ends are those at the ends.
    Cubic {
        /// Whether the first and the last element keep their places.
        align_corners: bool,
    },
    /// The mean of the elements that the new cell touches, as adaptive average pooling.
    Area,
}

impl AxisMap {
    /// An axis of `inputs` elements resampled to `outputs`. `scale` is how many new elements there are for one, if that is
    /// another number than `outputs / inputs`, of which the latter is rounded.
    ///
    /// Which element is the nearest is computed as in PyTorch's double precision, also for `f32`.
    ///
    /// # Panics
    /// If there are no inputs but outputs.
    #[track_caller]
    pub fn resampled(inputs: usize, outputs: usize, scale: Option<f64>, mode: Interpolation) -> Self {
        assert!(inputs > 0 || outputs == 0, "resampled: {outputs} elements of none");
        // Elements of the input from one of the output to the next.
        let step = match scale {
            Some(scale) if scale > 0.0 => 1.0 / scale,
            _ => inputs as f64 / outputs as f64,
        };
        let last = inputs.saturating_sub(1);
        // The cell in which a place of the new cell lies, counted in halves of it.
        let nearest = |halves: usize| {
            AxisMap::from_rows(inputs, outputs, |i| {
                let at = match scale {
                    Some(_) => ((i as f64 + halves as f64 / 2.0) * step) as usize,
                    // Exactly: no rounding takes a neighbour.
                    None => {
                        ((2 * i as u128 + halves as u128) * inputs as u128 / (2 * outputs as u128)) as usize
                    }
                };
                [(at.min(last), 1.0)]
            })
        };
        // Where an element of the output lies.
        let place = |i: usize, align_corners: bool| match align_corners {
            true => i as f64 * (last as f64 / (outputs - 1).max(1) as f64),
            false => (i as f64 + 0.5) * step - 0.5,
        };
        match mode {
            Interpolation::Nearest => nearest(0),
            Interpolation::NearestExact => nearest(1),
            Interpolation::Area => AxisMap::adaptive_mean(inputs, outputs),
            Interpolation::Linear { align_corners } => AxisMap::from_rows(inputs, outputs, |i| {
                // As in PyTorch, where the length stays so do the elements, whatever the scale.
                let place = if inputs == outputs { i as f64 } else { place(i, align_corners).max(0.0) };
                let low = (place as usize).min(last);
                let weight = (place - low as f64).min(1.0);
                let upper = (low < last && weight > 0.0).then_some((low + 1, weight));
                [(low, if upper.is_some() { 1.0 - weight } else { 1.0 })].into_iter().chain(upper)
            }),
            Interpolation::Cubic { align_corners } => AxisMap::from_rows(inputs, outputs, |i| {
                let place = place(i, align_corners);
                let low = place.floor().min(last as f64);
                let t = (place - low).clamp(0.0, 1.0);
                let weights = [outer(1.0 + t), inner(t), inner(1.0 - t), outer(2.0 - t)];
                let at = move |tap: usize| (low as isize + tap as isize - 1).clamp(0, last as isize) as usize;
                (0..4).map(move |tap| (at(tap), weights[tap]))
            }),
        }
    }
}

/// The parameter of Keys' kernel that PyTorch has.
const A: f64 = -0.75;

/// The kernel at a distance of at most 1.
fn inner(x: f64) -> f64 {
    ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
}

/// The kernel at a distance between 1 and 2.
fn outer(x: f64) -> f64 {
    ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A
}
