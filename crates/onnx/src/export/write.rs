//! A program as a model of ONNX.

use std::collections::{HashMap, HashSet};

use wengert_tape::{Data, Kind};
use wengert_tensor::{Float, Tensor};

use super::constant::Constant;
use super::error::ExportError;
use super::graph::Graph;
use super::length::{Length, Value};
use super::operators::{self, At, Operand};
use super::program::{Operation, Program, Source};
use crate::proto::{
    BUFFERS, DataType, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, ValueInfoProto,
};

/// A value that has a name of its own.
pub(super) struct Named<T: Float> {
    pub(super) name: String,
    pub(super) role: Role<T>,
}

/// What such a value is.
pub(super) enum Role<T: Float> {
    /// Given when the model runs.
    Input,
    /// Part of the model.
    Held(Tensor<T>),
}

/// What is said of the whole model.
pub(super) struct Header {
    pub(super) opset: i64,
    pub(super) doc: String,
    /// The name of the number of examples, and an input with the axis that is as long.
    pub(super) batch: Option<(String, String, usize)>,
}

/// Which of an operation's operands are written: those that it does not need are left out, and so are then the steps that
/// nothing else needs.
fn operands<T: Float>(steps: &[Operation<T>], number: usize) -> Vec<usize> {
    let step = &steps[number];
    let mut inputs = step.inputs.clone();
    match step.name.as_str() {
        // The statistics are computed again.
        "attention" => {
            let biased = step.attributes.contains(&("biased", Value::Flag(true)));
            inputs.remove(3 + usize::from(biased));
        }
        // So is what is kept of the gates.
        "lstm_sequence" | "gru_sequence" => inputs.truncate(inputs.len() - 1),
        // Positions of the same windows of the same image.
        "max_pool2d" => {
            let found = &steps[inputs[1]];
            let same = found.name == "max_pool2d_positions"
                && found.inputs == inputs[..1]
                && found.attributes == step.attributes;
            if same {
                inputs.truncate(1);
            }
        }
        _ => {}
    }
    inputs
}

/// Writes a program. The names of inputs and outputs are theirs alone; parameters and buffers that are not read are left
/// out.
pub(super) fn model<T: Float>(
    program: &Program<T>,
    named: &[Named<T>],
    buffers: &[(String, Tensor<T>)],
    output_names: &[String],
    header: &Header,
) -> Result<ModelProto, ExportError> {
    let steps = &program.steps;
    let inputs: Vec<Vec<usize>> = (0..steps.len())
        .map(|i| if matches!(steps[i].source, Source::Computed) { operands(steps, i) } else { Vec::new() })
        .collect();
    let mut needed = vec![false; steps.len()];
    program.outputs.iter().for_each(|&output| needed[output] = true);
    for i in (0..steps.len()).rev() {
        if needed[i] {
            inputs[i].iter().for_each(|&input| needed[input] = true);
        }
    }
    let reads_input = reads(program, named, &inputs, |role| matches!(role, Role::Input));
    for (&output, name) in program.outputs.iter().zip(output_names) {
        if !reads_input[output] {
            return Err(ExportError::Constant { name: name.clone() });
        }
    }

    let all_names: Vec<String> = named
        .iter()
        .map(|value| &value.name)
        .chain(output_names)
        .chain(buffers.iter().map(|(name, _)| name))
        .cloned()
        .collect();
    let float = if std::mem::size_of::<T>() == 8 { DataType::Double } else { DataType::Float };
    let batch = header.batch.as_ref().map(|(_, input, axis)| (input.clone(), *axis));
    let mut graph = Graph::new(header.opset, float, batch, &all_names);
    let mut names: Vec<String> = vec![String::new(); steps.len()];
    let mut written: HashSet<&str> = HashSet::new();
    // What depends on parameters alone, and what ONNX has no operator for, is computed here.
    let mut folded: HashMap<usize, Data<T>> = HashMap::new();
    for (i, step) in steps.iter().enumerate().filter(|(i, _)| needed[*i]) {
        names[i] = match &step.source {
            Source::Named(number) => {
                let value = &named[*number];
                if let Role::Held(tensor) = &value.role
                    && written.insert(&value.name)
                {
                    graph.named(&value.name, tensor);
                }
                value.name.clone()
            }
            Source::Constant(constant) => constant_name(&mut graph, step, constant, buffers, &mut written),
            Source::Computed if empty(&step.shape) => nothing(&mut graph, step),
            Source::Computed => {
                graph.scope = scope(steps, &inputs[i], named);
                let operands = inputs[i].iter().map(|&input| Operand {
                    name: &names[input],
                    shape: &steps[input].shape,
                    kind: steps[input].kind,
                });
                let at = At { operation: step, operands: operands.collect(), sizes: &program.sizes };
                match operators::write(&mut graph, &at) {
                    Ok(name) => name,
                    Err(reason) => {
                        let value = fold(program, named, &reads_input, &mut folded, i);
                        match value {
                            Some(value) => graph.data(&value),
                            None => {
                                return Err(ExportError::Operation {
                                    name: step.name.clone(),
                                    location: step.line(),
                                    reason,
                                });
                            }
                        }
                    }
                }
            }
        };
    }
    let mut model = finish(graph, program, named, &names, output_names, header)?;
    // Which of the initialisers are buffers: the format has no word for it.
    let mut held: Vec<&str> =
        buffers.iter().map(|(name, _)| name.as_str()).filter(|name| written.contains(name)).collect();
    held.sort_unstable();
    if !held.is_empty() {
        let (key, value) = (BUFFERS.to_owned(), held.join("\n"));
        model.metadata_props.push(StringStringEntryProto { key, value });
    }
    Ok(model)
}

