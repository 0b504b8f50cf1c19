//! Normalisation and softmax.

use wengert_tensor::Float;

use super::reduce::product;
use super::{At, Rule};
use crate::export::graph::Graph;
use crate::export::length::{Length, Quantity};
use crate::proto::{AttributeProto, DataType};

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "layer_norm" => layer_norm,
        "rms_norm" => rms_norm,
        "group_norm" => group_norm,
        "instance_norm" => instance_norm,
        "batch_norm" => batch_norm,
        "batch_norm_by" => batch_norm_by,
        "channel_affine" => channel_affine,
        "softmax" => |g, at| along_axis(g, at, "Softmax"),
        "log_softmax" => |g, at| along_axis(g, at, "LogSoftmax"),
        "logsumexp" => |g, at| Ok(g.reduce("ReduceLogSumExp", at.x(0), &at.axes(), at.flag("keepdim"))),
        _ => return None,
    })
}

fn epsilon<T: Float>(at: &At<'_, T>) -> Result<AttributeProto, String> {
    Ok(AttributeProto::float("epsilon", at.number("epsilon")? as f32))
}

fn along_axis<T: Float>(g: &mut Graph, at: &At<'_, T>, kind: &str) -> Result<String, String> {
    Ok(g.with(kind, &[at.x(0)], vec![AttributeProto::int("axis", at.axis()? as i64)]))
}

fn layer_norm<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    if at.rank(1) == 0 {
        return Err("a gain without axes normalises single numbers".into());
    }
    if g.float == DataType::Float {
        let attributes = vec![AttributeProto::int("axis", -(at.rank(1) as i64)), epsilon(at)?];
        return Ok(g.with("LayerNormalization", &[at.x(0), at.x(1), at.x(2)], attributes));
    }
    // Attributes are in single precision, and ε is not.
    let axes: Vec<usize> = (at.rank(0) - at.rank(1)..at.rank(0)).collect();
    let normalised = by_statistics(g, at, at.x(0), at.shape(0), &axes)?;
    let scaled = g.op("Mul", &[&normalised, at.x(1)]);
    Ok(g.op("Add", &[&scaled, at.x(2)]))
}

/// x/√(mean of squares + ε)·gain + bias.
fn rms_norm<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let axes: Vec<usize> = (at.rank(0) - at.rank(1)..at.rank(0)).collect();
    let scaled = if g.opset >= 23 && at.rank(1) > 0 && g.float == DataType::Float {
        let attributes = vec![AttributeProto::int("axis", -(at.rank(1) as i64)), epsilon(at)?];
        g.with("RMSNormalization", &[at.x(0), at.x(1)], attributes)
    } else {
        let squares = g.op("Mul", &[at.x(0), at.x(0)]);
        let mean = g.reduce("ReduceMean", &squares, &axes, true);
        let normalised = over_root(g, at, at.x(0), &mean)?;
        g.op("Mul", &[&normalised, at.x(1)])
    };
    Ok(g.op("Add", &[&scaled, at.x(2)]))
}

/// x/√(variance + ε).
fn over_root<T: Float>(g: &mut Graph, at: &At<'_, T>, x: &str, variance: &str) -> Result<String, String> {
    let epsilon = at.number("epsilon")?;
    let epsilon = g.number(epsilon);
    let sum = g.op("Add", &[variance, &epsilon]);
    let root = g.op("Sqrt", &[&sum]);
    Ok(g.op("Div", &[x, &root]))
}

/// One number for each channel, in a shape that broadcasts to the first operand.
fn by_channel<T: Float>(g: &mut Graph, at: &At<'_, T>, i: usize) -> String {
    let behind: Vec<i64> = (1..at.rank(0) as i64 - 1).collect();
    if behind.is_empty() { at.x(i).to_owned() } else { g.unsqueeze(at.x(i), &behind) }
}

/// By the statistics of each channel of an example.
fn instance_norm<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    if at.rank(0) > 2 && g.float == DataType::Float {
        let epsilon = epsilon(at)?;
        return Ok(g.with("InstanceNormalization", &[at.x(0), at.x(1), at.x(2)], vec![epsilon]));
    }
    let axes: Vec<usize> = (2..at.rank(0)).collect();
    let normalised = by_statistics(g, at, at.x(0), at.shape(0), &axes)?;
    let (gain, bias) = (by_channel(g, at, 1), by_channel(g, at, 2));
    let scaled = g.op("Mul", &[&normalised, &gain]);
    Ok(g.op("Add", &[&scaled, &bias]))
}

