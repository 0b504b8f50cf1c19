//! Graphs within nodes: branches, and bodies of loops.

use std::collections::HashMap;

use wengert_tensor::Float;

use super::super::error::ReadError;
use super::super::graph::{Graph, Node, Place, Stored};
use super::super::names::Names;
use super::super::value::Value;
use super::{Builder, Opsets};
use crate::proto::GraphProto;

impl<T: Float> Builder<'_, T> {
    pub(super) fn body(
        &mut self,
        graph: &GraphProto,
        sets: &Opsets,
        names: &Names<'_>,
    ) -> Result<Graph<T>, ReadError> {
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
    pub(super) fn inlined(
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
}
