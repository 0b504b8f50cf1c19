use super::rows::largest;
use super::{LinalgError, check_right_hand_side, check_square};
use crate::array::element::Float;
use crate::compiled_here;

/// P A Pᵀ = L D Lᵀ of any symmetric matrix, D with blocks of one and two (Bunch and Kaufman, 1977): solves
/// indefinite systems, counts the signs of the eigenvalues, and can be made positive definite.
///
/// ```
/// use wengert_tensor::linalg::Ldl;
///
/// let factor = Ldl::new(&[0.0, 1.0, 1.0, 0.0], 2).unwrap();
/// assert_eq!(factor.inertia(), (1, 1, 0));
/// assert_eq!(factor.solve(&[3.0, 5.0]).unwrap(), [5.0, 3.0]);
/// ```
#[derive(Clone, Debug)]
pub struct Ldl<T> {
    n: usize,
    /// Unit lower triangular.
    l: Vec<T>,
    diagonal: Vec<T>,
    /// D[i + 1, i]; not zero where a block of two begins at i.
    below: Vec<T>,
    /// Row i of P A Pᵀ is row `order[i]` of A.
    order: Vec<usize>,
    scale: T,
}

impl<T: Float> Ldl<T> {
    /// The factors of the n × n matrix `a`.
    ///
    /// # Errors
    /// [`NotFinite`](LinalgError::NotFinite).
    ///
    /// # Panics
    /// If `a` has not n² elements.
    #[track_caller]
    pub fn new(a: &[T], n: usize) -> Result<Self, LinalgError> {
        compiled_here! {
            fn factored<T: Float>(a: &[T], n: usize) -> Ldl<T> {
                let mut factor = Ldl {
                    n,
                    l: vec![T::ZERO; n * n],
                    diagonal: vec![T::ZERO; n],
                    below: vec![T::ZERO; n],
                    order: (0..n).collect(),
                    scale: largest(a),
                };
                let mut a = a.to_vec();
                let mut k = 0;
                while k < n {
                    k += factor.eliminate(&mut a, k);
                }
                factor
            }
        }
        check_square("ldl", a, n);
        if !a.iter().all(|x| x.is_finite()) {
            return Err(LinalgError::NotFinite);
        }
        Ok(factored(a, n))
    }

    /// One step of elimination on the trailing matrix of `a` from `k`; returns the size of the block.
    fn eliminate(&mut self, a: &mut [T], k: usize) -> usize {
        let n = self.n;
        // The growth-optimal threshold of Bunch and Kaufman.
        let alpha = T::from_f64((1.0 + 17f64.sqrt()) / 8.0);
        let largest = |a: &[T], column: usize| {
            let rows = (k..n).filter(|&i| i != column);
            rows.map(|i| (i, a[i * n + column].abs()))
                .fold((column, T::ZERO), |m, x| if x.1 > m.1 { x } else { m })
        };
        let (r, lambda) = largest(a, k);
        let pivot = a[k * n + k].abs();
        let mut block = 1;
        if pivot < alpha * lambda {
            let sigma = largest(a, r).1;
            // Not with the square of λ, which may overflow.
            if pivot * (sigma / lambda) < alpha * lambda {
                if a[r * n + r].abs() >= alpha * sigma {
                    self.swap(a, k, r);
                } else {
                    self.swap(a, k + 1, r);
                    block = 2;
                }
            }
        }
        self.l[k * n + k] = T::ONE;
        self.diagonal[k] = a[k * n + k];
        if block == 1 {
            let d = self.diagonal[k];
            if d == T::ZERO {
                return 1;
            }
            for i in k + 1..n {
                self.l[i * n + k] = a[i * n + k] / d;
            }
            for i in k + 1..n {
                for j in k + 1..n {
                    a[i * n + j] -= self.l[i * n + k] * d * self.l[j * n + k];
                }
            }
            return 1;
        }
        self.l[(k + 1) * n + k + 1] = T::ONE;
        let (d1, e, d2) = (a[k * n + k], a[(k + 1) * n + k], a[(k + 1) * n + k + 1]);
        (self.diagonal[k + 1], self.below[k]) = (d2, e);
        for i in k + 2..n {
            let (x, y) = solve2(d1, e, d2, a[i * n + k], a[i * n + k + 1]);
            (self.l[i * n + k], self.l[i * n + k + 1]) = (x, y);
        }
        for i in k + 2..n {
            for j in k + 2..n {
                a[i * n + j] -= self.l[i * n + k] * a[j * n + k] + self.l[i * n + k + 1] * a[j * n + k + 1];
            }
        }
        2
    }

    fn swap(&mut self, a: &mut [T], i: usize, j: usize) {
        if i == j {
            return;
        }
        let n = self.n;
        for k in 0..n {
            a.swap(i * n + k, j * n + k);
        }
        for k in 0..n {
            a.swap(k * n + i, k * n + j);
        }
        for k in 0..i.min(j) {
            self.l.swap(i * n + k, j * n + k);
        }
        self.order.swap(i, j);
    }

    /// The numbers of positive, negative and (to rounding) zero eigenvalues.
    pub fn inertia(&self) -> (usize, usize, usize) {
        let tiny = T::from_usize(self.n) * T::EPSILON * self.scale;
        let mut counts = (0, 0, 0);
        for value in self.block_eigenvalues() {
            if value > tiny {
                counts.0 += 1;
            } else if value < -tiny {
                counts.1 += 1;
            } else {
                counts.2 += 1;
            }
        }
        counts
    }

