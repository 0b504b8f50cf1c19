//! Steps of training with any first-order optimiser.

use wengert_nn::{Ctx, GradError, Grads, Params, Watched};
use wengert_optim::{Optimizer, Step, StepError, Stepper};
use wengert_tape::Var;
use wengert_tensor::Float;

/// Training parameters with an optimiser that is known at run time only, and may be one that takes several gradients a
/// step or is evaluated elsewhere than where it takes them (SAM, Lookahead, look-ahead Nesterov, schedule-free).
///
/// ```
/// use wengert_data::synthetic;
/// use wengert_nn::{Layer, Linear, Losses, Params};
/// use wengert_optim::first::by_name;
/// use wengert_train::{Segments, Training, accuracy};
///
/// let data = synthetic::digits(200, 0);
/// for name in ["adam", "sam", "schedule_free_adamw"] {
///     let mut params: Params = Params::seeded(0);
///     let model = Linear::new(params.root(), 784, 10);
///     let mut optimizer = by_name(name, None, &params.segments())?;
///     for epoch in 0..20 {
///         for (images, labels) in data.batches(50).shuffled(epoch) {
///             params.train_step(&mut *optimizer, |cx| {
///                 model.forward(cx, &images).cross_entropy(&labels)
///             })?;
///         }
///     }
///     let reached = params.evaluated(&*optimizer, |params| accuracy(&model, params, &data));
///     assert!(reached > 0.8, "{name}: {reached}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Training<T: Float> {
    /// One step of `optimizer`, which evaluates the loss and its gradient where the method needs them. Returns the loss before the
    /// step, which is taken even if that is not finite; but a method that takes several gradients leaves everything as it is if
    /// the loss at a further point is not finite, and that is returned. [Frozen](Params::freeze) parameters stay as they are, and SAM leaves
    /// them out of its perturbation. Running statistics change once, as the evaluation at the parameters has it.
    ///
    /// # Errors
    /// If the loss does not depend on some parameters. All are then unchanged, and so is the optimiser.
    ///
    /// # Panics
    /// If the loss does not have exactly one element. The parameters are then unchanged, as they are if the loss panics.
    #[track_caller]
    fn train_step(
        &mut self,
        optimizer: &mut dyn Optimizer<T>,
        loss: impl Fn(&Ctx<T>) -> Var<T>,
    ) -> Result<T, GradError>;

    /// One step of `optimizer` with a gradient at the parameters, and of the running statistics with what its evaluation made
    /// of them ([`Params::update_buffers`]): the same as the two calls.
    ///
    /// ```
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// use wengert_optim::Adam;
    /// use wengert_tape::Var;
    /// use wengert_train::Training;
    ///
    /// let (x, y) = (Var::from([[0.0], [1.0], [2.0]]), Var::from([[3.0], [5.0], [7.0]]));
    /// let mut params: Params = Params::seeded(0);
    /// let line = Linear::new(params.root(), 1, 1);
    /// let mut adam = Adam::new(0.1);
    /// for _ in 0..200 {
    ///     let (_, grads) = params.value_and_grad(|cx| line.forward(cx, &x).mse(&y))?;
    ///     params.update(&mut adam, &grads);
    /// }
    /// assert!((params.get("weight").unwrap()[0] - 2.0).abs() < 0.1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// If the gradient is of another `Params`.
    #[track_caller]
    fn update(&mut self, optimizer: &mut (impl Optimizer<T> + ?Sized), grads: &Grads<T>);

    /// Gives a [`Stepper`] a gradient at the parameters. Running statistics change once for each of its updates: to the mean
    /// of what the evaluations made of them whose gradients it accumulated, without those that it skipped or refused.
    ///
    /// ```
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// use wengert_optim::{Sgd, Step, Stepper};
    /// use wengert_tape::Var;
    /// use wengert_train::{Segments, Training};
    ///
    /// let (x, y) = (Var::from([[0.0], [1.0], [2.0]]), Var::from([[3.0], [5.0], [7.0]]));
    /// let mut params: Params = Params::seeded(0);
    /// let line = Linear::new(params.root(), 1, 1);
    /// let mut stepper = Stepper::new(Sgd::new(0.1), &params.segments()).accumulate(3);
    /// for i in 0..3 {
    ///     let (x, y) = (x.slice(i..i + 1), y.slice(i..i + 1));
    ///     let (_, mut grads) = params.value_and_grad(|cx| line.forward(cx, &x).mse(&y))?;
    ///     let step = params.accumulate(&mut stepper, &mut grads)?;
    ///     assert_eq!(matches!(step, Step::Updated { .. }), i == 2);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Stepper::step`].
    ///
    /// # Panics
    /// As [`Stepper::step`], or if the gradient is of another `Params`.
    #[track_caller]
    fn accumulate<O: Optimizer<T>>(
        &mut self,
        stepper: &mut Stepper<O, T>,
        grads: &mut Grads<T>,
    ) -> Result<Step, StepError>;

    /// The result of `work` with the parameters to evaluate the model with, for most methods those that are trained, and for
    /// [frozen](Params::freeze) ones always. Training goes on from where it was, also after a panic in `work`.
    fn evaluated<R>(&mut self, optimizer: &dyn Optimizer<T>, work: impl FnOnce(&Self) -> R) -> R;
}

