//! Minimisations in progress as states.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wengert_state::{State, StateError};

use super::objective::Counts;
use super::outcome::Record;
use super::run::{Iterate, Run};
use super::vector::Float;

/// A [`Run`], with `I` for its iterates and `M` for what the method remembers: references to write, values to read.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Run")]
struct Parts<I, M> {
    current: I,
    best: Option<I>,
    method: M,
    iterations: u64,
    counts: Counts,
    seconds: f64,
    initial_norm: f64,
    trace: Columns,
}

/// Records by their fields, so that there are a few vectors for them all.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Trace")]
struct Columns {
    iteration: Vec<u64>,
    value: Vec<f64>,
    gradient_norm: Vec<f64>,
    step: Vec<f64>,
    values: Vec<u64>,
    gradients: Vec<u64>,
    products: Vec<u64>,
    seconds: Vec<f64>,
}

impl Columns {
    fn of(records: &[Record]) -> Self {
        let reals = |field: fn(&Record) -> f64| records.iter().map(field).collect();
        let counts = |field: fn(&Record) -> u64| records.iter().map(field).collect();
        Columns {
            iteration: counts(|r| r.iteration),
            value: reals(|r| r.value),
            gradient_norm: reals(|r| r.gradient_norm),
            step: reals(|r| r.step),
            values: counts(|r| r.counts.values),
            gradients: counts(|r| r.counts.gradients),
            products: counts(|r| r.counts.products),
            seconds: reals(|r| r.seconds),
        }
    }

    fn records(&self) -> Result<Vec<Record>, StateError> {
        let expected = self.iteration.len();
        for (name, found) in [
            ("value", self.value.len()),
            ("gradient_norm", self.gradient_norm.len()),
            ("step", self.step.len()),
            ("values", self.values.len()),
            ("gradients", self.gradients.len()),
            ("products", self.products.len()),
            ("seconds", self.seconds.len()),
        ] {
            if found != expected {
                let (kind, name) = ("Trace".to_owned(), name.to_owned());
                return Err(StateError::VectorLen { kind, name, expected, found });
            }
        }
        let record = |i: usize| Record {
            iteration: self.iteration[i],
            value: self.value[i],
            gradient_norm: self.gradient_norm[i],
            step: self.step[i],
            counts: Counts {
                values: self.values[i],
                gradients: self.gradients[i],
                products: self.products[i],
            },
            seconds: self.seconds[i],
        };
        Ok((0..expected).map(record).collect())
    }
}

impl<T: Float, M: Serialize> Run<T, M> {
    /// Everything that [`Method::resume`](super::Method::resume) needs to go on with the same bits.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use wengert_optim::minimize::{Lbfgs, Method, Problem, Run};
    /// use wengert_optim::State;
    /// let f = Problem::new(1, |x: &[f64]| x[0].powi(4) - x[0]).with_gradient(|x, g| g[0] = 4.0 * x[0].powi(3) - 1.0);
    /// let method = Lbfgs::default();
    /// let mut saved = String::new();
    /// method.minimize_with(&f, &[3.0], |run| match run.iterations {
    ///     2 => {
    ///         saved = serde_json::to_string(&run.to_state().expect("no maps")).expect("strings take anything");
    ///         ControlFlow::Break(())
    ///     }
    ///     _ => ControlFlow::Continue(()),
    /// })?;
    /// let state: State = serde_json::from_str(&saved)?;
    /// let outcome = method.resume(&f, Run::from_state(&state)?, |_| ControlFlow::Continue(()))?;
    /// assert_eq!(outcome.point, method.minimize(&f, &[3.0])?.point);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If what the method remembers cannot be written (see [`State::of`]); the methods of this crate have nothing of the
    /// kind.
    pub fn to_state(&self) -> Result<State, StateError> {
        State::of(&Parts {
            current: &self.current,
            best: self.best.as_ref(),
            method: &self.state,
            iterations: self.iterations,
            counts: self.counts,
            seconds: self.seconds,
            initial_norm: self.initial_norm,
            trace: Columns::of(&self.trace),
        })
    }
}

impl<T: Float, M: DeserializeOwned> Run<T, M> {
    /// The run that had this state.
    ///
    /// # Errors
    /// If it is that of something else, another method or precision, or not whole. Whether it fits an objective,
    /// [`Method::resume`](super::Method::resume) says.
    pub fn from_state(state: &State) -> Result<Self, StateError> {
        let parts: Parts<Iterate<T>, M> = state.read()?;
        Ok(Run {
            current: parts.current,
            best: parts.best,
            state: parts.method,
            iterations: parts.iterations,
            counts: parts.counts,
            seconds: parts.seconds,
            initial_norm: parts.initial_norm,
            trace: parts.trace.records()?,
        })
    }
}

impl<T: Float, M: Serialize> Serialize for Run<T, M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_state().map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de, T: Float, M: DeserializeOwned> Deserialize<'de> for Run<T, M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Run::from_state(&State::deserialize(deserializer)?).map_err(Error::custom)
    }
}

/// A run whose method is not known.
pub(super) trait ToState {
    fn to_state(&self) -> Result<State, StateError>;
}

impl<T: Float, M: Serialize> ToState for Run<T, M> {
    fn to_state(&self) -> Result<State, StateError> {
        Run::to_state(self)
    }
}

/// The run that a [`Progress`](super::Progress) is of.
#[derive(Clone, Copy)]
pub(super) struct WholeRun<'a>(pub(super) &'a dyn ToState);

impl std::fmt::Debug for WholeRun<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("..")
    }
}
