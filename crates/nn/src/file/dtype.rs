//! Numbers as bytes, in the little-endian order of the format.

use std::io::Error;

use wengert_tensor::math::half::{from_bf16, from_f16};
use wengert_tensor::{Element, ElementKind};

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

/// The type that counts are written in.
pub(super) const COUNT: &str = "I64";

/// Takes bytes of numbers of that type; a number that does not fit is given back as text.
pub(super) type Take<'a> = dyn FnMut(&[u8], Readable) -> Result<(), String> + 'a;

/// A type that numbers can be read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readable {
    F16,
    BF16,
    F32,
    F64,
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
}

impl Readable {
    /// `None` if it is no number of 8 to 64 bits.
    pub(super) fn from_name(dtype: &str) -> Option<Self> {
        Some(match dtype {
            "F16" => Readable::F16,
            "BF16" => Readable::BF16,
            "F32" => Readable::F32,
            "F64" => Readable::F64,
            "BOOL" => Readable::Bool,
            "I8" => Readable::I8,
            "I16" => Readable::I16,
            "I32" => Readable::I32,
            "I64" => Readable::I64,
            "U8" => Readable::U8,
            "U16" => Readable::U16,
            "U32" => Readable::U32,
            "U64" => Readable::U64,
            _ => return None,
        })
    }

    pub(super) fn is_float(self) -> bool {
        matches!(self, Readable::F16 | Readable::BF16 | Readable::F32 | Readable::F64)
    }

    /// Whether it is a type that others write counts in.
    pub(super) fn is_count(self) -> bool {
        matches!(self, Readable::I32 | Readable::I64)
    }

    /// The bytes of an element.
    pub(super) fn width(self) -> usize {
        match self {
            Readable::Bool | Readable::I8 | Readable::U8 => 1,
            Readable::F16 | Readable::BF16 | Readable::I16 | Readable::U16 => 2,
            Readable::F32 | Readable::I32 | Readable::U32 => 4,
            Readable::F64 | Readable::I64 | Readable::U64 => 8,
        }
    }

    /// Whether its elements are those of a tensor of that kind, bit by bit.
    pub(super) fn is_of(self, kind: ElementKind) -> bool {
        matches!(
            (self, kind),
            (Readable::F64, ElementKind::F64)
                | (Readable::F32, ElementKind::F32)
                | (Readable::U32, ElementKind::U32)
                | (Readable::U8, ElementKind::U8)
        )
    }

    /// Writes the numbers whose bytes these are, floating-point ones rounded to the nearest; if there is one that `T` cannot
    /// hold, that number: finite, and infinite there, or no whole number of its range.
    pub(super) fn decode<T: Element>(self, bytes: &[u8], values: &mut [T]) -> Result<(), String> {
        match self {
            same if same.is_of(T::KIND) => copy(bytes, values),
            Readable::F64 => numbers(bytes, values, |b| Number::Double(f64::from_le_bytes(b))),
            Readable::F32 => numbers(bytes, values, |b| Number::Single(f32::from_le_bytes(b))),
            Readable::BF16 => numbers(bytes, values, |b| Number::Single(from_bf16(u16::from_le_bytes(b)))),
            Readable::F16 => numbers(bytes, values, |b| Number::Single(from_f16(u16::from_le_bytes(b)))),
            Readable::Bool => numbers(bytes, values, |[b]| Number::Whole(i128::from(b != 0))),
            Readable::I8 => numbers(bytes, values, |b| Number::Whole(i8::from_le_bytes(b).into())),
            Readable::I16 => numbers(bytes, values, |b| Number::Whole(i16::from_le_bytes(b).into())),
            Readable::I32 => numbers(bytes, values, |b| Number::Whole(i32::from_le_bytes(b).into())),
            Readable::I64 => numbers(bytes, values, |b| Number::Whole(i64::from_le_bytes(b).into())),
            Readable::U8 => numbers(bytes, values, |[b]| Number::Whole(b.into())),
            Readable::U16 => numbers(bytes, values, |b| Number::Whole(u16::from_le_bytes(b).into())),
            Readable::U32 => numbers(bytes, values, |b| Number::Whole(u32::from_le_bytes(b).into())),
            Readable::U64 => numbers(bytes, values, |b| Number::Whole(u64::from_le_bytes(b).into())),
        }
    }

