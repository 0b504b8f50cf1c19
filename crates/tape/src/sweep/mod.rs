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
