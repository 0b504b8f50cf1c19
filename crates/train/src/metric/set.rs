//! Several metrics of the same outputs.

use std::any::Any;

use wengert_optim::first::Goal;
use wengert_state::{State, StateError};
use wengert_tensor::{Float, Tensor};

use super::Metric;

/// Metrics that take in the same outputs and targets, by their names.
///
/// ```
/// use wengert_tensor::Tensor;
/// use wengert_train::metric::{Accuracy, ConfusionMatrix, Metrics};
/// let mut quality = Metrics::new().with(Accuracy::new()).with(ConfusionMatrix::new());
/// quality.update(&Tensor::from([[0.1f32, 0.9], [0.8, 0.2]]), &Tensor::from([1, 1]));
/// assert_eq!(quality.values()[0], ("accuracy".to_owned(), 0.5));
/// assert_eq!(quality.names("validation")[0], "validation.accuracy");
/// let matrix: &ConfusionMatrix = quality.get("confusion_matrix").unwrap();
/// assert_eq!(matrix.count(1, 0), 1);
/// ```
///
/// Parts that were measured apart come together by their states:
///
/// ```
/// # use wengert_tensor::Tensor;
/// # use wengert_train::metric::{Metrics, RocAuc};
/// let parts = [[(0.1f32, 0u32), (0.8, 1)], [(0.4, 0), (0.35, 1)]].map(|part| {
///     let mut metrics = Metrics::new().with(RocAuc::new());
///     metrics.update(&Tensor::from(part.map(|p| p.0)), &Tensor::from(part.map(|p| p.1)));
///     metrics
/// });
/// let [mut whole, other] = parts;
/// whole.merge(&other.state())?;
/// assert_eq!(whole.values()[0].1, 0.75);
/// # Ok::<(), wengert_state::StateError>(())
/// ```
#[derive(Debug)]
pub struct Metrics<T: Float = f32, Y = Tensor<u32>> {
    all: Vec<Box<dyn Metric<T, Y>>>,
}

impl<T: Float, Y: 'static> Default for Metrics<T, Y> {
    fn default() -> Self {
        Metrics::new()
    }
}

impl<T: Float, Y: 'static> Metrics<T, Y> {
    const KIND: &'static str = "metrics";

    /// None.
    pub fn new() -> Self {
        Metrics { all: Vec::new() }
    }

    /// Adds a metric.
    ///
    /// # Panics
    /// If its name is empty, has a dot in it, or is that of another.
    #[track_caller]
    pub fn with(mut self, metric: impl Metric<T, Y>) -> Self {
        let name = metric.name();
        assert!(
            !name.is_empty() && !name.contains('.'),
            "Metrics: the name `{name}` {}; a dot stands between the name of a set and that of a metric",
            if name.is_empty() { "is empty" } else { "has a dot" }
        );
        assert!(
            self.all.iter().all(|other| other.name() != name),
            "Metrics: there is already a metric named `{name}`: rename one by `named`"
        );
        self.all.push(Box::new(metric));
        self
    }

    /// Takes in the outputs for a batch.
    ///
    /// # Panics
    /// If they do not fit the targets for one of the metrics; none has then taken them in.
    #[track_caller]
    pub fn update(&mut self, outputs: &Tensor<T>, targets: &Y) {
        // Asked here, since calls through the box lose the caller's line.
        for metric in &self.all {
            super::expect_fit(metric.refuses(outputs, targets));
        }
        for metric in &mut self.all {
            metric.update(outputs, targets);
        }
    }

    /// Names and values, in the order in which they were added.
    pub fn values(&self) -> Vec<(String, f64)> {
        self.all.iter().map(|metric| (metric.name().to_owned(), metric.value())).collect()
    }

    /// The names as they are when measured on a set: `"validation.accuracy"`.
    pub fn names(&self, set: &str) -> Vec<String> {
        self.all.iter().map(|metric| format!("{set}.{}", metric.name())).collect()
    }

    /// Whether the metric of that name is to become small or large; `None` if there is none of the name.
    pub fn goal(&self, name: &str) -> Option<Goal> {
        self.iter().find(|metric| metric.name() == name).map(|metric| metric.goal())
    }

    /// The metric of that name, if there is one and it is of type `M`.
    pub fn get<M: Metric<T, Y>>(&self, name: &str) -> Option<&M> {
        let metric: &dyn Any = self.iter().find(|metric| metric.name() == name)?;
        metric.downcast_ref()
    }

    /// The metrics, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Metric<T, Y>> {
        self.all.iter().map(|metric| &**metric)
    }

    /// The number of metrics.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are no metrics.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Forgets all that was taken in.
    pub fn reset(&mut self) {
        self.all.iter_mut().for_each(|metric| metric.reset());
    }

    /// All that was taken in, for [`load_state`](Self::load_state) and [`merge`](Self::merge).
    pub fn state(&self) -> State {
        let state = State::new(Self::KIND, 0);
        self.all.iter().fold(state, |state, metric| state.with_child(metric.name(), metric.state()))
    }

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// If it is not that of metrics of the same names and settings; nothing is then changed.
    pub fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        self.each(state, |metric, state| metric.load_state(state))
    }

    /// Takes in what others took in, by their [`state`](Self::state).
    ///
    /// # Errors
    /// If it is not that of metrics of the same names and settings; nothing is then changed.
    pub fn merge(&mut self, other: &State) -> Result<(), StateError> {
        self.each(other, |metric, state| metric.merge(state))
    }

    fn each(
        &mut self,
        state: &State,
        take: impl Fn(&mut dyn Metric<T, Y>, &State) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        let before: Vec<State> = self.iter().map(|metric| metric.state()).collect();
        let names: Vec<&str> = self.all.iter().map(|metric| metric.name()).collect();
        state.expect(Self::KIND, &[], &[], &names)?;
        for i in 0..self.all.len() {
            let of_metric = state.child(self.all[i].name())?;
            if let Err(error) = take(&mut *self.all[i], of_metric) {
                for (metric, before) in self.all.iter_mut().zip(&before) {
                    metric.load_state(before).expect("a metric takes its own state");
                }
                return Err(error);
            }
        }
        Ok(())
    }
}
