//! Heavy-ball momentum.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::{Convention, Elementwise, FirstOrder, Memory, Rule, Slots};
use crate::error::{Check, HyperParameterError};
use crate::layout::Layout;
use crate::loops::{Update, update};

/// Gradient descent with heavy-ball momentum.
///
/// With g the gradient plus `weight_decay` · θ:
/// - [`Torch`](Convention::Torch), [`Optax`](Convention::Optax) (default): b ← γ b + g, θ ← θ − η b;
/// - [`Paper`](Convention::Paper): v ← γ v + η g, θ ← θ − v. The learning rate is inside the buffer, so a new rate
///   takes hold gradually.
///
/// They agree while the learning rate is constant.
///
/// Source: Polyak, *Some methods of speeding up the convergence of iteration methods*, 1964; Rumelhart, Hinton and
/// Williams 1986. Default: γ = 0.9. Moves 20 bytes per f32 parameter, keeps 4.
///
/// ```
/// use wengert_optim::{Momentum, Optimizer};
/// let (mut theta, mut momentum) = ([1.0f64], Momentum::new(0.1));
/// momentum.step(&mut theta, &[1.0]);
/// momentum.step(&mut theta, &[1.0]);
/// assert!((theta[0] - (1.0 - 0.1 - 0.19)).abs() < 1e-15);
/// ```
pub type Momentum<T = f32> = FirstOrder<MomentumConfig, T>;

/// Hyper-parameters of [`Momentum`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MomentumConfig {
    /// γ, the share of the buffer that is kept.
    pub momentum: f64,
    /// λ: the gradient of ½ λ ‖θ‖² is added.
    pub weight_decay: f64,
    /// Where the learning rate enters.
    pub convention: Convention,
}

impl Default for MomentumConfig {
    fn default() -> Self {
        MomentumConfig { momentum: 0.9, weight_decay: 0.0, convention: Convention::Torch }
    }
}

impl Elementwise for MomentumConfig {}

impl Rule for MomentumConfig {
    const NAME: &'static str = "momentum";
    const LEARNING_RATE: f64 = 1e-2;

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check.fraction("momentum", self.momentum)?.non_negative("weight_decay", self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        Slots::zeros(layout, &["momentum"])
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let rate = T::from_f64(memory.learning_rate);
        let (inside, outside) = match self.convention {
            Convention::Torch | Convention::Optax => (T::ONE, rate),
            Convention::Paper => (rate, T::ONE),
        };
        let formula = HeavyBall {
            momentum: T::from_f64(self.momentum),
            decay: T::from_f64(self.weight_decay),
            inside,
            outside,
        };
        update(params, grads, memory.each_mut::<1>(), formula);
    }
}

#[derive(Clone, Copy)]
struct HeavyBall<T> {
    momentum: T,
    decay: T,
    inside: T,
    outside: T,
}

impl<T: Float> Update<T, 1> for HeavyBall<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [v]: [T; 1]) -> (T, [T; 1], [T; 0]) {
        let g = I::mul_add(self.decay, p, g);
        let v = I::mul_add(self.momentum, v, self.inside * g);
        (I::mul_add(-self.outside, v, p), [v], [])
    }
}
