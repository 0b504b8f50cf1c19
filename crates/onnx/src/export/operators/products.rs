//! Products of matrices, and convolutions.

use wengert_tensor::Float;

use super::{At, Rule};
use crate::export::graph::Graph;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "matmul" => |g, at| Ok(g.op("MatMul", &[at.x(0), at.x(1)])),
        "linear" => linear,
        "conv2d" | "conv3d" => conv,
        "pair_dots" => |g, at| {
            let transposed = swapped(g, at.x(1), at.rank(1));
            Ok(g.op("MatMul", &[at.x(0), &transposed]))
        },
        "cdist" => cdist,
        "det" => |g, at| Ok(g.op("Det", &[at.x(0)])),
        _ => return None,
    })
}

/// The last two axes exchanged.
pub(super) fn swapped(g: &mut Graph, x: &str, rank: usize) -> String {
    let mut order: Vec<usize> = (0..rank).collect();
    order.swap(rank - 2, rank - 1);
    g.transpose(x, &order)
}

/// x·Wᵀ, and b if there is one.
fn linear<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let inputs: Vec<&str> = (0..at.count()).map(|i| at.x(i)).collect();
    if at.rank(0) == 2 {
        return Ok(g.with("Gemm", &inputs, vec![AttributeProto::int("transB", 1)]));
    }
    let weight = g.transpose(inputs[1], &[1, 0]);
    let product = g.op("MatMul", &[inputs[0], &weight]);
    Ok(match inputs.get(2) {
        Some(bias) => g.op("Add", &[&product, bias]),
        None => product,
    })
}

/// A convolution, or the transposed one, which is the gradient of a convolution's image.
fn conv<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let axes = at.rank(0) - 2;
    // One-dimensional ones are described as of images of height 1.
    let last = |name: &str| at.ints(name).map(|list| list[list.len() - axes..].to_vec());
    let (stride, padding, dilation) = (last("stride")?, last("padding")?, last("dilation")?);
    let spatial = |name: &str, i: usize| match at.get(name) {
        Some(super::Value::Integers(list)) => list[list.len() - axes + i]
            .known()
            .ok_or_else(|| format!("its {name} depends on the size of the batch")),
        _ => Err(format!("it has no {name}")),
    };
    let kernel = (0..axes).map(|i| spatial("weight", i)).collect::<Result<Vec<_>, _>>()?;
    let mut attributes = vec![
        AttributeProto::ints("kernel_shape", kernel.clone()),
        AttributeProto::ints("strides", stride.clone()),
        AttributeProto::ints("pads", [padding.clone(), padding.clone()].concat()),
        AttributeProto::ints("dilations", dilation.clone()),
        AttributeProto::int("group", at.int("groups")?),
    ];
    let inputs: Vec<&str> = (0..at.count()).map(|i| at.x(i)).collect();
    match at.text("part") {
        Some("output") => Ok(g.with("Conv", &inputs, attributes)),
        Some("image_gradient") => {
            let mut extra = Vec::with_capacity(axes);
            for i in 0..axes {
                let small = at.dim(0, i + 2)? as i64;
                let covered = (small - 1) * stride[i] - 2 * padding[i] + dilation[i] * (kernel[i] - 1) + 1;
                extra.push(spatial("image", i)? - covered);
            }
            // What is added behind must be less than a step, where it is not cut off.
            attributes.push(AttributeProto::ints("output_padding", extra));
            Ok(g.with("ConvTranspose", &inputs, attributes))
        }
        _ => Err("it is the gradient of a convolution's weight".into()),
    }
}

/// Euclidean distances of all pairs of rows, from their differences: products would lose the near ones.
fn cdist<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (a, b) = (at.rank(0) as i64, at.rank(1) as i64);
    let (rows, columns) = (g.unsqueeze(at.x(0), &[a - 1]), g.unsqueeze(at.x(1), &[b - 2]));
    let differences = g.op("Sub", &[&rows, &columns]);
    Ok(g.reduce("ReduceL2", &differences, &[at.out().len()], false))
}
