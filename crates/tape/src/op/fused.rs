//! One loop in the place of several operations, where nothing is to be differentiated.

use wengert_tensor::{Float, Tensor};

use crate::data::Kind;
use crate::describe::Attributes;
use crate::op::{Blocks, ByElement, Cotangents, InPlace, Op, Point, Replays, Saves, apply, is_constant};
use crate::profile::{self, Timing};
use crate::var::{Value, Var};

/// The name and the attributes of a loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// The name, as of [`Op::name`].
    pub name: String,
    /// What distinguishes it from others of that name.
    pub attributes: Attributes,
}

impl Description {
    /// A loop that computes a `part` of an operation's derivatives: it has the operation's attributes.
    ///
    /// ```
    /// use wengert_tape::{Attributes, Cotangents, Description, Op, Point, Var};
    /// use wengert_tensor::Tensor;
    /// struct Scaled(f64);
    /// impl Op<f64> for Scaled {
    ///     fn name(&self) -> &str { "scaled" }
    ///     fn describe(&self, attributes: &mut Attributes) { attributes.set("factor", self.0) }
    ///     fn forward(&self, x: &[&Tensor<f64>]) -> Tensor<f64> { x[0] * self.0 }
    ///     fn vjp(&self, _: &Point<f64>, v: &Var<f64>, into: &mut Cotangents<f64>) { into.add(0, || v * self.0) }
    /// }
    /// let loop_of_gradient = Description::of(&Scaled(3.0), "gradient");
    /// assert_eq!(loop_of_gradient.name, "scaled_gradient");
    /// assert_eq!(loop_of_gradient.attributes.to_string(), "factor=3.0");
    /// ```
    pub fn of<T: Float>(operation: &impl Op<T>, part: &str) -> Self {
        let mut attributes = Attributes::default();
        operation.describe(&mut attributes);
        Description { name: format!("{}_{part}", operation.name()), attributes }
    }
}

/// What `rule` says in operations on variables; by one loop over the values if nothing is to be differentiated with
/// respect to the inputs. A complete recording holds the loop as one operation, so that a replay runs it again.
///
/// ```
/// use wengert_tape::{Attributes, Description, Var, fused};
/// let description = || Description { name: "sum_of_squares".into(), attributes: Attributes::default() };
/// let f = |a: &Var<f64>, b: &Var<f64>| {
///     fused(description, [a, b], |[a, b]| a.zip_map("sum_of_squares", b, |a: f64, b: f64| a * a + b * b), || a * a + b * b)
/// };
/// assert_eq!(f(&Var::from([3.0]), &Var::from([4.0])).item(), 25.0);
/// assert_eq!(wengert_tape::grad(|a: &Var<f64>| f(a, &Var::from([4.0])).sum(), &Var::from([3.0])).item(), 6.0);
/// ```
#[track_caller]
pub fn fused<T: Float, const N: usize>(
    description: impl FnOnce() -> Description,
    inputs: [&Var<T>; N],
    kernel: impl Fn([&Tensor<T>; N]) -> Tensor<T> + 'static,
    rule: impl FnOnce() -> Var<T>,
) -> Var<T> {
    by_one_loop(description, inputs, kernel, rule, |kernel| {
        Kernel::Whole(Box::new(move |inputs| kernel(std::array::from_fn(|i| inputs[i]))))
    })
}

/// [`fused`] of a loop each of whose results is made of the elements at its place, so that a replay may compute it by blocks.
#[track_caller]
pub(crate) fn fused_by_element<T: Float, const N: usize>(
    description: impl FnOnce() -> Description,
    inputs: [&Var<T>; N],
    kernel: impl Fn([&Tensor<T>; N]) -> Tensor<T> + Send + Sync + 'static,
    rule: impl FnOnce() -> Var<T>,
) -> Var<T> {
    by_one_loop(description, inputs, kernel, rule, |kernel| {
        let kernel = move |inputs: &[&Tensor<T>]| kernel(std::array::from_fn(|i| inputs[i]));
        Kernel::ByElement(BlockKernel(Box::new(kernel)))
    })
}

