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
        "flat_positions" => flat_positions,
        _ => return None,
    })
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
