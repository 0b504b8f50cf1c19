//! Numbers as bytes, in the little-endian order of the format.

use safetensors::Dtype;
use wengert_tensor::Float;

/// The type's name in the format.
pub(super) fn of<T: Float>() -> Dtype {
    if size_of::<T>() == 4 { Dtype::F32 } else { Dtype::F64 }
}

pub(super) fn to_bytes<T: Float>(values: &[T]) -> Vec<u8> {
    if of::<T>() == Dtype::F32 {
        // Exact: the elements are f32 already.
        values.iter().flat_map(|x| (x.to_f64() as f32).to_le_bytes()).collect()
    } else {
        values.iter().flat_map(|x| x.to_f64().to_le_bytes()).collect()
    }
}

/// `None` if the type is no floating-point number of 16, 32 or 64 bits.
pub(super) fn from_bytes<T: Float>(dtype: Dtype, bytes: &[u8]) -> Option<Vec<T>> {
    Some(match dtype {
        Dtype::F64 => numbers(bytes, |b| T::from_f64(f64::from_le_bytes(b))),
        Dtype::F32 => numbers(bytes, |b| T::from_f64(f64::from(f32::from_le_bytes(b)))),
        // The upper half of an f32.
        Dtype::BF16 => {
            numbers(bytes, |[low, high]| T::from_f64(f64::from(f32::from_le_bytes([0, 0, low, high]))))
        }
        Dtype::F16 => numbers(bytes, |b| T::from_f64(half(u16::from_le_bytes(b)))),
        _ => return None,
    })
}

fn numbers<T, const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|&chunk| number(chunk)).collect()
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
        let bf16: Vec<f32> = from_bytes(Dtype::BF16, &[0x80, 0x3f, 0x20, 0xc1]).unwrap();
        assert_eq!(bf16, [1.0, -10.0]);
    }
}
