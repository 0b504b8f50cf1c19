//! A gradient in the layout of its parameters.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use wengert_tensor::{Float, Shape, Tensor};

use super::buffers::Updates;
use super::{Layout, ParamId, Params};

/// The gradient of a loss: a slice of the layout of [`Params::values`](crate::Params::values).
///
/// It may be changed in place, for example clipped. It also has what the layers made of the buffers in the evaluation, for
/// [`Params::update_buffers`](crate::Params::update_buffers).
///
/// ```
/// use wengert_nn::{Grads, Init, Params};
/// let mut params: Params<f64> = Params::seeded(0);
/// let w = params.root().param("w", [2], Init::Ones);
/// let (_, mut grads): (_, Grads<f64>) = params.value_and_grad(|cx| cx.param(w).square().sum())?;
/// // Changed in place, before an optimiser reads it.
/// grads.iter_mut().for_each(|g| *g = g.clamp(-1.0, 1.0));
/// assert_eq!(grads[..], [1.0, 1.0]);
/// # Ok::<(), wengert_nn::GradError>(())
/// ```
#[derive(Clone)]
pub struct Grads<T: Float = f32> {
    pub(super) layout: Arc<Layout>,
    pub(super) flat: Tensor<T>,
    pub(super) updates: Updates<T>,
}

impl<T: Float> Params<T> {
    /// A gradient that was computed elsewhere, by a method of minimisation say, in the layout of these parameters and without
    /// anything for the buffers.
    ///
    /// ```
    /// use wengert_nn::{Linear, Params};
    /// let mut params: Params = Params::seeded(0);
    /// Linear::new(params.root(), 2, 1);
    /// let grads = params.gradient(&[1.0, 2.0, 3.0]);
    /// assert_eq!(grads.get("bias"), Some(&[3.0][..]));
    /// ```
    ///
    /// # Panics
    /// If it does not have as many elements as there are parameters.
    #[track_caller]
    pub fn gradient(&self, flat: &[T]) -> Grads<T> {
        assert!(flat.len() == self.len(), "gradient: {} elements for {} parameters", flat.len(), self.len());
        Grads { layout: Arc::clone(&self.layout), flat: Tensor::vector(flat), updates: Updates::default() }
    }
}

impl<T: Float> Grads<T> {
    pub(crate) fn new(layout: &Arc<Layout>, flat: Tensor<T>, updates: Updates<T>) -> Self {
        Grads { layout: Arc::clone(layout), flat, updates }
    }

    /// The gradient of the parameter tensor of that name, in row-major order.
    pub fn get(&self, name: &str) -> Option<&[T]> {
        self.layout.id(name).map(|id| &self[self.layout.entry("get", id).range()])
    }

    /// The gradient of one parameter tensor, sharing the memory of the flat vector.
    ///
    /// # Panics
    /// If the id belongs to another `Params`.
    #[track_caller]
    pub fn tensor(&self, id: ParamId) -> Tensor<T> {
        self.layout.entry("tensor", id).view(&self.flat)
    }

    /// Name, shape and gradient of every parameter tensor.
    pub fn named(&self) -> impl Iterator<Item = (&str, &Shape, &[T])> {
        self.layout.entries().iter().map(|e| (e.name.as_str(), &e.shape, &self[e.range()]))
    }

    /// The Euclidean norm.
    pub fn norm(&self) -> f64 {
        self.flat.norm(2.0).item().to_f64()
    }
}

impl<T: Float> Deref for Grads<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        self.flat.as_slice().expect("the flat vector is contiguous")
    }
}

impl<T: Float> DerefMut for Grads<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.flat.as_mut_slice()
    }
}

impl<T: Float> std::fmt::Debug for Grads<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.named().map(|(name, _, g)| (name, g))).finish()
    }
}
