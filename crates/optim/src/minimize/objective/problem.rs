//! An objective from plain closures.

use super::{CurvatureAt, Objective, Want};
use crate::minimize::operator::{DenseOperator, Operator};
use crate::minimize::rounding;
use crate::minimize::vector::{self, Float};

type Value<'f, T> = Box<dyn Fn(&[T]) -> f64 + 'f>;
type Gradient<'f, T> = Box<dyn Fn(&[T], &mut [T]) + 'f>;
type Product<'f, T> = Box<dyn Fn(&[T], &[T], &mut [T]) + 'f>;

/// An [`Objective`] from closures.
///
/// Without [`with_gradient`](Self::with_gradient) derivatives are central differences (2n values a gradient, good to about
/// ε^⅔). Without [`with_hvp`](Self::with_hvp) or [`with_hessian`](Self::with_hessian) there is no Hessian, and a method that needs
/// one says so, unless [`with_difference_hessian`](Self::with_difference_hessian) allows differences of gradients.
///
/// ```
/// use wengert_optim::{Method, Problem, TrustRegionNewton};
///
/// let rosenbrock = Problem::new(2, |x: &[f64]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2))
///     .with_gradient(|x, g| {
///         g[0] = -2.0 * (1.0 - x[0]) - 400.0 * x[0] * (x[1] - x[0] * x[0]);
///         g[1] = 200.0 * (x[1] - x[0] * x[0]);
///     })
///     .with_hvp(|x, v, out| {
///         out[0] = (2.0 - 400.0 * (x[1] - 3.0 * x[0] * x[0])) * v[0] - 400.0 * x[0] * v[1];
///         out[1] = -400.0 * x[0] * v[0] + 200.0 * v[1];
///     });
/// let outcome = TrustRegionNewton::default().minimize(&rosenbrock, &[-1.2, 1.0]).unwrap();
/// assert!(outcome.converged() && (outcome.point[0] - 1.0).abs() < 1e-8);
/// ```
pub struct Problem<'f, T> {
    dimension: usize,
    value: Value<'f, T>,
    gradient: Option<Gradient<'f, T>>,
    hessian: Hessian<'f, T>,
}

