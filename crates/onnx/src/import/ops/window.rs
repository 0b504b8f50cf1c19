//! The windows of convolutions and pools: kernels, strides, dilations and borders, which may differ before and after.

use wengert_tensor::Float;

use super::super::call::{Call, lengths};
use super::super::error::Problem;

/// Calls with the number of axes as a constant.
macro_rules! by_axes {
    ($call:expr, $axes:expr, $D:ident => $body:expr) => {
        match $axes {
            1 => {
                const $D: usize = 1;
                $body
            }
            2 => {
                const $D: usize = 2;
                $body
            }
            3 => {
                const $D: usize = 3;
                $body
            }
            _ => return Err($call.unlike(0, "three, four or five axes")),
        }
    };
}
pub(super) use by_axes;

/// A window along each axis of the size of an image.
pub(super) struct Window {
    pub(super) kernel: Vec<usize>,
    pub(super) stride: Vec<usize>,
    pub(super) dilation: Vec<usize>,
    /// Pixels added before and after.
    pub(super) pads: Vec<(usize, usize)>,
    /// Whether a window may go beyond the border behind, as long as it begins before it.
    pub(super) ceil: bool,
}

/// Numbers beyond this are no window, and products of them would not fit.
const LARGEST: usize = 1 << 31;

/// One number for each axis, from an attribute or as it is by default.
pub(super) fn numbers<T: Float>(
    call: &Call<'_, T>,
    name: &'static str,
    count: usize,
    default: usize,
) -> Result<Vec<usize>, Problem> {
    let Some(values) = call.attributes.ints(name) else { return Ok(vec![default; count]) };
    let values = lengths(name, values)?;
    if values.len() != count || values.iter().any(|&value| value > LARGEST) {
        return Err(Problem::setting(name, format!("{values:?} for {count} numbers")));
    }
    Ok(values)
}

impl Window {
    /// The window of an operator's attributes over the axes `size`. Without `kernel`, it is the attribute of that name.
    pub(super) fn of<T: Float>(
        call: &Call<'_, T>,
        size: &[usize],
        kernel: Option<&[usize]>,
    ) -> Result<Self, Problem> {
        let axes = size.len();
        let given = numbers(call, "kernel_shape", axes, 0)?;
        let kernel = match kernel {
            Some(kernel) if call.attributes.ints("kernel_shape").is_some_and(|_| given != kernel) => {
                return Err(Problem::setting(
                    "kernel_shape",
                    format!("{given:?}, and the weight has {kernel:?}"),
                ));
            }
            Some(kernel) => kernel.to_vec(),
            None => given,
        };
        let (stride, dilation) = (numbers(call, "strides", axes, 1)?, numbers(call, "dilations", axes, 1)?);
        for (name, values) in [("kernel_shape", &kernel), ("strides", &stride), ("dilations", &dilation)] {
            if values.contains(&0) {
                return Err(Problem::setting(name, format!("{values:?}")));
            }
        }
        let mut window = Window {
            kernel,
            stride,
            dilation,
            pads: Vec::new(),
            ceil: call.attributes.int("ceil_mode", 0) != 0,
        };
        let same = |window: &Window, upper: bool| {
            let along = |axis: usize| {
                let positions = size[axis].div_ceil(window.stride[axis]);
                let reach = positions.saturating_sub(1) * window.stride[axis] + window.extent(axis);
                let all = reach.saturating_sub(size[axis]);
                if upper { (all / 2, all - all / 2) } else { (all - all / 2, all / 2) }
            };
            (0..axes).map(along).collect()
        };
        window.pads = match call.attributes.text("auto_pad").unwrap_or("NOTSET") {
            "NOTSET" => {
                let pads = numbers(call, "pads", 2 * axes, 0)?;
                (0..axes).map(|axis| (pads[axis], pads[axes + axis])).collect()
            }
            "VALID" => vec![(0, 0); axes],
            "SAME_UPPER" => same(&window, true),
            "SAME_LOWER" => same(&window, false),
            other => return Err(Problem::setting("auto_pad", other)),
        };
        Ok(window)
    }

    /// Pixels from the first to the last of a window.
    pub(super) fn extent(&self, axis: usize) -> usize {
        self.dilation[axis] * (self.kernel[axis] - 1) + 1
    }

    /// The number of positions along an axis of that many pixels; 0 if the window does not fit.
    pub(super) fn positions(&self, axis: usize, size: usize) -> usize {
        let (before, after) = self.pads[axis];
        let stride = self.stride[axis];
        let Some(room) = (size + before + after).checked_sub(self.extent(axis)) else { return 0 };
        let positions = if self.ceil { room.div_ceil(stride) } else { room / stride } + 1;
        // The last window begins in the image or before it.
        if self.ceil && (positions - 1) * stride >= size + before { positions - 1 } else { positions }
    }

    /// Whether pixels are added evenly, and less than half of a window of them, so that the operations can do it.
    pub(super) fn is_even(&self) -> bool {
        (0..self.kernel.len()).all(|axis| {
            let (before, after) = self.pads[axis];
            before == after && before * 2 < self.extent(axis)
        })
    }

    /// The borders of all axes of an image, those without a size included; `after` says how many more pixels behind.
    pub(super) fn widths(&self, after: impl Fn(usize) -> usize) -> Vec<(usize, usize)> {
        let size = (0..self.kernel.len()).map(|axis| (self.pads[axis].0, self.pads[axis].1 + after(axis)));
        [(0, 0), (0, 0)].into_iter().chain(size).collect()
    }

    /// The pixels behind an axis that the last window reaches beyond the borders.
    pub(super) fn beyond(&self, axis: usize, size: usize) -> usize {
        let positions = self.positions(axis, size);
        let reach = positions.saturating_sub(1) * self.stride[axis] + self.extent(axis);
        reach.saturating_sub(size + self.pads[axis].0 + self.pads[axis].1)
    }
}

/// A list of as many numbers as there are axes, as an array.
pub(super) fn array<const D: usize>(values: &[usize]) -> [usize; D] {
    std::array::from_fn(|axis| values[axis])
}
