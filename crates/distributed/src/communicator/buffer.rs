//! Numbers that are sent and received.

use wengert_tensor::Float;

use super::Reduction;

/// Numbers in memory that a communication reads or writes.
///
/// ```
/// use wengert_distributed::Buffer;
///
/// let mut numbers = [1.0f64; 3];
/// let buffer = Buffer::F64(&mut numbers);
/// assert_eq!((buffer.len(), buffer.width(), buffer.is_empty()), (3, 8, false));
/// ```
#[derive(Debug)]
pub enum Buffer<'a> {
    /// Of 32 bits.
    F32(&'a mut [f32]),
    /// Of 64 bits.
    F64(&'a mut [f64]),
    /// Whole numbers.
    U64(&'a mut [u64]),
    /// Bytes, of which a sum wraps.
    U8(&'a mut [u8]),
}

/// Numbers that a communication owns while it goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Of 32 bits.
    F32(Vec<f32>),
    /// Of 64 bits.
    F64(Vec<f64>),
    /// Whole numbers.
    U64(Vec<u64>),
    /// Bytes, of which a sum wraps.
    U8(Vec<u8>),
}

/// The same expression for each kind of numbers in `$of`, an enumeration with a variant for each.
macro_rules! each_kind {
    ($kind:ident, $of:expr, $values:pat => $result:expr) => {
        match $of {
            $kind::F32($values) => $result,
            $kind::F64($values) => $result,
            $kind::U64($values) => $result,
            $kind::U8($values) => $result,
        }
    };
}

impl Buffer<'_> {
    /// The number of elements.
    pub fn len(&self) -> usize {
        each_kind!(Buffer, self, values => values.len())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of an element.
    pub fn width(&self) -> usize {
        match self {
            Buffer::F32(_) => 4,
            Buffer::F64(_) | Buffer::U64(_) => 8,
            Buffer::U8(_) => 1,
        }
    }

    /// What its elements are called.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Buffer::F32(_) => "f32",
            Buffer::F64(_) => "f64",
            Buffer::U64(_) => "u64",
            Buffer::U8(_) => "u8",
        }
    }

    /// The `length` elements from `start`.
    pub(crate) fn segment(&mut self, start: usize, length: usize) -> Buffer<'_> {
        match self {
            Buffer::F32(values) => Buffer::F32(&mut values[start..start + length]),
            Buffer::F64(values) => Buffer::F64(&mut values[start..start + length]),
            Buffer::U64(values) => Buffer::U64(&mut values[start..start + length]),
            Buffer::U8(values) => Buffer::U8(&mut values[start..start + length]),
        }
    }

    /// A copy of the numbers.
    pub(crate) fn to_values(&self) -> Values {
        match self {
            Buffer::F32(values) => Values::F32(values.to_vec()),
            Buffer::F64(values) => Values::F64(values.to_vec()),
            Buffer::U64(values) => Values::U64(values.to_vec()),
            Buffer::U8(values) => Values::U8(values.to_vec()),
        }
    }

    /// Copies `values` from `start`, as many as there is room for; false if they are of another kind or too few.
    pub(crate) fn copy_from(&mut self, values: &Values, start: usize) -> bool {
        self.combine(values, start, None)
    }

    /// Puts the reduction of its numbers and those of `values` from `start` into it.
    pub(crate) fn reduce_from(&mut self, values: &Values, start: usize, reduction: Reduction) -> bool {
        self.combine(values, start, Some(reduction))
    }

    fn combine(&mut self, values: &Values, start: usize, reduction: Option<Reduction>) -> bool {
        match (self, values) {
            (Buffer::F32(into), Values::F32(from)) => combine(into, from, start, reduction),
            (Buffer::F64(into), Values::F64(from)) => combine(into, from, start, reduction),
            (Buffer::U64(into), Values::U64(from)) => combine(into, from, start, reduction),
            (Buffer::U8(into), Values::U8(from)) => combine(into, from, start, reduction),
            _ => false,
        }
    }
}

