//! Stochastic depth.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::probability;
use crate::ctx::Ctx;
use crate::layer::Layer;

/// In training, makes every example 0 with probability p and divides the others by 1 − p; otherwise the identity. At the
/// end of the branch of a [`Residual`](crate::Residual) that leaves the branch out (Huang et al., "Deep networks with
/// stochastic depth", 2016).
///
/// ```
/// use wengert_nn::{DropPath, Layer, Linear, Params, Residual, Sequential};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let branch = Sequential::builder(params.at("block")).with(|p| Linear::new(p, 4, 4)).then(DropPath::new(0.2)).build();
/// let block = Residual::new(branch);
/// assert_eq!(params.infer(|cx| block.forward(cx, &Var::ones([3, 4]))).shape(), &[3, 4]);
/// ```
#[doc(alias = "StochasticDepth")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropPath {
    p: f64,
}

impl DropPath {
    /// Leaves examples out with probability `p`.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    #[track_caller]
    pub fn new(p: f64) -> Self {
        DropPath { p: probability("drop_path", p) }
    }
}

impl<T: Float> Layer<T> for DropPath {
    /// # Panics
    /// If the input has no axes, and so no examples.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        assert!(x.rank() >= 1, "drop_path: an input without axes has no examples");
        if !cx.is_training() || self.p == 0.0 {
            return cx.enter("DropPath").leave(&[], x.clone());
        }
        let behind: Vec<usize> = (1..x.rank()).collect();
        cx.enter("DropPath").leave(&[], x.dropout_shared(self.p, &behind[..], cx.key()))
    }
}
