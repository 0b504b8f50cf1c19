//! Graphs that can be run: names made into places, subgraphs and functions into nodes, constants computed.

use wengert_tape::{Mask, Var};
use wengert_tensor::{Float, Tensor};

use super::attributes::Attributes;
use super::call::{Call, Produced};
use super::value::{Ints, Sequence, Value};
use crate::proto::DataType;

/// Where a value stands while a model runs.
pub(super) type Place = usize;

/// How the results of an operator are computed.
pub(super) type Run<T> = fn(&Call<'_, T>) -> Produced<T>;

/// Nodes, each after those whose results it takes.
#[derive(Clone)]
pub(super) struct Graph<T: Float> {
    pub(super) nodes: Vec<Node<T>>,
    pub(super) inputs: Vec<Place>,
    pub(super) outputs: Vec<Place>,
}

#[derive(Clone)]
pub(super) struct Node<T: Float> {
    pub(super) name: String,
    pub(super) operator: String,
    pub(super) opset: i64,
    pub(super) attributes: Attributes,
    pub(super) work: Work<T>,
    pub(super) inputs: Vec<Option<Place>>,
    pub(super) outputs: Vec<Option<Place>>,
    /// Values that nothing takes after this node.
    pub(super) last_uses: Vec<Place>,
}

#[derive(Clone)]
pub(super) enum Work<T: Float> {
    Operator(Run<T>),
    If {
        then_branch: Graph<T>,
        else_branch: Graph<T>,
    },
    Loop(Graph<T>),
    Scan(Graph<T>),
    /// Of the elements of a sequence.
    Map(Graph<T>),
}

impl<T: Float> Node<T> {
    /// Calls `visit` for each value that it takes, those of graphs within included.
    fn uses(&self, visit: &mut dyn FnMut(Place)) {
        self.inputs.iter().flatten().for_each(|&place| visit(place));
        match &self.work {
            Work::Operator(_) => {}
            Work::If { then_branch, else_branch } => {
                [then_branch, else_branch].iter().for_each(|body| body.uses(visit))
            }
            Work::Loop(body) | Work::Scan(body) | Work::Map(body) => body.uses(visit),
        }
    }
}

impl<T: Float> Graph<T> {
    /// Calls `visit` for each value that a node takes, those of graphs within included.
    pub(super) fn uses(&self, visit: &mut dyn FnMut(Place)) {
        self.nodes.iter().for_each(|node| node.uses(visit));
        self.outputs.iter().for_each(|&place| visit(place));
    }

    /// Notes at each node which values nothing takes after it, of those that `kept` does not name.
    pub(super) fn find_last_uses(&mut self, places: usize, kept: impl Fn(Place) -> bool) {
        let mut last = vec![None; places];
        for (i, node) in self.nodes.iter().enumerate() {
            node.outputs.iter().flatten().for_each(|&place| last[place] = Some(i));
            node.uses(&mut |place| last[place] = Some(i));
        }
        self.outputs.iter().for_each(|&place| last[place] = None);
        for (place, at) in last.into_iter().enumerate() {
            if let Some(at) = at.filter(|_| !kept(place)) {
                self.nodes[at].last_uses.push(place);
            }
        }
    }
}

/// A constant of a model, which may go to another thread.
#[derive(Clone)]
pub(super) enum Stored<T: Float> {
    Float(Tensor<T>),
    Int(Tensor<f64>, DataType),
    Bool(Tensor<bool>),
    Sequence(Vec<Stored<T>>),
}

impl<T: Float> Stored<T> {
    pub(super) fn of(value: &Value<T>) -> Self {
        match value {
            Value::Float(var) => Stored::Float(var.value().clone()),
            Value::Int(ints) => Stored::Int(ints.numbers.value().clone(), ints.data_type),
            Value::Bool(mask) => Stored::Bool(mask.value().clone()),
            Value::Sequence(sequence) => Stored::Sequence(sequence.values().iter().map(Stored::of).collect()),
        }
    }

    pub(super) fn value(&self) -> Value<T> {
        match self {
            Stored::Float(tensor) => Value::Float(Var::constant(tensor.clone())),
            Stored::Int(tensor, data_type) => {
                Value::Int(Ints::new(Var::constant(tensor.clone()), *data_type))
            }
            Stored::Bool(tensor) => Value::Bool(Mask::constant(tensor.clone())),
            Stored::Sequence(list) => {
                Value::Sequence(Sequence::new(list.iter().map(Stored::value).collect()))
            }
        }
    }
}
