//! RMSprop.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::moment::{Decay, Rms, hypot, largest, over};
use crate::error::{Check, HyperParameterError};
use crate::first::layout::Layout;
use crate::first::loops::{Update, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{Convention, FirstOrder, Memory, NeedsNoLayout, Rule, Slots};

/// RMSprop: steps divided by the root of an average of squared gradients.
///
/// v ← α v + (1 − α) g²; with `centered` also m ← α m + (1 − α) g and v − m² in place of v below. Then
/// - [`Torch`](Convention::Torch) (default): d = g / (√v + ε), b ← μ b + d, θ ← θ − η b;
/// - [`Optax`](Convention::Optax), [`Paper`](Convention::Paper): d = g / √(v + ε), b ← μ b + η d, θ ← θ − b: ε is inside
///   the root, and the learning rate inside the momentum buffer.
///
/// g is the gradient plus `weight_decay` · θ. Rounding cannot make v − m² negative (in PyTorch it can: NaN).
///
/// Source: Tieleman and Hinton, *Lecture 6.5*, 2012; centred and with momentum: Graves, *Generating sequences with
/// recurrent neural networks*, 2013. Default: α = 0.99, ε = 1e-8, no momentum ([`of`](RmspropConfig::of) gives the others'
/// α = 0.9). Moves 20 bytes per f32 parameter and keeps 4; 8 and 4 more for each of centring and momentum.
///
/// ```
/// use wengert_optim::{Optimizer, Rmsprop};
/// let (mut theta, mut rmsprop) = ([1.0f64], Rmsprop::new(0.01));
/// rmsprop.step(&mut theta, &[5.0]);
/// assert!((theta[0] - 0.9).abs() < 1e-8); // the first step is η / √(1 − α)
/// ```
pub type Rmsprop<T = f32> = FirstOrder<RmspropConfig, T>;

/// Hyper-parameters of [`Rmsprop`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmspropConfig {
    /// α, the decay of the averages.
    pub decay: f64,
    /// ε, beside the root or inside it.
    pub epsilon: f64,
    /// μ, the share of the momentum buffer that is kept; 0 is none.
    pub momentum: f64,
    /// Divides by the standard deviation in place of the root of the mean square.
    pub centered: bool,
    /// λ: the gradient of ½ λ ‖θ‖² is added.
    pub weight_decay: f64,
    /// Where ε and the learning rate are.
    pub convention: Convention,
}

impl RmspropConfig {
    /// The defaults of this convention.
    pub fn of(convention: Convention) -> Self {
        let decay = match convention {
            Convention::Torch => 0.99,
            Convention::Optax | Convention::Paper => 0.9,
        };
        RmspropConfig { decay, epsilon: 1e-8, momentum: 0.0, centered: false, weight_decay: 0.0, convention }
    }
}

impl Default for RmspropConfig {
    fn default() -> Self {
        Self::of(Convention::Torch)
    }
}

impl NeedsNoLayout for RmspropConfig {}

impl Rule for RmspropConfig {
    const NAME: &'static str = "rmsprop";
    const LEARNING_RATE: f64 = 1e-2;
    rule_of_this_crate!(RmspropConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .fraction("decay", self.decay)?
            .non_negative("epsilon", self.epsilon)?
            .fraction("momentum", self.momentum)?
            .weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        let slots = Slots::zeros(layout, &["rms"]);
        let slots = if self.centered { slots.vector("m", layout.len(), 0.0) } else { slots };
        if self.momentum > 0.0 { slots.vector("momentum", layout.len(), 0.0) } else { slots }
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        match (self.centered, self.momentum > 0.0, self.convention == Convention::Torch) {
            (false, false, true) => {
                let formula = RmspropStep::<T, false, false, false>::new(self, memory);
                update(params, grads, memory.each_mut::<1>(), formula);
            }
            (false, false, false) => {
                let formula = RmspropStep::<T, false, false, true>::new(self, memory);
                update(params, grads, memory.each_mut::<1>(), formula);
            }
            (true, false, _) => {
                let formula = RmspropStep::<T, true, false, true>::new(self, memory);
                update(params, grads, memory.each_mut::<2>(), formula);
            }
            (false, true, _) => {
                let formula = RmspropStep::<T, false, true, true>::new(self, memory);
                update(params, grads, memory.each_mut::<2>(), formula);
            }
            (true, true, _) => {
                let formula = RmspropStep::<T, true, true, true>::new(self, memory);
                update(params, grads, memory.each_mut::<3>(), formula);
            }
        }
    }
}

#[derive(Clone, Copy)]
struct RmspropStep<T, const CENTERED: bool, const MOMENTUM: bool, const INSIDE: bool> {
    rms: Rms<T>,
    mean: Decay<T>,
    momentum: T,
    decay: T,
    /// Its root.
    epsilon_inside: T,
    epsilon_outside: T,
    rate_inside: T,
    rate_outside: T,
}

impl<T: Float, const CENTERED: bool, const MOMENTUM: bool, const INSIDE: bool>
    RmspropStep<T, CENTERED, MOMENTUM, INSIDE>
{
    fn new(config: &RmspropConfig, memory: &Memory<T>) -> Self {
        let (epsilon, rate) = (T::from_f64(config.epsilon), T::from_f64(memory.learning_rate));
        let torch = config.convention == Convention::Torch;
        RmspropStep {
            rms: Rms::new(config.decay, if torch { config.epsilon } else { config.epsilon.sqrt() }),
            mean: Decay::of(config.decay),
            momentum: T::from_f64(config.momentum),
            decay: T::from_f64(config.weight_decay),
            epsilon_inside: if torch { T::ZERO } else { T::from_f64(config.epsilon.sqrt()) },
            epsilon_outside: if torch { epsilon } else { T::ZERO },
            rate_inside: if torch { T::ONE } else { rate },
            rate_outside: if torch { rate } else { T::ONE },
        }
    }
}

/// The state is √v, then m if centred, then b with momentum.
impl<T: Float, const CENTERED: bool, const MOMENTUM: bool, const INSIDE: bool, const N: usize> Update<T, N>
    for RmspropStep<T, CENTERED, MOMENTUM, INSIDE>
{
    const LARGEST: f64 = largest::<T>();

    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, mut s: [T; N]) -> (T, [T; N], [T; 0]) {
        let g = I::mul_add(self.decay, p, g);
        s[0] = self.rms.after::<I>(s[0], g);
        let mut root = s[0];
        if CENTERED {
            s[1] = self.mean.average::<I>(s[1], g);
            // √(v − m²), without the squares.
            let (sum, difference) = (root + s[1].abs(), root - s[1].abs());
            root = if difference < T::ZERO { T::ZERO } else { difference.sqrt() * sum.sqrt() };
        }
        if INSIDE {
            root = hypot::<I, T>(root, self.epsilon_inside, self.rms.care);
        }
        let root = root + self.epsilon_outside;
        let mut step = self.rate_inside * over(g, root, self.rms.care);
        if MOMENTUM {
            s[N - 1] = I::mul_add(self.momentum, s[N - 1], step);
            step = s[N - 1];
        }
        (I::mul_add(-self.rate_outside, step, p), s, [])
    }

    #[inline(always)]
    fn size(&self, s: [T; N]) -> T {
        s[0]
    }

    #[inline(always)]
    fn needs_care(&self) -> bool {
        self.rms.care
    }

    #[inline(always)]
    fn with_care(self, care: bool) -> Self {
        RmspropStep { rms: self.rms.with_care(care), ..self }
    }
}
