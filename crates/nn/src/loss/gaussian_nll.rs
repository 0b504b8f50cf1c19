//! The negative log-likelihood of numbers with a variance of their own.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::{Reduction, same_shape};

/// ½ (ln v + (μ − t)²/v) for a mean μ, a target t and a variance v that is taken to be at least ε; with `full`, ½ ln 2π more.
/// As in PyTorch, the derivative by a variance below ε is that at ε.
///
/// ```
/// use wengert_nn::GaussianNll;
/// use wengert_tape::Var;
/// let (mean, target, variance) = (Var::from([1.0f64]), Var::from([3.0]), Var::from([4.0]));
/// let loss = GaussianNll::default().loss(&mean, &target, &variance);
/// assert_eq!(loss.item(), 0.5 * (4f64.ln() + 1.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[doc(alias = "GaussianNLLLoss")]
pub struct GaussianNll {
    /// Mean, sum or neither.
    pub reduction: Reduction,
    /// Whether the constant is added; default false.
    pub full: bool,
    /// ε, the least variance; default 10⁻⁶.
    pub epsilon: f64,
}

impl Default for GaussianNll {
    fn default() -> Self {
        GaussianNll { reduction: Reduction::Mean, full: false, epsilon: 1e-6 }
    }
}

impl GaussianNll {
    /// The loss of means and variances. The variance has the mean's shape, or 1 in the place of its last axis, or lacks that axis.
    ///
    /// # Panics
    /// If the shapes do not fit, or a variance is negative.
    #[track_caller]
    pub fn loss<T: Float>(&self, mean: &Var<T>, target: &Var<T>, variance: &Var<T>) -> Var<T> {
        same_shape("gaussian_nll", mean, target);
        let shapes = (mean.shape(), variance.shape());
        let variance = match mean.rank().checked_sub(1) {
            Some(last) if variance.rank() == last && shapes.1[..] == shapes.0[..last] => {
                variance.unsqueeze(last)
            }
            _ => variance.clone(),
        };
        let lengths = variance.shape().iter().zip(shapes.0.iter()).enumerate();
        let fits = variance.rank() == mean.rank()
            && lengths.clone().all(|(i, (v, m))| v == m || (*v == 1 && i + 1 == mean.rank()));
        assert!(fits, "gaussian_nll: the mean has shape {}, the variance {}", shapes.0, shapes.1);
        let negative = variance.value().to_vec().into_iter().find(|&v| v < T::ZERO);
        assert!(
            negative.is_none(),
            "gaussian_nll: the variance {} is negative",
            negative.unwrap_or_default()
        );
        // A value of at least ε with the derivative of the variance itself.
        let at_least = (&variance - self.epsilon).relu() + self.epsilon;
        let v = &variance + (at_least - &variance).stop_gradient();
        // Divided between the factors, so that a square does not leave the range of numbers.
        let difference = mean - target;
        let mut losses = (v.ln() + &difference / &v * &difference) * 0.5;
        if self.full {
            losses += 0.5 * std::f64::consts::TAU.ln();
        }
        self.reduction.apply(losses)
    }
}
