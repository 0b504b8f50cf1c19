use wengert_tensor::linalg::{LinalgError, Lu, solve_transposed_with, solve_with};
use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::matrices::{self, each, expect};
use crate::op::{Cotangents, Op, Point, Saves, apply_known, rules_compiled_here};
use crate::profile::Timing;
use crate::var::Var;

/// The packed factors of P S⁻¹A = L U, in the row behind them the order of the rows of A, and in a last one the diagonal S,
/// powers of two by which rows are divided where products with them might leave the range of numbers, and else 1. It has no derivative: what is computed with
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
        each(self.operation, [a], [n + 2, n], &move |[a], out| {
            let scales = scales(a, n);
            let lu = Lu::new(over(&scales, a, n), n, n)?;
            if let (true, Some(row)) = (regular, lu.singular_row()) {
                return Err(LinalgError::Singular { row });
            }
            out[..n * n].copy_from_slice(lu.packed());
            let order = lu.order().iter().map(|&row| T::from_usize(row as usize));
            out[n * n..].iter_mut().zip(order.chain(scales)).for_each(|(out, row)| *out = row);
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

/// What the rows of A are divided by.
fn scales<T: Float>(a: &[T], n: usize) -> Vec<T> {
    let far = T::MAX.sqrt();
    if a.iter().all(|x| x.abs() <= far) {
        return vec![T::ONE; n];
    }
    let (least, most) = (T::MIN_POSITIVE.to_f64().log2(), T::MAX.to_f64().log2() - 1.0);
    let of_row = |row: &[T]| {
        let largest = row.iter().fold(T::ZERO, |largest, x| largest.maximum(x.abs()));
        let exponent = largest.to_f64().log2().floor().clamp(least, most);
        if largest == T::ZERO { T::ONE } else { T::from_f64(exponent.exp2()) }
    };
    a.chunks_exact(n).map(of_row).collect()
}

/// S⁻¹B.
fn over<T: Float>(scales: &[T], b: &[T], columns: usize) -> Vec<T> {
    let rows = scales.iter().zip(b.chunks_exact(columns.max(1)));
    rows.flat_map(|(&scale, row)| row.iter().map(move |&x| x / scale)).collect()
}

/// The order of the rows.
fn order<T: Float>(factors: &[T], n: usize) -> Vec<u32> {
    factors[n * n..][..n].iter().map(|&row| row.to_f64() as u32).collect()
}

/// What the rows were divided by, but for ones.
pub(super) fn scales_of<T: Float>(factors: &[T], n: usize) -> impl Iterator<Item = T> {
    factors[n * n + n..].iter().copied().filter(|&scale| scale != T::ONE)
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
        let scales = scales_of(factors, n).next().map(|_| &factors[n * n + n..]);
        match (transposed, scales) {
            (false, None) => solve_with(packed, &order, b, columns, x),
            (false, Some(scales)) => solve_with(packed, &order, &over(scales, b, columns), columns, x),
            (true, scales) => {
                solve_transposed_with(packed, &order, b, columns, x);
                if let Some(scales) = scales {
                    let scaled = over(scales, x, columns);
                    x.copy_from_slice(&scaled);
                }
            }
        }
        Ok(())
    }))
}
