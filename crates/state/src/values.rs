//! Vectors of a state.

use serde::{Deserialize, Serialize};
use wengert_tensor::{ElementKind, Float};

use crate::{bits, spare};

/// A vector of a [`State`](crate::State), in the precision it is kept in, serialised as bits.
///
/// ```
/// use wengert_state::Values;
/// let values = Values::of(&[1.0f32, f32::NEG_INFINITY]);
/// assert_eq!(serde_json::to_string(&values)?, r#"{"F32":"3f800000ff800000"}"#);
/// assert_eq!((values.len(), values.element()), (2, "f32"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Values {
    /// Single precision.
    F32(#[serde(with = "bits::vector")] Vec<f32>),
    /// Double precision.
    F64(#[serde(with = "bits::vector")] Vec<f64>),
    /// Whole numbers.
    U64(#[serde(with = "bits::vector")] Vec<u64>),
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
            (Values::U64(a), Values::U64(b)) => a == b,
            _ => false,
        }
    }
}

impl Values {
    /// A copy of floating-point numbers.
    pub fn of<T: Float>(values: &[T]) -> Self {
        // `T` is sealed to f32 and f64, both of which pass through f64 unchanged (NaN payloads included, up to
        // the quiet bit, which arithmetic sets anyway).
        if T::KIND == ElementKind::F32 {
            Values::F32(spare::singles(values.iter().map(|v| v.to_f64() as f32)))
        } else {
            Values::F64(spare::doubles(values.iter().map(|v| v.to_f64())))
        }
    }

    /// A copy as numbers of type `T`, if they are of that type.
    ///
    /// ```
    /// use wengert_state::Values;
    /// let values = Values::of(&[1.0f32, 2.0]);
    /// assert_eq!(values.to_vec::<f32>(), Some(vec![1.0, 2.0]));
    /// assert_eq!(values.to_vec::<f64>(), None);
    /// ```
    pub fn to_vec<T: Float>(&self) -> Option<Vec<T>> {
        match self {
            Values::F32(v) if T::KIND == ElementKind::F32 => {
                Some(v.iter().map(|&x| T::from_f64(f64::from(x))).collect())
            }
            Values::F64(v) if T::KIND == ElementKind::F64 => {
                Some(v.iter().map(|&x| T::from_f64(x)).collect())
            }
            _ => None,
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Values::F32(v) => v.len(),
            Values::F64(v) => v.len(),
            Values::U64(v) => v.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of the elements' type: `"f32"`, `"f64"` or `"u64"`.
    pub fn element(&self) -> &'static str {
        match self {
            Values::F32(_) => "f32",
            Values::F64(_) => "f64",
            Values::U64(_) => "u64",
        }
    }

    /// No elements, of the same type.
    pub(crate) fn none(&self) -> Self {
        match self {
            Values::F32(_) => Values::F32(Vec::new()),
            Values::F64(_) => Values::F64(Vec::new()),
            Values::U64(_) => Values::U64(Vec::new()),
        }
    }

    /// Takes the elements out.
    pub(crate) fn take(&mut self) -> Self {
        match self {
            Values::F32(v) => Values::F32(std::mem::take(v)),
            Values::F64(v) => Values::F64(std::mem::take(v)),
            Values::U64(v) => Values::U64(std::mem::take(v)),
        }
    }
}
