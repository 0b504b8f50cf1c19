//! One axis as several.

use wengert_tape::Var;
use wengert_tensor::{Dims, Float, Shape, resolve_dims};

use crate::ctx::Ctx;
use crate::layer::Layer;

/// One axis as several, the inverse of [`Flatten`](crate::Flatten); one length may be −1, to be inferred.
///
/// ```
/// use wengert_nn::{Layer, Params, Unflatten};
/// use wengert_tape::Var;
/// let params: Params = Params::seeded(0);
/// let y = params.infer(|cx| Unflatten::new(1, [2, -1]).forward(cx, &Var::zeros([4, 6])));
/// assert_eq!(y.shape(), &[4, 2, 3]);
/// ```
#[doc(alias = "nn.Unflatten")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unflatten {
    axis: isize,
    lengths: Vec<isize>,
}

impl Unflatten {
    /// The axis, negative from the end, as axes of these lengths.
    pub fn new(axis: isize, lengths: impl Into<Vec<isize>>) -> Self {
        Unflatten { axis, lengths: lengths.into() }
    }
}

impl<T: Float> Layer<T> for Unflatten {
    /// # Panics
    /// If there is no such axis, or its length is not the product of the lengths.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let axis = x.shape().axis("unflatten", self.axis);
        let split = resolve_dims(&Shape::from([x.shape()[axis]]), &Dims::from(&self.lengths[..]));
        let (lead, rest) = (&x.shape()[..axis], &x.shape()[axis + 1..]);
        let shape: Shape = lead.iter().chain(&split[..]).chain(rest).copied().collect();
        cx.enter("Unflatten").leave(&[], x.reshape(shape))
    }
}
