//! Spectral normalisation.

use wengert_tape::Var;
use wengert_tensor::{Float, Tensor};

use super::weight_norm::matrix;
use super::{Parametrized, WeightMap, place};
use crate::ctx::Ctx;
use crate::init::Init;
use crate::params::{BufferId, Scope};

/// What a norm is at least, where something is divided by it.
const SMALLEST: f64 = 1e-12;
/// Steps of the power iteration before the first use, as PyTorch makes them.
const FIRST_STEPS: usize = 15;

/// The weight divided by its largest singular value, so that the layer stretches nothing (Miyato et al., "Spectral
/// normalization for generative adversarial networks", 2018), for a layer of any kind. Further axes of the weight count
/// as columns.
///
/// The singular value is uᵀ·W·v with vectors that a power iteration follows: a step in each forward pass in training, which
/// an optimiser's step [takes over](crate::Params::update_buffers). The derivative is that with u and v fixed, as in
/// PyTorch: the exact one where the iteration has converged.
///
/// Parameter and buffers as in PyTorch: `parametrizations.weight.original`, `parametrizations.weight.0._u` and
/// `parametrizations.weight.0._v`. A weight with one axis is divided by its norm, without buffers.
///
/// ```
/// use wengert_nn::{Layer, Linear, Params, SpectralNorm};
/// use wengert_tape::Var;
/// let mut params: Params<f64> = Params::seeded(0);
/// let layer = SpectralNorm::of(params.at("out"), |p| Linear::builder(2, 2).no_bias().build(p));
/// params.set_values(&[3.0, 0.0, 0.0, 1.0]);
/// for _ in 0..40 {
///     let (_, grads) = params.value_and_grad(|cx| layer.forward(cx, &Var::ones([1, 2])).sum())?;
///     params.update_buffers(&grads);
/// }
/// let weight = params.infer(|cx| layer.weight(cx)).into_value();
/// assert!((weight - 1.0).at([0, 0]).abs() < 1e-12);
/// # Ok::<(), wengert_nn::GradError>(())
/// ```
#[doc(alias = "spectral_norm")]
#[derive(Clone, Debug)]
pub struct SpectralNorm {
    /// u and v, unless the weight is a vector.
    vectors: Option<[BufferId; 2]>,
    axis: usize,
    steps: usize,
    eps: f64,
}

impl SpectralNorm {
    /// The layer that is made at a place, with its `weight` normalised.
    ///
    /// # Panics
    /// If the layer makes no `weight`.
    #[track_caller]
    pub fn of<T: Float, L>(
        p: Scope<'_, T>,
        layer: impl FnOnce(Scope<'_, T>) -> L,
    ) -> Parametrized<L, SpectralNorm> {
        SpectralNorm::builder().build(p, layer)
    }

    /// With options.
    pub fn builder() -> SpectralNormBuilder {
        SpectralNormBuilder { name: "weight".into(), axis: 0, steps: 1, eps: SMALLEST }
    }
}

/// The options of a [`SpectralNorm`].
#[derive(Clone, Debug)]
pub struct SpectralNormBuilder {
    name: String,
    axis: usize,
    steps: usize,
    eps: f64,
}

impl SpectralNormBuilder {
    /// Which of the layer's parameters is normalised. Default `weight`.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The axis of the outputs. Default 0; that of a transposed convolution is 1.
    #[doc(alias = "dim")]
    #[must_use]
    pub fn axis(mut self, axis: usize) -> Self {
        self.axis = axis;
        self
    }

    /// Steps of the power iteration in each forward pass. Default 1.
    ///
    /// ```
    /// use wengert_nn::{Linear, Params, SpectralNorm};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// // A weight of another name, in a transposed layer, followed closely.
    /// let layer = |p: wengert_nn::Scope<'_, f64>| Linear::builder(2, 3).no_bias().build(p);
    /// let normed = SpectralNorm::builder().name("weight").axis(1).steps(5).build(params.root(), layer);
    /// let weight = params.infer(|cx| normed.weight(cx));
    /// assert!(weight.norm(2.0).item() <= 2f64.sqrt() + 1e-6);
    /// ```
    #[doc(alias = "n_power_iterations")]
    #[must_use]
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// What norms that are divided by are at least. Default 10⁻¹².
    #[must_use]
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// The layer that is made at a place, with its weight normalised.
    ///
    /// # Panics
    /// If the layer makes no parameter of the name, that has no such axis, or there are to be no steps.
    #[track_caller]
    pub fn build<T: Float, L>(
        self,
        mut p: Scope<'_, T>,
        layer: impl FnOnce(Scope<'_, T>) -> L,
    ) -> Parametrized<L, SpectralNorm> {
        let SpectralNormBuilder { name, axis, steps, eps } = self;
        assert!(steps > 0, "spectral_norm: a power iteration of no steps");
        let layer = layer(p.again());
        let raw = p.rename("spectral_norm", &name, &place(&name, "original"));
        let weight = Var::constant(p.params().tensor(raw));
        assert!(
            axis < weight.rank(),
            "spectral_norm: `{name}` of shape {} has no axis {axis}",
            weight.shape()
        );
        let mut map = SpectralNorm { vectors: None, axis, steps, eps };
        if weight.rank() > 1 {
            let weight = matrix(&weight, axis);
            let names = ["0._u", "0._v"].map(|of| place(&name, of));
            let random = Init::Normal { mean: 0.0, std: 1.0 };
            let drawn = [0, 1].map(|i| p.drawn(&names[i], [weight.shape()[i]], random.clone()));
            let start = drawn.map(|x| unit(&Var::constant(x), eps));
            let vectors = iterated(&weight, start, FIRST_STEPS, eps).map(Var::into_value);
            let [u, v]: [Tensor<T>; 2] = vectors;
            map.vectors = Some([p.buffer(&names[0], u), p.buffer(&names[1], v)]);
        }
        Parametrized { layer, raw, map }
    }
}

/// x/‖x‖.
fn unit<T: Float>(x: &Var<T>, eps: f64) -> Var<T> {
    x / x.norm(2.0).clamp(eps, f64::INFINITY)
}

/// Steps of the power iteration for the singular vectors of the largest singular value.
fn iterated<T: Float>(weight: &Var<T>, [mut u, mut v]: [Var<T>; 2], steps: usize, eps: f64) -> [Var<T>; 2] {
    for _ in 0..steps {
        u = unit(&weight.matmul(&v), eps);
        v = unit(&weight.t().matmul(&u), eps);
    }
    [u, v]
}

impl<T: Float> WeightMap<T> for SpectralNorm {
    #[track_caller]
    fn weight(&self, cx: &Ctx<T>, raw: &Var<T>) -> Var<T> {
        let Some(ids) = self.vectors else { return unit(raw, self.eps) };
        let weight = matrix(raw, self.axis);
        let mut vectors = [Var::constant(cx.buffer(ids[0])), Var::constant(cx.buffer(ids[1]))];
        if cx.is_training() {
            vectors = iterated(&weight.stop_gradient(), vectors, self.steps, self.eps);
            for (id, vector) in ids.into_iter().zip(&vectors) {
                cx.set_buffer(id, vector.value().clone());
            }
        }
        let [u, v] = vectors;
        raw / u.dot(&weight.matmul(&v))
    }
}
