//! Two-dimensional convolution. The convolution and its two gradients are the three partial derivatives of one
//! trilinear form ⟨output, image ∗ weight⟩, so each one's derivatives are the other two.

use wengert_tensor::conv::{
    Conv2dGeometry, Conv2dOptions, conv2d, conv2d_input_gradient, conv2d_weight_gradient,
};
use wengert_tensor::{Float, Shape, Tensor};

use super::slice;
use crate::class::BilinearMap;
use crate::cotangent;
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
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
struct Conv2d {
    part: Part,
    geometry: Conv2dGeometry,
}

impl Conv2d {
    fn shape(&self) -> Shape {
        match self.part {
            Part::Output => self.geometry.output_shape(),
            Part::Image => self.geometry.input_shape(),
            Part::Weight => self.geometry.weight_shape(),
        }
        .into()
    }

    fn attributes(&self, attributes: &mut Attributes) {
        let part = match self.part {
            Part::Output => "output",
            Part::Image => "image_gradient",
            Part::Weight => "weight_gradient",
        };
        let options = self.geometry.options();
        attributes.set("part", part);
        attributes.set("image", &self.geometry.input_shape()[..]);
        attributes.set("weight", &self.geometry.weight_shape()[..]);
        attributes.set("stride", &options.stride[..]);
        attributes.set("padding", &options.padding[..]);
        attributes.set("dilation", &options.dilation[..]);
        attributes.set("groups", options.groups);
    }

    /// Another of the three from its two inputs.
    fn other<T: Float>(&self, part: Part, a: &Var<T>, b: &Var<T>) -> Var<T> {
        a.bilinear(Conv2d { part, geometry: self.geometry }, b)
    }
}

impl<T: Float> BilinearMap<T> for Conv2d {
    fn name(&self) -> &str {
        "conv2d"
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.attributes(attributes);
    }

    fn forward(&self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        let (a, b) = (a.contiguous(), b.contiguous());
        let (a, b) = (slice(&a), slice(&b));
        let g = &self.geometry;
        Tensor::written_for("conv2d", self.shape(), |out| match self.part {
            Part::Output => conv2d(g, a, b, None, out),
            Part::Image => conv2d_input_gradient(g, b, a, out),
            Part::Weight => conv2d_weight_gradient(g, b, a, out),
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
    rules_compiled_here!(Conv2d in BilinearOp);
}

/// image ∗ weight + bias, the bias added while the output is written.
struct Biased(Conv2d);

impl<T: Float> Op<T> for Biased {
    fn name(&self) -> &str {
        "conv2d"
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.0.attributes(attributes);
    }

    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        let (image, weight, bias) = (x[0].contiguous(), x[1].contiguous(), x[2].contiguous());
        Tensor::written_for("conv2d", self.0.shape(), |out| {
            conv2d(&self.0.geometry, slice(&image), slice(&weight), Some(slice(&bias)), out);
        })
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        self.0.vjp(at, cotangent, into);
        into.add(2, || cotangent.sum_axes([0, 2, 3], false));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let product = self.0.jvp(at, tangents);
        let bias = tangents[2].as_ref().map(|t| {
            let channels = t.len();
            t.reshape([channels, 1, 1]).broadcast_to(at.output().shape())
        });
        cotangent::sum(product, bias)
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(Biased);
}

impl<T: Float> Var<T> {
    /// The two-dimensional convolution (cross-correlation, as everywhere in this field) of images
    /// `[batch, channels, height, width]` with a weight `[out, channels / groups, kernel height, kernel width]`,
    /// plus a bias `[out]` if given.
    ///
    /// # Panics
    /// If the shapes or the options do not fit.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::conv::Conv2dOptions;
    /// let image = Var::<f32>::ones([1, 1, 3, 3]);
    /// let y = image.conv2d(&Var::ones([1, 1, 2, 2]), None, Conv2dOptions::default());
    /// assert_eq!(y.value().to_vec(), [4.0; 4]);
    /// ```
    #[track_caller]
    pub fn conv2d(&self, weight: &Var<T>, bias: Option<&Var<T>>, options: Conv2dOptions) -> Var<T> {
        let (Ok(image), Ok(kernel)) = (self.shape()[..].try_into(), weight.shape()[..].try_into()) else {
            panic!("conv2d: image {} and weight {} do not both have four axes", self.shape(), weight.shape());
        };
        let geometry = match Conv2dGeometry::new(image, kernel, options) {
            Ok(geometry) => geometry,
            Err(error) => panic!("conv2d: image {} and weight {}: {error}", self.shape(), weight.shape()),
        };
        let conv = Conv2d { part: Part::Output, geometry };
        let Some(bias) = bias else { return self.bilinear(conv, weight) };
        assert!(
            bias.shape() == &[kernel[0]],
            "conv2d: bias {} does not fit the {} output channels of weight {}",
            bias.shape(),
            kernel[0],
            weight.shape()
        );
        apply(Biased(conv), &[self, weight, bias])
    }
}
