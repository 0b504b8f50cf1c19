//! Pooling.

use wengert_tape::Data;
use wengert_tensor::{Float, Tensor};

use super::{At, Rule};
use crate::export::graph::Graph;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "max_pool2d" => max_pool,
        "max_pool2d_positions" => positions,
        "max_pool_positions" => joined_positions,
        "avg_pool2d" => avg_pool,
        "adaptive_max_pool_positions" => adaptive_positions,
        _ => return None,
    })
}

fn windows<T: Float>(at: &At<'_, T>) -> Result<Vec<AttributeProto>, String> {
    let padding = at.ints("padding")?;
    Ok(vec![
        AttributeProto::ints("kernel_shape", at.ints("kernel")?),
        AttributeProto::ints("strides", at.ints("stride")?),
        AttributeProto::ints("pads", [padding.clone(), padding].concat()),
        AttributeProto::int("ceil_mode", is_rounded_up(at)?.into()),
    ])
}

/// Whether there is a window that reaches beyond the border. Rounded up, the number of windows may be that of whole ones here, as one that
/// would begin behind the image is none; before operator set 22 ONNX's rule for shapes counts it.
fn is_rounded_up<T: Float>(at: &At<'_, T>) -> Result<bool, String> {
    let (kernel, stride, padding) = (at.ints("kernel")?, at.ints("stride")?, at.ints("padding")?);
    let dilation = at.ints("dilation")?;
    let is_whole = |axis: usize| {
        let length = at.dim(0, axis + 2).ok()? as i64 + 2 * padding[axis];
        let whole = (length - dilation[axis] * (kernel[axis] - 1) - 1).div_euclid(stride[axis]) + 1;
        Some(at.out()[axis + 2].known()? == whole)
    };
    Ok(at.flag("ceil_mode") && !(0..kernel.len()).all(|axis| is_whole(axis) == Some(true)))
}

/// The largest element of each window. The positions, which the recording chose before, are an operand that is not needed
/// where they are of the same image.
fn max_pool<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    if at.count() == 2 {
        // Read at positions that were found elsewhere: those of single planes.
        let [height, width] = [2, 3].map(|axis| at.dim(0, axis));
        let plane = [at.shape(0)[0], at.shape(0)[1], (height? * width?).into()];
        let [pooled_height, pooled_width] = [2, 3].map(|axis| at.dim(1, axis));
        let pooled = [at.shape(1)[0], at.shape(1)[1], (pooled_height? * pooled_width?).into()];
        let (image, places) = (g.reshape(at.x(0), &plane), g.reshape(at.x(1), &pooled));
        let found = g.with("GatherElements", &[&image, &places], vec![AttributeProto::int("axis", 2)]);
        return Ok(g.reshape(&found, at.out()));
    }
    let mut attributes = windows(at)?;
    attributes.push(AttributeProto::ints("dilations", at.ints("dilation")?));
    Ok(g.with("MaxPool", &[at.x(0)], attributes))
}

/// Where in its plane the largest element of each window is; ONNX counts through all planes.
fn positions<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let mut attributes = windows(at)?;
    attributes.push(AttributeProto::ints("dilations", at.ints("dilation")?));
    let places = g.parts("MaxPool", &[at.x(0)], attributes, 2).remove(1);
    let pixels = g.int((at.dim(0, 2)? * at.dim(0, 3)?) as i64);
    Ok(g.op("Mod", &[&places, &pixels]))
}

/// The positions as those of images of another shape: planes need no change.
fn joined_positions<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    if at.count() == 1 {
        return Ok(g.reshape(at.x(0), at.out()));
    }
    Err("positions in volumes are made of those in slices and along the depth".into())
}

/// The mean of each window.
fn avg_pool<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let dilation = at.ints("dilation")?;
    let plain = dilation.iter().all(|&d| d == 1) && !at.flag("ceil_mode");
    if let (true, Some(divisor @ ("taps" | "pixels"))) = (plain, at.text("divisor")) {
        let mut attributes = windows(at)?;
        attributes.push(AttributeProto::int("count_include_pad", (divisor == "taps").into()));
        return Ok(g.with("AveragePool", &[at.x(0)], attributes));
    }
    // A sum over each window of the planes, times what it is divided by, which is the same for all of them. Runtimes differ
    // about windows that reach beyond the image.
    let (kernel, stride, padding) = (at.ints("kernel")?, at.ints("stride")?, at.ints("padding")?);
    let [height, width] = [at.dim(0, 2)?, at.dim(0, 3)?];
    let [out_height, out_width] =
        [at.out()[2], at.out()[3]].map(|length| length.known().unwrap_or(0) as usize);
    let ones = Tensor::<T>::ones(at.at_first(at.shape(0)));
    let means = at.operation.step.run(&[&Data::Float(ones)]).float().to_vec();
    let mut factors = Vec::with_capacity(out_height * out_width);
    for (i, mean) in means.iter().take(out_height * out_width).enumerate() {
        let count = |place: usize, axis: usize, length: usize| {
            let taps = (0..kernel[axis])
                .map(|tap| place as i64 * stride[axis] - padding[axis] + tap * dilation[axis]);
            taps.filter(|&at| (0..length as i64).contains(&at)).count()
        };
        let pixels = count(i / out_width, 0, height) * count(i % out_width, 1, width);
        factors.push(if pixels == 0 { 0.0 } else { mean.to_f64() / pixels as f64 });
    }
    let reach = |axis: usize, length: usize, outputs: usize| {
        let needed = (outputs as i64 - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1;
        needed - length as i64 - padding[axis]
    };
    let behind = [reach(0, height, out_height), reach(1, width, out_width)];
    // What lies behind the last window is cut off, not padded.
    let cut = behind.map(|b| b.max(0));
    let planes = g.ints(&[-1, 1, height as i64, width as i64]);
    let planes = g.op("Reshape", &[at.x(0), &planes]);
    let weight = g.numbers(
        &[1, 1, kernel[0] as usize, kernel[1] as usize],
        &vec![1.0; (kernel[0] * kernel[1]) as usize],
    );
    let attributes = vec![
        AttributeProto::ints("kernel_shape", kernel),
        AttributeProto::ints("strides", stride),
        AttributeProto::ints("pads", vec![padding[0], padding[1], cut[0], cut[1]]),
        AttributeProto::ints("dilations", dilation),
    ];
    let sums = g.with("Conv", &[&planes, &weight], attributes);
    let factors = g.numbers(&[out_height, out_width], &factors);
    let means = g.op("Mul", &[&sums, &factors]);
    Ok(g.reshape(&means, at.out()))
}

/// Where along an axis the largest element of each of the windows that share it out is.
fn adaptive_positions<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let axis = at.axis()?;
    let (length, to) = (at.dim(0, axis)?, at.int("to")? as usize);
    let mut found = Vec::with_capacity(to);
    for i in 0..to {
        let (start, end) = (i * length / to, ((i + 1) * length).div_ceil(to));
        let window = g.slice(at.x(0), axis, start.into(), end.into());
        let attributes = vec![AttributeProto::int("axis", axis as i64), AttributeProto::int("keepdims", 1)];
        let place = g.with("ArgMax", &[&window], attributes);
        let start = g.int(start as i64);
        found.push(g.op("Add", &[&place, &start]));
    }
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    Ok(g.with("Concat", &found, vec![AttributeProto::int("axis", axis as i64)]))
}
