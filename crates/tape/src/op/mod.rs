//! What an operation is: the trait that the library's own operations implement and users' do.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use smallvec::SmallVec;
use wengert_tensor::shape::broadcast;
use wengert_tensor::{Float, Shape, Slice, Tensor};

use crate::cotangent::{Cotangent, accumulate};
use crate::data::{Data, Given};
use crate::describe::Attributes;
use crate::sweep::Sweep;
use crate::tape::{Tape, record};
use crate::var::{Deferred, Value, Var};

mod fused;

pub use fused::{Description, fused};
pub(crate) use fused::{Fused, is_tracked};

/// A differentiable operation with any number of inputs and one output.
///
/// `forward` computes on tensors. `vjp` is the derivative rule, written in differentiable operations on [`Var`]:
/// on untracked variables it is the fast first-order pass, on tracked ones the same code gives every higher
/// order. `jvp` gives forward mode; without one, it is derived from `vjp`.
///
/// An elementwise function of one variable is easier as an [`Elementwise`](crate::Elementwise); an operation
/// linear in its input as a [`LinearMap`](crate::LinearMap); one linear in each of two as a
/// [`BilinearMap`](crate::BilinearMap).
///
/// ```
/// use wengert_tape::{Cotangents, Op, Point, Var, apply, check_grads};
/// use wengert_tensor::Tensor;
///
/// /// The product of two vectors' sums.
/// struct SumProduct;
///
/// impl Op<f64> for SumProduct {
///     fn name(&self) -> &str { "sum_product" }
///     fn forward(&self, x: &[&Tensor<f64>]) -> Tensor<f64> { x[0].sum() * x[1].sum() }
///     fn vjp(&self, at: &Point<f64>, cotangent: &Var<f64>, into: &mut Cotangents<f64>) {
///         into.add(0, || (cotangent * at.input(1).sum()).broadcast_to(at.input(0).shape()));
///         into.add(1, || (cotangent * at.input(0).sum()).broadcast_to(at.input(1).shape()));
///     }
/// }
///
/// let (x, y) = (Var::from([1.0, 2.0]), Var::from([3.0, 4.0, 5.0]));
/// assert_eq!(apply(SumProduct, &[&x, &y]).item(), 36.0);
/// check_grads(|v| apply(SumProduct, &[&v[0], &v[1]]), &[x, y], 2).unwrap();
/// ```
pub trait Op<T: Float>: 'static {
    /// The name in messages.
    fn name(&self) -> &str;

    /// What distinguishes this operation from others of its name (axes, strides, an ε), as plain data for drawings,
    /// exporters and messages; by default nothing.
    fn describe(&self, _attributes: &mut Attributes) {}

    /// The value. Called with `#[track_caller]`, so a panic in a tensor operation names the user's line.
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T>;

    /// The value where [`apply_given`] passed operands that are no floating-point numbers, such as labels, indices and
    /// masks, or the result is none. By default [`forward`](Op::forward), which gets none of them and is all that is
    /// called where there are none.
    #[track_caller]
    fn evaluate(&self, inputs: &[&Tensor<T>], _given: &[&Data<T>]) -> Data<T> {
        Data::Float(self.forward(inputs))
    }

    /// The vector–Jacobian product: adds to each input's cotangent what the output's `cotangent` contributes.
    /// A contribution may be of any shape that the input's shape broadcasts to; it is summed down.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>);

    /// The Jacobian–vector product: the output's tangent for the inputs' tangents, of which at least one is there;
    /// `None` means zero. By default the derivative of [`vjp`](Op::vjp), which is linear in its cotangent, with
    /// respect to that cotangent.
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        jvp_by_transposition(self, at, tangents)
    }

    /// Which values the rules read; all of them by default. What is not declared is not kept alive.
    fn saves(&self) -> Saves {
        Saves::ALL
    }

    /// The shape of the output for inputs of these shapes, if `forward` need not run until somebody reads the
    /// value. A recording made only for Hessian-vector products defers such operations, and so never computes
    /// results that no product needs. `None`, the default, computes at once.
    #[track_caller]
    fn output_shape(&self, _inputs: &[&Shape]) -> Option<Shape> {
        None
    }

    /// The operation for a recording, which knows no types of operations.
    #[doc(hidden)]
    fn shared(self) -> Rc<dyn Op<T>>
    where
        Self: Sized,
    {
        Rc::new(self)
    }
}

/// In the `impl` of [`Op`], [`LinearMap`](crate::LinearMap) or [`BilinearMap`](crate::BilinearMap) for a type of this crate: its
/// rules are compiled here, for `f32` and for `f64`, and not again by each program that records it.
macro_rules! rules_compiled_here {
    ($Operation:ident $(<$T:ident>)? $(in $Class:ident)?) => {
        fn shared(self) -> std::rc::Rc<dyn crate::op::Op<T>> {
            wengert_tensor::compiled_here! {
                fn shared<T: Float>(operation: $Operation $(<$T>)?) -> std::rc::Rc<dyn crate::op::Op<T>> {
                    std::rc::Rc::new($(crate::class::$Class)?(operation))
                }
            }
            shared(self)
        }
    };
}
pub(crate) use rules_compiled_here;

