//! Parameters, their gradients, and how far a step moves them.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wengert_nn::{Grads, Params};
use wengert_optim::{Step, global_norm};
use wengert_tensor::{Float, Shape};

use super::{Histogram, aligned, shown};
use crate::{Event, Moment, RunObserver};

/// Looks at the parameters of every so-manieth step: how large they are, their gradients, and what the step changes them by.
/// A ratio of update to weight of about 10⁻³ is usual; far below nothing is learned, far above it may diverge.
///
/// A clone shows the same, so one goes to the run and one stays. It keeps a copy of the parameters before the steps that it
/// looks at, and does nothing in the others.
///
/// ```
/// use wengert_data::synthetic;
/// use wengert_nn::{Layer, Linear, Losses, Params};
/// use wengert_optim::Sgd;
/// use wengert_train::{Trainer, watch::Watch};
///
/// let data = synthetic::digits(250, 0);
/// let mut params: Params = Params::seeded(0);
/// let model = Linear::new(params.root(), 784, 10);
/// let watch = Watch::every(10);
/// Trainer::new(&mut params, Sgd::new(0.1))
///     .observe(watch.clone())
///     .batch_size(10)
///     .fit(&data, 1, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
/// let table = watch.latest().unwrap();
/// assert_eq!((table.step, table.rows[0].name.as_str()), (20, "weight"));
/// assert!(table.rows[0].update > 0.0);
/// println!("{table}");
/// # Ok::<(), wengert_train::TrainError>(())
/// ```
#[derive(Clone)]
pub struct Watch<T: Float = f32> {
    every: u64,
    bins: usize,
    each: Option<Each>,
    shared: Arc<Mutex<Seen<T>>>,
}

type Each = Arc<Mutex<dyn FnMut(&ParameterTable) + Send>>;

struct Seen<T> {
    /// The values before the step that is to be looked at.
    before: Option<Vec<T>>,
    latest: Option<ParameterTable>,
}

/// The parameters of a model in one step.
///
/// ```
/// use wengert_data::synthetic;
/// use wengert_nn::{Layer, Linear, Losses, Params};
/// use wengert_optim::Sgd;
/// use wengert_train::Trainer;
/// use wengert_train::watch::{ParameterRow, ParameterTable, Watch};
///
/// let data = synthetic::digits(100, 0);
/// let mut params: Params = Params::seeded(0);
/// let model = Linear::new(params.root(), 784, 10);
/// // Says which parameters a step moves by more than a tenth.
/// let is_fast = |row: &&ParameterRow| row.ratio() > 0.1;
/// let watch = Watch::every(1).each(move |table: &ParameterTable| {
///     for row in table.rows.iter().filter(is_fast) {
///         println!("step {}: {} {} moves by {:.2} of {:.2}", table.step, row.name, row.shape, row.update, row.weight);
///     }
/// });
/// Trainer::new(&mut params, Sgd::new(0.5))
///     .observe(watch.clone())
///     .fit(&data, 1, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
/// assert_eq!(watch.latest().unwrap().rows.len(), 2);
/// # Ok::<(), wengert_train::TrainError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ParameterTable {
    /// The step, counted from 1: so many are done.
    pub step: u64,
    /// A row for each parameter tensor, in their order.
    pub rows: Vec<ParameterRow>,
}

/// A parameter tensor in one step.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ParameterRow {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// The norm of its values before the step.
    pub weight: f64,
    /// The norm of its gradient.
    pub gradient: f64,
    /// The norm of what the step changed it by.
    pub update: f64,
    /// The elements of its gradient that are 0.
    pub zeros: usize,
    /// The elements of its gradient, and of its values after the step, that are NaN or infinite.
    pub not_finite: usize,
    /// How its values are spread after the step, if [asked for](Watch::histograms).
    pub values: Option<Histogram>,
    /// How its gradient is spread, if asked for.
    pub gradients: Option<Histogram>,
}

