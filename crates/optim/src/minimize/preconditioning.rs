//! Preconditioners for methods that solve with conjugate gradients.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};

use super::error::MinimizeError;
use super::field::Field;
use super::linear::{CurvaturePairs, DiagonalPreconditioner};
use super::objective::{Counted, CurvatureAt, Curvatures, Objective, Residuals, Want, passed_on};
use super::operator::{Kronecker, KroneckerInverse, Operator, ScaledOperator};
use super::run::Iterate;
use super::vector::{self, Float};

/// How conjugate gradients are preconditioned. In a trust region the ball is then an ellipsoid.
///
/// One that turns out not to be positive definite ends the run with
/// [`Reason::IndefinitePreconditioner`](crate::Reason::IndefinitePreconditioner).
///
/// ```
/// use wengert_optim::{Method, NewtonCg, Preconditioning, Problem};
/// // Curvatures from 1 to 10⁴.
/// let scales = [1.0f64, 1e2, 1e4];
/// let f = Problem::new(3, move |x: &[f64]| (0..3).map(|i| 0.5 * scales[i] * x[i] * x[i]).sum())
///     .with_gradient(move |x, g| (0..3).for_each(|i| g[i] = scales[i] * x[i]))
///     .with_hessian(move |_, h| (0..3).for_each(|i| h[4 * i] = scales[i]));
/// let mut method = NewtonCg::default();
/// method.direction.preconditioning = Preconditioning::Diagonal;
/// assert!(method.minimize(&f, &[1.0, 1.0, 1.0])?.value < 1e-10);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Preconditioning {
    /// By the [objective's own](Preconditioned), if it has one; not at all otherwise. The default.
    #[default]
    Given,
    /// Not at all.
    None,
    /// By the matrix's diagonal, taken anew at every iterate: cheap only where the operator
    /// [knows it](crate::Operator::diagonal).
    Diagonal,
    /// By the L-BFGS matrix of this many of the latest conjugate directions and their products (after Morales and
    /// Nocedal, 2000): no product more.
    Lbfgs(usize),
    /// By the inverse of the objective's [Kronecker factors](Want::Kronecker) (K-FAC), which capture how the
    /// variables of a layer depend on each other. An estimate counts as a gradient; the inverse is
    /// [exact](Kronecker::exact_inverse), which takes eigenvalue decompositions, cubic in the widths of the layers: for
    /// layers of up to some hundred inputs.
    Kronecker {
        /// The damping λ of the inverse, relative to the mean of the factors' diagonal.
        damping: f64,
        /// Steps solved for from one estimate of the factors to the next.
        every: u64,
    },
}

impl Preconditioning {
    /// Refuses settings that mean nothing.
    pub(super) fn validate(self) -> Result<(), MinimizeError> {
        match self {
            Self::Given | Self::None | Self::Diagonal => Ok(()),
            Self::Lbfgs(pairs) => MinimizeError::at_least_one("preconditioning.pairs", Some(pairs as u64)),
            Self::Kronecker { damping, every } => {
                MinimizeError::require("damping", damping, "positive", |d| d > 0.0 && d.is_finite())?;
                MinimizeError::at_least_one("every", Some(every))
            }
        }
    }

    /// [`Kronecker`](Self::Kronecker) with a damping of 0.001, from new factors for every fifth step.
    pub fn kronecker() -> Self {
        Self::Kronecker { damping: 1e-3, every: 5 }
    }
}

/// Makes a preconditioner at a point: an operator M⁻¹, symmetric and positive definite, close to the inverse of the
/// matrix the method solves with. Implemented by closures that return an operator of their own.
///
/// ```
/// use wengert_optim::linear::DiagonalPreconditioner;
/// use wengert_optim::minimize::Preconditioner;
/// use wengert_optim::{Objective, Operator, Problem};
/// /// By a diagonal that is known from elsewhere.
/// struct Known(Vec<f64>);
/// impl Preconditioner<f64> for Known {
///     fn at<'a>(&'a self, _: &'a dyn Objective<f64>, _: &[f64]) -> Box<dyn Operator<f64> + 'a> {
///         Box::new(DiagonalPreconditioner::new(&self.0, 1e-12))
///     }
/// }
/// let f = Problem::new(2, |x: &[f64]| x[0] * x[0] + 2.0 * x[1] * x[1]);
/// let (known, mut out) = (Known(vec![2.0, 4.0]), [0.0; 2]);
/// known.at(&f, &[0.0, 0.0]).apply(&[2.0, 4.0], &mut out);
/// assert_eq!(out, [1.0, 1.0]);
/// ```
pub trait Preconditioner<T: Float> {
    /// M⁻¹ for `objective` at `x`. Evaluations made here are not counted.
    fn at<'a>(&'a self, objective: &'a dyn Objective<T>, x: &[T]) -> Box<dyn Operator<T> + 'a>;
}

