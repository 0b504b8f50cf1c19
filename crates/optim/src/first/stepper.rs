//! Checked steps: accumulation, the policy for non-finite gradients, clipping.

use wengert_state::{Scalar, State, StateError};
use wengert_tensor::Float;

use super::agc::AdaptiveClip;
use super::clip::{clip_by_value, global_norm, ratio, scale};
use super::layout::Layout;
use super::lookahead::Towards;
use super::loops::update;
use super::optimizer::{Optimizer, check_lengths};
use crate::error::{Check, HyperParameterError};

/// What to do with a gradient that has a NaN or an infinity.
///
/// ```
/// use wengert_optim::first::NonFinite;
/// use wengert_optim::{Layout, Sgd, Step, Stepper};
/// let layout = Layout::new([("w", vec![1])]);
/// let mut stepper = Stepper::new(Sgd::new(0.1), &layout).non_finite(NonFinite::Skip);
/// let mut theta = [1.0f64];
/// assert!(matches!(stepper.step(&mut theta, &mut [f64::NAN])?, Step::Skipped { .. }));
/// assert_eq!(theta, [1.0]);
/// # Ok::<(), wengert_optim::StepError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NonFinite {
    /// Return an error that names the first such parameter.
    #[default]
    Error,
    /// Leave parameters and optimiser as they are, and count the step as skipped.
    Skip,
}

/// What a step of a [`Stepper`] did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// The parameters were updated; the norm of the gradient before clipping.
    Updated {
        /// ‖g‖.
        gradient_norm: f64,
    },
    /// The gradient was added to those of a step to come.
    Accumulated {
        /// How many there are now.
        gradients: u64,
    },
    /// The gradient was not finite, and nothing was changed.
    Skipped {
        /// How many have been skipped in all.
        skipped: u64,
    },
}