impl ParameterRow {
    /// The norm of the update divided by that of the values before; NaN where both are 0.
    pub fn ratio(&self) -> f64 {
        self.update / self.weight
    }
}

impl<T: Float> Watch<T> {
    /// Looks at the first update and at that of every `steps`-th step.
    ///
    /// # Panics
    /// If `steps` is 0.
    #[track_caller]
    pub fn every(steps: u64) -> Self {
        assert!(steps > 0, "Watch: every 0 steps");
        let shared = Arc::new(Mutex::new(Seen { before: None, latest: None }));
        Watch { every: steps, bins: 0, each: None, shared }
    }

    /// With histograms of so many bins of values and gradients.
    pub fn histograms(self, bins: usize) -> Self {
        Watch { bins, ..self }
    }

    /// Calls `each` with every table, to print it, say, or to write it to a log.
    pub fn each(self, each: impl FnMut(&ParameterTable) + Send + 'static) -> Self {
        Watch { each: Some(Arc::new(Mutex::new(each))), ..self }
    }

    /// What was seen last.
    pub fn latest(&self) -> Option<ParameterTable> {
        self.seen().latest.clone()
    }

    fn seen(&self) -> MutexGuard<'_, Seen<T>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self, step: u64, before: &[T], params: &Params<T>, grads: &Grads<T>) -> ParameterTable {
        let mut rows = Vec::new();
        let mut start = 0;
        for ((name, shape, values), gradient) in params.iter().zip(grads.named().map(|(_, _, g)| g)) {
            let before = &before[start..start + values.len()];
            start += values.len();
            let histogram = |of: &[T]| (self.bins > 0).then(|| Histogram::of(of, self.bins));
            rows.push(ParameterRow {
                name: name.to_owned(),
                shape: shape.clone(),
                weight: global_norm(before),
                gradient: global_norm(gradient),
                update: crate::metric::update_norm(before, values),
                zeros: gradient.iter().filter(|&&g| g == T::ZERO).count(),
                not_finite: values.iter().chain(gradient).filter(|x| !x.is_finite()).count(),
                values: histogram(values),
                gradients: histogram(gradient),
            });
        }
        ParameterTable { step, rows }
    }
}

impl<T: Float> RunObserver<T> for Watch<T> {
    fn on(&mut self, event: &Event<'_, T>, now: &Moment) -> ControlFlow<String> {
        match event {
            Event::Start { params, .. } => self.seen().before = Some(params.values().to_vec()),
            Event::Step(report) => {
                let before = match report.outcome {
                    Step::Updated { .. } => self.seen().before.take(),
                    // What is accumulated, or skipped, moves nothing: the next update is looked at.
                    _ => None,
                };
                if let Some(before) = before.filter(|before| before.len() == report.params.len()) {
                    let table = self.table(now.step, &before, report.params, report.grads);
                    if let Some(each) = &self.each {
                        each.lock().unwrap_or_else(PoisonError::into_inner)(&table);
                    }
                    self.seen().latest = Some(table);
                }
                if (now.step + 1).is_multiple_of(self.every) {
                    self.seen().before = Some(report.params.values().to_vec());
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl<T: Float> fmt::Debug for Watch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("every", &self.every).field("latest", &self.latest()).finish()
    }
}

impl fmt::Display for ParameterTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["parameter", "shape", "weight", "gradient", "update", "update / weight", "not finite"];
        let all_finite = self.rows.iter().all(|row| row.not_finite == 0);
        let columns = head.len() - usize::from(all_finite);
        let mut rows = vec![head.map(str::to_owned)[..columns].to_vec()];
        for row in &self.rows {
            let numbers = [row.weight, row.gradient, row.update, row.ratio()].map(shown);
            let cells = [row.name.clone(), row.shape.to_string()].into_iter().chain(numbers);
            rows.push(cells.chain([row.not_finite.to_string()]).take(columns).collect());
        }
        aligned(f, &rows)
    }
}