impl Values {
    /// The number of elements.
    pub fn len(&self) -> usize {
        each_kind!(Values, self, values => values.len())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all elements but the first `length`.
    #[cfg(feature = "mpi")]
    pub(crate) fn truncate(&mut self, length: usize) {
        each_kind!(Values, self, values => values.truncate(length))
    }

    /// Bytes of all elements.
    pub(crate) fn bytes(&self) -> usize {
        each_kind!(Values, self, values => size_of_val(values.as_slice()))
    }

    /// What its elements are called.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Values::F32(_) => "f32",
            Values::F64(_) => "f64",
            Values::U64(_) => "u64",
            Values::U8(_) => "u8",
        }
    }

    /// The numbers as a communication takes them.
    pub fn buffer(&mut self) -> Buffer<'_> {
        match self {
            Values::F32(values) => Buffer::F32(values),
            Values::F64(values) => Buffer::F64(values),
            Values::U64(values) => Buffer::U64(values),
            Values::U8(values) => Buffer::U8(values),
        }
    }
}

fn combine<N: Number>(into: &mut [N], from: &[N], start: usize, reduction: Option<Reduction>) -> bool {
    let Some(from) = from.get(start..start + into.len()) else { return false };
    let pairs = into.iter_mut().zip(from);
    match reduction {
        None => into.copy_from_slice(from),
        Some(Reduction::Sum) => pairs.for_each(|(a, &b)| *a = a.plus(b)),
        Some(Reduction::Max) => pairs.for_each(|(a, &b)| *a = a.larger(b)),
        Some(Reduction::Min) => pairs.for_each(|(a, &b)| *a = a.smaller(b)),
    }
    true
}

trait Number: Copy {
    fn plus(self, other: Self) -> Self;
    fn larger(self, other: Self) -> Self;
    fn smaller(self, other: Self) -> Self;
}

macro_rules! number {
    ($type:ty, $plus:expr) => {
        impl Number for $type {
            fn plus(self, other: Self) -> Self {
                $plus(self, other)
            }
            fn larger(self, other: Self) -> Self {
                self.max(other)
            }
            fn smaller(self, other: Self) -> Self {
                self.min(other)
            }
        }
    };
}

number!(f32, std::ops::Add::add);
number!(f64, std::ops::Add::add);
number!(u64, u64::wrapping_add);
number!(u8, u8::wrapping_add);

/// A float that ranks can share, for programs that are generic over it.
///
/// ```
/// use wengert_distributed::{Communicated, Communicator, Reduction, Shared, Single};
///
/// fn mean<T: Shared>(ranks: &dyn Communicator, values: &mut [T]) -> Communicated {
///     ranks.all_reduce(T::buffer(values), Reduction::Sum)?;
///     let size = T::from_f64(ranks.size() as f64);
///     values.iter_mut().for_each(|value| *value /= size);
///     Ok(())
/// }
///
/// let mut values = [1.0f32, 2.0];
/// mean(&Single::new(), &mut values)?;
/// assert_eq!(values, [1.0, 2.0]);
/// assert_eq!(f32::from_values(f32::values(vec![1.0])), Some(vec![1.0]));
/// # Ok::<(), wengert_distributed::CommunicatorError>(())
/// ```
pub trait Shared: Float {
    /// The numbers as a communication takes them.
    fn buffer(values: &mut [Self]) -> Buffer<'_>;

    /// The numbers as a communication that goes on owns them.
    fn values(values: Vec<Self>) -> Values;

    /// The numbers out of `values`, if they are of this type.
    fn from_values(values: Values) -> Option<Vec<Self>>;
}

macro_rules! shared {
    ($type:ty, $kind:ident) => {
        impl Shared for $type {
            fn buffer(values: &mut [Self]) -> Buffer<'_> {
                Buffer::$kind(values)
            }

            fn values(values: Vec<Self>) -> Values {
                Values::$kind(values)
            }

            fn from_values(values: Values) -> Option<Vec<Self>> {
                match values {
                    Values::$kind(values) => Some(values),
                    _ => None,
                }
            }
        }
    };
}

shared!(f32, F32);
shared!(f64, F64);
