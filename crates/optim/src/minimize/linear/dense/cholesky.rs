use super::check_square;

/// A = L Lᵀ of a symmetric positive definite matrix.
///
/// ```
/// use wengert_optim::linear::dense::Cholesky;
///
/// let factor = Cholesky::new(&[4.0, 2.0, 2.0, 3.0], 2).unwrap();
/// assert!((factor.solve(&[8.0, 7.0])[1] - 1.5).abs() < 1e-15);
/// assert!(Cholesky::new(&[1.0, 2.0, 2.0, 1.0], 2).is_none()); // indefinite
/// ```
#[derive(Clone, Debug)]
pub struct Cholesky {
    n: usize,
    l: Vec<f64>,
}

impl Cholesky {
    /// The factor of the n × n matrix `a` (its lower triangle is read), or `None` if it is not positive definite to
    /// rounding or not finite.
    ///
    /// # Panics
    /// If `a` has not n² elements.
    #[track_caller]
    pub fn new(a: &[f64], n: usize) -> Option<Self> {
        check_square("cholesky", a, n);
        let mut l = a.to_vec();
        for j in 0..n {
            for i in j..n {
                let sum: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
                let x = l[i * n + j] - sum;
                if i > j {
                    l[i * n + j] = x / l[j * n + j];
                } else if x > n as f64 * f64::EPSILON * a[j * n + j].abs() && x.is_finite() {
                    l[j * n + j] = x.sqrt();
                } else {
                    return None;
                }
            }
        }
        Some(Self { n, l })
    }

    /// A⁻¹ b.
    ///
    /// # Panics
    /// If `b` has not n elements.
    #[track_caller]
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let (n, l) = (self.n, &self.l);
        assert!(b.len() == n, "cholesky: right-hand side of {}, matrix of {n}", b.len());
        let mut x = b.to_vec();
        for i in 0..n {
            let sum: f64 = (0..i).map(|k| l[i * n + k] * x[k]).sum();
            x[i] = (x[i] - sum) / l[i * n + i];
        }
        for i in (0..n).rev() {
            let sum: f64 = (i + 1..n).map(|k| l[k * n + i] * x[k]).sum();
            x[i] = (x[i] - sum) / l[i * n + i];
        }
        x
    }
}
