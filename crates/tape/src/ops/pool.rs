//! Two-dimensional pooling.

use wengert_tensor::pool::{
    Pool2dGeometry, avg_pool2d, avg_pool2d_gradient, max_pool2d, pool_gather, pool_scatter,
};
use wengert_tensor::{Float, Shape, Tensor};

use super::slice;
use crate::class::{Decision, DecisionOp, LinearMap, Routing, RoutingOp, routed};
use crate::data::{Data, Given};
use crate::describe::Attributes;
use crate::op::{apply_known, decide_known, rules_compiled_here};
use crate::var::Var;

/// How a pooling window moves over the image; pairs are (height, width).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2dOptions {
    /// Extent of the window.
    pub kernel: [usize; 2],
    /// Pixels from one position of the window to the next; by default the kernel, so that windows do not overlap.
    pub stride: [usize; 2],
    /// Pixels added round the image, on both sides: −∞ for the maximum, 0 for the mean. Default `[0, 0]`.
    pub padding: [usize; 2],
    /// Pixels from one element of the window to the next. Default `[1, 1]`.
    pub dilation: [usize; 2],
}

impl Pool2dOptions {
    /// Adjacent windows of this extent.
    pub fn new(kernel: [usize; 2]) -> Self {
        Pool2dOptions { kernel, stride: kernel, padding: [0, 0], dilation: [1, 1] }
    }

    #[track_caller]
    fn geometry(&self, operation: &str, image: &Shape) -> Pool2dGeometry {
        let Ok(shape) = image[..].try_into() else {
            panic!("{operation}: image {image} does not have four axes");
        };
        match Pool2dGeometry::new(shape, self.kernel, self.stride, self.padding, self.dilation) {
            Ok(geometry) => geometry,
            Err(error) => panic!("{operation}: image {image}: {error}"),
        }
    }
}

/// A pooling window on images of some shape.
#[derive(Clone)]
struct Window {
    geometry: Pool2dGeometry,
    options: Pool2dOptions,
}

impl Window {
    #[track_caller]
    fn new(operation: &str, options: Pool2dOptions, image: &Shape) -> Self {
        Window { geometry: options.geometry(operation, image), options }
    }

    fn describe(&self, attributes: &mut Attributes) {
        let Pool2dOptions { kernel, stride, padding, dilation } = &self.options;
        attributes.set("image", &self.geometry.input_shape()[..]);
        attributes.set("kernel", &kernel[..]);
        attributes.set("stride", &stride[..]);
        attributes.set("padding", &padding[..]);
        attributes.set("dilation", &dilation[..]);
    }

    /// The largest element of each window, and where it was found.
    fn maxima<T: Float>(&self, x: &Tensor<T>) -> (Tensor<T>, Tensor<u32>) {
        let image = x.contiguous();
        let shape = Shape::from(self.geometry.output_shape());
        let mut positions = Tensor::zeros(&shape);
        let values = Tensor::written_for("max_pool2d", shape, |values| {
            max_pool2d(&self.geometry, slice(&image), values, positions.as_mut_slice());
        });
        (values, positions)
    }
}

/// Where the largest element of each window is: the first of equal ones, as in PyTorch.
#[derive(Clone)]
struct MaxPositions(Window);

impl<T: Float> Decision<T> for MaxPositions {
    type Element = u32;
    fn name(&self) -> &str {
        "max_pool2d_positions"
    }
    fn describe(&self, attributes: &mut Attributes) {
        self.0.describe(attributes);
    }
    fn forward(&self, x: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        self.0.maxima(x[0]).1
    }
    rules_compiled_here!(MaxPositions in DecisionOp);
}

/// Reads the image at the positions of the maxima, or adds to it there.
#[derive(Clone)]
struct AtMaxima {
    window: Window,
    gather: bool,
}

impl<T: Float> Routing<T> for AtMaxima {
    fn name(&self) -> &str {
        if self.gather { "max_pool2d" } else { "max_pool2d_gradient" }
    }

