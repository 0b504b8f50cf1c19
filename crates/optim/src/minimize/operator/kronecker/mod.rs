//! Curvature as Kronecker products, layer by layer.

mod block;
mod inverse;

pub use block::KroneckerBlock;
pub use inverse::KroneckerInverse;

use std::ops::Range;

use serde::{Deserialize, Serialize};
use wengert_tensor::gemm::{MatrixMut, MatrixRef};

use super::Operator;
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::vector::{self, Float};

/// The Kronecker-factored approximation of a curvature (K-FAC): for the weight of each layer a [block](KroneckerBlock)
/// A ⊗ G, for other parameters a diagonal, and a multiple of the identity for a quadratic penalty. As an [`Operator`] it is
/// this approximation; [`inverse`](Self::inverse) is a preconditioner.
///
/// Source: Martens and Grosse, "Optimizing neural networks with Kronecker-factored approximate curvature", 2015; Grosse and
/// Martens, "A Kronecker-factored approximate Fisher matrix for convolution layers", 2016.
///
/// ```
/// use wengert_optim::{Kronecker, KroneckerBlock, Operator};
///
/// // One layer with two inputs and an output: A = [[2, 1], [1, 3]], G = [4].
/// let block = KroneckerBlock::new(0, None, vec![2.0, 1.0, 1.0, 3.0], vec![4.0]);
/// let curvature = Kronecker::new(3, vec![block], vec![(2, vec![5.0])]);
/// assert_eq!(curvature.dense(), [8.0, 4.0, 0.0, 4.0, 12.0, 0.0, 0.0, 0.0, 5.0]);
///
/// let (mut v, mut w) = ([0.0f64; 3], [0.0f64; 3]);
/// curvature.inverse(1e-12).unwrap().apply(&[8.0, 4.0, 5.0], &mut v);
/// curvature.apply(&v, &mut w);
/// assert!((w[0] - 8.0).abs() < 1e-5 && (w[1] - 4.0).abs() < 1e-5 && (w[2] - 5.0).abs() < 1e-5);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Kronecker<T: Float> {
    dimension: usize,
    blocks: Vec<KroneckerBlock<T>>,
    diagonal: Vec<Diagonal<T>>,
    shift: f64,
}

/// A part of the diagonal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
struct Diagonal<T: Float> {
    start: usize,
    #[serde(with = "vector::serde")]
    values: Vec<T>,
}

impl<T: Float> Diagonal<T> {
    fn range(&self) -> Range<usize> {
        self.start..self.start + self.values.len()
    }
}

/// What is wrong with parts of a vector of `dimension` variables: that one reaches beyond it, or that two overlap.
fn misplaced<'a, T: Float>(
    dimension: usize,
    places: impl Iterator<Item = &'a block::Place>,
    diagonal: &[Diagonal<T>],
) -> Result<(), String> {
    let mut parts = Vec::new();
    for place in places {
        parts.extend(place.ranges().ok_or_else(|| format!("{place:?} is beyond any dimension"))?);
    }
    for part in diagonal {
        let end = part.start.checked_add(part.values.len());
        parts.push(
            part.start
                ..end.ok_or_else(|| format!("a diagonal from {} is beyond any dimension", part.start))?,
        );
    }
    parts.retain(|r| !r.is_empty());
    parts.sort_unstable_by_key(|r| r.start);
    for pair in parts.windows(2) {
        if pair[0].end > pair[1].start {
            return Err(format!("{:?} and {:?} overlap", pair[0], pair[1]));
        }
    }
    match parts.last() {
        Some(last) if last.end > dimension => Err(format!("{last:?} is beyond the dimension {dimension}")),
        _ => Ok(()),
    }
}

/// The same, and of another dimension, as errors of a checkpoint.
fn check_parts<'a, T: Float>(
    [own, dimension]: [usize; 2],
    places: impl Iterator<Item = &'a block::Place>,
    diagonal: &[Diagonal<T>],
) -> Result<(), MinimizeError> {
    Field("dimension").holds(own, "that of the problem", own == dimension)?;
    if let Err(fault) = misplaced(dimension, places, diagonal) {
        Field("blocks").holds(format_args!("not: {fault}"), "of parts of the problem's variables", false)?;
    }
    diagonal.iter().try_for_each(|part| Field("diagonal").all_finite(&part.values))
}

