//! Where a derivative rule is evaluated.

use smallvec::SmallVec;
use wengert_tensor::Float;

use crate::data::Given;
use crate::var::Var;

/// Where a derivative rule is evaluated: the inputs and the output of one application.
pub struct Point<T: Float> {
    pub(crate) inputs: SmallVec<[Var<T>; 2]>,
    pub(crate) output: Var<T>,
    pub(crate) needs: SmallVec<[bool; 2]>,
    pub(crate) given: Vec<Given<T>>,
}

impl<T: Float> Point<T> {
    /// Input number `index`.
    ///
    /// # Panics
    /// If there are not as many.
    #[track_caller]
    pub fn input(&self, index: usize) -> &Var<T> {
        match self.inputs.get(index) {
            Some(input) => input,
            None => no_input("input", index, self.inputs.len()),
        }
    }

    /// All inputs.
    pub fn inputs(&self) -> &[Var<T>] {
        &self.inputs
    }

    /// The output.
    pub fn output(&self) -> &Var<T> {
        &self.output
    }

    /// Operand number `index` of those that are no floating-point numbers.
    ///
    /// # Panics
    /// If there are not as many.
    #[track_caller]
    pub fn given(&self, index: usize) -> &Given<T> {
        match self.given.get(index) {
            Some(given) => given,
            None => no_input("given", index, self.given.len()),
        }
    }

    /// Whether input `index` needs a cotangent.
    ///
    /// # Panics
    /// If there are not as many.
    ///
    /// ```
    /// use wengert_tape::{Cotangents, Op, Point, Var, apply, grad};
    /// use wengert_tensor::Tensor;
    /// struct Product;
    /// impl Op<f64> for Product {
    ///     fn name(&self) -> &str { "product" }
    ///     fn forward(&self, x: &[&Tensor<f64>]) -> Tensor<f64> { x[0] * x[1] }
    ///     fn vjp(&self, at: &Point<f64>, v: &Var<f64>, into: &mut Cotangents<f64>) {
    ///         assert!(at.needs(0) && !at.needs(1), "only x is differentiated with respect to");
    ///         into.add(0, || v * at.input(1));
    ///         into.add(1, || unreachable!("not computed"));
    ///     }
    /// }
    /// let constant = Var::from([5.0]);
    /// assert_eq!(grad(|x: &Var<f64>| apply(Product, &[x, &constant]).sum(), &Var::from([2.0])).item(), 5.0);
    /// ```
    #[track_caller]
    pub fn needs(&self, index: usize) -> bool {
        match self.needs.get(index) {
            Some(needs) => *needs,
            None => no_input("needs", index, self.needs.len()),
        }
    }
}

#[cold]
#[track_caller]
pub(super) fn no_input(operation: &str, index: usize, count: usize) -> ! {
    panic!("{operation}: there is no input {index}, the operation has {count}")
}
