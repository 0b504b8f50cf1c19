//! Steps of training with any first-order optimiser.

use wengert_nn::{Ctx, GradError, Params, Watched};
use wengert_optim::Optimizer;
use wengert_tape::Var;
use wengert_tensor::Float;

/// Training parameters with an optimiser that is known at run time only, and may be one that takes several gradients a
/// step or is evaluated elsewhere than where it takes them (SAM, Lookahead, look-ahead Nesterov, schedule-free).
///
/// ```
/// use wengert::prelude::*;
///
/// let data = synthetic::digits(200, 0);
/// for name in ["adam", "sam", "schedule_free_adamw"] {
///     let mut params: Params = Params::seeded(0);
///     let model = Linear::new(params.root(), 784, 10);
///     let mut optimizer = optimizer_by_name(name, None, &params.segments())?;
///     for epoch in 0..20 {
///         for batch in data.batches(50).shuffled(epoch) {
///             params.train_step(&mut *optimizer, |cx| {
///                 model.forward(cx, &batch.images).cross_entropy(&batch.labels)
///             })?;
///         }
///     }
///     let reached = params.evaluated(&*optimizer, |params| accuracy(&model, params, &data));
///     assert!(reached > 0.8, "{name}: {reached}");
/// }
/// # Ok::<(), wengert::Error>(())
/// ```
pub trait Training<T: Float> {
    /// One step of `optimizer`, which evaluates the loss and its gradient where the method needs them. Returns the loss before the
    /// step, which is taken even if that is not finite.
    ///
    /// # Errors
    /// If the loss does not depend on some parameters. All are then unchanged, but a method of several gradients may have
    /// counted the step.
    ///
    /// # Panics
    /// If the loss does not have exactly one element. The parameters are then unchanged, as they are if the loss panics.
    #[track_caller]
    fn train_step(
        &mut self,
        optimizer: &mut dyn Optimizer<T>,
        loss: impl Fn(&Ctx<T>) -> Var<T>,
    ) -> Result<T, GradError>;

    /// The result of `work` with the parameters to evaluate the model with, for most methods those that are trained. Training
    /// goes on from where it was.
    fn evaluated<R>(&mut self, optimizer: &dyn Optimizer<T>, work: impl FnOnce(&Self) -> R) -> R;
}

impl<T: Float> Training<T> for Params<T> {
    fn train_step(
        &mut self,
        optimizer: &mut dyn Optimizer<T>,
        loss: impl Fn(&Ctx<T>) -> Var<T>,
    ) -> Result<T, GradError> {
        let loss = Watched::new(loss);
        if optimizer.gradients_per_step() == 1 {
            let (value, gradient) = self.value_and_grad(|cx| loss.value(cx))?;
            loss.check("train_step");
            optimizer.step(self.values_mut(), &gradient);
            return Ok(value);
        }
        let mut point = self.values().to_vec();
        let mut scratch = vec![T::ZERO; point.len()];
        let mut left = LeftAt { values: point.clone(), params: self };
        let mut failure = None;
        let value = optimizer.step_with(&mut point, &mut scratch, &mut |at, out| {
            left.params.set_values(at);
            match left.params.value_and_grad(|cx| loss.value(cx)) {
                Ok((value, gradient)) => {
                    out.copy_from_slice(&gradient);
                    value
                }
                Err(error) => {
                    failure = Some(error);
                    out.fill(T::ZERO);
                    T::NAN
                }
            }
        });
        loss.check("train_step");
        match failure {
            Some(error) => Err(error),
            None => {
                left.values = point;
                Ok(value)
            }
        }
    }

    fn evaluated<R>(&mut self, optimizer: &dyn Optimizer<T>, work: impl FnOnce(&Self) -> R) -> R {
        let left = LeftAt { values: self.values().to_vec(), params: self };
        optimizer.write_evaluation(&left.values, left.params.values_mut());
        work(left.params)
    }
}

/// Parameters that are moved about and then left at these values, also if a loss panics.
struct LeftAt<'a, T: Float> {
    values: Vec<T>,
    params: &'a mut Params<T>,
}

impl<T: Float> Drop for LeftAt<'_, T> {
    fn drop(&mut self) {
        self.params.set_values(&self.values);
    }
}
