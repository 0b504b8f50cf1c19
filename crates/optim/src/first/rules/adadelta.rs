//! Adadelta.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::moment::{Rms, hypot, largest, over};
use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// Adadelta: a step in the units of the parameters, from averages of squared gradients and squared steps.
///
/// s ← ρ s + (1 − ρ) g², δ = √(d + ε) / √(s + ε) · g, d ← ρ d + (1 − ρ) δ², θ ← θ − η δ, where g is the gradient plus
/// `weight_decay` · θ.
///
/// Source: Zeiler, *ADADELTA: an adaptive learning rate method*, 2012 (η = 1 there). PyTorch and optax agree.
/// Default: ρ = 0.9, ε = 1e-6, a learning rate of 1. ε sets the size of the first steps. Moves 28 bytes per f32 parameter,
/// keeps 8.
///
/// ```
/// use wengert_optim::{Adadelta, Optimizer};
/// let (mut theta, mut adadelta) = ([1.0f64], Adadelta::new(1.0));
/// adadelta.step(&mut theta, &[100.0]);
/// assert!((1.0 - theta[0] - (1e-6f64 / 0.1).sqrt()).abs() < 1e-8);
/// ```
pub type Adadelta<T = f32> = FirstOrder<AdadeltaConfig, T>;

/// Hyper-parameters of [`Adadelta`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdadeltaConfig {
    /// ρ, the decay of both averages.
    pub rho: f64,
    /// ε, inside both roots.
    pub epsilon: f64,
    /// λ: the gradient of ½ λ ‖θ‖² is added.
    pub weight_decay: f64,
}

impl Default for AdadeltaConfig {
    fn default() -> Self {
        AdadeltaConfig { rho: 0.9, epsilon: 1e-6, weight_decay: 0.0 }
    }
}

impl NeedsNoLayout for AdadeltaConfig {}

impl Rule for AdadeltaConfig {
    const NAME: &'static str = "adadelta";
    const LEARNING_RATE: f64 = 1.0;
    rule_of_this_crate!(AdadeltaConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .fraction("rho", self.rho)?
            .positive("epsilon", self.epsilon)?
            .weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        Slots::zeros(layout, &["rms", "rms_of_steps"])
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let formula = AdadeltaStep {
            rate: T::from_f64(memory.learning_rate),
            decay: T::from_f64(self.weight_decay),
            rms: Rms::new(self.rho, self.epsilon.sqrt()),
            inside: T::from_f64(self.epsilon.sqrt()),
        };
        update(params, grads, memory.each_mut::<2>(), formula);
    }
}

#[derive(Clone, Copy)]
struct AdadeltaStep<T> {
    rate: T,
    decay: T,
    rms: Rms<T>,
    /// The root of ε.
    inside: T,
}

impl<T: Float> Update<T, 2> for AdadeltaStep<T> {
    const LARGEST: f64 = largest::<T>();

    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [s, d]: [T; 2]) -> (T, [T; 2], [T; 0]) {
        let g = I::mul_add(self.decay, p, g);
        let s = self.rms.after::<I>(s, g);
        let delta = hypot::<I, T>(d, self.inside, self.rms.care)
            * over(g, hypot::<I, T>(s, self.inside, self.rms.care), self.rms.care);
        let d = self.rms.after::<I>(d, delta);
        (I::mul_add(-self.rate, delta, p), [s, d], [])
    }

    #[inline(always)]
    fn size(&self, [s, d]: [T; 2]) -> T {
        s + d
    }

    #[inline(always)]
    fn needs_care(&self) -> bool {
        self.rms.care
    }

    #[inline(always)]
    fn with_care(self, care: bool) -> Self {
        AdadeltaStep { rms: self.rms.with_care(care), ..self }
    }
}
