//! Gradients and vector–Jacobian products.

use std::borrow::Borrow;

use wengert_tensor::Float;

use crate::sweep::{Sweep, or_zeros, scalar_seed};
use crate::tape::Tape;
use crate::transform::{Arguments, Primals};
use crate::var::Var;

/// The gradient of a scalar function at `x`, in the structure of `x` (see [`Arguments`] and, for slices, [`Primals`]).
///
/// # Panics
/// If the function's value does not have exactly one element.
///
/// ```
/// use wengert_tape::{Var, grad};
/// let f = |(a, b): &(Var<f64>, Var<f64>)| (a * b).sum();
/// let (ga, gb) = grad(f, &(Var::from([1.0, 2.0]), Var::from([3.0, 4.0])));
/// assert_eq!((ga.value().to_vec(), gb.value().to_vec()), (vec![3.0, 4.0], vec![1.0, 2.0]));
/// ```
#[doc(alias = "backward")]
#[track_caller]
pub fn grad<T: Float, A: Primals<T> + ?Sized>(f: impl FnOnce(&A) -> Var<T>, x: &A) -> A::Owned {
    differentiated("grad", f, x).1
}

/// The value and the gradient of a scalar function at `x`.
///
/// # Panics
/// If the function's value does not have exactly one element.
///
/// ```
/// use wengert_tape::{Var, value_and_grad};
/// let (value, gradient) = value_and_grad(|x: &Var<f64>| x.square().sum(), &Var::from([3.0, 4.0]));
/// assert_eq!((value.item(), gradient.value().to_vec()), (25.0, vec![6.0, 8.0]));
/// ```
#[track_caller]
pub fn value_and_grad<T: Float, A: Primals<T> + ?Sized>(
    f: impl FnOnce(&A) -> Var<T>,
    x: &A,
) -> (Var<T>, A::Owned) {
    differentiated("value_and_grad", f, x)
}

#[track_caller]
fn differentiated<T: Float, A: Primals<T> + ?Sized>(
    operation: &str,
    f: impl FnOnce(&A) -> Var<T>,
    x: &A,
) -> (Var<T>, A::Owned) {
    let recording = Recording::of(f, x);
    let seed = scalar_seed(operation, &recording.output);
    let found = recording.pull_back(operation, seed, Sweep::Consume);
    let value = recording.value();
    recording.tape.close();
    (value, x.rebuilt(found))
}

/// The value of a function at `x`, and the map from a cotangent of the value to the cotangents of `x`.
///
/// ```
/// use wengert_tape::{Var, vjp};
/// let x = Var::from([1.0f64, 2.0]);
/// let (y, pullback) = vjp(|x: &Var<f64>| x * x, &x);
/// assert_eq!(y.value().to_vec(), [1.0, 4.0]);
/// assert_eq!(pullback.apply(&Var::from([1.0, 10.0])).value().to_vec(), [2.0, 40.0]);
/// ```
pub fn vjp<T: Float, A: Primals<T> + ?Sized>(
    f: impl FnOnce(&A) -> Var<T>,
    x: &A,
) -> (Var<T>, Pullback<T, A::Owned>) {
    let recording = Recording::of(f, x);
    (recording.value(), Pullback { structure: x.rebuilt(x.variables()), recording })
}

/// A function recorded at a point, to be swept backwards any number of times: see [`vjp`].
///
/// ```
/// use wengert_tape::{Pullback, Var, vjp};
/// let (_, pullback): (_, Pullback<f64, Var<f64>>) = vjp(|x: &Var<f64>| x.square(), &Var::from([1.0, 2.0]));
/// // A row of the Jacobian for each unit vector.
/// assert_eq!(pullback.apply(&Var::from([1.0, 0.0])).value().to_vec(), [2.0, 0.0]);
/// assert_eq!(pullback.apply(&Var::from([0.0, 1.0])).value().to_vec(), [0.0, 4.0]);
/// ```
pub struct Pullback<T: Float, A> {
    recording: Recording<T>,
    structure: A,
}

impl<T: Float, A: Arguments<T>> Pullback<T, A> {
    /// `cotangentᵀ · J`, in the structure of the arguments.
    ///
    /// # Panics
    /// If the cotangent does not have the shape of the function's value.
    #[track_caller]
    pub fn apply(&self, cotangent: &Var<T>) -> A {
        self.structure.with_vars(self.recording.pull_back("vjp", cotangent.clone(), Sweep::Retain))
    }
}

impl<T: Float, A> Drop for Pullback<T, A> {
    fn drop(&mut self) {
        self.recording.tape.close();
    }
}

/// One evaluation of a function on a tape of its own.
pub(super) struct Recording<T: Float> {
    pub(super) tape: Tape<T>,
    pub(super) inputs: Vec<Var<T>>,
    pub(super) output: Var<T>,
}

impl<T: Float> Recording<T> {
    pub(super) fn of<A: Primals<T> + ?Sized>(f: impl FnOnce(&A) -> Var<T>, x: &A) -> Self {
        Recording::on(Tape::nested(), f, x)
    }

    /// One of which tangents will be asked for.
    pub(super) fn for_tangents<A: Primals<T> + ?Sized>(f: impl FnOnce(&A) -> Var<T>, x: &A) -> Self {
        let tape = Tape::nested();
        tape.expect_tangents();
        Recording::on(tape, f, x)
    }

    fn on<A: Primals<T> + ?Sized>(tape: Tape<T>, f: impl FnOnce(&A) -> Var<T>, x: &A) -> Self {
        let inputs: Vec<Var<T>> = x.variables().iter().map(|v| tape.enter(v)).collect();
        let output = f(x.rebuilt(inputs.clone()).borrow());
        Recording { tape, inputs, output }
    }

    /// The function's value, off this tape.
    pub(super) fn value(&self) -> Var<T> {
        self.tape.leave(&self.output)
    }

    #[track_caller]
    pub(super) fn pull_back(&self, operation: &str, cotangent: Var<T>, mode: Sweep) -> Vec<Var<T>> {
        let inputs: Vec<&Var<T>> = self.inputs.iter().collect();
        or_zeros(self.tape.swept_back(operation, &self.output, cotangent, &inputs, mode, None), &inputs)
    }
}