    fn describe(&self, attributes: &mut Attributes) {
        self.window.describe(attributes);
    }

    fn forward(&self, x: &Tensor<T>, positions: &Data<T>) -> Tensor<T> {
        let (x, positions) = (x.contiguous(), positions.index().contiguous());
        let (geometry, positions) = (&self.window.geometry, slice(&positions));
        if self.gather {
            let gathered = |out: &mut [T]| pool_gather(geometry, positions, slice(&x), out);
            Tensor::written_for("max_pool2d", geometry.output_shape(), gathered)
        } else {
            let scattered = |out: &mut [T]| pool_scatter(geometry, positions, slice(&x), out);
            Tensor::written_for("max_pool2d", geometry.input_shape(), scattered)
        }
    }

    fn transpose(&self, cotangent: &Var<T>, positions: &Given<T>, _: &Shape) -> Var<T> {
        routed(cotangent, AtMaxima { gather: !self.gather, ..self.clone() }, positions)
    }

    fn output_shape(&self, _: &Shape) -> Option<Shape> {
        let g = &self.window.geometry;
        Some(if self.gather { g.output_shape() } else { g.input_shape() }.into())
    }
    rules_compiled_here!(AtMaxima in RoutingOp);
}

/// The mean of each window, or the transpose.
#[derive(Clone)]
struct AvgPool {
    window: Window,
    count_padding: bool,
    transposed: bool,
}

impl<T: Float> LinearMap<T> for AvgPool {
    fn name(&self) -> &str {
        if self.transposed { "avg_pool2d_gradient" } else { "avg_pool2d" }
    }

    fn describe(&self, attributes: &mut Attributes) {
        self.window.describe(attributes);
        attributes.set("count_padding", self.count_padding);
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        let x = x.contiguous();
        let g = &self.window.geometry;
        if self.transposed {
            let back = |out: &mut [T]| avg_pool2d_gradient(g, self.count_padding, slice(&x), out);
            Tensor::written_for("avg_pool2d", g.input_shape(), back)
        } else {
            let means = |out: &mut [T]| avg_pool2d(g, self.count_padding, slice(&x), out);
            Tensor::written_for("avg_pool2d", g.output_shape(), means)
        }
    }

    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        cotangent.linear(AvgPool { transposed: !self.transposed, ..self.clone() })
    }
    rules_compiled_here!(AvgPool in LinearOp);
}

impl<T: Float> Var<T> {
    /// The largest element of each window of images `[batch, channels, height, width]`; NaN if there is one. The
    /// derivative goes to the first of equal elements.
    ///
    /// # Panics
    /// If there are not four axes, or the window does not fit.
    ///
    /// ```
    /// use wengert_tape::{Pool2dOptions, Var};
    /// let image = Var::from([1.0f32, 2.0, 3.0, 4.0]).reshape([1, 1, 2, 2]);
    /// assert_eq!(image.max_pool2d(Pool2dOptions::new([2, 2])).item(), 4.0);
    /// ```
    #[track_caller]
    pub fn max_pool2d(&self, options: Pool2dOptions) -> Var<T> {
        let window = Window::new("max_pool2d", options, self.shape());
        // One pass finds both; a recording has them as two operations.
        let (values, positions) = window.maxima(self.value());
        let positions =
            decide_known(DecisionOp(MaxPositions(window.clone())), &[self], &[], Data::Index(positions));
        apply_known(RoutingOp(AtMaxima { window, gather: true }), &[self], &[&positions], values)
    }

    /// The mean of each window of images `[batch, channels, height, width]`. With `count_padding`, zeros that the
    /// padding adds count as elements (PyTorch's default); without, only the image's own do.
    ///
    /// # Panics
    /// If there are not four axes, or the window does not fit.
    #[track_caller]
    pub fn avg_pool2d(&self, options: Pool2dOptions, count_padding: bool) -> Var<T> {
        let window = Window::new("avg_pool2d", options, self.shape());
        self.linear(AvgPool { window, count_padding, transposed: false })
    }
}
