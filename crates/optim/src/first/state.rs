//! The state of an optimiser as a value: named numbers and vectors that serialise to the same bits.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};
use wengert_tensor::{ElementKind, Float};

/// Everything that an optimiser remembers between steps: a named tree of numbers and vectors.
///
/// Serialises with any serde format; floating-point numbers are written as bit patterns, so that every bit
/// survives, NaN and infinity included. Hyper-parameters other than the learning rate belong to the program, not to
/// the state.
///
/// ```
/// use wengert_optim::{Adam, Optimizer, State};
/// let mut adam = Adam::new(0.1);
/// adam.step(&mut [1.0f32], &[0.5]);
/// let json = serde_json::to_string(&adam.state()).unwrap();
/// let state: State = serde_json::from_str(&json).unwrap();
/// assert_eq!(state, adam.state());
///
/// let mut resumed = Adam::<f32>::new(0.1);
/// resumed.load_state(&state).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The kind of optimiser, e.g. `"adam"`.
    pub kind: String,
    /// The length of the parameter vector; 0 before the first step.
    pub len: usize,
    /// Named numbers: the step count, the learning rate.
    pub scalars: BTreeMap<String, Scalar>,
    /// Named vectors: momentum buffers, averages of squares.
    pub vectors: BTreeMap<String, Values>,
    /// States of the optimisers that this one is built of.
    pub children: Vec<State>,
}

/// A number of a [`State`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Scalar {
    /// A count.
    Count(u64),
    /// A real number, serialised as its bits.
    Real(#[serde(with = "crate::first::bits::real")] f64),
}

impl PartialEq for Scalar {
    /// Equality of bits.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Scalar::Count(a), Scalar::Count(b)) => a == b,
            (Scalar::Real(a), Scalar::Real(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        }
    }
}

/// A vector of a [`State`], in the precision it is kept in, serialised as bits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Values {
    /// Single precision.
    F32(#[serde(with = "crate::first::bits::f32s")] Vec<f32>),
    /// Double precision.
    F64(#[serde(with = "crate::first::bits::f64s")] Vec<f64>),
}

impl PartialEq for Values {
    /// Equality of bits.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Values::F32(a), Values::F32(b)) => {
                a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits()))
            }
            (Values::F64(a), Values::F64(b)) => {
                a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits()))
            }
            _ => false,
        }
    }
}

impl Values {
    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Values::F32(v) => v.len(),
            Values::F64(v) => v.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn element(&self) -> &'static str {
        match self {
            Values::F32(_) => "f32",
            Values::F64(_) => "f64",
        }
    }
}

/// Why a state was refused. The optimiser is as it was before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The state of another kind of optimiser.
    #[error("state of {found}, but this is {expected}")]
    Kind {
        /// What this optimiser is.
        expected: String,
        /// What the state was saved from.
        found: String,
    },
    /// The state of a parameter vector of another length.
    #[error("state for {found} parameters, but there are {expected}")]
    Len {
        /// The length here.
        expected: usize,
        /// The length in the state.
        found: usize,
    },
    /// A number or vector that this kind of optimiser needs is not in the state.
    #[error("{kind}: the state has no {name}")]
    Missing {
        /// The kind of optimiser.
        kind: String,
        /// What is missing.
        name: String,
    },
    /// The state has a number, vector or child that this optimiser (as it is configured) has not.
    #[error("{kind}: the state has a {name} that is not used here")]
    Unexpected {
        /// The kind of optimiser.
        kind: String,
        /// What is too much.
        name: String,
    },
    /// A vector has the wrong length.
    #[error("{kind}: {name} has {found} elements, but must have {expected}")]
    VectorLen {
        /// The kind of optimiser.
        kind: String,
        /// The vector's name.
        name: String,
        /// The length needed.
        expected: usize,
        /// The length found.
        found: usize,
    },
    /// A number is out of range, or a vector is of another precision.
    #[error("{kind}: {name} is {found}, but must be {expected}")]
    Value {
        /// The kind of optimiser.
        kind: String,
        /// The number's or vector's name.
        name: String,
        /// What is needed.
        expected: &'static str,
        /// What was found.
        found: String,
    },
}

/// The beginning of a name that a file may have made long.
fn brief(name: &str) -> String {
    let mut shown: String = name.chars().take(60).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    shown
}

impl State {
    /// An empty state of this kind.
    pub fn new(kind: &str, len: usize) -> Self {
        State {
            kind: kind.to_owned(),
            len,
            scalars: BTreeMap::new(),
            vectors: BTreeMap::new(),
            children: Vec::new(),
        }
    }

    /// Adds a count.
    pub fn with_count(mut self, name: &str, value: u64) -> Self {
        self.scalars.insert(name.to_owned(), Scalar::Count(value));
        self
    }

