//! Applying an operation: its value, now or when it is asked for, and its place in recordings.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use smallvec::SmallVec;
use wengert_tensor::{Float, Shape, Tensor};

use super::{Description, Op};
use crate::data::{Data, Given, Kind};
use crate::describe::Attributes;
use crate::profile::{self, Stated, Timing};
use crate::tape::record;
use crate::var::{Deferred, Value, Var};

/// Applies an operation to variables: computes the value, and records it on the tapes that the inputs are on.
///
/// # Panics
/// If the inputs are on two tapes of which neither is nested in the other.
///
/// ```
/// use wengert_tape::{Cotangents, Op, Point, Var, apply, grad};
/// use wengert_tensor::Tensor;
/// /// Passes values on, and derivatives backwards with the opposite sign.
/// struct Reverse;
/// impl Op<f64> for Reverse {
///     fn name(&self) -> &str { "reverse" }
///     fn forward(&self, x: &[&Tensor<f64>]) -> Tensor<f64> { x[0].clone() }
///     fn vjp(&self, _: &Point<f64>, v: &Var<f64>, into: &mut Cotangents<f64>) { into.add(0, || -v) }
/// }
/// let f = |x: &Var<f64>| apply(Reverse, &[&x.square()]).sum();
/// assert_eq!(grad(f, &Var::from([3.0])).item(), -6.0);
/// ```
#[track_caller]
pub fn apply<T: Float, O: Op<T>>(op: O, inputs: &[&Var<T>]) -> Var<T> {
    apply_given(op, inputs, &[])
}

/// Like [`apply`], with operands that are no floating-point numbers: labels, indices, masks. The operation gets them in
/// [`Op::evaluate`], and its rules by [`Point::given`](super::Point::given).
///
/// # Panics
/// Where `apply` does.
///
/// ```
/// use wengert_tape::{Cotangents, Data, Mask, Op, Point, Var, apply_given, grad};
/// use wengert_tensor::Tensor;
/// /// x where the mask is true, else 0.
/// struct Kept;
/// impl Op<f64> for Kept {
///     fn name(&self) -> &str { "kept" }
///     fn forward(&self, _: &[&Tensor<f64>]) -> Tensor<f64> { unreachable!("there is always a mask") }
///     fn evaluate(&self, x: &[&Tensor<f64>], given: &[&Data<f64>]) -> Data<f64> {
///         Data::Float(x[0] * &given[0].mask().cast::<f64>())
///     }
///     fn vjp(&self, at: &Point<f64>, v: &Var<f64>, into: &mut Cotangents<f64>) {
///         into.add(0, || v * at.given(0).to_mask().value().cast::<f64>());
///     }
/// }
/// let mask = Mask::from(Tensor::from([true, false]));
/// let f = |x: &Var<f64>| apply_given(Kept, &[x], &[mask.given()]).square().sum();
/// assert_eq!(grad(f, &Var::from([3.0, 4.0])).value().to_vec(), [6.0, 0.0]);
/// ```
#[track_caller]
#[inline(never)]
pub fn apply_given<T: Float, O: Op<T>>(op: O, inputs: &[&Var<T>], given: &[&Given<T>]) -> Var<T> {
    // Compiled for every operation: what does not need to know its type is in functions of its own, and no table of its
    // methods is made here, which would have all its rules compiled again.
    if is_constant(inputs, given) {
        let value = match (inputs, given) {
            _ if profile::is_on() => run(&ValueOf(&op), inputs, given),
            // At once: what lies in between takes as long as the operation on one element.
            ([a], []) => op.forward(&[a.value()]),
            ([a, b], []) => op.forward(&[a.value(), b.value()]),
            _ => run(&ValueOf(&op), inputs, given),
        };
        return Var::new(Value::Ready(value), None);
    }
    apply_tracked(op.shared(), inputs, given)
}

/// [`apply_given`] of inputs that are recorded.
#[track_caller]
#[inline(never)]
fn apply_tracked<T: Float>(op: Rc<dyn Op<T>>, inputs: &[&Var<T>], given: &[&Given<T>]) -> Var<T> {
    let shape = if is_deferring(inputs) { op.output_shape(&shapes(inputs)) } else { None };
    let value = match shape {
        Some(shape) => deferred(op.clone(), inputs, given, shape),
        None => Value::Ready(run(&ValueOf(&*op), inputs, given)),
    };
    recorded(op, inputs, given, value)
}

/// The result of an operation whose value is already there.
#[track_caller]
pub(crate) fn apply_known<T: Float, O: Op<T>>(
    op: O,
    inputs: &[&Var<T>],
    given: &[&Given<T>],
    value: Tensor<T>,
) -> Var<T> {
    let value = Value::Ready(value);
    if is_constant(inputs, given) {
        Var::new(value, None)
    } else {
        recorded(op.shared(), inputs, given, value)
    }
}

#[track_caller]
fn recorded<T: Float>(op: Rc<dyn Op<T>>, inputs: &[&Var<T>], given: &[&Given<T>], value: Value<T>) -> Var<T> {
    let place = record::operation(op, inputs, given, &value);
    Var::new(value, place)
}

