use super::reflectors::{BLOCK, Reflectors, reflection};
use super::rows::{add_scaled, dot};
use super::{LinalgError, check_right_hand_side, check_square};
use crate::array::element::Float;
use crate::compiled_here;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// Columns from which on reflections are applied in blocks, as matrix products.
const MANY: usize = 64;

/// A = Q R of an m × n matrix with m ≥ n, by Householder reflections: Q has orthonormal columns, R is upper triangular.
///
/// ```
/// use wengert_tensor::linalg::{LinalgError, Qr};
///
/// // The line through (0, 1), (1, 3), (2, 5): 1 + 2t.
/// let x = Qr::new(vec![1.0, 0.0, 1.0, 1.0, 1.0, 2.0], 3, 2).solve(&[1.0, 3.0, 5.0]).unwrap();
/// assert!((x[0] - 1.0f64).abs() < 1e-14 && (x[1] - 2.0).abs() < 1e-14);
/// let dependent = Qr::new(vec![1.0, 2.0, 1.0, 2.0], 2, 2).solve(&[1.0, 1.0]);
/// assert_eq!(dependent.unwrap_err(), LinalgError::Singular { row: 1 });
/// ```
#[derive(Clone, Debug)]
pub struct Qr<T> {
    m: usize,
    n: usize,
    /// R, and below its diagonal the vectors v of the reflections I − v vᵀ/h without their first elements.
    a: Vec<T>,
    /// The first elements of v, and h; 0 for no reflection.
    heads: Vec<[T; 2]>,
}

/// The triangular factor R of an m × n matrix (m ≥ n), and Qᵀb: what least squares needs.
///
/// ```
/// use wengert_tensor::linalg::{Qr, Triangular};
/// // The line through (0, 1), (1, 3), (2, 5).
/// let qr = Qr::new(vec![1.0f64, 0.0, 1.0, 1.0, 1.0, 2.0], 3, 2);
/// let problem: Triangular<f64> = qr.least_squares(&[1.0, 3.0, 5.0]);
/// let x = problem.solve(&problem.rhs);
/// assert!((x[0] - 1.0).abs() < 1e-14 && (x[1] - 2.0).abs() < 1e-14);
/// ```
#[derive(Clone, Debug)]
pub struct Triangular<T> {
    n: usize,
    r: Vec<T>,
    /// The first n elements of Qᵀb.
    pub rhs: Vec<T>,
}

impl<T: Float> Qr<T> {
    /// The factors of the m × n matrix `a`, row by row.
    ///
    /// # Panics
    /// If `a` has not m n elements, or m < n.
    #[track_caller]
    pub fn new(a: Vec<T>, m: usize, n: usize) -> Self {
        let fits = m.checked_mul(n) == Some(a.len()) && m >= n;
        assert!(fits, "qr: {} elements are no matrix of {m} × {n} with at least as many rows", a.len());
        let mut qr = Qr { m, n, a, heads: vec![[T::ZERO; 2]; n] };
        reflect(&mut qr);
        qr
    }

    /// The least squares problem with the right-hand side `b`.
    ///
    /// # Panics
    /// If `b` has not m elements.
    #[track_caller]
    pub fn least_squares(&self, b: &[T]) -> Triangular<T> {
        check_right_hand_side("qr", b, self.m);
        let mut rhs = b.to_vec();
        apply_transposed(self, &mut rhs);
        rhs.truncate(self.n);
        Triangular { n: self.n, r: self.a[..self.n * self.n].to_vec(), rhs }
    }

    /// The x that makes ‖A x − b‖ least.
    ///
    /// # Errors
    /// [`Singular`](LinalgError::Singular) if the columns of A are dependent to rounding.
    ///
    /// # Panics
    /// If `b` has not m elements.
    #[track_caller]
    pub fn solve(&self, b: &[T]) -> Result<Vec<T>, LinalgError> {
        let problem = self.least_squares(b);
        match dependent_row(&problem.r, self.n) {
            Some(row) => Err(LinalgError::Singular { row }),
            None => Ok(problem.solve(&problem.rhs)),
        }
    }