    /// Adds a real number.
    pub fn with_real(mut self, name: &str, value: f64) -> Self {
        self.scalars.insert(name.to_owned(), Scalar::Real(value));
        self
    }

    /// Adds a copy of a vector.
    pub fn with_vector<T: Float>(mut self, name: &str, values: &[T]) -> Self {
        // `T` is sealed to f32 and f64, both of which pass through f64 unchanged (NaN payloads included, up to
        // the quiet bit, which arithmetic sets anyway).
        let values = if T::KIND == ElementKind::F32 {
            Values::F32(values.iter().map(|v| v.to_f64() as f32).collect())
        } else {
            Values::F64(values.iter().map(|v| v.to_f64()).collect())
        };
        self.vectors.insert(name.to_owned(), values);
        self
    }

    /// Adds the state of an inner optimiser.
    pub fn with_child(mut self, child: State) -> Self {
        self.children.push(child);
        self
    }

    /// Checks the kind and which names are there.
    pub fn expect(
        &self,
        kind: &str,
        scalars: &[&str],
        vectors: &[&str],
        children: usize,
    ) -> Result<(), StateError> {
        if self.kind != kind {
            return Err(StateError::Kind { expected: kind.to_owned(), found: brief(&self.kind) });
        }
        let unexpected = |name: String| StateError::Unexpected { kind: kind.to_owned(), name: brief(&name) };
        if let Some(name) = self.scalars.keys().find(|k| !scalars.contains(&k.as_str())) {
            return Err(unexpected(name.clone()));
        }
        if let Some(name) = self.vectors.keys().find(|k| !vectors.contains(&k.as_str())) {
            return Err(unexpected(name.clone()));
        }
        if self.children.len() < children {
            return Err(self.missing(&format!("inner state number {}", self.children.len())));
        }
        if self.children.len() > children {
            return Err(unexpected(format!("inner state number {children}")));
        }
        Ok(())
    }

    fn missing(&self, name: &str) -> StateError {
        StateError::Missing { kind: self.kind.clone(), name: name.to_owned() }
    }

    // `Debug`, for which 1e300 is not a number of 301 digits.
    fn value(&self, name: &str, expected: &'static str, found: impl Debug) -> StateError {
        StateError::Value {
            kind: self.kind.clone(),
            name: name.to_owned(),
            expected,
            found: format!("{found:?}"),
        }
    }

    /// The count of this name: below 2⁵³, as every count of steps is, so that one more is a count too.
    pub fn count(&self, name: &str) -> Result<u64, StateError> {
        match self.scalars.get(name) {
            Some(&Scalar::Count(n)) if n < 1 << 53 => Ok(n),
            Some(&Scalar::Count(n)) => Err(self.value(name, "below 2⁵³", n)),
            Some(&Scalar::Real(x)) => Err(self.value(name, "a count", x)),
            None => Err(self.missing(name)),
        }
    }

    /// The real number of this name.
    pub fn real(&self, name: &str) -> Result<f64, StateError> {
        match self.scalars.get(name) {
            Some(&Scalar::Real(x)) => Ok(x),
            Some(&Scalar::Count(n)) => Err(self.value(name, "a real number", n)),
            None => Err(self.missing(name)),
        }
    }

    /// The real number of this name, which must be finite.
    pub fn finite(&self, name: &str) -> Result<f64, StateError> {
        match self.real(name)? {
            x if x.is_finite() => Ok(x),
            x => Err(self.value(name, "finite", x)),
        }
    }

    /// The learning rate, which must be finite and not negative.
    pub fn learning_rate(&self) -> Result<f64, StateError> {
        let rate = self.real("learning_rate")?;
        if rate.is_finite() && rate >= 0.0 {
            Ok(rate)
        } else {
            Err(self.value("learning_rate", "finite and at least 0", rate))
        }
    }

    /// A copy of the vector of this name, which must have `len` elements of type `T`.
    pub fn vector<T: Float>(&self, name: &str, len: usize) -> Result<Vec<T>, StateError> {
        let values = self.vectors.get(name).ok_or_else(|| self.missing(name))?;
        if values.len() != len {
            return Err(StateError::VectorLen {
                kind: self.kind.clone(),
                name: name.to_owned(),
                expected: len,
                found: values.len(),
            });
        }
        match values {
            Values::F32(v) if T::KIND == ElementKind::F32 => {
                Ok(v.iter().map(|&x| T::from_f64(f64::from(x))).collect())
            }
            Values::F64(v) if T::KIND == ElementKind::F64 => Ok(v.iter().map(|&x| T::from_f64(x)).collect()),
            _ => Err(self.value(name, T::NAME, format_args!("{}", values.element()))),
        }
    }
}
