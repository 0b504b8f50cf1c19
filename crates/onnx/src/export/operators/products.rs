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
        "cdist" => |g, at| {
            let differences = differences(g, at, [0, 1]);
            norms(g, at, &differences)
        },
        "pdist" => pdist,
        "kron" => kron,
        "pair_dots" => |g, at| {
            let mut differences = differences(g, at, [1, 2]);
            if at.number("p")? == 1.0 {
                differences = g.op("Sign", &[&differences]);
            }
            let factors = g.unsqueeze(at.x(0), &[at.rank(0) as i64 - 1]);
            let terms = g.op("Mul", &[&factors, &differences]);
            let dots = g.reduce("ReduceSum", &terms, &[at.out().len()], false);
            if at.count() == 3 {
                return Ok(dots);
            }
            // Divided by the distances, and 0 where these are.
            let (zero, one) = (g.number(0.0), g.number(1.0));
            let together = g.op("Equal", &[at.x(3), &zero]);
            let divisors = g.op("Where", &[&together, &one, at.x(3)]);
            Ok(g.op("Div", &[&dots, &divisors]))
        },
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

/// The differences of all pairs of rows of two operands: products would lose the near ones.
fn differences<T: Float>(g: &mut Graph, at: &At<'_, T>, [a, b]: [usize; 2]) -> String {
    let rows = g.unsqueeze(at.x(a), &[at.rank(a) as i64 - 1]);
    let columns = g.unsqueeze(at.x(b), &[at.rank(b) as i64 - 2]);
    g.op("Sub", &[&rows, &columns])
}

/// The lengths of differences, which lie along their last axis.
fn norms<T: Float>(g: &mut Graph, at: &At<'_, T>, differences: &str) -> Result<String, String> {
    let kind = if at.number("p")? == 1.0 { "ReduceL1" } else { "ReduceL2" };
    Ok(g.reduce(kind, differences, &[at.out().len()], false))
}

/// The distances of the pairs of rows of a matrix.
fn pdist<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let rows = at.dim(0, 0)? as i64;
    let pairs = || (0..rows).flat_map(|i| (i + 1..rows).map(move |j| [i, j]));
    let [first, second] = [0, 1].map(|k| {
        let places = g.ints(&pairs().map(|pair| pair[k]).collect::<Vec<_>>());
        g.with("Gather", &[at.x(0), &places], vec![AttributeProto::int("axis", 0)])
    });
    let differences = g.op("Sub", &[&first, &second]);
    norms(g, at, &differences)
}

/// The Kronecker product: each axis of the one beside that of the other, and both as one then.
fn kron<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let rank = at.rank(0) as i64;
    let behind = g.unsqueeze(at.x(0), &(0..rank).map(|axis| 2 * axis + 1).collect::<Vec<_>>());
    let before = g.unsqueeze(at.x(1), &(0..rank).map(|axis| 2 * axis).collect::<Vec<_>>());
    let products = g.op("Mul", &[&behind, &before]);
    Ok(g.reshape(&products, at.out()))
}
