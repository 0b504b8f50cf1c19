//! A named tree of numbers and vectors.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;

use crate::error::brief;
use crate::{Scalar, StateError, Values};

/// Everything that something remembers between steps: a named tree of numbers and vectors.
///
/// Serialises with any serde format; floating-point numbers are written as bit patterns, so that every bit
/// survives, NaN and infinity included. Hyper-parameters other than the learning rate belong to the program, not to
/// the state. A file of them is one state with others as children; see the [crate](crate).
///
/// ```
/// use wengert_state::State;
/// let state = State::new("momentum", 2).with_count("step", 1).with_vector("velocity", &[0.5f32, f32::NAN]);
/// let json = serde_json::to_string(&state)?;
/// assert_eq!(serde_json::from_str::<State>(&json)?, state);
/// assert_eq!(state.count("step")?, 1);
/// assert_eq!(
///     state.vector::<f32>("velocity", 3).unwrap_err().to_string(),
///     "momentum: velocity has 2 elements, but must have 3",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// What it is the state of, e.g. `"adam"`.
    pub kind: String,
    /// The length of the parameter vector, where there is one; 0 before the first step of an optimiser.
    pub len: usize,
    /// Named single values: the step count, the learning rate.
    pub scalars: BTreeMap<String, Scalar>,
    /// Named vectors: momentum buffers, averages of squares.
    pub vectors: BTreeMap<String, Values>,
    /// States of what this is built of.
    pub children: BTreeMap<String, State>,
}

impl State {
    /// An empty state of this kind.
    pub fn new(kind: &str, len: usize) -> Self {
        State {
            kind: kind.to_owned(),
            len,
            scalars: BTreeMap::new(),
            vectors: BTreeMap::new(),
            children: BTreeMap::new(),
        }
    }

    /// Adds a single value.
    ///
    /// ```
    /// use wengert_state::{Scalar, State};
    /// let state = State::new("plateau", 0).with_scalar("best", Scalar::Real(0.5)).with_scalar("waits", Scalar::Flag(true));
    /// assert_eq!((state.real("best")?, state.flag("waits")?), (0.5, true));
    /// # Ok::<(), wengert_state::StateError>(())
    /// ```
    pub fn with_scalar(mut self, name: &str, value: Scalar) -> Self {
        self.scalars.insert(name.to_owned(), value);
        self
    }

    /// Adds a count.
    pub fn with_count(self, name: &str, value: u64) -> Self {
        self.with_scalar(name, Scalar::Count(value))
    }

    /// Adds a real number.
    pub fn with_real(self, name: &str, value: f64) -> Self {
        self.with_scalar(name, Scalar::Real(value))
    }

    /// Adds a copy of a vector.
    pub fn with_vector<T: Float>(mut self, name: &str, values: &[T]) -> Self {
        self.vectors.insert(name.to_owned(), Values::of(values));
        self
    }

    /// Adds a copy of a few whole numbers.
    ///
    /// ```
    /// use wengert_state::State;
    /// let state = State::new("generator", 0).with_words("key", &[7, 8]);
    /// assert_eq!(state.words::<2>("key")?, [7, 8]);
    /// # Ok::<(), wengert_state::StateError>(())
    /// ```
    pub fn with_words(mut self, name: &str, words: &[u64]) -> Self {
        self.vectors.insert(name.to_owned(), Values::U64(words.to_vec()));
        self
    }

    /// Adds the state of a part.
    pub fn with_child(mut self, name: &str, child: State) -> Self {
        self.children.insert(name.to_owned(), child);
        self
    }

    /// Checks the kind and which names are there: no others may be, and all children must.
    ///
    /// # Errors
    /// If the kind is another, a child is missing, or there is more.
    ///
    /// ```
    /// use wengert_state::State;
    /// let state = State::new("momentum", 2).with_count("step", 1).with_vector("velocity", &[0.5f32, 1.0]);
    /// assert!(state.expect("momentum", &["step"], &["velocity"], &[]).is_ok());
    /// // A file of another method.
    /// assert!(state.expect("adam", &["step"], &["mean", "square"], &[]).is_err());
    /// ```
    pub fn expect(
        &self,
        kind: &str,
        scalars: &[&str],
        vectors: &[&str],
        children: &[&str],
    ) -> Result<(), StateError> {
        if self.kind != kind {
            return Err(StateError::Kind { expected: kind.to_owned(), found: brief(&self.kind) });
        }
        let unknown = |name: &&String, known: &[&str]| !known.contains(&name.as_str());
        let unexpected = (self.scalars.keys().find(|name| unknown(name, scalars)))
            .or_else(|| self.vectors.keys().find(|name| unknown(name, vectors)))
            .or_else(|| self.children.keys().find(|name| unknown(name, children)));
        if let Some(name) = unexpected {
            return Err(StateError::Unexpected { kind: kind.to_owned(), name: brief(name) });
        }
        children.iter().try_for_each(|name| self.child(name).map(drop))
    }

    fn missing(&self, name: &str) -> StateError {
        StateError::Missing { kind: brief(&self.kind), name: name.to_owned() }
    }

    /// The error that says that the single value of this name is not what it must be.
    ///
    /// ```
    /// use wengert_state::State;
    /// let state = State::new("plateau", 0).with_count("patience", 0);
    /// let error = state.refuse("patience", "at least 1");
    /// assert!(error.to_string().contains("patience"), "{error}");
    /// ```
    pub fn refuse(&self, name: &str, expected: &'static str) -> StateError {
        match self.scalars.get(name) {
            Some(found) => self.value(name, expected, found.to_string()),
            None => self.missing(name),
        }
    }

