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

/// Operations that are not recorded where they change nothing, which may be so at one size alone.
const LEFT_OUT: [&str; 3] = ["reshape", "broadcast_to", "sum_to"];

impl<T: Float> Program<T> {
    /// The program that these recordings are, at these sizes.
    ///
    /// # Errors
    /// If they differ otherwise than by numbers that grow with the size.
    pub(super) fn new(
        recordings: &[Recording<T>],
        sizes: Sizes,
        output_names: &[String],
    ) -> Result<Self, ExportError> {
        for recording in recordings {
            for (output, name) in recording.outputs.iter().zip(output_names) {
                if output.is_none() {
                    return Err(ExportError::Constant { name: name.clone() });
                }
            }
        }
        let mut walk = Walk::new(recordings);
        let mut steps = Vec::with_capacity(walk.needed[0].len());
        while let Some(found) = walk.next()? {
            steps.push(found.operation(recordings, &sizes)?);
        }
        let mut outputs = Vec::with_capacity(output_names.len());
        for i in 0..output_names.len() {
            let numbers: Vec<usize> =
                recordings.iter().filter_map(|recording| recording.outputs[i]).collect();
            let step = &recordings[0].steps[numbers[0]];
            outputs.push(
                walk.place(&numbers).ok_or_else(|| differs(step, "at another size it is another output"))?,
            );
        }
        Ok(Program { steps, outputs, sizes })
    }
}

fn differs<T: Float>(step: &Step<T>, reason: impl Into<String>) -> ExportError {
    ExportError::Batch {
        name: step.name().to_owned(),
        location: Line(step.location()).to_string(),
        reason: reason.into(),
    }
}

/// A walk along all recordings at once.
struct Walk<'a, T: Float> {
    recordings: &'a [Recording<T>],
    needed: Vec<Vec<usize>>,
    /// How many of those have been passed.
    passed: Vec<usize>,
    /// For each step of the program its number in each recording; two have one number where an operation was left out.
    numbers: Vec<Vec<usize>>,
    /// The steps of the program that a number of the first recording stands for.
    places: HashMap<usize, Vec<usize>>,
}

/// A step of each recording; `None` where it was left out, and the value is that of its input.
struct Found<'a, T: Float> {
    steps: Vec<Option<&'a Rc<Step<T>>>>,
    numbers: Vec<usize>,
    inputs: Vec<usize>,
}