/// Which steps depend on a named value of that role.
fn reads<T: Float>(
    program: &Program<T>,
    named: &[Named<T>],
    inputs: &[Vec<usize>],
    role: impl Fn(&Role<T>) -> bool,
) -> Vec<bool> {
    let mut reads = vec![false; program.steps.len()];
    for (i, step) in program.steps.iter().enumerate() {
        reads[i] = match step.source {
            Source::Named(number) => role(&named[number].role),
            _ => inputs[i].iter().any(|&input| reads[input]),
        };
    }
    reads
}

/// The value of a step that depends on no input, and whose shape is the same for all batches.
fn fold<T: Float>(
    program: &Program<T>,
    named: &[Named<T>],
    reads_input: &[bool],
    folded: &mut HashMap<usize, Data<T>>,
    number: usize,
) -> Option<Data<T>> {
    if reads_input[number] {
        return None;
    }
    // All before it, in order: no recursion, however long the chain.
    let mut wanted = vec![number];
    let mut order = Vec::new();
    let mut seen = HashSet::new();
    while let Some(i) = wanted.pop() {
        if seen.insert(i) && !folded.contains_key(&i) {
            order.push(i);
            wanted.extend(&program.steps[i].inputs);
        }
    }
    order.sort_unstable();
    for i in order {
        let step = &program.steps[i];
        step.shape.iter().map(|length| length.known()).collect::<Option<Vec<_>>>()?;
        let value = match &step.source {
            Source::Named(number) => match &named[*number].role {
                Role::Held(tensor) => Data::Float(tensor.clone()),
                Role::Input => return None,
            },
            Source::Constant(Constant::Spread(value)) => value.clone(),
            Source::Constant(_) => return None,
            // A layer has another number of operands than the step in whose place it stands.
            Source::Computed if step.name != step.step.name() => return None,
            Source::Computed => {
                let operands: Vec<&Data<T>> = step.inputs.iter().map(|input| &folded[input]).collect();
                step.step.run(&operands)
            }
        };
        folded.insert(i, value);
    }
    folded.get(&number).cloned()
}

/// Whether there are no elements, whatever the size of the batch: runtimes differ about operators on those.
fn empty(shape: &[Length]) -> bool {
    shape.iter().all(|length| length.known().is_some()) && shape.contains(&Length::from(0i64))
}

fn nothing<T: Float>(graph: &mut Graph, step: &Operation<T>) -> String {
    let shape: Vec<usize> = step.shape.iter().map(|length| length.fixed as usize).collect();
    graph.data::<T>(&match step.kind {
        Kind::Float => Data::Float(Tensor::zeros(&shape[..])),
        Kind::Index => Data::Index(Tensor::zeros(&shape[..])),
        Kind::Mask => Data::Mask(Tensor::full(&shape[..], false)),
    })
}