/// Which of an operation's values its rules read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saves {
    inputs: u32,
    output: bool,
}

impl Saves {
    /// Every input and the output.
    pub const ALL: Saves = Saves { inputs: u32::MAX, output: true };
    /// Every input, not the output.
    pub const INPUTS: Saves = Saves { inputs: u32::MAX, output: false };
    /// Only the output.
    pub const OUTPUT: Saves = Saves { inputs: 0, output: true };
    /// Nothing: the rules need shapes alone.
    pub const NOTHING: Saves = Saves { inputs: 0, output: false };

    /// The inputs whose bits are set, of fewer than 32.
    pub(crate) const fn inputs_of(mask: u32) -> Saves {
        Saves { inputs: mask, output: false }
    }

    pub(crate) fn input(self, index: usize) -> bool {
        // Inputs beyond the mask are all or none, as the last bit says.
        self.inputs >> index.min(31) & 1 == 1
    }

    pub(crate) fn output(self) -> bool {
        self.output
    }
}

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

/// The inputs' cotangents, which [`Op::vjp`] adds to.
pub struct Cotangents<T: Float> {
    /// What has been added up so far, from this operation and from those behind it; an input that stands twice
    /// has one slot.
    pub(crate) slots: SmallVec<[Cotangent<T>; 2]>,
    /// Each input's slot; `None` if nobody needs its cotangent.
    pub(crate) slot_of: SmallVec<[Option<u32>; 2]>,
    /// Each input's shape.
    pub(crate) shapes: SmallVec<[Shape; 2]>,
}

impl<T: Float> Cotangents<T> {
    /// Adds a contribution to the cotangent of input `index`, if it is needed; otherwise `contribution` is not
    /// computed. Where the input was broadcast, the contribution is summed down to the input's shape.
    ///
    /// # Panics
    /// If there is no such input, or its shape does not broadcast to the contribution's.
    #[track_caller]
    pub fn add(&mut self, index: usize, contribution: impl FnOnce() -> Var<T>) {
        if let Some(slot) = self.slot(index) {
            self.add_needed(index, slot, contribution());
        }
    }

    /// Where the cotangent of input `index` is added up, if it is needed.
    #[track_caller]
    fn slot(&self, index: usize) -> Option<usize> {
        match self.slot_of.get(index) {
            Some(slot) => slot.map(|slot| slot as usize),
            None => no_input("Cotangents::add", index, self.slot_of.len()),
        }
    }

    #[track_caller]
    fn add_needed(&mut self, index: usize, slot: usize, contribution: Var<T>) {
        let shape = &self.shapes[index];
        check_contribution("Cotangents::add", index, shape, &contribution);
        self.slots[slot].add(contribution.sum_to(shape));
    }

    /// Adds a contribution to a range of one axis of the cotangent of input `index`. What comes of all its ranges is put
    /// together once, when nothing more can come.
    pub(crate) fn add_range(&mut self, index: usize, axis: usize, slice: Slice, contribution: &Var<T>) {
        let Some(slot) = self.slot_of[index] else { return };
        let length = self.shapes[index][axis];
        self.slots[slot as usize].add_range(axis, slice, length, contribution.clone());
    }

    /// Like [`add`](Cotangents::add), with a faster way for when there is already a cotangent and nothing is to be
    /// differentiated: `in_place` adds to it the contribution that comes of `others`, and is what a complete recording
    /// holds, under the description's name.
    ///
    /// # Panics
    /// Where `add` does.
    #[track_caller]
    pub fn add_in_place<const N: usize>(
        &mut self,
        index: usize,
        description: impl FnOnce() -> Description,
        others: [&Var<T>; N],
        contribution: impl FnOnce() -> Var<T>,
        in_place: impl Fn(&mut Tensor<T>, [&Tensor<T>; N]) + 'static,
    ) {
        let Some(slot) = self.slot(index) else { return };
        match self.slots[slot].take_sum_without_derivatives(&others) {
            Some(sum) => self.slots[slot].add(fused::added(description, sum, others, in_place)),
            None => self.add_needed(index, slot, contribution()),
        }
    }
}

/// Panics unless an input's shape broadcasts to that of what is to be added to its cotangent.
#[track_caller]
pub(crate) fn check_contribution<T: Float>(operation: &str, index: usize, input: &Shape, found: &Var<T>) {
    let found = found.shape();
    assert!(
        input == found || broadcast(input, found).as_ref() == Some(found),
        "{operation}: the contribution to the cotangent of input {index} has shape {found}, to which the input's {input} does not broadcast"
    );
}

