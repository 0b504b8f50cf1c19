//! Checked steps: accumulation, the policy for non-finite gradients, clipping.

mod state;

use wengert_tensor::Float;

use super::agc::AdaptiveClip;
use super::clip::{clip_by_value, global_norm, ratio, scale};
use super::layout::Layout;
use super::lookahead::running_mean;
use super::optimizer::{Optimizer, check_lengths};
use super::outcome::{NonFinite, Step, StepError};
use crate::error::{Check, HyperParameterError};

/// An optimiser with everything that comes before its step: gradients are accumulated, checked, clipped by value, by
/// unit and by global norm, in this order.
///
/// ```
/// use wengert_optim::{Adam, Layout, Step, Stepper};
/// let layout = Layout::new([("weight", vec![2]), ("bias", vec![1])]);
/// let mut stepper = Stepper::new(Adam::new(0.1), &layout).clip_norm(1.0);
/// let mut theta = [1.0f32; 3];
/// assert_eq!(stepper.step(&mut theta, &mut [3.0, 4.0, 0.0])?, Step::Updated { gradient_norm: 5.0 });
/// let error = stepper.step(&mut theta, &mut [0.0, f32::NAN, 0.0]).unwrap_err();
/// assert_eq!(error.to_string(), "the gradient of weight[1] is NaN (step 2); nothing was changed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Stepper<O, T: Float = f32> {
    optimizer: O,
    layout: Layout,
    policy: NonFinite,
    clip_value: Option<f64>,
    clip_norm: Option<f64>,
    clip_units: Option<AdaptiveClip>,
    accumulate: u64,
    gradients: u64,
    sum: Vec<T>,
    steps: u64,
    skipped: u64,
}

impl<T: Float, O: Optimizer<T>> Stepper<O, T> {
    const NAME: &'static str = "stepper";

    /// Checks every gradient, and steps with it as it is.
    pub fn new(optimizer: O, layout: &Layout) -> Self {
        Stepper {
            optimizer,
            layout: layout.clone(),
            policy: NonFinite::default(),
            clip_value: None,
            clip_norm: None,
            clip_units: None,
            accumulate: 1,
            gradients: 0,
            sum: Vec::new(),
            steps: 0,
            skipped: 0,
        }
    }

    /// Sets what happens to gradients that are not finite.
    pub fn non_finite(mut self, policy: NonFinite) -> Self {
        self.policy = policy;
        self
    }

    /// Clips elements to [−limit, limit].
    ///
    /// # Panics
    /// If `limit` is not finite and above 0.
    ///
    /// ```
    /// use wengert_optim::{Layout, Sgd, Stepper};
    /// let layout = Layout::new([("w", vec![2])]);
    /// let mut stepper = Stepper::new(Sgd::new(1.0), &layout).clip_value(0.5);
    /// let mut theta = [0.0f64; 2];
    /// stepper.step(&mut theta, &mut [3.0, -0.25])?;
    /// assert_eq!(theta, [-0.5, 0.25]);
    /// # Ok::<(), wengert_optim::StepError>(())
    /// ```
    #[track_caller]
    pub fn clip_value(mut self, limit: f64) -> Self {
        HyperParameterError::or_panic(Check::new(Self::NAME).positive("clip_value", limit));
        self.clip_value = Some(limit);
        self
    }

    /// Clips the global norm.
    ///
    /// # Panics
    /// If `limit` is not finite and above 0.
    #[doc(alias = "clip_grad_norm_")]
    #[track_caller]
    pub fn clip_norm(mut self, limit: f64) -> Self {
        HyperParameterError::or_panic(Check::new(Self::NAME).positive("clip_norm", limit));
        self.clip_norm = Some(limit);
        self
    }

    /// Clips every unit in proportion to its weights.
    ///
    /// ```
    /// use wengert_optim::{AdaptiveClip, Layout, Sgd, Stepper};
    /// let layout = Layout::new([("w", vec![1, 1])]);
    /// let clip = AdaptiveClip::new(0.1, 1e-3, &layout);
    /// let mut stepper = Stepper::new(Sgd::new(1.0), &layout).clip_units(clip);
    /// let mut theta = [1.0f64];
    /// stepper.step(&mut theta, &mut [5.0])?;
    /// // A tenth of the weight.
    /// assert!((theta[0] - 0.9).abs() < 1e-12);
    /// # Ok::<(), wengert_optim::StepError>(())
    /// ```
    pub fn clip_units(mut self, clip: AdaptiveClip) -> Self {
        self.clip_units = Some(clip);
        self
    }

