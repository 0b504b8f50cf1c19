use wengert_tensor::linalg::{LinalgError, Lu, solve_transposed_with, solve_with};
use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::matrices::{self, each, expect};
use crate::op::{Cotangents, Op, Point, Saves, apply_known, rules_compiled_here};
use crate::var::Var;

/// The packed factors of P A = L U, and in a last row the order of the rows of A. It has no derivative: what is computed with
/// it is given A too, and has its whole derivative there.
pub(super) struct Factored {
    /// Who asks, for messages.
    operation: &'static str,
    /// Whether a singular matrix is an error.
    regular: bool,
}

impl Factored {
    fn value<T: Float>(&self, a: &Tensor<T>) -> Result<Tensor<T>, MatrixError> {
        let n = matrices::square(self.operation, a.shape());
        let regular = self.regular;
        each(self.operation, [a], [n + 1, n], &move |[a], out| {
            let lu = Lu::new(a.to_vec(), n, n)?;
            if let (true, Some(row)) = (regular, lu.singular_row()) {
                return Err(LinalgError::Singular { row });
            }
            out[..n * n].copy_from_slice(lu.packed());
            let order = lu.order().iter().map(|&row| T::from_usize(row as usize));
            out[n * n..].iter_mut().zip(order).for_each(|(out, row)| *out = row);
            Ok(())
        })
    }
}

impl<T: Float> Op<T> for Factored {
    fn name(&self) -> &str {
        "lu_factors"
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        expect(self.value(inputs[0]))
    }
    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {}
    fn jvp(&self, _: &Point<T>, _: &[Option<Var<T>>]) -> Option<Var<T>> {
        None
    }
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    rules_compiled_here!(Factored);
}

/// The factors of square matrices.
#[track_caller]
pub(super) fn factors<T: Float>(
    operation: &'static str,
    a: &Var<T>,
    regular: bool,
) -> Result<Var<T>, MatrixError> {
    let factored = Factored { operation, regular };
    let value = factored.value(a.value())?;
    Ok(apply_known(factored, &[a], &[], value))
}

/// The order of the rows, from the last row of the factors.
fn order<T: Float>(factors: &[T], n: usize) -> Vec<u32> {
    factors[n * n..].iter().map(|&row| row.to_f64() as u32).collect()
}

/// The determinant of P, 1 or −1, and the diagonal of U.
pub(super) fn sign_and_pivots<T: Float>(factors: &[T], n: usize) -> (T, Vec<T>) {
    let mut order = order(factors, n);
    let mut sign = T::ONE;
    for i in 0..n {
        // Each exchange brings one row home.
        while order[i] as usize != i {
            let home = order[i] as usize;
            order.swap(i, home);
            sign = -sign;
        }
    }
    (sign, factors[..n * n].iter().step_by(n + 1).copied().collect())
}

/// A⁻¹ B or A⁻ᵀ B, given the factors of A; not finite where A is singular.
#[track_caller]
pub(super) fn solved<T: Float>(
    operation: &'static str,
    factors: &Tensor<T>,
    b: &Tensor<T>,
    transposed: bool,
) -> Tensor<T> {
    let [n, columns] = matrices::size(operation, b.shape());
    expect(each(operation, [factors, b], [n, columns], &|[factors, b], x| {
        let (packed, order) = (&factors[..n * n], order(factors, n));
        if transposed {
            solve_transposed_with(packed, &order, b, columns, x);
        } else {
            solve_with(packed, &order, b, columns, x);
        }
        Ok(())
    }))
}
