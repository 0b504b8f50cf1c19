use crate::minimize::bounds::Bounds;
use crate::minimize::error::MinimizeError;
use crate::minimize::rounding;
use crate::minimize::vector::{self, Float};

type Value<'f, T> = Box<dyn Fn(&[T]) -> f64 + 'f>;
type Gradient<'f, T> = Box<dyn Fn(&[T], &mut [T]) + 'f>;
type Product<'f, T> = Box<dyn Fn(&[T], &[T], &mut [T]) + 'f>;

/// General constraints: equalities c(x) = 0, inequalities c(x) ≥ 0, bounds.
///
/// A value or gradient that is infinite or NaN means "not defined here": methods step back from it, and where it is so at
/// the start the outcome is [`NonFinite`](crate::Reason::NonFinite).
///
/// ```
/// use wengert_optim::constrained::{AugmentedLagrangian, Constraints};
/// use wengert_optim::{Method, Problem};
///
/// // The point of the unit circle with the least sum: (−√½, −√½).
/// let sum = Problem::new(2, |x: &[f64]| x[0] + x[1]).with_gradient(|_, g| g.fill(1.0));
/// let circle = Constraints::new(2).equality(
///     |x| x[0] * x[0] + x[1] * x[1] - 1.0,
///     |x, g| { g[0] = 2.0 * x[0]; g[1] = 2.0 * x[1]; },
/// );
/// let outcome = AugmentedLagrangian::new(&circle).minimize(&sum, &[1.0, 0.5])?;
/// assert!(outcome.converged() && (outcome.value + 2f64.sqrt()).abs() < 1e-6);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
pub struct Constraints<'f, T> {
    equalities: Vec<Constraint<'f, T>>,
    inequalities: Vec<Constraint<'f, T>>,
    bounds: Bounds<T>,
}

struct Constraint<'f, T> {
    value: Value<'f, T>,
    gradient: Gradient<'f, T>,
    product: Option<Product<'f, T>>,
}

impl<'f, T: Float> Constraints<'f, T> {
    /// No constraints yet on `dimension` variables.
    pub fn new(dimension: usize) -> Self {
        Self { equalities: Vec::new(), inequalities: Vec::new(), bounds: Bounds::none(dimension) }
    }

    /// Adds c(x) = 0 with its gradient `gradient(x, out)`.
    pub fn equality(
        mut self,
        value: impl Fn(&[T]) -> f64 + 'f,
        gradient: impl Fn(&[T], &mut [T]) + 'f,
    ) -> Self {
        self.equalities.push(Constraint {
            value: Box::new(value),
            gradient: Box::new(gradient),
            product: None,
        });
        self
    }

    /// Adds c(x) ≥ 0 with its gradient `gradient(x, out)`.
    pub fn inequality(
        mut self,
        value: impl Fn(&[T]) -> f64 + 'f,
        gradient: impl Fn(&[T], &mut [T]) + 'f,
    ) -> Self {
        self.inequalities.push(Constraint {
            value: Box::new(value),
            gradient: Box::new(gradient),
            product: None,
        });
        self
    }

    /// Gives products with the Hessian of equality number `index`, `product(x, v, out)`; without, they are differences of gradients.
    ///
    /// # Panics
    /// If there is no such equality.
    ///
    /// ```
    /// use wengert_optim::constrained::{Constraints, InteriorPoint};
    /// use wengert_optim::{Method, Problem};
    /// // The point of the unit circle that is furthest along x + y.
    /// let f = Problem::new(2, |x: &[f64]| -x[0] - x[1]).with_gradient(|_, g| g.fill(-1.0)).with_hvp(|_, _, out| out.fill(0.0));
    /// let circle = Constraints::new(2)
    ///     .equality(|x: &[f64]| x[0] * x[0] + x[1] * x[1] - 1.0, |x, g| { g[0] = 2.0 * x[0]; g[1] = 2.0 * x[1]; })
    ///     .with_equality_hvp(0, |_, v, out| { out[0] = 2.0 * v[0]; out[1] = 2.0 * v[1]; });
    /// let outcome = InteriorPoint::new(&circle).minimize(&f, &[1.0, 0.2])?;
    /// assert!((outcome.value + 2f64.sqrt()).abs() < 1e-6);
    /// # Ok::<(), wengert_optim::MinimizeError>(())
    /// ```
    #[track_caller]
    pub fn with_equality_hvp(mut self, index: usize, product: impl Fn(&[T], &[T], &mut [T]) + 'f) -> Self {
        let count = self.equalities.len();
        assert!(index < count, "Constraints: equality {index} of {count}");
        self.equalities[index].product = Some(Box::new(product));
        self
    }

