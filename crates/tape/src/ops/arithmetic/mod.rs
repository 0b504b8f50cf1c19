//! The operations behind the operators `+ - * /`, with implicit broadcasting.

mod operators;

pub use operators::{Operand, Side};

use wengert_tensor::shape::broadcast;
use wengert_tensor::{Float, Shape, Tensor};

use crate::algebra::Real;
use crate::class::{BilinearMap, Elementwise, LinearMap};
use crate::code_compiled_here;
use crate::describe::Attributes;
use crate::op::{
    Blocks, ByElement, Cotangents, InPlace, Op, Point, Replays, Saves, apply, rules_compiled_here,
};
use crate::var::Var;

/// a + b or a − b.
#[derive(Clone, Copy, PartialEq)]
enum Plus {
    Add,
    Sub,
}

impl<T: Float> Op<T> for Plus {
    fn name(&self) -> &str {
        match self {
            Plus::Add => "add",
            Plus::Sub => "sub",
        }
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        match self {
            Plus::Add => x[0] + x[1],
            Plus::Sub => x[0] - x[1],
        }
    }

    fn vjp(&self, _: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || cotangent.clone());
        into.add(1, || match self {
            Plus::Add => cotangent.clone(),
            Plus::Sub => -cotangent,
        });
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let shape = at.output().shape();
        Some(match (&tangents[0], &tangents[1], self) {
            (Some(a), Some(b), _) => apply(*self, &[a, b]),
            (Some(a), None, _) => a.broadcast_to(shape),
            (None, Some(b), Plus::Add) => b.broadcast_to(shape),
            (None, Some(b), Plus::Sub) => (-b).broadcast_to(shape),
            (None, None, _) => return None,
        })
    }

    fn saves(&self) -> Saves {
        Saves::NOTHING
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        broadcast(inputs[0], inputs[1])
    }
    fn replays(&self) -> Replays<'_, T> {
        Replays { in_place: Some(self), by_element: Some(ByElement::Blocks(self)), ..Replays::default() }
    }
    rules_compiled_here!(Plus);
}

/// a · b.
#[derive(Clone)]
struct Product;

impl<T: Float> BilinearMap<T> for Product {
    fn name(&self) -> &str {
        "mul"
    }
    #[track_caller]
    fn forward(&self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        // As the gradient of a sum is.
        let is_one = |x: &Tensor<T>| x.shared_element() == Some(T::ONE);
        if a.shape() == b.shape() {
            if is_one(a) {
                return b.clone();
            }
            if is_one(b) {
                return a.clone();
            }
        }
        a * b
    }
    fn left(&self, cotangent: &Var<T>, b: &Var<T>, _: &Shape) -> Var<T> {
        cotangent * b
    }
    fn right(&self, cotangent: &Var<T>, a: &Var<T>, _: &Shape) -> Var<T> {
        cotangent * a
    }
    fn tangent(&self, [a, b]: [&Tensor<T>; 2], [t_a, t_b]: [&Tensor<T>; 2]) -> Tensor<T> {
        Tensor::zip_many("mul", [a, b, t_a, t_b], |[a, b, t_a, t_b]: [T; 4]| t_a * b + a * t_b)
    }
    fn output_shape(&self, a: &Shape, b: &Shape) -> Option<Shape> {
        broadcast(a, b)
    }
    fn replays(&self) -> Replays<'_, T> {
        Replays { in_place: Some(self), by_element: Some(ByElement::Blocks(self)), ..Replays::default() }
    }
    rules_compiled_here!(Product in BilinearOp);
}

/// a / b.
struct Quotient;

impl<T: Float> Op<T> for Quotient {
    fn name(&self) -> &str {
        "div"
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0] / x[1]
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || cotangent / at.input(1));
        into.add(1, || -(cotangent * at.output() / at.input(1)));
    }

    /// (ȧ − y·ḃ) / b.
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let b = at.input(1);
        Some(match (&tangents[0], &tangents[1]) {
            (Some(ta), Some(tb)) => (ta - at.output() * tb) / b,
            (Some(ta), None) => ta / b,
            (None, Some(tb)) => -(at.output() * tb / b),
            (None, None) => return None,
        })
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        broadcast(inputs[0], inputs[1])
    }
    fn replays(&self) -> Replays<'_, T> {
        Replays { by_element: Some(ByElement::Blocks(self)), ..Replays::default() }
    }
    rules_compiled_here!(Quotient);
}

