//! Hessian–vector products.

use wengert_tensor::Float;

use crate::sweep::{Sweep, or_zeros, scalar_seed};
use crate::transform::reverse::Recording;
use crate::transform::{Arguments, Primals};
use crate::var::Var;

/// The product of the Hessian of a scalar function at `x` with `v`, in the structure of `x`.
///
/// # Panics
/// If the function's value does not have exactly one element, or `v` has other shapes than `x`.
///
/// ```
/// use wengert_tape::{Var, hvp};
/// let f = |x: &Var<f64>| x.powi(3).sum();
/// let hv = hvp(f, &Var::from([1.0, 2.0]), &Var::from([1.0, 10.0]));
/// assert_eq!(hv.value().to_vec(), [6.0, 120.0]);
/// ```
#[track_caller]
pub fn hvp<T: Float, A: Primals<T> + ?Sized>(f: impl FnOnce(&A) -> Var<T>, x: &A, v: &A) -> A::Owned {
    HessianOperator::of("hvp", f, x).along_once("hvp", v)
}

/// The Hessian of a scalar function at a point, as a linear operator.
///
/// The gradient is recorded once, without computing what only the gradient's own value needs; each product is one
/// forward sweep over that recording (Pearlmutter, "Fast exact multiplication by the Hessian", 1994).
///
/// ```
/// use wengert_tape::{HessianOperator, Var};
/// let hessian = HessianOperator::new(|x: &Var<f64>| x.powi(3).sum(), &Var::from([1.0, 2.0]));
/// assert_eq!(hessian.gradient().value().to_vec(), [3.0, 12.0]);
/// assert_eq!(hessian.apply(&Var::from([1.0, 0.0])).value().to_vec(), [6.0, 0.0]);
/// assert_eq!(hessian.apply_once(&Var::from([0.0, 1.0])).value().to_vec(), [0.0, 12.0]);
/// ```
pub struct HessianOperator<T: Float, A: Primals<T> + ?Sized> {
    recording: Recording<T>,
    gradient: Vec<Var<T>>,
    structure: A::Owned,
}

impl<T: Float, A: Primals<T> + ?Sized> HessianOperator<T, A> {
    /// Records the gradient of `f` at `x`.
    ///
    /// # Panics
    /// If the function's value does not have exactly one element.
    #[track_caller]
    pub fn new(f: impl FnOnce(&A) -> Var<T>, x: &A) -> Self {
        HessianOperator::of("HessianOperator::new", f, x)
    }

    /// [`new`](HessianOperator::new) for the function `operation`, which its panics name.
    #[track_caller]
    pub(super) fn of(operation: &str, f: impl FnOnce(&A) -> Var<T>, x: &A) -> Self {
        let recording = Recording::for_tangents(f, x);
        let seed = scalar_seed(operation, &recording.output);
        let gradient = recording.tape.deferring(|| recording.pull_back(operation, seed, Sweep::Record));
        HessianOperator { gradient, structure: x.rebuilt(x.variables()), recording }
    }

    /// The function's value at the point.
    pub fn value(&self) -> Var<T> {
        self.recording.value()
    }

    /// The gradient at the point, in the structure of the arguments; computed now.
    pub fn gradient(&self) -> A::Owned {
        self.structure.with_vars(self.gradient.iter().map(|g| self.recording.tape.leave(g)).collect())
    }

    /// `H · v`, in the structure of the arguments.
    ///
    /// # Panics
    /// If `v` has other shapes than the arguments.
    #[track_caller]
    pub fn apply(&self, v: &A) -> A::Owned {
        let Recording { tape, inputs, .. } = &self.recording;
        let inputs: Vec<&Var<T>> = inputs.iter().collect();
        let gradient: Vec<&Var<T>> = self.gradient.iter().collect();
        let found = tape.swept_forward("HessianOperator::apply", &gradient, &inputs, &v.variables());
        self.structure.with_vars(or_zeros(found, &inputs))
    }

    /// `H · v` as the only product or the last: the recording is freed as the sweep passes it, which takes less memory.
    ///
    /// # Panics
    /// If `v` has other shapes than the arguments.
    #[track_caller]
    pub fn apply_once(self, v: &A) -> A::Owned {
        self.along_once("HessianOperator::apply_once", v)
    }

    #[track_caller]
    fn along_once(mut self, operation: &str, v: &A) -> A::Owned {
        let gradient = std::mem::take(&mut self.gradient);
        let Recording { tape, inputs, .. } = &self.recording;
        let inputs: Vec<&Var<T>> = inputs.iter().collect();
        let found = tape.swept_forward_once(operation, gradient, &inputs, &v.variables());
        self.structure.with_vars(or_zeros(found, &inputs))
    }
}

impl<T: Float, A: Primals<T> + ?Sized> Drop for HessianOperator<T, A> {
    fn drop(&mut self) {
        self.recording.tape.close();
    }
}
