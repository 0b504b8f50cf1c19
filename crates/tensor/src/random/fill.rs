//! Buffers of random numbers, in parallel. An element depends on its index, not on how the work is cut: the stream is
//! taken in groups of 128 words, each of which makes 128 elements of 32 bits or 64 elements of 64 bits.

use super::Generator;
use super::draw::unit;
use super::philox::{Group, LANES, group};
use crate::array::element::{ElementKind, Float};
use crate::compiled_here;
use crate::machine::parallel::{CHUNK, PARALLEL_THRESHOLD, for_each_chunk};
use crate::machine::simd::{Baseline, Isa, Kernel, dispatch};
use crate::math::Transcendental;

/// Words of a group, and elements at most.
const WORDS: usize = 4 * LANES;

/// How a group of words becomes elements.
trait Distribution<T>: Copy + Send + Sync {
    /// Elements made of one group.
    const ELEMENTS: usize;
    /// Writes the first `ELEMENTS` of `out`.
    fn sample<I: Isa>(&self, words: &Group, out: &mut [T; WORDS]);
}

struct Fill<'a, T, D> {
    distribution: D,
    key: u64,
    stream: u64,
    first_block: u64,
    out: &'a mut [T],
}

impl<T: Copy + Default, D: Distribution<T>> Kernel for Fill<'_, T, D> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let mut block = self.first_block;
        for out in self.out.chunks_mut(D::ELEMENTS) {
            let mut buffer = [T::default(); WORDS];
            self.distribution.sample::<I>(&group(self.key, self.stream, block), &mut buffer);
            out.copy_from_slice(&buffer[..out.len()]);
            block = block.wrapping_add(LANES as u64);
        }
    }
}

/// Whether an element takes one word of random bits, not two.
const fn single<T: Float>() -> bool {
    matches!(T::KIND, ElementKind::F32)
}

/// Elements of type `T` in a group, if each takes its own size of random bits.
const fn elements_of<T: Float>() -> usize {
    if single::<T>() { WORDS } else { WORDS / 2 }
}

/// Uniform in [0, 1), with the bits of the type's significand.
#[inline(always)]
fn sample_unit<T: Float>(words: &Group, out: &mut [T; WORDS]) {
    const SCALE: f64 = 1.0 / (1u32 << 24) as f64;
    let words = words.as_flattened();
    if single::<T>() {
        for i in 0..WORDS {
            out[i] = T::from_f64(f64::from(words[i] >> 8) * SCALE);
        }
    } else {
        for i in 0..WORDS / 2 {
            out[i] = T::from_f64(unit(u64::from(words[i]) << 32 | u64::from(words[WORDS / 2 + i])));
        }
    }
}

/// Uniform in an interval.
#[derive(Clone, Copy)]
pub(crate) struct Uniform<T> {
    low: T,
    width: T,
    /// The largest number below the upper limit, which rounding must not reach.
    last: T,
}

impl<T: Float> Uniform<T> {
    /// In [low, high).
    ///
    /// # Panics
    /// If that is not an interval; `operation` names the caller's operation. So do the constructors below.
    #[track_caller]
    pub(crate) fn new(operation: &str, low: T, high: T) -> Self {
        let width = high - low;
        assert!(low <= high && width.is_finite(), "{operation}: [{low}, {high}) is not a finite interval");
        Uniform { low, width, last: if low < high { next_down(high) } else { low } }
    }
}

impl<T: Float> Distribution<T> for Uniform<T> {
    const ELEMENTS: usize = elements_of::<T>();
    #[inline(always)]
    fn sample<I: Isa>(&self, words: &Group, out: &mut [T; WORDS]) {
        sample_unit(words, out);
        for x in &mut out[..Self::ELEMENTS] {
            let y = I::mul_add(*x, self.width, self.low);
            *x = if y > self.last { self.last } else { y };
        }
    }
}

/// Normal.
#[derive(Clone, Copy)]
pub(crate) struct Normal<T> {
    mean: T,
    std: T,
}