    /// Updates once per `gradients` calls, with the mean of their gradients.
    ///
    /// # Panics
    /// If `gradients` is 0.
    ///
    /// ```
    /// use wengert_optim::{Layout, Sgd, Step, Stepper};
    /// let layout = Layout::new([("w", vec![1])]);
    /// let mut stepper = Stepper::new(Sgd::new(1.0), &layout).accumulate(2);
    /// let mut theta = [0.0f64];
    /// stepper.step(&mut theta, &mut [1.0])?;
    /// assert_eq!(theta, [0.0]);
    /// assert!(matches!(stepper.step(&mut theta, &mut [3.0])?, Step::Updated { .. }));
    /// assert_eq!(theta, [-2.0]);
    /// # Ok::<(), wengert_optim::StepError>(())
    /// ```
    #[track_caller]
    pub fn accumulate(mut self, gradients: u64) -> Self {
        HyperParameterError::or_panic(Check::new(Self::NAME).at_least_one("accumulate", gradients as f64));
        self.accumulate = gradients;
        self
    }

    /// What is done with gradients that are not finite.
    ///
    /// ```
    /// use wengert_optim::first::NonFinite;
    /// use wengert_optim::{Layout, Sgd, Stepper};
    ///
    /// let layout = Layout::new([("weight", vec![2])]);
    /// let stepper: Stepper<Sgd<f32>> = Stepper::new(Sgd::new(0.1), &layout).non_finite(NonFinite::Skip);
    /// assert_eq!(stepper.policy(), NonFinite::Skip);
    /// ```
    pub fn policy(&self) -> NonFinite {
        self.policy
    }

    /// The optimiser.
    pub fn optimizer(&self) -> &O {
        &self.optimizer
    }

    /// The optimiser, e.g. to set its learning rate.
    pub fn optimizer_mut(&mut self) -> &mut O {
        &mut self.optimizer
    }

    /// How many gradients make an update.
    ///
    /// ```
    /// use wengert_optim::{Layout, Sgd, Stepper};
    /// let stepper: Stepper<Sgd> = Stepper::new(Sgd::new(0.1), &Layout::new([("w", vec![2])])).accumulate(4);
    /// assert_eq!(stepper.gradients_per_update(), 4);
    /// ```
    pub fn gradients_per_update(&self) -> u64 {
        self.accumulate
    }

    /// Steps skipped because a gradient or a loss was not finite.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Takes in one gradient, which is clipped in place. Where the optimiser keeps parameters
    /// [frozen](Optimizer::frozen) it is set to zero first, so that it counts neither in a norm nor in a check.
    ///
    /// A gradient that is not finite leaves everything as it was, also what has been accumulated.
    ///
    /// # Errors
    /// If the gradient is not finite, under [`NonFinite::Error`].
    ///
    /// # Panics
    /// If a length is not that of the layout.
    #[track_caller]
    pub fn step(&mut self, params: &mut [T], grads: &mut [T]) -> Result<Step, StepError> {
        self.step_at(T::ZERO, params, grads)
    }

    /// As [`step`](Stepper::step), with the loss that the gradient is one of. If that is infinite or NaN, what is finite of its
    /// gradient means nothing, and is not taken in.
    ///
    /// ```
    /// use wengert_optim::first::NonFinite;
    /// use wengert_optim::{Layout, Sgd, Step, StepError, Stepper};
    /// let layout = Layout::new([("w", vec![1])]);
    /// let mut stepper = Stepper::new(Sgd::new(0.1), &layout);
    /// let mut theta = [1.0f64];
    /// let error = stepper.step_at(f64::INFINITY, &mut theta, &mut [3.0]).unwrap_err();
    /// assert_eq!(error, StepError::Loss { value: f64::INFINITY, step: 1 });
    /// let mut stepper = stepper.non_finite(NonFinite::Skip);
    /// assert_eq!(stepper.step_at(f64::NAN, &mut theta, &mut [3.0])?, Step::Skipped { skipped: 1 });
    /// assert_eq!(theta, [1.0]);
    /// # Ok::<(), StepError>(())
    /// ```
    ///
    /// # Errors
    /// If the gradient or the loss is not finite, under [`NonFinite::Error`].
    ///
    /// # Panics
    /// As [`step`](Stepper::step).
    #[track_caller]
    pub fn step_at(&mut self, loss: T, params: &mut [T], grads: &mut [T]) -> Result<Step, StepError> {
        let norm = match self.norm_at(loss, params, grads, &mut local_norm)? {
            Ok(norm) => norm,
            Err(skipped) => return Ok(skipped),
        };
        if self.accumulate == 1 {
            return self.update(params, grads, norm, &mut local_norm);
        }
        self.gradients += 1;
        self.sum.resize(grads.len(), T::ZERO);
        running_mean(&mut self.sum, grads, self.gradients);
        if self.gradients < self.accumulate {
            return Ok(Step::Accumulated { gradients: self.gradients });
        }
        self.gradients = 0;
        grads.copy_from_slice(&self.sum);
        let norm = global_norm(grads);
        self.update(params, grads, norm, &mut local_norm)
    }

