//! Single draws, shuffling and permutations.

use super::Generator;
use crate::array::size;
use crate::machine::simd::Baseline;
use crate::math::Transcendental;

/// 53 bits as a number in [0, 1).
#[inline(always)]
pub(super) fn unit(bits: u64) -> f64 {
    const SCALE: f64 = 1.0 / (1u64 << 53) as f64;
    (bits >> 11) as f64 * SCALE
}

impl Generator {
    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        unit(self.double_word())
    }

    /// A uniform integer in 0..n, without bias (D. Lemire, "Fast random integer generation in an interval", ACM
    /// TOMACS 29, 2019).
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "below: n must be at least 1");
        loop {
            let product = u128::from(self.double_word()) * u128::from(n);
            let low = product as u64;
            // Of the 2⁶⁴ values, the first 2⁶⁴ mod n would make some results likelier.
            if low >= n || low >= n.wrapping_neg() % n {
                return (product >> 64) as u64;
            }
        }
    }

    /// Normal with mean 0 and variance 1 (G. E. P. Box and M. E. Muller, 1958).
    ///
    /// ```
    /// use wengert_tensor::random::Generator;
    /// let mut generator = Generator::seeded(0);
    /// let mean = (0..4000).map(|_| generator.normal()).sum::<f64>() / 4000.0;
    /// assert!(mean.abs() < 0.1);
    /// ```
    pub fn normal(&mut self) -> f64 {
        // In (0, 1], so that the logarithm is finite.
        let radius = (-2.0 * Transcendental::ln::<Baseline>(1.0 - self.uniform())).sqrt();
        radius * self.uniform().sin_cos_turns::<Baseline>().1
    }

    /// True with probability `p`.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    ///
    /// ```
    /// use wengert_tensor::random::Generator;
    /// let mut generator = Generator::seeded(0);
    /// assert!(generator.bernoulli(1.0) && !generator.bernoulli(0.0));
    /// ```
    #[track_caller]
    pub fn bernoulli(&mut self, p: f64) -> bool {
        assert!((0.0..=1.0).contains(&p), "bernoulli: the probability {p} is not in [0, 1]");
        self.uniform() < p
    }

    /// Puts `items` into a uniformly random order (Fisher–Yates).
    ///
    /// ```
    /// # use wengert_tensor::random::Generator;
    /// let mut letters = ['a', 'b', 'c'];
    /// Generator::seeded(0).shuffle(&mut letters);
    /// letters.sort();
    /// assert_eq!(letters, ['a', 'b', 'c']);
    /// ```
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i as u64 + 1) as usize;
            items.swap(i, j);
        }
    }

    /// 0, 1, …, n − 1 in a uniformly random order.
    ///
    /// # Panics
    /// If `n` exceeds 2³².
    #[track_caller]
    pub fn permutation(&mut self, n: usize) -> Vec<u32> {
        assert!(n as u64 <= 1 << 32, "permutation: {n} indices do not fit into u32");
        let mut order = size::list("permutation", n);
        order.extend((0..n).map(|i| i as u32));
        self.shuffle(&mut order);
        order
    }
}
