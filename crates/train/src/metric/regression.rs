//! How far outputs are from values.

use wengert_optim::first::Goal;
use wengert_state::{State, StateError};
use wengert_tape::Var;
use wengert_tensor::{Float, Shape, Tensor};

use super::Metric;
use super::exact::ExactSum;
use super::kept::{Kept, kept_in, named, unlike};

/// Targets that are numbers: a tensor, or a variable, as batches have them.
///
/// ```
/// use wengert_tape::Var;
/// use wengert_tensor::Tensor;
/// use wengert_train::metric::Numbers;
/// /// The largest target of a batch, whichever way it comes.
/// fn largest(targets: &impl Numbers<f64>) -> f64 {
///     targets.numbers().iter().fold(f64::NEG_INFINITY, f64::max)
/// }
/// assert_eq!(largest(&Tensor::from([1.0, 3.0])), 3.0);
/// assert_eq!(largest(&Var::from([1.0, 3.0])), 3.0);
/// ```
pub trait Numbers<T: Float>: 'static {
    /// The numbers.
    fn numbers(&self) -> &Tensor<T>;
}

impl<T: Float> Numbers<T> for Tensor<T> {
    fn numbers(&self) -> &Tensor<T> {
        self
    }
}

impl<T: Float> Numbers<T> for Var<T> {
    fn numbers(&self) -> &Tensor<T> {
        self.value()
    }
}

/// The number of columns, each of which has a value of its own, and 1 where there is a single axis.
fn columns(shape: &Shape) -> usize {
    if shape.len() < 2 { 1 } else { shape[shape.len() - 1] }
}

/// Sums for each column.
#[derive(Clone, Debug, Default)]
struct Columns<const N: usize> {
    /// The rows.
    count: u64,
    sums: Vec<[ExactSum; N]>,
}

impl<const N: usize> Columns<N> {
    fn refusal<T: Float>(&self, metric: &str, outputs: &Tensor<T>, targets: &Tensor<T>) -> Option<String> {
        let (outputs, targets) = (outputs.shape(), targets.shape());
        let without_one = |shape: &Shape| match shape.split_last() {
            Some((1, others)) if others.len() == 1 => others.to_vec(),
            _ => shape.to_vec(),
        };
        if without_one(outputs) != without_one(targets) {
            return Some(format!("{metric}: outputs of shape {outputs} for targets of shape {targets}"));
        }
        let found = columns(outputs);
        (!self.sums.is_empty() && found != self.sums.len()).then(|| {
            let before = self.sums.len();
            format!("{metric}: outputs of shape {outputs}, with {found} columns, after some with {before}")
        })
    }

    fn take_in<T: Float>(
        &mut self,
        outputs: &Tensor<T>,
        targets: &Tensor<T>,
        add: impl Fn(&mut [ExactSum; N], f64, f64),
    ) {
        let columns = columns(outputs.shape());
        if outputs.is_empty() {
            return;
        }
        if self.sums.is_empty() {
            self.sums = vec![[ExactSum::ZERO; N]; columns];
        }
        for (i, (output, target)) in outputs.iter().zip(targets).enumerate() {
            add(&mut self.sums[i % columns], output.to_f64(), target.to_f64());
        }
        self.count += (outputs.len() / columns) as u64;
    }

    fn mean_of(&self, value: impl Fn(&[ExactSum; N]) -> f64) -> f64 {
        self.sums.iter().map(value).sum::<f64>() / self.sums.len() as f64
    }
}

impl<const N: usize> Kept for Columns<N> {
    fn write(&self, state: State) -> State {
        let mut state = state.with_count("rows", self.count);
        let sums: Vec<ExactSum> = self.sums.iter().flatten().cloned().collect();
        state.vectors.insert("sums".into(), ExactSum::written(&sums));
        state
    }

    fn read(&self, state: &State) -> Result<Self, StateError> {
        let sums = ExactSum::read(state, "sums")?;
        if sums.len() % N != 0 {
            return Err(unlike(&state.kind, "sums for each column", N, sums.len()));
        }
        let mut columns = Vec::new();
        for of_column in sums.chunks_exact(N) {
            columns.push(std::array::from_fn(|i| of_column[i].clone()));
        }
        let count = state.count("rows")?;
        if (count == 0) != columns.is_empty() {
            return Err(state.refuse("rows", "0 where there are no sums, and only there"));
        }
        Ok(Columns { count, sums: columns })
    }

    fn add(&mut self, other: Self) -> Result<(), StateError> {
        if other.sums.is_empty() {
            return Ok(());
        }
        if self.sums.is_empty() {
            *self = other;
            return Ok(());
        }
        if self.sums.len() != other.sums.len() {
            return Err(unlike("regression", "columns", self.sums.len(), other.sums.len()));
        }
        self.count += other.count;
        let pairs = self.sums.iter_mut().flatten().zip(other.sums.into_iter().flatten());
        pairs.for_each(|(own, more)| own.add_sum(more));
        Ok(())
    }

    fn reset(&mut self) {
        *self = Columns::default();
    }
}

