use wengert_tensor::linalg::{LinalgError, Lu, solve_transposed_with, solve_with};
use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::matrices::{self, each, expect};
use crate::op::{Cotangents, Op, Point, Saves, apply_known, rules_compiled_here};
use crate::profile::Timing;
use crate::var::Var;

/// The packed factors of P S⁻¹A C⁻¹ = L U, in the row behind them the order of the rows of A, and in two last ones the diagonals
/// S and C: powers of two by which rows and columns are divided where products of elements might leave the range of numbers,
/// and else 1. It has no derivative: what is computed with it is given A too, and has its whole derivative there.
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
            let scales = Scales::of(a, n);
            let lu = Lu::new(scales.divide(a), n, n)?;
            if let (true, Some(row)) = (regular, lu.singular_row()) {
                return Err(LinalgError::Singular { row });
            }
            out[..n * n].copy_from_slice(lu.packed());
            let order = lu.order().iter().map(|&row| T::from_usize(row as usize));
            out[n * n..].iter_mut().zip(order.chain(scales.numbers())).for_each(|(out, row)| *out = row);
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

/// The exponents of the powers of two that rows and columns are divided by, if any.
struct Scales {
    n: usize,
    exponents: Option<[Vec<i32>; 2]>,
}

impl Scales {
    /// Those that bring the largest element of each row and column near 1: again and again each row and column is divided by the
    /// root of its largest (D. Ruiz, "A scaling algorithm to equilibrate both rows and columns norms in matrices", 2001).
    fn of<T: Float>(a: &[T], n: usize) -> Self {
        let far = T::MAX.sqrt();
        if a.iter().all(|x| x.abs() <= far) {
            return Scales { n, exponents: None };
        }
        let logarithms: Vec<Option<i32>> = a
            .iter()
            .map(|x| x.to_f64().abs())
            .map(|x| (x > 0.0 && x.is_finite()).then(|| x.log2().floor() as i32))
            .collect();
        let mut exponents = [vec![0; n], vec![0; n]];
        // Each round halves what is left of the logarithms, which are of at most 12 bits.
        for _ in 0..12 {
            let mut largest = [vec![None; n], vec![None; n]];
            for (e, &logarithm) in logarithms.iter().enumerate() {
                let place = [e / n, e % n];
                let left = logarithm.map(|x| x - exponents[0][place[0]] - exponents[1][place[1]]);
                (0..2).for_each(|side| largest[side][place[side]] = largest[side][place[side]].max(left));
            }
            for (exponents, largest) in exponents.iter_mut().zip(largest) {
                let of_rows = exponents.iter_mut().zip(largest);
                of_rows.for_each(|(exponent, largest)| *exponent += largest.unwrap_or(0) / 2);
            }
        }
        Scales { n, exponents: Some(exponents) }
    }

    /// S⁻¹A C⁻¹.
    fn divide<T: Float>(&self, a: &[T]) -> Vec<T> {
        let Some([rows, columns]) = &self.exponents else { return a.to_vec() };
        let exponent = |e: usize| -rows[e / self.n] - columns[e % self.n];
        a.iter().enumerate().map(|(e, &x)| times_power(x, exponent(e))).collect()
    }

    /// S and C.
    fn numbers<T: Float>(&self) -> Vec<T> {
        let one = |&exponent: &i32| times_power(T::ONE, exponent);
        match &self.exponents {
            None => vec![T::ONE; 2 * self.n],
            Some([rows, columns]) => rows.iter().chain(columns).map(one).collect(),
        }
    }
}

/// x·2ᵉ, in two steps, as the power may be out of range where the product is not.
fn times_power<T: Float>(x: T, exponent: i32) -> T {
    let half = exponent / 2;
    T::from_f64(x.to_f64() * f64::from(half).exp2() * f64::from(exponent - half).exp2())
}

/// B with its rows divided by the scales.
fn over<T: Float>(scales: &[T], b: &[T], columns: usize) -> Vec<T> {
    let rows = scales.iter().zip(b.chunks_exact(columns.max(1)));
    rows.flat_map(|(&scale, row)| row.iter().map(move |&x| x / scale)).collect()
}

/// The order of the rows.
fn order<T: Float>(factors: &[T], n: usize) -> Vec<u32> {
    factors[n * n..][..n].iter().map(|&row| row.to_f64() as u32).collect()
}

/// What the rows and columns were divided by, but for ones.
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
        if scales_of(factors, n).next().is_none() {
            match transposed {
                false => solve_with(packed, &order, b, columns, x),
                true => solve_transposed_with(packed, &order, b, columns, x),
            }
            return Ok(());
        }
        // A⁻¹ = C⁻¹ (S⁻¹A C⁻¹)⁻¹ S⁻¹.
        let (rows, of_columns) = factors[n * n + n..].split_at(n);
        let scaled = match transposed {
            false => {
                solve_with(packed, &order, &over(rows, b, columns), columns, x);
                over(of_columns, x, columns)
            }
            true => {
                solve_transposed_with(packed, &order, &over(of_columns, b, columns), columns, x);
                over(rows, x, columns)
            }
        };
        x.copy_from_slice(&scaled);
        Ok(())
    }))
}