impl<T: Float> Training<T> for Params<T> {
    fn train_step(
        &mut self,
        optimizer: &mut dyn Optimizer<T>,
        loss: impl Fn(&Ctx<T>) -> Var<T>,
    ) -> Result<T, GradError> {
        // What the loss does not reach is found out here, before the optimiser has counted anything.
        let loss = Watched::new(loss);
        let (value, gradient) = self.value_and_grad(|cx| loss.value(cx))?;
        loss.check("train_step");
        step_with_gradient(self, optimizer, value, &gradient, &loss)
    }

    #[track_caller]
    fn update(&mut self, optimizer: &mut (impl Optimizer<T> + ?Sized), grads: &Grads<T>) {
        optimizer.step(&mut self.values_mut(), grads);
        self.update_buffers(grads);
    }

    #[track_caller]
    fn accumulate<O: Optimizer<T>>(
        &mut self,
        stepper: &mut Stepper<O, T>,
        grads: &mut Grads<T>,
    ) -> Result<Step, StepError> {
        let step = stepper.step(&mut self.values_mut(), grads)?;
        take_over_buffers(self, step, grads);
        Ok(step)
    }

    fn evaluated<R>(&mut self, optimizer: &dyn Optimizer<T>, work: impl FnOnce(&Self) -> R) -> R {
        with_values(self, |start, out| optimizer.write_evaluation(start, out), work)
    }
}

/// What becomes of running statistics behind a step of a [`Stepper`] with this gradient.
pub(crate) fn take_over_buffers<T: Float>(params: &mut Params<T>, step: Step, grads: &Grads<T>) {
    match step {
        Step::Updated { .. } => params.update_buffers(grads),
        Step::Accumulated { .. } => params.collect_updates(grads),
        Step::Skipped { .. } => {}
    }
}

/// The result of `work` with parameters that `write` makes of those that are there. They are given back then, also after a panic.
pub(crate) fn with_values<T: Float, R>(
    params: &mut Params<T>,
    write: impl FnOnce(&[T], &mut [T]),
    work: impl FnOnce(&Params<T>) -> R,
) -> R {
    let borrowed = Borrowed::new(params);
    write(&borrowed.start, &mut borrowed.params.values_mut());
    work(borrowed.params)
}

/// One step of `optimizer`, where loss and gradient at the parameters are known.
///
/// # Errors
/// If the loss does not depend on some parameters at one of the other points that the optimiser looks at. All are then
/// unchanged, as they are where that loss is not finite, which is then returned.
#[track_caller]
pub(crate) fn step_with_gradient<T: Float>(
    params: &mut Params<T>,
    optimizer: &mut dyn Optimizer<T>,
    value: T,
    gradient: &Grads<T>,
    loss: &Watched<impl Fn(&Ctx<T>) -> Var<T>>,
) -> Result<T, GradError> {
    if optimizer.gradients_per_step() == 1 {
        params.update(optimizer, gradient);
        return Ok(value);
    }
    let mut first = Some(value);
    let mut failure = None;
    let borrowed = Borrowed::new(params);
    let mut point = borrowed.start.clone();
    let mut scratch = vec![T::ZERO; point.len()];
    let value = optimizer.step_with(&mut point, &mut scratch, &mut |at, out| {
        if let Some(known) = first.take_if(|_| at == borrowed.start) {
            out.copy_from_slice(gradient);
            return known;
        }
        borrowed.params.values_mut().copy_from_slice(at);
        match borrowed.params.value_and_grad(|cx| loss.value(cx)) {
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
    drop(borrowed);
    loss.check("train_step");
    match failure {
        Some(error) => Err(error),
        // Given up by the optimiser.
        None if !value.is_finite() => Ok(value),
        None => {
            params.values_mut().copy_from_slice(&point);
            params.update_buffers(gradient);
            Ok(value)
        }
    }
}

/// Parameters that have other values for a while. Dropped, also by a panic, it gives them back the first ones.
struct Borrowed<'a, T: Float> {
    params: &'a mut Params<T>,
    start: Vec<T>,
}

impl<'a, T: Float> Borrowed<'a, T> {
    fn new(params: &'a mut Params<T>) -> Self {
        let start = params.values().to_vec();
        Borrowed { params, start }
    }
}

impl<T: Float> Drop for Borrowed<'_, T> {
    fn drop(&mut self) {
        self.params.set_values(&self.start);
    }
}
