//! LARS.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use crate::error::{Check, HyperParameterError};
use crate::first::clip::{norm_of, ratio};
use crate::first::layout::Layout;
use crate::first::loops::{Update, sums, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{Convention, FirstOrder, Memory, Rule, Slots};

/// LARS: momentum with a rate for each tensor, proportional to the norm of its parameters over that of its gradient.
///
/// With d = g + λ θ and, for each tensor, a local rate ℓ (1 where a norm is 0): v ← μ v + η ℓ d, and θ ← θ − v, or with
/// `nesterov` θ ← θ − (μ v + η ℓ d).
/// - [`Paper`](Convention::Paper), [`Torch`](Convention::Torch): ℓ = κ ‖θ‖ / (‖g‖ + λ ‖θ‖ + ε);
/// - [`Optax`](Convention::Optax) (default): ℓ = κ ‖θ‖ / (‖d‖ + ε).
///
/// Source: You, Gitman and Ginsburg, *Large batch training of convolutional networks*, 2017. Default: κ = 0.001, μ = 0.9,
/// ε = 0, λ = 0. Moves 28 bytes per f32 parameter (8 of them to read the norms), keeps 4.
///
/// ```
/// use wengert_optim::{Lars, Layout, Optimizer};
/// use wengert_optim::first::LarsConfig;
/// let layout = Layout::new([("weight", vec![2])]);
/// let mut lars = Lars::with_layout(1.0, LarsConfig { trust: 0.1, ..Default::default() }, &layout)?;
/// let mut theta = [3.0f64, 4.0];
/// lars.step(&mut theta, &[7.0, 0.0]);
/// assert!((theta[0] - 2.5).abs() < 1e-12 && theta[1] == 4.0); // a step of η κ ‖θ‖ = 0.5
/// # Ok::<(), wengert_optim::HyperParameterError>(())
/// ```
pub type Lars<T = f32> = FirstOrder<LarsConfig, T>;

/// Hyper-parameters of [`Lars`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LarsConfig {
    /// κ, the trust coefficient: how far a tensor moves, relative to its norm, per unit of learning rate.
    pub trust: f64,
    /// μ, the share of the velocity that is kept.
    pub momentum: f64,
    /// Nesterov's correction.
    pub nesterov: bool,
    /// ε, added to the norm of the gradient.
    pub epsilon: f64,
    /// λ, the decay.
    pub weight_decay: f64,
    /// Which norm divides.
    pub convention: Convention,
}

impl Default for LarsConfig {
    fn default() -> Self {
        LarsConfig {
            trust: 1e-3,
            momentum: 0.9,
            nesterov: false,
            epsilon: 0.0,
            weight_decay: 0.0,
            convention: Convention::Optax,
        }
    }
}

impl Rule for LarsConfig {
    const NAME: &'static str = "lars";
    const LEARNING_RATE: f64 = 1.0;
    rule_of_this_crate!(LarsConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .positive("trust", self.trust)?
            .fraction("momentum", self.momentum)?
            .non_negative("epsilon", self.epsilon)?
            .weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        Slots::zeros(layout, &["momentum"])
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let (layout, rate) = (memory.layout.clone(), memory.learning_rate);
        let [v] = memory.each_mut::<1>();
        for segment in layout.segments() {
            let range = || segment.range.clone();
            let (p, g) = (&mut params[range()], &grads[range()]);
            let formula = LarsStep {
                rate: self.local_rate(rate, p, g),
                decay: T::from_f64(self.weight_decay),
                momentum: T::from_f64(self.momentum),
                nesterov: self.nesterov,
            };
            update(p, g, [&mut v[range()]], formula);
        }
    }
}

impl LarsConfig {
    /// η ℓ of one tensor, as two factors.
    fn local_rate<T: Float>(&self, rate: f64, params: &[T], grads: &[T]) -> [T; 2] {
        let decay = self.weight_decay;
        let [size, slope, decayed] = sums(params, grads, move |p, g| {
            let (p, g) = (p.to_f64(), g.to_f64());
            let d = g + decay * p;
            [p * p, g * g, d * d]
        });
        let norm = |sum, term: &dyn Fn(usize) -> f64| norm_of(sum, params.len(), term);
        let size = norm(size, &|i| params[i].to_f64());
        let slope = norm(slope, &|i| grads[i].to_f64());
        let decayed = norm(decayed, &|i| grads[i].to_f64() + decay * params[i].to_f64());
        let (norm, divisor) = match self.convention {
            Convention::Paper | Convention::Torch => (slope, slope + decay * size),
            Convention::Optax => (decayed, decayed),
        };
        if size > 0.0 && norm > 0.0 {
            ratio(rate * self.trust * size, divisor + self.epsilon)
        } else {
            ratio(rate, 1.0)
        }
    }
}

#[derive(Clone, Copy)]
struct LarsStep<T> {
    rate: [T; 2],
    decay: T,
    momentum: T,
    nesterov: bool,
}

impl<T: Float> Update<T, 1> for LarsStep<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [v]: [T; 1]) -> (T, [T; 1], [T; 0]) {
        let fresh = self.rate[0] * I::mul_add(self.decay, p, g) * self.rate[1];
        let v = I::mul_add(self.momentum, v, fresh);
        let step = if self.nesterov { I::mul_add(self.momentum, v, fresh) } else { v };
        (p - step, [v], [])
    }
}
