use super::lower::Lower;
use super::scales::{Scales, solve_scaled};
use super::{LinalgError, check_right_hand_sides, check_square, triangular};
use crate::array::element::Float;
use crate::compiled_here;
use crate::kernels::gemm::{MatrixMut, MatrixRef, gemm};

/// Columns that are eliminated by plain loops.
const PANEL: usize = 16;

/// P A = L U of an m × n matrix by partial pivoting, by halves, so that most of the work is matrix products (Toledo, 1997).
///
/// ```
/// use wengert_tensor::linalg::{LinalgError, Lu};
///
/// let lu = Lu::new(vec![0.0, 2.0, 4.0, 2.0], 2, 2).unwrap();
/// assert_eq!((lu.packed(), lu.order()), (&[4.0, 2.0, 0.0, 2.0][..], &[1, 0][..]));
/// assert_eq!(lu.solve(&[2.0, 6.0], 1).unwrap(), [1.0, 1.0]);
/// // 9 is 8.99…: what is left of it is rounding.
/// let magic = Lu::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], 3, 3).unwrap();
/// assert_eq!(magic.solve(&[1.0; 3], 1).unwrap_err(), LinalgError::Singular { row: 2 });
/// ```
#[derive(Clone, Debug)]
pub struct Lu<T> {
    m: usize,
    n: usize,
    packed: Vec<T>,
    order: Vec<u32>,
    exchanges: usize,
    /// Of a square matrix whose elements differ by many orders of magnitude: the factors that it is solved with.
    scaled: Option<Box<(Scales, Lu<T>)>>,
}

impl<T: Float> Lu<T> {
    /// The factors of the m × n matrix `a`, row by row. A singular matrix has them too.
    ///
    /// # Errors
    /// [`NotFinite`](LinalgError::NotFinite).
    ///
    /// # Panics
    /// If `a` has not m n elements.
    #[track_caller]
    pub fn new(a: Vec<T>, m: usize, n: usize) -> Result<Self, LinalgError> {
        check_size(&a, m, n);
        let scales = if m == n { Scales::of(&a, n) } else { None };
        let scaled = scales.map(|scales| {
            let divided = scales.divide(&a);
            Self::factored(divided, n, n).map(|lu| Box::new((scales, lu)))
        });
        Ok(Lu { scaled: scaled.transpose()?, ..Self::factored(a, m, n)? })
    }

    /// The factors of R⁻¹A C⁻¹ of an n × n matrix, where it has such scales, and else its own: what it is to be solved with.
    ///
    /// # Errors
    /// [`NotFinite`](LinalgError::NotFinite).
    ///
    /// # Panics
    /// If `a` has not n² elements.
    #[doc(hidden)]
    #[track_caller]
    pub fn for_solving(a: &[T], n: usize) -> Result<(Option<Scales>, Self), LinalgError> {
        check_square("lu", a, n);
        let scales = Scales::of(a, n);
        let divided = scales.as_ref().map_or_else(|| a.to_vec(), |scales| scales.divide(a));
        Ok((scales, Self::factored(divided, n, n)?))
    }

    #[track_caller]
    fn factored(a: Vec<T>, m: usize, n: usize) -> Result<Self, LinalgError> {
        check_size(&a, m, n);
        if !a.iter().all(|x| x.is_finite()) {
            return Err(LinalgError::NotFinite);
        }
        let order = (0..m).map(|i| i as u32).collect();
        let mut lu = Lu { m, n, packed: a, order, exchanges: 0, scaled: None };
        factor(&mut lu);
        Ok(lu)
    }

    /// L below the diagonal, without its ones, and U on and above it; m × n.
    pub fn packed(&self) -> &[T] {
        &self.packed
    }

    /// Row i of P A is row `order[i]` of A.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// 1 or −1, the determinant of P.
    pub fn sign(&self) -> T {
        if self.exchanges.is_multiple_of(2) { T::ONE } else { -T::ONE }
    }