/// Declares a metric of outputs and values.
macro_rules! of_values {
    ($(#[$doc:meta])* $Name:ident, $name:literal, $goal:expr, $sums:literal, $add:expr, $value:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $Name {
            name: String,
            kept: Columns<$sums>,
        }

        impl $Name {
            /// Nothing taken in yet.
            #[allow(clippy::new_without_default, reason = "as the other metrics")]
            pub fn new() -> Self {
                $Name { name: $name.into(), kept: Columns::default() }
            }

            named!();

            /// The value over all that was taken in; NaN if that is nothing.
            pub fn value(&self) -> f64 {
                let value: fn(u64, &[ExactSum; $sums]) -> f64 = $value;
                self.kept.mean_of(|sums| value(self.kept.count, sums))
            }

            fn settings(&self) -> State {
                State::new($name, 0)
            }
        }

        impl<T: Float, Y: Numbers<T>> Metric<T, Y> for $Name {
            kept_in!(kept);

            fn goal(&self) -> Goal {
                $goal
            }

            fn refuses(&self, outputs: &Tensor<T>, targets: &Y) -> Option<String> {
                self.kept.refusal(&self.name, outputs, targets.numbers())
            }

            #[track_caller]
            fn update(&mut self, outputs: &Tensor<T>, targets: &Y) {
                super::expect_fit(Metric::<T, Y>::refuses(self, outputs, targets));
                self.kept.take_in(outputs, targets.numbers(), $add);
            }
        }
    };
}

of_values! {
    /// The mean of |output − target|. NaN if one of them is.
    ///
    /// Outputs and targets have the same shape; `[batch, 1]` fits `[batch]`.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{MeanAbsoluteError, Metrics};
    /// let mut error = Metrics::new().with(MeanAbsoluteError::new());
    /// error.update(&Tensor::from([2.5f32, 0.0, 2.0]), &Tensor::from([3.0f32, -0.5, 2.0]));
    /// assert_eq!(error.values(), [("mean_absolute_error".to_owned(), 1.0 / 3.0)]);
    /// ```
    #[doc(alias = "mae")]
    MeanAbsoluteError, "mean_absolute_error", Goal::Min, 1,
    |[sum], output, target| sum.add((output - target).abs()),
    |count, [sum]| sum.value() / count as f64
}

of_values! {
    /// The root of the mean of (output − target)². NaN if one of them is.
    ///
    /// Outputs and targets have the same shape; `[batch, 1]` fits `[batch]`. Where they have several columns, the last of two
    /// or more axes, it is the mean of the columns' roots, as in scikit-learn.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{Metrics, RootMeanSquaredError};
    /// let mut error = Metrics::new().with(RootMeanSquaredError::new());
    /// error.update(&Tensor::from([1.0f32, 5.0]), &Tensor::from([1.0f32, 4.0]));
    /// error.update(&Tensor::from([1.0f32]), &Tensor::from([2.0f32]));
    /// assert_eq!(error.values()[0].1, (2.0f64 / 3.0).sqrt());
    /// ```
    #[doc(alias = "rmse")]
    RootMeanSquaredError, "root_mean_squared_error", Goal::Min, 1,
    |[sum], output, target| sum.add_product(output - target, output - target),
    |count, [sum]| (sum.value() / count as f64).sqrt()
}

of_values! {
    /// The mean of |output − target| / |target|, where a target of 0 counts as 2⁻⁵². NaN if one of them is.
    ///
    /// Outputs and targets have the same shape; `[batch, 1]` fits `[batch]`.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{MeanAbsolutePercentageError, Metrics};
    /// let mut error = Metrics::new().with(MeanAbsolutePercentageError::new());
    /// error.update(&Tensor::from([1.5f32, 4.0]), &Tensor::from([1.0f32, 4.0]));
    /// assert_eq!(error.values()[0].1, 0.25); // a fraction
    /// ```
    #[doc(alias = "mape")]
    MeanAbsolutePercentageError, "mean_absolute_percentage_error", Goal::Min, 1,
    |[sum], output, target| sum.add((output - target).abs() / target.abs().max(f64::EPSILON)),
    |count, [sum]| sum.value() / count as f64
}

of_values! {
    /// The coefficient of determination: what part of the variance of the targets the outputs explain. 1 is perfect, 0 as good
    /// as the targets' mean, and below 0 worse than that. NaN for fewer than two examples, or if a number is NaN.
    ///
    /// Outputs and targets have the same shape; `[batch, 1]` fits `[batch]`. Where they have several columns, the last of two
    /// or more axes, it is the mean over the columns. A column of equal targets has 1 if the outputs are these, and else 0.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{Metrics, R2};
    /// let mut r2 = Metrics::new().with(R2::new());
    /// r2.update(&Tensor::from([2.0f32, 2.0, 8.0]), &Tensor::from([1.0f32, 3.0, 8.0]));
    /// assert!((r2.values()[0].1 - 12.0 / 13.0).abs() < 1e-12);
    /// ```
    R2, "r2", Goal::Max, 3,
    |[residuals, sum, squares], output, target| {
        residuals.add_product(output - target, output - target);
        sum.add(target);
        squares.add_product(target, target);
    },
    r2
}

fn r2(count: u64, [residuals, sum, squares]: &[ExactSum; 3]) -> f64 {
    if count < 2 {
        return f64::NAN;
    }
    // n·Σ y² − (Σ y)², which is n times the sum of the squared deviations, without cancellation.
    let n = count as f64;
    let mut spread = ExactSum::ZERO;
    for part in squares.parts() {
        spread.add_product(n, part);
    }
    let [high, middle, low] = sum.parts();
    for (x, y) in [(high, high), (2.0 * high, middle), (2.0 * high, low), (middle, middle)] {
        spread.add_product(-x, y);
    }
    let (residuals, spread) = (residuals.value() * n, spread.value());
    match (residuals, spread) {
        (0.0, spread) if !spread.is_nan() => 1.0,
        (residuals, 0.0) if !residuals.is_nan() => 0.0,
        _ => 1.0 - residuals / spread,
    }
}
