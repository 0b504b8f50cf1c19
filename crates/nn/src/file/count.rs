//! Whole numbers in a file.

use wengert_tensor::Shape;

/// The type that counts are written in.
pub(super) const DTYPE: &str = "I64";

/// The shape that they are written in.
pub(super) fn shape() -> Shape {
    Shape::from([0usize; 0])
}

/// The types that they are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readable {
    I32,
    I64,
}

impl Readable {
    /// `None` if it is no such type.
    pub(super) fn from_name(dtype: &str) -> Option<Self> {
        match dtype {
            "I32" => Some(Readable::I32),
            "I64" => Some(Readable::I64),
            _ => None,
        }
    }

    /// The number of these bytes, as many as one has.
    pub(super) fn decode(self, bytes: &[u8]) -> i64 {
        let mut whole = [0; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        let whole = i64::from_le_bytes(whole);
        match self {
            Readable::I64 => whole,
            Readable::I32 => i64::from(whole as i32),
        }
    }
}