    /// Gives products with the Hessian of inequality number `index`, `product(x, v, out)`; without, they are differences of gradients.
    ///
    /// # Panics
    /// If there is no such inequality.
    ///
    /// ```
    /// use wengert_optim::constrained::{Constraints, InteriorPoint};
    /// use wengert_optim::{Method, Problem};
    /// // The same on the disc, 1 − x² − y² ≥ 0.
    /// let f = Problem::new(2, |x: &[f64]| -x[0] - x[1]).with_gradient(|_, g| g.fill(-1.0)).with_hvp(|_, _, out| out.fill(0.0));
    /// let disc = Constraints::new(2)
    ///     .inequality(|x: &[f64]| 1.0 - x[0] * x[0] - x[1] * x[1], |x, g| { g[0] = -2.0 * x[0]; g[1] = -2.0 * x[1]; })
    ///     .with_inequality_hvp(0, |_, v, out| { out[0] = -2.0 * v[0]; out[1] = -2.0 * v[1]; });
    /// let outcome = InteriorPoint::new(&disc).minimize(&f, &[0.0, 0.2])?;
    /// assert!((outcome.value + 2f64.sqrt()).abs() < 1e-6);
    /// # Ok::<(), wengert_optim::MinimizeError>(())
    /// ```
    #[track_caller]
    pub fn with_inequality_hvp(mut self, index: usize, product: impl Fn(&[T], &[T], &mut [T]) + 'f) -> Self {
        let count = self.inequalities.len();
        assert!(index < count, "Constraints: inequality {index} of {count}");
        self.inequalities[index].product = Some(Box::new(product));
        self
    }

    /// Adds bounds.
    pub fn with_bounds(mut self, bounds: Bounds<T>) -> Self {
        self.bounds = bounds;
        self
    }

    /// The bounds.
    pub fn bounds(&self) -> &Bounds<T> {
        &self.bounds
    }

    /// The number of equalities.
    pub fn equalities(&self) -> usize {
        self.equalities.len()
    }

    /// The number of inequalities.
    pub fn inequalities(&self) -> usize {
        self.inequalities.len()
    }

    fn all(&self) -> impl Iterator<Item = &Constraint<'f, T>> {
        self.equalities.iter().chain(&self.inequalities)
    }

    pub(super) fn check(&self, dimension: usize) -> Result<(), MinimizeError> {
        MinimizeError::length("the bounds", self.bounds.lower().len(), dimension)
    }

    /// c(x), equalities first.
    pub(super) fn values(&self, x: &[T]) -> Vec<f64> {
        self.all().map(|c| (c.value)(x)).collect()
    }

    /// The gradients, in the same order.
    pub(super) fn gradients(&self, x: &[T]) -> Vec<Vec<f64>> {
        let mut gradient = vec![T::ZERO; x.len()];
        let one = |c: &Constraint<'f, T>| {
            gradient.fill(T::ZERO);
            (c.gradient)(x, &mut gradient);
            vector::to_f64(&gradient)
        };
        self.all().map(one).collect()
    }

    /// Values and, where those are finite, gradients.
    pub(super) fn at(&self, x: &[T]) -> ConstraintsAt {
        let values = self.values(x);
        let gradients = if vector::all_finite(&values) { self.gradients(x) } else { Vec::new() };
        ConstraintsAt { values, gradients }
    }

    /// `out += Σ weightᵢ ∇²cᵢ(x) v`.
    pub(super) fn add_products(&self, x: &[T], weights: &[f64], v: &[T], out: &mut [T]) {
        let mut product = vec![T::ZERO; x.len()];
        for (c, &weight) in self.all().zip(weights) {
            if weight == 0.0 {
                continue;
            }
            match &c.product {
                Some(exact) => exact(x, v, &mut product),
                None => differences(&c.gradient, x, v, &mut product),
            }
            vector::axpy(weight, &product, out);
        }
    }

    /// c_E and min(c_I, 0); a value that is not finite violates its constraint.
    pub(super) fn shortfalls(&self, values: &[f64]) -> Vec<f64> {
        let one = |(i, &c): (usize, &f64)| {
            let satisfied = i >= self.equalities() && c >= 0.0 && c.is_finite();
            if satisfied { 0.0 } else { c }
        };
        values.iter().enumerate().map(one).collect()
    }

    /// max(|c_E|, −c_I, what is outside the bounds); NaN where a constraint is not finite.
    pub(super) fn violation(&self, x: &[T], values: &[f64]) -> f64 {
        if !vector::all_finite(values) {
            return f64::NAN;
        }
        let mut outside = x.to_vec();
        self.bounds.project(&mut outside);
        vector::axpy(-1.0, x, &mut outside);
        vector::norm_inf(&[vector::norm_inf(&self.shortfalls(values)), vector::norm_inf(&outside)])
    }
}

/// The constraints at a point, equalities first.
#[derive(Clone, Debug, Default)]
pub(super) struct ConstraintsAt {
    pub(super) values: Vec<f64>,
    /// Empty where a value is not finite.
    pub(super) gradients: Vec<Vec<f64>>,
}

impl ConstraintsAt {
    /// Whether values and gradients are finite.
    pub(super) fn is_finite(&self) -> bool {
        vector::all_finite(&self.values) && self.gradients.iter().all(|g| vector::all_finite(g))
    }
}

/// Central differences of a gradient along v.
fn differences<T: Float>(gradient: &Gradient<'_, T>, x: &[T], v: &[T], out: &mut [T]) {
    let length = vector::norm(v);
    if length == 0.0 || !length.is_finite() {
        return out.fill(if length == 0.0 { T::ZERO } else { T::NAN });
    }
    let h = rounding::difference_step::<T>() * vector::norm(x).max(1.0) / length;
    let (mut at, mut below) = (x.to_vec(), vec![T::ZERO; x.len()]);
    vector::axpy(-h, v, &mut at);
    gradient(&at, &mut below);
    vector::add_scaled(x, h, v, &mut at);
    gradient(&at, out);
    vector::axpby(-0.5 / h, &below, 0.5 / h, out);
}
