/// The triangular factor R of an m × n matrix (m ≥ n), and Qᵀb: what least squares needs.
#[derive(Clone, Debug)]
pub struct Triangular {
    n: usize,
    r: Vec<f64>,
    /// The first n elements of Qᵀb.
    pub rhs: Vec<f64>,
}

/// QR factorisation by Householder reflections of the m × n matrix `a` (m ≥ n), applied to `b`.
///
/// ```
/// use wengert_optim::linear::dense::qr;
///
/// // The line through (0, 1), (1, 3), (2, 5): 1 + 2t.
/// let fit = qr(vec![1.0, 0.0, 1.0, 1.0, 1.0, 2.0], 3, 2, vec![1.0, 3.0, 5.0]);
/// let x = fit.solve(&fit.rhs);
/// assert!((x[0] - 1.0).abs() < 1e-14 && (x[1] - 2.0).abs() < 1e-14);
/// ```
///
/// # Panics
/// If the sizes do not fit, or m < n.
#[track_caller]
pub fn qr(mut a: Vec<f64>, m: usize, n: usize, mut b: Vec<f64>) -> Triangular {
    assert!(
        a.len() == m * n && b.len() == m && m >= n,
        "qr: {} elements, {m} × {n}, rhs {}",
        a.len(),
        b.len()
    );
    let mut dots = vec![0.0; n];
    for k in 0..n {
        let length = (k..m).map(|i| a[i * n + k]).fold(0.0, f64::hypot);
        if length == 0.0 {
            continue;
        }
        // v = x + sign(x₀)‖x‖ e₁, in place; H = I − v vᵀ / (‖x‖ |v₀|).
        let head = length.copysign(a[k * n + k]);
        a[k * n + k] += head;
        let half_square = length * a[k * n + k].abs();
        // A ← A − v (vᵀA)ᵀ/…, row by row. Rows where v is zero stay as they are, which saves most of the work where a
        // triangle is stacked on a diagonal.
        let rows: Vec<usize> = (k..m).filter(|&i| a[i * n + k] != 0.0).collect();
        let dots = &mut dots[k + 1..];
        dots.fill(0.0);
        for &i in &rows {
            let (v, row) = (a[i * n + k], &a[i * n + k + 1..(i + 1) * n]);
            dots.iter_mut().zip(row).for_each(|(dot, x)| *dot += v * x);
        }
        dots.iter_mut().for_each(|dot| *dot /= half_square);
        for &i in &rows {
            let (v, row) = (a[i * n + k], &mut a[i * n + k + 1..(i + 1) * n]);
            row.iter_mut().zip(&*dots).for_each(|(x, dot)| *x -= dot * v);
        }
        let dot: f64 = (k..m).map(|i| a[i * n + k] * b[i]).sum();
        for i in k..m {
            b[i] -= dot / half_square * a[i * n + k];
        }
        a[k * n + k] = -head;
    }
    a.truncate(n * n);
    b.truncate(n);
    Triangular { n, r: a, rhs: b }
}

impl Triangular {
    /// The size of R.
    pub fn size(&self) -> usize {
        self.n
    }

    /// R, n × n; what is below its diagonal means nothing.
    pub fn factor(&self) -> &[f64] {
        &self.r
    }

    /// Whether no diagonal element is negligible beside the largest.
    pub fn is_full_rank(&self) -> bool {
        let diagonal = || (0..self.n).map(|i| self.r[i * self.n + i].abs());
        let largest = diagonal().fold(0.0, f64::max);
        diagonal().all(|d| d > 16.0 * self.n as f64 * f64::EPSILON * largest)
    }

    /// R⁻¹ b.
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        for i in (0..self.n).rev() {
            let sum: f64 = (i + 1..self.n).map(|k| self.r[i * self.n + k] * x[k]).sum();
            x[i] = (x[i] - sum) / self.r[i * self.n + i];
        }
        x
    }

    /// R⁻ᵀ b.
    pub fn solve_transposed(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        for i in 0..self.n {
            let sum: f64 = (0..i).map(|k| self.r[k * self.n + i] * x[k]).sum();
            x[i] = (x[i] - sum) / self.r[i * self.n + i];
        }
        x
    }
}
