//! Numbers that are sent and received.

use wengert_tensor::Float;

/// Numbers in memory that a communication reads or writes.
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

impl Buffer<'_> {
    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Buffer::F32(values) => values.len(),
            Buffer::F64(values) => values.len(),
            Buffer::U64(values) => values.len(),
            Buffer::U8(values) => values.len(),
        }
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
}

/// A float that ranks can share.
pub trait Shared: Float {
    /// The values as a communication takes them.
    fn buffer(values: &mut [Self]) -> Buffer<'_>;
}

impl Shared for f32 {
    fn buffer(values: &mut [Self]) -> Buffer<'_> {
        Buffer::F32(values)
    }
}

impl Shared for f64 {
    fn buffer(values: &mut [Self]) -> Buffer<'_> {
        Buffer::F64(values)
    }
}
