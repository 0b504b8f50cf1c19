use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::driver::{Descent, DescentDefaults, Direction, Taken, unit_length};
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::objective::Counted;
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::search::{LineSearch, MoreThuente};
use crate::minimize::vector::{self, Float, dot};

/// Nonlinear conjugate gradients: three vectors of memory, for problems too large for anything else.
///
/// ```
/// use wengert_optim::{Method, NonlinearCg, Problem};
/// use wengert_optim::minimize::{Beta, ConjugateDirection};
///
/// let bowl = Problem::new(2, |x: &[f64]| x[0].powi(2) + 50.0 * x[1].powi(2))
///     .with_gradient(|x, g| { g[0] = 2.0 * x[0]; g[1] = 100.0 * x[1]; });
/// let method = NonlinearCg::new(ConjugateDirection { beta: Beta::DaiYuan, ..Default::default() });
/// assert!(method.minimize(&bowl, &[3.0, 1.0]).unwrap().converged());
/// ```
pub type NonlinearCg = Descent<ConjugateDirection>;

/// The formula for β in d = −g + β d₋, with y = g − g₋.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Beta {
    /// ‖g‖²/‖g₋‖² (Fletcher and Reeves, 1964).
    FletcherReeves,
    /// gᵀy/‖g₋‖² (Polak and Ribière, 1969).
    PolakRibiere,
    /// max(0, gᵀy/‖g₋‖²) (Gilbert and Nocedal, 1992).
    PolakRibierePlus,
    /// gᵀy/d₋ᵀy (Hestenes and Stiefel, 1952).
    HestenesStiefel,
    /// max(0, gᵀy/d₋ᵀy). The default: with Powell's restarts the fewest evaluations on the standard test problems.
    #[default]
    HestenesStiefelPlus,
    /// ‖g‖²/d₋ᵀy (Dai and Yuan, 1999): descent under the weak Wolfe conditions.
    DaiYuan,
    /// (y − 2 d₋ ‖y‖²/d₋ᵀy)ᵀg/d₋ᵀy (Hager and Zhang, 2005), not below 0.4 g₋ᵀd₋/‖d₋‖² (the same, 2013; the bound of 2005
    /// depends on the scale of f): gᵀd ≤ −⅞‖g‖² under any line search.
    HagerZhang,
    /// ‖g‖²/(‖g₋‖² + μ|gᵀd₋|) with μ > 1: Fletcher–Reeves with gᵀd ≤ −(1 − 1/μ)‖g‖² under any line search.
    GuaranteedDescent {
        /// μ.
        mu: f64,
    },
}

/// Settings of [`NonlinearCg`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConjugateDirection {
    /// The formula for β.
    pub beta: Beta,
    /// Restarts with steepest descent after this many steps; `None`, the default, for never.
    pub restart_every: Option<u64>,
    /// Powell's restart: when |gᵀg₋| is at least this times ‖g‖², so conjugacy is lost; `None` for never; 0.8. Not right
    /// after another restart, which would be steepest descent twice.
    pub powell: Option<f64>,
}

impl Default for ConjugateDirection {
    fn default() -> Self {
        Self { beta: Beta::default(), restart_every: None, powell: Some(0.8) }
    }
}

impl DescentDefaults for ConjugateDirection {
    fn search() -> Arc<dyn LineSearch> {
        Arc::new(MoreThuente { decrease: 1e-4, curvature: 0.4, ..MoreThuente::default() })
    }
}

/// The last step of [`NonlinearCg`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct ConjugateMemory<T: Float> {
    #[serde(with = "vector::serde")]
    direction: Vec<T>,
    #[serde(with = "vector::serde")]
    gradient: Vec<T>,
    #[serde(with = "vector::serde")]
    change: Vec<T>,
    alpha: f64,
    /// gᵀd of the last step, 0 before the first and after forgetting.
    slope: f64,
    since_restart: u64,
}

impl<T: Float> Direction<T> for ConjugateDirection {
    type Memory = ConjugateMemory<T>;

