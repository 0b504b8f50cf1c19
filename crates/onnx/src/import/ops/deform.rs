//! Convolutions whose taps are moved by offsets.

use wengert_tape::{GridMode, GridPadding, GridSampleOptions, Var};
use wengert_tensor::{Float, Shape, Tensor};

use super::super::call::{Call, Produced};
use super::super::error::Problem;
use super::super::value::Value;
use super::window::Window;
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![operator(
        "DeformConv",
        19,
        (3, 5),
        "dilations:ii group:i kernel_shape:ii offset_group:i pads:ii strides:ii",
        deform_conv,
    )]
}

/// Each tap reads the image between its pixels, where the offset leads it; beyond the border are zeros (Dai et al., "Deformable
/// convolutional networks", 2017).
fn deform_conv<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (x, weight, offset) = (call.float(0)?, call.float(1)?, call.float(2)?);
    (0..3).try_for_each(|input| call.exactly(input, 4))?;
    let [batch, channels, height, width] = [0, 1, 2, 3].map(|i| x.shape()[i]);
    let [out, in_group, rows, columns] = [0, 1, 2, 3].map(|i| weight.shape()[i]);
    let count = |name, of: usize| {
        let groups = usize::try_from(call.attributes.int(name, 1)).ok();
        let fits = groups.filter(|&groups| groups > 0 && of.is_multiple_of(groups));
        fits.ok_or_else(|| Problem::setting(name, format!("groups of {of} channels")))
    };
    let (groups, parts) = (count("group", channels)?, count("offset_group", channels)?);
    if in_group * groups != channels || !out.is_multiple_of(groups) || x.is_empty() || weight.is_empty() {
        let (first, second) = (x.shape().clone(), weight.shape().clone());
        return Err(Problem::Shapes {
            what: "are image and weight whose channels do not fit the groups",
            first,
            second,
        });
    }
    let window = Window::of(call, &[height, width], Some(&[rows, columns]))?;
    let size = [window.positions(0, height), window.positions(1, width)];
    let taps = rows * columns;
    call.of_shape(2, &[batch, parts * taps * 2, size[0], size[1]])?;
    call.sized([batch, channels * taps, size[0], size[1]])?;
    if size.contains(&0) {
        return Err(call.unlike(0, format!("at least a window of {:?}", window.kernel)));
    }
    // Where each tap stands without an offset, and how a place is told to the sampling, which counts from −1 to 1.
    let start = |axis: usize| {
        let kernel = [rows, columns];
        Var::constant(Tensor::from_fn([rows, columns, size[0], size[1]], |at: &[usize]| {
            let tap = at[axis].min(kernel[axis]);
            let place = at[axis + 2] * window.stride[axis] + tap * window.dilation[axis];
            T::from_f64(place as f64 - window.pads[axis].0 as f64)
        }))
        .reshape([taps, size[0], size[1]])
    };
    let offset = offset.reshape([batch, parts, taps, 2, size[0], size[1]]);
    let place = |axis: usize, length: usize| {
        ((offset.select(3, axis as isize) + start(axis)) * 2.0 + 1.0) / length as f64 - 1.0
    };
    let grid = Var::stack(&[place(1, width), place(0, height)], -1);
    let grid = grid.reshape([batch * parts, taps * size[0], size[1], 2]);
    let options =
        GridSampleOptions { mode: GridMode::Linear, padding: GridPadding::Zeros, align_corners: false };
    let images = x.reshape([batch * parts, channels / parts, height, width]);
    let mut read =
        images.grid_sample(&grid, options).reshape([batch, parts, channels / parts, taps, size[0], size[1]]);
    if let Some(mask) = call.given_float(4)? {
        call.of_shape(4, &[batch, parts * taps, size[0], size[1]])?;
        read *= mask.reshape([batch, parts, 1, taps, size[0], size[1]]);
    }
    let positions = size[0] * size[1];
    let columns = read.reshape([batch, groups, in_group * taps, positions]);
    let weights = weight.reshape([groups, out / groups, in_group * taps]);
    let mut y = weights.matmul(&columns).reshape([batch, out, size[0], size[1]]);
    if let Some(bias) = call.given_float(3)? {
        call.of_shape(3, &[out])?;
        y += bias.reshape(Shape::from([out, 1, 1]));
    }
    Ok(vec![Value::Float(y)])
}
