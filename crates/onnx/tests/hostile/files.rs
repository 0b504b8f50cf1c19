//! Files made by hand, field by field, as wrong as is wanted.

/// A field of a message: its number and its bytes.
pub(crate) fn bytes(number: u8, of: impl AsRef<[u8]>) -> Vec<u8> {
    let of = of.as_ref();
    [&varint(u64::from(number) << 3 | 2)[..], &varint(of.len() as u64), of].concat()
}

/// A field that holds a number.
pub(crate) fn int(number: u8, of: i64) -> Vec<u8> {
    [varint(u64::from(number) << 3), varint(of as u64)].concat()
}

pub(crate) fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A node of ONNX's own domain with attributes that are messages.
pub(crate) fn node(operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut node: Vec<u8> = inputs.iter().flat_map(|name| bytes(1, name)).collect();
    node.extend(outputs.iter().flat_map(|name| bytes(2, name)));
    node.extend(bytes(3, format!("of_{}", outputs[0])));
    node.extend(bytes(4, operator));
    node.extend(attributes.iter().flat_map(|attribute| bytes(5, attribute)));
    node
}

/// An attribute that is a whole number.
pub(crate) fn int_attribute(name: &str, value: i64) -> Vec<u8> {
    [bytes(1, name), int(3, value), int(20, 2)].concat()
}

/// An attribute that is a list of whole numbers.
pub(crate) fn ints_attribute(name: &str, values: &[i64]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|&value| int(8, value)).collect();
    [bytes(1, name), values, int(20, 7)].concat()
}

/// An attribute that is a graph: of these nodes, inputs and outputs, of which no more is said than the names.
pub(crate) fn graph_attribute(name: &str, nodes: &[Vec<u8>], inputs: &[&str], outputs: &[&str]) -> Vec<u8> {
    let named = |number: u8, names: &[&str]| -> Vec<u8> {
        names.iter().flat_map(|name| bytes(number, bytes(1, name))).collect()
    };
    let nodes: Vec<u8> = nodes.iter().flat_map(|node| bytes(1, node)).collect();
    let graph = [nodes, bytes(2, "body"), named(11, inputs), named(12, outputs)].concat();
    [bytes(1, name), bytes(6, graph), int(20, 5)].concat()
}

/// A tensor of whole numbers, or of single-precision ones.
pub(crate) fn ints(name: &str, dims: &[i64], values: &[i64]) -> Vec<u8> {
    tensor(name, 7, dims, &values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
}

pub(crate) fn floats(name: &str, dims: &[i64], values: &[f32]) -> Vec<u8> {
    tensor(name, 1, dims, &values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
}

pub(crate) fn tensor(name: &str, data_type: i64, dims: &[i64], raw: &[u8]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|&length| int(1, length)).collect();
    [dims, int(2, data_type), bytes(8, name), bytes(9, raw)].concat()
}

/// A model of the graph with these nodes, initialisers, inputs (floating-point, of any shape) and outputs.
pub(crate) fn model(nodes: &[Vec<u8>], tensors: &[Vec<u8>], inputs: &[&str], outputs: &[&str]) -> Vec<u8> {
    of_graph(&graph(nodes, tensors, inputs, outputs))
}

fn graph(nodes: &[Vec<u8>], tensors: &[Vec<u8>], inputs: &[&str], outputs: &[&str]) -> Vec<u8> {
    let float = bytes(1, int(1, 1));
    let info = |name: &&str| [bytes(1, name), bytes(2, &float)].concat();
    let mut graph: Vec<u8> = nodes.iter().flat_map(|node| bytes(1, node)).collect();
    graph.extend(tensors.iter().flat_map(|tensor| bytes(5, tensor)));
    graph.extend(inputs.iter().flat_map(|name| bytes(11, info(name))));
    graph.extend(outputs.iter().flat_map(|name| bytes(12, info(name))));
    graph
}

/// A model of one node of an older operator set.
pub(crate) fn of_set(set: i64, node: Vec<u8>, tensors: &[Vec<u8>]) -> Vec<u8> {
    [int(1, 4), bytes(7, graph(&[node], tensors, &["x"], &["y"])), bytes(8, int(2, set))].concat()
}

pub(crate) fn of_graph(graph: &[u8]) -> Vec<u8> {
    [int(1, 8), bytes(7, graph), bytes(8, int(2, 17))].concat()
}
