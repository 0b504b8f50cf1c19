use crate::minimize::rounding;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::driver::{Descent, DescentDefaults, Direction, Taken, unit_length};
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::objective::Counted;
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::search::{LineSearch, MoreThuente};
use crate::minimize::vector::{self, Float, axpy, dot};

/// BFGS (Broyden, Fletcher, Goldfarb and Shanno, 1970): n² memory, for up to some thousand variables.
pub type Bfgs = Descent<BfgsDirection>;

/// DFP (Davidon, 1959; Fletcher and Powell, 1963): BFGS's dual, for comparison; along curved valleys it takes several times as
/// many steps.
pub type Dfp = Descent<DfpDirection>;

/// The direction of [`Bfgs`].
///
/// ```
/// use wengert_optim::minimize::{BfgsDirection, Descent};
/// use wengert_optim::search::WeakWolfe;
/// use wengert_optim::{Method, Problem};
/// let f = Problem::new(1, |x: &[f64]| x[0].cosh()).with_gradient(|x, g| g[0] = x[0].sinh());
/// assert!(Descent::new(BfgsDirection).with_search(WeakWolfe::default()).minimize(&f, &[1.0])?.converged());
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BfgsDirection;

/// The direction of [`Dfp`].
///
/// ```
/// use wengert_optim::minimize::{Descent, DfpDirection};
/// use wengert_optim::search::WeakWolfe;
/// use wengert_optim::{Method, Problem};
/// let f = Problem::new(1, |x: &[f64]| x[0].cosh()).with_gradient(|x, g| g[0] = x[0].sinh());
/// assert!(Descent::new(DfpDirection).with_search(WeakWolfe::default()).minimize(&f, &[1.0])?.converged());
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DfpDirection;

impl DescentDefaults for BfgsDirection {
    fn search() -> Arc<dyn LineSearch> {
        Arc::new(MoreThuente { decrease: 1e-4, ..MoreThuente::default() })
    }
}

impl DescentDefaults for DfpDirection {
    fn search() -> Arc<dyn LineSearch> {
        Arc::new(MoreThuente { decrease: 1e-4, curvature: 0.5, ..MoreThuente::default() })
    }
}

/// A dense approximation of the inverse Hessian, row by row; empty before the first step.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct InverseHessian<T: Float> {
    #[serde(with = "vector::serde")]
    matrix: Vec<T>,
}

impl<T: Float> InverseHessian<T> {
    fn direction(&self, at: &Iterate<T>, direction: &mut [T]) -> f64 {
        if self.matrix.is_empty() {
            vector::scaled(-1.0, &at.gradient, direction);
            return unit_length(direction);
        }
        self.apply(&at.gradient, direction);
        vector::scale(-1.0, direction);
        1.0
    }

    fn apply(&self, v: &[T], out: &mut [T]) {
        for (out, row) in out.iter_mut().zip(self.matrix.chunks_exact(v.len())) {
            *out = T::from_f64(dot(row, v));
        }
    }

    /// Scales H up where a step has found B = H⁻¹ to have more than one and a half times the curvature that is there: by the
    /// square root of the excess sᵀBs/sᵀy, since the other directions have some of it only. H begins at the scale of the first
    /// pair, which where curvatures differ is that of the largest, and updates alone mend only one direction each. (Oren and
    /// Luenberger, 1974, scale at every step, by all of the excess, also down.)
    fn rescale(&mut self, taken: &Taken<'_, T>) {
        // B s = −α g.
        let told = -taken.alpha * dot(taken.step, &taken.before.gradient);
        let there = dot(taken.step, taken.change);
        if there > 0.0 && 1.5 * there < told {
            vector::scale((told / there).sqrt(), &mut self.matrix);
        }
    }

    /// H y and yᵀHy for an update with (s, y); `None` where its curvature sᵀy is not positive, relative to the lengths.
    fn prepare(&mut self, s: &[T], y: &[T]) -> Option<(Vec<T>, f64, f64)> {
        let sy = dot(s, y);
        if !(sy > rounding::of_product::<T>(vector::norm(s), vector::norm(y)) && sy.is_finite()) {
            return None;
        }
        if self.matrix.is_empty() {
            // The identity at the scale of the first pair.
            let n = s.len();
            self.matrix = vec![T::ZERO; n * n];
            let gamma = T::from_f64(sy / dot(y, y));
            for i in 0..n {
                self.matrix[i * n + i] = gamma;
            }
        }
        let mut hy = vec![T::ZERO; y.len()];
        self.apply(y, &mut hy);
        let yhy = dot(y, &hy);
        Some((hy, yhy, sy))
    }
}

