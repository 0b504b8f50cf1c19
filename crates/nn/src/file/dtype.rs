//! Numbers as bytes, in the little-endian order of the format.

use std::io::{Error, Write};

use wengert_tensor::{Element, ElementKind, Float};

/// Numbers that are turned into bytes at a time.
const CHUNK: usize = 1 << 12;

/// The name of the type in the format.
pub(super) fn name_of<T: Element>() -> &'static str {
    match T::KIND {
        ElementKind::F32 => "F32",
        ElementKind::F64 => "F64",
        ElementKind::U32 => "U32",
        ElementKind::U8 => "U8",
        ElementKind::Bool => "BOOL",
    }
}

/// Bits of an element, for the types that the format had when this was written.
pub(super) fn bits(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "F4" => 4,
        "F6_E2M3" | "F6_E3M2" => 6,
        "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" | "F8_E8M0" | "F8_E4M3FNUZ" | "F8_E5M2FNUZ" => 8,
        "I16" | "U16" | "F16" | "BF16" => 16,
        "I32" | "U32" | "F32" => 32,
        "I64" | "U64" | "F64" | "C64" => 64,
        _ => return None,
    })
}

/// A type that parameters can be read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readable {
    F16,
    BF16,
    F32,
    F64,
}

impl Readable {
    /// `None` if it is no floating-point number of 16, 32 or 64 bits.
    pub(super) fn from_name(dtype: &str) -> Option<Self> {
        Some(match dtype {
            "F16" => Readable::F16,
            "BF16" => Readable::BF16,
            "F32" => Readable::F32,
            "F64" => Readable::F64,
            _ => return None,
        })
    }

    /// Appends the numbers whose bytes these are; `false` if one is finite and `T` has only infinity for it.
    pub(super) fn decode<T: Float>(self, bytes: &[u8], values: &mut Vec<T>) -> bool {
        match self {
            Readable::F64 => numbers(bytes, values, |b| {
                let x = f64::from_le_bytes(b);
                let y: T = same(x).unwrap_or_else(|| T::from_f64(x));
                Some(y).filter(|y| y.is_finite() || !x.is_finite())
            }),
            Readable::F32 => numbers(bytes, values, |b| Some(from_f32(f32::from_le_bytes(b)))),
            // The upper half of an f32.
            Readable::BF16 => {
                numbers(bytes, values, |[low, high]| Some(from_f32(f32::from_le_bytes([0, 0, low, high]))))
            }
            Readable::F16 => numbers(bytes, values, |b| Some(T::from_f64(half(u16::from_le_bytes(b))))),
        }
    }
}

/// Writes the numbers' bytes: all bits of them, also of those that are no numbers.
pub(super) fn write<T: Element>(values: &[T], out: &mut impl Write) -> Result<(), Error> {
    let width = size_of::<T>();
    let mut bytes = vec![0; CHUNK.min(values.len()) * width];
    for chunk in values.chunks(CHUNK) {
        let bytes = &mut bytes[..size_of_val(chunk)];
        bytes
            .chunks_exact_mut(width)
            .zip(chunk)
            .for_each(|(to, x)| to.copy_from_slice(x.to_le_bytes().as_ref()));
        out.write_all(bytes)?;
    }
    Ok(())
}

fn numbers<T, const N: usize>(
    bytes: &[u8],
    values: &mut Vec<T>,
    number: impl Fn([u8; N]) -> Option<T>,
) -> bool {
    let before = values.len();
    let chunks = bytes.as_chunks().0;
    values.extend(chunks.iter().map_while(|&chunk| number(chunk)));
    values.len() - before == chunks.len()
}

fn from_f32<T: Float>(x: f32) -> T {
    same(x).unwrap_or_else(|| T::from_f64(f64::from(x)))
}

/// The number itself if both types are one: a conversion may change the bits of what is no number.
fn same<A: Element, B: Element>(x: A) -> Option<B> {
    let bytes = || x.to_le_bytes().as_ref().try_into().expect("the type is the same");
    (A::KIND == B::KIND).then(|| B::from_le_bytes(bytes()))
}

/// A number of IEEE 754's 16-bit format.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_what_they_should_be() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 2f64.powi(-24)),
            (0x0400, 2f64.powi(-14)),
            (0x3555, 0.333_251_953_125),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half(bits), value, "{bits:x}");
        }
        assert!(half(0x7e00).is_nan());
        let mut bf16: Vec<f32> = Vec::new();
        assert!(Readable::BF16.decode(&[0x80, 0x3f, 0x20, 0xc1], &mut bf16));
        assert_eq!(bf16, [1.0, -10.0]);
    }

    #[test]
    fn what_the_type_cannot_hold_is_told() {
        let read = |x: f64| {
            let mut values: Vec<f32> = Vec::new();
            Readable::F64.decode(&x.to_le_bytes(), &mut values).then(|| values[0])
        };
        assert_eq!(read(1e300), None);
        assert_eq!(read(-1e39), None);
        assert_eq!(read(0.1), Some(0.1));
        assert_eq!(read(f64::INFINITY), Some(f32::INFINITY));
        assert!(read(f64::NAN).is_some_and(f32::is_nan));
    }
}