    fn block_eigenvalues(&self) -> Vec<T> {
        let mut values = self.diagonal.clone();
        for k in 0..self.n {
            if self.below[k] != T::ZERO {
                let ((low, high), _) = eigen2(self.diagonal[k], self.below[k], self.diagonal[k + 1]);
                (values[k], values[k + 1]) = (low, high);
            }
        }
        values
    }

    /// Replaces every eigenvalue λ of D by max(|λ|, `floor` times the largest element of A), so that the matrix that
    /// is factored becomes positive definite (Cheng and Higham, 1998). Returns whether anything changed.
    ///
    /// ```
    /// use wengert_tensor::linalg::Ldl;
    /// let mut factors = Ldl::new(&[1.0f64, 0.0, 0.0, -2.0], 2)?;
    /// assert!(factors.make_positive(1e-8));
    /// // As of diag(1, 2).
    /// assert_eq!(factors.solve(&[1.0, 2.0]), Ok(vec![1.0, 1.0]));
    /// # Ok::<(), wengert_tensor::linalg::LinalgError>(())
    /// ```
    pub fn make_positive(&mut self, floor: f64) -> bool {
        let least = (T::from_f64(floor) * self.scale).maximum(T::MIN_POSITIVE);
        let mut changed = false;
        let mut lift = |x: T| {
            changed |= x < least;
            x.abs().maximum(least)
        };
        let mut k = 0;
        while k < self.n {
            if self.below[k] == T::ZERO {
                self.diagonal[k] = lift(self.diagonal[k]);
                k += 1;
                continue;
            }
            let ((low, high), (c, s)) = eigen2(self.diagonal[k], self.below[k], self.diagonal[k + 1]);
            // The vector of `low` is (c, s), that of `high` is (−s, c).
            let (low, high) = (lift(low), lift(high));
            self.diagonal[k] = low * c * c + high * s * s;
            self.diagonal[k + 1] = low * s * s + high * c * c;
            self.below[k] = (low - high) * c * s;
            k += 2;
        }
        changed
    }

    /// A⁻¹ b.
    ///
    /// # Errors
    /// [`Singular`](LinalgError::Singular) where a pivot is 0.
    ///
    /// # Panics
    /// If `b` has not n elements.
    #[track_caller]
    pub fn solve(&self, b: &[T]) -> Result<Vec<T>, LinalgError> {
        compiled_here! {
            fn solved<T: Float>(factor: &Ldl<T>, b: &[T]) -> Result<Vec<T>, LinalgError> {
                let mut x: Vec<T> = factor.order.iter().map(|&i| b[i]).collect();
                factor.substitute(&mut x)?;
                let mut out = vec![T::ZERO; factor.n];
                for (x, &i) in x.iter().zip(&factor.order) {
                    out[i] = *x;
                }
                Ok(out)
            }
        }
        check_right_hand_side("ldl", b, self.n);
        solved(self, b)
    }

    /// x ← L⁻ᵀ D⁻¹ L⁻¹ x.
    fn substitute(&self, x: &mut [T]) -> Result<(), LinalgError> {
        let (n, l) = (self.n, &self.l);
        for i in 0..n {
            let sum: T = (0..i).map(|k| l[i * n + k] * x[k]).sum();
            x[i] -= sum;
        }
        let mut k = 0;
        while k < n {
            if self.below[k] != T::ZERO {
                let (d1, e, d2) = (self.diagonal[k], self.below[k], self.diagonal[k + 1]);
                (x[k], x[k + 1]) = solve2(d1, e, d2, x[k], x[k + 1]);
                k += 2;
            } else if self.diagonal[k] == T::ZERO {
                return Err(LinalgError::Singular { row: k });
            } else {
                x[k] /= self.diagonal[k];
                k += 1;
            }
        }
        for i in (0..n).rev() {
            let sum: T = (i + 1..n).map(|k| l[k * n + i] * x[k]).sum();
            x[i] -= sum;
        }
        Ok(())
    }
}

/// The solution of [d1 e; e d2] (x, y) = (p, q), scaled by e against overflow: blocks are chosen with e large.
fn solve2<T: Float>(d1: T, e: T, d2: T, p: T, q: T) -> (T, T) {
    let (a, b, p, q) = (d1 / e, d2 / e, p / e, q / e);
    let det = a * b - T::ONE;
    ((b * p - q) / det, (a * q - p) / det)
}

/// The eigenvalues of [d1 e; e d2], lower first, and the unit eigenvector (c, s) of the lower.
fn eigen2<T: Float>(d1: T, e: T, d2: T) -> ((T, T), (T, T)) {
    let half_of = T::from_f64(0.5);
    let (mean, half) = (half_of * d1 + half_of * d2, half_of * d1 - half_of * d2);
    let radius = half.hypot(e);
    // The vector of the higher, without cancellation.
    let (x, y) = if half >= T::ZERO { (half + radius, e) } else { (e, radius - half) };
    let length = x.hypot(y);
    ((mean - radius, mean + radius), (-(y / length), x / length))
}
