//! Variables in the place of parameters, for a part of a forward pass.

use std::cell::RefCell;
use std::collections::BTreeMap;

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::params::ParamId;

/// What layers are given instead of some parameters, by their positions.
#[derive(Clone)]
pub(crate) struct Replaced<T: Float>(RefCell<BTreeMap<usize, Var<T>>>);

impl<T: Float> Default for Replaced<T> {
    fn default() -> Self {
        Replaced(RefCell::default())
    }
}

impl<T: Float> Replaced<T> {
    pub(crate) fn get(&self, index: usize) -> Option<Var<T>> {
        self.0.borrow().get(&index).cloned()
    }

    pub(crate) fn contains(&self, index: usize) -> bool {
        self.0.borrow().contains_key(&index)
    }

    /// Puts a variable, or nothing, there, and returns what was there before.
    pub(crate) fn set(&self, index: usize, value: Option<Var<T>>) -> Option<Var<T>> {
        let mut map = self.0.borrow_mut();
        match value {
            Some(value) => map.insert(index, value),
            None => map.remove(&index),
        }
    }

    /// The same without what is tracked.
    pub(crate) fn constant(&self) -> Self {
        let constants =
            self.0.borrow().iter().map(|(&index, value)| (index, value.stop_gradient())).collect();
        Replaced(RefCell::new(constants))
    }
}

/// As long as it lives, a parameter is another variable; made by [`Ctx::replace`].
///
/// ```
/// use wengert_nn::{Linear, Params, Replacement};
/// use wengert_tape::Var;
/// let mut params: Params<f64> = Params::seeded(0);
/// let layer = Linear::builder(1, 1).no_bias().build(params.root());
/// params.set_values(&[3.0]);
/// params.infer(|cx| {
///     let replacement: Replacement<'_, f64> = cx.replace(layer.weight(), Var::from([[5.0]]));
///     assert_eq!(cx.param(layer.weight()).item(), 5.0);
///     drop(replacement);
///     assert_eq!(cx.param(layer.weight()).item(), 3.0);
/// });
/// ```
pub struct Replacement<'a, T: Float> {
    all: &'a Replaced<T>,
    index: usize,
    before: Option<Var<T>>,
}

impl<T: Float> Drop for Replacement<'_, T> {
    fn drop(&mut self) {
        self.all.set(self.index, self.before.take());
    }
}

impl<T: Float> Ctx<T> {
    /// Gives layers `value` where they [ask for](Ctx::param) a parameter, until what is returned is dropped: a weight that is
    /// computed from the parameter, as in [weight normalisation](crate::WeightNorm). Observers are not told of
    /// it, nor of affine maps by it, whose Kronecker factors would be those of another matrix.
    ///
    /// ```
    /// use wengert_nn::{Layer, Linear, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let layer = Linear::builder(1, 1).no_bias().build(params.root());
    /// params.set_values(&[3.0]);
    /// let squared = |cx: &wengert_nn::Ctx<f64>| {
    ///     let weight = cx.param(layer.weight()).square();
    ///     let _replaced = cx.replace(layer.weight(), weight);
    ///     layer.forward(cx, &Var::from([[1.0]])).sum()
    /// };
    /// let (value, grads) = params.value_and_grad(squared)?;
    /// assert_eq!((value, grads[0]), (9.0, 6.0));
    /// # Ok::<(), wengert_nn::GradError>(())
    /// ```
    ///
    /// # Panics
    /// If the id belongs to another `Params`, or the shape is not the parameter's.
    #[must_use]
    #[track_caller]
    pub fn replace(&self, id: ParamId, value: Var<T>) -> Replacement<'_, T> {
        let entry = self.layout().entry("replace", id);
        assert!(
            value.shape() == &entry.shape,
            "replace: `{}` has shape {}, the variable {}",
            entry.name,
            entry.shape,
            value.shape()
        );
        let (all, index) = (self.replaced(), id.index());
        Replacement { all, index, before: all.set(index, Some(value)) }
    }
}