    fn validate(&self) -> Result<(), MinimizeError> {
        if let Beta::GuaranteedDescent { mu } = self.beta {
            MinimizeError::require("mu", mu, "above 1", |mu| mu > 1.0 && mu.is_finite())?;
        }
        MinimizeError::at_least_one("restart_every", self.restart_every)?;
        let powell = self.powell.unwrap_or(1.0);
        MinimizeError::require("powell", powell, "positive", |p| p > 0.0 && p.is_finite())
    }

    fn check(&self, memory: &Self::Memory, dimension: usize) -> Result<(), MinimizeError> {
        let ConjugateMemory { direction, gradient, change, alpha, slope, since_restart: _ } = memory;
        Field("slope").holds(slope, "at most 0", *slope <= 0.0 && slope.is_finite())?;
        Field("alpha").non_negative(*alpha)?;
        // Empty before the first step.
        let length = if direction.is_empty() && *slope == 0.0 { 0 } else { dimension };
        Field("direction").vector(direction, length)?;
        Field("gradient").vector(gradient, length)?;
        Field("change").vector(change, length)
    }

    fn begin(&self, _: &Counted<'_, T>, _: &Iterate<T>) -> Result<Self::Memory, MinimizeError> {
        Ok(ConjugateMemory {
            direction: Vec::new(),
            gradient: Vec::new(),
            change: Vec::new(),
            alpha: 0.0,
            slope: 0.0,
            since_restart: 0,
        })
    }

    fn compute(
        &self,
        _: &Counted<'_, T>,
        at: &Iterate<T>,
        memory: &mut Self::Memory,
        direction: &mut [T],
    ) -> Result<f64, Reason> {
        let g = &at.gradient;
        vector::scaled(-1.0, g, direction);
        if memory.slope == 0.0 {
            return Ok(unit_length(direction));
        }
        let square = dot(g, g);
        let periodic = self.restart_every.is_some_and(|every| memory.since_restart >= every);
        let lost = |nu| memory.since_restart > 1 && dot(g, &memory.gradient).abs() >= nu * square;
        let powell = self.powell.is_some_and(lost);
        if periodic || powell {
            memory.since_restart = 0;
        } else {
            vector::axpy(self.beta.value(g, memory), &memory.direction, direction);
        }
        // The same first-order change as in the last step.
        Ok(memory.alpha * memory.slope / dot(g, direction))
    }

    fn learn(&self, memory: &mut Self::Memory, taken: &Taken<'_, T>) {
        memory.direction = taken.direction.to_vec();
        memory.gradient = taken.before.gradient.clone();
        memory.change = taken.change.to_vec();
        memory.alpha = taken.alpha;
        memory.slope = dot(&memory.gradient, taken.direction);
        memory.since_restart = memory.since_restart.saturating_add(1);
    }

    fn forget(&self, memory: &mut Self::Memory) -> bool {
        memory.since_restart = 0;
        std::mem::take(&mut memory.slope) != 0.0
    }
}

impl Beta {
    fn value<T: Float>(self, g: &[T], memory: &ConjugateMemory<T>) -> f64 {
        let (d, y, old) = (&memory.direction, &memory.change, &memory.gradient);
        let square = || dot(g, g);
        let old_square = || dot(old, old);
        let beta = match self {
            Self::FletcherReeves => square() / old_square(),
            Self::PolakRibiere => dot(g, y) / old_square(),
            Self::PolakRibierePlus => (dot(g, y) / old_square()).max(0.0),
            Self::HestenesStiefel => dot(g, y) / dot(d, y),
            Self::HestenesStiefelPlus => (dot(g, y) / dot(d, y)).max(0.0),
            Self::DaiYuan => square() / dot(d, y),
            Self::HagerZhang => {
                let dy = dot(d, y);
                let beta = (dot(y, g) - 2.0 * dot(y, y) / dy * dot(d, g)) / dy;
                beta.max(0.4 * memory.slope / dot(d, d))
            }
            Self::GuaranteedDescent { mu } => square() / (old_square() + mu * dot(g, d).abs()),
        };
        // A zero denominator means that there is nothing to be conjugate to.
        if beta.is_finite() { beta } else { 0.0 }
    }
}
