//! Two-dimensional pooling.

use std::cell::RefCell;

use wengert_tensor::pool::{
    Pool2dGeometry, avg_pool2d, avg_pool2d_gradient, max_pool2d, pool_gather, pool_scatter,
};
use wengert_tensor::{Float, Shape, Tensor};

use crate::class::LinearMap;
use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
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

/// The largest element of each window. The cotangent goes to the first of equal elements, as in PyTorch.
struct MaxPool {
    geometry: Pool2dGeometry,
    /// Where each maximum was found, set by `forward`.
    positions: RefCell<Tensor<u32>>,
}

impl<T: Float> Op<T> for MaxPool {
    fn name(&self) -> &str {
        "max_pool2d"
    }

    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        let image = x[0].contiguous();
        let shape = Shape::from(self.geometry.output_shape());
        let mut positions = Tensor::zeros(&shape);
        let values = Tensor::written_for("max_pool2d", shape, |values| {
            max_pool2d(&self.geometry, slice(&image), values, positions.as_mut_slice());
        });
        *self.positions.borrow_mut() = positions;
        values
    }

    fn vjp(&self, _: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || cotangent.linear(self.at_maxima(false)));
    }

    fn jvp(&self, _: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| t.linear(self.at_maxima(true)))
    }

    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    rules_compiled_here!(MaxPool);
}

impl MaxPool {
    fn at_maxima(&self, gather: bool) -> AtMaxima {
        AtMaxima { geometry: self.geometry, positions: self.positions.borrow().clone(), gather }
    }
}

/// Reads the image at the positions of the maxima, or adds to it there.
#[derive(Clone)]
struct AtMaxima {
    geometry: Pool2dGeometry,
    positions: Tensor<u32>,
    gather: bool,
}

impl<T: Float> LinearMap<T> for AtMaxima {
    fn name(&self) -> &str {
        "max_pool2d"
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        let x = x.contiguous();
        let (geometry, positions) = (&self.geometry, slice(&self.positions));
        if self.gather {
            let gathered = |out: &mut [T]| pool_gather(geometry, positions, slice(&x), out);
            Tensor::written_for("max_pool2d", geometry.output_shape(), gathered)
        } else {
            let scattered = |out: &mut [T]| pool_scatter(geometry, positions, slice(&x), out);
            Tensor::written_for("max_pool2d", geometry.input_shape(), scattered)
        }
    }

    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        cotangent.linear(AtMaxima { gather: !self.gather, ..self.clone() })
    }

    fn output_shape(&self, _: &Shape) -> Option<Shape> {
        let g = &self.geometry;
        Some(if self.gather { g.output_shape() } else { g.input_shape() }.into())
    }
    rules_compiled_here!(AtMaxima in LinearOp);
}

/// The mean of each window, or the transpose.
#[derive(Clone)]
struct AvgPool {
    geometry: Pool2dGeometry,
    count_padding: bool,
    transposed: bool,
}

impl<T: Float> LinearMap<T> for AvgPool {
    fn name(&self) -> &str {
        "avg_pool2d"
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        let x = x.contiguous();
        let g = &self.geometry;
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

fn slice<T: wengert_tensor::Element>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("made contiguous before")
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
        let geometry = options.geometry("max_pool2d", self.shape());
        apply(MaxPool { geometry, positions: RefCell::new(Tensor::zeros([0])) }, &[self])
    }

    /// The mean of each window of images `[batch, channels, height, width]`. With `count_padding`, zeros that the
    /// padding adds count as elements (PyTorch's default); without, only the image's own do.
    ///
    /// # Panics
    /// If there are not four axes, or the window does not fit.
    #[track_caller]
    pub fn avg_pool2d(&self, options: Pool2dOptions, count_padding: bool) -> Var<T> {
        let geometry = options.geometry("avg_pool2d", self.shape());
        self.linear(AvgPool { geometry, count_padding, transposed: false })
    }
}