    /// The first row whose pivot is not above the rounding errors of its elimination, (j + 1) ε Σ|l u|.
    ///
    /// ```
    /// use wengert_tensor::linalg::Lu;
    /// assert_eq!(Lu::new(vec![1.0f64, 2.0, 2.0, 4.0], 2, 2)?.singular_row(), Some(1));
    /// # Ok::<(), wengert_tensor::linalg::LinalgError>(())
    /// ```
    pub fn singular_row(&self) -> Option<usize> {
        if let Some(scaled) = &self.scaled {
            return scaled.1.singular_row();
        }
        let (n, a) = (self.n, &self.packed);
        (0..self.m.min(n)).find(|&j| {
            let pivot = a[j * n + j].abs();
            let moved: T = (0..j).map(|k| (a[j * n + k] * a[k * n + j]).abs()).sum();
            // Not NaN either.
            !(pivot > T::from_usize(j + 1) * T::EPSILON * moved && pivot.is_finite())
        })
    }

    /// A⁻¹ B of a square A for a B of `columns` columns, row by row. A whose elements differ by more than 1/ε is solved with in a
    /// unit for each row and column, so that what is singular only beside the largest elements has its solution.
    ///
    /// ```
    /// use wengert_tensor::linalg::Lu;
    /// let lu = Lu::new(vec![1e-200, 1e200, 1.0, 1.0], 2, 2)?;
    /// let x: Vec<f64> = lu.solve(&[1e200, 2.0], 1)?;
    /// assert!((x[0] - 1.0).abs() < 1e-15 && (x[1] - 1.0).abs() < 1e-15);
    /// # Ok::<(), wengert_tensor::linalg::LinalgError>(())
    /// ```
    ///
    /// # Errors
    /// [`Singular`](LinalgError::Singular).
    ///
    /// # Panics
    /// If A is not square, or `b` has not n rows of `columns`.
    #[track_caller]
    pub fn solve(&self, b: &[T], columns: usize) -> Result<Vec<T>, LinalgError> {
        assert!(self.m == self.n, "lu: a matrix of {} × {} is not square", self.m, self.n);
        check_right_hand_sides("lu", b, self.n, columns);
        if let Some(row) = self.singular_row() {
            return Err(LinalgError::Singular { row });
        }
        let mut x = vec![T::ZERO; b.len()];
        match &self.scaled {
            None => solve_with(&self.packed, &self.order, b, columns, &mut x),
            Some(scaled) => {
                let (scales, lu) = &**scaled;
                solve_scaled([&scales.rows, &scales.columns], b, &mut x, |x| {
                    let b = x.to_vec();
                    solve_with(&lu.packed, &lu.order, &b, columns, x);
                });
            }
        }
        Ok(x)
    }
}

#[track_caller]
fn check_size<T>(a: &[T], m: usize, n: usize) {
    let fits = m.checked_mul(n) == Some(a.len());
    assert!(fits, "lu: {} elements are no matrix of {m} × {n}", a.len());
}

/// x ← A⁻¹ B with the packed factors of a square A and the order of its rows.
///
/// # Panics
/// If the factors are not as many as the square of the rows, or B or x not n rows of `columns`.
#[track_caller]
pub fn solve_with<T: Float>(packed: &[T], order: &[u32], b: &[T], columns: usize, x: &mut [T]) {
    let n = check_factors(packed, order, b, columns, x);
    for (x, &row) in x.chunks_exact_mut(columns.max(1)).zip(order) {
        x.copy_from_slice(&b[row as usize * columns..][..columns]);
    }
    let lower = triangular::Triangle { upper: false, transposed: false, unit: true };
    let upper = triangular::Triangle { upper: true, transposed: false, unit: false };
    triangular::solve_triangular(packed, n, lower, x, columns);
    triangular::solve_triangular(packed, n, upper, x, columns);
}

#[track_caller]
fn check_factors<T>(packed: &[T], order: &[u32], b: &[T], columns: usize, x: &[T]) -> usize {
    let n = order.len();
    check_square("lu", packed, n);
    check_right_hand_sides("lu", b, n, columns);
    check_right_hand_sides("lu", x, n, columns);
    n
}

