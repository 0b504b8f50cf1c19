//! The order of nodes, in which each comes after those whose results it takes.

use std::collections::{BTreeSet, HashMap};

use wengert_tensor::text::{quoted, shortened};

use super::error::ReadError;
use crate::proto::NodeProto;

/// A node's name, or that of its first result.
pub(super) fn name_of(node: &NodeProto) -> &str {
    if node.name.is_empty() { node.output.first().map_or("", String::as_str) } else { &node.name }
}

/// The positions of nodes in an order in which each comes after those whose results it takes: their own where that is one.
pub(super) fn ordered(nodes: &[NodeProto]) -> Result<Vec<usize>, ReadError> {
    let mut makers = HashMap::new();
    for (i, node) in nodes.iter().enumerate() {
        makers.extend(node.output.iter().filter(|name| !name.is_empty()).map(|name| (name.as_str(), i)));
    }
    let mut waiting = vec![0_usize; nodes.len()];
    let mut takers = vec![Vec::new(); nodes.len()];
    for (i, node) in nodes.iter().enumerate() {
        let mut makers_of: Vec<usize> = Vec::new();
        taken(node, &mut |name| makers_of.extend(makers.get(name)));
        makers_of.sort_unstable();
        makers_of.dedup();
        waiting[i] = makers_of.len();
        makers_of.into_iter().for_each(|maker| takers[maker].push(i));
    }
    let mut ready: BTreeSet<usize> = (0..nodes.len()).filter(|&i| waiting[i] == 0).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(i) = ready.pop_first() {
        order.push(i);
        for &taker in &takers[i] {
            waiting[taker] -= 1;
            if waiting[taker] == 0 {
                ready.insert(taker);
            }
        }
    }
    if order.len() < nodes.len() {
        let stuck = (0..nodes.len()).find(|&i| waiting[i] > 0).unwrap_or(0);
        return Err(ReadError::graph(format!(
            "{} at node {} takes what it makes itself, or what is made of it",
            shortened(&nodes[stuck].op_type),
            quoted(name_of(&nodes[stuck]))
        )));
    }
    Ok(order)
}

/// The names that a node takes, those within its graphs included.
fn taken<'a>(node: &'a NodeProto, visit: &mut impl FnMut(&'a str)) {
    node.input.iter().for_each(|name| visit(name));
    for graph in node.attribute.iter().filter_map(|attribute| attribute.g.as_deref()) {
        let own: std::collections::HashSet<&str> =
            graph.node.iter().flat_map(|node| &node.output).map(String::as_str).collect();
        let mut outer = |name: &'a str| {
            if !own.contains(name) {
                visit(name);
            }
        };
        let outer: &mut dyn FnMut(&'a str) = &mut outer;
        for node in &graph.node {
            taken_by(node, outer);
        }
        graph.output.iter().for_each(|output| outer(&output.name));
    }
}

/// [`taken`] behind a pointer, as it calls itself.
fn taken_by<'a>(node: &'a NodeProto, visit: &mut dyn FnMut(&'a str)) {
    taken(node, &mut |name| visit(name));
}
