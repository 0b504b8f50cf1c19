//! From a recording to what is done, in which order, and when each value is no longer needed.

use std::collections::HashMap;
use std::rc::Rc;

use wengert_tensor::{Float, Shape};

use super::groups;
use crate::data::{Data, Kind};
use crate::op::{Op, Together};
use crate::walk::Step;

/// Where a value is kept.
pub(super) type Slot = u32;

/// What gives one or several values.
pub(super) struct Work<T: Float> {
    pub(super) how: How<T>,
    /// First floating-point numbers, then the others.
    pub(super) inputs: Vec<Slot>,
    /// How many of the inputs are floating-point numbers.
    pub(super) floats: usize,
    pub(super) outputs: Vec<Output>,
    /// The values that nobody needs afterwards.
    pub(super) last: Vec<Slot>,
    /// Whether nobody needs the first input afterwards, and it was computed.
    pub(super) frees_first: bool,
}

/// One of the values.
#[derive(Clone, Copy)]
pub(super) struct Output {
    pub(super) slot: Slot,
    /// Which of the operation's values.
    pub(super) number: usize,
}

pub(super) enum How<T: Float> {
    /// One operation's value.
    One(Rc<dyn Op<T>>),
    /// Several values of one loop.
    Several(Rc<dyn Op<T>>),
    /// Elementwise operations, block by block.
    Group(groups::Group<T>),
}

/// A program's steps, and where their values are.
pub(super) struct Plan<T: Float> {
    pub(super) works: Vec<Work<T>>,
    pub(super) constants: Vec<(Slot, Data<T>)>,
    pub(super) slots: usize,
    /// Of each input, if it is needed.
    pub(super) inputs: Vec<Option<Slot>>,
    pub(super) outputs: Vec<Slot>,
}

impl<T: Float> Plan<T> {
    /// `inputs` and `outputs` are numbers of steps; elementwise operations go by blocks of that many bytes.
    ///
    /// # Panics
    /// If what is needed was entered and is not among the inputs.
    #[track_caller]
    pub(super) fn new(steps: &[Step<T>], inputs: &[usize], outputs: &[usize], block_bytes: usize) -> Self {
        let needed = needed(steps, outputs);
        let mut slots = 0;
        let slot_of: Vec<Slot> = needed
            .iter()
            .map(|&needed| {
                slots += u32::from(needed);
                slots.wrapping_sub(1)
            })
            .collect();
        let mut constants = Vec::new();
        let mut works = Vec::new();
        for (number, step) in steps.iter().enumerate().filter(|(number, _)| needed[*number]) {
            let slot = slot_of[number];
            match (&step.op, step.constant()) {
                (None, Some(constant)) => constants.push((slot, constant.clone())),
                (None, None) => assert!(
                    inputs.contains(&number),
                    "compile: a variable of shape {} that was entered, step {number}, is needed and not among the inputs",
                    step.shape()
                ),
                (Some(op), _) => works.push(Work {
                    how: How::One(Rc::clone(op)),
                    inputs: step.inputs().iter().map(|input| slot_of[recorded(*input)]).collect(),
                    floats: step.floats,
                    outputs: vec![Output { slot, number: 0 }],
                    last: Vec::new(),
                    frees_first: false,
                }),
            }
        }
        let kinds = steps.iter().zip(&needed).filter(|(_, needed)| **needed);
        let shapes: Vec<Option<&Shape>> =
            kinds.map(|(step, _)| (step.kind() == Kind::Float).then(|| step.shape())).collect();
        let outputs: Vec<Slot> = outputs.iter().map(|&output| slot_of[output]).collect();
        let works = groups::grouped(by_products(joined(works)), &shapes, &outputs, block_bytes);
        let mut plan = Plan {
            works,
            constants,
            slots: slots as usize,
            inputs: inputs.iter().map(|&input| needed[input].then(|| slot_of[input])).collect(),
            outputs,
        };
        plan.find_last_uses();
        plan
    }