enum Hessian<'f, T> {
    None,
    Product(Product<'f, T>),
    Dense(Gradient<'f, T>),
    Differences,
}

impl<'f, T: Float> Problem<'f, T> {
    /// The problem of minimising `value` over `dimension` variables.
    pub fn new(dimension: usize, value: impl Fn(&[T]) -> f64 + 'f) -> Self {
        Self { dimension, value: Box::new(value), gradient: None, hessian: Hessian::None }
    }

    /// Gives the gradient: `gradient(x, out)`.
    pub fn with_gradient(mut self, gradient: impl Fn(&[T], &mut [T]) + 'f) -> Self {
        self.gradient = Some(Box::new(gradient));
        self
    }

    /// Gives Hessian-vector products: `product(x, v, out)`.
    pub fn with_hvp(mut self, product: impl Fn(&[T], &[T], &mut [T]) + 'f) -> Self {
        self.hessian = Hessian::Product(Box::new(product));
        self
    }

    /// Gives the whole Hessian: `hessian(x, out)` with `out` of n² elements.
    ///
    /// ```
    /// use wengert_optim::{Method, Newton, Problem};
    /// let f = Problem::new(2, |x: &[f64]| x[0] * x[0] + 2.0 * x[1] * x[1])
    ///     .with_gradient(|x, g| { g[0] = 2.0 * x[0]; g[1] = 4.0 * x[1]; })
    ///     .with_hessian(|_, h| h.copy_from_slice(&[2.0, 0.0, 0.0, 4.0]));
    /// assert!(Newton::default().minimize(&f, &[3.0, 1.0])?.value < 1e-12);
    /// # Ok::<(), wengert_optim::MinimizeError>(())
    /// ```
    pub fn with_hessian(mut self, hessian: impl Fn(&[T], &mut [T]) + 'f) -> Self {
        self.hessian = Hessian::Dense(Box::new(hessian));
        self
    }

    /// Takes central differences of the gradient, two gradients a product, for the Hessian.
    ///
    /// ```
    /// use wengert_optim::{Curvatures, Problem};
    /// let f = Problem::new(1, |x: &[f64]| x[0].powi(4))
    ///     .with_gradient(|x, g| g[0] = 4.0 * x[0].powi(3))
    ///     .with_difference_hessian();
    /// let mut product = [0.0];
    /// f.hessian(&[1.0]).unwrap().apply(&[1.0], &mut product);
    /// assert!((product[0] - 12.0).abs() < 1e-6);
    /// ```
    pub fn with_difference_hessian(mut self) -> Self {
        self.hessian = Hessian::Differences;
        self
    }
}

impl<T: Float> Objective<T> for Problem<'_, T> {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn value(&self, x: &[T]) -> f64 {
        (self.value)(x)
    }

    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        self.gradient(x, gradient);
        (self.value)(x)
    }

    fn gradient(&self, x: &[T], gradient: &mut [T]) {
        match &self.gradient {
            Some(g) => g(x, gradient),
            None => difference_gradient(&self.value, x, gradient),
        }
    }

    fn curvature(&self, want: Want, x: &[T]) -> Option<CurvatureAt<'_, T>> {
        if want != Want::Hessian {
            return None;
        }
        let at = x.to_vec();
        match &self.hessian {
            Hessian::None => None,
            Hessian::Product(product) => Some(CurvatureAt::operator(ProductAt { at, product })),
            Hessian::Dense(hessian) => {
                let mut matrix = vec![T::ZERO; x.len() * x.len()];
                hessian(x, &mut matrix);
                Some(CurvatureAt::operator(DenseOperator::new(matrix)))
            }
            Hessian::Differences => Some(CurvatureAt::operator(Differences { at, problem: self })),
        }
    }
}

/// Central differences with the step that balances truncation and rounding, ε^⅓ relative to each variable.
fn difference_gradient<T: Float>(f: &Value<'_, T>, x: &[T], gradient: &mut [T]) {
    let mut at = x.to_vec();
    for (i, g) in gradient.iter_mut().enumerate() {
        let h = T::from_f64(rounding::difference_step::<T>() * x[i].to_f64().abs().max(1.0));
        at[i] = x[i] + h;
        let (above, upper) = (f(&at), at[i]);
        at[i] = x[i] - h;
        // The step as it was rounded.
        *g = T::from_f64((above - f(&at)) / (upper - at[i]).to_f64());
        at[i] = x[i];
    }
}

struct ProductAt<'p, 'f, T> {
    at: Vec<T>,
    product: &'p Product<'f, T>,
}

impl<T: Float> Operator<T> for ProductAt<'_, '_, T> {
    fn dimension(&self) -> usize {
        self.at.len()
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        (self.product)(&self.at, v, out);
    }
}

struct Differences<'p, 'f, T> {
    at: Vec<T>,
    problem: &'p Problem<'f, T>,
}

impl<T: Float> Operator<T> for Differences<'_, '_, T> {
    fn dimension(&self) -> usize {
        self.at.len()
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        let length = vector::norm(v);
        if length == 0.0 || !length.is_finite() {
            return out.fill(if length == 0.0 { T::ZERO } else { T::NAN });
        }
        let h = rounding::difference_step::<T>() * vector::norm(&self.at).max(1.0) / length;
        let mut at = self.at.clone();
        let mut below = vec![T::ZERO; v.len()];
        vector::axpy(-h, v, &mut at);
        self.problem.gradient(&at, &mut below);
        vector::add_scaled(&self.at, h, v, &mut at);
        self.problem.gradient(&at, out);
        vector::axpby(-0.5 / h, &below, 0.5 / h, out);
    }
}