impl<T: Float> Normal<T> {
    #[track_caller]
    pub(crate) fn new(operation: &str, mean: T, std: T) -> Self {
        assert!(
            mean.is_finite() && std.is_finite() && std >= T::ZERO,
            "{operation}: mean {mean} and standard deviation {std} must be finite, the latter not negative"
        );
        Normal { mean, std }
    }
}

impl<T: Float> Distribution<T> for Normal<T> {
    const ELEMENTS: usize = elements_of::<T>();
    /// Box–Muller: the first half of the numbers gives radii, the second angles.
    #[inline(always)]
    fn sample<I: Isa>(&self, words: &Group, out: &mut [T; WORDS]) {
        let half = Self::ELEMENTS / 2;
        let mut units = [T::ZERO; WORDS];
        sample_unit(words, &mut units);
        for i in 0..half {
            // In (0, 1), with finer steps towards 0 than the uniform number has: f32 reaches 6.7 deviations.
            let u = if single::<T>() {
                T::from_f64((f64::from(words.as_flattened()[i]) + 0.5) * (1.0 / 4_294_967_296.0))
            } else {
                T::ONE - units[i]
            };
            let radius = (T::from_f64(-2.0) * u.ln::<I>()).sqrt() * self.std;
            let (sin, cos) = units[half + i].sin_cos_turns::<I>();
            out[i] = I::mul_add(radius, cos, self.mean);
            out[half + i] = I::mul_add(radius, sin, self.mean);
        }
    }
}

/// Normal, restricted to an interval.
#[derive(Clone, Copy)]
pub(crate) struct TruncatedNormal {
    mean: f64,
    std: f64,
    low: f64,
    high: f64,
    /// Lower-tail probability of the limit further from the mean, and how much more the other has.
    tail: f64,
    mass: f64,
    /// −1 if the tail is the upper one, mirrored.
    side: f64,
}

impl TruncatedNormal {
    #[track_caller]
    pub(crate) fn new<T: Float>(operation: &str, mean: T, std: T, [low, high]: [T; 2]) -> Self {
        assert!(
            mean.is_finite() && std.is_finite() && std > T::ZERO && low < high,
            "{operation}: mean {mean}, standard deviation {std}, interval [{low}, {high}]"
        );
        let [mean, std, low, high] = [mean, std, low, high].map(T::to_f64);
        let (a, b) = ((low - mean) / std, (high - mean) / std);
        // The lower tail has the better relative precision: an interval mostly above the mean is mirrored.
        let side = if a + b > 0.0 { -1.0 } else { 1.0 };
        let (near, far) = if side < 0.0 { (-a, -b) } else { (b, a) };
        let tail = normal_cdf::<Baseline>(far);
        let mass = normal_cdf::<Baseline>(near) - tail;
        assert!(mass > 0.0, "{operation}: the interval [{low}, {high}] has no probability");
        TruncatedNormal { mean, std, low, high, tail, mass, side }
    }
}