/// The rule or the loop, which `kept` makes one that a recording holds.
#[inline]
#[track_caller]
fn by_one_loop<T: Float, K: Fn([&Tensor<T>; N]) -> Tensor<T>, const N: usize>(
    description: impl FnOnce() -> Description,
    inputs: [&Var<T>; N],
    kernel: K,
    rule: impl FnOnce() -> Var<T>,
    kept: impl FnOnce(K) -> Kernel<T>,
) -> Var<T> {
    // Compiled for every use: the rest is in functions of its own.
    if is_tracked(&inputs) {
        rule()
    } else if is_unobserved(&inputs) {
        Var::constant(kernel(inputs.map(Var::value)))
    } else {
        apply(Fused { description: description(), kernel: kept(kernel) }, &inputs)
    }
}

/// Whether nothing is recorded or timed of what is computed from these, so that only its value counts.
#[inline]
pub(crate) fn is_unobserved<T: Float>(inputs: &[&Var<T>]) -> bool {
    is_constant(inputs, &[]) && !profile::is_on()
}

/// Whether derivatives are recorded of what is computed from these.
#[inline(never)]
pub(crate) fn is_tracked<T: Float>(inputs: &[&Var<T>]) -> bool {
    inputs.iter().any(|v| v.is_tracked())
}

/// `sum` with something added to it: in its own memory if nothing is recorded.
#[track_caller]
pub(super) fn added<T: Float, const N: usize>(
    description: impl FnOnce() -> Description,
    sum: Var<T>,
    others: [&Var<T>; N],
    in_place: impl Fn(&mut Tensor<T>, [&Tensor<T>; N]) + 'static,
) -> Var<T> {
    if sum.place.is_none() && is_constant(&others, &[]) {
        let mut tensor = sum.into_value();
        let others = others.map(Var::value);
        let timing = Timing::start();
        in_place(&mut tensor, others);
        if timing.is_on() {
            let operands: Vec<&Tensor<T>> = std::iter::once(&tensor).chain(others).collect();
            timing.operation(&description(), &operands, &[], tensor.shape(), Kind::Float);
        }
        return Var::new(Value::Ready(tensor), None);
    }
    let kernel =
        move |sum: &mut Tensor<T>, others: &[&Tensor<T>]| in_place(sum, std::array::from_fn(|i| others[i]));
    let inputs: Vec<&Var<T>> = std::iter::once(&sum).chain(others).collect();
    apply(Fused { description: description(), kernel: Kernel::Adding(Box::new(kernel)) }, &inputs)
}

/// A loop as an operation. It has no derivative, since only complete recordings hold it.
struct Fused<T: Float> {
    description: Description,
    kernel: Kernel<T>,
}

type OfWhole<T> = dyn Fn(&[&Tensor<T>]) -> Tensor<T>;
type OfBlocks<T> = dyn Fn(&[&Tensor<T>]) -> Tensor<T> + Send + Sync;
type Add<T> = dyn Fn(&mut Tensor<T>, &[&Tensor<T>]);

enum Kernel<T: Float> {
    /// The value of whole inputs.
    Whole(Box<OfWhole<T>>),
    /// The value of inputs or of blocks of them.
    ByElement(BlockKernel<T>),
    /// Adds to the first input what comes of the others.
    Adding(Box<Add<T>>),
}

struct BlockKernel<T: Float>(Box<OfBlocks<T>>);

impl<T: Float> Blocks<T> for BlockKernel<T> {
    fn block(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        (self.0)(inputs)
    }
}

impl<T: Float> InPlace<T> for Fused<T> {
    fn in_place(&self, mut first: Tensor<T>, others: &[&Tensor<T>]) -> Tensor<T> {
        let Kernel::Adding(add) = &self.kernel else { unreachable!("it adds to nothing") };
        add(&mut first, others);
        first
    }
}

impl<T: Float> Op<T> for Fused<T> {
    fn name(&self) -> &str {
        &self.description.name
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.clone_from(&self.description.attributes);
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        match &self.kernel {
            Kernel::Whole(kernel) => kernel(inputs),
            Kernel::ByElement(kernel) => kernel.block(inputs),
            Kernel::Adding(_) => self.in_place(inputs[0].clone(), &inputs[1..]),
        }
    }

    fn replays(&self) -> Replays<'_, T> {
        match &self.kernel {
            Kernel::Whole(_) => Replays::default(),
            Kernel::ByElement(kernel) => {
                Replays { by_element: Some(ByElement::Blocks(kernel)), ..Replays::default() }
            }
            Kernel::Adding(_) => Replays { in_place: Some(self), ..Replays::default() },
        }
    }

    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {
        unreachable!("{}: no derivative is taken of what only a complete recording holds", self.name())
    }

    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
}
