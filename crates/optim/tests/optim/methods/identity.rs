//! A Jacobian that residuals of one variable each have.

use wengert_optim::minimize::Jacobian;

pub(crate) struct Identity;

impl Jacobian<f64> for Identity {
    fn apply(&self, v: &[f64], out: &mut [f64]) {
        out.copy_from_slice(v);
    }
    fn apply_transpose(&self, u: &[f64], out: &mut [f64]) {
        out.copy_from_slice(u);
    }
}
