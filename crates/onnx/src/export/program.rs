//! Recordings at several sizes of the batch as one program for every size.

use std::collections::HashMap;
use std::panic::Location;
use std::rc::Rc;

use wengert_tape::{Data, Kind, Step, Tape};
use wengert_tensor::{Float, Shape};

use super::constant::Constant;
use super::error::{ExportError, Line};
use super::length::{Length, Sizes, Value};

/// Where a value comes from.
pub(super) enum Source<T: Float> {
    /// The input, parameter or buffer of that number.
    Named(usize),
    Constant(Constant<T>),
    Computed,
}

/// One step of a program.
pub(super) struct Operation<T: Float> {
    pub(super) name: String,
    pub(super) attributes: Vec<(&'static str, Value)>,
    pub(super) inputs: Vec<usize>,
    pub(super) shape: Vec<Length>,
    pub(super) kind: Kind,
    pub(super) source: Source<T>,
    pub(super) location: Option<&'static Location<'static>>,
    /// The step of the first recording.
    pub(super) step: Rc<Step<T>>,
}

impl<T: Float> Operation<T> {
    pub(super) fn line(&self) -> String {
        Line(self.location).to_string()
    }
}

/// What was recorded at one size.
pub(super) struct Recording<T: Float> {
    pub(super) steps: Vec<Rc<Step<T>>>,
    /// The steps of the named values, in their order.
    pub(super) named: Vec<Option<usize>>,
    pub(super) outputs: Vec<Option<usize>>,
}

impl<T: Float> Recording<T> {
    pub(super) fn new(tape: &Tape<T>, named: Vec<Option<usize>>, outputs: Vec<Option<usize>>) -> Self {
        Recording { steps: tape.steps().into_iter().map(Rc::new).collect(), named, outputs }
    }

    /// The steps that the outputs depend on, in order.
    fn needed(&self) -> Vec<usize> {
        let mut needed = vec![false; self.steps.len()];
        self.outputs.iter().flatten().for_each(|&output| needed[output] = true);
        for i in (0..self.steps.len()).rev().filter(|&i| self.steps[i].is_operation()) {
            if needed[i] {
                self.steps[i].inputs().iter().flatten().for_each(|&input| needed[input] = true);
            }
        }
        (0..needed.len()).filter(|&i| needed[i]).collect()
    }
}

/// What outputs are computed by, for batches of any size.
pub(super) struct Program<T: Float> {
    pub(super) steps: Vec<Operation<T>>,
    pub(super) outputs: Vec<usize>,
    pub(super) sizes: Sizes,
}

impl<T: Float> Program<T> {
    /// The program that these recordings are, at these sizes.
    ///
    /// # Errors
    /// If they differ otherwise than by numbers that grow with the size.
    pub(super) fn new(
        recordings: Vec<Recording<T>>,
        sizes: Sizes,
        output_names: &[String],
    ) -> Result<Self, ExportError> {
        for recording in &recordings {
            for (output, name) in recording.outputs.iter().zip(output_names) {
                if output.is_none() {
                    return Err(ExportError::Constant { name: name.clone() });
                }
            }
        }
        let needed: Vec<Vec<usize>> = recordings.iter().map(Recording::needed).collect();
        // Steps by their places among those that are needed.
        let places: Vec<HashMap<usize, usize>> = needed
            .iter()
            .map(|list| list.iter().enumerate().map(|(place, &number)| (number, place)).collect())
            .collect();
        let mut steps = Vec::with_capacity(needed[0].len());
        for place in 0..needed[0].len() {
            let step = &recordings[0].steps[needed[0][place]];
            let differs = |reason: &str| ExportError::Batch {
                name: step.name().to_owned(),
                location: Line(step.location()).to_string(),
                reason: reason.to_owned(),
            };
            let mut all = Vec::with_capacity(recordings.len());
            for (recording, list) in recordings.iter().zip(&needed) {
                let other = list.get(place).map(|&number| &recording.steps[number]);
                let other = other.filter(|other| other.name() == step.name() && other.kind() == step.kind());
                all.push(
                    other.ok_or_else(|| differs("at another size another operation stands in its place"))?,
                );
            }
            let inputs: Vec<Vec<usize>> = all
                .iter()
                .zip(&places)
                .map(|(step, places)| step.inputs().iter().flatten().map(|input| places[input]).collect())
                .collect();
            if inputs.iter().any(|list| *list != inputs[0]) {
                return Err(differs("at another size it reads other steps"));
            }
            let shapes: Vec<Vec<i64>> = all.iter().map(|step| lengths(step.shape())).collect();
            let shape = sizes.lengths(&shapes).ok_or_else(|| {
                let shapes = all.iter().map(|step| step.shape().to_string()).collect::<Vec<_>>().join(", ");
                differs(&format!("its shapes {shapes} do not grow by the same number for each example"))
            })?;
            let attributes: Vec<_> = all.iter().map(|step| step.attributes()).collect();
            let attributes = sizes.values(&attributes).map_err(|name| {
                let each = attributes.iter().filter_map(|a| a.get(name)).map(ToString::to_string);
                let each = each.collect::<Vec<_>>().join(", ");
                differs(&format!("its {name} is {each} for batches of {:?}", sizes.0))
            })?;
            let named = recordings[0].named.iter().position(|&n| n == Some(needed[0][place]));
            let source = match named {
                Some(named) => Source::Named(named),
                None if step.is_operation() => Source::Computed,
                None => match all.iter().map(|step| step.constant()).collect::<Option<Vec<&Data<T>>>>() {
                    Some(values) => Source::Constant(
                        Constant::new(&values, &shape, &sizes)
                            .ok_or_else(|| differs("its numbers are others at another size"))?,
                    ),
                    None => {
                        return Err(ExportError::Unnamed {
                            shape: step.shape().to_vec(),
                            location: Line(step.location()).to_string(),
                        });
                    }
                },
            };
            steps.push(Operation {
                name: step.name().to_owned(),
                attributes,
                inputs: inputs.into_iter().next().unwrap_or_default(),
                shape,
                kind: step.kind(),
                source,
                location: step.location(),
                step: Rc::clone(step),
            });
        }
        let outputs = recordings[0].outputs.iter().flatten().map(|output| places[0][output]).collect();
        Ok(Program { steps, outputs, sizes })
    }
}

fn lengths(shape: &Shape) -> Vec<i64> {
    shape.iter().map(|&length| length as i64).collect()
}