impl<T: Float, F: Fn(&dyn Objective<T>, &[T]) -> Box<dyn Operator<T>>> Preconditioner<T> for F {
    fn at<'a>(&'a self, objective: &'a dyn Objective<T>, x: &[T]) -> Box<dyn Operator<T> + 'a> {
        self(objective, x)
    }
}

/// An objective with a [preconditioner](Preconditioner) of the user's own, which [`TrustRegionNewton`](super::TrustRegionNewton),
/// [`NewtonCg`](super::NewtonCg) and [`HessianFree`](super::HessianFree) take.
///
/// ```
/// use wengert_optim::linear::DiagonalPreconditioner;
/// use wengert_optim::{Method, NewtonCg, Objective, Operator, Preconditioned, Problem};
///
/// // ½ Σ i xᵢ², whose Hessian is its diagonal: one conjugate gradient instead of a hundred.
/// let bowl = Problem::new(100, |x: &[f64]| x.iter().enumerate().map(|(i, x)| 0.5 * (i + 1) as f64 * x * x).sum())
///     .with_gradient(|x, g| for (i, (g, x)) in g.iter_mut().zip(x).enumerate() { *g = (i + 1) as f64 * x; })
///     .with_hvp(|_, v, out| for (i, (out, v)) in out.iter_mut().zip(v).enumerate() { *out = (i + 1) as f64 * v; });
/// let diagonal: Vec<f64> = (1..=100).map(f64::from).collect();
/// let preconditioned = Preconditioned::new(bowl, move |_: &dyn Objective<f64>, _: &[f64]| -> Box<dyn Operator<f64>> {
///     Box::new(DiagonalPreconditioner::new(&diagonal, 1e-6))
/// });
/// let outcome = NewtonCg::default().minimize(&preconditioned, &[1.0; 100]).unwrap();
/// assert!(outcome.converged() && outcome.iterations == 1);
/// ```
#[derive(Clone, Debug)]
pub struct Preconditioned<O, P> {
    objective: O,
    preconditioner: P,
}

impl<O, P> Preconditioned<O, P> {
    /// `objective` with `preconditioner`.
    pub fn new(objective: O, preconditioner: P) -> Self {
        Self { objective, preconditioner }
    }
}

impl<T: Float, O: Objective<T>, P: Preconditioner<T>> Objective<T> for Preconditioned<O, P> {
    passed_on!(self => self.objective; curvature(want, x) match want {
        Want::Preconditioner => Some(CurvatureAt::Operator(self.preconditioner.at(&self.objective, x))),
        _ => self.objective.curvature(want, x),
    });
}

/// M⁻¹.
type Inverse<'a, T> = Box<dyn Operator<T> + 'a>;

/// What [`Preconditioning`] remembers between iterations.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct PreconditioningMemory<T: Float> {
    pairs: CurvaturePairs<T>,
    /// Frees the preconditioner from the scale of f, so that the ellipsoid of a radius keeps its size from step to step.
    factor: f64,
    kronecker: Option<KroneckerInverse<T>>,
    /// Steps solved for so far.
    steps: u64,
}

impl<T: Float> PreconditioningMemory<T> {
    /// Whether one from a checkpoint can be gone on from.
    pub(super) fn check(&self, dimension: usize) -> Result<(), MinimizeError> {
        self.pairs.check(dimension)?;
        Field("factor").positive(self.factor)?;
        self.kronecker.as_ref().map_or(Ok(()), |inverse| inverse.check(dimension))
    }

