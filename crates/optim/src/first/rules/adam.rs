//! Adam.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::moment::{Decay, Rms, hypot, largest, over};
use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, update};
use crate::first::rule::{bias_correction, rule_of_this_crate};
use crate::first::{FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// Adam: steps scaled by bias-corrected averages of the gradient and of its square.
///
/// m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ),
/// θ ← θ − η m̂ / (√(v̂ + ε_root) + ε), where g is the gradient plus `weight_decay` · θ ([`AdamW`](crate::AdamW)
/// decouples the decay). As in all methods here that average squares, √v is kept, so that no gradient is too large or too
/// small for it: where v itself would overflow, as PyTorch's does in f32 from gradients of 6e20, the step is that of the
/// formula.
///
/// Source: Kingma and Ba, *Adam: a method for stochastic optimization*, 2015, algorithm 1. PyTorch and optax agree.
/// Default: β = (0.9, 0.999), ε = 1e-8. Moves 28 bytes per f32 parameter, keeps 8.
///
/// ```
/// use wengert_optim::{Adam, Optimizer};
/// let (mut theta, mut adam) = ([1.0f32], Adam::new(1e-3));
/// adam.step(&mut theta, &[123.0]);
/// assert!((theta[0] - 0.999).abs() < 1e-6); // the first step is η, whatever the scale of the gradient
/// ```
pub type Adam<T = f32> = FirstOrder<AdamConfig, T>;

/// Hyper-parameters of [`Adam`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// β₁, the decay of the average of gradients.
    pub beta1: f64,
    /// β₂, the decay of the average of squares.
    pub beta2: f64,
    /// ε, added to the root.
    pub epsilon: f64,
    /// ε_root, added inside the root (optax's `eps_root`).
    pub epsilon_root: f64,
    /// λ: the gradient of ½ λ ‖θ‖² is added.
    pub weight_decay: f64,
}

impl Default for AdamConfig {
    fn default() -> Self {
        AdamConfig { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, epsilon_root: 0.0, weight_decay: 0.0 }
    }
}

impl NeedsNoLayout for AdamConfig {}

impl Rule for AdamConfig {
    const NAME: &'static str = "adam";
    const LEARNING_RATE: f64 = 1e-3;
    rule_of_this_crate!(AdamConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .betas(self.beta1, self.beta2)?
            .non_negative("epsilon", self.epsilon)?
            .non_negative("epsilon_root", self.epsilon_root)?
            .weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        Slots::zeros(layout, &["m", "rms"])
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let formula = AdamStep::new(self, memory.learning_rate, memory.step, 0.0);
        formula.make(params, grads, memory.each_mut::<2>());
    }
}

/// The formula of Adam and AdamW.
#[derive(Clone, Copy)]
pub(super) struct AdamStep<T> {
    /// What multiplies θ before the step: 1 − ηλ with decoupled decay.
    keep: T,
    /// λ of the decay in the gradient.
    decay: T,
    mean: Decay<T>,
    rms: Rms<T>,
    rate: T,
    of_root: T,
    epsilon: T,
    /// The root of ε_root.
    inside: T,
}

impl<T: Float> AdamStep<T> {
    /// With the decay of `config` in the gradient, and `decoupled` decay beside it.
    pub(super) fn new(config: &AdamConfig, rate: f64, step: u64, decoupled: f64) -> Self {
        let [correction1, correction2] = [config.beta1, config.beta2].map(|beta| bias_correction(beta, step));
        AdamStep {
            keep: T::from_f64(1.0 - rate * decoupled),
            decay: T::from_f64(config.weight_decay),
            mean: Decay::of(config.beta1),
            rms: Rms::new(config.beta2, config.epsilon.max(config.epsilon_root.sqrt()) * correction2.sqrt()),
            rate: T::from_f64(rate / correction1),
            of_root: T::from_f64(correction2.sqrt().recip()),
            epsilon: T::from_f64(config.epsilon),
            inside: T::from_f64(config.epsilon_root.sqrt()),
        }
    }

    /// Makes the step, with what is not asked for left out of the loop: its products decide how long it takes.
    pub(super) fn make(self, params: &mut [T], grads: &[T], state: [&mut [T]; 2]) {
        if self.decay != T::ZERO || self.inside != T::ZERO {
            update(params, grads, state, Formula::<T, true, true>(self));
        } else if self.keep != T::ONE {
            update(params, grads, state, Formula::<T, false, true>(self));
        } else {
            update(params, grads, state, Formula::<T, false, false>(self));
        }
    }
}

/// The formula with or without `INNER` terms, decay in the gradient and ε_root, and with or without `DECOUPLED` decay.
#[derive(Clone, Copy)]
struct Formula<T, const INNER: bool, const DECOUPLED: bool>(AdamStep<T>);

impl<T: Float, const INNER: bool, const DECOUPLED: bool> Update<T, 2> for Formula<T, INNER, DECOUPLED> {
    const LARGEST: f64 = largest::<T>();

    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [m, rms]: [T; 2]) -> (T, [T; 2], [T; 0]) {
        let formula = &self.0;
        let g = if INNER { I::mul_add(formula.decay, p, g) } else { g };
        let m = formula.mean.average::<I>(m, g);
        let rms = formula.rms.after::<I>(rms, g);
        let root = if INNER {
            hypot::<I, T>(rms * formula.of_root, formula.inside, formula.rms.care) + formula.epsilon
        } else {
            I::mul_add(rms, formula.of_root, formula.epsilon)
        };
        let kept = if DECOUPLED { formula.keep * p } else { p };
        (I::mul_add(-formula.rate, over(m, root, formula.rms.care), kept), [m, rms], [])
    }

    #[inline(always)]
    fn size(&self, [_, rms]: [T; 2]) -> T {
        rms
    }

    #[inline(always)]
    fn needs_care(&self) -> bool {
        self.0.rms.care
    }

    #[inline(always)]
    fn with_care(self, care: bool) -> Self {
        Formula(AdamStep { rms: self.0.rms.with_care(care), ..self.0 })
    }
}
