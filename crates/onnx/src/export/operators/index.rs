//! Reading at indices.

use wengert_tensor::Float;

use super::{At, Rule};
use crate::export::graph::Graph;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "index_select" => |g, at| {
            Ok(g.with("Gather", &[at.x(0), at.x(1)], vec![AttributeProto::int("axis", at.axis()? as i64)]))
        },
        "embedding" => {
            |g, at| Ok(g.with("Gather", &[at.x(0), at.x(1)], vec![AttributeProto::int("axis", 0)]))
        }
        "gather" => |g, at| {
            Ok(g.with(
                "GatherElements",
                &[at.x(0), at.x(1)],
                vec![AttributeProto::int("axis", at.axis()? as i64)],
            ))
        },
        "tap_sums" => tap_sums,
        "flat_positions" => flat_positions,
        _ => return None,
    })
}

/// Sums of pixels `[…, channels, inputs]` at the places `[…, outputs, taps]`, each times its weight.
fn tap_sums<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (planes, places) = (at.shape(0), at.shape(2));
    let [batch, channels] = [planes[0], planes[1]];
    let [outputs, taps] = [at.dim(2, 1)?, at.dim(2, 2)?];
    if at.rank(0) != 3 || at.rank(2) != 3 || places[0] != batch {
        return Err("its planes have other axes than batch, channels and pixels".into());
    }
    let wide = [batch, channels, (outputs * taps).into()];
    let flat = g.reshape(at.x(2), &[batch, 1usize.into(), (outputs * taps).into()]);
    let flat = g.expand(&flat, &wide);
    let read = g.with("GatherElements", &[at.x(0), &flat], vec![AttributeProto::int("axis", 2)]);
    let read = g.reshape(&read, &[batch, channels, outputs.into(), taps.into()]);
    let weights = g.unsqueeze(at.x(1), &[1]);
    let products = g.op("Mul", &[&read, &weights]);
    Ok(g.reduce("ReduceSum", &products, &[3], false))
}

/// The position in a tensor of that shape that one index for each axis means.
fn flat_positions<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let shape = at.ints("shape")?;
    let mut flat = at.x(0).to_owned();
    for (i, &length) in shape.iter().enumerate().take(at.count()).skip(1) {
        let length = g.int(length);
        let product = g.op("Mul", &[&flat, &length]);
        flat = g.op("Add", &[&product, at.x(i)]);
    }
    Ok(flat)
}
