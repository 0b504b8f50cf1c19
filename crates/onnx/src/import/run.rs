//! Running a graph.

use wengert_nn::{BufferId, Ctx};
use wengert_tensor::Float;

use super::call::Call;
use super::control;
use super::error::{NodeError, Problem};
use super::graph::{Graph, Node, Place, Work};
use super::ops;
use super::value::{SEQUENCE, Value};

/// The values of a model that runs.
pub(super) struct Frame<'a, T: Float> {
    pub(super) values: Vec<Option<Value<T>>>,
    pub(super) cx: Option<&'a Ctx<T>>,
    /// Where the model's buffers stand.
    pub(super) buffers: &'a [(Place, BufferId)],
    pub(super) limit: usize,
    /// How often loops and scans have gone round, all together.
    pub(super) rounds: usize,
}

impl<T: Float> Frame<'_, T> {
    /// The value at a place, which some node before has put there.
    pub(super) fn get(&self, place: Place) -> &Value<T> {
        self.values[place].as_ref().expect("nodes come after those whose results they take")
    }

    /// Counts one more round of a loop or scan, of which there are no more than elements of a value: a loop in a loop could
    /// otherwise go on for ever in a few bytes.
    pub(super) fn round(&mut self) -> Result<(), Problem> {
        if self.rounds == self.limit {
            return Err(Problem::TooManyRounds { limit: self.limit });
        }
        self.rounds += 1;
        Ok(())
    }

    pub(super) fn run(&mut self, graph: &Graph<T>) -> Result<(), NodeError> {
        for node in &graph.nodes {
            let inputs = node.inputs.iter().map(|place| place.map(|place| self.get(place).clone()));
            let results = self.compute(node, inputs.collect())?;
            if node.operator == "BatchNormalization" {
                self.track(node, &results);
            }
            for (place, value) in node.outputs.iter().zip(results) {
                if let Some(place) = *place {
                    self.values[place] = Some(value);
                }
            }
            for &place in &node.last_uses {
                self.values[place] = None;
            }
        }
        Ok(())
    }

    /// Gives running statistics the values that a normalisation by the batch has made of them, in training.
    fn track(&self, node: &Node<T>, results: &[Value<T>]) {
        let Some(cx) = self.cx.filter(|cx| cx.is_training()) else { return };
        for (input, result) in [(3, 1), (4, 2)] {
            let place = node.inputs.get(input).copied().flatten();
            let buffer = self.buffers.iter().find(|(at, _)| Some(*at) == place);
            if let (Some(&(_, id)), Some(Value::Float(moved))) = (buffer, results.get(result)) {
                cx.set_buffer(id, moved.value().clone());
            }
        }
    }

    /// A node's results for these inputs.
    pub(super) fn compute(
        &mut self,
        node: &Node<T>,
        inputs: Vec<Option<Value<T>>>,
    ) -> Result<Vec<Value<T>>, NodeError> {
        let failed = |problem| NodeError {
            operator: node.operator.clone(),
            node: node.name.clone(),
            problem: Box::new(problem),
        };
        let results = match &node.work {
            Work::Operator(run) => {
                let is_sequence =
                    |input: &Option<Value<T>>| input.as_ref().is_some_and(|v| v.sequence().is_some());
                if let Some(input) = inputs.iter().position(is_sequence)
                    && !ops::takes_sequence(&node.operator, input)
                {
                    return Err(failed(Problem::Kind { input, expected: "a tensor", found: SEQUENCE }));
                }
                let call = Call {
                    inputs,
                    attributes: &node.attributes,
                    opset: node.opset,
                    outputs: node.outputs.iter().rposition(Option::is_some).map_or(0, |last| last + 1),
                    cx: self.cx,
                    limit: self.limit,
                };
                run(&call).map_err(failed)?
            }
            Work::If { then_branch, else_branch } => {
                control::choose(self, inputs, then_branch, else_branch, failed)?
            }
            Work::Loop(body) => control::repeat(self, inputs, body, failed)?,
            Work::Scan(body) => control::scan(self, node, inputs, body, failed)?,
            Work::Map(body) => control::map(self, inputs, body, failed)?,
        };
        if results.len() < node.outputs.len() && node.outputs[results.len()..].iter().any(Option::is_some) {
            let problem =
                format!("it has {} results here, and {} are wanted", results.len(), node.outputs.len());
            return Err(failed(Problem::Unsupported(problem)));
        }
        results.into_iter().map(|value| value.checked().map_err(failed)).collect()
    }
}