    /// The whole number of these bytes, as many as one has; the number itself if it is beyond `i64`, or no whole one.
    pub(super) fn decode_whole(self, bytes: &[u8]) -> Result<i64, String> {
        let mut whole = [0; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        let whole = u64::from_le_bytes(whole);
        Ok(match self {
            Readable::Bool => i64::from(whole != 0),
            Readable::I8 => i64::from(whole as i8),
            Readable::I16 => i64::from(whole as i16),
            Readable::I32 => i64::from(whole as i32),
            Readable::I64 => whole as i64,
            Readable::U8 | Readable::U16 | Readable::U32 | Readable::U64 => {
                i64::try_from(whole).map_err(|_| whole.to_string())?
            }
            Readable::F16 | Readable::BF16 | Readable::F32 | Readable::F64 => {
                let mut number = [0f64];
                self.decode(bytes, &mut number)?;
                return Err(format!("{:?}", number[0]));
            }
        })
    }
}

/// A number of a file.
#[derive(Clone, Copy)]
enum Number {
    Single(f32),
    Double(f64),
    Whole(i128),
}

impl Number {
    /// As a `T`, if it can be one.
    #[inline(always)]
    fn element<T: Element>(self) -> Option<T> {
        match T::KIND {
            ElementKind::F32 => {
                let (x, finite) = match self {
                    Number::Single(x) => (x, false),
                    Number::Double(x) => (x as f32, x.is_finite()),
                    Number::Whole(x) => (x as f32, true),
                };
                (x.is_finite() || !finite).then(|| made(&x.to_le_bytes()))
            }
            ElementKind::F64 => Some(made(
                &match self {
                    Number::Single(x) => f64::from(x),
                    Number::Double(x) => x,
                    Number::Whole(x) => x as f64,
                }
                .to_le_bytes(),
            )),
            ElementKind::U32 => Some(made(&u32::try_from(self.whole()?).ok()?.to_le_bytes())),
            ElementKind::U8 => Some(made(&[u8::try_from(self.whole()?).ok()?])),
            ElementKind::Bool => Some(made(&[u8::try_from(self.whole()?).ok().filter(|&x| x < 2)?])),
        }
    }

    /// As a message shows it.
    fn shown(self) -> String {
        match self {
            Number::Single(x) => format!("{x:?}"),
            Number::Double(x) => format!("{x:?}"),
            Number::Whole(x) => x.to_string(),
        }
    }

    fn whole(self) -> Option<i128> {
        let x = match self {
            Number::Whole(x) => return Some(x),
            Number::Single(x) => f64::from(x),
            Number::Double(x) => x,
        };
        (x.trunc() == x && x.abs() <= f64::from(u32::MAX)).then_some(x as i128)
    }
}

/// The element of these bytes.
fn made<T: Element>(bytes: &[u8]) -> T {
    T::from_le_bytes(bytes.try_into().expect("they are as many as the type has"))
}

/// Shows the numbers' bytes, the least significant first, some at a time: all bits of them, also of those that are no numbers.
///
/// # Errors
/// Those of `take`.
///
/// ```
/// use wengert_nn::tensor_file::each_piece;
/// let mut bytes = Vec::new();
/// each_piece(&[1u32, 2], &mut |piece| Ok(bytes.extend_from_slice(piece)))?;
/// assert_eq!(bytes, [1, 0, 0, 0, 2, 0, 0, 0]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn each_piece<T: Element>(
    values: &[T],
    take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let width = size_of::<T>();
    let mut bytes = vec![0; CHUNK.min(values.len()) * width];
    for chunk in values.chunks(CHUNK) {
        let bytes = &mut bytes[..size_of_val(chunk)];
        bytes
            .chunks_exact_mut(width)
            .zip(chunk)
            .for_each(|(to, x)| to.copy_from_slice(x.to_le_bytes().as_ref()));
        take(bytes)?;
    }
    Ok(())
}

/// All bits of elements of the same type: a conversion may change those of what is no number.
fn copy<T: Element>(bytes: &[u8], values: &mut [T]) -> Result<(), String> {
    values.iter_mut().zip(bytes.chunks_exact(size_of::<T>())).for_each(|(value, bytes)| *value = made(bytes));
    Ok(())
}

fn numbers<T: Element, const N: usize>(
    bytes: &[u8],
    values: &mut [T],
    number: impl Fn([u8; N]) -> Number,
) -> Result<(), String> {
    for (value, &chunk) in values.iter_mut().zip(bytes.as_chunks().0) {
        let number = number(chunk);
        *value = number.element().ok_or_else(|| number.shown())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_16_bits_are_what_they_should_be() {
        let mut halves = [0f64; 3];
        assert!(Readable::F16.decode(&[0, 0x3c, 0xff, 0x7b, 1, 0], &mut halves).is_ok());
        assert_eq!(halves, [1.0, 65504.0, 2f64.powi(-24)]);
        let mut bf16 = [0f32; 2];
        assert!(Readable::BF16.decode(&[0x80, 0x3f, 0x20, 0xc1], &mut bf16).is_ok());
        assert_eq!(bf16, [1.0, -10.0]);
    }

    #[test]
    fn what_the_type_cannot_hold_is_told() {
        let read = |x: f64| {
            let mut values = [0f32; 1];
            Readable::F64.decode(&x.to_le_bytes(), &mut values).map(|()| values[0])
        };
        assert_eq!(read(1e300), Err("1e300".to_owned()));
        assert_eq!(read(-1e39), Err("-1e39".to_owned()));
        assert_eq!(read(0.1), Ok(0.1));
        assert_eq!(read(f64::INFINITY), Ok(f32::INFINITY));
        assert!(read(f64::NAN).is_ok_and(f32::is_nan));
    }
}
