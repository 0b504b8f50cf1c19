//! Lion.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::moment::Decay;
use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// Lion: steps of one size, by the sign of an interpolation between momentum and gradient.
///
/// θ ← (1 − η λ) θ − η sign(β₁ m + (1 − β₁) g), m ← β₂ m + (1 − β₂) g.
///
/// Source: Chen et al., *Symbolic discovery of optimization algorithms*, 2023; optax agrees. Default: β = (0.9, 0.99),
/// λ = 0. Choose η three to ten times smaller, and λ larger by as much, than with [`AdamW`](crate::AdamW). Moves 20
/// bytes per f32 parameter, keeps 4.
///
/// ```
/// use wengert_optim::{Lion, Optimizer};
/// let (mut theta, mut lion) = ([1.0f64, 1.0], Lion::new(0.01));
/// lion.step(&mut theta, &[5.0, -1e-3]);
/// assert_eq!(theta, [0.99, 1.01]);
/// ```
pub type Lion<T = f32> = FirstOrder<LionConfig, T>;

/// Hyper-parameters of [`Lion`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LionConfig {
    /// β₁, the share of the momentum in the step.
    pub beta1: f64,
    /// β₂, the decay of the momentum.
    pub beta2: f64,
    /// λ, decoupled: a step multiplies the parameters by 1 − η λ.
    pub weight_decay: f64,
}

impl Default for LionConfig {
    fn default() -> Self {
        LionConfig { beta1: 0.9, beta2: 0.99, weight_decay: 0.0 }
    }
}

impl NeedsNoLayout for LionConfig {}

impl Rule for LionConfig {
    const NAME: &'static str = "lion";
    const LEARNING_RATE: f64 = 1e-4;
    rule_of_this_crate!(LionConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check.betas(self.beta1, self.beta2)?.weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        Slots::zeros(layout, &["m"])
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let formula = LionStep {
            keep: T::from_f64(1.0 - memory.learning_rate * self.weight_decay),
            rate: T::from_f64(memory.learning_rate),
            ahead: Decay::of(self.beta1),
            mean: Decay::of(self.beta2),
        };
        update(params, grads, memory.each_mut::<1>(), formula);
    }
}

#[derive(Clone, Copy)]
struct LionStep<T> {
    keep: T,
    rate: T,
    ahead: Decay<T>,
    mean: Decay<T>,
}

impl<T: Float> Update<T, 1> for LionStep<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [m]: [T; 1]) -> (T, [T; 1], [T; 0]) {
        let direction = self.ahead.average::<I>(m, g).sign();
        let m = self.mean.average::<I>(m, g);
        (I::mul_add(self.keep, p, -(self.rate * direction)), [m], [])
    }
}
