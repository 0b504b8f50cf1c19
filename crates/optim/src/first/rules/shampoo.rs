//! Shampoo.

use serde::{Deserialize, Serialize};
use wengert_tensor::Float;
use wengert_tensor::gemm::MatrixRef;
use wengert_tensor::simd::Isa;

use super::inverse_root::{self, inverse_root};
use super::matrix::{Along, multiply, view};
use super::moment::{hypot, over};
use crate::error::{Check, HyperParameterError};
use crate::first::layout::{Layout, Segment};
use crate::first::loops::{Update, split_off, update};
use crate::first::rule::rule_of_this_crate;
use crate::first::{FirstOrder, Memory, Rule, Slots};

/// Shampoo: gradients of a matrix preconditioned on both sides by roots of their second moments.
///
/// For a tensor seen as a matrix of its first dimension by all others: L ← L + G Gᵀ, R ← R + Gᵀ G,
/// θ ← (1 − η λ) θ − η L^(−1/4) G R^(−1/4). A side longer than [`largest_side`](ShampooConfig::largest_side) is not
/// preconditioned (the other's power is then −1/2). For a vector: s ← s + g², θ ← (1 − η λ) θ − η g / √s. L, R and s begin as ε
/// times the identity.
///
/// The roots are renewed in each of the first [`interval`](ShampooConfig::interval) steps and then once in as many, by the coupled Newton iteration in f64.
///
/// Source: Gupta, Koren and Singer, *Shampoo: preconditioned stochastic tensor optimization*, 2018, algorithm 1. Default:
/// ε = 1e-4, an interval of 10, sides up to 1024. Keeps 8 (r² + c²) bytes for an f32 matrix of r × c, 4 per element of a
/// vector.
///
/// ```
/// use wengert_optim::{Layout, Optimizer, Shampoo};
/// use wengert_optim::first::ShampooConfig;
/// let layout = Layout::new([("weight", vec![2, 2])]);
/// let mut shampoo = Shampoo::with_layout(0.1, ShampooConfig { epsilon: 1e-9, ..Default::default() }, &layout)?;
/// let mut theta = [0.0f64; 4];
/// shampoo.step(&mut theta, &[5.0, 0.0, 0.0, 1.0]);
/// assert!((theta[0] + 0.1).abs() < 1e-6 && (theta[3] + 0.1).abs() < 1e-6); // whitened
/// # Ok::<(), wengert_optim::HyperParameterError>(())
/// ```
pub type Shampoo<T = f32> = FirstOrder<ShampooConfig, T>;

/// Hyper-parameters of [`Shampoo`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShampooConfig {
    /// ε, what the second moments begin as.
    pub epsilon: f64,
    /// Steps between renewals of the roots.
    pub interval: u64,
    /// The longest side that is preconditioned.
    pub largest_side: usize,
    /// λ, decoupled: a step multiplies the parameters by 1 − η λ.
    pub weight_decay: f64,
}

impl Default for ShampooConfig {
    fn default() -> Self {
        ShampooConfig { epsilon: 1e-4, interval: 10, largest_side: 1024, weight_decay: 0.0 }
    }
}

/// A tensor as a matrix, with the sides that are preconditioned; `None` for a vector.
#[derive(Clone, Copy)]
struct Matrix {
    rows: usize,
    columns: usize,
    left: bool,
    right: bool,
}

impl Matrix {
    fn left_len(&self) -> usize {
        if self.left { self.rows * self.rows } else { 0 }
    }

    fn right_len(&self) -> usize {
        if self.right { self.columns * self.columns } else { 0 }
    }

    /// p of the power −1/p of each preconditioner.
    fn root(&self) -> u32 {
        if self.left && self.right { 4 } else { 2 }
    }
}

impl ShampooConfig {
    fn matrix(&self, segment: &Segment) -> Option<Matrix> {
        if segment.shape.len() < 2 || segment.range.is_empty() {
            return None;
        }
        let rows = segment.shape[0];
        let columns = segment.range.len() / rows;
        let (left, right) = (rows <= self.largest_side, columns <= self.largest_side);
        (left || right).then_some(Matrix { rows, columns, left, right })
    }
}

impl Rule for ShampooConfig {
    const NAME: &'static str = "shampoo";
    const LEARNING_RATE: f64 = 1e-1;
    rule_of_this_crate!(ShampooConfig);

    fn check(&self, check: Check) -> Result<(), HyperParameterError> {
        check
            .positive("epsilon", self.epsilon)?
            .at_least_one("interval", self.interval as f64)?
            .at_least_one("largest_side", self.largest_side as f64)?
            .weight_decay(self.weight_decay)?;
        Ok(())
    }

    fn slots(&self, layout: &Layout) -> Slots {
        let (mut moments, mut roots, mut vector) = (0, 0, 0);
        for segment in layout.segments() {
            match self.matrix(segment) {
                Some(matrix) => {
                    roots += matrix.left_len() + matrix.right_len();
                    // And the scale.
                    moments += matrix.left_len() + matrix.right_len() + 1;
                }
                None => vector += segment.range.len(),
            }
        }
        Slots::default().vector("moments", moments, 0.0).vector("roots", roots, 0.0).vector(
            "norms",
            vector,
            self.epsilon.sqrt(),
        )
    }

