//! Nesterov's accelerated gradient.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::momentum::HeavyBall;
use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, combine, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{Convention, FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// Nesterov's accelerated gradient.
///
/// - [`Torch`](Convention::Torch), [`Optax`](Convention::Optax) (default): b ← γ b + g, θ ← θ − η (g + γ b).
/// - [`Paper`](Convention::Paper), the look-ahead form: v ← γ v + η ∇J(θ − γ v), θ ← θ − v. The vector being trained
///   is the look-ahead point θ − γ v, so that the usual `step` gets the right gradient;
///   [`write_evaluation`](crate::Optimizer::write_evaluation) gives θ.
///
/// While the learning rate is constant the look-ahead points of the second are the parameters of the first.
/// `weight_decay` · θ is added to the gradient, at the point where that was taken.
///
/// Source: Nesterov, *A method for solving the convex programming problem with convergence rate O(1/k²)*, 1983;
/// Sutskever et al. 2013. Default: γ = 0.9. Moves 20 bytes per f32 parameter, keeps 4.
///
/// ```
/// use wengert_optim::{Nesterov, Optimizer};
/// use wengert_optim::first::{Convention, NesterovConfig};
/// let config = NesterovConfig { convention: Convention::Paper, ..Default::default() };
/// let (mut ahead, mut nesterov) = ([1.0f64], Nesterov::with_config(0.1, config)?);
/// nesterov.step(&mut ahead, &[1.0]);
/// let mut theta = [0.0];
/// nesterov.write_evaluation(&ahead, &mut theta);
/// assert!((theta[0] - 0.9).abs() < 1e-15 && (ahead[0] - (0.9 - 0.09)).abs() < 1e-15);
/// # Ok::<(), wengert_optim::HyperParameterError>(())
/// ```
pub type Nesterov<T = f32> = FirstOrder<NesterovConfig, T>;

/// Hyper-parameters of [`Nesterov`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NesterovConfig {
    /// γ, the share of the velocity that is kept.
    pub momentum: f64,
    /// λ: the gradient of ½ λ ‖θ‖² is added.
    pub weight_decay: f64,
    /// The form.
    pub convention: Convention,
}

impl Default for NesterovConfig {
    fn default() -> Self {
        NesterovConfig { momentum: 0.9, weight_decay: 0.0, convention: Convention::Torch }
    }
}

impl NeedsNoLayout for NesterovConfig {}

impl Rule for NesterovConfig {
    const NAME: &'static str = "nesterov";
    const LEARNING_RATE: f64 = 1e-2;
    rule_of_this_crate!(NesterovConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check.fraction("momentum", self.momentum)?.weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        Slots::zeros(layout, &["momentum"])
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let ball = HeavyBall::new(self.convention, memory.learning_rate, self.momentum, self.weight_decay);
        update(params, grads, memory.each_mut::<1>(), Accelerated(ball));
    }

    fn write_evaluation<T: Float>(&self, memory: &Memory<T>, params: &[T], out: &mut [T]) {
        let ahead = match self.convention {
            Convention::Torch | Convention::Optax => T::ZERO,
            Convention::Paper => T::from_f64(self.momentum),
        };
        combine(T::ONE, params, ahead, &memory.vectors[0], out);
    }
}

/// The step of momentum, seen from the look-ahead point.
#[derive(Clone, Copy)]
struct Accelerated<T>(HeavyBall<T>);

impl<T: Float> Update<T, 1> for Accelerated<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [v]: [T; 1]) -> (T, [T; 1], [T; 0]) {
        let HeavyBall { momentum, decay, inside, outside } = self.0;
        let fresh = inside * I::mul_add(decay, p, g);
        let v = I::mul_add(momentum, v, fresh);
        // From look-ahead point to look-ahead point: p + γ v_old − v − γ v, where v − γ v_old is the fresh part.
        (I::mul_add(-outside, I::mul_add(momentum, v, fresh), p), [v], [])
    }
}