    fn find_last_uses(&mut self) {
        // What is not computed is not the program's to give away, and what it gives out is needed at the end.
        let mut over = vec![true; self.slots];
        for work in &self.works {
            work.outputs.iter().for_each(|output| over[output.slot as usize] = false);
        }
        self.outputs.iter().for_each(|&output| over[output as usize] = true);
        for work in self.works.iter_mut().rev() {
            for &input in &work.inputs {
                if !std::mem::replace(&mut over[input as usize], true) {
                    work.last.push(input);
                }
            }
            let first = work.inputs.first().filter(|_| work.floats > 0);
            work.frees_first = first.is_some_and(|first| {
                work.last.contains(first) && work.inputs.iter().filter(|input| *input == first).count() == 1
            });
        }
    }
}

/// The input of a step on a complete tape.
fn recorded(input: Option<usize>) -> usize {
    input.expect("a complete recording has all inputs")
}

/// The steps that the outputs depend on.
fn needed<T: Float>(steps: &[Step<T>], outputs: &[usize]) -> Vec<bool> {
    let mut needed = vec![false; steps.len()];
    outputs.iter().for_each(|&output| needed[output] = true);
    for (number, step) in steps.iter().enumerate().rev() {
        if needed[number] && step.op.is_some() {
            step.inputs().iter().for_each(|&input| needed[recorded(input)] = true);
        }
    }
    needed
}

/// Operations whose values one loop gives are applied where the first of them is.
fn joined<T: Float>(works: Vec<Work<T>>) -> Vec<Work<T>> {
    let mut first_of: HashMap<(String, Vec<Slot>), usize> = HashMap::new();
    let mut joined: Vec<Work<T>> = Vec::with_capacity(works.len());
    for work in works {
        let How::One(op) = &work.how else { unreachable!("nothing has been joined") };
        let Together::OneOf(number, several) = op.replays().together else {
            joined.push(work);
            continue;
        };
        let description = several.shared_description();
        let key = (format!("{} {}", description.name, description.attributes), work.inputs.clone());
        let output = Output { number, ..work.outputs[0] };
        let first = *first_of.entry(key).or_insert(joined.len());
        match joined.get_mut(first) {
            Some(earlier) => earlier.outputs.push(output),
            None => {
                let how = How::Several(Rc::clone(op));
                joined.push(Work { how, outputs: vec![output], ..work });
            }
        }
    }
    joined
}

/// Operations whose loops give the value of their last floating-point input too, which they do not read: it is computed with
/// theirs, if nobody needs it before.
fn by_products<T: Float>(works: Vec<Work<T>>) -> Vec<Work<T>> {
    // Which work gives a slot, and which is the first that reads it.
    let mut made: HashMap<Slot, usize> = HashMap::new();
    let mut read: HashMap<Slot, usize> = HashMap::new();
    for (place, work) in works.iter().enumerate() {
        for output in &work.outputs {
            made.insert(output.slot, place);
        }
        for &input in &work.inputs {
            read.entry(input).or_insert(place);
        }
    }
    let mut dropped = vec![false; works.len()];
    let mut changed: Vec<Work<T>> = Vec::with_capacity(works.len());
    for (place, mut work) in works.into_iter().enumerate() {
        if let How::One(op) = &work.how
            && matches!(op.replays().together, Together::AndLastInput(_))
        {
            let op = Rc::clone(op);
            let input = work.inputs[work.floats - 1];
            if let Some(&maker) = made.get(&input)
                && read[&input] == place
            {
                dropped[maker] = true;
                work.inputs.remove(work.floats - 1);
                work.floats -= 1;
                work.outputs.push(Output { slot: input, number: 1 });
                work.how = How::Several(op);
            }
        }
        changed.push(work);
    }
    changed.into_iter().zip(dropped).filter(|(_, dropped)| !dropped).map(|(work, _)| work).collect()
}
