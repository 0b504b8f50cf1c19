//! AMSGrad.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::moment::{Decay, Rms, largest, over};
use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{Convention, FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// AMSGrad: Adam divided by the largest average of squares so far, so that no step size ever grows.
///
/// With m and v as in [`Adam`](crate::Adam):
/// - [`Torch`](Convention::Torch) (default): w ← max(w, v), θ ← θ − η m̂ / (√(w / (1 − β₂ᵗ)) + ε);
/// - [`Optax`](Convention::Optax): w ← max(w, v̂), θ ← θ − η m̂ / (√w + ε);
/// - [`Paper`](Convention::Paper): w ← max(w, v), θ ← θ − η m / (√w + ε), without bias correction (and ε = 0 there).
///
/// `weight_decay` · θ is added to the gradient.
///
/// Source: Reddi, Kale and Kumar, *On the convergence of Adam and beyond*, 2018, algorithm 2. Default: β = (0.9, 0.999),
/// ε = 1e-8. Moves 36 bytes per f32 parameter, keeps 12.
///
/// ```
/// use wengert_optim::{Amsgrad, Optimizer};
/// let (mut theta, mut amsgrad) = ([1.0f64], Amsgrad::new(0.1));
/// amsgrad.step(&mut theta, &[5.0]);
/// assert!((theta[0] - 0.9).abs() < 1e-8);
/// ```
pub type Amsgrad<T = f32> = FirstOrder<AmsgradConfig, T>;

/// Hyper-parameters of [`Amsgrad`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AmsgradConfig {
    /// β₁, the decay of the average of gradients.
    pub beta1: f64,
    /// β₂, the decay of the average of squares.
    pub beta2: f64,
    /// ε, added to the root.
    pub epsilon: f64,
    /// λ: the gradient of ½ λ ‖θ‖² is added.
    pub weight_decay: f64,
    /// Which averages are corrected for their bias.
    pub convention: Convention,
}

impl Default for AmsgradConfig {
    fn default() -> Self {
        AmsgradConfig {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            convention: Convention::Torch,
        }
    }
}

impl NeedsNoLayout for AmsgradConfig {}

impl Rule for AmsgradConfig {
    const NAME: &'static str = "amsgrad";
    const LEARNING_RATE: f64 = 1e-3;
    rule_of_this_crate!(AmsgradConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .betas(self.beta1, self.beta2)?
            .non_negative("epsilon", self.epsilon)?
            .weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        Slots::zeros(layout, &["m", "rms", "largest"])
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let (correction1, correction2) =
            (memory.bias_correction(self.beta1), memory.bias_correction(self.beta2));
        let (of_mean, before_largest, of_root) = match self.convention {
            Convention::Torch => (correction1.recip(), 1.0, correction2.sqrt().recip()),
            Convention::Optax => (correction1.recip(), correction2.sqrt().recip(), 1.0),
            Convention::Paper => (1.0, 1.0, 1.0),
        };
        let formula = AmsgradStep {
            decay: T::from_f64(self.weight_decay),
            mean: Decay::of(self.beta1),
            rms: Rms::new(self.beta2, self.epsilon / (before_largest * of_root)),
            rate: T::from_f64(memory.learning_rate * of_mean),
            before_largest: T::from_f64(before_largest),
            of_root: T::from_f64(of_root),
            epsilon: T::from_f64(self.epsilon),
        };
        update(params, grads, memory.each_mut::<3>(), formula);
    }
}

#[derive(Clone, Copy)]
struct AmsgradStep<T> {
    decay: T,
    mean: Decay<T>,
    rms: Rms<T>,
    rate: T,
    before_largest: T,
    of_root: T,
    epsilon: T,
}

impl<T: Float> Update<T, 3> for AmsgradStep<T> {
    const LARGEST: f64 = largest::<T>();

    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [m, rms, largest]: [T; 3]) -> (T, [T; 3], [T; 0]) {
        let g = I::mul_add(self.decay, p, g);
        let m = self.mean.average::<I>(m, g);
        let rms = self.rms.after::<I>(rms, g);
        let largest = largest.maximum(self.before_largest * rms);
        let root = I::mul_add(largest, self.of_root, self.epsilon);
        (I::mul_add(-self.rate, over(m, root, self.rms.care), p), [m, rms, largest], [])
    }

    #[inline(always)]
    fn size(&self, [_, rms, _]: [T; 3]) -> T {
        rms
    }

    #[inline(always)]
    fn needs_care(&self) -> bool {
        self.rms.care
    }

    #[inline(always)]
    fn with_care(self, care: bool) -> Self {
        AmsgradStep { rms: self.rms.with_care(care), ..self }
    }
}