/// Writes a constant; one that is a buffer of the model has the buffer's name.
fn constant_name<'a, T: Float>(
    graph: &mut Graph,
    step: &Operation<T>,
    constant: &Constant<T>,
    buffers: &'a [(String, Tensor<T>)],
    written: &mut HashSet<&'a str>,
) -> String {
    graph.scope.clear();
    match constant {
        Constant::Spread(value) => {
            if let Data::Float(tensor) = value {
                let buffer = buffers.iter().find(|(_, buffer)| {
                    buffer.shares_storage(tensor)
                        && buffer.len() == tensor.len()
                        && buffer.to_vec() == tensor.to_vec()
                });
                if let Some((name, buffer)) = buffer {
                    if written.insert(name) {
                        graph.named(name, buffer);
                    }
                    // Layers may take it as a row or a column.
                    if buffer.shape() == tensor.shape() {
                        return name.clone();
                    }
                    let shape: Vec<Length> = tensor.shape().iter().map(|&length| length.into()).collect();
                    return graph.reshape(name, &shape);
                }
            }
            let name = graph.data(value);
            let same = value.shape().iter().zip(&step.shape).all(|(&a, b)| b.known() == Some(a as i64));
            if same { name } else { graph.expand(&name, &step.shape) }
        }
        Constant::Quantity(quantity) => {
            let name = graph.quantity(*quantity);
            if step.shape.is_empty() { name } else { graph.reshape(&name, &step.shape) }
        }
        Constant::Positions(axis) => {
            let (zero, one) = (graph.int(0), graph.int(1));
            let end = graph.scalar_length(step.shape[*axis]);
            let list = graph.op("Range", &[&zero, &end, &one]);
            let mut shape = vec![Length::from(1i64); step.shape.len()];
            shape[*axis] = step.shape[*axis];
            let along = graph.reshape(&list, &shape);
            graph.expand(&along, &step.shape)
        }
    }
}

/// The layer that an operation belongs to: the place of the first parameter that it reads.
fn scope<T: Float>(steps: &[Operation<T>], inputs: &[usize], named: &[Named<T>]) -> String {
    let parameter = inputs.iter().find_map(|&input| match steps[input].source {
        Source::Named(number) if matches!(named[number].role, Role::Held(_)) => Some(&named[number].name),
        _ => None,
    });
    let place = parameter.and_then(|name| name.rsplit_once('.')).map_or("", |(place, _)| place);
    place.replace('.', "/")
}

/// Names the outputs, and puts everything together.
fn finish<T: Float>(
    mut graph: Graph,
    program: &Program<T>,
    named: &[Named<T>],
    names: &[String],
    output_names: &[String],
    header: &Header,
) -> Result<ModelProto, ExportError> {
    let dimension = |length: &Length| match (length.known(), &header.batch) {
        (Some(known), _) => Dimension::of(known as usize),
        (None, Some((name, ..))) if *length == Length::BATCH => Dimension::named(name),
        // Another multiple of the batch has no name.
        _ => Dimension::default(),
    };
    let info = |name: &str, graph: &Graph, kind: Kind, shape: &[Length]| {
        let dims = shape.iter().map(dimension).collect();
        ValueInfoProto::tensor(name, graph.data_type(kind).code(), dims)
    };
    let mut outputs = Vec::new();
    for (&output, name) in program.outputs.iter().zip(output_names) {
        let step = &program.steps[output];
        let node = NodeProto::new(
            "Identity",
            &graph.fresh(&format!("/{name}")),
            vec![names[output].clone()],
            vec![name.clone()],
        );
        // A node of which nobody else reads the value gives the output itself.
        let read = graph.nodes.iter().any(|node| node.input.contains(&names[output]));
        let others = program.outputs.iter().filter(|&&other| other == output).count() > 1;
        let made = graph
            .nodes
            .iter_mut()
            .flat_map(|node| node.output.iter_mut())
            .find(|made| **made == names[output]);
        match made {
            Some(made) if !read && !others => made.clone_from(name),
            _ => graph.nodes.push(node),
        }
        outputs.push(info(name, &graph, step.kind, &step.shape));
    }
    let mut inputs = Vec::new();
    for (number, value) in named.iter().enumerate().filter(|(_, value)| matches!(value.role, Role::Input)) {
        let step = program.steps.iter().find(|step| matches!(step.source, Source::Named(n) if n == number));
        // An input that nothing depends on is none.
        if let Some(step) = step {
            inputs.push(info(&value.name, &graph, step.kind, &step.shape));
        }
    }
    let proto = GraphProto {
        node: graph.nodes,
        name: "main".to_owned(),
        initializer: graph.initialisers,
        input: inputs,
        output: outputs,
        ..Default::default()
    };
    Ok(ModelProto {
        ir_version: Some(if header.opset >= 23 {
            11
        } else if header.opset >= 21 {
            10
        } else if header.opset >= 19 {
            9
        } else {
            8
        }),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: Some(header.opset) }],
        producer_name: "wengert".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: header.doc.clone(),
        graph: Some(Box::new(proto)),
        ..Default::default()
    })
}
