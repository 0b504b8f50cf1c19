//! Walking a tape backwards, for cotangents, and forwards, for tangents.

mod forward;
mod reverse;
mod slab;

pub(crate) use forward::forward;
pub(crate) use reverse::reverse;

use std::rc::Rc;

use wengert_tensor::Float;

use crate::tape::{Arena, Input, Place};
use crate::var::Var;

/// What a backward sweep does to the recording.
///
/// ```
/// use wengert_tape::{Sweep, Tape, Var};
/// let tape = Tape::new();
/// let x = tape.var([2.0f64]);
/// let y = x.powi(3);
/// // Recorded, the slope 3x² can be differentiated again.
/// let slope = tape.pull_back(&y, Var::ones([1]), &[&x], Sweep::Record)[0].clone().unwrap();
/// let curvature = tape.pull_back(&slope, Var::ones([1]), &[&x], Sweep::Consume)[0].clone().unwrap();
/// assert_eq!((slope.item(), curvature.item()), (12.0, 12.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Frees every node as soon as it has been passed; the tape can do nothing more afterwards.
    Consume,
    /// Leaves the recording as it is, for further sweeps.
    Retain,
    /// Leaves the recording as it is and records the sweep's own operations behind it, so that its results can
    /// be differentiated.
    Record,
}

/// Who is told of a backward sweep while it goes on, by [`Tape::pull_back_observed`](crate::Tape::pull_back_observed): to send
/// derivatives off, or to write them to their places, while others are still computed.
///
/// ```
/// use wengert_tape::{Sweep, SweepObserver, Tape, Var};
///
/// /// Which derivatives are there after how many operations.
/// #[derive(Default)]
/// struct Order {
///     passed: usize,
///     ready: Vec<(usize, usize, f64)>,
/// }
///
/// impl SweepObserver<f64> for Order {
///     fn ready(&mut self, index: usize, derivative: Option<&Var<f64>>) {
///         self.ready.push((self.passed, index, derivative.map_or(0.0, |slope| slope.item())));
///     }
///     fn passed(&mut self) {
///         self.passed += 1;
///     }
/// }
///
/// let tape = Tape::new();
/// let (first, second) = (tape.var([2.0f64]), tape.var([3.0]));
/// let y = (&first * 5.0).sin() * &second;
/// let mut order = Order::default();
/// tape.pull_back_observed(&y, Var::ones([1]), &[&first, &second], Sweep::Consume, &mut order);
/// // The derivative for `second`, sin 10, is there two operations before the other.
/// let [(early, 1, slope), (late, 0, _)] = order.ready[..] else { panic!() };
/// assert!(late == early + 2 && slope == 10.0f64.sin());
/// ```
pub trait SweepObserver<T: Float> {
    /// The derivative for variable number `index` is final; there is none if the output does not depend on it. Each variable is told
    /// of once, as soon as no operation is left that uses it.
    fn ready(&mut self, index: usize, derivative: Option<&Var<T>>);

    /// The derivative for variable number `index` is final from element `first` on: it has these, and behind them those it was told
    /// of before. So the last rows of what is a product of matrices can be used while the first are computed. All that is told of
    /// is also in the derivative that is [`ready`](SweepObserver::ready) later.
    fn ready_from(&mut self, _index: usize, _first: usize, _elements: &[T]) {}

    /// About how many elements are worth a call of [`ready_from`](SweepObserver::ready_from); all of them unless given.
    fn every(&self) -> usize {
        usize::MAX
    }

    /// The sweep has passed an operation.
    fn passed(&mut self) {}
}

impl<T: Float> Input<T> {
    /// The input as a variable, on older tapes only, or also on the one that it was recorded on.
    fn to_var(&self, arena: &Rc<Arena<T>>, mode: Sweep) -> Var<T> {
        let place = match self.parent {
            Some(node) if mode == Sweep::Record => {
                Some(Place { arena: Rc::clone(arena), node, outer: self.outer.clone() })
            }
            _ => self.outer.as_deref().cloned(),
        };
        Var::new(self.value.clone(), place)
    }
}

/// The cotangent 1 of a scalar.
#[track_caller]
pub(crate) fn scalar_seed<T: Float>(operation: &str, output: &Var<T>) -> Var<T> {
    assert!(
        output.len() == 1,
        "{operation}: the function's value has shape {}, not that of a scalar; sum it, or use `vjp`",
        output.shape()
    );
    Var::ones(output.shape())
}

/// Zeros where a variable does not matter.
pub(crate) fn or_zeros<T: Float>(found: Vec<Option<Var<T>>>, like: &[&Var<T>]) -> Vec<Var<T>> {
    found.into_iter().zip(like).map(|(g, v)| g.unwrap_or_else(|| Var::zeros(v.shape()))).collect()
}