#[cold]
#[track_caller]
fn no_input(operation: &str, index: usize, count: usize) -> ! {
    panic!("{operation}: there is no input {index}, the operation has {count}")
}

/// Applies an operation to variables: computes the value, and records it on the tapes that the inputs are on.
///
/// # Panics
/// If the inputs are on two tapes of which neither is nested in the other.
#[track_caller]
pub fn apply<T: Float, O: Op<T>>(op: O, inputs: &[&Var<T>]) -> Var<T> {
    apply_given(op, inputs, &[])
}

/// Like [`apply`], with operands that are no floating-point numbers: labels, indices, masks. The operation gets them in
/// [`Op::evaluate`], and its rules by [`Point::given`].
///
/// # Panics
/// Where `apply` does.
#[track_caller]
#[inline(never)]
pub fn apply_given<T: Float, O: Op<T>>(op: O, inputs: &[&Var<T>], given: &[&Given<T>]) -> Var<T> {
    // Compiled for every operation: what does not need to know its type is in functions of its own, and no table of its
    // methods is made here, which would have all its rules compiled again.
    if is_constant(inputs, given) {
        let value = run(&ValueOf(&op), inputs, given);
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
        op.evaluate(Values::of(inputs).as_slice(), &given)
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
trait Evaluate<T: Float> {
    #[track_caller]
    fn evaluate(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<T>;
}

struct ValueOf<'a, O: ?Sized>(&'a O);

impl<T: Float, O: Op<T> + ?Sized> Evaluate<T> for ValueOf<'_, O> {
    fn evaluate(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<T> {
        if given.is_empty() { self.0.forward(inputs) } else { self.0.evaluate(inputs, given).into_float() }
    }
}

/// The value of an operation.
#[track_caller]
#[inline(never)]
fn run<T: Float>(op: &dyn Evaluate<T>, inputs: &[&Var<T>], given: &[&Given<T>]) -> Tensor<T> {
    let inputs = Values::of(inputs);
    if given.is_empty() {
        return op.evaluate(inputs.as_slice(), &[]);
    }
    let given: SmallVec<[&Data<T>; 1]> = given.iter().map(|g| &g.value).collect();
    op.evaluate(inputs.as_slice(), &given)
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

fn shapes<'a, T: Float>(inputs: &[&'a Var<T>]) -> SmallVec<[&'a Shape; 2]> {
    inputs.iter().map(|v| v.shape()).collect()
}

/// The value of an operation that runs when somebody asks for it.
fn deferred<T: Float>(op: Rc<dyn Op<T>>, inputs: &[&Var<T>], given: &[&Given<T>], shape: Shape) -> Value<T> {
    let inputs = RefCell::new(inputs.iter().map(|v| v.value.clone()).collect());
    let given = given.iter().map(|g| g.value.clone()).collect();
    Value::Deferred(Rc::new(Deferred { shape, op, inputs, given, result: OnceCell::new() }))
}

/// J·t as the transpose of the linear map u ↦ uᵀ·J that `vjp` computes (Townsend, "A new trick for calculating
/// Jacobian vector products", 2017).
fn jvp_by_transposition<T: Float, O: Op<T> + ?Sized>(
    op: &O,
    at: &Point<T>,
    tangents: &[Option<Var<T>>],
) -> Option<Var<T>> {
    transposed(&|cotangent, into| op.vjp(at, cotangent, into), at, tangents)
}

#[inline(never)]
fn transposed<T: Float>(
    vjp: &dyn Fn(&Var<T>, &mut Cotangents<T>),
    at: &Point<T>,
    tangents: &[Option<Var<T>>],
) -> Option<Var<T>> {
    let tape = Tape::nested();
    // The map is linear, so any point will do.
    let dummy = tape.enter(&Var::zeros(at.output.shape()));
    let count = tangents.len();
    let mut transposed = Cotangents {
        slots: (0..count).map(|_| Cotangent::default()).collect(),
        slot_of: (0..count).map(|i| tangents[i].is_some().then_some(i as u32)).collect(),
        shapes: at.inputs.iter().map(|v| v.shape().clone()).collect(),
    };
    vjp(&dummy, &mut transposed);
    let mut total: Option<Var<T>> = None;
    for (contribution, tangent) in transposed.slots.into_iter().zip(tangents) {
        if let (Some(contribution), Some(tangent)) = (contribution.finish(), tangent)
            && let Some(part) =
                tape.pull_back(&contribution, tangent.clone(), &[&dummy], Sweep::Retain).remove(0)
        {
            total = Some(match total {
                None => part,
                Some(sum) => accumulate(sum, part),
            });
        }
    }
    tape.close();
    total
}
