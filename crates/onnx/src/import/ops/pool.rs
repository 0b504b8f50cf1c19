//! Pools.

use wengert_tape::{PoolOptions, Var};
use wengert_tensor::pool::Divisor;
use wengert_tensor::{Float, Shape, Tensor};

use super::super::call::{Call, Produced};
use super::super::error::Problem;
use super::super::value::{Ints, Value};
use super::window::{Window, array, by_axes};
use super::{Operator, operator};
use crate::proto::DataType;

const MAX: &str = "auto_pad:s ceil_mode:i dilations:ii kernel_shape:ii pads:ii storage_order:i strides:ii";
const MEAN: &str =
    "auto_pad:s ceil_mode:i count_include_pad:i dilations:ii kernel_shape:ii pads:ii strides:ii";
const NORM: &str = "auto_pad:s ceil_mode:i dilations:ii kernel_shape:ii p:i pads:ii strides:ii";

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("MaxPool", 1, (1, 1), MAX, max_pool),
        operator("AveragePool", 1, (1, 1), MEAN, average_pool),
        operator("LpPool", 2, (1, 1), NORM, lp_pool),
    ]
}

/// The image's window, which fits; and the shape of the result.
fn window_of<T: Float>(call: &Call<'_, T>, shape: &Shape) -> Result<(Window, Vec<usize>), Problem> {
    call.at_least(0, 3)?;
    if call.attributes.ints("kernel_shape").is_none() {
        return Err(Problem::setting("kernel_shape", "missing"));
    }
    let window = Window::of(call, &shape[2..], None)?;
    let size = (0..shape.len() - 2).map(|axis| window.positions(axis, shape[axis + 2]));
    let result: Vec<usize> = shape[..2].iter().copied().chain(size).collect();
    if result[2..].contains(&0) || shape.contains(&0) {
        return Err(call.unlike(0, format!("at least a window of {:?} along each axis", window.kernel)));
    }
    call.sized(result.iter().copied())?;
    let padded = shape.iter().zip(window.widths(|axis| window.beyond(axis, shape[axis + 2])));
    call.sized(padded.map(|(&length, (before, after))| length.saturating_add(before + after)))?;
    Ok((window, result))
}

/// The options of the window over an image that has its borders already, or gets even ones of zeros or −∞.
fn options<const D: usize>(window: &Window, padding: bool) -> PoolOptions<D> {
    let mut options = PoolOptions::new(array::<D>(&window.kernel));
    options.stride = array(&window.stride);
    options.dilation = array(&window.dilation);
    if padding {
        options.padding = std::array::from_fn(|axis| window.pads[axis].0);
    }
    options
}

fn max_pool<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    match call.value(0)? {
        Value::Float(x) => {
            let (y, places) = maxima(call, x)?;
            let mut results = vec![Value::Float(y)];
            results.extend(places.map(|places| Value::Int(Ints::new(places, DataType::Int64))));
            Ok(results)
        }
        Value::Int(ints) => {
            let (y, places) = maxima(call, &ints.numbers)?;
            let mut results = vec![Value::Int(ints.with(y))];
            results.extend(places.map(|places| Value::Int(Ints::new(places, DataType::Int64))));
            Ok(results)
        }
        _ => Err(call.kind(0, "numbers")),
    }
}