    /// An update with the mean of as many gradients as make one, which was taken elsewhere: by workers, each of which has a
    /// part of it. `norm` gives the global norm of a gradient of which it is handed the own part in its place; a norm that is
    /// not finite comes with the whole gradient, in which the first such element is looked for.
    ///
    /// ```
    /// use wengert_optim::{Layout, Sgd, Step, StepError, Stepper, global_norm};
    /// let layout = Layout::new([("w", vec![2])]);
    /// let mut stepper = Stepper::new(Sgd::new(1.0), &layout).accumulate(4).clip_norm(1.0);
    /// let (mut theta, mut mean) = ([0.0f64; 2], [3.0, 4.0]);
    /// let step = stepper.step_with_mean(0.5, &mut theta, &mut mean, &mut |grads| Ok::<_, StepError>(global_norm(grads)))?;
    /// assert_eq!(step, Step::Updated { gradient_norm: 5.0 });
    /// assert!((theta[0] + 0.6).abs() < 1e-12 && (theta[1] + 0.8).abs() < 1e-12);
    /// # Ok::<(), StepError>(())
    /// ```
    ///
    /// # Errors
    /// As [`step_at`](Stepper::step_at), and those of `norm`.
    ///
    /// # Panics
    /// As [`step`](Stepper::step).
    #[track_caller]
    pub fn step_with_mean<E: From<StepError>>(
        &mut self,
        loss: T,
        params: &mut [T],
        grads: &mut [T],
        norm: &mut dyn FnMut(&mut [T]) -> Result<f64, E>,
    ) -> Result<Step, E> {
        match self.norm_at(loss, params, grads, norm)? {
            Ok(size) => self.update(params, grads, size, norm),
            Err(skipped) => Ok(skipped),
        }
    }

    /// The norm of a gradient that can be taken in; or that it was skipped.
    #[track_caller]
    fn norm_at<E: From<StepError>>(
        &mut self,
        loss: T,
        params: &[T],
        grads: &mut [T],
        norm: &mut dyn FnMut(&mut [T]) -> Result<f64, E>,
    ) -> Result<Result<f64, Step>, E> {
        check_lengths(Self::NAME, params.len(), grads.len());
        let len = self.layout.len();
        assert!(params.len() == len, "stepper: {} parameters, but its layout has {len}", params.len());
        let step = self.steps + 1;
        if !loss.is_finite() {
            return Ok(Err(self.refuse(|_| StepError::Loss { value: loss.to_f64(), step })?));
        }
        for range in self.optimizer.frozen() {
            grads[range].fill(T::ZERO);
        }
        let norm = norm(grads)?;
        let fault = if norm.is_finite() { None } else { grads.iter().position(|g| !g.is_finite()) };
        let Some(index) = fault else { return Ok(Ok(norm)) };
        let value = grads[index].to_f64();
        Ok(Err(self.refuse(|layout| StepError::Gradient {
            parameter: layout.name_at(index),
            value,
            step,
        })?))
    }

    fn refuse(&mut self, error: impl FnOnce(&Layout) -> StepError) -> Result<Step, StepError> {
        match self.policy {
            NonFinite::Error => Err(error(&self.layout)),
            NonFinite::Skip => {
                self.skipped += 1;
                Ok(Step::Skipped { skipped: self.skipped })
            }
        }
    }

    fn update<E>(
        &mut self,
        params: &mut [T],
        grads: &mut [T],
        gradient_norm: f64,
        norm_of: &mut dyn FnMut(&mut [T]) -> Result<f64, E>,
    ) -> Result<Step, E> {
        let mut norm = gradient_norm;
        if let Some(limit) = self.clip_value {
            clip_by_value(grads, limit);
        }
        if let Some(clip) = &self.clip_units {
            clip.apply(params, grads);
        }
        if let Some(limit) = self.clip_norm {
            if self.clip_value.is_some() || self.clip_units.is_some() {
                norm = norm_of(grads)?;
            }
            if norm > limit {
                scale(grads, ratio(limit, norm));
            }
        }
        self.optimizer.step(params, grads);
        self.steps += 1;
        Ok(Step::Updated { gradient_norm })
    }
}

/// The norm of a gradient that is here as a whole.
fn local_norm<T: Float>(grads: &mut [T]) -> Result<f64, StepError> {
    Ok(global_norm(grads))
}
