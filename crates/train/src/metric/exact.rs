//! Sums without rounding.

use wengert_state::{StateError, Values};

use super::kept::{refused, words};

/// Pieces of 32 bits from 2⁻¹⁰⁷⁴ up, with room above for sums of 2⁵³ numbers.
const LIMBS: usize = 70;

/// Numbers that are added before the pieces' carries have to be passed on.
const PENDING: u32 = 1 << 30;

/// A sum that is exact, so that it has the same bits whatever the order and the parts that it was added up in.
///
/// Source: Kulisch's long accumulator, with pieces that wait with their carries.
#[derive(Clone)]
pub(super) struct ExactSum {
    /// Piece `i` counts 2^(32·i − 1074).
    limbs: [i64; LIMBS],
    pending: u32,
    /// Whether there was a NaN, a positive and a negative infinity: bits 0, 1 and 2.
    special: u64,
}

impl ExactSum {
    /// Nothing.
    pub(super) const ZERO: ExactSum = ExactSum { limbs: [0; LIMBS], pending: 0, special: 0 };

    /// The words of its state.
    pub(super) const WORDS: usize = LIMBS + 1;

    /// Adds a number.
    pub(super) fn add(&mut self, x: f64) {
        let bits = x.to_bits();
        let (exponent, fraction) = ((bits >> 52 & 0x7ff) as usize, bits & ((1 << 52) - 1));
        if exponent == 0x7ff {
            let negative = x < 0.0;
            self.special |= if x.is_nan() { 1 } else { 2 << u64::from(negative) };
            return;
        }
        let (whole, shift) = if exponent == 0 { (fraction, 0) } else { (fraction | 1 << 52, exponent - 1) };
        let wide = u128::from(whole) << (shift % 32);
        for (k, limb) in self.limbs[shift / 32..].iter_mut().take(3).enumerate() {
            let piece = (wide >> (32 * k) & 0xffff_ffff) as i64;
            *limb += if bits >> 63 == 0 { piece } else { -piece };
        }
        self.pending += 1;
        if self.pending >= PENDING {
            self.carry();
        }
    }

    /// Adds x² without rounding, unless it is below 10⁻²⁹⁰.
    pub(super) fn add_product(&mut self, x: f64, y: f64) {
        let product = x * y;
        self.add(product);
        if product.is_finite() {
            self.add(x.mul_add(y, -product));
        }
    }

    /// Adds another sum.
    pub(super) fn add_sum(&mut self, mut other: ExactSum) {
        self.carry();
        other.carry();
        for (limb, more) in self.limbs.iter_mut().zip(other.limbs) {
            *limb += more;
        }
        self.special |= other.special;
        self.carry();
    }

    /// Passes carries on: all pieces but the last are then at least 0 and below 2³², and the last has the sign.
    fn carry(&mut self) {
        for i in 0..LIMBS - 1 {
            let carry = self.limbs[i] >> 32;
            self.limbs[i] -= carry << 32;
            self.limbs[i + 1] += carry;
        }
        self.pending = 0;
    }

    /// The nearest number.
    pub(super) fn value(&self) -> f64 {
        match self.special {
            0 => self.clone().nearest(),
            2 => f64::INFINITY,
            4 => f64::NEG_INFINITY,
            _ => f64::NAN,
        }
    }

    fn nearest(mut self) -> f64 {
        self.carry();
        let negative = self.limbs[LIMBS - 1] < 0;
        if negative {
            self.limbs.iter_mut().for_each(|limb| *limb = -*limb);
            self.carry();
        }
        let Some(top) = self.limbs.iter().rposition(|&limb| limb != 0) else { return 0.0 };
        let piece = |back: usize| top.checked_sub(back).map_or(0, |i| self.limbs[i] as u128);
        let mut leading = (0..4).fold(0, |high, back| high << 32 | piece(back));
        // What lies below only decides ties.
        if self.limbs[..top.saturating_sub(3)].iter().any(|&limb| limb != 0) {
            leading |= 1;
        }
        let exponent = 32 * (top as i32 - 3) - 1074;
        // In two steps: one power alone may be out of range.
        let half = exponent / 2;
        let size = leading as f64 * 2f64.powi(half) * 2f64.powi(exponent - half);
        if negative { -size } else { size }
    }

    /// Numbers that make up the sum to some 150 bits, the largest first.
    pub(super) fn parts(&self) -> [f64; 3] {
        let mut rest = self.clone();
        [(); 3].map(|()| {
            let part = rest.value();
            rest.add(-part);
            part
        })
    }

    /// All of it, for [`read`](Self::read).
    pub(super) fn words(&self) -> Vec<u64> {
        let mut canonical = self.clone();
        canonical.carry();
        canonical.limbs.iter().map(|&limb| limb as u64).chain([self.special]).collect()
    }

