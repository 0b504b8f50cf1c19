//! The step that all methods of conjugate gradients share.

use super::{Stop, is_positive, not_positive, precondition};
use crate::minimize::operator::Operator;
use crate::minimize::vector::{self, Float, axpby, axpy, dot};

/// Conjugate gradients on ½ xᵀAx + gᵀx between two products (Hestenes and Stiefel, 1952). Where x is, and how far along each
/// direction it goes, is the caller's affair.
pub(crate) struct Conjugate<'a, T> {
    inverse: Option<&'a dyn Operator<T>>,
    /// r = A x + g.
    pub(crate) residual: Vec<T>,
    /// z = M⁻¹ r.
    z: Vec<T>,
    /// p.
    pub(crate) direction: Vec<T>,
    /// A p.
    product: Vec<T>,
    /// rᵀz, which is −pᵀr too.
    pub(crate) rz: f64,
}

/// pᵀAp.
pub(crate) enum Bend {
    /// It is this.
    Positive(f64),
    /// It counts as not positive.
    NotPositive(f64),
    /// It is infinite or NaN.
    NonFinite,
}

impl<'a, T: Float> Conjugate<'a, T> {
    /// From the residual at the start, with M⁻¹.
    pub(crate) fn new(residual: Vec<T>, inverse: Option<&'a dyn Operator<T>>) -> Self {
        let n = residual.len();
        let mut z = vec![T::ZERO; n];
        precondition(inverse, &residual, &mut z);
        let mut direction = z.clone();
        vector::scale(-1.0, &mut direction);
        let rz = dot(&residual, &z);
        Self { inverse, residual, z, direction, product: vec![T::ZERO; n], rz }
    }

    /// Why there is no further step where ‖r‖ is `norm`, if there is none: it is as small as wanted, or something is not a number
    /// or not positive that should be.
    pub(crate) fn ended(&self, norm: f64, target: f64) -> Option<Stop> {
        if norm <= target {
            Some(Stop::Converged)
        } else if !norm.is_finite() {
            Some(Stop::NonFinite)
        } else if !is_positive(self.rz) {
            Some(Stop::IndefinitePreconditioner)
        } else {
            None
        }
    }

    /// Takes the product with the direction.
    pub(crate) fn bend(&mut self, a: &dyn Operator<T>) -> Bend {
        a.apply(&self.direction, &mut self.product);
        let bend = dot(&self.direction, &self.product);
        if !bend.is_finite() {
            Bend::NonFinite
        } else if not_positive(bend, &self.direction, &self.product) {
            Bend::NotPositive(bend)
        } else {
            Bend::Positive(bend)
        }
    }

    /// Goes on from x + α p to the next direction, −z + β p. Returns β and rᵀz there.
    pub(crate) fn go_on(&mut self, alpha: f64) -> (f64, f64) {
        axpy(alpha, &self.product, &mut self.residual);
        precondition(self.inverse, &self.residual, &mut self.z);
        let next = dot(&self.residual, &self.z);
        let beta = next / self.rz;
        axpby(-1.0, &self.z, beta, &mut self.direction);
        self.rz = next;
        (beta, next)
    }
}
