//! Functions of symmetric matrices by their eigenvalues, with derivatives that are right where eigenvalues are equal.

use std::rc::Rc;

use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::eigen::{self, parts};
use super::matrices::{self, expect, symmetric};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply, apply_known};
use crate::profile::Timing;
use crate::transform;
use crate::var::Var;

/// The derivative of f(A) = V diag(g(λ)) Vᵀ along D₁, …, Dₚ, the inputs behind A; f itself if there are none. Its elements
/// in the basis V are Σ g[λᵢ, λₖ, …, λⱼ] D₁ᵢₖ ⋯ Dₚ…ⱼ over all k between and all orders of the Dₛ, with the divided differences
/// of g (Daleckii and Krein, 1951; Higham, "Functions of matrices", 2008, chapter 3). It is symmetric in all directions, that
/// of a product with it included: so these operations are each other's derivatives.
struct MatrixFunction<T: Float> {
    g: Function<T>,
    directions: usize,
}

type Function<T> = Rc<dyn Fn(&Var<T>) -> Var<T>>;

const NAME: &str = "symmetric_function";

impl<T: Float> MatrixFunction<T> {
    fn along(&self, inputs: &[Var<T>]) -> Var<T> {
        let operation = MatrixFunction { g: Rc::clone(&self.g), directions: inputs.len() - 1 };
        apply(operation, &inputs.iter().collect::<Vec<_>>())
    }

    #[track_caller]
    fn value(&self, inputs: &[&Tensor<T>]) -> Result<Tensor<T>, MatrixError> {
        let n = matrices::square(NAME, inputs[0].shape());
        let (values, vectors) = parts(&Var::constant(eigen::value(NAME, inputs[0])?));
        let turned: Vec<Vec<T>> = inputs[1..]
            .iter()
            .map(|&d| {
                vectors.t().full_matmul(&Var::constant(d.clone())).full_matmul(&vectors).value().to_vec()
            })
            .collect();
        let mut inner = Vec::with_capacity(inputs[0].len());
        for (matrix, values) in values.value().to_vec().chunks_exact(n.max(1)).enumerate() {
            let directions: Vec<&[T]> = turned.iter().map(|d| &d[matrix * n * n..][..n * n]).collect();
            inner.extend(self.of_values(values, &directions));
        }
        let inner = Tensor::from_vec(inner, inputs[0].shape().clone()).expect("a number for each element");
        Ok(vectors.full_matmul(&Var::constant(inner)).full_matmul(&vectors.t()).into_value())
    }

    /// The same where the matrix is diagonal.
    #[track_caller]
    fn of_values(&self, values: &[T], directions: &[&[T]]) -> Vec<T> {
        let (n, p) = (values.len(), self.directions);
        let count = n.pow(p as u32 + 1);
        let mut inner = vec![T::ZERO; n * n];
        if p == 0 {
            let g = self.derivative(0, values);
            g.into_iter().enumerate().for_each(|(i, g)| inner[i * n + i] = g);
            return inner;
        }
        let tuple = |number: usize| -> Vec<usize> {
            (0..=p).rev().map(|place| number / n.pow(place as u32) % n).collect()
        };
        let ascending = |tuple: &[usize]| tuple.is_sorted();
        let largest = values.iter().fold(T::ZERO, |m, x| m.maximum(x.abs()));
        let far = largest * T::from_f64(0.25);
        let all = |at: &mut dyn FnMut(usize, T) -> T| -> Vec<T> {
            let mut differences = vec![T::ZERO; count];
            for (number, difference) in differences.iter_mut().enumerate() {
                let tuple = tuple(number);
                if ascending(&tuple) {
                    let points: Vec<T> = tuple.iter().map(|&i| values[i]).collect();
                    *difference = divided_difference(&points, far, at).0;
                }
            }
            differences
        };
        // First where which derivatives are read, then the differences.
        let mut points = vec![Vec::new(); p + 5];
        all(&mut |order, x| {
            points[order].push(x);
            T::ZERO
        });
        let mut read: Vec<_> = points
            .iter()
            .enumerate()
            .map(|(order, points)| self.derivative(order, points).into_iter())
            .collect();
        let differences = all(&mut |order, _| read[order].next().expect("it was asked for before"));
        let orders = permutations(p);
        for number in 0..count {
            let tuple = tuple(number);
            let mut sorted = tuple.clone();
            sorted.sort_unstable();
            let difference = differences[sorted.iter().fold(0, |number, i| number * n + i)];
            let products = orders.iter().map(|order| {
                let steps = order.iter().zip(tuple.windows(2));
                steps.fold(T::ONE, |product, (&d, at)| product * directions[d][at[0] * n + at[1]])
            });
            inner[tuple[0] * n + tuple[p]] += difference * products.sum();
        }
        inner
    }

    /// The derivative of g of some order at these numbers.
    #[track_caller]
    fn derivative(&self, order: usize, at: &[T]) -> Vec<T> {
        fn nth<T: Float>(g: &dyn Fn(&Var<T>) -> Var<T>, order: usize, x: &Var<T>) -> Var<T> {
            match order {
                0 => g(x),
                _ => transform::jvp(|x: &Var<T>| nth(g, order - 1, x), x, &Var::ones(x.shape())).1,
            }
        }
        if at.is_empty() {
            return Vec::new();
        }
        let x = Var::constant(Tensor::vector(at));
        let y = nth(&*self.g, order, &x);
        assert!(
            !y.is_tracked(),
            "{NAME}: the function captures a tracked variable, whose derivative would be lost"
        );
        assert!(y.shape() == x.shape(), "{NAME}: the function makes {} of {}", y.shape(), x.shape());
        y.value().to_vec()
    }
}

