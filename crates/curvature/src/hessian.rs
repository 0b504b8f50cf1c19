//! Products with the Hessian of a flat loss.

use std::sync::Arc;

use wengert_nn::{Ctx, Layout, scalar};
use wengert_optim::Operator;
use wengert_tape::{Sweep, Tape, Var};
use wengert_tensor::Float;

use crate::flat::{split, unit, write};
use crate::flat_loss::FlatLoss;

/// The Hessian of a [`FlatLoss`] at a point.
///
/// ```
/// use wengert_curvature::Objectives;
/// use wengert_nn::{Init, Params};
/// use wengert_optim::{Curvatures, Operator};
/// let mut params: Params<f64> = Params::seeded(0);
/// let w = params.root().param("w", [2], Init::Ones);
/// let loss = params.objective(|cx| cx.param(w).powi(3).sum());
/// let mut product = [0.0; 2];
/// loss.hessian(&[1.0, 2.0]).unwrap().apply(&[1.0, 10.0], &mut product);
/// assert_eq!(product, [6.0, 120.0]);
/// ```
pub struct Hessian<T: Float> {
    tape: Tape<T>,
    layout: Arc<Layout>,
    value: T,
    /// The parameters that are not frozen.
    trained: Vec<Var<T>>,
    /// Their recorded gradients; `None` for those that the loss does not reach.
    gradient: Vec<Option<Var<T>>>,
}

impl<T: Float> Hessian<T> {
    #[track_caller]
    pub(crate) fn new(tape: Tape<T>, cx: &Ctx<T>, loss: &Var<T>, of: &FlatLoss<'_, T>) -> Self {
        let value = scalar("hessian", loss);
        let trained: Vec<Var<T>> = cx.trained().cloned().collect();
        let wanted: Vec<&Var<T>> = trained.iter().collect();
        let seed = Var::ones(loss.shape());
        // Values that no product needs are not computed.
        let gradient = tape.deferring(|| tape.pull_back(loss, seed, &wanted, Sweep::Record));
        if !of.model.allows_unreached()
            && let Err(error) = cx.layout().all_reached(gradient.iter().map(Option::is_some))
        {
            panic!("hessian: {error}");
        }
        Hessian { tape, layout: Arc::clone(of.model.layout()), value, trained, gradient }
    }

    /// The loss at the point.
    pub fn value(&self) -> T {
        self.value
    }

    /// Writes the gradient at the point, computed now.
    ///
    /// # Panics
    /// If the length is not the number of parameters.
    #[track_caller]
    pub fn gradient(&self, out: &mut [T]) {
        write("Hessian::gradient", &self.layout, self.gradient.clone(), out);
    }

    /// `out = H v` as the only product or the last: the recording is freed as the sweep passes it, which takes less
    /// memory than [`apply`](Hessian::apply).
    ///
    /// # Panics
    /// If a length is not the number of parameters.
    #[track_caller]
    pub fn apply_once(mut self, v: &[T], out: &mut [T]) {
        let (wanted, tangents) = split("Hessian::apply_once", &self.layout, &self.trained, v);
        let gradient = std::mem::take(&mut self.gradient);
        let reached: Vec<bool> = gradient.iter().map(Option::is_some).collect();
        let outputs = gradient.into_iter().flatten().collect();
        let found = self.tape.push_forward_once(outputs, &wanted, &tangents);
        write("Hessian::apply_once", &self.layout, for_each_reached(&reached, found), out);
    }
}

impl<T: Float> Operator<T> for Hessian<T> {
    fn dimension(&self) -> usize {
        self.layout.len()
    }

    /// `out = H v`; rows and columns of frozen parameters are zero. The sweep skips what depends on no parameter along
    /// which `v` is not zero.
    ///
    /// # Panics
    /// If a length is not the number of parameters.
    #[track_caller]
    fn apply(&self, v: &[T], out: &mut [T]) {
        let (wanted, tangents) = split("Hessian::apply", &self.layout, &self.trained, v);
        let outputs: Vec<&Var<T>> = self.gradient.iter().flatten().collect();
        let found = self.tape.push_forward(&outputs, &wanted, &tangents);
        let reached: Vec<bool> = self.gradient.iter().map(Option::is_some).collect();
        write("Hessian::apply", &self.layout, for_each_reached(&reached, found), out);
    }

    /// The diagonal, exactly, by a sweep an element. Each visits only what lies between one parameter tensor and
    /// its own gradient, which is less than a product.
    #[track_caller]
    fn diagonal(&self) -> Vec<T> {
        let mut out = vec![T::ZERO; self.layout.len()];
        let entries = self.layout.entries().iter().filter(|e| !e.frozen);
        for ((entry, parameter), gradient) in entries.zip(&self.trained).zip(&self.gradient) {
            let Some(gradient) = gradient else { continue };
            for i in 0..parameter.len() {
                let column =
                    self.tape.push_forward(&[gradient], &[parameter], &[unit(parameter, i)]).remove(0);
                // One that does not depend on its parameter: linear in it.
                let Some(column) = column else { break };
                out[entry.start + i] = column.reshape([-1]).value().at([i]);
            }
        }
        out
    }
}

/// What was found for the gradients that there are, with `None` for the others.
fn for_each_reached<T: Float>(reached: &[bool], found: Vec<Option<Var<T>>>) -> Vec<Option<Var<T>>> {
    let mut found = found.into_iter();
    reached.iter().map(|&there| if there { found.next().flatten() } else { None }).collect()
}

impl<T: Float> Drop for Hessian<T> {
    fn drop(&mut self) {
        self.tape.close();
    }
}
