//! Functions as layers.

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;

/// A function as a layer without parameters of its own, for [`Sequential`](crate::Sequential) above all.
///
/// ```
/// use wengert_nn::{Lambda, Layer, Linear, Params, Sequential};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let model = Sequential::builder(params.root())
///     .with(|p| Linear::new(p, 4, 6))
///     .then(Lambda::new(|_, x| x.reshape([-1, 2, 3]).max_axes(-1, false)))
///     .build();
/// assert_eq!(params.infer(|cx| model.forward(cx, &Var::ones([5, 4]))).shape(), &[5, 2]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Lambda<F>(F);

impl<F> Lambda<F> {
    /// The layer that applies `function`, which is given the context and the input.
    pub fn new<T: Float>(function: F) -> Self
    where
        F: Fn(&Ctx<T>, &Var<T>) -> Var<T>,
    {
        Lambda(function)
    }
}

impl<T: Float, F: Fn(&Ctx<T>, &Var<T>) -> Var<T>> Layer<T> for Lambda<F> {
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("Lambda").leave(&[], self.0(cx, x))
    }
}
