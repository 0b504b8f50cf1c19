//! From the messages of a file to a graph that can be run.

use std::collections::HashMap;

use wengert_tensor::Float;
use wengert_tensor::text::{quoted, shortened};

use super::attributes::Attributes;
use super::error::{NodeError, Problem, ReadError, UnsupportedOperator};
use super::graph::{Graph, Node, Place, Stored, Work};
use super::names::{Names, with_attributes};
use super::ops::{self, Operator};
use super::order::{name_of, ordered};
use super::run::Frame;
use super::value::Value;
use crate::proto::{DataType, External, FunctionProto, GraphProto, Message, NodeProto, OperatorSetIdProto};

/// The last operator set whose operators are known.
const LATEST: i64 = 28;
/// The most nodes that functions may unfold to.
const MOST_NODES: usize = 1 << 20;
/// Functions within functions.
const DEEPEST: usize = 32;
/// The most bytes, as they would stand in a file, that functions may unfold to beyond their own.
const MOST_UNFOLDED: usize = 64 << 20;
/// The most elements of a constant that is computed when the model is read.
const LARGEST_CONSTANT: usize = 1 << 16;

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

/// What a function is called by: domain, name and overload.
type Function<'a> = (&'a str, &'a str, &'a str);

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
        let named = |function: &'a FunctionProto| {
            (domain(&function.domain), function.name.as_str(), function.overload.as_str())
        };
        Builder {
            operators,
            functions: functions.iter().rev().map(|function| (named(function), function)).collect(),
            external,
            constants: Vec::new(),
            unsupported: Vec::new(),
            depth: 0,
            nodes: 0,
            unfolds: MOST_UNFOLDED.saturating_add(functions.iter().map(Message::length).sum()),
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

    /// A node's results if all that it takes are constants and they are small; `None` if it is left to be run.
    fn folded(&self, node: &Node<T>) -> Option<Result<Vec<Value<T>>, NodeError>> {
        let is_constant = |place: &Option<Place>| place.is_none_or(|place| self.constants[place].is_some());
        let small = |place: Place| {
            self.constants[place].as_ref().is_none_or(|c| c.value().shape().count() <= LARGEST_CONSTANT)
        };
        let Work::Operator(_) = node.work else { return None };
        if !ops::is_folded(&node.operator)
            || !node.inputs.iter().all(is_constant)
            || !node.inputs.iter().flatten().all(|&place| small(place))
        {
            return None;
        }
        let value = |place: Place| self.constants[place].as_ref().map(Stored::value);
        let inputs = node.inputs.iter().map(|place| place.and_then(value)).collect();
        // It takes no value but its inputs, so there is no need for the places of all others.
        let mut frame = Frame { values: Vec::new(), cx: None, limit: LARGEST_CONSTANT, rounds: 0 };
        match frame.compute(node, inputs) {
            Err(error) if matches!(*error.problem, Problem::TooLarge { .. }) => None,
            results => Some(results),
        }
    }

    fn work(
        &mut self,
        node: &NodeProto,
        inputs: &[Option<Place>],
        opset: i64,
        sets: &Opsets,
        names: &mut Names<'_>,
        nodes: &mut Vec<Node<T>>,
    ) -> Result<Found<T>, ReadError> {
        if !domain(&node.domain).is_empty() {
            return Ok(Found::Refused("operators of this domain are not known".to_owned()));
        }
        let body = |name: &str| {
            let found = node.attribute.iter().find(|attribute| attribute.name == name);
            found.and_then(|attribute| attribute.g.as_deref()).ok_or_else(|| {
                ReadError::graph(format!(
                    "{} at node {} has no graph `{name}`",
                    shortened(&node.op_type),
                    quoted(name_of(node))
                ))
            })
        };
        let attributes = |known: &str| Attributes::read(&node.attribute, known);
        let work = match node.op_type.as_str() {
            "If" => {
                let (then_branch, else_branch) = (body("then_branch")?, body("else_branch")?);
                // A branch that is never taken need not be known.
                let condition =
                    inputs.first().copied().flatten().and_then(|place| self.constants[place].clone());
                if let Some(Stored::Bool(condition)) =
                    condition.filter(|c| matches!(c, Stored::Bool(t) if t.len() == 1))
                {
                    let branch = if condition.item() { then_branch } else { else_branch };
                    return Ok(Found::Inlined(self.inlined(branch, sets, names, nodes)?));
                }
                let then_branch = self.body(then_branch, sets, names)?;
                let else_branch = self.body(else_branch, sets, names)?;
                Work::If { then_branch, else_branch }
            }
            "Loop" => Work::Loop(self.body(body("body")?, sets, names)?),
            "Scan" if opset < 9 => return Ok(Found::Refused("it is known from opset 9 on".to_owned())),
            "Scan" => Work::Scan(self.body(body("body")?, sets, names)?),
            other => {
                let Some(operator) = self.operators.get(other) else {
                    return Ok(Found::Refused("it is not known".to_owned()));
                };
                let (since, count) = (operator.since, node.input.len());
                if opset < since {
                    return Ok(Found::Refused(format!("it is known from opset {since} on")));
                }
                if count < operator.inputs.0 || count > operator.inputs.1 {
                    let (least, most) = operator.inputs;
                    return Ok(Found::Refused(format!("it has {count} inputs, and takes {least} to {most}")));
                }
                Work::Operator(operator.run)
            }
        };
        let known = match &work {
            Work::Operator(_) => self.operators[node.op_type.as_str()].attributes,
            Work::Scan(_) => {
                "num_scan_inputs:i scan_input_axes:ii scan_input_directions:ii scan_output_axes:ii scan_output_directions:ii directions:ii"
            }
            _ => "",
        };
        let attributes = match attributes(known) {
            Ok(attributes) => attributes,
            Err(reason) => return Ok(Found::Refused(reason)),
        };
        let elements = |code: i64| i32::try_from(code).ok().and_then(DataType::from_code);
        if let Some(code) = attributes.given_int("to").filter(|&code| elements(code).is_none()) {
            return Ok(Found::Refused(format!("elements of type {code} are not computed with")));
        }
        Ok(Found::Work(work, attributes))
    }

    fn body(&mut self, graph: &GraphProto, sets: &Opsets, names: &Names<'_>) -> Result<Graph<T>, ReadError> {
        let mut inner = Names { places: HashMap::new(), outer: Some(names) };
        let mut inputs = Vec::new();
        for input in &graph.input {
            let place = self.place(None);
            inner.bind(&input.name, place)?;
            inputs.push(place);
        }
        let mut nodes = Vec::new();
        let outputs = self.contents(graph, sets, &mut inner, &mut nodes)?;
        Ok(Graph { nodes, inputs, outputs })
    }

    /// The nodes of a graph without inputs, added to those around it; where its outputs stand.
    fn inlined(
        &mut self,
        graph: &GraphProto,
        sets: &Opsets,
        names: &Names<'_>,
        nodes: &mut Vec<Node<T>>,
    ) -> Result<Vec<Place>, ReadError> {
        let mut inner = Names { places: HashMap::new(), outer: Some(names) };
        self.contents(graph, sets, &mut inner, nodes)
    }

    fn contents(
        &mut self,
        graph: &GraphProto,
        sets: &Opsets,
        names: &mut Names<'_>,
        nodes: &mut Vec<Node<T>>,
    ) -> Result<Vec<Place>, ReadError> {
        for tensor in &graph.initializer {
            let value = Value::of_tensor(tensor.clone(), self.external)
                .map_err(|e| ReadError::tensor(&tensor.name, e))?;
            let place = self.place(Some(Stored::of(&value)));
            names.bind(&tensor.name, place)?;
        }
        self.nodes(&graph.node, sets, names, nodes)?;
        graph.output.iter().map(|output| names.needed(&output.name, "a graph's list of outputs")).collect()
    }

    /// The nodes of a function in the place of the node that calls it.
    fn call(
        &mut self,
        function: &FunctionProto,
        node: &NodeProto,
        inputs: &[Option<Place>],
        names: &mut Names<'_>,
        nodes: &mut Vec<Node<T>>,
    ) -> Result<(), ReadError> {
        if self.depth == DEEPEST {
            return Err(ReadError::graph(format!("functions within functions, more than {DEEPEST} deep")));
        }
        let mut inner = Names::default();
        for (name, place) in function.input.iter().zip(inputs) {
            if let Some(place) = *place {
                inner.bind(name, place)?;
            }
        }
        let given = |name: &str| {
            let mut all = node.attribute.iter().chain(&function.attribute_proto);
            all.find(|attribute| attribute.name == name)
        };
        let mut list = Vec::new();
        for node in &function.node {
            let node = with_attributes(node, &given, function, inputs);
            self.unfolds = self.unfolds.checked_sub(node.length()).ok_or_else(|| {
                ReadError::graph(format!("functions that unfold to more than {MOST_UNFOLDED} bytes"))
            })?;
            list.push(node);
        }
        self.depth += 1;
        let done = self.nodes(&list, &opsets(&function.opset_import), &mut inner, nodes);
        self.depth -= 1;
        done?;
        for (output, name) in node.output.iter().zip(&function.output) {
            if !output.is_empty() {
                names.bind(output, inner.needed(name, "a function's list of outputs")?)?;
            }
        }
        Ok(())
    }
}

/// What becomes of a node.
enum Found<T: Float> {
    Work(Work<T>, Attributes),
    /// Its results stand at these places.
    Inlined(Vec<Place>),
    Refused(String),
}
