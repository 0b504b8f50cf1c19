use super::{Settings, Solve, Stop, check_input, precondition, residual};
use crate::minimize::operator::Operator;
use crate::minimize::rounding;
use crate::minimize::vector::{self, Float, axpy, dot, scale};

/// MINRES (Paige and Saunders, 1975) for symmetric A x = b from the start in `x`: A may be indefinite, and for a
/// singular A it converges to a least-squares solution ([`Stop::LeastSquares`]).
///
/// `preconditioner` applies M⁻¹, symmetric positive definite; the residual is then measured in the M⁻¹-norm.
///
/// # Panics
/// If the lengths differ, or a setting means nothing: a tolerance that is negative or not finite, no iterations.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::linear::{Settings, minres};
/// // Indefinite, where conjugate gradients give up.
/// let mut x = [0.0; 2];
/// let solved = minres(&DenseOperator::with_diagonal(&[2.0f64, -4.0]), &[2.0, 4.0], &mut x, None, &Settings::default());
/// assert!(solved.converged() && (x[0] - 1.0).abs() < 1e-10 && (x[1] + 1.0).abs() < 1e-10);
/// ```
#[track_caller]
pub fn minres<T: Float>(
    a: &dyn Operator<T>,
    b: &[T],
    x: &mut [T],
    preconditioner: Option<&dyn Operator<T>>,
    settings: &Settings,
) -> Solve {
    check_input("minres", a, b, x, settings);
    let mut lanczos = match Lanczos::new(a, preconditioner, b, x) {
        Ok(lanczos) => lanczos,
        Err(failed) => return failed,
    };
    precondition(preconditioner, b, &mut lanczos.av);
    let target = settings.tolerance * dot(b, &lanczos.av).max(0.0).sqrt();
    let mut directions = Directions::new(b.len());
    let mut rotations = Rotations { cos: 1.0, sin: 0.0, cos_old: 1.0, sin_old: 0.0 };
    let mut phi = lanczos.beta;
    let mut frobenius: f64 = 0.0;
    let limit = settings.limit(b.len());
    let mut iterations = 0;
    let stop = loop {
        if phi.abs() <= target {
            break Stop::Converged;
        }
        if lanczos.beta == 0.0 {
            break Stop::Breakdown;
        }
        if iterations == limit {
            break Stop::MaxIterations;
        }
        iterations += 1;
        let coupling = lanczos.coupling;
        let Some(alpha) = lanczos.step(&mut directions.next) else { break Stop::NonFinite };
        let beta = lanczos.beta;
        frobenius = frobenius.hypot(alpha).hypot(beta);
        let (epsilon, delta, gamma_bar) = rotations.column(coupling, alpha);
        // ‖A r‖ = ‖r‖ ‖(γ̄, c β₊)‖ with the residual r of the step before: small where r is not, if there is no solution.
        let least = settings.tolerance.max(rounding::relative::<T>(1.0)) * frobenius;
        if gamma_bar.hypot(rotations.cos * beta) <= least {
            break Stop::LeastSquares;
        }
        let gamma = rotations.eliminate(gamma_bar, beta);
        directions.complete(epsilon, delta, gamma);
        axpy(rotations.cos * phi, &directions.next, x);
        phi *= -rotations.sin;
        directions.pass_on();
    };
    Solve { stop, iterations, residual: phi.abs() }
}

/// The Lanczos process for M⁻¹A: vectors before preconditioning (v) and after (z), of this and the previous step.
struct Lanczos<'a, T: Float> {
    a: &'a dyn Operator<T>,
    preconditioner: Option<&'a dyn Operator<T>>,
    v: Vec<T>,
    v_old: Vec<T>,
    z: Vec<T>,
    av: Vec<T>,
    beta: f64,
    /// β in the tridiagonal's next column: 0 in its first.
    coupling: f64,
}