/// x ← A⁻ᵀ B, likewise.
///
/// # Panics
/// As [`solve_with`].
#[track_caller]
pub fn solve_transposed_with<T: Float>(packed: &[T], order: &[u32], b: &[T], columns: usize, x: &mut [T]) {
    let n = check_factors(packed, order, b, columns, x);
    let mut w = b.to_vec();
    let upper = triangular::Triangle { upper: true, transposed: true, unit: false };
    let lower = triangular::Triangle { upper: false, transposed: true, unit: true };
    triangular::solve_triangular(packed, n, upper, &mut w, columns);
    triangular::solve_triangular(packed, n, lower, &mut w, columns);
    for (w, &row) in w.chunks_exact(columns.max(1)).zip(order) {
        x[row as usize * columns..][..columns].copy_from_slice(w);
    }
}

compiled_here! {
    fn factor<T: Float>(lu: &mut Lu<T>) {
        let square = lu.m.min(lu.n);
        eliminate(lu, 0, square);
        if lu.n > lu.m {
            finish_rows(lu, 0, square, lu.n);
        }
    }
}

/// Eliminates the columns from `first` up to `end`, whose pivots are in the rows of the same number.
fn eliminate<T: Float>(lu: &mut Lu<T>, first: usize, end: usize) {
    if end - first <= PANEL {
        return eliminate_directly(lu, first, end);
    }
    let middle = first + (end - first) / 2;
    eliminate(lu, first, middle);
    finish_rows(lu, first, middle, end);
    let (n, low) = (lu.n, lu.m - middle);
    if low > 0 {
        // A₂₂ ← A₂₂ − L₂₁ U₁₂.
        let (upper, lower) = lu.packed.split_at_mut(middle * n);
        let left: Vec<T> = lower.chunks(n).flat_map(|row| &row[first..middle]).copied().collect();
        let l = MatrixRef::row_major(&left, [low, middle - first]);
        let u = MatrixRef::new(upper, first * n + middle, [middle - first, end - middle], [n as isize, 1]);
        let rest = MatrixMut::new(lower, middle, [low, end - middle], [n as isize, 1]);
        gemm(-T::ONE, l, u, T::ONE, rest);
    }
    eliminate(lu, middle, end);
}

/// U₁₂ ← L₁₁⁻¹ A₁₂ of the rows `first..middle` in the columns `middle..end`.
fn finish_rows<T: Float>(lu: &mut Lu<T>, first: usize, middle: usize, end: usize) {
    let (n, rows, columns) = (lu.n, middle - first, end - middle);
    let mut l = vec![T::ZERO; rows * rows];
    let mut w = Vec::with_capacity(rows * columns);
    for i in 0..rows {
        let row = &lu.packed[(first + i) * n..][..n];
        l[i * rows..][..i].copy_from_slice(&row[first..first + i]);
        l[i * rows + i] = T::ONE;
        w.extend_from_slice(&row[middle..end]);
    }
    Lower::new(&l, rows, rows).solve(&mut w, columns);
    for (i, w) in w.chunks_exact(columns.max(1)).enumerate() {
        lu.packed[(first + i) * n + middle..][..columns].copy_from_slice(w);
    }
}

fn eliminate_directly<T: Float>(lu: &mut Lu<T>, first: usize, end: usize) {
    let (m, n) = (lu.m, lu.n);
    for j in first..end {
        let mut pivot = j;
        for i in j + 1..m {
            if lu.packed[i * n + j].abs() > lu.packed[pivot * n + j].abs() {
                pivot = i;
            }
        }
        if pivot != j {
            let (above, below) = lu.packed.split_at_mut(pivot * n);
            above[j * n..][..n].swap_with_slice(&mut below[..n]);
            lu.order.swap(j, pivot);
            lu.exchanges += 1;
        }
        let (above, below) = lu.packed.split_at_mut((j + 1) * n);
        let row = &above[j * n..];
        if row[j] == T::ZERO {
            continue;
        }
        for other in below.chunks_exact_mut(n) {
            let factor = other[j] / row[j];
            other[j] = factor;
            for (x, &y) in other[j + 1..end].iter_mut().zip(&row[j + 1..end]) {
                *x -= factor * y;
            }
        }
    }
}