/// −x.
#[derive(Clone)]
struct Negation;

impl<T: Float> LinearMap<T> for Negation {
    fn name(&self) -> &str {
        "neg"
    }
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        -x
    }
    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        -cotangent
    }
    fn output_shape(&self, input: &Shape) -> Option<Shape> {
        Some(input.clone())
    }
    fn replays(&self) -> Replays<'_, T> {
        Replays { by_element: Some(ByElement::Blocks(self)), ..Replays::default() }
    }
    rules_compiled_here!(Negation in LinearOp);
}

/// c · x for a number c.
#[derive(Clone)]
struct Scaled(f64);

impl<T: Float> LinearMap<T> for Scaled {
    fn name(&self) -> &str {
        "mul"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("factor", self.0);
    }
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x * self.0
    }
    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        cotangent * self.0
    }
    fn output_shape(&self, input: &Shape) -> Option<Shape> {
        Some(input.clone())
    }
    fn replays(&self) -> Replays<'_, T> {
        Replays { by_element: Some(ByElement::Blocks(self)), ..Replays::default() }
    }
    rules_compiled_here!(Scaled in LinearOp);
}

/// x + c for a number c: affine, with the identity as derivative.
struct Shifted(f64);

impl<T: Float> Op<T> for Shifted {
    fn name(&self) -> &str {
        "add"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("number", self.0);
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0] + self.0
    }
    fn vjp(&self, _: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || cotangent.clone());
    }
    fn jvp(&self, _: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].clone()
    }
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }
    fn replays(&self) -> Replays<'_, T> {
        Replays { by_element: Some(ByElement::Blocks(self)), ..Replays::default() }
    }
    rules_compiled_here!(Shifted);
}

/// c / x for a number c, rounded once.
#[derive(Clone)]
struct Over(f64);

impl Elementwise for Over {
    const NAME: &'static str = "div";
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("numerator", self.0);
    }
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.constant(self.0) / x
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, y: A) -> A {
        -(y / x)
    }
    /// The slope may be infinite where its product with `v` is not.
    #[inline(always)]
    fn times_df<A: Real>(&self, v: A, x: A, y: A) -> A {
        -(v * y / x)
    }
    code_compiled_here!(Over);
}

/// x / c for a number c, rounded once.
#[derive(Clone)]
struct Divided(f64);

impl<T: Float> LinearMap<T> for Divided {
    fn name(&self) -> &str {
        "div"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("divisor", self.0);
    }
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x / self.0
    }
    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        cotangent / self.0
    }
    fn output_shape(&self, input: &Shape) -> Option<Shape> {
        Some(input.clone())
    }
    fn replays(&self) -> Replays<'_, T> {
        Replays { by_element: Some(ByElement::Blocks(self)), ..Replays::default() }
    }
    rules_compiled_here!(Divided in LinearOp);
}

/// The value of blocks is that of any inputs.
macro_rules! by_element {
    ($($Operation:ident: $forward:expr;)+) => {$(
        impl<T: Float> Blocks<T> for $Operation {
            #[track_caller]
            fn block(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
                let forward: fn(&Self, &[&Tensor<T>]) -> Tensor<T> = $forward;
                forward(self, inputs)
            }
        }
    )+};
}
by_element! {
    Plus: |op, x| Op::forward(op, x);
    Product: |op, x| BilinearMap::forward(op, x[0], x[1]);
    Quotient: |op, x| Op::forward(op, x);
    Negation: |op, x| LinearMap::forward(op, x[0]);
    Scaled: |op, x| LinearMap::forward(op, x[0]);
    Shifted: |op, x| Op::forward(op, x);
    Divided: |op, x| LinearMap::forward(op, x[0]);
}

impl<T: Float> InPlace<T> for Plus {
    #[track_caller]
    fn in_place(&self, first: Tensor<T>, others: &[&Tensor<T>]) -> Tensor<T> {
        match self {
            Plus::Add => first + others[0],
            Plus::Sub => first - others[0],
        }
    }
}

impl<T: Float> InPlace<T> for Product {
    #[track_caller]
    fn in_place(&self, first: Tensor<T>, others: &[&Tensor<T>]) -> Tensor<T> {
        first * others[0]
    }
}