impl<'a, T: Float> Lanczos<'a, T> {
    /// From the residual of x; or why there is nothing to solve with.
    fn new(
        a: &'a dyn Operator<T>,
        preconditioner: Option<&'a dyn Operator<T>>,
        b: &[T],
        x: &[T],
    ) -> Result<Self, Solve> {
        let [mut v, v_old, mut z, av] = std::array::from_fn(|_| vec![T::ZERO; b.len()]);
        residual(a, b, x, &mut v);
        precondition(preconditioner, &v, &mut z);
        let square = dot(&v, &z);
        if !square.is_finite() {
            return Err(Solve { stop: Stop::NonFinite, iterations: 0, residual: square });
        }
        if square < 0.0 {
            let residual = vector::norm(&v);
            return Err(Solve { stop: Stop::IndefinitePreconditioner, iterations: 0, residual });
        }
        Ok(Lanczos { a, preconditioner, v, v_old, z, av, beta: square.sqrt(), coupling: 0.0 })
    }

    /// β₊ v₊ = A z − α v − β v₋ with z = M⁻¹v, scaled so that zᵀv = 1. Returns α, if that and β₊ are finite, and hands out z,
    /// which the next replaces.
    fn step(&mut self, direction: &mut [T]) -> Option<f64> {
        scale(1.0 / self.beta, &mut self.z);
        scale(1.0 / self.beta, &mut self.v);
        self.a.apply(&self.z, &mut self.av);
        let alpha = dot(&self.z, &self.av);
        axpy(-alpha, &self.v, &mut self.av);
        axpy(-self.coupling, &self.v_old, &mut self.av);
        std::mem::swap(&mut self.v_old, &mut self.v);
        std::mem::swap(&mut self.v, &mut self.av);
        direction.copy_from_slice(&self.z);
        precondition(self.preconditioner, &self.v, &mut self.z);
        let square = dot(&self.v, &self.z);
        if !square.is_finite() || !alpha.is_finite() {
            return None;
        }
        self.beta = square.max(0.0).sqrt();
        self.coupling = self.beta;
        Some(alpha)
    }
}

/// The last two Givens rotations of the tridiagonal's columns.
struct Rotations {
    cos: f64,
    sin: f64,
    cos_old: f64,
    sin_old: f64,
}

impl Rotations {
    /// A column of the tridiagonal, (β, α, β₊), after the two rotations: (ε, δ, γ̄).
    fn column(&self, coupling: f64, alpha: f64) -> (f64, f64, f64) {
        let epsilon = self.sin_old * coupling;
        let partly = self.cos_old * coupling;
        let delta = self.cos * partly + self.sin * alpha;
        let gamma_bar = self.cos * alpha - self.sin * partly;
        (epsilon, delta, gamma_bar)
    }

    /// The rotation that eliminates β₊; returns γ.
    fn eliminate(&mut self, gamma_bar: f64, beta: f64) -> f64 {
        let gamma = gamma_bar.hypot(beta);
        (self.cos_old, self.sin_old) = (self.cos, self.sin);
        (self.cos, self.sin) = (gamma_bar / gamma, beta / gamma);
        gamma
    }
}

/// The last two directions and the one that is made of them.
struct Directions<T> {
    last: Vec<T>,
    before: Vec<T>,
    next: Vec<T>,
}

impl<T: Float> Directions<T> {
    fn new(n: usize) -> Self {
        let [last, before, next] = std::array::from_fn(|_| vec![T::ZERO; n]);
        Directions { last, before, next }
    }

    /// (z − δ d − ε d₋)/γ, where z stands in its place.
    fn complete(&mut self, epsilon: f64, delta: f64, gamma: f64) {
        axpy(-delta, &self.last, &mut self.next);
        axpy(-epsilon, &self.before, &mut self.next);
        scale(1.0 / gamma, &mut self.next);
    }

    fn pass_on(&mut self) {
        std::mem::swap(&mut self.before, &mut self.last);
        std::mem::swap(&mut self.last, &mut self.next);
    }
}