    /// Q, m × n.
    pub fn q(&self) -> Vec<T> {
        q(self)
    }

    /// R, n × n, with zeros below the diagonal.
    ///
    /// ```
    /// use wengert_tensor::linalg::Qr;
    /// let qr = Qr::new(vec![3.0f64, 0.0, 4.0, 5.0], 2, 2);
    /// let r = qr.r();
    /// // RᵀR = AᵀA.
    /// assert!((r[0] * r[0] - 25.0).abs() < 1e-12 && r[2] == 0.0);
    /// ```
    pub fn r(&self) -> Vec<T> {
        let mut r = self.a[..self.n * self.n].to_vec();
        r.chunks_exact_mut(self.n.max(1)).enumerate().for_each(|(i, row)| row[..i].fill(T::ZERO));
        r
    }
}

compiled_here! {
    fn reflect<T: Float>(qr: &mut Qr<T>) {
        if qr.n < MANY {
            return dispatch(Reflect(qr));
        }
        for first in (0..qr.n).step_by(BLOCK) {
            let end = qr.n.min(first + BLOCK);
            dispatch(Panel { qr: &mut *qr, first, end });
            if end < qr.n {
                let block = reflectors(qr, first, end);
                block.reflect_columns(&mut qr.a, first * qr.n + end, qr.n - end, qr.n, true);
            }
        }
    }
}

/// The reflections of the columns `first..end`, of vectors from row `first` on.
fn reflectors<T: Float>(qr: &Qr<T>, first: usize, end: usize) -> Reflectors<T> {
    let (n, len) = (qr.n, qr.m - first);
    let mut v = vec![T::ZERO; (end - first) * len];
    let mut taus = [T::ZERO; BLOCK];
    for (k, v) in (first..end).zip(v.chunks_exact_mut(len)) {
        let [head, half_square] = qr.heads[k];
        if half_square != T::ZERO {
            taus[k - first] = T::ONE / half_square;
            v[k - first] = head;
            let below = qr.a.iter().skip((k + 1) * n + k).step_by(n);
            v[k - first + 1..].iter_mut().zip(below).for_each(|(v, &x)| *v = x);
        }
    }
    Reflectors::new(v, &taus[..end - first])
}

/// The factors of the columns `first..end` from row `first` on, each column beside the next.
struct Panel<'a, T> {
    qr: &'a mut Qr<T>,
    first: usize,
    end: usize,
}

impl<T: Float> Kernel for Panel<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { qr, first, end } = self;
        let (n, len) = (qr.n, qr.m - first);
        let column = |k: usize| qr.a[first * n + k..].iter().step_by(n).copied();
        let mut columns: Vec<T> = (first..end).flat_map(column).collect();
        for j in 0..end - first {
            let (this, later) = columns[j * len..].split_at_mut(len);
            let x = &mut this[j..];
            // What is triangular already stays, with its sign, as in LAPACK.
            if x[1..].iter().all(|&x| x == T::ZERO) {
                continue;
            }
            let diagonal = reflection::<T, I>(x);
            for other in later.chunks_exact_mut(len) {
                let along = dot::<T, I>(x, &other[j..]);
                add_scaled::<T, I>(&mut other[j..], -(along + along), x);
            }
            // With unit vectors, H = I − v vᵀ/½.
            qr.heads[first + j] = [x[0], T::from_f64(0.5)];
            x[0] = diagonal;
        }
        for (k, column) in (first..end).zip(columns.chunks_exact(len)) {
            qr.a[first * n + k..].iter_mut().step_by(n).zip(column).for_each(|(a, &x)| *a = x);
        }
    }
}

/// Makes the triangular factor, and the reflections below it.
struct Reflect<'a, T>(&'a mut Qr<T>);