/// A formula by which a quasi-Newton direction learns from a step.
///
/// ```
/// use wengert_optim::minimize::{BfgsDirection, QuasiNewtonPair, QuasiNewtonUpdate};
/// // A step of 1 changed the gradient by 4: after H = 1 the inverse Hessian is ¼.
/// let mut inverse = [1.0f64];
/// let pair = QuasiNewtonPair { step: &[1.0], product: &[4.0], bend: 16.0, curvature: 4.0 };
/// BfgsDirection::update(&mut inverse, &pair);
/// assert_eq!(inverse, [0.25]);
/// ```
pub trait QuasiNewtonUpdate {
    /// Updates H, row by row in `inverse`, with the step s, the change y of the gradient, H y, yᵀHy and sᵀy > 0.
    fn update<T: Float>(inverse: &mut [T], pair: &QuasiNewtonPair<'_, T>);
}

/// What a [`QuasiNewtonUpdate`] is made of.
pub struct QuasiNewtonPair<'a, T> {
    /// s.
    pub step: &'a [T],
    /// H y.
    pub product: &'a [T],
    /// yᵀHy.
    pub bend: f64,
    /// sᵀy.
    pub curvature: f64,
}

impl QuasiNewtonUpdate for BfgsDirection {
    /// H ← H + (1 + yᵀHy/sᵀy) ssᵀ/sᵀy − (s(Hy)ᵀ + (Hy)sᵀ)/sᵀy.
    fn update<T: Float>(inverse: &mut [T], pair: &QuasiNewtonPair<'_, T>) {
        let (s, sy) = (pair.step, pair.curvature);
        let outer = (1.0 + pair.bend / sy) / sy;
        for ((row, &s_i), &hy_i) in inverse.chunks_exact_mut(s.len()).zip(s).zip(pair.product) {
            axpy(outer * s_i.to_f64() - hy_i.to_f64() / sy, s, row);
            axpy(-s_i.to_f64() / sy, pair.product, row);
        }
    }
}

impl QuasiNewtonUpdate for DfpDirection {
    /// H ← H + ssᵀ/sᵀy − (Hy)(Hy)ᵀ/yᵀHy.
    fn update<T: Float>(inverse: &mut [T], pair: &QuasiNewtonPair<'_, T>) {
        let s = pair.step;
        for ((row, &s_i), &hy_i) in inverse.chunks_exact_mut(s.len()).zip(s).zip(pair.product) {
            axpy(s_i.to_f64() / pair.curvature, s, row);
            axpy(-hy_i.to_f64() / pair.bend, pair.product, row);
        }
    }
}

impl<T: Float, U: QuasiNewtonUpdate> Direction<T> for U {
    type Memory = InverseHessian<T>;

    fn check(&self, memory: &Self::Memory, dimension: usize) -> Result<(), MinimizeError> {
        Field("matrix").matrix_or_empty(&memory.matrix, dimension)
    }

    fn begin(&self, _: &Counted<'_, T>, _: &Iterate<T>) -> Result<Self::Memory, MinimizeError> {
        Ok(InverseHessian { matrix: Vec::new() })
    }

    fn compute(
        &self,
        _: &Counted<'_, T>,
        at: &Iterate<T>,
        memory: &mut Self::Memory,
        direction: &mut [T],
    ) -> Result<f64, Reason> {
        Ok(memory.direction(at, direction))
    }

    fn learn(&self, memory: &mut Self::Memory, taken: &Taken<'_, T>) {
        if !memory.matrix.is_empty() {
            memory.rescale(taken);
        }
        let Some((product, bend, curvature)) = memory.prepare(taken.step, taken.change) else { return };
        let pair = QuasiNewtonPair { step: taken.step, product: &product, bend, curvature };
        U::update(&mut memory.matrix, &pair);
    }

    fn forget(&self, memory: &mut Self::Memory) -> bool {
        !std::mem::take(&mut memory.matrix).is_empty()
    }
}
