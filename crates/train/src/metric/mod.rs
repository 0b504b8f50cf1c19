//! How good a model's outputs are, over batches of any size.
//!
//! [`Metrics`] are a set of them by name. Those here equal scikit-learn's. Classifiers' outputs are logits of shape
//! `[batch, classes]`, `[batch, time, classes]` and so on, or for two classes `[batch]` or `[batch, 1]`; labels of
//! [`IGNORED`](wengert_nn::IGNORED) do not count anywhere. Sums are exact, so that parts which were measured apart give the same bits
//! as the whole, in any order.
//!
//! | targets | metrics |
//! |---|---|
//! | labels, by the class that is chosen | [`Accuracy`], [`TopK`], [`Precision`], [`Recall`], [`F1`], [`ConfusionMatrix`] |
//! | labels, by scores or probabilities | [`RocAuc`], [`AveragePrecision`], [`CalibrationError`], [`LogLoss`], [`Perplexity`], [`BitsPerCharacter`] |
//! | numbers | [`MeanAbsoluteError`], [`RootMeanSquaredError`], [`MeanAbsolutePercentageError`], [`R2`] |
//! | any | [`Mean`] of a function |

mod accuracy;
mod averaged;
mod calibration;
mod confusion;
mod exact;
mod kept;
mod likelihood;
mod mean;
mod outputs;
mod ranking;
mod rates;
mod regression;
mod set;
mod top_k;

pub use accuracy::Accuracy;
pub use averaged::{Averaging, F1, Precision, Recall};
pub use calibration::{CalibrationBin, CalibrationError};
pub use confusion::ConfusionMatrix;
pub use likelihood::{BitsPerCharacter, LogLoss, Perplexity};
pub use mean::{Mean, Targets};
pub use ranking::{AveragePrecision, RocAuc};
pub use rates::{throughput, update_norm};
pub use regression::{MeanAbsoluteError, MeanAbsolutePercentageError, Numbers, R2, RootMeanSquaredError};
pub use set::Metrics;
pub use top_k::TopK;

use std::any::Any;
use std::fmt::Debug;

use wengert_optim::first::Goal;
use wengert_state::{State, StateError};
use wengert_tensor::{Float, Tensor};

/// A number that says how good outputs are for targets of type `Y`: labels, or values for regressions.
///
/// It accumulates counts and sums, never means, so that batches of unequal sizes and parts of a data set that were
/// measured apart [merge](Metric::merge) to what the whole would have given.
///
/// ```
/// use wengert_optim::first::Goal;
/// use wengert_state::{State, StateError};
/// use wengert_tensor::Tensor;
/// use wengert_train::metric::{Metric, Metrics};
///
/// /// The largest distance of an output from its target.
/// #[derive(Debug)]
/// struct Largest(f64);
///
/// impl Metric<f32, Tensor<f32>> for Largest {
///     fn name(&self) -> &str { "largest" }
///     fn goal(&self) -> Goal { Goal::Min }
///     fn update(&mut self, outputs: &Tensor<f32>, targets: &Tensor<f32>) {
///         let distances = outputs.iter().zip(targets.iter()).map(|(y, target)| f64::from((y - target).abs()));
///         self.0 = distances.fold(self.0, f64::max);
///     }
///     fn value(&self) -> f64 { self.0 }
///     fn reset(&mut self) { self.0 = f64::NAN; }
///     fn state(&self) -> State { State::new("largest", 0).with_real("value", self.0) }
///     fn load_state(&mut self, state: &State) -> Result<(), StateError> {
///         self.0 = state.real("value")?;
///         Ok(())
///     }
///     fn merge(&mut self, other: &State) -> Result<(), StateError> {
///         self.0 = self.0.max(other.real("value")?);
///         Ok(())
///     }
/// }
///
/// let mut metrics = Metrics::new().with(Largest(f64::NAN));
/// metrics.update(&Tensor::from([1.0, 2.0]), &Tensor::from([1.5, 2.0]));
/// metrics.update(&Tensor::from([7.0]), &Tensor::from([4.0]));
/// assert_eq!(metrics.value("largest"), Some(3.0));
/// ```
pub trait Metric<T: Float = f32, Y = Tensor<u32>>: Any + Debug {
    /// Its name, e.g. `"accuracy"`.
    fn name(&self) -> &str;

    /// Whether it is to become small or large.
    fn goal(&self) -> Goal;

    /// Why it would not take these in, if so: their shapes do not fit, say. By default it takes in everything.
    fn refuses(&self, _outputs: &Tensor<T>, _targets: &Y) -> Option<String> {
        None
    }

    /// Takes in the outputs for a batch.
    ///
    /// # Panics
    /// If it [`refuses`](Metric::refuses) them.
    #[track_caller]
    fn update(&mut self, outputs: &Tensor<T>, targets: &Y);

    /// The value over all that was taken in; NaN if that is nothing, or the value does not exist.
    fn value(&self) -> f64;

    /// Forgets all that was taken in.
    fn reset(&mut self);

    /// All that was taken in, for [`load_state`](Metric::load_state) and [`merge`](Metric::merge).
    fn state(&self) -> State;

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// If the state is that of another metric or of one with other settings.
    fn load_state(&mut self, state: &State) -> Result<(), StateError>;

    /// Takes in what another metric of the same settings took in, by its [`state`](Metric::state).
    ///
    /// # Errors
    /// If the state is that of another metric or of one with other settings.
    fn merge(&mut self, other: &State) -> Result<(), StateError>;
}

/// Panics if there is a reason to.
#[track_caller]
fn expect_fit(refusal: Option<String>) {
    if let Some(reason) = refusal {
        panic!("{reason}");
    }
}
