//! Schedule-free AdamW.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::moment::{Rms, largest, over};
use super::schedule_free::{Averaging, averaging_slots, write_average};
use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// Schedule-free AdamW: no learning-rate schedule to choose; an average of the iterates takes its place.
///
/// Gradients are taken at y = β x + (1 − β) z, where z makes the steps and x averages them:
/// v ← β₂ v + (1 − β₂) g², d = g / (√(v / (1 − β₂ᵗ)) + ε) + λ y, z ← z − η d,
/// x ← (1 − c) x + c z with c = w / Σ w, w = (t)^r · (the largest η so far)^p.
///
/// The vector being trained is y; [`write_evaluation`](crate::Optimizer::write_evaluation) gives x, the parameters to
/// use. Warm up the learning rate over the first steps, then keep it constant.
///
/// Source: Defazio et al., *The road less scheduled*, 2024; the authors' `schedulefree` and optax agree (as long as the rate
/// is constant: optax reads a schedule one step apart for z and for c). Default: β = 0.9, β₂ = 0.999, ε = 1e-8, p = 2, r = 0. Moves 28 bytes per f32
/// parameter, keeps 8.
///
/// ```
/// use wengert_optim::{Optimizer, ScheduleFreeAdamW};
/// let (mut y, mut optimizer) = ([1.0f64], ScheduleFreeAdamW::new(0.1));
/// for _ in 0..500 {
///     let grads = y.map(|y| 2.0 * y);
///     optimizer.step(&mut y, &grads);
/// }
/// let mut x = [0.0];
/// optimizer.write_evaluation(&y, &mut x);
/// assert!(x[0].abs() < 1e-2);
/// ```
pub type ScheduleFreeAdamW<T = f32> = FirstOrder<ScheduleFreeAdamWConfig, T>;

/// Hyper-parameters of [`ScheduleFreeAdamW`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleFreeAdamWConfig {
    /// β, the place of the gradients between z (0) and x (1); above 0.
    pub momentum: f64,
    /// β₂, the decay of the average of squares.
    pub beta2: f64,
    /// ε, added to the root.
    pub epsilon: f64,
    /// λ, the decay, at y.
    pub weight_decay: f64,
    /// p: steps weigh by this power of the largest learning rate so far.
    pub rate_power: f64,
    /// r: steps weigh by this power of their number.
    pub step_power: f64,
}

impl Default for ScheduleFreeAdamWConfig {
    fn default() -> Self {
        ScheduleFreeAdamWConfig {
            momentum: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            rate_power: 2.0,
            step_power: 0.0,
        }
    }
}

impl NeedsNoLayout for ScheduleFreeAdamWConfig {}

impl Rule for ScheduleFreeAdamWConfig {
    const NAME: &'static str = "schedule_free_adamw";
    const LEARNING_RATE: f64 = 2.5e-3;
    rule_of_this_crate!(ScheduleFreeAdamWConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .open_fraction("momentum", self.momentum)?
            .fraction("beta2", self.beta2)?
            .non_negative("epsilon", self.epsilon)?
            .weight_decay(self.weight_decay)?
            .non_negative("rate_power", self.rate_power)?
            .non_negative("step_power", self.step_power)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        averaging_slots(layout).vector("rms", layout.len(), 0.0)
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let averaging = Averaging::begin(memory, params, self.momentum, self.rate_power, self.step_power);
        let correction = memory.bias_correction(self.beta2).sqrt();
        let formula = AdamWStep {
            averaging,
            decay: T::from_f64(self.weight_decay),
            rms: Rms::new(self.beta2, self.epsilon * correction),
            of_root: T::from_f64(correction.recip()),
            epsilon: T::from_f64(self.epsilon),
        };
        update(params, grads, memory.each_mut::<2>(), formula);
    }

    fn write_evaluation<T: Float>(&self, memory: &Memory<T>, params: &[T], out: &mut [T]) {
        write_average(memory, self.momentum, params, out);
    }
}

#[derive(Clone, Copy)]
struct AdamWStep<T> {
    averaging: Averaging<T>,
    decay: T,
    rms: Rms<T>,
    of_root: T,
    epsilon: T,
}

impl<T: Float> Update<T, 2> for AdamWStep<T> {
    const LARGEST: f64 = largest::<T>();

    #[inline(always)]
    fn apply<I: Isa>(&self, y: T, g: T, [z, rms]: [T; 2]) -> (T, [T; 2], [T; 0]) {
        let rms = self.rms.after::<I>(rms, g);
        let root = I::mul_add(rms, self.of_root, self.epsilon);
        let (y, z) = self.averaging.apply::<I>(y, z, I::mul_add(self.decay, y, over(g, root, self.rms.care)));
        (y, [z, rms], [])
    }

    #[inline(always)]
    fn size(&self, [_, rms]: [T; 2]) -> T {
        rms
    }

    #[inline(always)]
    fn needs_care(&self) -> bool {
        self.rms.care
    }

    #[inline(always)]
    fn with_care(self, care: bool) -> Self {
        AdamWStep { rms: self.rms.with_care(care), ..self }
    }
}
