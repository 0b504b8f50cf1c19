//! What a convolution sees round its image.

use wengert_tape::{PadMode, Var};
use wengert_tensor::Float;
use wengert_tensor::conv::ConvOptions;

use crate::layer::Sides;

/// The widths of the border, and what stands in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Border<const D: usize> {
    pub(super) width: Width<D>,
    pub(super) mode: PadMode,
}

/// How wide a border is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Width<const D: usize> {
    Sides(Sides<D>),
    /// As wide as it takes for outputs of the image's size.
    Same,
}

impl<const D: usize> Border<D> {
    /// The image with what of the border the convolution does not have by itself, and the options with what it has.
    #[track_caller]
    pub(super) fn made<T: Float>(
        &self,
        x: &Var<T>,
        kernel: &[usize],
        mut options: ConvOptions<D>,
    ) -> (Option<Var<T>>, ConvOptions<D>) {
        let mut sides = match self.width {
            Width::Sides(sides) => sides,
            Width::Same => same(kernel, &options),
        };
        if sides.0.iter().all(|sides| *sides == [0, 0]) {
            return (None, options);
        }
        if self.mode != PadMode::Constant(0.0) {
            return (Some(x.pad_with(&sides.widths(), self.mode)), options);
        }
        // Zeros on both sides cost nothing; what one side has more is appended.
        for (axis, sides) in sides.0.iter_mut().enumerate() {
            let both = sides[0].min(sides[1]);
            options.padding[axis] = both;
            *sides = sides.map(|width| width - both);
        }
        let more = sides.0.iter().any(|sides| *sides != [0, 0]);
        (more.then(|| x.pad(&sides.widths(), 0.0)), options)
    }
}

/// The border by which the output is as large as the image, where the kernel moves by one: one pixel more after than before
/// if the kernel reaches over an even number of pixels, as in PyTorch.
fn same<const D: usize>(kernel: &[usize], options: &ConvOptions<D>) -> Sides<D> {
    let mut sides = [[0; 2]; D];
    for (axis, sides) in sides.iter_mut().enumerate() {
        let total = options.dilation[axis].saturating_mul(kernel[axis].saturating_sub(1));
        *sides = [total / 2, total - total / 2];
    }
    Sides(sides)
}
