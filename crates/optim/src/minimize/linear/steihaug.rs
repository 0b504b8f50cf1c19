use super::conjugate::{Bend, Conjugate};
use super::units::InUnits;
use super::{Settings, Stop, check_ball};
use crate::minimize::operator::Operator;
use crate::minimize::vector::{self, Float, axpy};

/// The approximate minimiser of a quadratic model in a ball: what [`steihaug`] and [`gltr`](super::gltr) return.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::linear::{Settings, Stop, TrustStep, steihaug};
/// let bowl = DenseOperator::with_diagonal(&[1.0f64, 1.0]);
/// let TrustStep { stop, length, reduction, .. } =
///     steihaug(&bowl, &[-3.0, 0.0], 10.0, None, &Settings::default());
/// // The whole Newton step fits into the ball.
/// assert_eq!(stop, Stop::Converged);
/// assert!((length - 3.0).abs() < 1e-12 && (reduction - 4.5).abs() < 1e-12);
/// ```
#[derive(Clone, Debug)]
pub struct TrustStep<T> {
    /// Why the solver stopped.
    pub stop: Stop,
    /// Iterations made.
    pub iterations: usize,
    /// The step.
    pub step: Vec<T>,
    /// Its length in the norm of the ball.
    pub length: f64,
    /// By how much the model falls.
    pub reduction: f64,
    /// Steps in balls of a quarter, a sixteenth … of the radius, where they differ: radius, step and reduction. After a
    /// rejected step they cost nothing.
    pub shorter: Vec<(f64, Vec<T>, f64)>,
}

/// Minimises gᵀs + ½ sᵀHs over ‖s‖ ≤ `radius` along the path of conjugate gradients (Steihaug, 1983; Toint, 1981):
/// stops at the boundary, or goes to it along the first direction of curvature that is not positive.
///
/// With a preconditioner, which applies M⁻¹, the ball is that of the M-norm.
///
/// # Panics
/// If the lengths differ, or the radius or a setting means nothing: negative or not a number, no iterations.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::linear::{Settings, Stop, steihaug};
/// let bowl = DenseOperator::with_diagonal(&[1.0f64, 1.0]);
/// let found = steihaug(&bowl, &[-3.0, 0.0], 1.0, None, &Settings::default());
/// assert_eq!((found.stop, &found.step[..]), (Stop::Boundary, &[1.0, 0.0][..]));
/// ```
#[track_caller]
pub fn steihaug<T: Float>(
    hessian: &dyn Operator<T>,
    gradient: &[T],
    radius: f64,
    preconditioner: Option<&dyn Operator<T>>,
    settings: &Settings,
) -> TrustStep<T> {
    let n = gradient.len();
    check_ball("steihaug", hessian, gradient, radius, settings);
    if let Some(model) = InUnits::of(hessian, gradient) {
        let mut solved = steihaug(&model, &model.vector, radius, preconditioner, settings);
        solved.reduction *= model.unit;
        solved.shorter.iter_mut().for_each(|(_, _, reduction)| *reduction *= model.unit);
        return solved;
    }
    let mut path = Path {
        step: vec![T::ZERO; n],
        reduction: 0.0,
        square: 0.0,
        radii: (1..4).map(|k| radius * 0.25f64.powi(k)).collect(),
        shorter: Vec::new(),
    };
    let mut gradients = Conjugate::new(gradient.to_vec(), preconditioner);
    // ‖p‖² and sᵀp in the norm of the ball, by recurrence.
    let (mut pp, mut sp) = (gradients.rz, 0.0);
    let target = settings.tolerance * vector::norm(gradient);
    let mut iterations = 0;
    let limit = settings.limit(n);
    let stop = loop {
        if let Some(stop) = gradients.ended(vector::norm(&gradients.residual), target) {
            break stop;
        }
        if iterations == limit {
            break Stop::MaxIterations;
        }
        iterations += 1;
        let rz = gradients.rz;
        let (curvature, alpha) = match gradients.bend(hessian) {
            Bend::Positive(bend) => (bend, rz / bend),
            Bend::NotPositive(bend) => (bend, f64::INFINITY),
            Bend::NonFinite => break Stop::NonFinite,
        };
        let leg = Leg { p: &gradients.direction, rz, curvature, pp, sp };
        let inside = alpha.is_finite() && path.square + alpha * (2.0 * sp + alpha * pp) < radius * radius;
        path.note_crossings(&leg, alpha);
        if !inside {
            let tau = leg.crossing(path.square, radius);
            path.walk(&leg, tau);
            break if alpha == f64::INFINITY { Stop::NegativeCurvature } else { Stop::Boundary };
        }
        path.walk(&leg, alpha);
        let (beta, next) = gradients.go_on(alpha);
        (sp, pp) = (beta * (sp + alpha * pp), next + beta * beta * pp);
    };
    // Largest radius first, as they are tried.
    path.shorter.reverse();
    TrustStep {
        stop,
        iterations,
        length: if path.square < 0.0 { 0.0 } else { path.square.sqrt() },
        step: path.step,
        reduction: path.reduction,
        shorter: path.shorter,
    }
}

/// One conjugate direction and what is known of it.
struct Leg<'a, T> {
    p: &'a [T],
    /// −gᵀp at this point of the path.
    rz: f64,
    curvature: f64,
    pp: f64,
    sp: f64,
}

impl<T> Leg<'_, T> {
    /// The positive τ with ‖s + τp‖ = `radius`.
    fn crossing(&self, square: f64, radius: f64) -> f64 {
        let c = (radius * radius - square).max(0.0);
        let root = (self.sp * self.sp + self.pp * c).sqrt();
        // The form without cancellation.
        if self.sp > 0.0 { c / (self.sp + root) } else { (root - self.sp) / self.pp }
    }
}

struct Path<T> {
    step: Vec<T>,
    reduction: f64,
    square: f64,
    /// Smaller radii not yet crossed, largest first.
    radii: Vec<f64>,
    shorter: Vec<(f64, Vec<T>, f64)>,
}

impl<T: Float> Path<T> {
    fn fall(&self, leg: &Leg<'_, T>, tau: f64) -> f64 {
        self.reduction + tau * (leg.rz - 0.5 * tau * leg.curvature)
    }

    fn walk(&mut self, leg: &Leg<'_, T>, tau: f64) {
        self.reduction = self.fall(leg, tau);
        axpy(tau, leg.p, &mut self.step);
        self.square += tau * (2.0 * leg.sp + tau * leg.pp);
    }

    /// Keeps the points where the leg up to `alpha` leaves the smaller balls: the path only ever moves outwards.
    fn note_crossings(&mut self, leg: &Leg<'_, T>, alpha: f64) {
        while let Some(&radius) = self.radii.last() {
            let tau = leg.crossing(self.square, radius);
            if tau > alpha {
                break;
            }
            let mut step = self.step.clone();
            axpy(tau, leg.p, &mut step);
            self.shorter.push((radius, step, self.fall(leg, tau)));
            self.radii.pop();
        }
    }
}
