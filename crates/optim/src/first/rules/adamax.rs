//! AdaMax.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::moment::{Decay, over};
use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{Convention, FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// AdaMax: Adam with the largest recent gradient in place of the root of the mean square.
///
/// m ← β₁ m + (1 − β₁) g, θ ← θ − η / (1 − β₁ᵗ) · m / u, where
/// - [`Torch`](Convention::Torch), [`Optax`](Convention::Optax) (default): u ← max(β₂ u, |g| + ε);
/// - [`Paper`](Convention::Paper): u ← max(β₂ u, |g|), no step where u is 0.
///
/// g is the gradient plus `weight_decay` · θ.
///
/// Source: Kingma and Ba, *Adam: a method for stochastic optimization*, 2015, algorithm 2. Default: β = (0.9, 0.999),
/// ε = 1e-8. Moves 28 bytes per f32 parameter, keeps 8.
///
/// ```
/// use wengert_optim::{AdaMax, Optimizer};
/// let (mut theta, mut adamax) = ([1.0f64], AdaMax::new(0.1));
/// adamax.step(&mut theta, &[5.0]);
/// assert!((theta[0] - 0.9).abs() < 1e-8);
/// ```
pub type AdaMax<T = f32> = FirstOrder<AdaMaxConfig, T>;

/// Hyper-parameters of [`AdaMax`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaMaxConfig {
    /// β₁, the decay of the average of gradients.
    pub beta1: f64,
    /// β₂, the decay of the largest gradient.
    pub beta2: f64,
    /// ε, added to |g|.
    pub epsilon: f64,
    /// λ: the gradient of ½ λ ‖θ‖² is added.
    pub weight_decay: f64,
    /// Whether there is an ε.
    pub convention: Convention,
}

impl Default for AdaMaxConfig {
    fn default() -> Self {
        AdaMaxConfig {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            convention: Convention::Torch,
        }
    }
}

impl NeedsNoLayout for AdaMaxConfig {}

impl Rule for AdaMaxConfig {
    const NAME: &'static str = "adamax";
    const LEARNING_RATE: f64 = 2e-3;
    rule_of_this_crate!(AdaMaxConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .betas(self.beta1, self.beta2)?
            .non_negative("epsilon", self.epsilon)?
            .weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        Slots::zeros(layout, &["m", "largest"])
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let epsilon = match self.convention {
            Convention::Torch | Convention::Optax => self.epsilon,
            Convention::Paper => 0.0,
        };
        let formula = AdaMaxStep {
            decay: T::from_f64(self.weight_decay),
            mean: Decay::of(self.beta1),
            beta2: T::from_f64(self.beta2),
            rate: T::from_f64(memory.learning_rate / memory.bias_correction(self.beta1)),
            epsilon: T::from_f64(epsilon),
        };
        update(params, grads, memory.each_mut::<2>(), formula);
    }
}

#[derive(Clone, Copy)]
struct AdaMaxStep<T> {
    decay: T,
    mean: Decay<T>,
    beta2: T,
    rate: T,
    epsilon: T,
}

impl<T: Float> Update<T, 2> for AdaMaxStep<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [m, largest]: [T; 2]) -> (T, [T; 2], [T; 0]) {
        let g = I::mul_add(self.decay, p, g);
        let m = self.mean.average::<I>(m, g);
        let largest = (self.beta2 * largest).maximum(g.abs() + self.epsilon);
        (I::mul_add(-self.rate, over(m, largest, true), p), [m, largest], [])
    }
}
