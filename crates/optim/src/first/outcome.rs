//! What comes of a checked step.

/// What to do with a gradient that has a NaN or an infinity, or that of a loss which is one.
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
    /// Return an error that names the first such parameter, or the loss.
    #[default]
    Error,
    /// Leave parameters and optimiser as they are, and count the step as skipped.
    Skip,
}

/// What a step of a [`Stepper`](super::Stepper) did.
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
    /// The gradient or the loss was not finite, and nothing was changed.
    Skipped {
        /// How many have been skipped in all.
        skipped: u64,
    },
}

/// A gradient or a loss that is not finite.
///
/// ```
/// use wengert_optim::{Layout, Sgd, StepError, Stepper};
/// let layout = Layout::new([("w", vec![2])]);
/// let mut stepper = Stepper::new(Sgd::new(0.1), &layout);
/// let error = stepper.step(&mut [1.0f64, 1.0], &mut [0.0, f64::INFINITY]).unwrap_err();
/// assert_eq!(error, StepError::Gradient { parameter: "w[1]".to_owned(), value: f64::INFINITY, step: 1 });
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// A gradient, of a loss that is finite as far as the stepper was told.
    #[error("the gradient of {parameter} is {value} (step {step}); nothing was changed")]
    Gradient {
        /// The first parameter at fault, e.g. `"hidden.weight[17]"`.
        parameter: String,
        /// Its gradient.
        value: f64,
        /// The number of the step, from 1.
        step: u64,
    },
    /// A loss that the stepper [was told](super::Stepper::step_at).
    #[error("the loss is {value} (step {step}); nothing was changed")]
    Loss {
        /// The loss.
        value: f64,
        /// The number of the step, from 1.
        step: u64,
    },
}
