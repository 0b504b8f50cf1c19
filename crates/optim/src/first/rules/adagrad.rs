//! Adagrad.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::moment::{hypot, largest, over, underflow_matters};
use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{Convention, FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// Adagrad: steps divided by the root of the sum of all squared gradients.
///
/// s ← s + g², and then
/// - [`Torch`](Convention::Torch), [`Paper`](Convention::Paper) (default): θ ← θ − η g / (√s + ε);
/// - [`Optax`](Convention::Optax): θ ← θ − η g / √(s + ε), no step while s is 0.
///
/// g is the gradient plus `weight_decay` · θ, and η is the learning rate over 1 + (t − 1) · `rate_decay` (PyTorch's
/// `lr_decay`).
///
/// Source: Duchi, Hazan and Singer, *Adaptive subgradient methods for online learning and stochastic optimization*, 2011.
/// Default: ε = 1e-10 and s₀ = 0, as in PyTorch ([`of`](AdagradConfig::of) gives optax's 1e-7 and 0.1). Moves 20 bytes
/// per f32 parameter, keeps 4.
///
/// ```
/// use wengert_optim::{Adagrad, Optimizer};
/// let (mut theta, mut adagrad) = ([1.0f64], Adagrad::new(0.5));
/// adagrad.step(&mut theta, &[4.0]);
/// assert!((theta[0] - 0.5).abs() < 1e-9);
/// ```
pub type Adagrad<T = f32> = FirstOrder<AdagradConfig, T>;

/// Hyper-parameters of [`Adagrad`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdagradConfig {
    /// ε, beside the root or inside it.
    pub epsilon: f64,
    /// s₀, what the sums begin as.
    pub initial_accumulator: f64,
    /// How the learning rate falls with the steps; 0 keeps it.
    pub rate_decay: f64,
    /// λ: the gradient of ½ λ ‖θ‖² is added.
    pub weight_decay: f64,
    /// Where ε is.
    pub convention: Convention,
}

impl AdagradConfig {
    /// The defaults of this convention.
    pub fn of(convention: Convention) -> Self {
        let (epsilon, initial_accumulator) = match convention {
            Convention::Torch | Convention::Paper => (1e-10, 0.0),
            Convention::Optax => (1e-7, 0.1),
        };
        AdagradConfig { epsilon, initial_accumulator, rate_decay: 0.0, weight_decay: 0.0, convention }
    }
}

impl Default for AdagradConfig {
    fn default() -> Self {
        Self::of(Convention::Torch)
    }
}

impl NeedsNoLayout for AdagradConfig {}

impl Rule for AdagradConfig {
    const NAME: &'static str = "adagrad";
    const LEARNING_RATE: f64 = 1e-2;
    rule_of_this_crate!(AdagradConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .non_negative("epsilon", self.epsilon)?
            .non_negative("initial_accumulator", self.initial_accumulator)?
            .non_negative("rate_decay", self.rate_decay)?
            .weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        Slots::default().vector("norm", layout.len(), self.initial_accumulator.sqrt())
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let (inside, outside) = match self.convention {
            Convention::Torch | Convention::Paper => (T::ZERO, T::from_f64(self.epsilon)),
            Convention::Optax => (T::from_f64(self.epsilon.sqrt()), T::ZERO),
        };
        let slower = 1.0 + (memory.step - 1) as f64 * self.rate_decay;
        let rate = T::from_f64(memory.learning_rate / slower);
        let decay = T::from_f64(self.weight_decay);
        let formula = AdagradStep {
            rate,
            decay,
            inside,
            outside,
            care: underflow_matters::<T>(self.epsilon.max(inside.to_f64())),
        };
        if inside == T::ZERO {
            update(params, grads, memory.each_mut::<1>(), Formula::<T, false>(formula));
        } else {
            update(params, grads, memory.each_mut::<1>(), Formula::<T, true>(formula));
        }
    }
}

#[derive(Clone, Copy)]
struct AdagradStep<T> {
    rate: T,
    decay: T,
    /// The root of ε.
    inside: T,
    outside: T,
    /// Whether squares may leave the range.
    care: bool,
}

/// The formula with or without the ε inside the root.
#[derive(Clone, Copy)]
struct Formula<T, const INSIDE: bool>(AdagradStep<T>);

impl<T: Float, const INSIDE: bool> Update<T, 1> for Formula<T, INSIDE> {
    const LARGEST: f64 = largest::<T>();

    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [s]: [T; 1]) -> (T, [T; 1], [T; 0]) {
        let AdagradStep { rate, decay, inside, outside, care } = self.0;
        let g = I::mul_add(decay, p, g);
        let s = hypot::<I, T>(s, g, care);
        let root = if INSIDE { hypot::<I, T>(s, inside, care) } else { s };
        (I::mul_add(-rate, over(g, root + outside, care), p), [s], [])
    }

    #[inline(always)]
    fn size(&self, [norm]: [T; 1]) -> T {
        norm
    }

    #[inline(always)]
    fn needs_care(&self) -> bool {
        self.0.care
    }

    #[inline(always)]
    fn with_care(self, care: bool) -> Self {
        Formula(AdagradStep { care, ..self.0 })
    }
}
