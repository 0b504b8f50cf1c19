//! Numbers of 16 bits, which files and messages hold, and which are computed with as `f32`.

/// The bits of the nearest number of bfloat16, ties to even; what is finite stays so, NaN stays NaN.
///
/// ```
/// use wengert_tensor::math::half::{from_bf16, to_bf16};
/// // 8 bits of precision: a step of 2⁻⁷ at 1.
/// assert_eq!(from_bf16(to_bf16(1.0 + 0.75 / 128.0)), 1.0 + 1.0 / 128.0);
/// assert_eq!(from_bf16(to_bf16(f32::MAX)), 3.3895314e38);
/// assert!(from_bf16(to_bf16(f32::NAN)).is_nan());
/// ```
#[inline(always)]
pub fn to_bf16(x: f32) -> u16 {
    // Without branches, so that a loop over it vectorises.
    let (sign, size) = (x.to_bits() & 0x8000_0000, x.abs().to_bits());
    let (largest, infinity) = (0x7f7f_0000, 0x7f80_0000);
    let rounded = size.wrapping_add(0x7fff + (size >> 16 & 1));
    let finite = if rounded > largest { largest } else { rounded };
    // A NaN whose payload stands in the lower half must not become infinite.
    let other = if size > infinity { size | 0x0040_0000 } else { size };
    let value = if size < infinity { finite } else { other };
    ((sign | value) >> 16) as u16
}

/// The number of these bits of bfloat16.
///
/// ```
/// use wengert_tensor::math::half::from_bf16;
/// assert_eq!(from_bf16(0x3fc0), 1.5); // the upper half of its bits as f32
/// assert_eq!(from_bf16(0xff80), f32::NEG_INFINITY);
/// ```
#[inline(always)]
pub fn from_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The bits of the nearest number of IEEE's binary16, ties to even; finite numbers beyond its range become its largest
/// ones, ±65504, NaN stays NaN.
///
/// ```
/// use wengert_tensor::math::half::{from_f16, to_f16};
/// // 11 bits of precision: a step of 2⁻¹⁰ at 1.
/// assert_eq!(from_f16(to_f16(1.0 + 0.75 / 1024.0)), 1.0 + 1.0 / 1024.0);
/// assert_eq!(from_f16(to_f16(1e6)), 65504.0);
/// assert_eq!(from_f16(to_f16(f32::INFINITY)), f32::INFINITY);
/// ```
pub fn to_f16(x: f32) -> u16 {
    let sign = (x.to_bits() >> 16) as u16 & 0x8000;
    let magnitude = x.abs();
    if x.is_nan() {
        return sign | 0x7e00;
    }
    if x.is_infinite() {
        return sign | 0x7c00;
    }
    // From here on the nearest number would be infinite.
    if magnitude >= 65504.0 {
        return sign | 0x7bff;
    }
    let smallest_normal = 6.103_515_6e-5;
    if magnitude < smallest_normal {
        // Multiples of 2⁻²⁴: the sum with 0.5, whose last bit has that weight in f32 (24 bits), rounds to one.
        let sum = magnitude + 0.5;
        return sign | (sum.to_bits() - 0.5f32.to_bits()) as u16;
    }
    let bits = magnitude.to_bits();
    let rounded = bits + 0xfff + (bits >> 13 & 1);
    sign | ((rounded >> 13) - (112 << 10)) as u16
}

/// The number of these bits of binary16.
///
/// ```
/// use wengert_tensor::math::half::from_f16;
/// assert_eq!(from_f16(0x3e00), 1.5);
/// assert_eq!(from_f16(0x7bff), 65504.0);
/// assert_eq!(from_f16(1), 2f32.powi(-24)); // the smallest
/// ```
pub fn from_f16(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from(bits >> 10 & 0x1f);
    let fraction = u32::from(bits & 0x3ff);
    let magnitude = match exponent {
        0 => fraction as f32 * 2f32.powi(-24),
        31 => f32::from_bits(0x7f80_0000 | fraction << 13),
        _ => f32::from_bits((exponent + 112) << 23 | fraction << 13),
    };
    f32::from_bits(magnitude.to_bits() | sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_16_bits_is_written_as_itself() {
        for bits in 0..=u16::MAX {
            let (brain, half) = (from_bf16(bits), from_f16(bits));
            if !brain.is_nan() {
                assert_eq!(to_bf16(brain), bits, "{brain}");
            }
            if !half.is_nan() {
                assert_eq!(to_f16(half), bits, "{half}");
            }
            assert_eq!(to_bf16(brain) & 0x7fff > 0x7f80, brain.is_nan());
            assert_eq!(to_f16(half) & 0x7fff > 0x7c00, half.is_nan());
        }
    }

    /// Between two neighbours: to the nearer one, in the middle to the even one.
    #[test]
    fn rounding_is_to_nearest_even() {
        for bits in 0..0x7bff_u16 {
            let (low, high) = (from_f16(bits), from_f16(bits + 1));
            let middle = low + (high - low) / 2.0;
            let even = bits + (bits & 1);
            assert_eq!(to_f16(middle), even, "{middle}");
            assert_eq!(to_f16(middle.next_down()), bits);
            assert_eq!(to_f16(middle.next_up()), bits + 1);
            assert_eq!(to_f16(-middle), even | 0x8000);
        }
        for bits in 0..0x7f7f_u16 {
            let (low, high) = (from_bf16(bits), from_bf16(bits + 1));
            let middle = low / 2.0 + high / 2.0;
            if middle > low && middle < high {
                assert_eq!(to_bf16(middle.next_down()), bits);
                assert_eq!(to_bf16(middle.next_up()), bits + 1);
            }
        }
    }
}