/// The maxima, and their positions in all of the image if those are wanted.
fn maxima<T: Float, S: Float>(call: &Call<'_, T>, x: &Var<S>) -> Result<(Var<S>, Option<Var<f64>>), Problem> {
    let (window, result) = window_of(call, x.shape())?;
    let axes = x.rank() - 2;
    let even = window.is_even() && !window.ceil;
    let after = |axis: usize| window.beyond(axis, x.shape()[axis + 2]);
    let padded = if even { x.clone() } else { x.pad(&window.widths(after), f64::NEG_INFINITY) };
    let whole = |y: Var<S>| {
        // Windows that would begin behind the last one.
        (0..axes).fold(y, |y, axis| {
            let length = result[axis + 2];
            if y.shape()[axis + 2] == length { y } else { y.slice_axis(axis + 2, ..length) }
        })
    };
    if call.outputs < 2 {
        return Ok((whole(by_axes!(call, axes, D => padded.max_pool(options::<D>(&window, even)))), None));
    }
    let (y, places) = by_axes!(call, axes, D => padded.max_pool_with_indices(options::<D>(&window, even)));
    let places = Var::constant(places.value().cast::<f64>());
    let places = (0..axes).fold(places, |p, axis| p.slice_axis(axis + 2, ..result[axis + 2]));
    let by_column = call.attributes.int("storage_order", 0) != 0;
    let (inner, image) = (&padded.shape()[2..], x.shape());
    let plane: usize = image[2..].iter().product();
    let each = result[2..].iter().product::<usize>().max(1);
    let place = |(i, flat): (usize, f64)| {
        let (mut rest, mut at) = (flat as usize, vec![0; axes]);
        for axis in (0..axes).rev() {
            let before = if even { 0 } else { window.pads[axis].0 };
            at[axis] = (rest % inner[axis]).saturating_sub(before);
            rest /= inner[axis];
        }
        let mut flat = 0;
        for turn in 0..axes {
            let axis = if by_column { axes - 1 - turn } else { turn };
            flat = flat * image[axis + 2] + at[axis];
        }
        (i / each * plane + flat) as f64
    };
    let values = places.value().iter().enumerate().map(place).collect();
    let places = Tensor::from_vec(values, places.shape().clone()).expect("as many elements as before");
    Ok((whole(y), Some(Var::constant(places))))
}

/// For each position of an axis the number of taps that count, for which pixels `low..high` of the padded axis count.
fn counts(window: &Window, axis: usize, positions: usize, low: usize, high: usize) -> Vec<f64> {
    let of = |position: usize| {
        let at = |tap: usize| position * window.stride[axis] + tap * window.dilation[axis];
        (0..window.kernel[axis]).filter(|&tap| (low..high).contains(&at(tap))).count() as f64
    };
    (0..positions).map(of).collect()
}

/// The sums of all windows over the taps' number, the borders counting as zeros.
fn means<T: Float>(
    call: &Call<'_, T>,
    x: &Var<T>,
    window: &Window,
    result: &[usize],
) -> Result<Var<T>, Problem> {
    let axes = x.rank() - 2;
    let even = window.is_even() && !window.ceil;
    let after = |axis: usize| window.beyond(axis, x.shape()[axis + 2]);
    let padded = if even { x.clone() } else { x.pad(&window.widths(after), 0.0) };
    let y = by_axes!(call, axes, D => padded.avg_pool(options::<D>(window, even), Divisor::Taps));
    Ok((0..axes).fold(y, |y, axis| {
        let length = result[axis + 2];
        if y.shape()[axis + 2] == length { y } else { y.slice_axis(axis + 2, ..length) }
    }))
}

fn average_pool<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = call.float(0)?;
    let (window, result) = window_of(call, x.shape())?;
    let mut y = means(call, x, &window, &result)?;
    let includes = call.attributes.int("count_include_pad", 0) != 0;
    for axis in 0..x.rank() - 2 {
        let (before, after) = window.pads[axis];
        let size = x.shape()[axis + 2];
        let (low, high) = if includes { (0, before + size + after) } else { (before, before + size) };
        let taps = window.kernel[axis] as f64;
        let counts = counts(&window, axis, result[axis + 2], low, high);
        if counts.iter().all(|&count| count == taps) {
            continue;
        }
        // A window without a pixel has no mean.
        let factors: Vec<T> =
            counts.iter().map(|&count| T::from_f64(if count > 0.0 { taps / count } else { 0.0 })).collect();
        let mut shape = vec![1; x.rank()];
        shape[axis + 2] = factors.len();
        y *= Var::constant(Tensor::from_vec(factors, shape).expect("one factor for each position"));
    }
    Ok(vec![Value::Float(y)])
}

fn lp_pool<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (x, p) = (call.float(0)?, call.attributes.int("p", 2) as f64);
    if p <= 0.0 {
        return Err(Problem::setting("p", p.to_string()));
    }
    let (window, result) = window_of(call, x.shape())?;
    let taps = window.kernel.iter().product::<usize>() as f64;
    let sums = means(call, &x.abs().powf(p), &window, &result)? * taps;
    Ok(vec![Value::Float(sums.powf(1.0 / p))])
}
