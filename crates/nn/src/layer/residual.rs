//! Residual connections.

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::{Identity, Layer};

/// shortcut(x) + branch(x), with x itself as the shortcut unless another is given (He et al., "Deep residual learning for
/// image recognition", 2016).
///
/// ```
/// use wengert_nn::{Layer, Linear, Params, Relu, Residual, Sequential};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let mut p = params.at("block");
/// let branch = Sequential::builder(p.at("branch")).with(|p| Linear::new(p, 4, 6)).then(Relu).build();
/// let block = Residual::new(branch).shortcut(Linear::builder(4, 6).no_bias().build(p.at("shortcut")));
/// assert_eq!(params.infer(|cx| block.forward(cx, &Var::ones([2, 4]))).shape(), &[2, 6]);
/// ```
#[derive(Clone, Debug)]
pub struct Residual<L, S = Identity> {
    branch: L,
    shortcut: S,
}

impl<L> Residual<L> {
    /// x + branch(x).
    pub fn new(branch: L) -> Self {
        Residual { branch, shortcut: Identity }
    }
}

impl<L, S> Residual<L, S> {
    /// Another way than x itself past the branch, a projection to its shape above all.
    #[must_use]
    pub fn shortcut<P>(self, shortcut: P) -> Residual<L, P> {
        Residual { branch: self.branch, shortcut }
    }
}

impl<T: Float, L: Layer<T>, S: Layer<T>> Layer<T> for Residual<L, S> {
    /// # Panics
    /// If branch and shortcut give different shapes.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let (shortcut, branch) = (self.shortcut.forward(cx, x), self.branch.forward(cx, x));
        assert!(
            shortcut.shape() == branch.shape(),
            "residual: of shape {} the shortcut makes {}, the branch {}",
            x.shape(),
            shortcut.shape(),
            branch.shape()
        );
        shortcut + branch
    }
}
