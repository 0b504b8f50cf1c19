//! Single values of a state.

use std::fmt::{Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::bits;

/// A single value of a [`State`](crate::State).
///
/// ```
/// use wengert_state::Scalar;
/// assert_eq!(serde_json::to_string(&Scalar::Real(1.0))?, r#"{"Real":"3ff0000000000000"}"#);
/// assert_eq!(Scalar::Real(f64::NAN), Scalar::Real(f64::NAN)); // of the same bits
/// assert_ne!(Scalar::Real(0.0), Scalar::Real(-0.0));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Scalar {
    /// A count.
    Count(#[serde(with = "bits::whole")] u64),
    /// A whole number of either sign.
    Integer(#[serde(with = "bits::whole")] i64),
    /// A real number, serialised as its bits.
    Real(#[serde(with = "bits::number")] f64),
    /// Yes or no.
    Flag(bool),
    /// A word.
    Text(String),
    /// Nothing, where there may be something.
    None,
}

impl PartialEq for Scalar {
    /// Equality of bits.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Scalar::Count(a), Scalar::Count(b)) => a == b,
            (Scalar::Integer(a), Scalar::Integer(b)) => a == b,
            (Scalar::Real(a), Scalar::Real(b)) => a.to_bits() == b.to_bits(),
            (Scalar::Flag(a), Scalar::Flag(b)) => a == b,
            (Scalar::Text(a), Scalar::Text(b)) => a == b,
            (Scalar::None, Scalar::None) => true,
            _ => false,
        }
    }
}

/// What it is, and for a number which: for messages.
impl Display for Scalar {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Scalar::Count(n) => write!(f, "{n}"),
            Scalar::Integer(n) => write!(f, "{n}"),
            // `Debug`, for which 1e300 is not a number of 301 digits.
            Scalar::Real(x) => write!(f, "{x:?}"),
            Scalar::Flag(flag) => write!(f, "{flag}"),
            Scalar::Text(text) => f.write_str(&crate::error::brief(text)),
            Scalar::None => f.write_str("nothing"),
        }
    }
}
