use super::error::MinimizeError;
use super::vector::Float;

/// l ≤ x ≤ u, infinite where there is no bound.
///
/// ```
/// use wengert_optim::constrained::Bounds;
///
/// let mut x = [-1.0, 0.5];
/// Bounds::new(vec![0.0, 0.0], vec![1.0, f64::INFINITY])?.project(&mut x);
/// assert_eq!(x, [0.0, 0.5]);
/// assert!(Bounds::new(vec![1.0], vec![0.0]).is_err());
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds<T> {
    lower: Vec<T>,
    upper: Vec<T>,
}

impl<T: Float> Bounds<T> {
    /// The bounds of every variable.
    ///
    /// # Errors
    /// If the lengths differ, an l is above its u, a bound is NaN, or l = +∞ or u = −∞.
    pub fn new(lower: Vec<T>, upper: Vec<T>) -> Result<Self, MinimizeError> {
        MinimizeError::length("the upper bound", upper.len(), lower.len())?;
        for (index, (l, u)) in lower.iter().zip(&upper).enumerate() {
            let ordered = l <= u;
            if !ordered || *l == T::INFINITY || *u == T::NEG_INFINITY {
                let (lower, upper) = (l.to_f64(), u.to_f64());
                return Err(MinimizeError::InconsistentBounds { index, lower, upper });
            }
        }
        Ok(Self { lower, upper })
    }

    /// The same bounds for each of `n` variables.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn uniform(n: usize, lower: T, upper: T) -> Result<Self, MinimizeError> {
        Self::new(vec![lower; n], vec![upper; n])
    }

    /// No bounds.
    pub fn none(n: usize) -> Self {
        Self { lower: vec![T::NEG_INFINITY; n], upper: vec![T::INFINITY; n] }
    }

    /// l.
    pub fn lower(&self) -> &[T] {
        &self.lower
    }

    /// u.
    pub fn upper(&self) -> &[T] {
        &self.upper
    }

    /// Whether any variable has a bound.
    pub fn any(&self) -> bool {
        self.lower.iter().chain(&self.upper).any(|b| b.is_finite())
    }

    /// Whether every variable has both bounds.
    pub(crate) fn all(&self) -> bool {
        self.lower.iter().chain(&self.upper).all(|b| b.is_finite())
    }

    /// Moves `x` to the nearest point within.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn project(&self, x: &mut [T]) {
        assert!(
            x.len() == self.lower.len(),
            "Bounds::project: {} variables, bounds of {}",
            x.len(),
            self.lower.len()
        );
        for ((x, &l), &u) in x.iter_mut().zip(&self.lower).zip(&self.upper) {
            *x = x.maximum(l).minimum(u);
        }
    }

    /// ‖P(x − g) − x‖∞: zero exactly where no feasible direction descends.
    pub(crate) fn projected_norm(&self, x: &[T], gradient: &[T]) -> f64 {
        let bounds = self.lower.iter().zip(&self.upper);
        x.iter().zip(gradient).zip(bounds).fold(0.0, |norm: f64, ((&x, &g), (&l, &u))| {
            // Not P(x − g) − x as written: far out, x would swallow g. And a NaN must not look like a solution.
            let move_ = (-g).maximum(l - x).minimum(u - x).to_f64().abs();
            if move_ > norm || move_.is_nan() { move_ } else { norm }
        })
    }

    /// The bounds as `f64`.
    pub(crate) fn to_f64(&self) -> (Vec<f64>, Vec<f64>) {
        (crate::minimize::vector::to_f64(&self.lower), crate::minimize::vector::to_f64(&self.upper))
    }
}
