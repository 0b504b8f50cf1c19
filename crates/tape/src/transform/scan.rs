//! A function applied step by step along the first axis, with something handed on.

use wengert_tensor::Float;

use super::arguments::Arguments;
use super::segments::RecomputedScan;
use crate::var::Var;

/// `step(carry, x)` for each x along the first axis of `xs`, from the first to the last: it gives the carry of the next step
/// and an output. The result is the last carry, and the outputs along a new first axis.
///
/// Carry, inputs and outputs are [`Arguments`]: a variable, a `Vec`, an array or a tuple. The carry keeps its shapes. Where
/// there are no steps, the shapes of the outputs are found by a step on zeros.
///
/// ```
/// use wengert_tape::{Var, grad, scan};
/// // An exponential moving average, and its derivative by the factor.
/// let xs = Var::from([1.0f64, 2.0, 3.0]);
/// let average = |a: &Var<f64>| {
///     let step = |mean: &Var<f64>, x: &Var<f64>| {
///         let mean = a * mean + (1.0 - a) * x;
///         (mean.clone(), mean)
///     };
///     scan(step, Var::scalar(0.0), &xs).1
/// };
/// assert_eq!(average(&Var::scalar(0.5)).value().to_vec(), [0.5, 1.25, 2.125]);
/// assert_eq!(grad(|a: &Var<f64>| average(a).sum(), &Var::scalar(0.5)).item(), -5.75);
/// ```
///
/// # Panics
/// If the inputs have first axes of different lengths, or none, or a step changes the shapes of the carry or the number or
/// shapes of the outputs.
#[doc(alias = "lax.scan")]
#[track_caller]
pub fn scan<T: Float, C: Arguments<T>, X: Arguments<T>, Y: Arguments<T>>(
    step: impl Fn(&C, &X) -> (C, Y),
    carry: C,
    xs: &X,
) -> (C, Y) {
    Scan::new().apply(step, carry, xs)
}

/// How a [`scan`] goes: forwards and with all derivatives, unless it is told otherwise.
///
/// ```
/// use wengert_tape::{Scan, Var, grad};
/// let product = |scan: Scan, x: &Var<f64>| {
///     let step = |y: &Var<f64>, x: &Var<f64>| (y * x, y.clone());
///     scan.apply(step, Var::scalar(1.0), x)
/// };
/// let x = Var::from([2.0, 3.0, 5.0, 7.0]);
/// let (last, before) = product(Scan::new().reversed(), &x);
/// assert_eq!((last.item(), before.value().to_vec()), (210.0, vec![105.0, 35.0, 7.0, 1.0]));
/// // The last two factors alone.
/// let g = grad(|x: &Var<f64>| product(Scan::new().truncated(2), x).0, &x);
/// assert_eq!(g.value().to_vec(), [0.0, 0.0, 42.0, 30.0]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Scan {
    pub(super) reversed: bool,
    pub(super) truncation: Option<usize>,
}

impl Scan {
    /// Forwards, with all derivatives.
    pub fn new() -> Self {
        Scan::default()
    }

    /// From the last step to the first; outputs stay in the places of their inputs.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.reversed = true;
        self
    }

    /// Derivatives do not go past every `steps`-th carry (truncated back-propagation through time; Williams and Peng, "An
    /// efficient gradient-based algorithm for on-line training of recurrent network trajectories", 1990).
    ///
    /// # Panics
    /// If `steps` is 0.
    #[doc(alias = "tbptt")]
    #[must_use]
    #[track_caller]
    pub fn truncated(mut self, steps: usize) -> Self {
        assert!(steps > 0, "truncated: derivatives of 0 steps");
        self.truncation = Some(steps);
        self
    }

    /// Of whose steps the tape keeps little: see [`RecomputedScan`].
    pub fn recomputed(self) -> RecomputedScan {
        RecomputedScan::of(self)
    }

    /// As [`scan`].
    ///
    /// # Panics
    /// Where [`scan`] does.
    #[track_caller]
    pub fn apply<T: Float, C: Arguments<T>, X: Arguments<T>, Y: Arguments<T>>(
        &self,
        step: impl Fn(&C, &X) -> (C, Y),
        carry: C,
        xs: &X,
    ) -> (C, Y) {
        let length = length(&xs.to_vars());
        self.piece(0, length, &step, carry, xs)
    }

    /// The steps of one piece of `length`, of which the first is number `first` in the order in which they are taken.
    #[track_caller]
    pub(super) fn piece<T: Float, C: Arguments<T>, X: Arguments<T>, Y: Arguments<T>>(
        &self,
        first: usize,
        length: usize,
        step: &dyn Fn(&C, &X) -> (C, Y),
        mut carry: C,
        xs: &X,
    ) -> (C, Y) {
        let inputs = xs.to_vars();
        if length == 0 {
            let zeros = inputs.iter().map(|x| Var::zeros(&x.shape()[1..])).collect();
            let y = step(&carry, &xs.with_vars(zeros)).1;
            let none = y.to_vars().iter().map(|y| y.stop_gradient().unsqueeze(0).slice(..0)).collect();
            return (carry, y.with_vars(none));
        }
        let mut outputs: Vec<Vec<Var<T>>> = Vec::new();
        let mut like = None;
        for count in 0..length {
            if count + first > 0 && self.truncation.is_some_and(|n| (count + first).is_multiple_of(n)) {
                carry = carry.with_vars(carry.to_vars().iter().map(Var::stop_gradient).collect());
            }
            let at = if self.reversed { length - 1 - count } else { count } as isize;
            let x = xs.with_vars(inputs.iter().map(|x| x.select(0, at)).collect());
            let (next, y) = step(&carry, &x);
            check_carry(&carry.to_vars(), &next.to_vars());
            carry = next;
            let parts = y.to_vars();
            outputs.resize_with(parts.len().max(outputs.len()), Vec::new);
            for (number, (all, part)) in outputs.iter_mut().zip(parts).enumerate() {
                assert!(
                    all.len() == count && all.first().is_none_or(|first| first.shape() == part.shape()),
                    "scan: output {number} has shape {}, unlike that of the first step",
                    part.shape()
                );
                all.push(part);
            }
            like = Some(y);
        }
        let stacked = outputs.into_iter().map(|mut parts| {
            if self.reversed {
                parts.reverse();
            }
            Var::stack(&parts, 0)
        });
        let like = like.expect("there was a step");
        (carry, like.with_vars(stacked.collect()))
    }
}

/// The length of the first axes of the inputs.
#[track_caller]
pub(super) fn length<T: Float>(xs: &[Var<T>]) -> usize {
    let lengths: Vec<Option<usize>> = xs.iter().map(|x| x.shape().first().copied()).collect();
    match lengths.first() {
        Some(&Some(length)) if lengths.iter().all(|&l| l == Some(length)) => length,
        _ => {
            let shapes: Vec<String> = xs.iter().map(|x| x.shape().to_string()).collect();
            panic!("scan: inputs of shapes {shapes:?} have no first axis of one length");
        }
    }
}

#[track_caller]
fn check_carry<T: Float>(before: &[Var<T>], after: &[Var<T>]) {
    assert!(
        before.len() == after.len(),
        "scan: a carry of {} variables becomes one of {}",
        before.len(),
        after.len()
    );
    for (before, after) in before.iter().zip(after) {
        let (before, after) = (before.shape(), after.shape());
        assert!(before == after, "scan: a carry of shape {before} becomes one of shape {after}");
    }
}
