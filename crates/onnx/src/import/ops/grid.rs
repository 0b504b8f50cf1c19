//! Images sampled at the places of a grid, and the grids of affine maps.

use wengert_tape::{GridMode, GridPadding, GridSampleOptions};
use wengert_tensor::Float;

use super::super::call::{Call, Produced, lengths};
use super::super::error::Problem;
use super::super::value::Value;
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("GridSample", 16, (2, 2), "align_corners:i mode:s padding_mode:s", grid_sample),
        operator("AffineGrid", 20, (2, 2), "align_corners:i", affine_grid),
    ]
}

fn options<T: Float>(call: &Call<'_, T>) -> Result<GridSampleOptions, Problem> {
    // Opset 20 took the prefixes off, as it took images of any number of axes.
    let mode = match call.attributes.text("mode").unwrap_or("linear") {
        "linear" | "bilinear" => GridMode::Linear,
        "nearest" => GridMode::Nearest,
        "cubic" | "bicubic" => GridMode::Cubic,
        other => return Err(Problem::setting("mode", other)),
    };
    let padding = match call.attributes.text("padding_mode").unwrap_or("zeros") {
        "zeros" => GridPadding::Zeros,
        "border" => GridPadding::Border,
        "reflection" => GridPadding::Reflection,
        other => return Err(Problem::setting("padding_mode", other)),
    };
    let align_corners = call.attributes.int("align_corners", 0) != 0;
    Ok(GridSampleOptions { mode, padding, align_corners })
}

fn grid_sample<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let options = options(call)?;
    let (x, grid) = (call.float(0)?, call.float(1)?);
    let (shape, places) = (x.shape(), grid.shape());
    let rank = shape.len();
    if rank != 4 && rank != 5 {
        return Err(call.unlike(0, "images [batch, channels, size…] of two or three axes"));
    }
    let axes = rank - 2;
    if places.len() != rank || places[0] != shape[0] || places[rank - 1] != axes {
        return Err(call.unlike(1, format!("[{}, size…, {axes}] of {rank} axes", shape[0])));
    }
    let sampled = &places[1..=axes];
    if shape[2..].contains(&0) && !sampled.contains(&0) && shape[0] > 0 {
        return Err(call.unlike(0, "images with elements"));
    }
    let taps: usize = match options.mode {
        GridMode::Nearest => 1,
        GridMode::Linear => 1 << axes,
        GridMode::Cubic => 1 << (2 * axes),
    };
    // As large are the result and the weights of the neighbours.
    for each in [shape[1], taps] {
        call.sized([shape[0], each].into_iter().chain(sampled.iter().copied()))?;
    }
    Ok(vec![Value::Float(x.grid_sample(grid, options))])
}

fn affine_grid<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (maps, size) = (call.float(0)?, lengths("size", &call.ints(1)?.to_vec())?);
    let align_corners = call.attributes.int("align_corners", 0) != 0;
    let &[batch, _, ref size @ ..] = &size[..] else {
        return Err(call.unlike(1, "[4] or [5]"));
    };
    let axes = size.len();
    if axes != 2 && axes != 3 {
        return Err(call.unlike(1, "[4] or [5]"));
    }
    call.of_shape(0, &[batch, axes, axes + 1])?;
    // The places are computed as products with [size…, 1].
    call.sized([batch].into_iter().chain(size.iter().copied()).chain([axes + 1]))?;
    Ok(vec![Value::Float(match *size {
        [height, width] => maps.affine_grid([height, width], align_corners),
        [depth, height, width] => maps.affine_grid([depth, height, width], align_corners),
        _ => unreachable!("there are two or three axes"),
    })])
}
