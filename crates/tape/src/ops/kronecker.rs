//! The Kronecker product.

use wengert_tensor::kronecker::{Kronecker, left_gradient, product, right_gradient};
use wengert_tensor::{Float, Shape, Tensor};

use crate::class::BilinearMap;
use crate::op::rules_compiled_here;
use crate::ops::slice;
use crate::var::Var;

/// Which of the three the operation computes from the other two. Each is linear in both.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// The product, of (left, right).
    Product,
    /// The gradient of the left operand, of (that of the product, right).
    Left,
    /// The gradient of the right operand, of (that of the product, left).
    Right,
}

#[derive(Clone)]
struct Kron {
    part: Part,
    shapes: [Shape; 2],
}

/// Of operands with the same number of axes, at least one.
#[track_caller]
pub(super) fn kron<T: Float>(a: &Var<T>, b: &Var<T>) -> Var<T> {
    a.bilinear(Kron { part: Part::Product, shapes: [a.shape().clone(), b.shape().clone()] }, b)
}

impl Kron {
    fn other<T: Float>(&self, part: Part, a: &Var<T>, b: &Var<T>) -> Var<T> {
        a.bilinear(Kron { part, ..self.clone() }, b)
    }

    fn geometry(&self) -> Kronecker {
        Kronecker::new(self.shapes.each_ref())
    }

    fn shape(&self) -> Shape {
        match self.part {
            Part::Product => self.geometry().shape(),
            Part::Left => self.shapes[0].clone(),
            Part::Right => self.shapes[1].clone(),
        }
    }
}

impl<T: Float> BilinearMap<T> for Kron {
    fn name(&self) -> &str {
        match self.part {
            Part::Product => "kron",
            Part::Left => "kron_left",
            Part::Right => "kron_right",
        }
    }
    fn describe(&self, attributes: &mut crate::describe::Attributes) {
        attributes.set("left", &self.shapes[0]);
        attributes.set("right", &self.shapes[1]);
    }
    #[track_caller]
    fn forward(&self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        let (a, b) = (a.contiguous(), b.contiguous());
        let (a, b, shapes) = (slice(&a), slice(&b), self.geometry());
        Tensor::written_for("kron", self.shape(), |out| match self.part {
            Part::Product => product(&shapes, a, b, out),
            Part::Left => left_gradient(&shapes, a, b, out),
            Part::Right => right_gradient(&shapes, a, b, out),
        })
    }
    fn left(&self, cotangent: &Var<T>, b: &Var<T>, _: &Shape) -> Var<T> {
        match self.part {
            Part::Product => self.other(Part::Left, cotangent, b),
            Part::Left => self.other(Part::Product, cotangent, b),
            Part::Right => self.other(Part::Product, b, cotangent),
        }
    }
    fn right(&self, cotangent: &Var<T>, a: &Var<T>, _: &Shape) -> Var<T> {
        match self.part {
            Part::Product => self.other(Part::Right, cotangent, a),
            Part::Left => self.other(Part::Right, a, cotangent),
            Part::Right => self.other(Part::Left, a, cotangent),
        }
    }
    fn output_shape(&self, _: &Shape, _: &Shape) -> Option<Shape> {
        Some(self.shape())
    }
    rules_compiled_here!(Kron in BilinearOp);
}