/// Φ(z).
#[inline(always)]
fn normal_cdf<I: Isa>(z: f64) -> f64 {
    0.5 * Transcendental::erfc::<I>(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// Replaces each p in (0, 1) by the z with Φ(z) = p: Newton's method on ln Φ, which is concave, from a point left of
/// the root for p ≤ 1/2 (Φ(z) ≤ exp(−z²/2)/2); the step count makes the error less than the rounding of Φ.
#[inline(always)]
fn normal_quantiles<I: Isa>(values: &mut [f64; WORDS / 2]) {
    const INVERSE_SQRT_TAU: f64 = 0.398_942_280_401_432_7;
    const STEPS: usize = 6;
    let mut target = [0.0; WORDS / 2];
    let mut z = [0.0; WORDS / 2];
    for i in 0..WORDS / 2 {
        let p = values[i];
        target[i] = Transcendental::ln::<I>(if p > 0.5 { 1.0 - p } else { p });
        let bound = -2.0 * (target[i] + std::f64::consts::LN_2);
        z[i] = -(if bound > 0.0 { bound } else { 0.0 }).sqrt();
    }
    // Steps outside, so that the loop over the numbers is the inner one and vectorises.
    for _ in 0..STEPS {
        for i in 0..WORDS / 2 {
            let cdf = normal_cdf::<I>(z[i]);
            let density = INVERSE_SQRT_TAU * Transcendental::exp::<I>(-0.5 * z[i] * z[i]);
            z[i] += (target[i] - Transcendental::ln::<I>(cdf)) * cdf / density;
        }
    }
    for i in 0..WORDS / 2 {
        values[i] = if values[i] > 0.5 { -z[i] } else { z[i] };
    }
}

impl<T: Float> Distribution<T> for TruncatedNormal {
    const ELEMENTS: usize = WORDS / 2;
    #[inline(always)]
    fn sample<I: Isa>(&self, words: &Group, out: &mut [T; WORDS]) {
        const HALF_STEP: f64 = 1.0 / (1u64 << 54) as f64;
        let mut units = [0f64; WORDS];
        sample_unit(words, &mut units);
        let mut values = [0f64; WORDS / 2];
        for i in 0..WORDS / 2 {
            values[i] = I::mul_add(units[i] + HALF_STEP, self.mass, self.tail);
        }
        normal_quantiles::<I>(&mut values);
        for i in 0..WORDS / 2 {
            let x = I::mul_add(self.side * self.std, values[i], self.mean);
            let x = if x < self.low { self.low } else { x };
            out[i] = T::from_f64(if x > self.high { self.high } else { x });
        }
    }
}

/// An element for success and one for failure.
#[derive(Clone, Copy)]
pub(crate) struct Bernoulli<T> {
    p: f64,
    outcomes: [T; 2],
}

impl<T> Bernoulli<T> {
    #[track_caller]
    pub(crate) fn new(operation: &str, p: f64, outcomes: [T; 2]) -> Self {
        assert!((0.0..=1.0).contains(&p), "{operation}: the probability {p} is not in [0, 1]");
        Bernoulli { p, outcomes }
    }
}

impl<T: Copy + Send + Sync> Distribution<T> for Bernoulli<T> {
    const ELEMENTS: usize = WORDS;
    #[inline(always)]
    fn sample<I: Isa>(&self, words: &Group, out: &mut [T; WORDS]) {
        let threshold = self.p * 4_294_967_296.0;
        for (x, &word) in out.iter_mut().zip(words.as_flattened()) {
            *x = if f64::from(word) < threshold { self.outcomes[1] } else { self.outcomes[0] };
        }
    }
}

compiled_here! {
    pub(crate) fn fill_uniform<T: Float>(generator: &mut Generator, out: &mut [T], distribution: Uniform<T>) {
        generator.fill(out, distribution);
    }
}

compiled_here! {
    pub(crate) fn fill_normal<T: Float>(generator: &mut Generator, out: &mut [T], distribution: Normal<T>) {
        generator.fill(out, distribution);
    }
}

compiled_here! {
    pub(crate) fn fill_truncated_normal<T: Float>(
        generator: &mut Generator,
        out: &mut [T],
        distribution: TruncatedNormal,
    ) {
        generator.fill(out, distribution);
    }
}

compiled_here! {
    pub(crate) fn fill_bernoulli<T: Float>(generator: &mut Generator, out: &mut [T], distribution: Bernoulli<T>) {
        generator.fill(out, distribution);
    }
}

pub(crate) fn fill_bernoulli_mask(
    generator: &mut Generator,
    out: &mut [bool],
    distribution: Bernoulli<bool>,
) {
    generator.fill(out, distribution);
}

impl Generator {
    fn fill<T: Copy + Default + Send, D: Distribution<T>>(&mut self, out: &mut [T], distribution: D) {
        let blocks_of = |elements: usize| (elements.div_ceil(D::ELEMENTS) * LANES) as u64;
        let first = self.take_blocks(blocks_of(out.len()));
        let (key, stream) = (self.key, self.stream);
        for_each_chunk(out, CHUNK, out.len() >= PARALLEL_THRESHOLD, |start, out| {
            let first_block = first.wrapping_add(blocks_of(start));
            dispatch(Fill { distribution, key, stream, first_block, out });
        });
    }

    /// Fills `out` with numbers uniform in [low, high); with `low` if the two are equal.
    ///
    /// The generator moves on by 32 blocks for every 128 numbers of `f32` or 64 of `f64`, begun ones included.
    ///
    /// # Panics
    /// If a limit or their difference is not finite, or `low` exceeds `high`.
    ///
    /// ```
    /// # use wengert_tensor::random::Generator;
    /// let mut x = [0f32; 100];
    /// Generator::seeded(0).fill_uniform(&mut x, -1.0, 1.0);
    /// assert!(x.iter().all(|x| (-1.0..1.0).contains(x)));
    /// ```
    #[track_caller]
    pub fn fill_uniform<T: Float>(&mut self, out: &mut [T], low: T, high: T) {
        fill_uniform(self, out, Uniform::new("fill_uniform", low, high));
    }

    /// Fills `out` with normal numbers of that mean and standard deviation (Box–Muller).
    ///
    /// The generator moves on by 32 blocks for every 128 numbers of `f32` or 64 of `f64`, begun ones included.
    ///
    /// # Panics
    /// If `mean` is not finite, or `std` not finite or negative.
    #[track_caller]
    pub fn fill_normal<T: Float>(&mut self, out: &mut [T], mean: T, std: T) {
        fill_normal(self, out, Normal::new("fill_normal", mean, std));
    }

    /// Fills `out` with numbers of the normal distribution restricted to [low, high], by inversion of its
    /// distribution function.
    ///
    /// The generator moves on by 32 blocks for every 64 numbers, begun ones included.
    ///
    /// # Panics
    /// If `mean` is not finite, `std` not positive and finite, `low` not below `high`, or the interval is so far from
    /// the mean (some 37 standard deviations) that its probability underflows.
    ///
    /// ```
    /// use wengert_tensor::random::Generator;
    /// let mut x = [0.0f64; 100];
    /// Generator::seeded(0).fill_truncated_normal(&mut x, 0.0, 1.0, 1.0, 2.0);
    /// assert!(x.iter().all(|x| (1.0..=2.0).contains(x)));
    /// ```
    #[track_caller]
    pub fn fill_truncated_normal<T: Float>(&mut self, out: &mut [T], mean: T, std: T, low: T, high: T) {
        let distribution = TruncatedNormal::new("fill_truncated_normal", mean, std, [low, high]);
        fill_truncated_normal(self, out, distribution);
    }

    /// Fills `out` with 1 with probability `p`, else 0. The generator moves on by 32 blocks for every 128 numbers of
    /// either type, begun ones included.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    #[track_caller]
    pub fn fill_bernoulli<T: Float>(&mut self, out: &mut [T], p: f64) {
        fill_bernoulli(self, out, Bernoulli::new("fill_bernoulli", p, [T::ZERO, T::ONE]));
    }

    /// Fills `out` with true with probability `p`; true where [`fill_bernoulli`](Generator::fill_bernoulli) gives 1.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    #[track_caller]
    pub fn fill_bernoulli_mask(&mut self, out: &mut [bool], p: f64) {
        fill_bernoulli_mask(self, out, Bernoulli::new("fill_bernoulli_mask", p, [false, true]));
    }
}

/// The next smaller number of the type.
fn next_down<T: Float>(x: T) -> T {
    if single::<T>() {
        // Exact both ways: an f32 and its neighbour are f64s.
        T::from_f64(f64::from((x.to_f64() as f32).next_down()))
    } else {
        T::from_f64(x.to_f64().next_down())
    }
}
