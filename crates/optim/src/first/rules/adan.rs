//! Adan.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::moment::{Decay, Rms, hypot, largest, over};
use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{Convention, FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// Adan: Adam with Nesterov momentum by differences of gradients.
///
/// With δ = g − g′, the change since the last gradient (0 in the first step):
/// m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) δ, n ← β₃ n + (1 − β₃) (g + β₂ δ)², and u = (m̂ + β₂ v̂) / (√n̂ + ε), each
/// hatted average divided by 1 − βᵗ. Then
/// - [`Paper`](Convention::Paper), [`Torch`](Convention::Torch) (default): θ ← (θ − η u) / (1 + η λ), the authors' code;
/// - [`Optax`](Convention::Optax): θ ← θ − η (u + λ θ), with 1 − β₂ in place of β₂ before δ and v̂, and ε_root inside the
///   root.
///
/// Source: Xie et al., *Adan: adaptive Nesterov momentum algorithm for faster optimizing deep models*, 2022 (its βₖ are
/// 1 − βₖ here, as in both programs). Default: β = (0.98, 0.92, 0.99), ε = 1e-8, λ = 0 ([`of`](AdanConfig::of) gives optax's
/// ε_root = 1e-8). Moves 44 bytes per f32 parameter, keeps 16.
///
/// ```
/// use wengert_optim::{Adan, Optimizer};
/// let (mut theta, mut adan) = ([1.0f64], Adan::new(0.1));
/// adan.step(&mut theta, &[5.0]);
/// assert!((theta[0] - 0.9).abs() < 1e-8);
/// ```
pub type Adan<T = f32> = FirstOrder<AdanConfig, T>;

/// Hyper-parameters of [`Adan`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdanConfig {
    /// β₁, the decay of the average of gradients.
    pub beta1: f64,
    /// β₂, the decay of the average of differences.
    pub beta2: f64,
    /// β₃, the decay of the average of squares.
    pub beta3: f64,
    /// ε, added to the root.
    pub epsilon: f64,
    /// ε_root, added inside the root.
    pub epsilon_root: f64,
    /// λ, decoupled.
    pub weight_decay: f64,
    /// The weight of the differences, and the form of the decay.
    pub convention: Convention,
}

impl AdanConfig {
    /// The defaults of this convention.
    pub fn of(convention: Convention) -> Self {
        let epsilon_root = if convention == Convention::Optax { 1e-8 } else { 0.0 };
        AdanConfig {
            beta1: 0.98,
            beta2: 0.92,
            beta3: 0.99,
            epsilon: 1e-8,
            epsilon_root,
            weight_decay: 0.0,
            convention,
        }
    }
}

impl Default for AdanConfig {
    fn default() -> Self {
        Self::of(Convention::Paper)
    }
}

impl NeedsNoLayout for AdanConfig {}

impl Rule for AdanConfig {
    const NAME: &'static str = "adan";
    const LEARNING_RATE: f64 = 1e-3;
    rule_of_this_crate!(AdanConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .betas(self.beta1, self.beta2)?
            .fraction("beta3", self.beta3)?
            .non_negative("epsilon", self.epsilon)?
            .non_negative("epsilon_root", self.epsilon_root)?
            .weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        Slots::zeros(layout, &["m", "v", "rms", "previous"])
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let rate = memory.learning_rate;
        let decay = rate * self.weight_decay;
        let optax = self.convention == Convention::Optax;
        let ahead = if optax { 1.0 - self.beta2 } else { self.beta2 };
        let (keep, shrink) = if optax { (1.0 - decay, 1.0) } else { (1.0, (1.0 + decay).recip()) };
        let correction = memory.bias_correction(self.beta3).sqrt();
        let formula = AdanStep {
            first: memory.step == 1,
            keep: T::from_f64(keep),
            shrink: T::from_f64(shrink),
            ahead: T::from_f64(ahead),
            mean: Decay::of(self.beta1),
            mean_change: Decay::of(self.beta2),
            rms: Rms::new(self.beta3, self.epsilon.max(self.epsilon_root.sqrt()) * correction),
            of_m: T::from_f64(rate / memory.bias_correction(self.beta1)),
            of_v: T::from_f64(rate * ahead / memory.bias_correction(self.beta2)),
            of_root: T::from_f64(correction.recip()),
            epsilon: T::from_f64(self.epsilon),
            inside: T::from_f64(self.epsilon_root.sqrt()),
        };
        if formula.inside == T::ZERO {
            update(params, grads, memory.each_mut::<4>(), Formula::<T, false>(formula));
        } else {
            update(params, grads, memory.each_mut::<4>(), Formula::<T, true>(formula));
        }
    }
}

#[derive(Clone, Copy)]
struct AdanStep<T> {
    first: bool,
    keep: T,
    shrink: T,
    ahead: T,
    mean: Decay<T>,
    mean_change: Decay<T>,
    rms: Rms<T>,
    of_m: T,
    of_v: T,
    of_root: T,
    epsilon: T,
    /// The root of ε_root.
    inside: T,
}

/// The formula with or without ε_root.
#[derive(Clone, Copy)]
struct Formula<T, const INSIDE: bool>(AdanStep<T>);

impl<T: Float, const INSIDE: bool> Update<T, 4> for Formula<T, INSIDE> {
    const LARGEST: f64 = largest::<T>();

    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [m, v, rms, previous]: [T; 4]) -> (T, [T; 4], [T; 0]) {
        let formula = &self.0;
        let change = if formula.first { T::ZERO } else { g - previous };
        let ahead = I::mul_add(formula.ahead, change, g);
        let m = formula.mean.average::<I>(m, g);
        let v = formula.mean_change.average::<I>(v, change);
        let rms = formula.rms.after::<I>(rms, ahead);
        let root = rms * formula.of_root;
        let root = if INSIDE { hypot::<I, T>(root, formula.inside, formula.rms.care) } else { root };
        let root = root + formula.epsilon;
        let direction = I::mul_add(formula.of_v, v, formula.of_m * m);
        (
            I::mul_add(formula.keep, p, -over(direction, root, formula.rms.care)) * formula.shrink,
            [m, v, rms, g],
            [],
        )
    }

    #[inline(always)]
    fn size(&self, [_, _, rms, _]: [T; 4]) -> T {
        rms
    }

    #[inline(always)]
    fn needs_care(&self) -> bool {
        self.0.rms.care
    }

    #[inline(always)]
    fn with_care(self, care: bool) -> Self {
        Formula(AdanStep { rms: self.0.rms.with_care(care), ..self.0 })
    }
}
