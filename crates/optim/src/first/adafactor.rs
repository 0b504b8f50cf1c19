//! Adafactor.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::parallel::{self, CHUNK, PARALLEL_THRESHOLD};
use wengert_tensor::simd::Isa;

use super::{Convention, FirstOrder, Memory, Rule, Slots};
use crate::error::{Check, HyperParameterError};
use crate::layout::{Layout, Segment};
use crate::loops::{Update, sum_of_squares, sums, update};

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
/// Default: `decay_power` = −0.8, d = 1, ε₂ = 1e-3. Reads gradients four times (norms must be known first): 28 bytes per
/// f32 parameter; keeps 4 (r + c) / (r c) for a matrix, 4 for a vector.
///
/// ```
/// use wengert_optim::{Adafactor, AdafactorConfig, Layout, Optimizer};
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

/// A tensor as `count` matrices over its last two dimensions, or as a vector.
fn matrices(segment: &Segment) -> Option<(usize, usize, usize)> {
    match *segment.shape.as_slice() {
        [.., rows, columns] if rows * columns > 0 => {
            Some((segment.range.len() / (rows * columns), rows, columns))
        }
        _ => None,
    }
}

impl Rule for AdafactorConfig {
    const NAME: &'static str = "adafactor";
    const LEARNING_RATE: f64 = 1e-2;

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .finite("decay_power", self.decay_power)?
            .condition(self.decay_power <= 0.0, "decay_power", self.decay_power, "at most 0")?
            .non_negative("epsilon", self.epsilon.unwrap_or(0.0))?
            .positive("smallest_scale", self.smallest_scale)?
            .positive("clip", self.clip)?
            .non_negative("weight_decay", self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        let (mut rows_len, mut columns_len, mut squares_len) = (0, 0, 0);
        for segment in layout.segments() {
            match matrices(segment) {
                Some((count, rows, columns)) => {
                    rows_len += count * rows;
                    columns_len += count * columns;
                }
                None => squares_len += segment.range.len(),
            }
        }
        Slots::default().vector("rows", rows_len, 0.0).vector("columns", columns_len, 0.0).vector(
            "squares",
            squares_len,
            0.0,
        )
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let layout = memory.layout.clone();
        let epsilon = self.epsilon.unwrap_or(T::EPSILON.to_f64());
        let torch = self.convention == Convention::Torch;
        let step = Step {
            fresh: (memory.step as f64).powf(self.decay_power),
            added: if torch { 0.0 } else { epsilon },
            smallest_mean: if torch { epsilon } else { 0.0 },
            smallest: if torch { epsilon * epsilon } else { 0.0 },
        };
        let rate = memory.learning_rate;
        let (capped, decay) = if torch {
            (rate.min((memory.step as f64).sqrt().recip()), rate * self.weight_decay)
        } else {
            (rate, self.weight_decay)
        };
        let longest = layout.segments().iter().filter_map(matrices).map(|(c, r, _)| c * r).max().unwrap_or(0);
        memory.scratch.resize(longest, T::ZERO);
        let Memory { vectors, scratch, .. } = memory;
        let [rows, columns, squares] = vectors.as_mut_slice() else { unreachable!("three slots") };
        let (mut rows, mut columns, mut squares) = (&mut rows[..], &mut columns[..], &mut squares[..]);
        for segment in layout.segments() {
            let (p, g) = (&mut params[segment.range.clone()], &grads[segment.range.clone()]);
            let size = (sum_of_squares(p) / p.len() as f64).sqrt().max(self.smallest_scale);
            let scaled = |sum: f64| capped * size / ((sum / g.len() as f64).sqrt() / self.clip).max(1.0);
            let keep = T::from_f64(1.0 - decay);
            match matrices(segment) {
                None => {
                    let squares = split_off(&mut squares, p.len());
                    let sum = step.vector(g, squares);
                    let rate = T::from_f64(scaled(sum));
                    update(p, g, [squares], VectorStep { keep, rate, smallest: T::from_f64(step.smallest) });
                }
                Some((count, r, c)) => {
                    let (rows, columns) =
                        (split_off(&mut rows, count * r), split_off(&mut columns, count * c));
                    let shape = Matrices { rows: r, columns: c };
                    step.factors(shape, g, rows, columns);
                    let sum = step.squares_of_update(shape, g, rows, columns, &mut scratch[..count * r]);
                    step.apply(shape, p, g, rows, columns, keep, T::from_f64(scaled(sum)));
                }
            }
        }
    }
}

/// Takes the first `len` elements off a slice.
pub(super) fn split_off<'a, T>(from: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let (first, rest) = std::mem::take(from).split_at_mut(len);
    *from = rest;
    first
}

/// The shape of a tensor's matrices.
#[derive(Clone, Copy)]
struct Matrices {
    rows: usize,
    columns: usize,
}

/// What is the same for all tensors in one step.
#[derive(Clone, Copy)]
struct Step {
    fresh: f64,
    added: f64,
    smallest_mean: f64,
    smallest: f64,
}

impl Step {
    /// Updates V of a vector; returns the sum of u².
    fn vector<T: Float>(&self, grads: &[T], squares: &mut [T]) -> f64 {
        let average = Average {
            keep: T::from_f64(1.0 - self.fresh),
            fresh: T::from_f64(self.fresh),
            added: T::from_f64(self.added),
            smallest: T::from_f64(self.smallest),
        };
        let [sum] = update(squares, grads, [], average);
        sum
    }