impl<T: Float> Kronecker<T> {
    /// From its blocks and the parts of its diagonal, each with where it starts. Rows and columns of other variables are zero.
    ///
    /// # Panics
    /// If a part reaches beyond the dimension, or two overlap.
    #[track_caller]
    pub fn new(dimension: usize, blocks: Vec<KroneckerBlock<T>>, diagonal: Vec<(usize, Vec<T>)>) -> Self {
        let diagonal: Vec<Diagonal<T>> =
            diagonal.into_iter().map(|(start, values)| Diagonal { start, values }).collect();
        if let Err(fault) = misplaced(dimension, blocks.iter().map(|block| &block.layout), &diagonal) {
            panic!("kronecker: {fault}");
        }
        Self { dimension, blocks, diagonal, shift: 0.0 }
    }

    /// With `shift` times the identity added: the Hessian of the penalty ½·shift·‖x‖².
    ///
    /// ```
    /// use wengert_optim::{Kronecker, KroneckerBlock, Operator};
    /// let block = KroneckerBlock::new(0, None, vec![2.0f64], vec![3.0]);
    /// let curvature = Kronecker::new(1, vec![block], vec![]).shifted(0.5);
    /// let mut product = [0.0];
    /// curvature.apply(&[1.0], &mut product);
    /// assert_eq!(product, [6.5]);
    /// ```
    #[must_use]
    pub fn shifted(mut self, shift: f64) -> Self {
        self.shift += shift;
        self
    }

    /// Times a factor: the matrix of the objective times it.
    ///
    /// ```
    /// use wengert_optim::{Kronecker, KroneckerBlock, Operator};
    /// let block = KroneckerBlock::new(0, None, vec![2.0f64], vec![3.0]);
    /// let half = Kronecker::new(1, vec![block], vec![]).scaled(0.5);
    /// assert!((half.dense()[0] - 3.0).abs() < 1e-15);
    /// ```
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        self.blocks.iter_mut().for_each(|block| vector::scale(factor, &mut block.outputs));
        self.diagonal.iter_mut().for_each(|part| vector::scale(factor, &mut part.values));
        self.shift *= factor;
        self
    }

    /// All numbers of the factors, one after the other: of every block A and G, then of the parts of the diagonal.
    ///
    /// ```
    /// use wengert_optim::{Kronecker, KroneckerBlock};
    /// let block = KroneckerBlock::new(0, None, vec![2.0f64], vec![3.0]);
    /// let curvature = Kronecker::new(2, vec![block], vec![(1, vec![5.0])]);
    /// assert_eq!(curvature.factors(), [2.0, 3.0, 5.0]);
    /// assert_eq!(curvature.with_factors(&[1.0, 1.0, 4.0]).factors(), [1.0, 1.0, 4.0]);
    /// ```
    pub fn factors(&self) -> Vec<T> {
        let blocks = self.blocks.iter().flat_map(|block| block.inputs.iter().chain(&block.outputs));
        blocks.chain(self.diagonal.iter().flat_map(|part| &part.values)).copied().collect()
    }

    /// Factors of the same structure with other numbers, as [`factors`](Self::factors) has them: a sum over ranks, say.
    ///
    /// # Panics
    /// If there are not as many.
    #[must_use]
    #[track_caller]
    pub fn with_factors(&self, numbers: &[T]) -> Self {
        let expected = self.factors().len();
        assert!(numbers.len() == expected, "kronecker: {} numbers for factors of {expected}", numbers.len());
        let mut with = self.clone();
        let blocks =
            with.blocks.iter_mut().flat_map(|block| block.inputs.iter_mut().chain(&mut block.outputs));
        let all = blocks.chain(with.diagonal.iter_mut().flat_map(|part| &mut part.values));
        all.zip(numbers).for_each(|(into, &number)| *into = number);
        with
    }

    /// The blocks.
    pub fn blocks(&self) -> &[KroneckerBlock<T>] {
        &self.blocks
    }

    /// Moves the factors towards newer ones: each becomes `decay` · old + (1 − `decay`) · new.
    ///
    /// # Panics
    /// If the other has another structure.
    ///
    /// ```
    /// use wengert_optim::{Kronecker, KroneckerBlock, Operator};
    /// let of = |input: f64| Kronecker::new(1, vec![KroneckerBlock::new(0, None, vec![input], vec![1.0])], vec![]);
    /// let mut running = of(2.0);
    /// running.average(0.75, &of(6.0));
    /// assert_eq!(running.dense(), [3.0]);
    /// ```
    #[track_caller]
    pub fn average(&mut self, decay: f64, newer: &Self) {
        let parts = (self.blocks.len(), self.diagonal.len());
        assert!(
            self.dimension == newer.dimension && parts == (newer.blocks.len(), newer.diagonal.len()),
            "average: {} variables in {parts:?} parts, the newer factors {} in {:?}",
            self.dimension,
            newer.dimension,
            (newer.blocks.len(), newer.diagonal.len())
        );
        for (old, new) in self.blocks.iter_mut().zip(&newer.blocks) {
            old.average(decay, new);
        }
        for (old, new) in self.diagonal.iter_mut().zip(&newer.diagonal) {
            vector::axpby(1.0 - decay, &new.values, decay, &mut old.values);
        }
        self.shift = decay * self.shift + (1.0 - decay) * newer.shift;
    }

    /// Whether factors from a checkpoint can be gone on from.
    pub(crate) fn check(&self, dimension: usize) -> Result<(), MinimizeError> {
        let places = self.blocks.iter().map(|block| &block.layout);
        check_parts([self.dimension, dimension], places, &self.diagonal)?;
        self.blocks.iter().try_for_each(KroneckerBlock::check)?;
        Field("shift").holds(self.shift, "finite", self.shift.is_finite())
    }

    /// Whether the other can be [averaged](Self::average) with this.
    pub(crate) fn has_structure_of(&self, other: &Self) -> bool {
        let places = |of: &Self| of.blocks.iter().map(|block| block.layout).collect::<Vec<_>>();
        let diagonal = |of: &Self| of.diagonal.iter().map(Diagonal::range).collect::<Vec<_>>();
        self.dimension == other.dimension
            && places(self) == places(other)
            && diagonal(self) == diagonal(other)
    }

    /// Whether no factor has an infinite or NaN element.
    ///
    /// ```
    /// use wengert_optim::{Kronecker, KroneckerBlock};
    /// let overflowed = KroneckerBlock::new(0, None, vec![f32::INFINITY], vec![1.0]);
    /// assert!(!Kronecker::new(1, vec![overflowed], vec![]).is_finite());
    /// ```
    pub fn is_finite(&self) -> bool {
        self.blocks.iter().all(KroneckerBlock::is_finite)
            && self.diagonal.iter().all(|d| vector::all_finite(&d.values))
            && self.shift.is_finite()
    }

    /// The inverse of the approximation plus `damping` times the identity, a symmetric positive definite [`Operator`]: what
    /// preconditioned solvers take. `None` if rounding leaves a factor not positive definite (more damping helps), or
    /// if one is not finite.
    ///
    /// The damping of a block A ⊗ G is factored (Martens and Grosse, §6.3): (A + π√λ I) ⊗ (G + √λ/π I) with
    /// π² = (tr A/dim A)/(tr G/dim G), and λ the damping and the shift together.
    ///
    /// # Panics
    /// If the damping is negative or NaN.
    #[track_caller]
    pub fn inverse(&self, damping: f64) -> Option<KroneckerInverse<T>> {
        KroneckerInverse::new(self, self.total(damping), inverse::factored)
    }

    /// As [`inverse`](Self::inverse), with the damping exact: (A ⊗ G + λI)⁻¹, by the eigenvectors of the factors. The better
    /// preconditioner, above all where λ is small, since factored damping changes large and small eigenvalues' products
    /// too; but the decompositions take many times as long as the inversions, which matters from some hundred rows on.
    ///
    /// # Panics
    /// If the damping is negative or NaN.
    #[track_caller]
    pub fn exact_inverse(&self, damping: f64) -> Option<KroneckerInverse<T>> {
        KroneckerInverse::new(self, self.total(damping), inverse::exact)
    }

    #[track_caller]
    fn total(&self, damping: f64) -> f64 {
        assert!(damping >= 0.0, "kronecker: the damping {damping} is not at least 0");
        damping + self.shift
    }
}

