//! The negative log-likelihood of counts.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::{Reduction, same_shape};

/// λ − t·ln λ for counts t and a rate λ, which is given by its logarithm unless `log_input` is false; then ln(λ + ε) is taken.
/// With `full`, Stirling's approximation of ln t! is added where t > 1.
///
/// ```
/// use wengert_nn::PoissonNll;
/// use wengert_tape::Var;
/// let (log_rate, count) = (Var::from([0.0f64, 1.0]), Var::from([2.0, 1.0]));
/// let loss = PoissonNll::default().loss(&log_rate, &count).item();
/// assert!((loss - 1f64.exp() / 2.0).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[doc(alias = "PoissonNLLLoss")]
pub struct PoissonNll {
    /// Mean, sum or neither.
    pub reduction: Reduction,
    /// Whether the input is ln λ; default true.
    pub log_input: bool,
    /// Whether the part that does not depend on the rate is added; default false.
    pub full: bool,
    /// ε, default 10⁻⁸.
    pub epsilon: f64,
}

impl Default for PoissonNll {
    fn default() -> Self {
        PoissonNll { reduction: Reduction::Mean, log_input: true, full: false, epsilon: 1e-8 }
    }
}

impl PoissonNll {
    /// The loss of rates, or of their logarithms.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn loss<T: Float>(&self, input: &Var<T>, target: &Var<T>) -> Var<T> {
        same_shape("poisson_nll", input, target);
        let mut losses = match self.log_input {
            true => input.exp() - target * input,
            false => input - target * (input + self.epsilon).ln(),
        };
        if self.full {
            let few = target.le(1.0);
            let t = target.masked_fill(&few, 1.0);
            let stirling = &t * t.ln() - &t + (t * std::f64::consts::TAU).ln() * 0.5;
            losses += stirling.masked_fill(few, 0.0);
        }
        self.reduction.apply(losses)
    }
}
