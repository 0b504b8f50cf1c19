//! What can be wrong with a state.

/// Why a state was refused. What was to take it is as it was before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The state of something else.
    #[error("state of {found}, but this is {expected}")]
    Kind {
        /// What this is.
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
    /// A number, vector or child that is needed is not in the state.
    #[error("{kind}: the state has no {name}")]
    Missing {
        /// The kind of state.
        kind: String,
        /// What is missing.
        name: String,
    },
    /// The state has a number, vector or child that is not used (as things are configured here).
    #[error("{kind}: the state has a {name} that is not used here")]
    Unexpected {
        /// The kind of state.
        kind: String,
        /// What is too much.
        name: String,
    },
    /// A vector has the wrong length.
    #[error("{kind}: {name} has {found} elements, but must have {expected}")]
    VectorLen {
        /// The kind of state.
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
        /// The kind of state.
        kind: String,
        /// The number's or vector's name.
        name: String,
        /// What is needed.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// What serde, or a type's own reading or writing, had to say.
    #[error("{kind}: {name}{}{message}", if .name.is_empty() { "" } else { ": " })]
    Other {
        /// The kind of state.
        kind: String,
        /// Where in it; empty for the whole.
        name: String,
        /// What is wrong.
        message: String,
    },
}

/// The beginning of a name or text that a file may have made long.
pub(crate) fn brief(name: &str) -> String {
    let mut shown: String = name.chars().take(60).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    shown
}

impl StateError {
    /// A value of a place that is not known yet; see [`StateError::at`].
    pub(crate) fn value(expected: &'static str, found: String) -> Self {
        StateError::Value { kind: String::new(), name: String::new(), expected, found }
    }

    /// The same with the kind of the state and the name in it, unless a place further within is known already.
    pub(crate) fn at(mut self, state: &str, place: &str) -> Self {
        match &mut self {
            StateError::Value { kind, name, .. } | StateError::Other { kind, name, .. }
                if kind.is_empty() =>
            {
                (*kind, *name) = (brief(state), brief(place));
            }
            StateError::Missing { kind, .. } | StateError::Unexpected { kind, .. } if kind.is_empty() => {
                *kind = brief(state);
            }
            _ => {}
        }
        self
    }

    fn other(message: impl std::fmt::Display) -> Self {
        let message: String = message.to_string().chars().take(120).collect();
        StateError::Other { kind: String::new(), name: String::new(), message }
    }
}

impl serde::ser::Error for StateError {
    fn custom<M: std::fmt::Display>(message: M) -> Self {
        Self::other(message)
    }
}

impl serde::de::Error for StateError {
    fn custom<M: std::fmt::Display>(message: M) -> Self {
        Self::other(message)
    }

    fn missing_field(field: &'static str) -> Self {
        StateError::Missing { kind: String::new(), name: field.to_owned() }
    }
}
