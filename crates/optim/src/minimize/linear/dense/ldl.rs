use super::check_square;

/// P A Pᵀ = L D Lᵀ of any symmetric matrix, D with blocks of one and two (Bunch and Kaufman, 1977): solves
/// indefinite systems, counts the signs of the eigenvalues, and can be made positive definite.
///
/// ```
/// use wengert_optim::linear::dense::Ldl;
///
/// let factor = Ldl::new(&[0.0, 1.0, 1.0, 0.0], 2).unwrap();
/// assert_eq!(factor.inertia(), (1, 1, 0));
/// assert_eq!(factor.solve(&[3.0, 5.0]), [5.0, 3.0]);
/// ```
#[derive(Clone, Debug)]
pub struct Ldl {
    n: usize,
    /// Unit lower triangular.
    l: Vec<f64>,
    diagonal: Vec<f64>,
    /// D[i + 1, i]; not zero where a block of two begins at i.
    below: Vec<f64>,
    /// Row i of P A Pᵀ is row `order[i]` of A.
    order: Vec<usize>,
    scale: f64,
}

impl Ldl {
    /// The factors of the n × n matrix `a`, or `None` if it is not finite.
    ///
    /// # Panics
    /// If `a` has not n² elements.
    #[track_caller]
    pub fn new(a: &[f64], n: usize) -> Option<Self> {
        check_square("ldl", a, n);
        let scale = a.iter().fold(0.0f64, |m, x| if *x == 0.0 { m } else { (m + 0.0 * x).max(x.abs()) });
        if !a.iter().all(|x| x.is_finite()) {
            return None;
        }
        let mut s = Self {
            n,
            l: vec![0.0; n * n],
            diagonal: vec![0.0; n],
            below: vec![0.0; n],
            order: (0..n).collect(),
            scale,
        };
        let mut a = a.to_vec();
        let mut k = 0;
        while k < n {
            k += s.eliminate(&mut a, k);
        }
        Some(s)
    }

    /// One step of elimination on the trailing matrix of `a` from `k`; returns the size of the block.
    fn eliminate(&mut self, a: &mut [f64], k: usize) -> usize {
        let n = self.n;
        // The growth-optimal threshold of Bunch and Kaufman.
        let alpha = (1.0 + 17f64.sqrt()) / 8.0;
        let largest = |a: &[f64], column: usize| {
            let rows = (k..n).filter(|&i| i != column);
            rows.map(|i| (i, a[i * n + column].abs()))
                .fold((column, 0.0), |m, x| if x.1 > m.1 { x } else { m })
        };
        let (r, lambda) = largest(a, k);
        let pivot = a[k * n + k].abs();
        let mut block = 1;
        if pivot < alpha * lambda {
            let sigma = largest(a, r).1;
            if pivot * sigma < alpha * lambda * lambda {
                if a[r * n + r].abs() >= alpha * sigma {
                    self.swap(a, k, r);
                } else {
                    self.swap(a, k + 1, r);
                    block = 2;
                }
            }
        }
        self.l[k * n + k] = 1.0;
        self.diagonal[k] = a[k * n + k];
        if block == 1 {
            let d = self.diagonal[k];
            if d == 0.0 {
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
        self.l[(k + 1) * n + k + 1] = 1.0;
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

    fn swap(&mut self, a: &mut [f64], i: usize, j: usize) {
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
        let tiny = self.n as f64 * f64::EPSILON * self.scale;
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

    fn block_eigenvalues(&self) -> Vec<f64> {
        let mut values = self.diagonal.clone();
        for k in 0..self.n {
            if self.below[k] != 0.0 {
                let ((low, high), _) = eigen2(self.diagonal[k], self.below[k], self.diagonal[k + 1]);
                (values[k], values[k + 1]) = (low, high);
            }
        }
        values
    }

    /// Replaces every eigenvalue λ of D by max(|λ|, `floor` times the largest element of A), so that the matrix that
    /// is factored becomes positive definite (Cheng and Higham, 1998). Returns whether anything changed.
    pub fn make_positive(&mut self, floor: f64) -> bool {
        let least = (floor * self.scale).max(f64::MIN_POSITIVE);
        let mut changed = false;
        let mut lift = |x: f64| {
            changed |= x < least;
            x.abs().max(least)
        };
        let mut k = 0;
        while k < self.n {
            if self.below[k] == 0.0 {
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

    /// A⁻¹ b; infinite or NaN where A is singular.
    ///
    /// # Panics
    /// If `b` has not n elements.
    #[track_caller]
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let (n, l) = (self.n, &self.l);
        assert!(b.len() == n, "ldl: right-hand side of {}, matrix of {n}", b.len());
        let mut x: Vec<f64> = self.order.iter().map(|&i| b[i]).collect();
        for i in 0..n {
            x[i] -= (0..i).map(|k| l[i * n + k] * x[k]).sum::<f64>();
        }
        let mut k = 0;
        while k < n {
            if k + 1 < n && self.below[k] != 0.0 {
                (x[k], x[k + 1]) =
                    solve2(self.diagonal[k], self.below[k], self.diagonal[k + 1], x[k], x[k + 1]);
                k += 2;
            } else {
                x[k] /= self.diagonal[k];
                k += 1;
            }
        }
        for i in (0..n).rev() {
            x[i] -= (i + 1..n).map(|k| l[k * n + i] * x[k]).sum::<f64>();
        }
        let mut out = vec![0.0; n];
        for (x, &i) in x.iter().zip(&self.order) {
            out[i] = *x;
        }
        out
    }
}

/// The solution of [d1 e; e d2] (x, y) = (p, q), scaled by e against overflow: blocks are chosen with e large.
fn solve2(d1: f64, e: f64, d2: f64, p: f64, q: f64) -> (f64, f64) {
    let (a, b, p, q) = (d1 / e, d2 / e, p / e, q / e);
    let det = a * b - 1.0;
    ((b * p - q) / det, (a * q - p) / det)
}

/// The eigenvalues of [d1 e; e d2], lower first, and the unit eigenvector (c, s) of the lower.
fn eigen2(d1: f64, e: f64, d2: f64) -> ((f64, f64), (f64, f64)) {
    let (mean, half) = (0.5 * (d1 + d2), 0.5 * (d1 - d2));
    let radius = half.hypot(e);
    let angle = 0.5 * e.atan2(half);
    // (cos, sin) of the angle is the vector of the higher.
    ((mean - radius, mean + radius), (-angle.sin(), angle.cos()))
}
