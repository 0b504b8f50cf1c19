//! What an operation is: the trait that the library's own operations implement and users' do.

use std::rc::Rc;

use wengert_tensor::{Float, Shape, Tensor};

use crate::data::Data;
use crate::describe::Attributes;
use crate::var::Var;

mod apply;
mod cotangents;
mod fused;
mod point;
mod replays;

pub(crate) use apply::{ValueOf, apply_known, decide, decide_known, is_constant, takes_single_steps};
pub use apply::{apply, apply_given};
pub use cotangents::Cotangents;
pub(crate) use cotangents::{Awaited, Awaits, check_contribution};
pub use fused::{Description, fused};
pub(crate) use fused::{fused_by_element, is_tracked, is_unobserved};
pub use point::Point;
#[doc(hidden)]
pub use replays::Replays;
pub(crate) use replays::{Blocks, ByElement, InPlace, Several, Together, Values};

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
        cotangents::jvp_by_transposition(self, at, tangents)
    }

    /// Which values the rules read; all of them by default. What is not declared is not kept alive.
    fn saves(&self) -> Saves {
        Saves::ALL
    }

    /// How many floating-point operations a [profile](crate::profile) counts for an application to inputs of these shapes. By
    /// default, `None`, it knows the library's operations by their names, and counts one for each element of the largest operand
    /// of others.
    fn flops(&self, _inputs: &[&Shape], _output: &Shape) -> Option<u64> {
        None
    }

    /// The shape of the output for inputs of these shapes, if `forward` need not run until somebody reads the
    /// value. A recording made only for Hessian-vector products defers such operations, and so never computes
    /// results that no product needs. `None`, the default, computes at once.
    #[track_caller]
    fn output_shape(&self, _inputs: &[&Shape]) -> Option<Shape> {
        None
    }

    /// How a replay may compute the value beside evaluating it alone.
    #[doc(hidden)]
    fn replays(&self) -> Replays<'_, T> {
        Replays::default()
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
///
/// ```
/// use wengert_tape::{Cotangents, Op, Point, Saves, Var, apply, grad};
/// use wengert_tensor::Tensor;
/// /// √x, whose rule reads the output alone: the input is not kept alive.
/// struct Root;
/// impl Op<f64> for Root {
///     fn name(&self) -> &str { "root" }
///     fn forward(&self, x: &[&Tensor<f64>]) -> Tensor<f64> { x[0].sqrt() }
///     fn vjp(&self, at: &Point<f64>, v: &Var<f64>, into: &mut Cotangents<f64>) {
///         into.add(0, || v / (at.output() * 2.0));
///     }
///     fn saves(&self) -> Saves { Saves::OUTPUT }
/// }
/// assert_eq!(grad(|x: &Var<f64>| apply(Root, &[x]).sum(), &Var::from([4.0])).item(), 0.25);
/// ```
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
