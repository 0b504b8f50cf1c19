//! Sines and cosines of positions.

use wengert_tape::Var;
use wengert_tensor::{Float, Tensor};

use crate::ctx::Ctx;
use crate::layer::Layer;

/// Adds sines and cosines of the positions to `[…, length, width]`: at position t, feature 2i gets sin(t / 10000^(2i/width))
/// and feature 2i + 1 the cosine (Vaswani et al., "Attention is all you need", 2017).
///
/// ```
/// use wengert_nn::{Layer, Params, SinusoidalPositions};
/// use wengert_tape::Var;
/// let params: Params<f64> = Params::seeded(0);
/// let y = params.infer(|cx| SinusoidalPositions::new(4).forward(cx, &Var::zeros([3, 4])));
/// assert_eq!(y.value().select(0, 0).to_vec(), [0.0, 1.0, 0.0, 1.0]);
/// assert!((y.value().at([2, 3]) - 0.02f64.cos()).abs() < 1e-15);
/// ```
#[doc(alias = "PositionalEncoding")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SinusoidalPositions {
    width: usize,
    base: f64,
}

impl SinusoidalPositions {
    /// For that many features, with the base 10,000.
    pub fn new(width: usize) -> Self {
        SinusoidalPositions { width, base: 10_000.0 }
    }

    /// With another base than 10,000.
    ///
    /// # Panics
    /// If it is not positive and finite.
    #[must_use]
    #[track_caller]
    pub fn base(self, base: f64) -> Self {
        SinusoidalPositions { base: checked_base("SinusoidalPositions", base), ..self }
    }

    /// What is added at `length` positions from `first` on, `[length, width]`.
    ///
    /// ```
    /// use wengert_nn::SinusoidalPositions;
    /// use wengert_tape::Var;
    /// let positions = SinusoidalPositions::new(4);
    /// let table = positions.table::<f64>(2, 3);
    /// assert_eq!(positions.forward_from(&Var::zeros([3, 4]), 2).into_value(), table);
    /// ```
    pub fn table<T: Float>(&self, first: usize, length: usize) -> Tensor<T> {
        Tensor::from_fn([length, self.width], |i| {
            let angle = (first + i[0]) as f64 * frequency(self.base, i[1] / 2, self.width);
            T::from_f64(if i[1] % 2 == 0 { angle.sin() } else { angle.cos() })
        })
    }

    /// Like [`forward`](Layer::forward), for positions from `first` on.
    ///
    /// # Panics
    /// Where `forward` does.
    #[track_caller]
    pub fn forward_from<T: Float>(&self, x: &Var<T>, first: usize) -> Var<T> {
        let length = checked_length("SinusoidalPositions", x, self.width);
        x + Var::constant(self.table(first, length))
    }
}

impl<T: Float> Layer<T> for SinusoidalPositions {
    /// # Panics
    /// If `x` does not have axes of positions and of `width` features.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("SinusoidalPositions").leave(&[], self.forward_from(x, 0))
    }
}

/// 1 / base^(2·pair/width), the angle from one position to the next.
pub(super) fn frequency(base: f64, pair: usize, width: usize) -> f64 {
    base.powf(-2.0 * pair as f64 / width as f64)
}

#[track_caller]
pub(super) fn checked_base(layer: &str, base: f64) -> f64 {
    assert!(base > 0.0 && base.is_finite(), "{layer}: the base {base} is not positive and finite");
    base
}

/// The number of positions of `[…, length, width]`.
#[track_caller]
pub(super) fn checked_length<T: Float>(layer: &str, x: &Var<T>, width: usize) -> usize {
    match x.shape()[..] {
        [.., length, features] if features == width => length,
        _ => panic!(
            "{layer}: the input has shape {}, which does not end with positions of {width} features",
            x.shape()
        ),
    }
}