impl<T: Float> Operator<T> for Kronecker<T> {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn apply(&self, v: &[T], out: &mut [T]) {
        vector::axpby(self.shift, v, 0.0, out);
        let mut scratch = block::Scratch::default();
        for part in &self.blocks {
            part.layout.gather(v, &mut scratch);
            scratch.multiply(part.layout.views(&part.outputs, &part.inputs));
            part.layout.scatter(&scratch, out);
        }
        for part in &self.diagonal {
            for (i, d) in part.range().zip(&part.values) {
                out[i] += *d * v[i];
            }
        }
    }

    fn diagonal(&self) -> Vec<T> {
        let mut out = vec![T::from_f64(self.shift); self.dimension];
        for part in &self.blocks {
            part.add_diagonal(&mut out);
        }
        for part in &self.diagonal {
            vector::axpy(1.0, &part.values, &mut out[part.range()]);
        }
        out
    }
}

/// A matrix stored row by row.
fn view<T: Float>(x: &[T], shape: [usize; 2]) -> MatrixRef<'_, T> {
    MatrixRef::new(x, 0, shape, [shape[1] as isize, 1])
}

/// As [`view`], to be written.
fn view_mut<T: Float>(x: &mut [T], shape: [usize; 2]) -> MatrixMut<'_, T> {
    MatrixMut::new(x, 0, shape, [shape[1] as isize, 1])
}
