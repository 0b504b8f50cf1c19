use crate::minimize::operator::Operator;
use crate::minimize::vector::{self, Float};

/// Division by a positive diagonal (Jacobi): M⁻¹ for [`cg`](super::cg), [`minres`](super::minres) and the trust
/// region methods.
#[derive(Clone, Debug, PartialEq)]
pub struct DiagonalPreconditioner<T> {
    inverse: Vec<T>,
}

impl<T: Float> DiagonalPreconditioner<T> {
    /// From the diagonal of the matrix. Elements that are not positive, or are tiny beside the largest, are replaced
    /// by `floor` times the largest absolute element, so that M is positive definite whatever the matrix, but for elements that
    /// are not numbers, which solvers then find.
    ///
    /// # Panics
    /// If `floor` is negative or not finite.
    #[track_caller]
    pub fn new(diagonal: &[T], floor: f64) -> Self {
        assert!(floor >= 0.0 && floor.is_finite(), "DiagonalPreconditioner: a floor of {floor}");
        let least = (floor * vector::norm_inf(diagonal)).max(T::MIN_POSITIVE.to_f64().sqrt());
        // `max` would take the floor for what is not a number, and so hide it from the solver.
        let lifted = |d: f64| if d.abs() < least { least } else { d.abs() };
        Self { inverse: diagonal.iter().map(|d| T::from_f64(1.0 / lifted(d.to_f64()))).collect() }
    }
}

impl<T: Float> Operator<T> for DiagonalPreconditioner<T> {
    fn dimension(&self) -> usize {
        self.inverse.len()
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        out.copy_from_slice(v);
        vector::multiply(&self.inverse, out);
    }
    fn diagonal(&self) -> Vec<T> {
        self.inverse.clone()
    }
}
