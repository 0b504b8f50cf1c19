//! The damped inverse of a Kronecker-factored matrix.

use serde::{Deserialize, Serialize};
use wengert_tensor::linalg::{Cholesky, symmetric_eigen};

use super::block::{KroneckerBlock, Place, Scratch};
use super::{Diagonal, check_parts};
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::operator::{Kronecker, Operator};
use crate::minimize::vector::{self, Float};

/// (K + λI)⁻¹ for a [`Kronecker`] K: made by [`Kronecker::inverse`] and [`Kronecker::exact_inverse`]. A preconditioner for [`cg`](crate::minimize::linear::cg),
/// [`steihaug`](crate::minimize::linear::steihaug) and [`minres`](crate::minimize::linear::minres).
///
/// ```
/// use wengert_optim::linear::{Settings, cg};
/// use wengert_optim::{Kronecker, KroneckerBlock, KroneckerInverse};
/// let block = KroneckerBlock::new(0, None, vec![2.0f64, 1.0, 1.0, 3.0], vec![4.0]);
/// let curvature = Kronecker::new(2, vec![block], vec![]);
/// let inverse: KroneckerInverse<f64> = curvature.exact_inverse(1e-12).unwrap();
/// // The best preconditioner there is: one iteration.
/// let mut x = [0.0; 2];
/// let solved = cg(&curvature, &[8.0, 4.0], &mut x, Some(&inverse), &Settings::default());
/// assert!(solved.converged() && solved.solve.iterations == 1);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct KroneckerInverse<T: Float> {
    dimension: usize,
    blocks: Vec<Block<T>>,
    diagonal: Vec<Diagonal<T>>,
    /// 1/λ, for the variables without curvature.
    rest: f64,
}

/// The inverse of one block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
struct Block<T: Float> {
    place: Place,
    kind: Kind<T>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(super) enum Kind<T: Float> {
    /// The inverses of the two damped factors.
    Factored {
        #[serde(with = "vector::serde")]
        inputs: Vec<T>,
        #[serde(with = "vector::serde")]
        outputs: Vec<T>,
    },
    /// The eigenvectors of the two factors, one a row, and 1/(λ + product of the eigenvalues) for each pair.
    Exact {
        #[serde(with = "vector::serde")]
        inputs: Vec<T>,
        #[serde(with = "vector::serde")]
        outputs: Vec<T>,
        #[serde(with = "vector::serde")]
        scales: Vec<T>,
    },
}

/// (A + π√λ I)⁻¹ and (G + √λ/π I)⁻¹.
pub(super) fn factored<T: Float>(block: &KroneckerBlock<T>, damping: f64) -> Option<Kind<T>> {
    let Place { rows, columns, .. } = block.layout;
    let [inputs, outputs] = [mean_diagonal(&block.inputs, columns), mean_diagonal(&block.outputs, rows)];
    let pi = (inputs / outputs).sqrt();
    // A layer without signal has no ratio.
    let pi = if pi.is_finite() && pi > 0.0 { pi } else { 1.0 };
    let root = damping.sqrt();
    Some(Kind::Factored {
        inputs: damped_inverse(&block.inputs, columns, pi * root)?,
        outputs: damped_inverse(&block.outputs, rows, root / pi)?,
    })
}

/// (A + `shift` I)⁻¹ for a symmetric A of `n` rows, computed in `f64`; `None` if it is not positive definite to rounding or
/// not finite.
fn damped_inverse<T: Float>(a: &[T], n: usize, shift: f64) -> Option<Vec<T>> {
    let mut damped = vector::to_f64(a);
    damped.iter_mut().step_by(n + 1).for_each(|d| *d += shift);
    let inverse = Cholesky::new(&damped, n).ok()?.inverse();
    Some(inverse.into_iter().map(T::from_f64).collect())
}

/// (A ⊗ G + λI)⁻¹ by eigendecompositions. Eigenvalues that rounding makes negative count as zero.
pub(super) fn exact<T: Float>(block: &KroneckerBlock<T>, damping: f64) -> Option<Kind<T>> {
    let Place { rows, columns, .. } = block.layout;
    let (a, inputs) = symmetric_eigen(&vector::to_f64(&block.inputs), columns).ok()?;
    let (g, outputs) = symmetric_eigen(&vector::to_f64(&block.outputs), rows).ok()?;
    let damped = g.iter().flat_map(|g| a.iter().map(move |a| g.max(0.0) * a.max(0.0) + damping));
    let damped: Vec<f64> = damped.collect();
    if !damped.iter().all(|&d| d > 0.0) {
        return None;
    }
    let convert = |x: &[f64]| x.iter().map(|&x| T::from_f64(x)).collect::<Vec<T>>();
    let scales = damped.iter().map(|&d| T::from_f64(1.0 / d)).collect();
    Some(Kind::Exact { inputs: convert(&inputs), outputs: convert(&outputs), scales })
}

impl<T: Float> Block<T> {
    fn check(&self) -> Result<(), MinimizeError> {
        let Place { rows, columns, .. } = self.place;
        let (Kind::Factored { inputs, outputs } | Kind::Exact { inputs, outputs, .. }) = &self.kind;
        Field("inverse.inputs").vector(inputs, columns.saturating_mul(columns))?;
        Field("inverse.outputs").vector(outputs, rows.saturating_mul(rows))?;
        match &self.kind {
            Kind::Factored { .. } => Ok(()),
            Kind::Exact { scales, .. } => {
                Field("inverse.scales").vector(scales, rows.saturating_mul(columns))
            }
        }
    }
}

impl<T: Float> KroneckerInverse<T> {
    /// Whether one from a checkpoint can be gone on from.
    pub(crate) fn check(&self, dimension: usize) -> Result<(), MinimizeError> {
        check_parts([self.dimension, dimension], self.blocks.iter().map(|b| &b.place), &self.diagonal)?;
        self.blocks.iter().try_for_each(Block::check)?;
        Field("inverse.rest").positive(self.rest)
    }

