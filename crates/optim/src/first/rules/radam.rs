//! Rectified Adam.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::moment::{Decay, Rms, largest, over};
use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{Convention, FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// Rectified Adam: Adam that goes without the second moment while too few gradients have been seen to trust it.
///
/// With m and v as in [`Adam`](crate::Adam), ρ∞ = 2 / (1 − β₂) − 1 and ρ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ): once ρ is above the
/// threshold, r = √[(ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ)] and θ ← θ − η r m̂ / d; before, θ ← θ − η m̂.
/// - [`Torch`](Convention::Torch) (default): ρ > 5, d = (√v + ε) / √(1 − β₂ᵗ);
/// - [`Optax`](Convention::Optax): ρ ≥ 5, d = √v̂ + ε;
/// - [`Paper`](Convention::Paper): ρ > 4, d = √v̂ + ε (ε = 0 there).
///
/// The decay is added to the gradient, or with `decoupled` multiplies θ by 1 − η λ.
///
/// Source: Liu et al., *On the variance of the adaptive learning rate and beyond*, 2020, algorithm 2. Default:
/// β = (0.9, 0.999), ε = 1e-8. Moves 28 bytes per f32 parameter, keeps 8.
///
/// ```
/// use wengert_optim::{Optimizer, RAdam};
/// let (mut theta, mut radam) = ([1.0f64], RAdam::new(0.01));
/// radam.step(&mut theta, &[5.0]);
/// assert!((theta[0] - 0.95).abs() < 1e-12); // no adaptive step yet
/// ```
pub type RAdam<T = f32> = FirstOrder<RAdamConfig, T>;

/// Hyper-parameters of [`RAdam`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RAdamConfig {
    /// β₁, the decay of the average of gradients.
    pub beta1: f64,
    /// β₂, the decay of the average of squares.
    pub beta2: f64,
    /// ε, added to the root.
    pub epsilon: f64,
    /// λ, the weight decay.
    pub weight_decay: f64,
    /// Whether the decay is kept out of the gradient.
    pub decoupled: bool,
    /// The threshold, and where ε is.
    pub convention: Convention,
}

impl Default for RAdamConfig {
    fn default() -> Self {
        RAdamConfig {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            decoupled: false,
            convention: Convention::Torch,
        }
    }
}

impl RAdamConfig {
    /// r in step `t`, if the adaptive step is to be trusted.
    fn rectification(&self, t: f64) -> Option<f64> {
        let limit = 2.0 / (1.0 - self.beta2) - 1.0;
        let power = self.beta2.powf(t);
        let length = limit - 2.0 * t * power / (1.0 - power);
        let trusted = match self.convention {
            Convention::Torch => length > 5.0,
            Convention::Optax => length >= 5.0,
            Convention::Paper => length > 4.0,
        };
        let ratio = (length - 4.0) * (length - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * length);
        trusted.then(|| ratio.sqrt())
    }
}

impl NeedsNoLayout for RAdamConfig {}

impl Rule for RAdamConfig {
    const NAME: &'static str = "radam";
    const LEARNING_RATE: f64 = 1e-3;
    rule_of_this_crate!(RAdamConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .betas(self.beta1, self.beta2)?
            .non_negative("epsilon", self.epsilon)?
            .weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        Slots::zeros(layout, &["m", "rms"])
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let rate = memory.learning_rate / memory.bias_correction(self.beta1);
        let root = memory.bias_correction(self.beta2).sqrt();
        // θ ← θ − rate · m / (√v · of_root + constant); without the second moment the divisor is 1.
        let (rate, of_root, constant) = match self.rectification(memory.step as f64) {
            None => (rate, 0.0, 1.0),
            Some(r) if self.convention == Convention::Torch => (rate * r * root, 1.0, self.epsilon),
            Some(r) => (rate * r, root.recip(), self.epsilon),
        };
        let (coupled, decoupled) =
            if self.decoupled { (0.0, self.weight_decay) } else { (self.weight_decay, 0.0) };
        let formula = RAdamStep {
            keep: T::from_f64(1.0 - memory.learning_rate * decoupled),
            decay: T::from_f64(coupled),
            mean: Decay::of(self.beta1),
            rms: Rms::new(self.beta2, constant / of_root),
            rate: T::from_f64(rate),
            of_root: T::from_f64(of_root),
            constant: T::from_f64(constant),
        };
        update(params, grads, memory.each_mut::<2>(), formula);
    }
}

#[derive(Clone, Copy)]
struct RAdamStep<T> {
    keep: T,
    decay: T,
    mean: Decay<T>,
    rms: Rms<T>,
    rate: T,
    of_root: T,
    constant: T,
}

impl<T: Float> Update<T, 2> for RAdamStep<T> {
    const LARGEST: f64 = largest::<T>();

    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [m, rms]: [T; 2]) -> (T, [T; 2], [T; 0]) {
        let g = I::mul_add(self.decay, p, g);
        let m = self.mean.average::<I>(m, g);
        let rms = self.rms.after::<I>(rms, g);
        let divisor = I::mul_add(rms, self.of_root, self.constant);
        (I::mul_add(self.keep, p, -(self.rate * over(m, divisor, self.rms.care))), [m, rms], [])
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
        RAdamStep { rms: self.rms.with_care(care), ..self }
    }
}