impl<T: Float> Kernel for Reflect<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Qr { m, n, ref mut a, ref mut heads } = *self.0;
        let mut dots = vec![T::ZERO; n];
        for k in 0..n {
            // What is triangular already stays, with its sign, as in LAPACK.
            if (k + 1..m).all(|i| a[i * n + k] == T::ZERO) {
                continue;
            }
            let length = (k..m).map(|i| a[i * n + k]).fold(T::ZERO, T::hypot);
            // v = x + sign(x₀)‖x‖ e₁, in place; H = I − v vᵀ / (‖x‖ |v₀|). Times a power of two, so that nothing overflows.
            let scale = power_of_two_near(T::ONE / length);
            (k..m).for_each(|i| a[i * n + k] *= scale);
            let scaled = scale * length;
            let first = a[k * n + k] + scaled.copysign(a[k * n + k]);
            let half_square = scaled * first.abs();
            let diagonal = -length.copysign(a[k * n + k]);
            a[k * n + k] = first;
            // A ← A − v (vᵀA)ᵀ/…, row by row. Rows where v is zero stay as they are, which saves most of the work where a
            // triangle is stacked on a diagonal.
            let rows: Vec<usize> = (k..m).filter(|&i| a[i * n + k] != T::ZERO).collect();
            let dots = &mut dots[k + 1..];
            dots.fill(T::ZERO);
            for &i in &rows {
                add_scaled::<T, I>(dots, a[i * n + k], &a[i * n + k + 1..(i + 1) * n]);
            }
            dots.iter_mut().for_each(|dot| *dot /= half_square);
            for &i in &rows {
                let v = a[i * n + k];
                add_scaled::<T, I>(&mut a[i * n + k + 1..(i + 1) * n], -v, dots);
            }
            heads[k] = [first, half_square];
            a[k * n + k] = diagonal;
        }
    }
}

compiled_here! {
    /// b ← Qᵀ b, all m elements.
    fn apply_transposed<T: Float>(qr: &Qr<T>, b: &mut [T]) {
        let n = qr.n;
        for (k, &[first, half_square]) in qr.heads.iter().enumerate() {
            if half_square == T::ZERO {
                continue;
            }
            let v = |i: usize| if i == k { first } else { qr.a[i * n + k] };
            let dot: T = (k..qr.m).map(|i| v(i) * b[i]).sum();
            for (i, b) in b.iter_mut().enumerate().skip(k) {
                *b -= dot / half_square * v(i);
            }
        }
    }
}

compiled_here! {
    fn q<T: Float>(qr: &Qr<T>) -> Vec<T> {
        if qr.n < MANY {
            return dispatch(Orthonormal(qr));
        }
        let (m, n) = (qr.m, qr.n);
        let mut q = vec![T::ZERO; m * n];
        q.iter_mut().step_by(n + 1).take(n).for_each(|d| *d = T::ONE);
        // The columns before are not touched yet.
        for first in (0..n).step_by(BLOCK).rev() {
            let block = reflectors(qr, first, n.min(first + BLOCK));
            block.reflect_columns(&mut q, first * n + first, n - first, n, false);
        }
        q
    }
}

/// The first columns of the identity, reflected from the last reflection to the first.
struct Orthonormal<'a, T>(&'a Qr<T>);

impl<T: Float> Kernel for Orthonormal<'_, T> {
    type Output = Vec<T>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Vec<T> {
        let qr = self.0;
        let (m, n) = (qr.m, qr.n);
        let mut q = vec![T::ZERO; m * n];
        q.iter_mut().step_by(n + 1).take(n).for_each(|d| *d = T::ONE);
        let mut dots = vec![T::ZERO; n];
        for (k, &[first, half_square]) in qr.heads.iter().enumerate().rev() {
            if half_square == T::ZERO {
                continue;
            }
            let v = |i: usize| if i == k { first } else { qr.a[i * n + k] };
            // The columns before are not touched yet.
            let dots = &mut dots[k..];
            dots.fill(T::ZERO);
            for i in k..m {
                add_scaled::<T, I>(dots, v(i), &q[i * n + k..(i + 1) * n]);
            }
            dots.iter_mut().for_each(|dot| *dot /= half_square);
            for i in k..m {
                add_scaled::<T, I>(&mut q[i * n + k..(i + 1) * n], -v(i), dots);
            }
        }
        q
    }
}

