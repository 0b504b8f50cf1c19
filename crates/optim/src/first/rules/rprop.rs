//! Resilient propagation.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{Convention, FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// Rprop: each parameter has its own step size, which grows while the sign of its gradient stays and shrinks when
/// it turns. For gradients over the whole of the data: the noise of mini-batches turns signs.
///
/// With Δ the step size (at first the learning rate, later rates are ignored) and g′ the gradient before:
/// - g g′ > 0: Δ ← min(η⁺ Δ, Δmax); g g′ < 0: Δ ← max(η⁻ Δ, Δmin);
/// - [`Torch`](Convention::Torch), [`Optax`](Convention::Optax) (default): no step where g g′ < 0 (and g is then taken as 0
///   by the next step), else θ ← θ − sign(g) Δ;
/// - [`Paper`](Convention::Paper): where g g′ < 0 the last step is taken back.
///
/// (optax 0.2.8 applies every step one call too late; that is not copied.)
///
/// Source: Riedmiller and Braun, *A direct adaptive method for faster backpropagation learning: the RPROP algorithm*, 1993;
/// the default is the Rprop⁻ with zeroed gradient of Igel and Hüsken 2000. Default: η = (0.5, 1.2), Δ in [1e-6, 50]. Moves 28
/// bytes per f32 parameter, keeps 8 (36 and 12 with backtracking).
///
/// ```
/// use wengert_optim::{Optimizer, Rprop};
/// let (mut theta, mut rprop) = ([1.0f64], Rprop::new(0.1));
/// rprop.step(&mut theta, &[5.0]);
/// rprop.step(&mut theta, &[4.0]);
/// assert!((theta[0] - (1.0 - 0.1 - 0.12)).abs() < 1e-15);
/// ```
pub type Rprop<T = f32> = FirstOrder<RpropConfig, T>;

/// Hyper-parameters of [`Rprop`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RpropConfig {
    /// η⁻, below 1: what a step size is multiplied by when the gradient turns.
    pub shrink: f64,
    /// η⁺, at least 1: what it is multiplied by otherwise.
    pub grow: f64,
    /// Δmin, the smallest step size.
    pub smallest: f64,
    /// Δmax, the largest step size.
    pub largest: f64,
    /// Whether a step that went too far is taken back.
    pub convention: Convention,
}

impl Default for RpropConfig {
    fn default() -> Self {
        RpropConfig { shrink: 0.5, grow: 1.2, smallest: 1e-6, largest: 50.0, convention: Convention::Torch }
    }
}

impl NeedsNoLayout for RpropConfig {}

impl Rule for RpropConfig {
    const NAME: &'static str = "rprop";
    const LEARNING_RATE: f64 = 1e-2;
    rule_of_this_crate!(RpropConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .fraction("shrink", self.shrink)?
            .at_least_one("grow", self.grow)?
            .non_negative("smallest", self.smallest)?
            .non_negative("largest", self.largest)?
            .condition(self.smallest <= self.largest, "smallest", self.smallest, "at most the largest")?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        match self.convention {
            Convention::Torch | Convention::Optax => Slots::zeros(layout, &["previous", "sizes"]),
            Convention::Paper => Slots::zeros(layout, &["previous", "sizes", "moves"]),
        }
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        if memory.step == 1 {
            memory.vectors[1].fill(T::from_f64(memory.learning_rate));
        }
        let formula = RpropStep {
            shrink: T::from_f64(self.shrink),
            grow: T::from_f64(self.grow),
            smallest: T::from_f64(self.smallest),
            largest: T::from_f64(self.largest),
        };
        match self.convention {
            Convention::Torch | Convention::Optax => {
                update(params, grads, memory.each_mut::<2>(), formula);
            }
            Convention::Paper => {
                update(params, grads, memory.each_mut::<3>(), formula);
            }
        }
    }
}

#[derive(Clone, Copy)]
struct RpropStep<T> {
    shrink: T,
    grow: T,
    smallest: T,
    largest: T,
}

impl<T: Float> RpropStep<T> {
    /// Whether the gradient turned, and the new step size.
    #[inline(always)]
    fn size(&self, g: T, previous: T, size: T) -> (bool, T) {
        // The product of two tiny gradients would be 0.
        let signs = g.sign() * previous.sign();
        let factor = if signs > T::ZERO {
            self.grow
        } else if signs < T::ZERO {
            self.shrink
        } else {
            T::ONE
        };
        (signs < T::ZERO, (size * factor).maximum(self.smallest).minimum(self.largest))
    }
}

impl<T: Float> Update<T, 2> for RpropStep<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [previous, size]: [T; 2]) -> (T, [T; 2], [T; 0]) {
        let (turned, size) = self.size(g, previous, size);
        let g = if turned { T::ZERO } else { g };
        (p - g.sign() * size, [g, size], [])
    }
}

impl<T: Float> Update<T, 3> for RpropStep<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [previous, size, last]: [T; 3]) -> (T, [T; 3], [T; 0]) {
        let (turned, size) = self.size(g, previous, size);
        let g = if turned { T::ZERO } else { g };
        let step = if turned { -last } else { -(g.sign() * size) };
        (p + step, [g, size, step], [])
    }
}
