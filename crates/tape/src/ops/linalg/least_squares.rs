use std::cmp::Ordering;

use wengert_tensor::linalg::{LinalgError, Triangle, dependent_row};
use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::factors::factors;
use super::matrices::{self, each, with_one_batch};
use super::solve::solve_with_factors;
use super::triangular::{UPPER, solve_triangle};
use crate::class::{Decision, decision};
use crate::data::Data;
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::var::Var;

/// The matrices of full rank, by the diagonals of their triangular factors.
fn check_rank<T: Float>(r: &Var<T>) -> Result<(), MatrixError> {
    let n = r.shape()[r.rank() - 1];
    let check = |[r]: [&[T]; 1], _: &mut [T]| match dependent_row(r, n) {
        Some(row) => Err(LinalgError::Singular { row }),
        None => Ok(()),
    };
    each("lstsq", [r.value()], [0, 0], &check).map(drop)
}

impl<T: Float> Var<T> {
    /// The X that makes ‖A X − B‖ least, by QR factorisation, or of a square A by elimination, for m × n matrices of full rank in
    /// the last two axes and `b` of shape `[…, m, k]` or a vector `[m]`; with more columns than rows the smallest X of those that
    /// solve A X = B. For matrices of any rank, `a.pinv(None)?.matmul(&b)`.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// // The line through (0, 1), (1, 3), (2, 5).
    /// let a = Var::from([[1.0f64, 0.0], [1.0, 1.0], [1.0, 2.0]]);
    /// let x = a.lstsq(&Var::from([1.0, 3.0, 5.0]))?;
    /// assert!((x - Var::from([1.0, 2.0])).abs().max().item() < 1e-14);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// If a matrix is not of full rank to working precision, or not finite.
    ///
    /// # Panics
    /// If `b` has another number of rows or a batch that does not broadcast.
    #[doc(alias = "linalg.lstsq")]
    #[track_caller]
    pub fn lstsq(&self, b: &Var<T>) -> Result<Var<T>, MatrixError> {
        let [m, n] = matrices::size("lstsq", self.shape());
        if b.rank() == 1 {
            return Ok(self.lstsq(&b.unsqueeze(1))?.squeeze(-1));
        }
        let [rows, _] = matrices::size("lstsq", b.shape());
        assert!(rows == m, "lstsq: shapes {} and {} have different numbers of rows", self.shape(), b.shape());
        let (a, b) = with_one_batch("lstsq", self, b);
        if m == n {
            return Ok(solve_with_factors(&a, &b, &factors("lstsq", &a, true)?, false));
        }
        let unit = matrices::unit(&a);
        Ok(full_rank(&(a / &unit), &b)? / unit)
    }
}

/// How much larger than another a row must be for their order to matter.
const VERY: f64 = 256.0;

/// The rows of each matrix, the largest first, `[…, m, 1]`: those of weighted observations, which reflections then do not mix
/// with what is rounding of heavier ones (Cox and Higham, 1998). `None` if none is much larger than another.
fn heaviest_first<T: Float>(a: &Tensor<T>) -> Option<Tensor<u32>> {
    let [m, _] = matrices::size("lstsq", a.shape());
    if a.is_empty() {
        return None;
    }
    let sizes = a.abs().max_axes(-1, true);
    if sizes.min().item() * T::from_f64(VERY) > sizes.max().item() {
        return None;
    }
    let all = sizes.to_vec();
    let orders = all.chunks_exact(m).flat_map(|sizes| {
        let mut order: Vec<u32> = (0..m as u32).collect();
        let size = |i: u32| sizes[i as usize];
        order.sort_by(|&i, &j| size(j).partial_cmp(&size(i)).unwrap_or(Ordering::Equal));
        order
    });
    Some(Tensor::vector(&orders.collect::<Vec<u32>>()).reshape(sizes.shape()))
}

/// That order, or the rows' own where it does not matter, repeated for each of `columns` columns: a replay finds it anew.
struct RowOrder {
    columns: usize,
    /// The place of each row in it instead of the row in each place.
    places: bool,
}

impl RowOrder {
    /// The rows of `x` in the order of those of `a`.
    fn of<T: Float>(a: &Var<T>, x: &Var<T>, places: bool) -> Var<T> {
        let columns = x.shape()[x.rank() - 1];
        x.gather(-2, decision(RowOrder { columns, places }, &[a], &[]))
    }
}

impl<T: Float> Decision<T> for RowOrder {
    type Element = u32;
    fn name(&self) -> &str {
        "row_order"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("columns", self.columns);
        attributes.set("places", self.places);
    }
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        let [m, _] = matrices::size("lstsq", inputs[0].shape());
        let batch = matrices::batch(inputs[0].shape());
        let order = heaviest_first(inputs[0]).map(|order| if self.places { places(&order) } else { order });
        let order = order.unwrap_or_else(|| {
            let own: Vec<u32> = (0..m as u32).collect();
            Tensor::vector(&own).reshape([m, 1])
        });
        order.broadcast_to(matrices::of_size(batch, [m, self.columns]))
    }
    rules_compiled_here!(RowOrder in DecisionOp);
}

/// The matrices, as constants, with each row divided by its size: of the same rank, which their factors then tell.
fn in_one_unit<T: Float>(a: &Var<T>) -> Var<T> {
    let a = a.stop_gradient();
    let sizes = a.abs().max_axes(-1, true).clamp(T::MIN_POSITIVE.to_f64(), T::MAX.to_f64());
    a / sizes
}

/// Where in that order each row is.
fn places(rows: &Tensor<u32>) -> Tensor<u32> {
    let (m, all) = (rows.dim(-2), rows.to_vec());
    let mut places = vec![0; rows.len()];
    for (places, rows) in places.chunks_exact_mut(m).zip(all.chunks_exact(m)) {
        rows.iter().zip(0..).for_each(|(&row, place)| places[row as usize] = place);
    }
    Tensor::vector(&places).reshape(rows.shape())
}

/// The least squares of matrices of full rank.
fn full_rank<T: Float>(a: &Var<T>, b: &Var<T>) -> Result<Var<T>, MatrixError> {
    let [m, n] = matrices::size("lstsq", a.shape());
    let tall = if m >= n { a.clone() } else { a.t() };
    let (q, r) = RowOrder::of(&tall, &tall, false).qr()?;
    let reordered = heaviest_first(tall.value()).is_some();
    check_rank(&if reordered { in_one_unit(&tall).qr()?.1 } else { r.clone() })?;
    if m >= n {
        return Ok(solve_triangle(&r, UPPER, &q.t().full_matmul(&RowOrder::of(&tall, b, false))));
    }
    // Aᵀ = Q R, so that X = Q R⁻ᵀ B is in the space of the rows.
    let x = q.full_matmul(&solve_triangle(&r, Triangle { transposed: true, ..UPPER }, b));
    Ok(RowOrder::of(&tall, &x, true))
}
