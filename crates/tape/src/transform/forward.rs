//! Directional derivatives.

use wengert_tensor::Float;

use crate::transform::Primals;
use crate::transform::reverse::Recording;
use crate::var::Var;

/// The value of a function at `x` and its derivative there in the direction `tangent`.
///
/// # Panics
/// If a tangent does not have its argument's shape.
///
/// ```
/// use wengert_tape::{Var, jvp};
/// let (y, dy) = jvp(|x: &Var<f64>| x.sin(), &Var::from([0.0]), &Var::from([2.0]));
/// assert_eq!((y.item(), dy.item()), (0.0, 2.0));
/// ```
#[track_caller]
pub fn jvp<T: Float, A: Primals<T> + ?Sized>(
    f: impl FnOnce(&A) -> Var<T>,
    x: &A,
    tangent: &A,
) -> (Var<T>, Var<T>) {
    let (value, linearized) = linearize(f, x);
    let tangent = linearized.along("jvp", tangent);
    (value, tangent)
}

/// The value of a function at `x`, and its derivative there as a linear map, to be applied to any number of
/// directions. The control flow is that of the one evaluation at `x`.
///
/// ```
/// use wengert_tape::{Var, linearize};
/// let (_, derivative) = linearize(|x: &Var<f64>| x * x, &Var::from([3.0]));
/// assert_eq!(derivative.apply(&Var::from([1.0])).item(), 6.0);
/// assert_eq!(derivative.apply(&Var::from([2.0])).item(), 12.0);
/// ```
pub fn linearize<T: Float, A: Primals<T> + ?Sized>(
    f: impl FnOnce(&A) -> Var<T>,
    x: &A,
) -> (Var<T>, Linearized<T>) {
    let recording = Recording::for_tangents(f, x);
    (recording.value(), Linearized(recording))
}

/// The derivative of a function at the point where it was recorded: see [`linearize`].
///
/// ```
/// use wengert_tape::{Linearized, Var, linearize};
/// let (value, slope): (_, Linearized<f64>) = linearize(|x: &Var<f64>| x.exp(), &Var::from([0.0]));
/// // As many directions as wanted from one recording.
/// assert_eq!((value.item(), slope.apply(&Var::from([3.0])).item()), (1.0, 3.0));
/// ```
pub struct Linearized<T: Float>(Recording<T>);

impl<T: Float> Linearized<T> {
    /// `J · tangent`.
    ///
    /// # Panics
    /// If a tangent does not have its argument's shape.
    #[track_caller]
    pub fn apply<A: Primals<T> + ?Sized>(&self, tangent: &A) -> Var<T> {
        self.along("linearize", tangent)
    }

    #[track_caller]
    fn along<A: Primals<T> + ?Sized>(&self, operation: &str, tangent: &A) -> Var<T> {
        let Linearized(recording) = self;
        let inputs: Vec<&Var<T>> = recording.inputs.iter().collect();
        let outputs = [&recording.output];
        let found =
            recording.tape.swept_forward(operation, &outputs, &inputs, &tangent.variables()).remove(0);
        found.unwrap_or_else(|| Var::zeros(recording.output.shape()))
    }
}

impl<T: Float> Drop for Linearized<T> {
    fn drop(&mut self) {
        self.0.tape.close();
    }
}