/// A gradient that is not finite.
///
/// ```
/// use wengert_optim::{Layout, Sgd, StepError, Stepper};
/// let layout = Layout::new([("w", vec![2])]);
/// let mut stepper = Stepper::new(Sgd::new(0.1), &layout);
/// let StepError { parameter, value, step, .. } =
///     stepper.step(&mut [1.0f64, 1.0], &mut [0.0, f64::INFINITY]).unwrap_err();
/// assert_eq!((parameter.as_str(), value, step), ("w[1]", f64::INFINITY, 1));
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[error("the gradient of {parameter} is {value} (step {step}); nothing was changed")]
pub struct StepError {
    /// The first parameter at fault, e.g. `"hidden.weight[17]"`.
    pub parameter: String,
    /// Its gradient.
    pub value: f64,
    /// The number of the step, from 1.
    pub step: u64,
}

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

    /// Steps skipped because a gradient was not finite.
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
        check_lengths(Self::NAME, params.len(), grads.len());
        let len = self.layout.len();
        assert!(params.len() == len, "stepper: {} parameters, but its layout has {len}", params.len());
        for range in self.optimizer.frozen() {
            grads[range].fill(T::ZERO);
        }
        let norm = global_norm(grads);
        if !norm.is_finite() && grads.iter().any(|g| !g.is_finite()) {
            return self.refuse(grads);
        }
        if self.accumulate == 1 {
            return Ok(self.apply(params, grads, norm));
        }
        self.gradients += 1;
        if self.gradients == 1 {
            self.sum.clear();
            self.sum.extend_from_slice(grads);
        } else {
            // A running mean does not overflow where a sum would.
            let share = T::from_f64((self.gradients as f64).recip());
            let [] = update(&mut self.sum, grads, [], Towards { share });
        }
        if self.gradients < self.accumulate {
            return Ok(Step::Accumulated { gradients: self.gradients });
        }
        self.gradients = 0;
        grads.copy_from_slice(&self.sum);
        let norm = global_norm(grads);
        Ok(self.apply(params, grads, norm))
    }

    fn refuse(&mut self, grads: &[T]) -> Result<Step, StepError> {
        if self.policy == NonFinite::Skip {
            self.skipped += 1;
            return Ok(Step::Skipped { skipped: self.skipped });
        }
        let index = grads.iter().position(|g| !g.is_finite()).unwrap_or(0);
        let parameter = self.layout.name_at(index);
        Err(StepError { parameter, value: grads[index].to_f64(), step: self.steps + 1 })
    }

    fn apply(&mut self, params: &mut [T], grads: &mut [T], gradient_norm: f64) -> Step {
        let mut norm = gradient_norm;
        if let Some(limit) = self.clip_value {
            clip_by_value(grads, limit);
        }
        if let Some(clip) = &self.clip_units {
            clip.apply(params, grads);
        }
        if let Some(limit) = self.clip_norm {
            if self.clip_value.is_some() || self.clip_units.is_some() {
                norm = global_norm(grads);
            }
            if norm > limit {
                scale(grads, ratio(limit, norm));
            }
        }
        self.optimizer.step(params, grads);
        self.steps += 1;
        Step::Updated { gradient_norm }
    }

    /// What is done to gradients before a step, by name; the optimiser has [its own](Optimizer::settings).
    ///
    /// ```
    /// use wengert_optim::{Layout, Sgd, Stepper};
    /// let stepper: Stepper<Sgd> = Stepper::new(Sgd::new(0.1), &Layout::new([("w", vec![2])])).clip_norm(2.0);
    /// assert_eq!(stepper.settings().real("clip_norm")?, 2.0);
    /// # Ok::<(), wengert_optim::StateError>(())
    /// ```
    pub fn settings(&self) -> State {
        let limit = |limit: Option<f64>| limit.map_or(Scalar::None, Scalar::Real);
        let policy = match self.policy {
            NonFinite::Error => "error",
            NonFinite::Skip => "skip",
        };
        let settings = State::new(Self::NAME, 0)
            .with_count("accumulate", self.accumulate)
            .with_scalar("clip_norm", limit(self.clip_norm))
            .with_scalar("clip_value", limit(self.clip_value))
            .with_scalar("non_finite", Scalar::Text(policy.to_owned()));
        match &self.clip_units {
            Some(clip) => settings.with_child("clip_units", clip.settings()),
            None => settings,
        }
    }

    /// Everything that later steps depend on.
    pub fn state(&self) -> State {
        let sum: &[T] = if self.gradients > 0 { &self.sum } else { &[] };
        State::new(Self::NAME, self.layout.len())
            .with_count("steps", self.steps)
            .with_count("skipped", self.skipped)
            .with_count("gradients", self.gradients)
            .with_vector("sum", sum)
            .with_child("optimizer", self.optimizer.state())
    }

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// If the state is of another kind, length or precision; nothing is then changed.
    ///
    /// ```
    /// use wengert_optim::{Layout, Momentum, Stepper};
    /// let layout = Layout::new([("w", vec![1])]);
    /// let make = || Stepper::new(Momentum::new(0.1), &layout);
    /// let (mut first, mut theta) = (make(), [1.0f64]);
    /// first.step(&mut theta, &mut [1.0])?;
    /// let (mut second, mut copy) = (make(), theta);
    /// second.load_state(&first.state())?;
    /// first.step(&mut theta, &mut [1.0])?;
    /// second.step(&mut copy, &mut [1.0])?;
    /// assert_eq!(theta, copy);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        state.expect(Self::NAME, &["steps", "skipped", "gradients"], &["sum"], &["optimizer"])?;
        if state.len != self.layout.len() {
            return Err(StateError::Len { expected: self.layout.len(), found: state.len });
        }
        let (steps, skipped) = (state.count("steps")?, state.count("skipped")?);
        let gradients = state.count("gradients")?;
        let sum = state.vector("sum", if gradients > 0 { state.len } else { 0 })?;
        self.optimizer.load_state(state.child("optimizer")?)?;
        (self.steps, self.skipped, self.gradients, self.sum) = (steps, skipped, gradients, sum);
        Ok(())
    }
}