/// Groups as the channels of an instance normalisation without gain, and then the gain of each channel.
fn group_norm<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let groups = at.int("groups")?;
    // Before there was a gain for each group, and not for each channel.
    if g.opset >= 21 && g.float == DataType::Float {
        let attributes = vec![AttributeProto::int("num_groups", groups), epsilon(at)?];
        return Ok(g.with("GroupNormalization", &[at.x(0), at.x(1), at.x(2)], attributes));
    }
    let channels = at.dim(0, 1)? as i64;
    let (groups_of, each) = (Length::from(groups), Length::from(channels / groups.max(1)));
    let all = [&[at.shape(0)[0], groups_of, each], &at.shape(0)[2..]].concat();
    let parted = g.reshape(at.x(0), &all);
    let axes: Vec<usize> = (2..all.len()).collect();
    let normalised = if g.float == DataType::Float {
        let ones = g.numbers(&[groups as usize], &vec![1.0; groups as usize]);
        let zeros = g.numbers(&[groups as usize], &vec![0.0; groups as usize]);
        let epsilon = epsilon(at)?;
        g.with("InstanceNormalization", &[&parted, &ones, &zeros], vec![epsilon])
    } else {
        by_statistics(g, at, &parted, &all, &axes)?
    };
    let whole = g.reshape(&normalised, at.shape(0));
    let (gain, bias) = (by_channel(g, at, 1), by_channel(g, at, 2));
    let scaled = g.op("Mul", &[&whole, &gain]);
    Ok(g.op("Add", &[&scaled, &bias]))
}

/// By the statistics of the batch, which no operator for inference computes.
fn batch_norm<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let axes: Vec<usize> = (0..at.rank(0)).filter(|&axis| axis != 1).collect();
    let normalised = by_statistics(g, at, at.x(0), at.shape(0), &axes)?;
    let (gain, bias) = (by_channel(g, at, 1), by_channel(g, at, 2));
    let scaled = g.op("Mul", &[&normalised, &gain]);
    Ok(g.op("Add", &[&scaled, &bias]))
}

/// (x − mean)/√(variance + ε) over the axes, of an x of that shape.
fn by_statistics<T: Float>(
    g: &mut Graph,
    at: &At<'_, T>,
    x: &str,
    shape: &[Length],
    axes: &[usize],
) -> Result<String, String> {
    let lengths: Vec<Length> = axes.iter().map(|&axis| shape[axis]).collect();
    let number = product(&lengths)
        .ok_or("the number of elements does not grow by the same number for each example")?;
    let number = g.quantity(Quantity::Of(number));
    let sum = g.reduce("ReduceSum", x, axes, true);
    let mean = g.op("Div", &[&sum, &number]);
    let centred = g.op("Sub", &[x, &mean]);
    let squares = g.op("Mul", &[&centred, &centred]);
    let sum = g.reduce("ReduceSum", &squares, axes, true);
    let variance = g.op("Div", &[&sum, &number]);
    over_root(g, at, &centred, &variance)
}

/// By known statistics, all under their own names.
fn batch_norm_by<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let exact = at.number("epsilon")?;
    let mut attribute = exact as f32;
    let mut variance = at.x(2).to_owned();
    // Attributes are in single precision, and so a double ε that is none of its numbers is added here.
    if g.float == DataType::Double && f64::from(attribute) != exact {
        let epsilon = g.number(exact);
        variance = g.op("Add", &[&variance, &epsilon]);
        attribute = 0.0;
    }
    let inputs = [at.x(0), at.x(3), at.x(4), at.x(1), &variance];
    Ok(g.with("BatchNormalization", &inputs, vec![AttributeProto::float("epsilon", attribute)]))
}

/// (x − mean)·scale + shift: the same where the variance is in the scale.
fn channel_affine<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let channels = at.dim(0, 1)?;
    let ones = g.numbers(&[channels], &vec![1.0; channels]);
    let inputs = [at.x(0), at.x(2), at.x(3), at.x(1), &ones];
    Ok(g.with("BatchNormalization", &inputs, vec![AttributeProto::float("epsilon", 0.0)]))
}
