//! The layer that does nothing.

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;

/// x itself: the place of a layer that is left out.
///
/// ```
/// use wengert_nn::{Identity, Layer, Params};
/// use wengert_tape::Var;
/// let params: Params = Params::seeded(0);
/// assert_eq!(params.infer(|cx| Identity.forward(cx, &Var::from([1.0, 2.0]))).value().to_vec(), [1.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity;

impl<T: Float> Layer<T> for Identity {
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("Identity").leave(&[], x.clone())
    }
}
