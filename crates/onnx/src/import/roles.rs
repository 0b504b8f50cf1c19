//! Which initialisers are trained, which are running statistics, and which only say how something is computed.

use std::collections::HashMap;

use super::ops::{self, Role};
use crate::proto::{DataType, GraphProto, NodeProto};

/// What values are to all that take them, by name; those that the file calls buffers are statistics. What is computed of an initialiser alone passes its role on: a weight may
/// stand in half precision before a `Cast`, and the limits of a clip may be sums.
pub(super) fn roles<'a>(graph: &GraphProto, buffers: impl Iterator<Item = &'a str>) -> HashMap<String, Role> {
    let mut roles = HashMap::new();
    visit(graph, &mut roles);
    roles.extend(buffers.map(|name| (name.to_owned(), Role::Statistic)));
    roles
}

fn visit(graph: &GraphProto, roles: &mut HashMap<String, Role>) {
    for output in &graph.output {
        note(roles, &output.name, Role::Trained);
    }
    // Those that take a result before the node that makes it.
    for node in graph.node.iter().rev() {
        for body in node.attribute.iter().filter_map(|attribute| attribute.g.as_deref()) {
            visit(body, roles);
        }
        let passed_on = passed_on(node, roles);
        for (input, name) in node.input.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            let own = ops::role(&node.op_type, input);
            note(roles, name, if own == Role::Trained { passed_on } else { own });
        }
    }
}

/// A value that one operator trains is trained, and a statistic that is also a setting is a statistic.
fn note(roles: &mut HashMap<String, Role>, name: &str, role: Role) {
    let noted = roles.entry(name.to_owned()).or_insert(role);
    *noted = match (*noted, role) {
        (Role::Trained, _) | (_, Role::Trained) => Role::Trained,
        (Role::Statistic, _) | (_, Role::Statistic) => Role::Statistic,
        (Role::Setting, Role::Setting) => Role::Setting,
    };
}

/// What a node's results are to those that take them.
fn passed_on(node: &NodeProto, roles: &HashMap<String, Role>) -> Role {
    let to = node.attribute.iter().find(|attribute| attribute.name == "to").and_then(|to| to.i);
    let element = to.and_then(|code| DataType::from_code(i32::try_from(code).ok()?));
    if node.op_type == "Cast" && element.is_some_and(|element| !element.is_float()) {
        return Role::Setting;
    }
    let mut all = node.output.iter().filter_map(|name| roles.get(name)).copied();
    let first = all.next().unwrap_or(Role::Trained);
    if all.all(|other| other == first) { first } else { Role::Trained }
}