    pub(super) fn new(
        of: &Kronecker<T>,
        damping: f64,
        invert: impl Fn(&KroneckerBlock<T>, f64) -> Option<Kind<T>>,
    ) -> Option<Self> {
        // Also where there is no block to find out: the matrix must be positive definite.
        if damping.is_nan() || damping < 0.0 {
            return None;
        }
        let mut blocks = Vec::with_capacity(of.blocks.len());
        for block in &of.blocks {
            blocks.push(Block { place: block.layout, kind: invert(block, damping)? });
        }
        let mut diagonal = Vec::with_capacity(of.diagonal.len());
        for part in &of.diagonal {
            let damped = || part.values.iter().map(|d| d.to_f64() + damping);
            if !damped().all(|d| d > 0.0 && d.is_finite()) {
                return None;
            }
            let values = damped().map(|d| T::from_f64(1.0 / d)).collect();
            diagonal.push(Diagonal { start: part.start, values });
        }
        Some(Self {
            dimension: of.dimension,
            blocks,
            diagonal,
            rest: 1.0 / damping.max(T::MIN_POSITIVE.to_f64().sqrt()),
        })
    }
}

fn mean_diagonal<T: Float>(a: &[T], n: usize) -> f64 {
    a.iter().step_by(n + 1).map(|d| d.to_f64()).sum::<f64>() / n.max(1) as f64
}

impl<T: Float> Operator<T> for KroneckerInverse<T> {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn apply(&self, v: &[T], out: &mut [T]) {
        vector::scaled(self.rest, v, out);
        let mut scratch = Scratch::default();
        for part in &self.blocks {
            part.place.clear(out);
            part.place.gather(v, &mut scratch);
            match &part.kind {
                Kind::Factored { inputs, outputs } => scratch.multiply(part.place.views(outputs, inputs)),
                Kind::Exact { inputs, outputs, scales } => {
                    let (left, right) = part.place.views(outputs, inputs);
                    scratch.multiply((left, right.transposed()));
                    scratch.scale(scales);
                    let (left, right) = part.place.views(outputs, inputs);
                    scratch.multiply((left.transposed(), right));
                }
            }
            part.place.scatter(&scratch, out);
        }
        for part in &self.diagonal {
            out[part.range()].copy_from_slice(&v[part.range()]);
            vector::multiply(&part.values, &mut out[part.range()]);
        }
    }
}
