//! Nadam.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::moment::{Decay, Rms, largest, over};
use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, update};
use crate::first::rule::{bias_correction, rule_of_this_crate};
use crate::first::{Convention, FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// Nadam: Adam with Nesterov's look-ahead.
///
/// With μₜ the momentum of step t, Πₜ the product of all up to it and v̂ = v / (1 − β₂ᵗ):
/// θ ← θ − η [μₜ₊₁ m / (1 − Πₜ₊₁) + (1 − μₜ) g / (1 − Πₜ)] / (√v̂ + ε), where
/// - [`Torch`](Convention::Torch) (default): μₜ = β₁ (1 − ½ · 0.96^(ψ t)) and m ← β₁ m + (1 − β₁) g;
/// - [`Optax`](Convention::Optax): μₜ = β₁;
/// - [`Paper`](Convention::Paper): μₜ as in PyTorch, m ← μₜ m + (1 − μₜ) g, and β₂ v̂ in place of v̂, as algorithm 2
///   there has it.
///
/// The decay is added to the gradient, or with `decoupled` multiplies θ by 1 − η λ.
///
/// Source: Dozat, *Incorporating Nesterov momentum into Adam*, 2016. Default: β = (0.9, 0.999), ε = 1e-8, ψ = 0.004.
/// Moves 28 bytes per f32 parameter, keeps 8.
///
/// ```
/// use wengert_optim::{Nadam, Optimizer};
/// let (mut theta, mut nadam) = ([1.0f64], Nadam::new(0.01));
/// nadam.step(&mut theta, &[5.0]);
/// assert!(theta[0] < 1.0);
/// ```
pub type Nadam<T = f32> = FirstOrder<NadamConfig, T>;

/// Hyper-parameters of [`Nadam`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NadamConfig {
    /// β₁, the decay of the average of gradients.
    pub beta1: f64,
    /// β₂, the decay of the average of squares.
    pub beta2: f64,
    /// ε, added to the root.
    pub epsilon: f64,
    /// ψ, how fast the momentum rises to β₁.
    pub momentum_decay: f64,
    /// λ, the weight decay.
    pub weight_decay: f64,
    /// Whether the decay is kept out of the gradient.
    pub decoupled: bool,
    /// The schedule of the momentum.
    pub convention: Convention,
}

impl Default for NadamConfig {
    fn default() -> Self {
        NadamConfig {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            momentum_decay: 4e-3,
            weight_decay: 0.0,
            decoupled: false,
            convention: Convention::Torch,
        }
    }
}

impl NadamConfig {
    /// μ of step `t`.
    fn momentum(&self, t: f64) -> f64 {
        match self.convention {
            Convention::Torch | Convention::Paper => {
                self.beta1 * (1.0 - 0.5 * 0.96f64.powf(t * self.momentum_decay))
            }
            Convention::Optax => self.beta1,
        }
    }

    /// The formula of this step; `product` is that of all momenta up to this step's.
    pub(super) fn formula<T: Float>(&self, rate: f64, step: u64, product: f64) -> NadamStep<T> {
        let (now, next) = (self.momentum(step as f64), self.momentum(step as f64 + 1.0));
        let paper = self.convention == Convention::Paper;
        let keep = if paper { now } else { self.beta1 };
        let correction = bias_correction(self.beta2, step) / if paper { self.beta2 } else { 1.0 };
        let (coupled, decoupled) =
            if self.decoupled { (0.0, self.weight_decay) } else { (self.weight_decay, 0.0) };
        NadamStep {
            keep_param: T::from_f64(1.0 - rate * decoupled),
            decay: T::from_f64(coupled),
            mean: Decay::of(keep),
            rms: Rms::new(self.beta2, self.epsilon * correction.sqrt()),
            of_grad: T::from_f64(rate * (1.0 - now) / (1.0 - product)),
            of_mean: T::from_f64(rate * next / (1.0 - product * next)),
            of_root: T::from_f64(correction.sqrt().recip()),
            epsilon: T::from_f64(self.epsilon),
        }
    }
}

impl NeedsNoLayout for NadamConfig {}

impl Rule for NadamConfig {
    const NAME: &'static str = "nadam";
    const LEARNING_RATE: f64 = 2e-3;
    rule_of_this_crate!(NadamConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .betas(self.beta1, self.beta2)?
            .non_negative("epsilon", self.epsilon)?
            .non_negative("momentum_decay", self.momentum_decay)?
            .weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        Slots::zeros(layout, &["m", "rms"]).real("momentum_product", 1.0)
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        memory.reals[0] *= self.momentum(memory.step as f64);
        let formula = self.formula(memory.learning_rate, memory.step, memory.reals[0]);
        update(params, grads, memory.each_mut::<2>(), formula);
    }
}

/// The formula of Nadam.
#[derive(Clone, Copy)]
pub(super) struct NadamStep<T> {
    keep_param: T,
    decay: T,
    mean: Decay<T>,
    rms: Rms<T>,
    of_grad: T,
    of_mean: T,
    of_root: T,
    epsilon: T,
}

impl<T: Float> Update<T, 2> for NadamStep<T> {
    const LARGEST: f64 = largest::<T>();

    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [m, rms]: [T; 2]) -> (T, [T; 2], [T; 0]) {
        let g = I::mul_add(self.decay, p, g);
        let m = self.mean.average::<I>(m, g);
        let rms = self.rms.after::<I>(rms, g);
        let root = I::mul_add(rms, self.of_root, self.epsilon);
        let direction = I::mul_add(self.of_mean, m, self.of_grad * g);
        (I::mul_add(self.keep_param, p, -over(direction, root, self.rms.care)), [m, rms], [])
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
        NadamStep { rms: self.rms.with_care(care), ..self }
    }
}
