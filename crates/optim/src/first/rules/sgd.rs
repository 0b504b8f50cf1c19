//! Stochastic gradient descent with PyTorch's momentum.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// Stochastic gradient descent, with momentum and Nesterov's correction as options, as in `torch.optim.SGD`.
///
/// With g the gradient plus `weight_decay` · θ:
/// b ← μ b + (1 − τ) g (b ← g in the first step), θ ← θ − η b, or with `nesterov` θ ← θ − η (g + μ b).
/// Without momentum θ ← θ − η g.
///
/// The learning rate stays outside the buffer.
///
/// Source: Robbins and Monro 1951; Sutskever et al., *On the importance of initialization and momentum in deep
/// learning*, 2013, in PyTorch's form. Default: no momentum, no decay. Moves 12 bytes per f32 parameter, 20 with
/// momentum; keeps 4 with momentum.
///
/// ```
/// use wengert_optim::{Optimizer, Sgd};
/// use wengert_optim::first::SgdConfig;
/// let (mut theta, mut sgd) = ([1.0f64], Sgd::new(0.4));
/// sgd.step(&mut theta, &[2.0]); // J = θ²
/// assert!((theta[0] - 0.2).abs() < 1e-15);
///
/// let momentum = Sgd::<f32>::with_config(0.1, SgdConfig { momentum: 0.9, ..Default::default() })?;
/// # assert_eq!(momentum.learning_rate(), 0.1);
/// # Ok::<(), wengert_optim::HyperParameterError>(())
/// ```
pub type Sgd<T = f32> = FirstOrder<SgdConfig, T>;

/// Hyper-parameters of [`Sgd`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgdConfig {
    /// μ, the share of the buffer that is kept; 0 is plain descent.
    pub momentum: f64,
    /// τ, the share of the gradient that does not enter the buffer.
    pub dampening: f64,
    /// Nesterov's correction; needs momentum, and no dampening.
    pub nesterov: bool,
    /// λ: the gradient of ½ λ ‖θ‖² is added.
    pub weight_decay: f64,
}

impl NeedsNoLayout for SgdConfig {}

impl Rule for SgdConfig {
    const NAME: &'static str = "sgd";
    const LEARNING_RATE: f64 = 1e-2;
    rule_of_this_crate!(SgdConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .fraction("momentum", self.momentum)?
            .unit("dampening", self.dampening)?
            .weight_decay(self.weight_decay)?
            .condition(
                !self.nesterov || (self.momentum > 0.0 && self.dampening == 0.0),
                if self.momentum > 0.0 { "dampening" } else { "momentum" },
                if self.momentum > 0.0 { self.dampening } else { self.momentum },
                "above 0 (momentum) and 0 (dampening) with nesterov",
            )?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        if self.momentum > 0.0 { Slots::zeros(layout, &["momentum"]) } else { Slots::default() }
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let rate = T::from_f64(memory.learning_rate);
        let decay = T::from_f64(self.weight_decay);
        if self.momentum == 0.0 {
            update(params, grads, [], Plain { rate, decay });
            return;
        }
        let momentum = T::from_f64(self.momentum);
        let fresh = if memory.step == 1 { T::ONE } else { T::from_f64(1.0 - self.dampening) };
        // θ ← θ − η (α g + β b): (0, 1) is heavy-ball momentum, (1, μ) Nesterov's.
        let (of_grad, of_buffer) = if self.nesterov { (T::ONE, momentum) } else { (T::ZERO, T::ONE) };
        let formula = Heavy { rate, decay, momentum, fresh, of_grad, of_buffer };
        update(params, grads, memory.each_mut::<1>(), formula);
    }
}

/// θ − η (g + λ θ).
#[derive(Clone, Copy)]
pub(super) struct Plain<T> {
    pub(super) rate: T,
    pub(super) decay: T,
}

impl<T: Float> Update<T, 0> for Plain<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, _: [T; 0]) -> (T, [T; 0], [T; 0]) {
        let g = I::mul_add(self.decay, p, g);
        (I::mul_add(-self.rate, g, p), [], [])
    }
}

#[derive(Clone, Copy)]
struct Heavy<T> {
    rate: T,
    decay: T,
    momentum: T,
    fresh: T,
    of_grad: T,
    of_buffer: T,
}

impl<T: Float> Update<T, 1> for Heavy<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [b]: [T; 1]) -> (T, [T; 1], [T; 0]) {
        let g = I::mul_add(self.decay, p, g);
        let b = I::mul_add(self.momentum, b, self.fresh * g);
        let direction = I::mul_add(self.of_buffer, b, self.of_grad * g);
        (I::mul_add(-self.rate, direction, p), [b], [])
    }
}
