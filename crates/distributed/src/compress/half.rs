//! Numbers of 16 bits in messages.

use wengert_tensor::Float;

use crate::wire::{Reader, WireError, Writer};

pub(super) fn write<T: Float>(bytes: &mut Writer, values: &[T], convert: fn(f32) -> u16) {
    bytes.count(values.len() as u64);
    for &value in values {
        bytes.raw(&convert(narrow(value)).to_le_bytes());
    }
}

/// The nearest `f32`, finite if the number is.
fn narrow<T: Float>(value: T) -> f32 {
    let wide = value.to_f64();
    if wide.is_finite() { wide.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32 } else { wide as f32 }
}

pub(super) fn read<T: Float>(
    reader: &mut Reader<'_>,
    out: &mut [T],
    convert: fn(u16) -> f32,
) -> Result<(), WireError> {
    reader.expect_len(out.len())?;
    let halves = reader.raw(2 * out.len())?;
    for (out, half) in out.iter_mut().zip(halves.as_chunks::<2>().0) {
        *out = T::from_f64(f64::from(convert(u16::from_le_bytes(*half))));
    }
    Ok(())
}
