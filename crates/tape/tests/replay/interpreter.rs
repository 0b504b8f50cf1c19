//! An interpreter of complete recordings: it knows nothing of what was recorded but the list of steps.
#![allow(dead_code, reason = "each test needs a part of it")]

use std::collections::BTreeMap;

use wengert_tape::{Data, Recorded, Step, Tape, Var};
use wengert_tensor::{Float, Tensor};

/// A recording as a program from the variables that were entered to some that were computed.
pub(crate) struct Program<T: Float> {
    steps: Vec<Step<T>>,
    outputs: Vec<usize>,
    /// The steps that the outputs depend on.
    needed: Vec<bool>,
}

impl<T: Float> Program<T> {
    pub(crate) fn new<'a>(tape: &Tape<T>, outputs: impl IntoIterator<Item = &'a Var<T>>) -> Self {
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
    pub(crate) fn steps(&self) -> impl Iterator<Item = (usize, &Step<T>)> {
        self.steps.iter().enumerate().filter(|(number, _)| self.needed[*number])
    }

    /// The value of each step that is needed, for new values of some.
    pub(crate) fn values(&self, new: &Inputs<T>) -> Vec<Option<Data<T>>> {
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
    pub(crate) fn run(&self, new: &Inputs<T>) -> Vec<Tensor<T>> {
        let values = self.values(new);
        self.outputs.iter().map(|&output| values[output].as_ref().unwrap().float().clone()).collect()
    }
}

/// New values of steps, by their numbers.
pub(crate) struct Inputs<T: Float>(pub(crate) BTreeMap<usize, Data<T>>);

impl<T: Float> Inputs<T> {
    pub(crate) fn new() -> Self {
        Inputs(BTreeMap::new())
    }

    pub(crate) fn set(mut self, tape: &Tape<T>, variable: &impl Recorded<T>, value: Data<T>) -> Self {
        self.0.insert(tape.position(variable).expect("entered on the tape"), value);
        self
    }

    pub(crate) fn set_all(mut self, tape: &Tape<T>, variables: &[Var<T>], values: &[Tensor<T>]) -> Self {
        assert_eq!(variables.len(), values.len());
        for (variable, value) in variables.iter().zip(values) {
            self = self.set(tape, variable, Data::Float(value.clone()));
        }
        self
    }
}

/// The elements' bits, and the shape.
pub(crate) fn bits<T: Float>(tensor: &Tensor<T>) -> (Vec<u64>, Vec<usize>) {
    // The double of a number in single precision is exact.
    let bits = tensor.to_vec().into_iter().map(|x| x.to_f64().to_bits()).collect();
    (bits, tensor.shape().to_vec())
}

/// Steps that have been run, to see that a name with its attributes and inputs says all: there is one output.
#[derive(Default)]
pub(crate) struct Catalogue(BTreeMap<String, (String, String)>);

impl Catalogue {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds a program's steps; returns those whose output is another than one of the same description had before.
    pub(crate) fn add<T: Float>(
        &mut self,
        of: &str,
        program: &Program<T>,
        values: &[Option<Data<T>>],
    ) -> Vec<String> {
        let mut differ = Vec::new();
        let value = |number: usize| text(values[number].as_ref().expect("a step that is needed"));
        for (number, step) in program.steps().filter(|(_, step)| step.is_operation()) {
            let inputs: Vec<String> = step.inputs().iter().map(|i| value(i.unwrap())).collect();
            let key = format!("{}({}) of {}", step.name(), step.attributes(), inputs.join("; "));
            let output = value(number);
            let (first, earlier) = self.0.entry(key).or_insert_with(|| (output.clone(), of.to_owned()));
            if *first != output {
                differ.push(format!("{} of {of} and of {earlier} differ", step.name()));
            }
        }
        differ
    }
}

fn text<T: Float>(value: &Data<T>) -> String {
    match value {
        Data::Float(tensor) => format!("{:x?}", bits(tensor)),
        Data::Index(tensor) => format!("index {:?} {}", tensor.to_vec(), tensor.shape()),
        Data::Mask(tensor) => format!("mask {:?} {}", tensor.to_vec(), tensor.shape()),
    }
}