    /// From [`words`](Self::words), if they are such.
    fn of_words(words: &[u64]) -> Option<ExactSum> {
        let mut sum = ExactSum::ZERO;
        let (&special, limbs) = words.split_last()?;
        let (&last, others) = limbs.split_last()?;
        let small = (last as i64).checked_abs()? < 1 << 40;
        if limbs.len() != LIMBS || special > 7 || !small || others.iter().any(|&limb| limb >> 32 != 0) {
            return None;
        }
        for (limb, &word) in sum.limbs.iter_mut().zip(limbs) {
            *limb = word as i64;
        }
        sum.special = special;
        Some(sum)
    }

    /// Several sums as one vector of a state.
    pub(super) fn written(sums: &[ExactSum]) -> Values {
        Values::U64(sums.iter().flat_map(ExactSum::words).collect())
    }

    /// As many sums as there are in a vector of a state.
    pub(super) fn read(state: &wengert_state::State, name: &str) -> Result<Vec<ExactSum>, StateError> {
        let all = words(state, name)?;
        let sums: Option<Vec<ExactSum>> = all.chunks(Self::WORDS).map(ExactSum::of_words).collect();
        sums.ok_or_else(|| refused(state, name, "no exact sums"))
    }
}

impl std::fmt::Debug for ExactSum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wengert_tensor::random::Generator;

    fn sum(numbers: &[f64]) -> ExactSum {
        let mut sum = ExactSum::ZERO;
        numbers.iter().for_each(|&x| sum.add(x));
        sum
    }

    #[test]
    fn sums_that_rounding_would_lose() {
        assert_eq!(sum(&[1e308, 1.0, -1e308]).value(), 1.0);
        assert_eq!(sum(&[1e308, 1e308, -1e308]).value(), 1e308);
        assert_eq!(sum(&[f64::from_bits(1), f64::MAX, -f64::MAX]).value(), f64::from_bits(1));
        assert_eq!(sum(&[-0.1; 10]).value(), -1.0);
        assert_eq!(sum(&[f64::MAX, f64::MAX]).value(), f64::INFINITY);
        assert_eq!(sum(&[]).value(), 0.0);
        assert_eq!(sum(&[1.0, -1.0]).value().to_bits(), 0);
        // A tie, and a hair above it.
        assert_eq!(sum(&[1.0, f64::EPSILON / 2.0]).value(), 1.0);
        assert_eq!(sum(&[1.0, f64::EPSILON / 2.0, 1e-300]).value(), 1.0 + f64::EPSILON);
        assert_eq!(sum(&[-1.0, -f64::EPSILON / 2.0, -1e-300]).value(), -1.0 - f64::EPSILON);
    }

    #[test]
    fn what_is_not_finite() {
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).value().is_nan());
        assert!(sum(&[f64::NAN, 1.0]).value().is_nan());
        assert_eq!(sum(&[f64::INFINITY, 1.0]).value(), f64::INFINITY);
        assert_eq!(sum(&[f64::NEG_INFINITY, 1.0]).value(), f64::NEG_INFINITY);
    }

    #[test]
    fn any_order_and_any_parts_give_the_same_bits() {
        let mut generator = Generator::seeded(3);
        let numbers: Vec<f64> = (0..2000)
            .map(|_| generator.normal() * 10f64.powi((generator.uniform() * 80.0) as i32 - 40))
            .collect();
        let whole = sum(&numbers);
        let mut backwards = numbers.clone();
        backwards.reverse();
        let mut parts = sum(&backwards[1500..]);
        parts.add_sum(sum(&backwards[..1500]));
        assert_eq!(parts.words(), whole.words());
        assert_eq!(ExactSum::of_words(&whole.words()).unwrap().value(), whole.value());
        let [high, middle, low] = whole.parts();
        assert_eq!(high, whole.value());
        let mut rest = whole.clone();
        [high, middle, low].iter().for_each(|&part| rest.add(-part));
        assert!(rest.value().abs() <= 1e-45 * high.abs());
    }

    #[test]
    fn words_that_are_no_sum_are_refused() {
        let mut words = sum(&[1.5]).words();
        assert!(ExactSum::of_words(&words[1..]).is_none());
        words[3] = 1 << 32;
        assert!(ExactSum::of_words(&words).is_none());
        let mut words = sum(&[1.5]).words();
        words[LIMBS] = 8;
        assert!(ExactSum::of_words(&words).is_none());
        words[LIMBS] = 0;
        words[LIMBS - 1] = i64::MIN as u64;
        assert!(ExactSum::of_words(&words).is_none());
    }
}