/// Applies an operation whose result is no floating-point number; only complete recordings hold it.
#[track_caller]
pub(crate) fn decide<T: Float, O: Op<T>>(op: O, inputs: &[&Var<T>], given: &[&Given<T>]) -> Given<T> {
    let value = {
        let given: SmallVec<[&Data<T>; 1]> = given.iter().map(|g| &g.value).collect();
        let inputs = Values::of(inputs);
        let timing = Timing::start();
        let value = op.evaluate(inputs.as_slice(), &given);
        if timing.is_on() {
            timing.operation(&ValueOf(&op), inputs.as_slice(), &given, value.shape(), value.kind());
        }
        value
    };
    decide_known(op, inputs, given, value)
}

/// The result of such an operation, if its value is already there.
#[track_caller]
pub(crate) fn decide_known<T: Float, O: Op<T>>(
    op: O,
    inputs: &[&Var<T>],
    given: &[&Given<T>],
    value: Data<T>,
) -> Given<T> {
    let place = if is_constant(inputs, given) {
        None
    } else {
        record::decision(op.shared(), inputs, given, value.kind(), value.shape())
    };
    Given { value, place }
}

/// What gives an operation's value and no more: a table of all its methods would have its rules compiled where it is applied.
trait Evaluate<T: Float>: Stated<T> {
    #[track_caller]
    fn evaluate(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<T>;
}

pub(crate) struct ValueOf<'a, O: ?Sized>(pub(crate) &'a O);

impl<T: Float, O: Op<T> + ?Sized> Evaluate<T> for ValueOf<'_, O> {
    fn evaluate(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<T> {
        if given.is_empty() { self.0.forward(inputs) } else { self.0.evaluate(inputs, given).into_float() }
    }
}

impl<T: Float, O: Op<T> + ?Sized> Stated<T> for ValueOf<'_, O> {
    fn description(&self) -> Description {
        let mut attributes = Attributes::default();
        self.0.describe(&mut attributes);
        Description { name: self.0.name().to_owned(), attributes }
    }

    fn flops(&self, inputs: &[&Shape], output: &Shape) -> Option<u64> {
        self.0.flops(inputs, output)
    }
}

/// The value of an operation.
#[track_caller]
#[inline(never)]
fn run<T: Float>(op: &dyn Evaluate<T>, inputs: &[&Var<T>], given: &[&Given<T>]) -> Tensor<T> {
    let inputs = Values::of(inputs);
    if given.is_empty() {
        return timed(op, inputs.as_slice(), &[]);
    }
    let given: SmallVec<[&Data<T>; 1]> = given.iter().map(|g| &g.value).collect();
    timed(op, inputs.as_slice(), &given)
}

#[track_caller]
#[inline]
fn timed<T: Float>(op: &dyn Evaluate<T>, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<T> {
    let timing = Timing::start();
    let value = op.evaluate(inputs, given);
    if timing.is_on() {
        timing.operation(op, inputs, given, value.shape(), Kind::Float);
    }
    value
}

/// The values of an operation's inputs. One and two, by far the most frequent, need no list in memory.
enum Values<'a, T: Float> {
    One([&'a Tensor<T>; 1]),
    Two([&'a Tensor<T>; 2]),
    Many(Vec<&'a Tensor<T>>),
}

impl<'a, T: Float> Values<'a, T> {
    #[inline]
    fn of(inputs: &[&'a Var<T>]) -> Self {
        match inputs {
            [a] => Values::One([a.value()]),
            [a, b] => Values::Two([a.value(), b.value()]),
            _ => Values::Many(inputs.iter().map(|v| v.value()).collect()),
        }
    }

    #[inline]
    fn as_slice(&self) -> &[&'a Tensor<T>] {
        match self {
            Values::One(values) => values,
            Values::Two(values) => values,
            Values::Many(values) => values,
        }
    }
}

/// Whether no tape records what is computed from these.
#[inline]
pub(crate) fn is_constant<T: Float>(inputs: &[&Var<T>], given: &[&Given<T>]) -> bool {
    inputs.iter().all(|v| v.place.is_none()) && given.iter().all(|g| g.place.is_none())
}

/// Whether a recording that the operation goes to puts off what it can.
fn is_deferring<T: Float>(inputs: &[&Var<T>]) -> bool {
    inputs.iter().any(|v| v.place.as_ref().is_some_and(|p| p.arena.is_deferring()))
}

/// Whether one of the recordings that the operation goes to takes what stands for many steps one by one.
pub(crate) fn takes_single_steps<T: Float>(inputs: &[&Var<T>]) -> bool {
    inputs.iter().any(|v| {
        let mut places = std::iter::successors(v.place.as_ref(), |place| place.outer.as_deref());
        places.any(|place| place.arena.takes_single_steps())
    })
}

fn shapes<'a, T: Float>(inputs: &[&'a Var<T>]) -> SmallVec<[&'a Shape; 2]> {
    inputs.iter().map(|v| v.shape()).collect()
}

/// The value of an operation that runs when somebody asks for it.
fn deferred<T: Float>(op: Rc<dyn Op<T>>, inputs: &[&Var<T>], given: &[&Given<T>], shape: Shape) -> Value<T> {
    let inputs = RefCell::new(inputs.iter().map(|v| v.value.clone()).collect());
    let given = given.iter().map(|g| g.value.clone()).collect();
    Value::Deferred(Rc::new(Deferred { shape, op, inputs, given, result: OnceCell::new() }))
}
