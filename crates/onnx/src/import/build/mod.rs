//! From the messages of a file to a graph that can be run.

mod bodies;
mod fold;
mod functions;
mod work;

use std::collections::HashMap;

use wengert_tensor::Float;
use wengert_tensor::text::{quoted, shortened};

use super::error::{ReadError, UnsupportedOperator};
use super::graph::{Graph, Node, Place, Stored};
use super::names::Names;
use super::ops::{self, Operator};
use super::order::{name_of, ordered};
use crate::proto::{External, FunctionProto, GraphProto, NodeProto, OperatorSetIdProto};
use functions::{Function, called_by, most_unfolded};
use work::Found;

/// The last operator set whose operators are known.
const LATEST: i64 = 28;
/// The most nodes that functions may unfold to.
const MOST_NODES: usize = 1 << 20;

/// What is gathered while a graph is built.
pub(super) struct Builder<'a, T: Float> {
    operators: HashMap<&'static str, Operator<T>>,
    functions: HashMap<Function<'a>, &'a FunctionProto>,
    external: &'a External,
    /// The constants among the places.
    pub(super) constants: Vec<Option<Stored<T>>>,
    unsupported: Vec<UnsupportedOperator>,
    depth: usize,
    nodes: usize,
    /// How many bytes more functions may unfold to.
    unfolds: usize,
}

/// The versions of the operator sets, by domain.
type Opsets = HashMap<String, i64>;

fn opsets(list: &[OperatorSetIdProto]) -> Opsets {
    list.iter().map(|set| (domain(&set.domain).to_owned(), set.version.unwrap_or(1))).collect()
}

fn domain(name: &str) -> &str {
    if name == "ai.onnx" { "" } else { name }
}

impl<'a, T: Float> Builder<'a, T> {
    pub(super) fn new(functions: &'a [FunctionProto], external: &'a External) -> Self {
        let operators = ops::table().into_iter().map(|operator| (operator.name, operator)).collect();
        Builder {
            operators,
            functions: functions.iter().rev().map(|function| (called_by(function), function)).collect(),
            external,
            constants: Vec::new(),
            unsupported: Vec::new(),
            depth: 0,
            nodes: 0,
            unfolds: most_unfolded(functions),
        }
    }

    pub(super) fn place(&mut self, constant: Option<Stored<T>>) -> Place {
        self.constants.push(constant);
        self.constants.len() - 1
    }

    /// The nodes of the model's own graph, whose inputs and initialisers have their places in `names`.
    pub(super) fn main(
        &mut self,
        graph: &GraphProto,
        sets: &[OperatorSetIdProto],
        mut names: Names<'_>,
        inputs: Vec<Place>,
    ) -> Result<Graph<T>, ReadError> {
        let sets = opsets(sets);
        let version = sets.get("").copied().unwrap_or(LATEST);
        if !(1..=LATEST).contains(&version) {
            return Err(ReadError::graph(format!(
                "operator set {version}; those from 1 to {LATEST} are known"
            )));
        }
        let mut nodes = Vec::new();
        self.nodes(&graph.node, &sets, &mut names, &mut nodes)?;
        let mut outputs = Vec::new();
        for output in &graph.output {
            outputs.push(names.needed(&output.name, "the model's list of outputs")?);
        }
        if self.unsupported.is_empty() {
            return Ok(Graph { nodes, inputs, outputs });
        }
        Err(ReadError::Unsupported { path: None, operators: std::mem::take(&mut self.unsupported) })
    }

    fn nodes(
        &mut self,
        list: &[NodeProto],
        sets: &Opsets,
        names: &mut Names<'_>,
        nodes: &mut Vec<Node<T>>,
    ) -> Result<(), ReadError> {
        for i in ordered(list)? {
            self.node(&list[i], sets, names, nodes)?;
        }
        Ok(())
    }

    fn node(
        &mut self,
        node: &NodeProto,
        sets: &Opsets,
        names: &mut Names<'_>,
        nodes: &mut Vec<Node<T>>,
    ) -> Result<(), ReadError> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(ReadError::graph(format!("more than {MOST_NODES} nodes")));
        }
        let (name, operator) = (name_of(node), node.op_type.as_str());
        let mut inputs = Vec::new();
        for input in &node.input {
            let by = format!("{} at node {}", shortened(operator), quoted(name));
            inputs.push((!input.is_empty()).then(|| names.needed(input, &by)).transpose()?);
        }
        let called = (domain(&node.domain), operator, node.overload.as_str());
        if let Some(&function) = self.functions.get(&called) {
            return self.call(function, node, &inputs, names, nodes);
        }
        let opset = sets.get(domain(&node.domain)).copied();
        if opset.is_none() && domain(&node.domain).is_empty() {
            return Err(ReadError::graph("no version of ONNX's operators is named"));
        }
        let opset = opset.unwrap_or(1);
        let refuse = |reason: String| UnsupportedOperator {
            operator: if node.domain.is_empty() {
                operator.to_owned()
            } else {
                format!("{}.{operator}", node.domain)
            },
            node: name.to_owned(),
            opset,
            reason,
        };
        let work = match self.work(node, &inputs, opset, sets, names, nodes)? {
            Found::Work(work, attributes) => Node {
                name: name.to_owned(),
                operator: operator.to_owned(),
                opset,
                attributes,
                work,
                inputs,
                outputs: Vec::new(),
                last_uses: Vec::new(),
            },
            Found::Refused(reason) => {
                self.unsupported.push(refuse(reason));
                for output in node.output.iter().filter(|output| !output.is_empty()) {
                    let place = self.place(None);
                    names.bind(output, place)?;
                }
                return Ok(());
            }
            Found::Inlined(results) => {
                for (output, place) in node.output.iter().zip(results) {
                    names.bind(output, place)?;
                }
                return Ok(());
            }
        };
        self.add(work, &node.output, names, nodes)
    }

    /// Adds a node, or its results if they are constants.
    fn add(
        &mut self,
        mut node: Node<T>,
        outputs: &[String],
        names: &mut Names<'_>,
        nodes: &mut Vec<Node<T>>,
    ) -> Result<(), ReadError> {
        for output in outputs {
            let place = (!output.is_empty()).then(|| self.place(None));
            if let Some(place) = place {
                names.bind(output, place)?;
            }
            node.outputs.push(place);
        }
        match self.folded(&node) {
            None => nodes.push(node),
            Some(Err(source)) => return Err(ReadError::Constant { path: None, source }),
            Some(Ok(values)) => {
                for (place, value) in node.outputs.iter().zip(&values) {
                    if let Some(place) = *place {
                        self.constants[place] = Some(Stored::of(value));
                    }
                }
            }
        }
        Ok(())
    }
}
