//! Convolutions as methods.

use wengert_tensor::conv::{Conv1dOptions, Conv2dOptions, Conv3dOptions, ConvOptions};
use wengert_tensor::{Float, Shape};

use super::{Biased, Conv, Geometry, Part, planar};
use crate::op::apply;
use crate::var::Var;

/// Panics unless image and weight have `axes` axes besides those of images and channels.
#[track_caller]
pub(super) fn check_axes(operation: &str, image: &Shape, weight: &Shape, axes: usize) {
    if image.len() != axes + 2 || weight.len() != axes + 2 {
        let count = ["three", "four", "five"][axes - 1];
        panic!("{operation}: image {image} and weight {weight} do not both have {count} axes");
    }
}

/// The name of a convolution over so many axes.
pub(super) fn named(axes: usize, names: [&'static str; 3]) -> &'static str {
    names[axes - 1]
}

impl<T: Float> Var<T> {
    /// The convolution (cross-correlation, as everywhere in this field) over the last `D` axes, of which there are one, two
    /// or three: of images `[batch, channels, size…]` with a weight `[out, channels / groups, kernel…]`, plus a bias `[out]` if
    /// given. [`conv1d`](Var::conv1d), [`conv2d`](Var::conv2d) and [`conv3d`](Var::conv3d) are the same for one number of axes.
    ///
    /// A padding that differs between the sides of an axis, or that is not of zeros, is made by [`pad`](Var::pad) or
    /// [`pad_with`](Var::pad_with) before.
    ///
    /// # Panics
    /// If the shapes or the options do not fit.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::conv::ConvOptions;
    /// let signal = Var::from([[[1.0f64, 2.0, 4.0, 8.0]]]);
    /// let difference = Var::from([[[-1.0, 1.0]]]);
    /// let y = signal.conv(&difference, None, ConvOptions::<1>::default());
    /// assert_eq!(y.value().to_vec(), [1.0, 2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn conv<const D: usize>(
        &self,
        weight: &Var<T>,
        bias: Option<&Var<T>>,
        options: ConvOptions<D>,
    ) -> Var<T> {
        const { assert!(D >= 1 && D <= 3, "convolutions are over one, two or three axes") };
        let operation = named(D, ["conv1d", "conv2d", "conv3d"]);
        let (image, kernel) = (self.shape(), weight.shape());
        check_axes(operation, image, kernel, D);
        let geometry = match Geometry::new(image, kernel, options) {
            Ok(geometry) => geometry,
            Err(error) => panic!("{operation}: image {image} and weight {kernel}: {error}"),
        };
        if let Some(bias) = bias {
            check_bias(operation, bias, kernel, kernel[0]);
        }
        let conv = Conv { part: Part::Output, geometry };
        if D == 1 {
            let length = conv.shape()[3];
            let y = convolved(conv, &self.reshape(planar(image)), &weight.reshape(planar(kernel)), bias);
            return y.reshape([image[0], kernel[0], length]);
        }
        convolved(conv, self, weight, bias)
    }

    /// The convolution of sequences `[batch, channels, length]` with a weight `[out, channels / groups, kernel]`, plus a bias
    /// `[out]` if given. See [`conv`](Var::conv).
    ///
    /// # Panics
    /// If the shapes or the options do not fit.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::conv::Conv1dOptions;
    /// let x = Var::from([1.0f32, 2.0, 4.0]).reshape([1, 1, 3]);
    /// let difference = Var::from([-1.0, 1.0]).reshape([1, 1, 2]);
    /// assert_eq!(x.conv1d(&difference, None, Conv1dOptions::default()).value().to_vec(), [1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn conv1d(&self, weight: &Var<T>, bias: Option<&Var<T>>, options: Conv1dOptions) -> Var<T> {
        self.conv(weight, bias, options)
    }

    /// The two-dimensional convolution (cross-correlation, as everywhere in this field) of images
    /// `[batch, channels, height, width]` with a weight `[out, channels / groups, kernel height, kernel width]`,
    /// plus a bias `[out]` if given. See [`conv`](Var::conv).
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
        self.conv(weight, bias, options)
    }

    /// The convolution of volumes `[batch, channels, depth, height, width]` with a weight
    /// `[out, channels / groups, kernel depth, kernel height, kernel width]`, plus a bias `[out]` if given. See
    /// [`conv`](Var::conv).
    ///
    /// # Panics
    /// If the shapes or the options do not fit.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::conv::Conv3dOptions;
    /// let volume = Var::<f32>::ones([1, 2, 3, 3, 3]);
    /// let y = volume.conv3d(&Var::ones([1, 2, 2, 3, 3]), None, Conv3dOptions::default());
    /// assert_eq!(y.value().to_vec(), [36.0; 2]);
    /// ```
    #[track_caller]
    pub fn conv3d(&self, weight: &Var<T>, bias: Option<&Var<T>>, options: Conv3dOptions) -> Var<T> {
        self.conv(weight, bias, options)
    }
}

/// Panics unless there is one bias for each output channel.
#[track_caller]
pub(super) fn check_bias<T: Float>(operation: &str, bias: &Var<T>, weight: &Shape, channels: usize) {
    assert!(
        bias.shape() == &[channels],
        "{operation}: bias {} does not fit the {channels} output channels of weight {weight}",
        bias.shape(),
    );
}

#[track_caller]
fn convolved<T: Float>(conv: Conv, image: &Var<T>, weight: &Var<T>, bias: Option<&Var<T>>) -> Var<T> {
    match bias {
        Some(bias) => apply(Biased(conv), &[image, weight, bias]),
        None => image.bilinear(conv, weight),
    }
}