    fn update<T: Float>(&self, memory: &mut Memory<T>, params: &mut [T], grads: &[T]) {
        let layout = memory.layout.clone();
        let first = memory.step == 1;
        // A root of one gradient alone would blow up all other directions until the next renewal.
        let renew = memory.step <= self.interval || (memory.step - 1).is_multiple_of(self.interval);
        let rate = T::from_f64(memory.learning_rate);
        let keep = T::from_f64(1.0 - memory.learning_rate * self.weight_decay);
        let matrices = || layout.segments().iter().filter_map(|s| self.matrix(s));
        memory.scratch.resize(matrices().map(|m| 2 * m.rows * m.columns).max().unwrap_or(0), T::ZERO);
        let side = matrices().map(|m| m.left_len().max(m.right_len())).max().unwrap_or(0);
        memory.wide.resize(inverse_root::WORKSPACE * side, 0.0);
        let Memory { vectors, scratch, wide, .. } = memory;
        let [moments, roots, squares] = vectors.as_mut_slice() else { unreachable!("three slots") };
        let (mut moments, mut roots, mut squares) = (&mut moments[..], &mut roots[..], &mut squares[..]);
        for segment in layout.segments() {
            let (p, g) = (&mut params[segment.range.clone()], &grads[segment.range.clone()]);
            let Some(matrix) = self.matrix(segment) else {
                update(p, g, [split_off(&mut squares, p.len())], Diagonal { keep, rate });
                continue;
            };
            let (left, right) = scratch.split_at_mut(g.len());
            let right = &mut right[..g.len()];
            let Matrix { rows, columns, .. } = matrix;
            let gradient = view(g, [rows, columns]);
            let sides = split_off(&mut moments, matrix.left_len() + matrix.right_len());
            let scale = rescale(&mut split_off(&mut moments, 1)[0], g, sides);
            let side = |n| Side { n, first, renew, epsilon: self.epsilon, root: matrix.root(), scale };
            // What the moments are made of; the room is that of the direction, which is not there yet.
            let scaled = if scale == 1.0 {
                g
            } else {
                let factor = T::from_f64(scale.recip());
                right.iter_mut().zip(g).for_each(|(s, &g)| *s = g * factor);
                &*right
            };
            let scaled = view(scaled, [rows, columns]);
            let (of_left, of_right) = sides.split_at_mut(matrix.left_len());
            if matrix.left {
                side(rows).accumulate(scaled, of_left);
            }
            if matrix.right {
                side(columns).accumulate(scaled.transposed(), of_right);
            }
            let mut direction = g;
            if matrix.left {
                let root = split_off(&mut roots, matrix.left_len());
                side(rows).renew(of_left, root, wide);
                multiply(view(root, [rows, rows]), gradient, T::ZERO, left);
                direction = left;
            }
            if matrix.right {
                let root = split_off(&mut roots, matrix.right_len());
                side(columns).renew(of_right, root, wide);
                multiply(view(direction, [rows, columns]), view(root, [columns, columns]), T::ZERO, right);
                direction = right;
            }
            update(p, direction, [], Along { keep, rate });
        }
    }
}

/// One preconditioner.
struct Side {
    n: usize,
    first: bool,
    renew: bool,
    epsilon: f64,
    root: u32,
    scale: f64,
}

impl Side {
    /// Adds A Aᵀ to the moment, for A of n rows.
    fn accumulate<T: Float>(&self, a: MatrixRef<'_, T>, moment: &mut [T]) {
        if self.first {
            let epsilon = T::from_f64(self.epsilon / self.scale / self.scale);
            moment.iter_mut().step_by(self.n + 1).for_each(|d| *d = epsilon);
        }
        multiply(a, a.transposed(), T::ONE, moment);
    }

    /// Renews the root when it is time.
    fn renew<T: Float>(&self, moment: &[T], root: &mut [T], wide: &mut [f64]) {
        if self.renew {
            inverse_root(moment, self.scale, self.n, self.root, root, wide);
        }
    }
}

/// The scale of a matrix, whose moments are kept divided by its square: 1, or the power of two that brings the largest
/// gradient so far to where its squares, and sums of them, are in the range. It only grows.
fn rescale<T: Float>(scale: &mut T, grads: &[T], moments: &mut [T]) -> f64 {
    // A third of the range for the squares, which leaves a third for their number.
    let limit = T::MAX.to_f64().powf(1.0 / 3.0).log2().floor();
    let largest = grads.iter().fold(T::ZERO, |m, g| m.maximum(g.abs())).to_f64();
    let old = if *scale == T::ZERO { 1.0 } else { scale.to_f64() };
    let needed = largest.log2().ceil() - limit;
    let new = if largest.is_finite() && needed > 0.0 { old.max(needed.exp2()) } else { old };
    if new > old {
        let factor = T::from_f64(old / new);
        moments.iter_mut().for_each(|m| *m = *m * factor * factor);
    }
    *scale = T::from_f64(new);
    new
}

/// The step of a vector: Adagrad's.
#[derive(Clone, Copy)]
struct Diagonal<T> {
    keep: T,
    rate: T,
}

impl<T: Float> Update<T, 1> for Diagonal<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, [s]: [T; 1]) -> (T, [T; 1], [T; 0]) {
        let s = hypot::<I, T>(s, g, true);
        (I::mul_add(self.keep, p, -(self.rate * over(g, s, true))), [s], [])
    }
}
