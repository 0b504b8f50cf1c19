use wengert_tensor::linalg::{LinalgError, Lu, solve_scaled, solve_transposed_with, solve_with};
use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::matrices::{self, each, expect};
use crate::op::{Cotangents, Op, Point, Saves, apply_known, rules_compiled_here};
use crate::profile::Timing;
use crate::var::Var;

/// The packed factors of P R⁻¹A C⁻¹ = L U, in the row behind them the order of the rows of A, and in two last ones the exponents
/// of R and C: of the powers of two by which rows and columns are divided where they are of very different size, or products of
/// elements might leave the range of numbers, and else 0. It has no derivative: what is computed with it is given A too, and has its whole derivative there.
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
        each(self.operation, [a], [n + 3, n], &move |[a], out| {
            let (scales, lu) = Lu::for_solving(a, n)?;
            if let (true, Some(row)) = (regular, lu.singular_row()) {
                return Err(LinalgError::Singular { row });
            }
            out[..n * n].copy_from_slice(lu.packed());
            let order = lu.order().iter().map(|&row| T::from_usize(row as usize));
            out[n * n..].iter_mut().zip(order).for_each(|(out, row)| *out = row);
            let scales =
                scales.map_or_else(|| vec![0; 2 * n], |scales| [scales.rows, scales.columns].concat());
            out[n * n + n..].iter_mut().zip(scales).for_each(|(out, scale)| *out = T::from_f64(scale as f64));
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
    let timing = Timing::start();
    let value = factored.value(a.value())?;
    timing.named::<T>("lu_factors", &[a.shape()], value.shape());
    Ok(apply_known(factored, &[a], &[], value))
}

/// The order of the rows.
fn order<T: Float>(factors: &[T], n: usize) -> Vec<u32> {
    factors[n * n..][..n].iter().map(|&row| row.to_f64() as u32).collect()
}

/// The exponents that the rows and the columns were divided by.
fn scales<T: Float>(factors: &[T], n: usize) -> [Vec<i64>; 2] {
    [1, 2].map(|row| factors[(n + row) * n..][..n].iter().map(|scale| scale.to_f64() as i64).collect())
}

/// The exponent of the determinant of what rows and columns were divided by.
pub(super) fn scale_of<T: Float>(factors: &[T], n: usize) -> i64 {
    scales(factors, n).iter().flatten().sum()
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
        let solve = |b: &[T], x: &mut [T]| match transposed {
            false => solve_with(packed, &order, b, columns, x),
            true => solve_transposed_with(packed, &order, b, columns, x),
        };
        let [of_rows, of_columns] = scales(factors, n);
        if of_rows.iter().chain(&of_columns).all(|&scale| scale == 0) {
            solve(b, x);
        } else {
            let sides = if transposed { [&of_columns[..], &of_rows] } else { [&of_rows[..], &of_columns] };
            solve_scaled(sides, b, x, |x| {
                let right = x.to_vec();
                solve(&right, x);
            });
        }
        Ok(())
    }))
}
