//! What a first-order method has to say about itself.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wengert_state::State;
use wengert_tensor::Float;

use super::layout::Layout;
use super::loops::copy;
use crate::error::{Check, HyperParameterError};

/// Whose reading of a method to follow, where the sources disagree. Each method's page says in what, and which is its
/// default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Convention {
    /// PyTorch's `torch.optim`.
    Torch,
    /// DeepMind's optax.
    Optax,
    /// The publication.
    Paper,
}

/// The formula of a first-order method, implemented by the struct of its hyper-parameters.
///
/// ```
/// use wengert_optim::first::{FirstOrder, Memory, NeedsNoLayout, Rule, Slots};
/// use wengert_optim::{Check, HyperParameterError, Layout, Optimizer};
/// use wengert_tensor::Float;
/// /// Steps by the sign of the sum of all gradients so far.
/// #[derive(Clone, Default)]
/// struct SumSign;
/// impl NeedsNoLayout for SumSign {}
/// impl Rule for SumSign {
///     const NAME: &'static str = "sum_sign";
///     const LEARNING_RATE: f64 = 0.1;
///     fn check(&self, _: Check) -> Result<(), HyperParameterError> { Ok(()) }
///     fn slots(&self, layout: &Layout) -> Slots { Slots::zeros(layout, &["sum"]) }
///     fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
///         let rate = T::from_f64(memory.learning_rate);
///         let [sum] = memory.each_mut();
///         for ((param, &grad), sum) in params.iter_mut().zip(grads).zip(sum) {
///             *sum += grad;
///             *param -= if *sum > T::ZERO { rate } else { -rate };
///         }
///     }
/// }
/// let mut optimizer: FirstOrder<SumSign, f64> = FirstOrder::new(0.5);
/// let mut theta = [1.0];
/// optimizer.step(&mut theta, &[3.0]);
/// optimizer.step(&mut theta, &[-1.0]);
/// assert_eq!(theta, [0.0]);
/// // What it remembers is saved under the names of its slots.
/// assert_eq!(optimizer.state().kind, "sum_sign");
/// ```
pub trait Rule: Clone + Send {
    /// The kind of optimiser, in lower case with underscores; it names the state.
    const NAME: &'static str;

    /// A learning rate to begin with, for those who name none.
    const LEARNING_RATE: f64;

    /// Checks every hyper-parameter.
    ///
    /// # Errors
    /// For the first that is out of range.
    fn check(&self, check: Check) -> Result<(), HyperParameterError>;

    /// The hyper-parameters by name, for [`Optimizer::settings`](crate::Optimizer::settings). By default none are named; a type
    /// that serde can write gives `State::of(self)`.
    fn settings(&self) -> State {
        State::new(Self::NAME, 0)
    }

    /// The state that is kept for parameters of this layout.
    fn slots(&self, layout: &Layout) -> Slots;

    /// One step. Lengths have been checked, and `memory.step` counts this step (so it is 1 in the first).
    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]);

    /// Calls [`update`](Rule::update), which the rules of this crate compile with it.
    #[doc(hidden)]
    fn update_here<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        self.update(memory, params, grads);
    }

    /// Writes the parameters to evaluate with; see
    /// [`Optimizer::write_evaluation`](crate::Optimizer::write_evaluation).
    fn write_evaluation<T: Float>(&self, _memory: &Memory<T>, params: &[T], out: &mut [T]) {
        copy(params, out);
    }
}

/// In the `impl` of [`Rule`] for a type of this crate: its fields are its settings, and its loops are compiled here, for `f32`
/// and for `f64`, and not again by each program that makes steps.
macro_rules! rule_of_this_crate {
    ($Config:ident) => {
        fn settings(&self) -> wengert_state::State {
            wengert_state::State::of(self).expect("hyper-parameters are numbers and words")
        }

        fn update_here<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
            wengert_tensor::compiled_here! {
                fn update<T: Float>(rule: &$Config, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
                    rule.update(memory, params, grads);
                }
            }
            update(self, memory, params, grads);
        }
    };
}
pub(crate) use rule_of_this_crate;

/// Marks the rules that treat every parameter alike and so need no [`Layout`].
///
/// ```
/// use wengert_optim::first::{AdamConfig, FirstOrder, NeedsNoLayout};
/// // Such a rule makes an optimiser from a learning rate alone.
/// fn with_defaults<R: NeedsNoLayout>(rate: f64) -> FirstOrder<R, f64> { FirstOrder::new(rate) }
/// use wengert_optim::Optimizer;
/// assert_eq!(with_defaults::<AdamConfig>(0.1).name(), "adam");
/// ```
pub trait NeedsNoLayout: Rule + Default {}

/// The names, lengths and first values of a rule's state.
///
/// ```
/// use wengert_optim::Layout;
/// use wengert_optim::first::Slots;
/// // Two averages, one number a matrix, and a product that begins as 1.
/// let layout = Layout::new([("w", vec![2, 2])]);
/// let slots = Slots::zeros(&layout, &["mean", "square"]).vector("scale", 1, 0.0).real("product", 1.0);
/// assert!(format!("{slots:?}").contains("product"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Slots {
    pub(super) vectors: Vec<(&'static str, usize, f64)>,
    pub(super) reals: Vec<(&'static str, f64)>,
}

impl Slots {
    /// Vectors of zeros, as long as the parameters.
    pub fn zeros(layout: &Layout, names: &[&'static str]) -> Self {
        Slots { vectors: names.iter().map(|&n| (n, layout.len(), 0.0)).collect(), reals: Vec::new() }
    }

    /// Adds a vector of `len` elements which begin as `value`.
    pub fn vector(mut self, name: &'static str, len: usize, value: f64) -> Self {
        self.vectors.push((name, len, value));
        self
    }

    /// Adds a number that begins as `value`.
    pub fn real(mut self, name: &'static str, value: f64) -> Self {
        self.reals.push((name, value));
        self
    }
}

/// What an optimiser remembers.
#[derive(Debug, Clone)]
pub struct Memory<T> {
    /// The learning rate in force.
    pub learning_rate: f64,
    /// The number of steps, counting the one under way.
    pub step: u64,
    /// The parts of the parameter vector; one unnamed vector if the rule is element-wise.
    pub layout: Arc<Layout>,
    /// The numbers, in the order of [`Rule::slots`].
    pub reals: Vec<f64>,
    /// The vectors, in the order of [`Rule::slots`].
    pub vectors: Vec<Vec<T>>,
    /// Working space that no later step depends on.
    pub scratch: Vec<T>,
    /// The same in double precision.
    pub wide: Vec<f64>,
}

impl<T: Float> Memory<T> {
    /// All vectors, to be updated in one pass.
    ///
    /// # Panics
    /// If there are not `N`.
    pub fn each_mut<const N: usize>(&mut self) -> [&mut [T]; N] {
        let vectors: &mut [Vec<T>; N] =
            self.vectors.as_mut_slice().try_into().expect("as many vectors as the rule's slots");
        vectors.each_mut().map(Vec::as_mut_slice)
    }

    /// 1 − decayᵗ, what divides an average that began at 0 to make its expectation right.
    pub fn bias_correction(&self, decay: f64) -> f64 {
        bias_correction(decay, self.step)
    }
}

/// 1 − decayᵗ in step t: see [`Memory::bias_correction`].
pub(super) fn bias_correction(decay: f64, step: u64) -> f64 {
    1.0 - decay.powf(step as f64)
}
