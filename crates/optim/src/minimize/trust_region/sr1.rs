use serde::{Deserialize, Serialize};

use super::driver::TrustRegion;
use super::subproblem::{Model, Subproblem};
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::forcing::Forcing;
use crate::minimize::linear::{Settings, gltr};
use crate::minimize::objective::Counted;
use crate::minimize::operator::Operator;
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::vector::{self, Float, axpy, dot};

/// The symmetric rank-one quasi-Newton method (Conn, Gould and Toint, 1991; Byrd, Khalfan and Schnabel, 1996) in a trust region:
/// its matrix may be indefinite and learns from rejected steps too. n² memory, no Hessian.
pub type Sr1 = TrustRegion<Sr1Model>;

/// The model of [`Sr1`].
///
/// ```
/// use wengert_optim::minimize::{Sr1Model, TrustRegion};
/// use wengert_optim::{Method, Problem};
/// let f = Problem::new(2, |x: &[f64]| x[0] * x[0] + 10.0 * x[1] * x[1])
///     .with_gradient(|x, g| { g[0] = 2.0 * x[0]; g[1] = 20.0 * x[1]; });
/// assert!(TrustRegion::new(Sr1Model).minimize(&f, &[3.0, 1.0])?.converged());
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sr1Model;

/// The approximate Hessian of [`Sr1`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Sr1Memory<T: Float> {
    forcing: Forcing,
    n: usize,
    /// Row by row; empty, for the identity times ‖g₀‖, before the first step.
    #[serde(with = "vector::serde")]
    matrix: Vec<T>,
}

impl<T: Float> Operator<T> for Sr1Memory<T> {
    fn dimension(&self) -> usize {
        self.n
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        if self.matrix.is_empty() {
            return vector::scaled(self.forcing.initial_norm(), v, out);
        }
        for (out, row) in out.iter_mut().zip(self.matrix.chunks_exact(self.n)) {
            *out = T::from_f64(dot(row, v));
        }
    }
}

impl<T: Float> Subproblem<T> for Sr1Model {
    type Memory = Sr1Memory<T>;
    const LEARNS: bool = true;

    fn check(&self, memory: &Sr1Memory<T>, dimension: usize) -> Result<(), MinimizeError> {
        memory.forcing.check()?;
        Field("n").holds(memory.n, "the dimension of the problem", memory.n == dimension)?;
        Field("matrix").matrix_or_empty(&memory.matrix, dimension)
    }

    fn begin(&self, _: &Counted<'_, T>, at: &Iterate<T>) -> Result<Sr1Memory<T>, MinimizeError> {
        Ok(Sr1Memory { forcing: Forcing::begin(at), n: at.point.len(), matrix: Vec::new() })
    }

    fn model<'a>(
        &'a self,
        problem: &'a Counted<'_, T>,
        at: &'a Iterate<T>,
        memory: &'a mut Sr1Memory<T>,
    ) -> Result<Model<'a, T>, Reason> {
        // Products cost no evaluation: solve accurately.
        let settings = Settings {
            tolerance: memory.forcing.since_the_start(problem, at).min(1e-6),
            max_iterations: Some(memory.n),
        };
        Ok(Box::new(move |radius| gltr(memory, &at.gradient, radius, &settings)))
    }

    /// B ← B + rrᵀ/rᵀs with r = y − B s, skipped where |rᵀs| < 10⁻⁸ ‖r‖‖s‖.
    fn learn(&self, memory: &mut Sr1Memory<T>, step: &[T], before: &[T], after: &[T]) {
        let n = memory.n;
        let (mut change, mut product) = (vec![T::ZERO; n], vec![T::ZERO; n]);
        vector::subtract(after, before, &mut change);
        if memory.matrix.is_empty() {
            let (sy, yy) = (dot(step, &change), dot(&change, &change));
            // The identity at the scale of the first pair.
            let gamma = if sy > 0.0 && yy.is_finite() { yy / sy } else { memory.forcing.initial_norm() };
            memory.matrix = vec![T::ZERO; n * n];
            for i in 0..n {
                memory.matrix[i * n + i] = T::from_f64(gamma);
            }
        }
        memory.apply(step, &mut product);
        vector::axpby(-1.0, &product, 1.0, &mut change);
        let denominator = dot(&change, step);
        // Nor with what is not a number.
        let enough = denominator.abs() >= 1e-8 * vector::norm(&change) * vector::norm(step);
        if !enough || denominator == 0.0 {
            return;
        }
        for (row, r) in memory.matrix.chunks_exact_mut(n).zip(&change) {
            axpy(r.to_f64() / denominator, &change, row);
        }
    }

    fn forget(&self, memory: &mut Sr1Memory<T>) -> bool {
        !std::mem::take(&mut memory.matrix).is_empty()
    }
}