/// A power of two between about a half and twice x > 0, as far as the type has it.
fn power_of_two_near<T: Float>(x: T) -> T {
    let exponent =
        x.to_f64().log2().round().clamp(T::MIN_POSITIVE.to_f64().log2(), T::MAX.to_f64().log2() - 1.0);
    T::from_f64(exponent.exp2())
}

/// The first row of the triangular factor R, n × n, whose diagonal element is negligible beside the largest of its column, or NaN:
/// the columns of what was factored are dependent to rounding, in whatever unit each is.
///
/// ```
/// use wengert_tensor::linalg::dependent_row;
/// assert_eq!(dependent_row(&[2.0, 1.0, 0.0, 1e-3], 2), None);
/// assert_eq!(dependent_row(&[2.0, 1.0, 0.0, 1e-15], 2), Some(1));
/// // A small column is not dependent.
/// assert_eq!(dependent_row(&[2.0, 1e-15, 0.0, 1e-15], 2), None);
/// ```
///
/// # Panics
/// If the slice does not have n² elements.
#[track_caller]
pub fn dependent_row<T: Float>(r: &[T], n: usize) -> Option<usize> {
    check_square("dependent_row", r, n);
    let rounding = T::from_f64(16.0) * T::from_usize(n) * T::EPSILON;
    (0..n).find(|&j| {
        let d = r[j * n + j].abs();
        let largest = (0..j).map(|i| r[i * n + j].abs()).fold(d, |most, x| if x > most { x } else { most });
        d.is_nan() || d <= rounding * largest
    })
}

impl<T: Float> Triangular<T> {
    /// The size of R.
    pub fn size(&self) -> usize {
        self.n
    }

    /// R, n × n; what is below its diagonal means nothing.
    pub fn factor(&self) -> &[T] {
        &self.r
    }

    /// Whether no diagonal element is negligible beside the largest of its column.
    pub fn is_full_rank(&self) -> bool {
        dependent_row(&self.r, self.n).is_none()
    }

    /// R⁻¹ b; infinite or NaN where R is singular: see [`is_full_rank`](Self::is_full_rank).
    ///
    /// # Panics
    /// If `b` has not n elements.
    #[track_caller]
    pub fn solve(&self, b: &[T]) -> Vec<T> {
        check_right_hand_side("qr", b, self.n);
        let mut x = b.to_vec();
        for i in (0..self.n).rev() {
            let sum: T = (i + 1..self.n).map(|k| self.r[i * self.n + k] * x[k]).sum();
            x[i] = (x[i] - sum) / self.r[i * self.n + i];
        }
        x
    }

    /// R⁻ᵀ b; infinite or NaN where R is singular.
    ///
    /// # Panics
    /// If `b` has not n elements.
    ///
    /// ```
    /// use wengert_tensor::linalg::Qr;
    /// let r = Qr::new(vec![2.0f64, 0.0, 0.0, 4.0], 2, 2).least_squares(&[0.0, 0.0]);
    /// let x = r.solve_transposed(&[1.0, 1.0]);
    /// assert!((x[0].abs() - 0.5).abs() < 1e-15 && (x[1].abs() - 0.25).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn solve_transposed(&self, b: &[T]) -> Vec<T> {
        check_right_hand_side("qr", b, self.n);
        let mut x = b.to_vec();
        for i in 0..self.n {
            let sum: T = (0..i).map(|k| self.r[k * self.n + i] * x[k]).sum();
            x[i] = (x[i] - sum) / self.r[i * self.n + i];
        }
        x
    }
}