/// g[x₀, …, xₚ] for ascending numbers, from derivatives of g that are `at` a place, and an estimate of its error. Numbers
/// near each other are expanded around their mean, as divided differences of theirs would be rounding; those whose distance is
/// beyond `far` never.
fn divided_difference<T: Float>(x: &[T], far: T, at: &mut dyn FnMut(usize, T) -> T) -> (T, T) {
    let (p, epsilon) = (x.len() - 1, T::EPSILON);
    let spread = x[p] - x[0];
    let factorial = |n: usize| T::from_f64((1..=n).map(|i| i as f64).product());
    let expansion = (spread <= far || spread == T::ZERO).then(|| {
        let mean = x.iter().copied().sum::<T>() / T::from_usize(p + 1);
        let first = at(p, mean) / factorial(p);
        if spread == T::ZERO {
            return (first, epsilon * first.abs());
        }
        // Complete symmetric polynomials of the distances, of which the sum is 0.
        let [squares, cubes, fourths] =
            [2, 3, 4].map(|k| x.iter().map(|&x| (x - mean).powi(k)).sum::<T>() / T::from_f64(f64::from(k)));
        let mut term = |more: usize, polynomial: T| at(p + more, mean) / factorial(p + more) * polynomial;
        let second = term(2, squares);
        let (third, fourth) = (term(3, cubes), term(4, fourths + squares * squares * T::from_f64(0.5)));
        (first + second + third + fourth, third.abs() + fourth.abs() + epsilon * first.abs())
    });
    if let Some(exact) = expansion.filter(|_| spread == T::ZERO) {
        return exact;
    }
    let quotient = {
        let (high, of_high) = divided_difference(&x[1..], far, at);
        let (low, of_low) = divided_difference(&x[..p], far, at);
        ((high - low) / spread, (of_high + of_low + epsilon * (high.abs() + low.abs())) / spread)
    };
    expansion.filter(|expansion| expansion.1 <= quotient.1).unwrap_or(quotient)
}

/// All orders of the first numbers.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    (0..count).fold(vec![Vec::new()], |all, next| {
        let with_next = |order: &Vec<usize>| {
            let order = order.clone();
            (0..=order.len()).map(move |place| {
                let mut longer = order.clone();
                longer.insert(place, next);
                longer
            })
        };
        all.iter().flat_map(with_next).collect()
    })
}

impl<T: Float> Op<T> for MatrixFunction<T> {
    fn name(&self) -> &str {
        NAME
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("directions", self.directions);
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        expect(self.value(inputs))
    }
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let cotangent = symmetric(cotangent);
        into.add(0, || self.along(&[at.inputs(), std::slice::from_ref(&cotangent)].concat()));
        for i in 1..at.inputs().len() {
            into.add(i, || {
                let mut inputs = at.inputs().to_vec();
                inputs[i] = cotangent.clone();
                self.along(&inputs)
            });
        }
    }
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let parts = tangents.iter().enumerate().filter_map(|(i, tangent)| {
            let tangent = tangent.as_ref()?;
            let mut inputs = at.inputs().to_vec();
            if i == 0 {
                inputs.push(tangent.clone());
            } else {
                inputs[i] = tangent.clone();
            }
            Some(self.along(&inputs))
        });
        parts.reduce(|sum, part| sum + part)
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
}

impl<T: Float> Var<T> {
    /// f(A) = V diag(g(λ)) Vᵀ of the symmetric matrices A = V diag(λ) Vᵀ in the last two axes, of which the symmetric part
    /// ½ (A + Aᵀ) is what counts, for a function g of numbers, which gets them as a vector and must treat each alone.
    ///
    /// Its derivatives of any order are those of f, also where eigenvalues are equal or nearly so, as those of the same made of
    /// [`eigh`](Var::eigh) are not: g is differentiated there instead. A derivative of order p takes n^(p + 2) operations.
    ///
    /// ```
    /// use wengert_tape::{Var, grad};
    /// let a = Var::from([[2.0f64, 0.0], [0.0, 2.0]]);
    /// // The derivative of √A along D at 2 times the identity is D/√8.
    /// let f = |a: &Var<f64>| a.symmetric_function(|x| x.sqrt()).unwrap().slice_axis(0, 1..).slice_axis(1, ..1).sum();
    /// let expected = Var::from([[0.0, 0.5], [0.5, 0.0]]) / 8f64.sqrt();
    /// assert!((grad(f, &a) - expected).abs().max().item() < 1e-15);
    /// ```
    ///
    /// # Errors
    /// If a matrix is not finite, or its eigenvalues do not converge.
    ///
    /// # Panics
    /// If the matrices are not square, or the function captures a tracked variable or makes a vector of another shape.
    #[doc(alias = "funm")]
    #[doc(alias = "sqrtm")]
    #[doc(alias = "logm")]
    #[track_caller]
    pub fn symmetric_function(&self, g: impl Fn(&Var<T>) -> Var<T> + 'static) -> Result<Var<T>, MatrixError> {
        matrices::square(NAME, self.shape());
        let a = symmetric(self);
        let operation = MatrixFunction { g: Rc::new(g), directions: 0 };
        let timing = Timing::start();
        let value = operation.value(&[a.value()])?;
        timing.named::<T>("symmetric_function", &[a.shape()], value.shape());
        Ok(apply_known(operation, &[&a], &[], value))
    }
}