    fn value(&self, name: &str, expected: &'static str, found: String) -> StateError {
        StateError::Value { kind: brief(&self.kind), name: name.to_owned(), expected, found }
    }

    /// The single value of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn scalar(&self, name: &str) -> Result<&Scalar, StateError> {
        self.scalars.get(name).ok_or_else(|| self.missing(name))
    }

    /// The count of this name: below 2⁵³, as every count of steps is, so that one more is a count too.
    ///
    /// # Errors
    /// If there is none, it is larger, or no count.
    pub fn count(&self, name: &str) -> Result<u64, StateError> {
        match self.scalar(name)? {
            &Scalar::Count(n) if n < 1 << 53 => Ok(n),
            Scalar::Count(_) => Err(self.refuse(name, "below 2⁵³")),
            _ => Err(self.refuse(name, "a count")),
        }
    }

    /// The whole number of this name.
    ///
    /// # Errors
    /// If there is none, or it is no whole number.
    ///
    /// ```
    /// use wengert_state::{Scalar, State};
    /// assert_eq!(State::new("offset", 0).with_scalar("by", Scalar::Integer(-3)).integer("by")?, -3);
    /// # Ok::<(), wengert_state::StateError>(())
    /// ```
    pub fn integer(&self, name: &str) -> Result<i64, StateError> {
        match self.scalar(name)? {
            &Scalar::Integer(n) => Ok(n),
            _ => Err(self.refuse(name, "a whole number")),
        }
    }

    /// The yes or no of this name.
    ///
    /// # Errors
    /// If there is none, or it is something else.
    pub fn flag(&self, name: &str) -> Result<bool, StateError> {
        match self.scalar(name)? {
            &Scalar::Flag(flag) => Ok(flag),
            _ => Err(self.refuse(name, "yes or no")),
        }
    }

    /// The real number of this name.
    ///
    /// # Errors
    /// If there is none, or it is no real number.
    pub fn real(&self, name: &str) -> Result<f64, StateError> {
        match self.scalar(name)? {
            &Scalar::Real(x) => Ok(x),
            _ => Err(self.refuse(name, "a real number")),
        }
    }

    /// The real number of this name, which must be finite.
    ///
    /// # Errors
    /// If there is none, or it is not finite.
    ///
    /// ```
    /// use wengert_state::{Scalar, State};
    /// let state = State::new("run", 0).with_scalar("loss", Scalar::Real(f64::INFINITY));
    /// assert!(state.real("loss").is_ok() && state.finite("loss").is_err());
    /// ```
    pub fn finite(&self, name: &str) -> Result<f64, StateError> {
        match self.real(name)? {
            x if x.is_finite() => Ok(x),
            _ => Err(self.refuse(name, "finite")),
        }
    }

    /// The learning rate, which must be finite and not negative.
    ///
    /// # Errors
    /// If there is none, or it is neither.
    ///
    /// ```
    /// use wengert_state::{Scalar, State};
    /// let of = |rate: f64| State::new("sgd", 0).with_scalar("learning_rate", Scalar::Real(rate));
    /// assert_eq!(of(0.1).learning_rate()?, 0.1);
    /// assert!(of(-0.1).learning_rate().is_err());
    /// # Ok::<(), wengert_state::StateError>(())
    /// ```
    pub fn learning_rate(&self) -> Result<f64, StateError> {
        let rate = self.real("learning_rate")?;
        if rate.is_finite() && rate >= 0.0 {
            Ok(rate)
        } else {
            Err(self.refuse("learning_rate", "finite and at least 0"))
        }
    }

    fn values(&self, name: &str, len: usize) -> Result<&Values, StateError> {
        let values = self.vectors.get(name).ok_or_else(|| self.missing(name))?;
        if values.len() == len {
            return Ok(values);
        }
        Err(StateError::VectorLen {
            kind: brief(&self.kind),
            name: name.to_owned(),
            expected: len,
            found: values.len(),
        })
    }

    /// A copy of the vector of this name, which must have `len` elements of type `T`.
    ///
    /// # Errors
    /// If there is none, or it is of another length or type.
    pub fn vector<T: Float>(&self, name: &str, len: usize) -> Result<Vec<T>, StateError> {
        let values = self.values(name, len)?;
        values.to_vec().ok_or_else(|| self.value(name, T::NAME, values.element().to_owned()))
    }

    /// The whole numbers of this name, of which there must be `N`.
    ///
    /// # Errors
    /// If there are none, or they are more, fewer, or of another type.
    pub fn words<const N: usize>(&self, name: &str) -> Result<[u64; N], StateError> {
        let words = self.whole_numbers(name, N)?;
        Ok(std::array::from_fn(|i| words[i]))
    }

    /// The whole numbers of this name, of which there must be `len`.
    ///
    /// ```
    /// use wengert_state::State;
    /// let state = State::new("trace", 0).with_words("step", &[10, 20]);
    /// assert_eq!(state.whole_numbers("step", 2)?, [10, 20]);
    /// assert!(state.whole_numbers("step", 3).is_err());
    /// # Ok::<(), wengert_state::StateError>(())
    /// ```
    ///
    /// # Errors
    /// If there are none, or they are more, fewer, or of another type.
    pub fn whole_numbers(&self, name: &str, len: usize) -> Result<&[u64], StateError> {
        match self.values(name, len)? {
            Values::U64(words) => Ok(words),
            values => Err(self.value(name, "u64", values.element().to_owned())),
        }
    }

    /// The state of the part of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn child(&self, name: &str) -> Result<&State, StateError> {
        self.children.get(name).ok_or_else(|| self.missing(name))
    }
}
