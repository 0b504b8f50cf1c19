//! Layers, one file each.

mod activation;
mod conv2d;
mod dropout;
mod flatten;
mod linear;
mod pair;
mod pool2d;
mod sequential;

pub use activation::*;
pub use conv2d::{Conv2d, Conv2dBuilder};
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use linear::{Linear, LinearBuilder};
pub use pair::Pair;
pub use pool2d::{AvgPool2d, MaxPool2d};
pub use sequential::{Sequential, SequentialBuilder};

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;

/// A differentiable function with parameters.
///
/// A layer is a struct of [`ParamId`](crate::ParamId)s and other layers; it needs no more than `forward`.
///
/// ```
/// use wengert_nn::{Ctx, Init, Layer, ParamId, Params, Scope};
/// use wengert_tape::Var;
///
/// /// Multiplies every feature by a factor of its own.
/// struct Scale { factor: ParamId }
///
/// impl Scale {
///     fn new(mut p: Scope, features: usize) -> Self {
///         Scale { factor: p.param("factor", features, Init::Ones) }
///     }
/// }
///
/// impl Layer for Scale {
///     fn forward(&self, cx: &Ctx, x: &Var) -> Var {
///         x * cx.param(self.factor)
///     }
/// }
///
/// let mut params = Params::seeded(0);
/// let scale = Scale::new(params.at("scale"), 3);
/// let (_, grads) = params.value_and_grad(|cx| scale.forward(cx, &Var::ones([2, 3])).sum())?;
/// assert_eq!(&grads[..], [2.0, 2.0, 2.0]);
/// # Ok::<(), wengert_nn::GradError>(())
/// ```
pub trait Layer<T: Float = f32> {
    /// The layer's output for an input.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T>;
}

impl<T: Float, L: Layer<T> + ?Sized> Layer<T> for &L {
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        (**self).forward(cx, x)
    }
}

impl<T: Float, L: Layer<T> + ?Sized> Layer<T> for Box<L> {
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        (**self).forward(cx, x)
    }
}
