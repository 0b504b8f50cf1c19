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
