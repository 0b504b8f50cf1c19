//! Schedule-free SGD.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::schedule_free::{Averaging, averaging_slots, write_average};
use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// Schedule-free SGD: no learning-rate schedule to choose; an average of the iterates takes its place.
///
/// Gradients are taken at y = β x + (1 − β) z, where z makes the steps and x averages them:
/// z ← z − η (g + λ y),
/// x ← (1 − c) x + c z with c = w / Σ w, w = (t)^r · (the largest η so far)^p.
///
/// The vector being trained is y; [`write_evaluation`](crate::Optimizer::write_evaluation) gives x, the parameters to
/// use. Warm up the learning rate over the first steps, then keep it constant. The authors' default of 1
/// ([`LEARNING_RATE`](Rule::LEARNING_RATE)) suits losses whose largest curvature L is about 1; beyond 2 / L the steps diverge, as
/// those of plain descent do.
///
/// Source: Defazio et al., *The road less scheduled*, 2024; the authors' `schedulefree` and optax agree (as long as the rate
/// is constant: optax reads a schedule one step apart for z and for c). Default: β = 0.9, p = 2, r = 0. Moves 20 bytes per f32
/// parameter, keeps 4.
///
/// ```
/// use wengert_optim::{Optimizer, ScheduleFreeSgd};
/// let (mut y, mut optimizer) = ([1.0f64], ScheduleFreeSgd::new(0.1));
/// for _ in 0..500 {
///     let grads = y.map(|y| 2.0 * y);
///     optimizer.step(&mut y, &grads);
/// }
/// let mut x = [0.0];
/// optimizer.write_evaluation(&y, &mut x);
/// assert!(x[0].abs() < 1e-2);
/// ```
pub type ScheduleFreeSgd<T = f32> = FirstOrder<ScheduleFreeSgdConfig, T>;

/// Hyper-parameters of [`ScheduleFreeSgd`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleFreeSgdConfig {
    /// β, the place of the gradients between z (0) and x (1); above 0.
    pub momentum: f64,
    /// λ, the decay, at y.
    pub weight_decay: f64,
    /// p: steps weigh by this power of the largest learning rate so far.
    pub rate_power: f64,
    /// r: steps weigh by this power of their number.
    pub step_power: f64,
}

impl Default for ScheduleFreeSgdConfig {
    fn default() -> Self {
        ScheduleFreeSgdConfig { momentum: 0.9, weight_decay: 0.0, rate_power: 2.0, step_power: 0.0 }
    }
}

impl NeedsNoLayout for ScheduleFreeSgdConfig {}

impl Rule for ScheduleFreeSgdConfig {
    const NAME: &'static str = "schedule_free_sgd";
    const LEARNING_RATE: f64 = 1.0;
    rule_of_this_crate!(ScheduleFreeSgdConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .open_fraction("momentum", self.momentum)?
            .weight_decay(self.weight_decay)?
            .non_negative("rate_power", self.rate_power)?
            .non_negative("step_power", self.step_power)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        averaging_slots(layout)
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let averaging = Averaging::begin(memory, params, self.momentum, self.rate_power, self.step_power);
        update(
            params,
            grads,
            memory.each_mut::<1>(),
            SgdStep { averaging, decay: T::from_f64(self.weight_decay) },
        );
    }

    fn write_evaluation<T: Float>(&self, memory: &Memory<T>, params: &[T], out: &mut [T]) {
        write_average(memory, self.momentum, params, out);
    }
}

#[derive(Clone, Copy)]
struct SgdStep<T> {
    averaging: Averaging<T>,
    decay: T,
}

impl<T: Float> Update<T, 1> for SgdStep<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, y: T, g: T, [z]: [T; 1]) -> (T, [T; 1], [T; 0]) {
        let (y, z) = self.averaging.apply::<I>(y, z, I::mul_add(self.decay, y, g));
        (y, [z], [])
    }
}
