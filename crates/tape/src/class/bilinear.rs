//! Operations that are linear in each of two inputs.

use std::rc::Rc;

use wengert_tensor::{Float, Shape, Tensor};

use crate::cotangent;
use crate::describe::Attributes;
use crate::op::{Cotangents, Description, Op, Point, Replays, Saves, apply, check_contribution, fused};
use crate::var::Var;

/// An operation that is linear in each of two inputs, such as a product or a convolution.
///
/// The tangent of `f(a, b)` is `f(ȧ, b) + f(a, ḃ)`; the cotangents are the two transposes.
///
/// ```
/// use wengert_tape::{BilinearMap, Var, check_grads};
/// use wengert_tensor::{Float, Shape, Tensor};
///
/// #[derive(Clone)]
/// struct Dot;
/// impl<T: Float> BilinearMap<T> for Dot {
///     fn name(&self) -> &str { "dot" }
///     fn forward(&self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> { (a * b).sum() }
///     fn left(&self, cotangent: &Var<T>, b: &Var<T>, _a: &Shape) -> Var<T> { cotangent * b }
///     fn right(&self, cotangent: &Var<T>, a: &Var<T>, _b: &Shape) -> Var<T> { cotangent * a }
/// }
///
/// let (a, b) = (Var::from([1.0f64, 2.0]), Var::from([3.0, 4.0]));
/// assert_eq!(a.bilinear(Dot, &b).item(), 11.0);
/// check_grads(|v| v[0].bilinear(Dot, &v[1]), &[a, b], 2).unwrap();
/// ```
pub trait BilinearMap<T: Float>: Clone + 'static {
    /// The name in messages.
    fn name(&self) -> &str;
    /// What distinguishes this operation from others of its name: see [`Op::describe`].
    fn describe(&self, _attributes: &mut Attributes) {}
    /// The value.
    #[track_caller]
    fn forward(&self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T>;
    /// The cotangent of the left input, of shape `a`.
    fn left(&self, cotangent: &Var<T>, b: &Var<T>, a: &Shape) -> Var<T>;
    /// The cotangent of the right input, of shape `b`.
    fn right(&self, cotangent: &Var<T>, a: &Var<T>, b: &Shape) -> Var<T>;
    /// Adds the cotangent of the left input to `into`; by default by computing it first. An override lets a
    /// matrix product add to what is there.
    fn add_left(&self, cotangent: &Tensor<T>, b: &Tensor<T>, into: &mut Tensor<T>) {
        let (cotangent, b) = (Var::constant(cotangent.clone()), Var::constant(b.clone()));
        let shape = into.shape().clone();
        *into += self.left(&cotangent, &b, &shape).sum_to(&shape).value();
    }
    /// Adds the cotangent of the right input to `into`.
    fn add_right(&self, cotangent: &Tensor<T>, a: &Tensor<T>, into: &mut Tensor<T>) {
        let (cotangent, a) = (Var::constant(cotangent.clone()), Var::constant(a.clone()));
        let shape = into.shape().clone();
        *into += self.right(&cotangent, &a, &shape).sum_to(&shape).value();
    }
    /// Two matrices whose product is the cotangent of the right input, with the bits of [`right`](BilinearMap::right), if it is such a
    /// product. Who [waits](crate::SweepObserver::every) for it then has its last rows while the others are computed.
    fn right_factors(&self, _cotangent: &Tensor<T>, _a: &Tensor<T>) -> Option<[Tensor<T>; 2]> {
        None
    }
    /// The tangent `f(ȧ, b) + f(a, ḃ)` for tangents of both inputs; by default the sum of the two. An override lets a matrix
    /// product add to the other, so that they need neither memory nor a pass of their own.
    fn tangent(&self, [a, b]: [&Tensor<T>; 2], [t_a, t_b]: [&Tensor<T>; 2]) -> Tensor<T> {
        self.forward(t_a, b) + self.forward(a, t_b)
    }
    /// The rule of [`Op::vjp`], also for an operation of more inputs of which the first two are these, such as one that adds
    /// a bias.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (a, b) = (at.input(0), at.input(1));
        let fitting = |index: usize, contribution: Var<T>| {
            check_contribution(self.name(), index, at.input(index).shape(), &contribution);
            contribution
        };
        // What somebody waits for comes first.
        let told = into.add_product(1, [cotangent, a], |[cotangent, a]| self.right_factors(cotangent, a));
        let left = || fitting(0, self.left(cotangent, b, a.shape()));
        let map = self.clone();
        let add = move |sum: &mut Tensor<T>, [cotangent, b]: [&Tensor<T>; 2]| map.add_left(cotangent, b, sum);
        into.add_in_place(0, || part(self, "add_left"), [cotangent, b], left, add);
        if told {
            return;
        }
        let right = || fitting(1, self.right(cotangent, a, b.shape()));
        let map = self.clone();
        let add =
            move |sum: &mut Tensor<T>, [cotangent, a]: [&Tensor<T>; 2]| map.add_right(cotangent, a, sum);
        into.add_in_place(1, || part(self, "add_right"), [cotangent, a], right, add);
    }
    /// The rule of [`Op::jvp`], likewise without what other inputs contribute.
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (a, b) = (at.input(0), at.input(1));
        let along_a = |t: &Var<T>| t.bilinear(self.clone(), b);
        let along_b = |t: &Var<T>| a.bilinear(self.clone(), t);
        Some(match (&tangents[0], &tangents[1]) {
            (Some(t_a), Some(t_b)) => {
                let map = self.clone();
                fused(
                    || part(self, "tangent"),
                    [a, b, t_a, t_b],
                    move |[a, b, t_a, t_b]| map.tangent([a, b], [t_a, t_b]),
                    || cotangent::accumulate(along_a(t_a), along_b(t_b)),
                )
            }
            (Some(t), None) => along_a(t),
            (None, Some(t)) => along_b(t),
            (None, None) => return None,
        })
    }
    /// The shape of the output: see [`Op::output_shape`].
    #[track_caller]
    fn output_shape(&self, _a: &Shape, _b: &Shape) -> Option<Shape> {
        None
    }
    /// How a replay may compute the value: see [`Op`].
    #[doc(hidden)]
    fn replays(&self) -> Replays<'_, T> {
        Replays::default()
    }
    /// The operation for a recording: see [`Op::shared`].
    #[doc(hidden)]
    fn shared(self) -> Rc<dyn Op<T>> {
        Rc::new(BilinearOp(self))
    }
}

/// A loop that computes a part of the derivatives.
fn part<T: Float>(map: &impl BilinearMap<T>, name: &str) -> Description {
    let mut attributes = Attributes::default();
    map.describe(&mut attributes);
    Description { name: format!("{}_{name}", map.name()), attributes }
}

impl<T: Float> Var<T> {
    /// Applies a bilinear operation.
    #[track_caller]
    pub fn bilinear<B: BilinearMap<T>>(&self, operation: B, other: &Var<T>) -> Var<T> {
        apply(BilinearOp(operation), &[self, other])
    }
}

pub(crate) struct BilinearOp<B>(pub(crate) B);

impl<T: Float, B: BilinearMap<T>> Op<T> for BilinearOp<B> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn describe(&self, attributes: &mut Attributes) {
        self.0.describe(attributes);
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.0.forward(inputs[0], inputs[1])
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        self.0.vjp(at, cotangent, into);
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        self.0.jvp(at, tangents)
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        self.0.output_shape(inputs[0], inputs[1])
    }

    fn replays(&self) -> Replays<'_, T> {
        self.0.replays()
    }

    fn shared(self) -> Rc<dyn Op<T>> {
        self.0.shared()
    }
}