    pub(super) fn begin(
        kind: Preconditioning,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
    ) -> Result<Self, MinimizeError> {
        let n = at.point.len();
        let capacity = if let Preconditioning::Lbfgs(capacity) = kind { capacity } else { 0 };
        let mut memory =
            Self { pairs: CurvaturePairs::new(n, capacity), factor: 1.0, kronecker: None, steps: 0 };
        if let Preconditioning::Kronecker { damping, .. } = kind {
            let factors = problem.kronecker(&at.point, 0).ok_or(MinimizeError::Missing {
                method: "Preconditioning::Kronecker",
                what: "Kronecker factors",
            })?;
            MinimizeError::length("the Kronecker factors", factors.dimension(), n)?;
            memory.invert(&factors, damping);
        }
        if kind == Preconditioning::Given
            && let Some(inverse) = problem.preconditioner(&at.point)
        {
            MinimizeError::length("the preconditioner", inverse.dimension(), n)?;
            let mut z = vec![T::ZERO; n];
            inverse.apply(&at.gradient, &mut z);
            let ratio = vector::norm(&at.gradient) / vector::norm(&z);
            memory.factor = if ratio.is_finite() && ratio > 0.0 { ratio } else { 1.0 };
        }
        Ok(memory)
    }

    /// (K + λI)⁻¹, kept for the next iterates; none if it cannot be had.
    fn invert(&mut self, factors: &Kronecker<T>, damping: f64) {
        let diagonal = factors.diagonal();
        let mean = diagonal.iter().map(|d| d.to_f64()).sum::<f64>() / diagonal.len() as f64;
        let usable = mean > 0.0 && mean.is_finite();
        self.kronecker = if usable { factors.exact_inverse(damping * mean) } else { None };
        self.factor = if usable { mean } else { 1.0 };
    }

    /// Renews the Kronecker factors where it is time.
    fn renew(&mut self, damping: f64, every: u64, problem: &Counted<'_, T>, x: &[T]) {
        let due = self.steps > 0 && self.steps.is_multiple_of(every);
        if due && let Some(factors) = problem.kronecker(x, self.steps) {
            self.invert(&factors, damping);
        }
        self.steps = self.steps.saturating_add(1);
    }

    /// M⁻¹ for `matrix` at `x`, and the matrix so that its products are remembered where they are of use.
    pub(super) fn split<'a, A: Operator<T>>(
        &'a mut self,
        kind: Preconditioning,
        problem: &'a Counted<'_, T>,
        x: &[T],
        matrix: A,
    ) -> (Option<Inverse<'a, T>>, Recording<'a, T, A>) {
        if let Preconditioning::Kronecker { damping, every } = kind {
            self.renew(damping, every, problem, x);
        }
        let inverse: Option<Inverse<'a, T>> = match kind {
            Preconditioning::None => None,
            Preconditioning::Kronecker { .. } => {
                let inverse = self.kronecker.as_ref();
                inverse.map(|inverse| Box::new(ScaledOperator::new(inverse, self.factor)) as Inverse<'a, T>)
            }
            Preconditioning::Given => problem
                .preconditioner(x)
                .map(|inverse| Box::new(ScaledOperator::new(inverse, self.factor)) as Inverse<'a, T>),
            Preconditioning::Diagonal => {
                let diagonal = matrix.diagonal();
                let largest = vector::norm_inf(&diagonal);
                // Without curvature there is nothing to scale by, and nothing indefinite about it.
                let flat = largest < T::MIN_POSITIVE.to_f64().sqrt();
                let inverse = || ScaledOperator::new(DiagonalPreconditioner::new(&diagonal, 1e-6), largest);
                (!flat).then(|| Box::new(inverse()) as Inverse<'a, T>)
            }
            Preconditioning::Lbfgs(_) if self.pairs.is_empty() => None,
            Preconditioning::Lbfgs(_) => {
                let inverse = self.pairs.clone();
                let factor = 1.0 / inverse.scaling();
                Some(Box::new(ScaledOperator::new(inverse, factor)))
            }
        };
        (inverse, Recording { matrix, pairs: RefCell::new(&mut self.pairs) })
    }
}

/// An operator that keeps its latest products as curvature pairs.
pub(super) struct Recording<'a, T: Float, A> {
    matrix: A,
    pairs: RefCell<&'a mut CurvaturePairs<T>>,
}

impl<T: Float, A: Operator<T>> Operator<T> for Recording<'_, T, A> {
    fn dimension(&self) -> usize {
        self.matrix.dimension()
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        self.matrix.apply(v, out);
        // Without room for pairs this does nothing.
        self.pairs.borrow_mut().push(v, out);
    }
}
