//! How accurately inexact Newton methods solve for a step.

use serde::{Deserialize, Serialize};

use super::error::MinimizeError;
use super::field::Field;
use super::objective::Counted;
use super::run::Iterate;
use super::vector::{self, Float};

/// What the accuracy of a step depends on: the norms of the gradient at the start and at the last step.
///
/// ```
/// use wengert_optim::minimize::Forcing;
/// // What the accuracy of steps depends on is part of a method's memory, and so is saved.
/// fn is_saved<M: serde::Serialize + serde::de::DeserializeOwned>() {}
/// is_saved::<Forcing>();
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Forcing {
    initial: f64,
    /// ‖g‖ and the accuracy asked for in the last step.
    last: Option<(f64, f64)>,
}

impl Forcing {
    /// At the start of a run.
    pub(super) fn begin<T: Float>(at: &Iterate<T>) -> Self {
        Self { initial: vector::norm(&at.gradient), last: None }
    }

    /// Whether one from a checkpoint can be gone on from.
    pub(super) fn check(&self) -> Result<(), MinimizeError> {
        Field("forcing.initial").non_negative(self.initial)?;
        let (norm, accuracy) = self.last.unwrap_or_default();
        Field("forcing.last").non_negative(norm)?;
        Field("forcing.last").non_negative(accuracy)
    }

    /// ‖g₀‖.
    pub(super) fn initial_norm(self) -> f64 {
        self.initial
    }

    /// How accurately to solve for a Newton step, relative to the gradient: min(½, √(‖g‖/‖g₀‖)), which makes
    /// convergence superlinear (Dembo, Eisenstat and Steihaug, 1982) and does not change when f is scaled; but not [beyond
    /// the aim](beyond_aim) of the run.
    pub(super) fn since_the_start<T: Float>(&mut self, problem: &Counted<'_, T>, at: &Iterate<T>) -> f64 {
        let norm = vector::norm(&at.gradient);
        if self.initial == 0.0 {
            // From a saddle: the first gradient that there is.
            self.initial = norm;
        }
        let ratio = norm / self.initial;
        ratio.sqrt().max(beyond_aim(problem, at)).min(0.5)
    }

    /// The same, looking at the last step too: the geometric mean of what the [progress since the
    /// start](Self::since_the_start) and that of the last step ask for, 0.9(‖g‖/‖g₋‖)² guarded against a sudden fall
    /// (Eisenstat and Walker, 1996, choice 2). The first alone solves too accurately in long curved valleys, the second
    /// too roughly elsewhere: together they take the fewest products on the standard test problems. The last decade is gone in
    /// two steps of equal parts rather than one: their products are the first of each, which bring most.
    pub(super) fn next<T: Float>(&mut self, problem: &Counted<'_, T>, at: &Iterate<T>) -> f64 {
        let norm = vector::norm(&at.gradient);
        let recent = self.last.map_or(0.1, |(last, accuracy)| {
            let guard = 0.9 * accuracy * accuracy;
            let asked = 0.9 * (norm / last).powi(2);
            (if guard > 0.1 { asked.max(guard) } else { asked }).min(0.5)
        });
        self.last = Some((norm, recent));
        let left = problem.aim() / vector::norm_inf(&at.gradient);
        let enough = if left > 0.1 { left.sqrt() } else { beyond_aim(problem, at) };
        (recent * self.since_the_start(problem, at)).sqrt().max(enough).min(0.5)
    }
}

/// The accuracy, relative to the gradient, beyond which solving for a Newton step would make the next gradient fall far
/// below what the run aims at. Both are largest elements: a norm over all of many would ask for much more.
fn beyond_aim<T: Float>(problem: &Counted<'_, T>, at: &Iterate<T>) -> f64 {
    0.5 * problem.aim() / vector::norm_inf(&at.gradient)
}
