//! The seeded generator behind shuffling and the synthetic digits.

/// SplitMix64: a 64-bit counter advanced by the golden ratio, and scrambled. The same numbers on every
/// platform; any seed is a good one.
///
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014
/// (<https://doi.org/10.1145/2660193.2660195>), with the constants of Vigna's `splitmix64.c`.
///
/// ```
/// use wengert_data::random::SplitMix64;
/// let mut random = SplitMix64::new(1234567);
/// assert_eq!(random.next_u64(), 6457827717110365317);
/// assert!((0.0..1.0).contains(&random.uniform()));
/// assert!(random.below(10) < 10);
/// ```
#[derive(Clone, Debug)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// The sequence that belongs to a seed.
    pub fn new(seed: u64) -> Self {
        SplitMix64 { state: seed }
    }

    /// The sequence that belongs to one of many streams of a seed: element `stream` of a parallel computation
    /// draws from its own, so the result does not depend on who computes it when.
    pub fn stream(seed: u64, stream: u64) -> Self {
        // Both are scrambled before they meet, so that neighbouring seeds and streams do not overlap.
        let base = SplitMix64::new(seed).next_u64();
        SplitMix64::new(SplitMix64::new(base ^ stream.wrapping_mul(0xD1B5_4A32_D192_ED03)).next_u64())
    }

    /// 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number of [0, 1), a multiple of 2⁻²⁴.
    #[inline]
    pub fn uniform(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// A number of [low, high).
    #[inline]
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.uniform()
    }

    /// An integer below `bound`, all equally likely: Lemire, "Fast random integer generation in an interval",
    /// ACM TOMACS 29(1), 2019.
    ///
    /// # Panics
    /// If `bound` is 0.
    #[inline]
    #[track_caller]
    pub fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "below: the bound must not be 0");
        loop {
            let product = (self.next_u64() >> 32) * u64::from(bound);
            // Low halves below 2³² mod bound would make some results likelier than others.
            if product as u32 >= bound.wrapping_neg() % bound {
                return (product >> 32) as u32;
            }
        }
    }

    /// Puts `items` in random order, every order equally likely (Fisher–Yates).
    ///
    /// # Panics
    /// If there are more than `u32::MAX` items.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        let count = u32::try_from(items.len()).expect("shuffle: more items than a u32 can count");
        for i in (1..count).rev() {
            items.swap(i as usize, self.below(i + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_sequence() {
        let mut random = SplitMix64::new(1234567);
        let first: Vec<u64> = (0..3).map(|_| random.next_u64()).collect();
        assert_eq!(first, [6457827717110365317, 3203168211198807973, 9817491932198370423]);
    }

    #[test]
    fn below_is_even() {
        let mut random = SplitMix64::new(1);
        let mut counts = [0i32; 7];
        for _ in 0..70_000 {
            counts[random.below(7) as usize] += 1;
        }
        // Five standard deviations of a binomial count.
        assert!(counts.iter().all(|c| (c - 10_000).abs() < 465), "{counts:?}");
    }

    #[test]
    fn every_order_of_three_is_equally_likely() {
        let mut random = SplitMix64::new(7);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..6000 {
            let mut items = [0, 1, 2];
            random.shuffle(&mut items);
            *counts.entry(items).or_insert(0i32) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|c| (c - 1000).abs() < 145), "{counts:?}");
    }
}
