//! Borders.

use wengert_tape::PadMode;
use wengert_tensor::Float;

use super::super::call::{Call, Produced, axes_of, axis_of, lengths};
use super::super::error::Problem;
use super::super::value::{Value, truth};
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("Pad", 1, (1, 4), "mode:s pads:ii paddings:ii value:f", pad),
        operator("CenterCropPad", 18, (2, 2), "axes:ii", center_crop_pad),
    ]
}

/// Axes of the lengths that are wanted: cut off, or with zeros, on both sides alike, the odd one behind.
fn center_crop_pad<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let value = call.value(0)?;
    let rank = value.shape().len();
    let wanted = lengths("shape", &call.ints(1)?.to_vec())?;
    let axes = match call.attributes.ints("axes") {
        Some(axes) => axes.to_vec(),
        None => (0..rank as i64).collect(),
    };
    axes_of(&axes, rank)?;
    if axes.len() != wanted.len() {
        return Err(Problem::setting("shape", format!("{wanted:?} for {} axes", axes.len())));
    }
    let mut result = value.clone();
    let mut widths = vec![(0, 0); rank];
    let mut shape = value.shape().clone();
    for (&axis, &wanted) in axes.iter().zip(&wanted) {
        let axis = axis_of(axis, rank)?;
        let length = shape[axis];
        shape = shape.with(axis, wanted);
        if wanted < length {
            let start = (length - wanted) / 2;
            result = arranged!(&result, |x| x.slice_axis(axis, start..start + wanted));
        } else {
            let before = (wanted - length) / 2;
            widths[axis] = (before, wanted - length - before);
        }
    }
    call.sized(shape.iter().copied())?;
    Ok(vec![arranged!(&result, |x| x.pad(&widths, 0.0))])
}

fn pad<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let value = call.value(0)?;
    let rank = value.shape().len();
    let pads = match call.attributes.ints("paddings") {
        Some(pads) => pads.to_vec(),
        None => call.needed_list(1, "pads")?,
    };
    let axes = call.list(3, "axes")?.unwrap_or_else(|| (0..rank as i64).collect());
    if pads.len() != 2 * axes.len() {
        return Err(Problem::setting("pads", format!("{} numbers for {} axes", pads.len(), axes.len())));
    }
    axes_of(&axes, rank)?;
    let number = call.number(2, "value")?.unwrap_or(0.0);
    let mode = match call.attributes.text("mode").unwrap_or("constant") {
        "constant" => PadMode::Constant(number),
        "reflect" => PadMode::Reflect,
        "edge" => PadMode::Replicate,
        "wrap" => PadMode::Circular,
        other => return Err(Problem::setting("mode", other)),
    };
    let mut widths = vec![(0, 0); rank];
    let mut result = value.clone();
    let mut lengths: Vec<i64> = value.shape().iter().map(|&length| length as i64).collect();
    for (i, &axis) in axes.iter().enumerate() {
        let axis = axis_of(axis, rank)?;
        let (before, after) = (pads[i], pads[axes.len() + i]);
        lengths[axis] = lengths[axis].saturating_add(before).saturating_add(after);
        // Negative ones take positions off.
        let (cut, end) = (before.min(0).unsigned_abs() as usize, after.min(0).unsigned_abs() as usize);
        let length = result.shape()[axis];
        if cut.saturating_add(end) > length {
            return Err(Problem::TooLarge { shape: lengths, limit: call.limit });
        }
        if cut + end > 0 {
            result = arranged!(&result, |x| x.slice_axis(axis, cut..length - end));
        }
        widths[axis] = (before.max(0) as usize, after.max(0) as usize);
        let (most, least) = (widths[axis].0.max(widths[axis].1), length - cut - end);
        let fits = match mode {
            PadMode::Constant(_) => true,
            PadMode::Reflect => most == 0 || most < least,
            PadMode::Replicate => most == 0 || least > 0,
            PadMode::Circular => most <= least,
        };
        if !fits {
            return Err(
                call.unlike(0, format!("an axis {axis} that borders of {:?} can be made of", widths[axis]))
            );
        }
    }
    call.size(&lengths)?;
    Ok(vec![arranged!(&result, |x| x.pad_with(&widths, mode))])
}
