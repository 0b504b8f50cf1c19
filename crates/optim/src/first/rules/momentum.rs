//! Heavy-ball momentum.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{Convention, FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

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

impl NeedsNoLayout for MomentumConfig {}

impl Rule for MomentumConfig {
    const NAME: &'static str = "momentum";
    const LEARNING_RATE: f64 = 1e-2;
    rule_of_this_crate!(MomentumConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check.fraction("momentum", self.momentum)?.weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        Slots::zeros(layout, &["momentum"])
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let formula = HeavyBall::new(self.convention, memory.learning_rate, self.momentum, self.weight_decay);
        update(params, grads, memory.each_mut::<1>(), formula);
    }
}

/// The numbers of a step with a buffer.
#[derive(Clone, Copy)]
pub(super) struct HeavyBall<T> {
    pub(super) momentum: T,
    pub(super) decay: T,
    /// What multiplies the gradient as it enters the buffer.
    pub(super) inside: T,
    /// What multiplies the step that the buffer gives.
    pub(super) outside: T,
}

impl<T: Float> HeavyBall<T> {
    /// The learning rate is inside or outside by the convention.
    pub(super) fn new(convention: Convention, rate: f64, momentum: f64, decay: f64) -> Self {
        let (inside, outside) = match convention {
            Convention::Torch | Convention::Optax => (1.0, rate),
            Convention::Paper => (rate, 1.0),
        };
        HeavyBall {
            momentum: T::from_f64(momentum),
            decay: T::from_f64(decay),
            inside: T::from_f64(inside),
            outside: T::from_f64(outside),
        }
    }
}

impl<T: Float> Update<T, 1> for HeavyBall<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [v]: [T; 1]) -> (T, [T; 1], [T; 0]) {
        let g = I::mul_add(self.decay, p, g);
        let v = I::mul_add(self.momentum, v, self.inside * g);
        (I::mul_add(-self.outside, v, p), [v], [])
    }
}
