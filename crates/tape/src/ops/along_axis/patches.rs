//! The patches of images as a matrix, and back.

use wengert_tensor::axis_map::AxisMap;
use wengert_tensor::conv::{Conv2dGeometry, Conv2dOptions, ConvOptions};
use wengert_tensor::{Float, Shape, size};

use super::{AlongAxis, nothing, transposed};
use crate::describe::Attributes;
use crate::var::Var;

/// A window that moves over the last `D` axes of `[batch, channels, size…]`.
struct Patches<const D: usize> {
    sizes: [usize; D],
    kernel: [usize; D],
    positions: [usize; D],
    options: ConvOptions<D>,
}

impl<const D: usize> Patches<D> {
    /// Panics if the window does not fit; `operation` names the caller's operation.
    #[track_caller]
    fn new(operation: &str, sizes: [usize; D], kernel: [usize; D], options: ConvOptions<D>) -> Self {
        assert!(options.groups == 1, "{operation}: patches have no groups, but {} are given", options.groups);
        let mut positions = [0; D];
        for axis in 0..D {
            // Each axis is checked as the width of an image.
            let of_axis = Conv2dOptions {
                stride: [1, options.stride[axis]],
                padding: [0, options.padding[axis]],
                dilation: [1, options.dilation[axis]],
                groups: 1,
            };
            match Conv2dGeometry::new([1, 1, 1, sizes[axis]], [1, 1, 1, kernel[axis]], of_axis) {
                Ok(geometry) => positions[axis] = geometry.output_shape()[3],
                Err(error) => panic!("{operation}: size {sizes:?} and kernel {kernel:?}: {error}"),
            }
        }
        Patches { sizes, kernel, positions, options }
    }

    /// The map of one axis to its taps times positions.
    fn map(&self, axis: usize) -> AlongAxis {
        let (o, mut attributes) = (&self.options, Attributes::default());
        let (kernel, positions) = (self.kernel[axis], self.positions[axis]);
        attributes.set("kernel", kernel);
        attributes.set("stride", o.stride[axis]);
        attributes.set("padding", o.padding[axis]);
        attributes.set("dilation", o.dilation[axis]);
        let (stride, padding, dilation) = (o.stride[axis], o.padding[axis], o.dilation[axis]);
        let map = AxisMap::patches([self.sizes[axis], positions, kernel, stride, padding, dilation]);
        AlongAxis::new(["unfold", "fold"], axis + 2, map, attributes)
    }

    /// `[batch, channels, tap, position, tap, position …]`.
    fn pairs(&self, batch: usize, channels: usize) -> Vec<usize> {
        let pairs = (0..D).flat_map(|axis| [self.kernel[axis], self.positions[axis]]);
        [batch, channels].into_iter().chain(pairs).collect()
    }

    /// The order of [`pairs`](Self::pairs)'s axes in which all taps stand before all positions, and its inverse.
    fn orders(&self) -> [Vec<usize>; 2] {
        let of = |first: usize| (0..D).map(move |axis| 2 + 2 * axis + first);
        let taps_first: Vec<usize> = [0, 1].into_iter().chain(of(0)).chain(of(1)).collect();
        let mut back = vec![0; taps_first.len()];
        taps_first.iter().enumerate().for_each(|(i, &axis)| back[axis] = i);
        [taps_first, back]
    }
}

impl<T: Float> Var<T> {
    /// The patches that a kernel meets in images `[batch, channels, size…]`, as
    /// `[batch, channels · taps, positions]`: columns of length channels × kernel…, one for each position in row-major order,
    /// with 0 for the padding. [`conv`](Var::conv) is the product of its weight, as a matrix, with these. Of two axes in
    /// PyTorch, of any number here.
    ///
    /// # Panics
    /// If there are not `D + 2` axes, the kernel does not fit, groups are given, or the result has too many elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::conv::Conv1dOptions;
    /// let x = Var::from([1.0f64, 2.0, 3.0]).reshape([1, 1, 3]);
    /// let patches = x.unfold([2], Conv1dOptions::default());
    /// assert_eq!(patches.value().to_vec(), [1.0, 2.0, 2.0, 3.0]);
    /// assert_eq!(patches.fold([3], [2], Conv1dOptions::default()).value().to_vec(), [1.0, 4.0, 3.0]);
    /// ```
    #[doc(alias = "im2col")]
    #[doc(alias = "F.unfold")]
    #[track_caller]
    pub fn unfold<const D: usize>(&self, kernel: [usize; D], options: ConvOptions<D>) -> Var<T> {
        let shape = self.shape();
        assert!(shape.len() == D + 2, "unfold: {shape} does not have {} axes", D + 2);
        let mut sizes = [0; D];
        sizes.copy_from_slice(&shape[2..]);
        let patches = Patches::new("unfold", sizes, kernel, options);
        let taps = size::product("unfold", &[&[shape[1]], &kernel[..]].concat());
        let positions = size::product("unfold", &patches.positions);
        let columns = Shape::from([shape[0], taps, positions]).checked("unfold");
        if let Some(nothing) = nothing(self, &columns) {
            return nothing;
        }
        let all = (0..D).rev().fold(self.clone(), |x, axis| x.linear(patches.map(axis)));
        let [taps_first, _] = patches.orders();
        let pairs = Shape::from(patches.pairs(shape[0], shape[1]));
        all.reshape(pairs).permute(&taps_first[..]).reshape(columns)
    }

    /// The transpose of [`unfold`](Var::unfold): images of the given size in which each pixel is the sum of what the
    /// patches `[batch, channels · taps, positions]` have at it.
    ///
    /// # Panics
    /// If the patches are not those of such images, groups are given, or the result has too many elements.
    #[doc(alias = "col2im")]
    #[doc(alias = "F.fold")]
    #[track_caller]
    pub fn fold<const D: usize>(
        &self,
        size: [usize; D],
        kernel: [usize; D],
        options: ConvOptions<D>,
    ) -> Var<T> {
        let patches = Patches::new("fold", size, kernel, options);
        let taps = size::product("fold", &kernel);
        let positions = size::product("fold", &patches.positions);
        let shape = self.shape();
        if shape.len() != 3 || shape[2] != positions || !shape[1].is_multiple_of(taps) {
            panic!(
                "fold: {shape} is not [batch, channels · {taps}, {positions}], as kernel {kernel:?} and size {size:?} demand"
            );
        }
        let images: Shape = [shape[0], shape[1] / taps].into_iter().chain(size).collect();
        if let Some(nothing) = nothing(self, &images.clone().checked("fold")) {
            return nothing;
        }
        let [taps_first, back] = patches.orders();
        let pairs = patches.pairs(shape[0], shape[1] / taps);
        let split: Shape = taps_first.iter().map(|&axis| pairs[axis]).collect();
        let axes: Shape =
            pairs[..2].iter().copied().chain(pairs[2..].chunks(2).map(|p| p[0] * p[1])).collect();
        let all = self.reshape(split).permute(&back[..]).reshape(axes);
        (0..D).fold(all, |x, axis| x.linear(transposed(patches.map(axis))))
    }
}
