//! Sorting.

use wengert_tensor::Float;

use super::{At, Rule};
use crate::export::graph::Graph;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "argsort" => |g, at| {
            let axis = at.axis()?;
            let count = at.dim(0, axis)? as i64;
            Ok(first(g, at, count, at.flag("descending")))
        },
        "topk" => |g, at| {
            let count = at.int("k")?;
            Ok(first(g, at, count, true))
        },
        "order_statistic" => order_statistic,
        _ => return None,
    })
}

/// The positions of the first elements in ascending or descending order; of equal ones the earlier.
pub(super) fn first<T: Float>(g: &mut Graph, at: &At<'_, T>, count: i64, descending: bool) -> String {
    let count = g.ints(&[count]);
    let axis = at.int("axis").unwrap_or(0);
    let attributes =
        vec![AttributeProto::int("axis", axis), AttributeProto::int("largest", descending.into())];
    g.parts("TopK", &[at.x(0), &count], attributes, 2).remove(1)
}

/// The position of the median, or of the k-th smallest.
fn order_statistic<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let axis = at.axis()?;
    let length = at.dim(0, axis)?;
    let which = match at.text("which") {
        Some("Median") => (length - 1) / 2,
        Some(text) if text.starts_with("Kth(") => text
            .trim_start_matches("Kth(")
            .trim_end_matches(')')
            .parse()
            .map_err(|_| format!("it is {text}"))?,
        other => return Err(format!("it is {}", other.unwrap_or("of no kind"))),
    };
    let order = first(g, at, length as i64, false);
    Ok(g.slice(&order, axis, which.into(), (which + 1).into()))
}