    /// Updates R and C. Rows, and then chunks of columns, are independent of one another.
    fn factors<T: Float>(&self, shape: Matrices, grads: &[T], rows: &mut [T], columns: &mut [T]) {
        let Matrices { rows: r, columns: c } = shape;
        let (keep, fresh) = (T::from_f64(1.0 - self.fresh), T::from_f64(self.fresh));
        let (added, threaded) = (T::from_f64(self.added), grads.len() >= PARALLEL_THRESHOLD);
        parallel::for_each_chunk(rows, (CHUNK / c).max(1), threaded, |start, chunk| {
            for (i, row) in chunk.iter_mut().enumerate() {
                let g = &grads[(start + i) * c..][..c];
                let mean = T::from_f64(sum_of_squares(g) / c as f64) + added;
                *row = keep * *row + fresh * mean;
            }
        });
        // A chunk must not reach over the end of a matrix; a matrix' columns are cut on their own.
        for (columns, grads) in columns.chunks_mut(c).zip(grads.chunks(r * c)) {
            parallel::for_each_chunk(columns, 64, threaded, |start, chunk| {
                let mut sum = [T::ZERO; 64];
                for g in grads.chunks(c) {
                    for (sum, &g) in sum.iter_mut().zip(&g[start..][..chunk.len()]) {
                        *sum += g * g;
                    }
                }
                for (column, &sum) in chunk.iter_mut().zip(&sum) {
                    *column = keep * *column + fresh * (sum / T::from_usize(r) + added);
                }
            });
        }
    }

    /// 1 / mean R of the matrix that this row is in.
    fn inverse_mean<T: Float>(&self, shape: Matrices, rows: &[T], row: usize) -> f64 {
        let matrix = row / shape.rows;
        let sum: f64 = rows[matrix * shape.rows..][..shape.rows].iter().map(|x| x.to_f64()).sum();
        (sum / shape.rows as f64).max(self.smallest_mean).recip()
    }

    /// The sum of u² over a tensor; `scratch` has an element for each row.
    fn squares_of_update<T: Float>(
        &self,
        shape: Matrices,
        grads: &[T],
        rows: &[T],
        columns: &[T],
        scratch: &mut [T],
    ) -> f64 {
        let c = shape.columns;
        let threaded = grads.len() >= PARALLEL_THRESHOLD;
        parallel::for_each_chunk(scratch, (CHUNK / c).max(1), threaded, |start, chunk| {
            let mut inverse = 0.0;
            for (i, out) in chunk.iter_mut().enumerate() {
                let row = start + i;
                if i == 0 || row.is_multiple_of(shape.rows) {
                    inverse = self.inverse_mean(shape, rows, row);
                }
                let factor = rows[row].to_f64() * inverse;
                let columns = &columns[row / shape.rows * c..][..c];
                let smallest = self.smallest;
                let [sum] = sums(&grads[row * c..][..c], columns, move |g, column| {
                    [g.to_f64() * g.to_f64() / (factor * column.to_f64()).max(smallest)]
                });
                *out = T::from_f64(sum);
            }
        });
        scratch.iter().map(|x| x.to_f64()).sum()
    }

    /// θ ← keep θ − rate u.
    #[allow(clippy::too_many_arguments)]
    fn apply<T: Float>(
        &self,
        shape: Matrices,
        params: &mut [T],
        grads: &[T],
        rows: &[T],
        columns: &[T],
        keep: T,
        rate: T,
    ) {
        let c = shape.columns;
        let smallest = T::from_f64(self.smallest);
        let threaded = params.len() >= PARALLEL_THRESHOLD;
        parallel::for_each_chunk(params, (CHUNK / c).max(1) * c, threaded, |start, chunk| {
            let mut inverse = 0.0;
            for (i, p) in chunk.chunks_mut(c).enumerate() {
                let row = start / c + i;
                if i == 0 || row.is_multiple_of(shape.rows) {
                    inverse = self.inverse_mean(shape, rows, row);
                }
                let factor = T::from_f64(rows[row].to_f64() * inverse);
                let columns = &columns[row / shape.rows * c..][..c];
                for ((p, &g), &column) in p.iter_mut().zip(&grads[row * c..][..c]).zip(columns) {
                    *p = keep * *p - rate * (g / (factor * column).maximum(smallest).sqrt());
                }
            }
        });
    }
}

/// V of a vector, in place of the parameters, with the sum of u².
#[derive(Clone, Copy)]
struct Average<T> {
    keep: T,
    fresh: T,
    added: T,
    smallest: T,
}

impl<T: Float> Update<T, 0, 1> for Average<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, v: T, g: T, _: [T; 0]) -> (T, [T; 0], [T; 1]) {
        let square = I::mul_add(g, g, self.added);
        let v = I::mul_add(self.keep, v, self.fresh * square);
        (v, [], [g * g / v.maximum(self.smallest)])
    }
}

/// The step of a vector.
#[derive(Clone, Copy)]
struct VectorStep<T> {
    keep: T,
    rate: T,
    smallest: T,
}

impl<T: Float> Update<T, 1> for VectorStep<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [v]: [T; 1]) -> (T, [T; 1], [T; 0]) {
        (I::mul_add(self.keep, p, -(self.rate * (g / v.maximum(self.smallest).sqrt()))), [v], [])
    }
}
