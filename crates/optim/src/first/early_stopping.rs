//! Early stopping.

use wengert_state::{Scalar, State, StateError};
use wengert_tensor::Float;

use super::goal::Goal;
use crate::error::{Check, HyperParameterError};

/// Stops when a value has not become better for some time, and keeps the best parameters.
///
/// A value is better if it is below the best by more than `min_change`, or above it for [`Goal::Max`]. NaN is never better.
///
/// ```
/// use wengert_optim::EarlyStopping;
/// let mut stopping = EarlyStopping::new(2, 0.0);
/// let mut theta = [1.0f32];
/// assert!(!stopping.observe(0.5, &theta));
/// theta[0] = 2.0;
/// assert!(!stopping.observe(0.6, &theta));
/// assert!(stopping.observe(0.7, &theta)); // twice in a row no better
/// stopping.restore_best(&mut theta);
/// assert_eq!((theta[0], stopping.best()), (1.0, Some(0.5)));
/// ```
#[derive(Debug, Clone)]
pub struct EarlyStopping<T: Float = f32> {
    goal: Goal,
    patience: u64,
    min_change: f64,
    warm_up: u64,
    best: Option<f64>,
    waited: u64,
    observed: u64,
    best_at: u64,
    params: Vec<T>,
}

impl<T: Float> EarlyStopping<T> {
    const NAME: &'static str = "early_stopping";

    /// Stops at the `patience`-th observation in a row that is not below the best by more than `min_change`.
    ///
    /// # Panics
    /// If [`check`](Self::check) refuses them.
    #[track_caller]
    pub fn new(patience: u64, min_change: f64) -> Self {
        HyperParameterError::or_panic(Self::check(patience, min_change));
        let params = Vec::new();
        let goal = Goal::Min;
        let (warm_up, best, waited, observed, best_at) = (0, None, 0, 0, 0);
        EarlyStopping { goal, patience, min_change, warm_up, best, waited, observed, best_at, params }
    }

    /// Whether it can be made with these.
    ///
    /// # Errors
    /// If `patience` is 0, or `min_change` is negative or not finite.
    pub fn check(patience: u64, min_change: f64) -> Result<(), HyperParameterError> {
        Check::new(Self::NAME)
            .at_least_one("patience", patience as f64)?
            .non_negative("min_change", min_change)?;
        Ok(())
    }

    /// Whether small or large values are better, small being the default.
    ///
    /// ```
    /// use wengert_optim::EarlyStopping;
    /// use wengert_optim::first::Goal;
    /// let mut accuracy = EarlyStopping::new(1, 0.0).with_goal(Goal::Max);
    /// assert!(!accuracy.observe(0.8, &[1.0f32]) && !accuracy.observe(0.9, &[2.0]) && accuracy.observe(0.7, &[3.0]));
    /// ```
    pub fn with_goal(self, goal: Goal) -> Self {
        EarlyStopping { goal, ..self }
    }

    /// Leaves so many first observations out: they are neither the best nor waited for.
    ///
    /// ```
    /// use wengert_optim::EarlyStopping;
    /// let mut stopping = EarlyStopping::new(1, 0.0).with_warm_up(2);
    /// assert!(!stopping.observe(0.1, &[1.0f32]) && !stopping.observe(0.2, &[2.0]));
    /// assert!(!stopping.observe(0.5, &[3.0]) && stopping.observe(0.6, &[4.0]));
    /// assert_eq!((stopping.best(), stopping.best_at()), (Some(0.5), Some(2)));
    /// ```
    pub fn with_warm_up(self, observations: u64) -> Self {
        EarlyStopping { warm_up: observations, ..self }
    }

    /// Takes in a value and the parameters that gave it; returns whether to stop.
    pub fn observe(&mut self, value: f64, params: &[T]) -> bool {
        if self.observed < self.warm_up {
            self.observed += 1;
            return false;
        }
        if self.goal.is_better(value, self.best, self.min_change) {
            self.best = Some(value);
            self.best_at = self.observed;
            self.waited = 0;
            self.params.clear();
            self.params.extend_from_slice(params);
        } else {
            self.waited += 1;
        }
        self.observed += 1;
        self.waited >= self.patience
    }

    /// The best value so far.
    pub fn best(&self) -> Option<f64> {
        self.best
    }

    /// The number of the best observation, from 0.
    pub fn best_at(&self) -> Option<u64> {
        self.best.map(|_| self.best_at)
    }

    /// Writes the best parameters; returns whether there are any.
    ///
    /// # Panics
    /// If the length is another.
    #[track_caller]
    pub fn restore_best(&self, params: &mut [T]) -> bool {
        if self.best.is_none() {
            return false;
        }
        assert!(
            params.len() == self.params.len(),
            "EarlyStopping::restore_best: {} parameters, but the best are {}",
            params.len(),
            self.params.len()
        );
        params.copy_from_slice(&self.params);
        true
    }

    /// What it goes by, by name.
    ///
    /// ```
    /// use wengert_optim::EarlyStopping;
    /// assert_eq!(EarlyStopping::<f32>::new(3, 0.0).settings().count("patience")?, 3);
    /// # Ok::<(), wengert_optim::StateError>(())
    /// ```
    pub fn settings(&self) -> State {
        State::new(Self::NAME, 0)
            .with_scalar("goal", Scalar::Text(self.goal.to_string()))
            .with_count("patience", self.patience)
            .with_real("min_change", self.min_change)
            .with_count("warm_up", self.warm_up)
    }

    /// Everything that later observations depend on.
    pub fn state(&self) -> State {
        State::new(Self::NAME, self.params.len())
            .with_real("best", self.best.unwrap_or(f64::NAN))
            .with_count("waited", self.waited)
            .with_count("observed", self.observed)
            .with_count("best_at", self.best_at)
            .with_vector("params", &self.params)
    }

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// If the state is of another kind or precision.
    ///
    /// ```
    /// use wengert_optim::EarlyStopping;
    /// let mut stopping = EarlyStopping::new(2, 0.0);
    /// stopping.observe(0.5, &[1.0f32]);
    /// let mut later = EarlyStopping::<f32>::new(2, 0.0);
    /// later.load_state(&stopping.state())?;
    /// assert_eq!(later.best(), Some(0.5));
    /// # Ok::<(), wengert_optim::StateError>(())
    /// ```
    pub fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        state.expect(Self::NAME, &["best", "waited", "observed", "best_at"], &["params"], &[])?;
        let best = state.real("best")?;
        let (waited, observed) = (state.count("waited")?, state.count("observed")?);
        let best_at = state.count("best_at")?;
        self.params = state.vector("params", state.len)?;
        self.best = (!best.is_nan()).then_some(best);
        (self.waited, self.observed, self.best_at) = (waited, observed, best_at);
        Ok(())
    }
}
