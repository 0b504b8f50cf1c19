//! An interpreter of complete recordings: it knows nothing of what was recorded but the list of steps.

use std::collections::BTreeMap;

use wengert_tape::{Data, Recorded, Step, Tape, Var};
use wengert_tensor::{Float, Tensor};

/// A recording as a program from the variables that were entered to some that were computed.
pub struct Program<T: Float> {
    steps: Vec<Step<T>>,
    outputs: Vec<usize>,
    /// The steps that the outputs depend on.
    needed: Vec<bool>,
}

impl<T: Float> Program<T> {
    pub fn new<'a>(tape: &Tape<T>, outputs: impl IntoIterator<Item = &'a Var<T>>) -> Self {
        let steps = tape.steps();
        let position = |v| tape.position(v).expect("an output that depends on what was entered");
        let outputs: Vec<usize> = outputs.into_iter().map(position).collect();
        let mut needed = vec![false; steps.len()];
        for &output in &outputs {
            needed[output] = true;
        }
        for number in (0..steps.len()).rev().filter(|&i| steps[i].is_operation()) {
            if needed[number] {
                for input in steps[number].inputs() {
                    needed[input.expect("a complete recording has all inputs")] = true;
                }
            }
        }
        Program { steps, outputs, needed }
    }

    /// The steps that the outputs depend on, with their numbers.
    pub fn steps(&self) -> impl Iterator<Item = (usize, &Step<T>)> {
        self.steps.iter().enumerate().filter(|(number, _)| self.needed[*number])
    }

    /// The numbers of the constants that operations of that name read.
    pub fn constants_of(&self, name: &str) -> Vec<usize> {
        let inputs = self.steps().filter(|(_, step)| step.name() == name).flat_map(|(_, step)| step.inputs());
        inputs.flatten().copied().filter(|&i| self.steps[i].constant().is_some()).collect()
    }

    /// The value of each step that is needed, for new values of some.
    pub fn values(&self, new: &Inputs<T>) -> Vec<Option<Data<T>>> {
        let mut values: Vec<Option<Data<T>>> = Vec::with_capacity(self.steps.len());
        for (number, step) in self.steps.iter().enumerate() {
            let value = match (new.0.get(&number), step.constant()) {
                _ if !self.needed[number] => None,
                (Some(new), _) => Some(new.clone()),
                (None, Some(constant)) => Some(constant.clone()),
                (None, None) => {
                    assert!(step.is_operation(), "input {number} of shape {} has no new value", step.shape());
                    let inputs: Vec<&Data<T>> =
                        step.inputs().iter().map(|i| values[i.unwrap()].as_ref().unwrap()).collect();
                    Some(step.run(&inputs))
                }
            };
            if let Some(value) = &value {
                assert_eq!(value.kind(), step.kind(), "{}", step.name());
            }
            values.push(value);
        }
        values
    }

    /// The outputs for new values of some steps.
    pub fn run(&self, new: &Inputs<T>) -> Vec<Tensor<T>> {
        let values = self.values(new);
        self.outputs.iter().map(|&output| values[output].as_ref().unwrap().float().clone()).collect()
    }
}

/// New values of steps, by their numbers.
pub struct Inputs<T: Float>(pub BTreeMap<usize, Data<T>>);

impl<T: Float> Inputs<T> {
    pub fn new() -> Self {
        Inputs(BTreeMap::new())
    }

    pub fn set(mut self, tape: &Tape<T>, variable: &impl Recorded<T>, value: Data<T>) -> Self {
        self.0.insert(tape.position(variable).expect("entered on the tape"), value);
        self
    }

    pub fn set_all(mut self, tape: &Tape<T>, variables: &[Var<T>], values: &[Tensor<T>]) -> Self {
        assert_eq!(variables.len(), values.len());
        for (variable, value) in variables.iter().zip(values) {
            self = self.set(tape, variable, Data::Float(value.clone()));
        }
        self
    }
}

/// The elements' bits, and the shape.
pub fn bits<T: Float>(tensor: &Tensor<T>) -> (Vec<u64>, Vec<usize>) {
    // The double of a number in single precision is exact.
    let bits = tensor.to_vec().into_iter().map(|x| x.to_f64().to_bits()).collect();
    (bits, tensor.shape().to_vec())
}