impl<'a, T: Float> Walk<'a, T> {
    fn new(recordings: &'a [Recording<T>]) -> Self {
        Walk {
            recordings,
            needed: recordings.iter().map(Recording::needed).collect(),
            passed: vec![0; recordings.len()],
            numbers: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// The step of the program that has these numbers.
    fn place(&self, numbers: &[usize]) -> Option<usize> {
        self.places.get(&numbers[0])?.iter().copied().rfind(|&place| self.numbers[place] == numbers)
    }

    /// The next step of all.
    fn next(&mut self) -> Result<Option<Found<'a, T>>, ExportError> {
        let recordings = self.recordings;
        let head = |r: usize| {
            self.needed[r].get(self.passed[r]).map(|&number| (number, &recordings[r].steps[number]))
        };
        let heads: Vec<_> = (0..recordings.len()).map(head).collect();
        let all = heads.iter().flatten();
        let Some((_, first)) = all.clone().next() else { return Ok(None) };
        let leader = match all.clone().find(|(_, step)| LEFT_OUT.contains(&step.name())) {
            Some((_, step)) if all.clone().any(|(_, other)| other.name() != step.name()) => step,
            _ => first,
        };
        let same = |step: &Step<T>| step.name() == leader.name() && step.kind() == leader.kind();
        let steps: Vec<Option<&Rc<Step<T>>>> =
            heads.iter().map(|head| head.map(|(_, step)| step).filter(|step| same(step))).collect();
        let left_out = steps.iter().any(Option::is_none);
        if left_out && !LEFT_OUT.contains(&leader.name()) {
            return Err(differs(first, "at another size another operation stands in its place"));
        }
        let inputs = self.inputs(leader, &steps)?;
        let mut numbers = Vec::with_capacity(steps.len());
        for (r, step) in steps.iter().enumerate() {
            numbers.push(match (step, heads[r]) {
                (Some(_), Some((number, _))) => {
                    self.passed[r] += 1;
                    number
                }
                _ => self.numbers[inputs[0]][r],
            });
        }
        self.places.entry(numbers[0]).or_default().push(self.numbers.len());
        self.numbers.push(numbers.clone());
        Ok(Some(Found { steps, numbers, inputs }))
    }

    /// The steps of the program that the next one reads.
    fn inputs(&self, leader: &Step<T>, steps: &[Option<&Rc<Step<T>>>]) -> Result<Vec<usize>, ExportError> {
        let other = || differs(leader, "at another size it reads other steps");
        if steps.iter().flatten().any(|step| step.inputs().len() != leader.inputs().len()) {
            return Err(other());
        }
        let mut inputs = Vec::with_capacity(leader.inputs().len());
        for i in 0..leader.inputs().len() {
            let wanted: Vec<Option<usize>> =
                steps.iter().map(|step| step.and_then(|step| step.inputs()[i])).collect();
            let fits = |numbers: &Vec<usize>| {
                numbers
                    .iter()
                    .zip(&wanted)
                    .all(|(number, wanted)| wanted.is_none_or(|wanted| wanted == *number))
            };
            // Where all are known, without a search.
            let known: Option<Vec<usize>> = wanted.iter().copied().collect();
            let place = match known {
                Some(known) => self.place(&known),
                None => self.numbers.iter().rposition(fits),
            };
            inputs.push(place.ok_or_else(other)?);
        }
        Ok(inputs)
    }
}

impl<T: Float> Found<'_, T> {
    /// As one step for every size.
    fn operation(self, recordings: &[Recording<T>], sizes: &Sizes) -> Result<Operation<T>, ExportError> {
        // The value's shape, also where the operation was left out.
        let values: Vec<&Rc<Step<T>>> = self
            .numbers
            .iter()
            .zip(recordings)
            .map(|(&number, recording)| &recording.steps[number])
            .collect();
        let there: Vec<&Rc<Step<T>>> = self.steps.iter().flatten().copied().collect();
        let step = there[0];
        let shapes: Vec<Vec<i64>> = values.iter().map(|value| lengths(value.shape())).collect();
        let shape = sizes.lengths(&shapes).ok_or_else(|| {
            let shapes = values.iter().map(|value| value.shape().to_string()).collect::<Vec<_>>().join(", ");
            differs(step, format!("its shapes {shapes} do not grow by the same number for each example"))
        })?;
        // What may be left out is told by its shape alone.
        let attributes = if LEFT_OUT.contains(&step.name()) {
            Vec::new()
        } else {
            let attributes: Vec<_> = there.iter().map(|step| step.attributes()).collect();
            sizes.values(&attributes).map_err(|name| {
                let each = attributes.iter().filter_map(|a| a.get(name)).map(ToString::to_string);
                let each = each.collect::<Vec<_>>().join(", ");
                differs(step, format!("its {name} is {each} for batches of {:?}", sizes.0))
            })?
        };
        let is_named = |i: usize| {
            recordings
                .iter()
                .zip(&self.numbers)
                .all(|(recording, &number)| recording.named[i] == Some(number))
        };
        let named = (0..recordings[0].named.len()).find(|&i| is_named(i));
        let source = match named.filter(|_| !step.is_operation()) {
            Some(named) => Source::Named(named),
            None if step.is_operation() => Source::Computed,
            None => match there.iter().map(|step| step.constant()).collect::<Option<Vec<&Data<T>>>>() {
                Some(values) => Source::Constant(
                    Constant::new(&values, &shape, sizes)
                        .ok_or_else(|| differs(step, "its numbers are others at another size"))?,
                ),
                None => {
                    return Err(ExportError::Unnamed {
                        shape: step.shape().to_vec(),
                        location: Line(step.location()).to_string(),
                    });
                }
            },
        };
        Ok(Operation {
            name: step.name().to_owned(),
            attributes,
            inputs: self.inputs,
            shape,
            kind: step.kind(),
            source,
            location: step.location(),
            step: Rc::clone(step),
        })
    }
}

fn lengths(shape: &Shape) -> Vec<i64> {
    shape.iter().map(|&length| length as i64).collect()
}
