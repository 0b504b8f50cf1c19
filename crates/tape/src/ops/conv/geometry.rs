//! A convolution of images or of volumes. One of sequences is one of images of height 1.

use wengert_tensor::conv::{
    Conv2dGeometry, Conv2dOptions, Conv3dGeometry, Conv3dOptions, ConvError, ConvOptions, conv2d,
    conv2d_input_gradient, conv2d_weight_gradient, conv3d, conv3d_input_gradient, conv3d_weight_gradient,
};
use wengert_tensor::{Float, Shape};

use crate::describe::Attributes;

#[derive(Clone)]
pub(super) enum Geometry {
    Plane(Conv2dGeometry),
    Volume(Conv3dGeometry),
}

impl Geometry {
    /// Checks the shapes of an image and of a weight, which have `D + 2` axes.
    ///
    /// # Errors
    /// If they do not fit.
    pub(super) fn new<const D: usize>(
        image: &[usize],
        weight: &[usize],
        options: ConvOptions<D>,
    ) -> Result<Self, ConvError> {
        let ConvOptions { stride, padding, dilation, groups } = &options;
        if D == 3 {
            let [stride, padding, dilation] = [stride, padding, dilation].map(|of| all(of, 0));
            let options = Conv3dOptions { stride, padding, dilation, groups: *groups };
            return Conv3dGeometry::new(array(image), array(weight), options).map(Geometry::Volume);
        }
        let (stride, padding, dilation) = (all(stride, 1), all(padding, 0), all(dilation, 1));
        let options = Conv2dOptions { stride, padding, dilation, groups: *groups };
        let [image, weight] = [image, weight].map(|shape| array(&planar(shape)));
        Conv2dGeometry::new(image, weight, options).map(Geometry::Plane)
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Geometry::Plane(_) => "conv2d",
            Geometry::Volume(_) => "conv3d",
        }
    }

    pub(super) fn input_shape(&self) -> Shape {
        match self {
            Geometry::Plane(g) => g.input_shape().into(),
            Geometry::Volume(g) => g.input_shape().into(),
        }
    }

    pub(super) fn weight_shape(&self) -> Shape {
        match self {
            Geometry::Plane(g) => g.weight_shape().into(),
            Geometry::Volume(g) => g.weight_shape().into(),
        }
    }

    pub(super) fn output_shape(&self) -> Shape {
        match self {
            Geometry::Plane(g) => g.output_shape().into(),
            Geometry::Volume(g) => g.output_shape().into(),
        }
    }

    pub(super) fn describe(&self, attributes: &mut Attributes) {
        attributes.set("image", &self.input_shape());
        attributes.set("weight", &self.weight_shape());
        match self {
            Geometry::Plane(g) => options(&g.options(), attributes),
            Geometry::Volume(g) => options(&g.options(), attributes),
        }
    }

    pub(super) fn output<T: Float>(&self, image: &[T], weight: &[T], bias: Option<&[T]>, to: &mut [T]) {
        match self {
            Geometry::Plane(g) => conv2d(g, image, weight, bias, to),
            Geometry::Volume(g) => conv3d(g, image, weight, bias, to),
        }
    }

    pub(super) fn image<T: Float>(&self, weight: &[T], output: &[T], to: &mut [T]) {
        match self {
            Geometry::Plane(g) => conv2d_input_gradient(g, weight, output, to),
            Geometry::Volume(g) => conv3d_input_gradient(g, weight, output, to),
        }
    }

    pub(super) fn weight<T: Float>(&self, image: &[T], output: &[T], to: &mut [T]) {
        match self {
            Geometry::Plane(g) => conv2d_weight_gradient(g, image, output, to),
            Geometry::Volume(g) => conv3d_weight_gradient(g, image, output, to),
        }
    }
}

fn options<const D: usize>(options: &ConvOptions<D>, attributes: &mut Attributes) {
    attributes.set("stride", &options.stride[..]);
    attributes.set("padding", &options.padding[..]);
    attributes.set("dilation", &options.dilation[..]);
    attributes.set("groups", options.groups);
}

/// The lengths along the last axes, with `missing` in front where there are fewer.
fn all<const N: usize>(lengths: &[usize], missing: usize) -> [usize; N] {
    let mut all = [missing; N];
    all[N - lengths.len()..].copy_from_slice(lengths);
    all
}

fn array<const N: usize>(shape: &[usize]) -> [usize; N] {
    shape.try_into().expect("the number of axes was checked")
}

/// The shape of sequences or of one-dimensional kernels as that of images of height 1; others as they are.
pub(in crate::ops) fn planar(shape: &[usize]) -> Shape {
    match shape {
        [batch, channels, length] => [*batch, *channels, 1, *length].into(),
        _ => shape.into(),
    }
}
