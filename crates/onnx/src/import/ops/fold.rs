//! The ways back from windows to images: columns added up, and maxima put where they were taken.

use wengert_tape::Var;
use wengert_tensor::{Float, Tensor};

use super::super::call::{Call, Produced, lengths};
use super::super::error::Problem;
use super::super::value::Value;
use super::window::Window;
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("Col2Im", 18, (3, 3), "dilations:ii pads:ii strides:ii", col2im),
        operator("MaxUnpool", 9, (2, 3), "kernel_shape:ii pads:ii strides:ii", max_unpool),
    ]
}

/// The digits of a position in row-major order.
fn digits(mut position: usize, shape: &[usize]) -> Vec<usize> {
    let mut digits = vec![0; shape.len()];
    for (digit, &length) in digits.iter_mut().zip(shape).rev() {
        *digit = position % length;
        position /= length;
    }
    digits
}

/// Columns `[batch, channels · taps, positions]` added up to images.
fn col2im<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    call.exactly(0, 3)?;
    let x = call.float(0)?;
    let size = lengths("image_shape", &call.ints(1)?.to_vec())?;
    let block = lengths("block_shape", &call.ints(2)?.to_vec())?;
    if block.len() != size.len() || size.is_empty() || block.contains(&0) {
        return Err(Problem::setting("block_shape", format!("{block:?} of images {size:?}")));
    }
    let window = Window::of(call, &size, Some(&block))?;
    let axes = size.len();
    let positions: Vec<usize> = (0..axes).map(|axis| window.positions(axis, size[axis])).collect();
    let padded: Vec<usize> = (0..axes).map(|i| size[i] + window.pads[i].0 + window.pads[i].1).collect();
    let [batch, rows, columns] = [0, 1, 2].map(|i| x.shape()[i]);
    let product = |lengths: &[usize]| lengths.iter().try_fold(1_usize, |all, &n| all.checked_mul(n));
    let (taps, count) = (product(&block), product(&positions));
    let Some((taps, count)) = taps.zip(count).filter(|&(taps, n)| rows.is_multiple_of(taps) && n == columns)
    else {
        let expected = format!("[{batch}, channels · {block:?}, {positions:?}]");
        return Err(call.unlike(0, expected));
    };
    let channels = rows / taps;
    let all = call.sized([batch, channels].into_iter().chain(padded.iter().copied()))?;
    let plane = padded.iter().product::<usize>();
    let mut places = Vec::with_capacity(taps * count);
    for tap in 0..taps {
        let tap = digits(tap, &block);
        for position in 0..count {
            let position = digits(position, &positions);
            let at = |i: usize| position[i] * window.stride[i] + tap[i] * window.dilation[i];
            let flat = (0..axes).fold(0, |flat, i| flat * padded[i] + at(i));
            places
                .push(u32::try_from(flat).map_err(|_| Problem::Index { index: flat as i64, length: plane })?);
        }
    }
    let columns = x.reshape([batch * channels, taps * count]);
    let zeros = Var::zeros([batch * channels, plane]);
    let mut y = zeros.index_add(1, Tensor::vector(&places), &columns).reshape(all);
    for (axis, &length) in size.iter().enumerate() {
        let before = window.pads[axis].0;
        y = y.slice_axis(axis + 2, before..before + length);
    }
    Ok(vec![Value::Float(y)])
}

/// Numbers at their positions in the image that a pool has read, and zeros elsewhere.
fn max_unpool<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    call.at_least(0, 3)?;
    let x = call.float(0)?;
    call.of_shape(1, x.shape())?;
    if call.attributes.ints("kernel_shape").is_none() {
        return Err(Problem::setting("kernel_shape", "missing"));
    }
    let window = Window::of(call, &x.shape()[2..], None)?;
    let mut read = x.shape()[..2].to_vec();
    for (axis, &positions) in x.shape()[2..].iter().enumerate() {
        let (before, after) = window.pads[axis];
        let reach = positions.saturating_sub(1).saturating_mul(window.stride[axis]);
        read.push(reach.saturating_add(window.kernel[axis]).saturating_sub(before + after));
    }
    let read = call.sized(read)?;
    let wanted = match call.given(2) {
        Some(_) => call.size(&call.ints(2)?.to_vec())?,
        None => read.clone(),
    };
    if wanted.len() != read.len() || (0..read.len()).any(|i| wanted[i] < read[i]) {
        return Err(call.unlike(2, format!("lengths of at least {read}")));
    }
    let count = read.count();
    let place = |index: i64| {
        let place = u32::try_from(index).ok().filter(|&place| (place as usize) < count);
        place.ok_or(Problem::Index { index, length: count })
    };
    let places: Vec<u32> = call.ints(1)?.to_vec().into_iter().map(place).collect::<Result<_, _>>()?;
    let flat = Var::zeros([count]).scatter(0, Tensor::vector(&places), &x.reshape([x.len()]));
    let behind: Vec<(usize, usize)> = (0..read.len()).map(|i| (0, wanted[i] - read[i])).collect();
    Ok(vec![Value::Float(flat.reshape(&read).pad(&behind, 0.0))])
}
