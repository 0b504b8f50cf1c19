//! Transposed convolution: the gradient of a convolution with respect to its image, as an operation.

use wengert_tensor::conv::{Conv1dOptions, Conv2dOptions, Conv3dOptions, ConvOptions};
use wengert_tensor::{Float, Shape};

use super::methods::{check_axes, check_bias, named};
use super::{Conv, Geometry, Part, per_channel, planar};
use crate::var::Var;

/// The size of the result along an axis: that of an image from which the convolution would give `size` positions, and
/// `more` pixels; `None` if there is none, or none that can be counted.
fn size_before<const D: usize>(
    size: usize,
    kernel: usize,
    options: &ConvOptions<D>,
    axis: usize,
    more: usize,
) -> Option<usize> {
    let (stride, padding, dilation) = (options.stride[axis], options.padding[axis], options.dilation[axis]);
    let corner = size.checked_sub(1)?.checked_mul(stride)?;
    let reach = kernel.checked_sub(1)?.checked_mul(dilation)?;
    let padded = corner.checked_add(reach)?.checked_add(more)?.checked_add(1)?;
    padded.checked_sub(padding.checked_mul(2)?).filter(|&size| size > 0)
}

impl<T: Float> Var<T> {
    /// The transposed convolution over the last `D` axes, of which there are one, two or three: of images
    /// `[batch, channels, size…]` with a weight `[channels, out / groups, kernel…]`, plus a bias `[out]` if given. It is the
    /// gradient of [`conv`](Var::conv) with these options with respect to its image; along each axis the result has
    ///
    /// ```text
    /// (size − 1)·stride − 2·padding + dilation·(kernel − 1) + output_padding + 1
    /// ```
    ///
    /// pixels. `output_padding`, smaller than stride or dilation, chooses among the sizes of images from which the
    /// convolution has as many positions.
    ///
    /// # Panics
    /// If the shapes or the options do not fit, there is no pixel along an axis, or `output_padding` is not smaller than
    /// stride or dilation.
    #[doc(alias = "deconvolution")]
    #[track_caller]
    pub fn conv_transpose<const D: usize>(
        &self,
        weight: &Var<T>,
        bias: Option<&Var<T>>,
        options: ConvOptions<D>,
        output_padding: [usize; D],
    ) -> Var<T> {
        const { assert!(D >= 1 && D <= 3, "convolutions are over one, two or three axes") };
        let operation = named(D, ["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]);
        let (image, kernel) = (self.shape(), weight.shape());
        check_axes(operation, image, kernel, D);
        let channels = kernel[1].checked_mul(options.groups);
        if options.groups == 0 || image[1] != kernel[0] || !image[1].is_multiple_of(options.groups) {
            panic!(
                "{operation}: image {image} and weight {kernel} do not fit {} groups: the weight must be \
                 [in, out / groups, …] with in a multiple of groups",
                options.groups
            );
        }
        // Zeros that are appended for an output padding of whole strides.
        let mut appended = vec![(0, 0); D + 2];
        let mut size = vec![image[0], channels.unwrap_or(usize::MAX)];
        for axis in 0..D {
            let (stride, dilation, more) =
                (options.stride[axis], options.dilation[axis], output_padding[axis]);
            assert!(
                more < stride.max(dilation) || more == 0,
                "{operation}: an output padding of {more} is smaller neither than stride {stride} nor than dilation {dilation}"
            );
            match size_before(image[axis + 2], kernel[axis + 2], &options, axis, more) {
                Some(length) => size.push(length),
                None => panic!(
                    "{operation}: image {image} and weight {kernel} with stride {:?}, padding {:?}, dilation {:?} and output padding {output_padding:?} leave no pixel, or too many",
                    options.stride, options.padding, options.dilation
                ),
            }
            appended[axis + 2].1 = more / stride.max(1);
        }
        let geometry = match Geometry::new(&size, kernel, options) {
            Ok(geometry) => geometry,
            Err(error) => panic!("{operation}: image {image} and weight {kernel}: {error}"),
        };
        if let Some(bias) = bias {
            check_bias(operation, bias, kernel, size[1]);
        }
        let zeros = appended.iter().any(|&(_, after)| after > 0);
        let image = if zeros { &self.pad(&appended, 0.0) } else { self };
        let conv = Conv { part: Part::Image, geometry };
        let y = match D {
            1 => image.reshape(planar(image.shape())).bilinear(conv, &weight.reshape(planar(kernel))),
            _ => image.bilinear(conv, weight),
        };
        let y = y.reshape(Shape::from(size));
        match bias {
            Some(bias) => &y + per_channel(bias, D + 2),
            None => y,
        }
    }

    /// The transposed convolution of sequences `[batch, channels, length]` with a weight `[channels, out / groups, kernel]`:
    /// see [`conv_transpose`](Var::conv_transpose).
    ///
    /// # Panics
    /// If the shapes or the options do not fit.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::conv::Conv1dOptions;
    /// let x = Var::from([1.0f32, 2.0]).reshape([1, 1, 2]);
    /// let options = Conv1dOptions { stride: [2], ..Default::default() };
    /// let y = x.conv_transpose1d(&Var::ones([1, 1, 2]), None, options, [1]);
    /// assert_eq!(y.value().to_vec(), [1.0, 1.0, 2.0, 2.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn conv_transpose1d(
        &self,
        weight: &Var<T>,
        bias: Option<&Var<T>>,
        options: Conv1dOptions,
        output_padding: [usize; 1],
    ) -> Var<T> {
        self.conv_transpose(weight, bias, options, output_padding)
    }

    /// The transposed convolution of images `[batch, channels, height, width]` with a weight
    /// `[channels, out / groups, kernel height, kernel width]`: see [`conv_transpose`](Var::conv_transpose).
    ///
    /// # Panics
    /// If the shapes or the options do not fit.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::conv::Conv2dOptions;
    /// // Each pixel becomes a block of 2 × 2.
    /// let options = Conv2dOptions { stride: [2, 2], ..Default::default() };
    /// let y = Var::from([1.0f64, 2.0]).reshape([1, 1, 1, 2]).conv_transpose2d(&Var::ones([1, 1, 2, 2]), None, options, [0, 0]);
    /// assert_eq!(y.value().to_vec(), [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn conv_transpose2d(
        &self,
        weight: &Var<T>,
        bias: Option<&Var<T>>,
        options: Conv2dOptions,
        output_padding: [usize; 2],
    ) -> Var<T> {
        self.conv_transpose(weight, bias, options, output_padding)
    }

    /// The transposed convolution of volumes `[batch, channels, depth, height, width]` with a weight
    /// `[channels, out / groups, kernel depth, kernel height, kernel width]`: see [`conv_transpose`](Var::conv_transpose).
    ///
    /// # Panics
    /// If the shapes or the options do not fit.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::conv::Conv3dOptions;
    /// let options = Conv3dOptions { stride: [1, 1, 2], ..Default::default() };
    /// let voxels = Var::from([1.0f64, 2.0]).reshape([1, 1, 1, 1, 2]);
    /// let y = voxels.conv_transpose3d(&Var::ones([1, 1, 1, 1, 2]), None, options, [0; 3]);
    /// assert_eq!(y.value().to_vec(), [1.0, 1.0, 2.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn conv_transpose3d(
        &self,
        weight: &Var<T>,
        bias: Option<&Var<T>>,
        options: Conv3dOptions,
        output_padding: [usize; 3],
    ) -> Var<T> {
        self.conv_transpose(weight, bias, options, output_padding)
    }
}
