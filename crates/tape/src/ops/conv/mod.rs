//! Convolution. It and its two gradients are the three partial derivatives of one trilinear form ⟨output, image ∗ weight⟩,
//! so each one's derivatives are the other two.

mod geometry;
mod methods;
mod transposed;

use wengert_tensor::{Float, Shape, Tensor};

use geometry::Geometry;
pub(super) use geometry::planar;

use super::slice;
use crate::class::BilinearMap;
use crate::cotangent;
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, rules_compiled_here};
use crate::var::Var;

/// Which of the three the operation computes from the other two.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// From (image, weight).
    Output,
    /// From (output, weight).
    Image,
    /// From (output, image).
    Weight,
}

#[derive(Clone)]
struct Conv {
    part: Part,
    geometry: Geometry,
}

impl Conv {
    fn shape(&self) -> Shape {
        match self.part {
            Part::Output => self.geometry.output_shape(),
            Part::Image => self.geometry.input_shape(),
            Part::Weight => self.geometry.weight_shape(),
        }
    }

    fn attributes(&self, attributes: &mut Attributes) {
        let part = match self.part {
            Part::Output => "output",
            Part::Image => "image_gradient",
            Part::Weight => "weight_gradient",
        };
        attributes.set("part", part);
        self.geometry.describe(attributes);
    }

    /// Another of the three from its two inputs.
    fn other<T: Float>(&self, part: Part, a: &Var<T>, b: &Var<T>) -> Var<T> {
        a.bilinear(Conv { part, geometry: self.geometry.clone() }, b)
    }
}

impl<T: Float> BilinearMap<T> for Conv {
    fn name(&self) -> &str {
        self.geometry.name()
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.attributes(attributes);
    }

    fn forward(&self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        let (a, b) = (a.contiguous(), b.contiguous());
        let (a, b) = (slice(&a), slice(&b));
        let g = &self.geometry;
        Tensor::written_for(g.name(), self.shape(), |out| match self.part {
            Part::Output => g.output(a, b, None, out),
            Part::Image => g.image(b, a, out),
            Part::Weight => g.weight(b, a, out),
        })
    }

    fn left(&self, cotangent: &Var<T>, b: &Var<T>, _: &Shape) -> Var<T> {
        match self.part {
            Part::Output => self.other(Part::Image, cotangent, b),
            Part::Image => self.other(Part::Output, cotangent, b),
            Part::Weight => self.other(Part::Output, b, cotangent),
        }
    }

    fn right(&self, cotangent: &Var<T>, a: &Var<T>, _: &Shape) -> Var<T> {
        match self.part {
            Part::Output => self.other(Part::Weight, cotangent, a),
            Part::Image => self.other(Part::Weight, a, cotangent),
            Part::Weight => self.other(Part::Image, a, cotangent),
        }
    }

    fn output_shape(&self, _: &Shape, _: &Shape) -> Option<Shape> {
        Some(self.shape())
    }
    rules_compiled_here!(Conv in BilinearOp);
}

/// image ∗ weight + bias, the bias added while the output is written.
struct Biased(Conv);

impl<T: Float> Op<T> for Biased {
    fn name(&self) -> &str {
        self.0.geometry.name()
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.0.attributes(attributes);
    }

    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        let (image, weight, bias) = (x[0].contiguous(), x[1].contiguous(), x[2].contiguous());
        let g = &self.0.geometry;
        Tensor::written_for(g.name(), self.0.shape(), |out| {
            g.output(slice(&image), slice(&weight), Some(slice(&bias)), out);
        })
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        self.0.vjp(at, cotangent, into);
        into.add(2, || {
            let axes: Vec<usize> = (0..cotangent.rank()).filter(|&axis| axis != 1).collect();
            cotangent.sum_axes(&axes[..], false)
        });
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let product = self.0.jvp(at, tangents);
        let bias = tangents[2].as_ref().map(|t| {
            let output = at.output().shape();
            per_channel(t, output.len()).broadcast_to(output)
        });
        cotangent::sum(product, bias)
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(Biased);
}

/// A bias in the shape that is added to an output with that many axes.
fn per_channel<T: Float>(bias: &Var<T>, axes: usize) -> Var<T> {
    let mut shape = vec![1; axes - 1];
    shape[0] = bias.len();
    bias.reshape(Shape::from(shape))
}
