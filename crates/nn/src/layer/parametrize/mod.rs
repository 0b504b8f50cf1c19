//! Layers whose weight is computed from other parameters.

mod orthogonal;
mod spectral_norm;
mod weight_norm;

pub use orthogonal::{Orthogonal, OrthogonalBuilder, OrthogonalMap};
pub use spectral_norm::{SpectralNorm, SpectralNormBuilder};
pub use weight_norm::{WeightNorm, WeightNormBuilder};

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;
use crate::params::{ParamId, Scope};

/// How a weight is computed from the tensor that is trained in its place. A closure is one.
///
/// ```
/// use wengert_nn::{Ctx, Linear, Parametrized, Params, WeightMap};
/// use wengert_tape::Var;
/// /// Weights between −limit and limit.
/// struct Bounded(f64);
/// impl WeightMap<f64> for Bounded {
///     fn weight(&self, _: &Ctx<f64>, raw: &Var<f64>) -> Var<f64> { raw.tanh() * self.0 }
/// }
/// let mut params: Params<f64> = Params::seeded(0);
/// let layer = Parametrized::new(params.root(), "weight", |p| Linear::new(p, 3, 2), Bounded(0.1));
/// assert!(params.infer(|cx| layer.weight(cx)).abs().max().item() < 0.1);
/// ```
pub trait WeightMap<T: Float> {
    /// The weight for the trained tensor `raw`, of the same shape.
    #[track_caller]
    fn weight(&self, cx: &Ctx<T>, raw: &Var<T>) -> Var<T>;
}

impl<T: Float, F: Fn(&Ctx<T>, &Var<T>) -> Var<T>> WeightMap<T> for F {
    fn weight(&self, cx: &Ctx<T>, raw: &Var<T>) -> Var<T> {
        self(cx, raw)
    }
}

/// A layer of any kind with one of its parameters computed from what is trained instead of it:
/// [`WeightNorm`], [`SpectralNorm`] and [`Orthogonal`] make it, and [`Parametrized::new`] with a function of one's own.
///
/// Its parameters are named as by PyTorch's `torch.nn.utils.parametrizations`: what is trained instead of `weight` is
/// `parametrizations.weight.original`. Those who watch the forward pass see no affine map, so K-FAC has a diagonal block
/// for it.
///
/// A layer with weights that are never negative:
///
/// ```
/// use wengert_nn::{Layer, Linear, Parametrized, Params, Ctx};
/// use wengert_tape::Var;
/// let mut params: Params<f64> = Params::seeded(0);
/// let softplus = |_: &Ctx<f64>, raw: &Var<f64>| raw.softplus();
/// let layer = Parametrized::new(params.at("out"), "weight", |p| Linear::new(p, 3, 2), softplus);
/// let weight = params.infer(|cx| layer.weight(cx));
/// assert!(weight.value().iter().all(|w| w > 0.0));
/// assert_eq!(params.infer(|cx| layer.forward(cx, &Var::ones([5, 3]))).shape(), &[5, 2]);
/// assert!(params.id("out.parametrizations.weight.original").is_some() && params.id("out.weight").is_none());
/// ```
#[doc(alias = "register_parametrization")]
#[derive(Clone, Debug)]
pub struct Parametrized<L, M> {
    layer: L,
    raw: ParamId,
    map: M,
}

/// Below what a parameter's parametrization keeps its tensors.
fn place(name: &str, of: &str) -> String {
    format!("parametrizations.{name}.{of}")
}

impl<L, M> Parametrized<L, M> {
    /// The layer that is made at a place, with its parameter `name` computed by `map`.
    ///
    /// # Panics
    /// If the layer makes no such parameter.
    #[track_caller]
    pub fn new<T: Float>(
        mut p: Scope<'_, T>,
        name: &str,
        layer: impl FnOnce(Scope<'_, T>) -> L,
        map: M,
    ) -> Self
    where
        M: WeightMap<T>,
    {
        let layer = layer(p.again());
        let raw = p.rename("parametrized", name, &place(name, "original"));
        Parametrized { layer, raw, map }
    }

    /// The layer itself.
    pub fn layer(&self) -> &L {
        &self.layer
    }

    /// The weight that the layer computes with.
    ///
    /// # Panics
    /// If the layer belongs to another `Params`.
    #[track_caller]
    pub fn weight<T: Float>(&self, cx: &Ctx<T>) -> Var<T>
    where
        M: WeightMap<T>,
    {
        self.map.weight(cx, &cx.param_of("parametrized", self.raw))
    }
}

impl<T: Float, X: ?Sized, Y, L: Layer<T, X, Y>, M: WeightMap<T>> Layer<T, X, Y> for Parametrized<L, M> {
    /// # Panics
    /// If the layer does, or the computed weight has another shape than the parameter.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &X) -> Y {
        let _replaced = cx.replace(self.raw, self.weight(cx));
        self.layer.forward(cx, x)
    }
}
