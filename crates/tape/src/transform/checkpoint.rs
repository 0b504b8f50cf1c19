//! Recomputing instead of storing.

use wengert_tensor::{Float, Tensor};

use crate::op::{Cotangents, Op, Point, Saves, apply};
use crate::sweep::Sweep;
use crate::tape::{Tape, record};
use crate::var::Var;

/// `f(inputs)`, of which the tape keeps only the inputs: the inside is computed again when a derivative needs it
/// (Griewank, "Achieving logarithmic growth of temporal and spatial complexity in reverse automatic
/// differentiation", 1992). `f` must give the same value each time, and must not use tracked variables other than
/// its arguments.
///
/// # Panics
/// If `f` captures a tracked variable, whose derivative would be lost.
///
/// ```
/// use wengert_tape::{Var, checkpoint, grad};
/// let deep = |x: &Var<f64>| checkpoint(|v| v[0].sin().exp().tanh(), &[x]).sum();
/// let x = Var::from([0.3]);
/// let direct = grad(|x: &Var<f64>| x.sin().exp().tanh().sum(), &x);
/// assert_eq!(grad(deep, &x).item(), direct.item());
/// ```
#[track_caller]
pub fn checkpoint<T: Float>(f: impl Fn(&[Var<T>]) -> Var<T> + 'static, inputs: &[&Var<T>]) -> Var<T> {
    let recorded_inside = inputs.iter().any(|v| v.stop_gradient().place.is_some());
    if !recorded_inside {
        return apply(Checkpoint(f), inputs);
    }
    // A complete recording holds what is computed inside, not a closure.
    let plain: Vec<Var<T>> = inputs.iter().map(|v| v.stop_gradient()).collect();
    let output = f(&plain);
    assert!(!output.is_tracked(), "{CAPTURES}");
    let Var { value, place, .. } = output;
    let place = record::with_inside(Checkpoint(f).shared(), inputs, &value, place);
    Var::new(value, place)
}

const CAPTURES: &str = "checkpoint: the function captures a tracked variable; pass it as an input";

/// Adds what the cotangent of `f(inputs)` contributes to those of the inputs, with `f` computed for it.
pub(crate) fn pull_back_through<T: Float>(
    f: &dyn Fn(&[Var<T>]) -> Var<T>,
    inputs: &[Var<T>],
    cotangent: &Var<T>,
    into: &mut Cotangents<T>,
) {
    let tape = Tape::nested();
    let inputs: Vec<Var<T>> = inputs.iter().map(|v| tape.enter(v)).collect();
    let output = f(&inputs);
    let wanted: Vec<&Var<T>> = inputs.iter().collect();
    let found = tape.pull_back(&output, cotangent.clone(), &wanted, Sweep::Consume);
    tape.close();
    for (i, cotangent) in found.into_iter().enumerate() {
        if let Some(cotangent) = cotangent {
            into.add(i, || cotangent);
        }
    }
}

/// The tangent of `f(inputs)` along those of the inputs that there are, with `f` computed for it.
pub(crate) fn push_forward_through<T: Float>(
    f: &dyn Fn(&[Var<T>]) -> Var<T>,
    inputs: &[Var<T>],
    tangents: &[Option<Var<T>>],
) -> Option<Var<T>> {
    let tape = Tape::nested();
    let inputs: Vec<Var<T>> = inputs.iter().map(|v| tape.enter(v)).collect();
    let output = f(&inputs);
    let (wrt, along): (Vec<&Var<T>>, Vec<Var<T>>) =
        inputs.iter().zip(tangents).filter_map(|(v, t)| t.clone().map(|t| (v, t))).unzip();
    let found = tape.push_forward(&[&output], &wrt, &along).remove(0);
    tape.close();
    found
}

struct Checkpoint<F>(F);

impl<T: Float, F: Fn(&[Var<T>]) -> Var<T> + 'static> Op<T> for Checkpoint<F> {
    fn name(&self) -> &str {
        "checkpoint"
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let inputs: Vec<Var<T>> = inputs.iter().map(|&x| Var::constant(x.clone())).collect();
        let output = self.0(&inputs);
        assert!(!output.is_tracked(), "{CAPTURES}");
        output.into_value()
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        pull_back_through(&self.0, at.inputs(), cotangent, into);
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        push_forward_through(&self.0, at.inputs(), tangents)
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
}
