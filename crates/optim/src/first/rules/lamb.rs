//! LAMB.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::{Baseline, Isa};

use super::moment::{Decay, Rms, largest, over};
use crate::error::{Check, HyperParameterError};
use crate::first::clip::{norm_of, ratio};
use crate::first::layout::Layout;
use crate::first::loops::{ReadingUpdate, update_reading};
use crate::first::rule::rule_of_this_crate;
use crate::first::{FirstOrder, Memory, Rule, Slots};

/// LAMB: Adam whose step in every tensor is as long as the tensor's parameters, for large batches.
///
/// With m̂ and v̂ as in [`Adam`](crate::Adam) and, for each tensor, u = m̂ / (√v̂ + ε) + λ θ:
/// θ ← θ − η (‖θ‖ / ‖u‖) u, the ratio being 1 where either norm is 0.
///
/// A step is a share η of a tensor's norm: weights near 0 grow slowly, so begin with random ones.
///
/// Source: You et al., *Large batch optimization for deep learning: training BERT in 76 minutes*, 2020, algorithm 2 with
/// φ(z) = z; optax agrees. Default: β = (0.9, 0.999), ε = 1e-6, λ = 0. Two passes, since a tensor's norms must be known
/// before its parameters can move: 40 bytes per f32 parameter, keeps 8.
///
/// ```
/// use wengert_optim::{Lamb, Layout, Optimizer};
/// use wengert_optim::first::LambConfig;
/// let layout = Layout::new([("weight", vec![2])]);
/// let mut lamb = Lamb::with_layout(0.1, LambConfig::default(), &layout)?;
/// let mut theta = [3.0f64, 4.0];
/// lamb.step(&mut theta, &[7.0, 0.0]);
/// assert!((theta[0] - 2.5).abs() < 1e-12 && theta[1] == 4.0); // a step of η ‖θ‖ = 0.5
/// # Ok::<(), wengert_optim::HyperParameterError>(())
/// ```
pub type Lamb<T = f32> = FirstOrder<LambConfig, T>;

/// Hyper-parameters of [`Lamb`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LambConfig {
    /// β₁, the decay of the average of gradients.
    pub beta1: f64,
    /// β₂, the decay of the average of squares.
    pub beta2: f64,
    /// ε, added to the root.
    pub epsilon: f64,
    /// λ, the decay, which the ratio scales too.
    pub weight_decay: f64,
}

impl Default for LambConfig {
    fn default() -> Self {
        LambConfig { beta1: 0.9, beta2: 0.999, epsilon: 1e-6, weight_decay: 0.0 }
    }
}

impl Rule for LambConfig {
    const NAME: &'static str = "lamb";
    const LEARNING_RATE: f64 = 1e-3;
    rule_of_this_crate!(LambConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .betas(self.beta1, self.beta2)?
            .positive("epsilon", self.epsilon)?
            .weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        Slots::zeros(layout, &["m", "rms"])
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let correction2 = memory.bias_correction(self.beta2).sqrt();
        let direction = Direction {
            of_mean: T::from_f64(memory.bias_correction(self.beta1).recip()),
            of_root: T::from_f64(correction2.recip()),
            epsilon: T::from_f64(self.epsilon),
            decay: T::from_f64(self.weight_decay),
        };
        let moments = Moments {
            mean: Decay::of(self.beta1),
            rms: Rms::new(self.beta2, self.epsilon * correction2),
            direction,
        };
        let (layout, rate) = (memory.layout.clone(), memory.learning_rate);
        let [m, rms] = memory.each_mut::<2>();
        for segment in layout.segments() {
            let range = || segment.range.clone();
            let (p, m, rms) = (&mut params[range()], &mut m[range()], &mut rms[range()]);
            let [size, length] = update_reading(m, &grads[range()], [&mut *rms], [&*p], moments);
            let size = norm_of(size, p.len(), |i| p[i].to_f64());
            let length = norm_of(length, p.len(), |i| direction.at::<Baseline>(p[i], m[i], rms[i]).to_f64());
            let rate = if size > 0.0 && length > 0.0 { ratio(rate * size, length) } else { ratio(rate, 1.0) };
            update_reading(p, m, [], [rms], Move { rate, direction });
        }
    }
}

/// u from θ, m and √v.
#[derive(Clone, Copy)]
struct Direction<T> {
    of_mean: T,
    of_root: T,
    epsilon: T,
    decay: T,
}

impl<T: Float> Direction<T> {
    #[inline(always)]
    fn at<I: Isa>(&self, p: T, m: T, rms: T) -> T {
        let root = I::mul_add(rms, self.of_root, self.epsilon);
        I::mul_add(self.decay, p, self.of_mean * over(m, root, true))
    }
}

/// The first pass: the averages, with m in the place of the parameter, and the sums of θ² and u².
#[derive(Clone, Copy)]
struct Moments<T> {
    mean: Decay<T>,
    rms: Rms<T>,
    direction: Direction<T>,
}

impl<T: Float> ReadingUpdate<T, 1, 1, 2> for Moments<T> {
    const LARGEST: f64 = largest::<T>();

    #[inline(always)]
    fn apply<I: Isa>(&self, m: T, g: T, [rms]: [T; 1], [p]: [T; 1]) -> (T, [T; 1], [T; 2]) {
        let m = self.mean.average::<I>(m, g);
        let rms = self.rms.after::<I>(rms, g);
        let u = self.direction.at::<I>(p, m, rms);
        (m, [rms], [p, u])
    }

    #[inline(always)]
    fn size(&self, [rms]: [T; 1]) -> T {
        rms
    }

    #[inline(always)]
    fn needs_care(&self) -> bool {
        self.rms.care
    }

    #[inline(always)]
    fn with_care(self, care: bool) -> Self {
        Moments { rms: self.rms.with_care(care), ..self }
    }
}

/// The second pass: the step. m is read in place of the gradient.
#[derive(Clone, Copy)]
struct Move<T> {
    /// Two factors.
    rate: [T; 2],
    direction: Direction<T>,
}

impl<T: Float> ReadingUpdate<T, 0, 1> for Move<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, m: T, _: [T; 0], [rms]: [T; 1]) -> (T, [T; 0], [T; 0]) {
        let [first, second] = self.rate;
        (I::mul_add(-(first * self.direction.at::<I>(p, m, rms)), second, p), [], [])
    }
}
