//! Adafactor.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;

use super::factored::{Matrices, SecondMoment, step_of_matrices};
use super::unfactored::Step;
use crate::error::{Check, HyperParameterError};
use crate::first::clip::global_norm;
use crate::first::layout::Layout;
use crate::first::loops::{split_off, update_reading};
use crate::first::rule::rule_of_this_crate;
use crate::first::{Convention, FirstOrder, Memory, Rule, Slots};

/// Adafactor: the second moment of a matrix kept as one number per row and one per column.
///
/// For a tensor of at least two dimensions, seen as matrices over its last two, with α = t^`decay_power` (negative):
/// R ← (1 − α) R + α mean over columns of (g² + ε₁), C likewise over rows, V = R Cᵀ / mean R; for a vector
/// V ← (1 − α) V + α (g² + ε₁). Then u = g / √V, divided by max(1, RMS(u) / d) over the tensor, and
/// θ ← θ − η max(ε₂, RMS(θ)) u.
/// - [`Torch`](Convention::Torch) (default): ε₁ is not added to g², but the smallest √V and mean R; η is at most 1 / √t;
///   decay: θ ← (1 − η λ) θ first. ε₁ = 2⁻⁵² there for f64 (the type's epsilon).
/// - [`Optax`](Convention::Optax), [`Paper`](Convention::Paper): as above with ε₁ = 1e-30; decay: λ θ is subtracted too,
///   whatever the learning rate.
///
/// Source: Shazeer and Stern, *Adafactor: adaptive learning rates with sublinear memory cost*, 2018, algorithms 4 and 5.
/// Default: `decay_power` = −0.8, d = 1, ε₂ = 1e-3. Norms must be known first, so gradients are
/// read three times (a vector's twice): 24 bytes per f32 parameter of a matrix, 32 of a vector; keeps 4 (r + c) / (r c) and 4.
///
/// ```
/// use wengert_optim::{Adafactor, Layout, Optimizer};
/// use wengert_optim::first::AdafactorConfig;
/// let layout = Layout::new([("weight", vec![20, 30])]);
/// let mut adafactor = Adafactor::with_layout(1e-2, AdafactorConfig::default(), &layout)?;
/// adafactor.step(&mut vec![1.0f32; 600], &vec![0.5; 600]);
/// assert_eq!(adafactor.state().vectors.values().map(|v| v.len()).sum::<usize>(), 50);
/// # Ok::<(), wengert_optim::HyperParameterError>(())
/// ```
pub type Adafactor<T = f32> = FirstOrder<AdafactorConfig, T>;

/// Hyper-parameters of [`Adafactor`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdafactorConfig {
    /// The power of the step, negative, that weighs the newest gradient.
    pub decay_power: f64,
    /// ε₁, which keeps V from 0; `None` is the machine epsilon of the parameters' type.
    pub epsilon: Option<f64>,
    /// ε₂, the smallest scale of a tensor's parameters.
    pub smallest_scale: f64,
    /// d, the largest root mean square of u.
    pub clip: f64,
    /// λ, the decay.
    pub weight_decay: f64,
    /// Where ε₁ enters, and the decay.
    pub convention: Convention,
}

impl AdafactorConfig {
    /// The defaults of this convention.
    pub fn of(convention: Convention) -> Self {
        let epsilon = if convention == Convention::Torch { None } else { Some(1e-30) };
        AdafactorConfig {
            decay_power: -0.8,
            epsilon,
            smallest_scale: 1e-3,
            clip: 1.0,
            weight_decay: 0.0,
            convention,
        }
    }
}

impl Default for AdafactorConfig {
    fn default() -> Self {
        Self::of(Convention::Torch)
    }
}

impl Rule for AdafactorConfig {
    const NAME: &'static str = "adafactor";
    const LEARNING_RATE: f64 = 1e-2;
    rule_of_this_crate!(AdafactorConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .finite("decay_power", self.decay_power)?
            .condition(self.decay_power <= 0.0, "decay_power", self.decay_power, "at most 0")?
            .positive("epsilon", self.epsilon.unwrap_or(1.0))?
            .positive("smallest_scale", self.smallest_scale)?
            .positive("clip", self.clip)?
            .weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        let (mut rows_len, mut columns_len, mut squares_len) = (0, 0, 0);
        for segment in layout.segments() {
            match Matrices::of(segment) {
                Some(matrices) => {
                    rows_len += matrices.all_rows();
                    columns_len += matrices.all_columns();
                }
                None => squares_len += segment.range.len(),
            }
        }
        Slots::default()
            .vector("rms_of_rows", rows_len, 0.0)
            .vector("rms_of_columns", columns_len, 0.0)
            .vector("rms", squares_len, 0.0)
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let layout = memory.layout.clone();
        let epsilon = self.epsilon.unwrap_or(T::EPSILON.to_f64());
        let torch = self.convention == Convention::Torch;
        let moment = SecondMoment {
            fresh: (memory.step as f64).powf(self.decay_power),
            added: if torch { 0.0 } else { epsilon.sqrt() },
            smallest_mean: if torch { epsilon.sqrt() } else { 0.0 },
            smallest: if torch { epsilon } else { 0.0 },
        };
        let rate = memory.learning_rate;
        let (capped, decay) = if torch {
            (rate.min((memory.step as f64).sqrt().recip()), rate * self.weight_decay)
        } else {
            (rate, self.weight_decay)
        };
        let room = layout.segments().iter().filter_map(Matrices::of).map(Matrices::workspace).max();
        memory.scratch.resize(room.unwrap_or(0), T::ZERO);
        let Memory { vectors, scratch, .. } = memory;
        let [rows, columns, roots] = vectors.as_mut_slice() else { unreachable!("three slots") };
        let (mut rows, mut columns, mut roots) = (&mut rows[..], &mut columns[..], &mut roots[..]);
        for segment in layout.segments() {
            let (p, g) = (&mut params[segment.range.clone()], &grads[segment.range.clone()]);
            let size = Float::maximum(global_norm(p) / (p.len() as f64).sqrt(), self.smallest_scale);
            let clipped = |sum: f64| Float::maximum((sum / g.len() as f64).sqrt() / self.clip, 1.0);
            let scaled = |sum: f64| capped * size / clipped(sum);
            let keep = T::from_f64(1.0 - decay);
            match Matrices::of(segment) {
                None => {
                    let roots = split_off(&mut roots, p.len());
                    let sum = moment.vector(g, roots);
                    let (rate, smallest) = (T::from_f64(scaled(sum)), T::from_f64(moment.smallest));
                    update_reading(p, g, [], [roots], Step { keep, rate, smallest });
                }
                Some(matrices) => {
                    let rows = split_off(&mut rows, matrices.all_rows());
                    let columns = split_off(&mut columns, matrices.all_columns());
                    let (roots, sum) = moment.renew(matrices, g, rows, columns, scratch);
                    step_of_matrices(matrices, p, g, roots, [keep, T::from_f64(scaled(sum))]);
                }
            }
        }
    }
}
