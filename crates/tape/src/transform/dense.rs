//! Whole derivative matrices, a row or a column at a time.

use wengert_tensor::{Float, Shape, Tensor};

use crate::transform::{HessianOperator, linearize, vjp};
use crate::var::Var;

/// The Jacobian of `f` at `x`, of shape `[value…, x…]`, a column per forward sweep: for functions with more values
/// than arguments.
///
/// ```
/// use wengert_tape::{Var, jacobian_forward};
/// let j = jacobian_forward(|x: &Var<f64>| x * x, &Var::from([1.0, 2.0]));
/// assert_eq!(j.value().to_vec(), [2.0, 0.0, 0.0, 4.0]);
/// ```
#[doc(alias = "jacfwd")]
#[doc(alias = "jacobian")]
pub fn jacobian_forward<T: Float>(f: impl FnOnce(&Var<T>) -> Var<T>, x: &Var<T>) -> Var<T> {
    let (value, derivative) = linearize(f, x);
    let columns = unit_vectors(x.shape()).map(|e| derivative.apply(&e));
    stacked(columns.collect(), x.shape(), value.shape(), true)
}

/// The Jacobian of `f` at `x`, of shape `[value…, x…]`, a row per backward sweep: for functions with more arguments
/// than values.
///
/// ```
/// use wengert_tape::{Var, jacobian_reverse};
/// let j = jacobian_reverse(|x: &Var<f64>| x.sum() * x, &Var::from([1.0, 2.0]));
/// assert_eq!(j.value().to_vec(), [4.0, 1.0, 2.0, 5.0]);
/// ```
#[doc(alias = "jacrev")]
#[doc(alias = "jacobian")]
pub fn jacobian_reverse<T: Float>(f: impl FnOnce(&Var<T>) -> Var<T>, x: &Var<T>) -> Var<T> {
    let (value, pullback) = vjp(f, x);
    let rows = unit_vectors(value.shape()).map(|e| pullback.apply(&e));
    stacked(rows.collect(), value.shape(), x.shape(), false)
}

/// The Hessian of a scalar function at `x`, of shape `[x…, x…]`, a product per column.
///
/// # Panics
/// If the function's value does not have exactly one element.
///
/// ```
/// use wengert_tape::{Var, hessian};
/// let h = hessian(|x: &Var<f64>| x.select(0, 0) * x.select(0, 1).square(), &Var::from([3.0, 5.0]));
/// assert_eq!(h.value().to_vec(), [0.0, 10.0, 10.0, 6.0]);
/// ```
#[track_caller]
pub fn hessian<T: Float>(f: impl FnOnce(&Var<T>) -> Var<T>, x: &Var<T>) -> Var<T> {
    let operator = HessianOperator::of("hessian", f, x);
    let columns = unit_vectors(x.shape()).map(|e| operator.apply(&e));
    stacked(columns.collect(), x.shape(), x.shape(), true)
}

/// The tensors of a shape with a single 1.
fn unit_vectors<T: Float>(shape: &Shape) -> impl Iterator<Item = Var<T>> {
    let shape = shape.clone();
    (0..shape.count()).map(move |i| {
        let mut e = Tensor::zeros(&shape);
        e.as_mut_slice()[i] = T::ONE;
        Var::constant(e)
    })
}

/// One part for each element of `outer`, put together as `[outer…, part…]`, or `[part…, outer…]` if `transposed`.
#[track_caller]
fn stacked<T: Float>(parts: Vec<Var<T>>, outer: &Shape, part: &Shape, transposed: bool) -> Var<T> {
    let (first, second) = if transposed { (part, outer) } else { (outer, part) };
    let shape: Shape = first.iter().chain(second.iter()).copied().collect();
    if parts.is_empty() {
        return Var::zeros(shape);
    }
    let rows: Vec<Var<T>> = parts.iter().map(|p| p.reshape([1, part.count()])).collect();
    let matrix = Var::cat(&rows, 0);
    if transposed { matrix.t().reshape(shape) } else { matrix.reshape(shape) }
}
