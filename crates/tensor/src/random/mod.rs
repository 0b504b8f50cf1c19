//! Random numbers from one seeded object.
//!
//! [`Generator`] is counter-based (Philox4x32-10): a number depends on the seed, the stream and a position only, so
//! filling a buffer gives the same bits for any number of threads, and a generator's [`state`](Generator::state) is
//! three integers.
//!
//! ```
//! use wengert_tensor::random::Generator;
//!
//! let mut generator = Generator::seeded(42);
//! let mut weights = vec![0f32; 1000];
//! generator.fill_normal(&mut weights, 0.0, 0.02);
//! let saved = generator.state();
//! let order = generator.permutation(10);
//! assert_eq!(Generator::from_state(saved).permutation(10), order);
//! ```

mod choose;
mod draw;
mod each;
mod fill;
mod philox;
mod rng;

pub use choose::{check_logits, check_weights};
pub(crate) use fill::{
    Bernoulli, Normal, TruncatedNormal, Uniform, fill_bernoulli, fill_bernoulli_mask, fill_normal,
    fill_truncated_normal, fill_uniform,
};
use philox::block;

/// A source of random numbers: a seed, one of 2⁶⁴ streams, and a position in it.
///
/// It is passed explicitly, as `&mut`. [`fork`](Generator::fork) and [`split`](Generator::split) give independent
/// generators. It also implements `rand`'s `Rng`, so that the distributions of `rand_distr` can be sampled with it.
/// Not for cryptography.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generator {
    key: u64,
    stream: u64,
    /// 32-bit words drawn so far. Four make a block of Philox.
    position: u64,
}

impl Generator {
    /// The generator of that seed, at its beginning.
    ///
    /// ```
    /// # use wengert_tensor::random::Generator;
    /// assert_eq!(Generator::seeded(7).uniform(), Generator::seeded(7).uniform());
    /// assert_ne!(Generator::seeded(7).uniform(), Generator::seeded(8).uniform());
    /// ```
    pub fn seeded(seed: u64) -> Self {
        Generator { key: seed, stream: 0, position: 0 }
    }

    /// Everything that decides what comes next, to be stored: key, stream and position.
    pub fn state(&self) -> [u64; 3] {
        [self.key, self.stream, self.position]
    }

    /// The generator that had this [`state`](Generator::state). Any three numbers are a state.
    pub fn from_state([key, stream, position]: [u64; 3]) -> Self {
        Generator { key, stream, position }
    }

    /// An independent generator numbered `index`, for example one per worker or per epoch. It depends on this one's
    /// seed and stream, not on its position, and does not advance it.
    ///
    /// ```
    /// # use wengert_tensor::random::Generator;
    /// let mut generator = Generator::seeded(1);
    /// let epoch = generator.fork(3);
    /// generator.uniform();
    /// assert_eq!(generator.fork(3), epoch);
    /// assert_ne!(generator.fork(4), epoch);
    /// ```
    #[must_use]
    pub fn fork(&self, index: u64) -> Self {
        // Another key than that of the numbers drawn: these bits appear nowhere else.
        const FORK: u64 = 0x5a0f_3c96_a5c3_69f1;
        Self::from_words(block(self.key ^ FORK, self.stream, index))
    }

    /// An independent generator seeded by this one, which moves on by one block.
    ///
    /// ```
    /// use wengert_tensor::random::Generator;
    /// let mut generator = Generator::seeded(0);
    /// let (mut first, mut second) = (generator.split(), generator.split());
    /// assert_ne!(first.uniform(), second.uniform());
    /// ```
    #[must_use]
    pub fn split(&mut self) -> Self {
        let first = self.take_blocks(1);
        Self::from_words(block(self.key, self.stream, first))
    }

    fn from_words([a, b, c, d]: [u32; 4]) -> Self {
        let join = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        Generator { key: join(a, b), stream: join(c, d), position: 0 }
    }

    /// Moves to the next whole block and past `count` of them; returns the first one's number.
    fn take_blocks(&mut self, count: u64) -> u64 {
        let first = self.position.div_ceil(4);
        self.position = first.wrapping_add(count).wrapping_mul(4);
        first
    }
}
