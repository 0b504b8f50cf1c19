//! Elementwise operations that follow each other, computed block by block: what lies between them stays in the cache.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use smallvec::SmallVec;
use wengert_tensor::parallel::{self, PARALLEL_THRESHOLD};
use wengert_tensor::{Float, Shape, Tensor};

use super::plan::{How, Output, Slot, Work};
use crate::op::{ByElement, Op};
use crate::profile::Timing;

/// Bytes of a block: some of them fit into the first level of the cache.
pub(super) const BLOCK_BYTES: usize = 1 << 14;

/// Blocks that a value has from which on it is worth it: less stays in the cache anyway.
const LEAST_BLOCKS: usize = 4;

/// Blocks that a thread computes one after the other.
const BLOCKS_AT_ONCE: usize = 4;

/// The most operations of a group, and its inputs: as many as there are places for on the stack.
const MOST_MEMBERS: usize = 24;
const MOST_INPUTS: usize = 12;

/// For what there is of each member and of each input, without a list in memory.
type OfMembers<X> = SmallVec<[X; MOST_MEMBERS]>;
type OfInputs<X> = SmallVec<[X; MOST_INPUTS]>;

/// For the outputs, and for the values of members that are needed at one time: seldom more.
type Few<X> = SmallVec<[X; 8]>;

/// Several operations whose values all have one shape.
pub(super) struct Group<T: Float> {
    ops: Vec<Rc<dyn Op<T>>>,
    members: Vec<Member>,
    shape: Shape,
    block_bytes: usize,
}

/// What is done with one of the operations.
struct Member {
    inputs: SmallVec<[Source; 4]>,
    /// Where its value is kept; another one's may have been there.
    place: usize,
    /// The places whose values no later member needs.
    last: Vec<usize>,
    /// Which of the group's outputs it is.
    output: Option<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Source {
    /// An input of the group.
    Input(usize),
    /// The value of a member, by its place.
    Member(usize),
}

impl<T: Float> Group<T> {
    /// The number of operations.
    pub(super) fn operations(&self) -> usize {
        self.ops.len()
    }

    /// The values that are needed outside, for the group's inputs.
    #[track_caller]
    pub(super) fn values(&self, inputs: &[&Tensor<T>]) -> Few<Tensor<T>> {
        let timing = Timing::start();
        let outputs = self.members.iter().filter(|member| member.output.is_some());
        let mut values: Few<Tensor<T>> =
            outputs.map(|_| Tensor::written_for("replay", self.shape.clone(), |_| ())).collect();
        let kernels: OfMembers<ByElement<'_, T>> =
            self.ops.iter().map(|op| by_element(op).expect("planned so")).collect();
        let cut = Cut::new(&self.shape, inputs, (self.block_bytes / size_of::<T>()).max(1));
        let mut parts: Few<&mut [T]> = values.iter_mut().map(Tensor::as_mut_slice).collect();
        let size = cut.block * cut.row * BLOCKS_AT_ONCE;
        let parallel = self.shape.count() >= PARALLEL_THRESHOLD;
        let members = &self.members[..];
        parallel::for_each_chunk_of_all(&mut parts, size, parallel, |start, parts| {
            let rows = start / cut.row..(start + parts[0].len()) / cut.row;
            for first in rows.clone().step_by(cut.block) {
                let block = first..rows.end.min(first + cut.block);
                let place = (block.start - rows.start) * cut.row..(block.end - rows.start) * cut.row;
                compute(members, &kernels, &cut.of(block), |output, value| {
                    parts[output][place.clone()].copy_from_slice(value);
                });
            }
        });
        drop(parts);
        let shapes: OfInputs<&Shape> = inputs.iter().map(|input| input.shape()).collect();
        timing.named::<T>("block_by_block", &shapes, &self.shape);
        values
    }
}

fn by_element<T: Float>(op: &Rc<dyn Op<T>>) -> Option<ByElement<'_, T>> {
    op.replays().by_element
}

/// A block of each member's value, of blocks of the inputs; `write` is given those of outputs.
#[track_caller]
fn compute<T: Float>(
    members: &[Member],
    kernels: &[ByElement<'_, T>],
    inputs: &[Tensor<T>],
    mut write: impl FnMut(usize, &[T]),
) {
    let mut values: Few<Option<Tensor<T>>> = SmallVec::new();
    for (member, kernel) in members.iter().zip(kernels) {
        let value = {
            let operand = |source: &Source| match *source {
                Source::Input(number) => &inputs[number],
                Source::Member(number) => values[number].as_ref().expect("computed before, and still needed"),
            };
            let operands: SmallVec<[&Tensor<T>; 4]> = member.inputs.iter().map(operand).collect();
            kernel.value(&operands)
        };
        if let Some(output) = member.output {
            write(output, value.as_slice().expect("a loop's result is contiguous"));
        }
        if values.len() <= member.place {
            values.resize(member.place + 1, None);
        }
        values[member.place] = Some(value);
        member.last.iter().for_each(|&place| values[place] = None);
    }
}

/// How a group's inputs are cut into blocks of rows.
struct Cut<T: Float> {
    inputs: OfInputs<Tensor<T>>,
    /// Whether an input has the rows, or is the same for all.
    has_rows: OfInputs<bool>,
    /// Rows of a block.
    block: usize,
    /// Elements of a row.
    row: usize,
}

impl<T: Float> Cut<T> {
    /// Where all inputs lie as the result does or are one number, rows are single elements; else those of the first axis.
    fn new(shape: &Shape, inputs: &[&Tensor<T>], elements: usize) -> Self {
        let count = shape.count();
        let is_number = |input: &Tensor<T>| input.len() == 1;
        if inputs.iter().all(|input| is_number(input) || input.shape() == shape && input.is_contiguous()) {
            let flat = |input: &&Tensor<T>| match is_number(input) {
                true => input.reshape(Shape::scalar()),
                false => input.reshape([count]),
            };
            let has_rows = inputs.iter().map(|input| !is_number(input)).collect();
            return Cut { inputs: inputs.iter().map(flat).collect(), has_rows, block: elements, row: 1 };
        }
        let row = shape[1..].iter().product::<usize>();
        Cut {
            inputs: inputs.iter().map(|input| (*input).clone()).collect(),
            has_rows: inputs
                .iter()
                .map(|input| input.rank() == shape.len() && input.shape()[0] == shape[0])
                .collect(),
            block: (elements / row).max(1),
            row,
        }
    }

    /// Those rows of the inputs.
    fn of(&self, rows: Range<usize>) -> OfInputs<Tensor<T>> {
        let part = |(input, &has_rows): (&Tensor<T>, &bool)| match has_rows {
            true => input.slice_axis(0, rows.clone()),
            false => input.clone(),
        };
        self.inputs.iter().zip(&self.has_rows).map(part).collect()
    }
}

/// Works in the same order, but for elementwise operations: those of one shape that feed each other are one group, which stands
/// where the last of them stood. `shapes` are those of floating-point values, by their slots.
pub(super) fn grouped<T: Float>(
    works: Vec<Work<T>>,
    shapes: &[Option<&Shape>],
    outputs: &[Slot],
    block_bytes: usize,
) -> Vec<Work<T>> {
    let mut groups = Groups::default();
    for (place, work) in works.iter().enumerate() {
        let shape = match &work.how {
            How::One(op) if by_element(op).is_some() => shapes[work.outputs[0].slot as usize],
            _ => None,
        };
        let large = |shape: &&Shape| shape.count() * size_of::<T>() >= LEAST_BLOCKS * block_bytes;
        groups.add(place, work, shape.filter(large));
    }
    let mut users: HashMap<Slot, Vec<usize>> = HashMap::new();
    for (place, work) in works.iter().enumerate() {
        work.inputs.iter().for_each(|&input| users.entry(input).or_default().push(place));
    }
    let mut by_last: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut is_member = vec![false; works.len()];
    for places in groups.places.into_iter().filter(|places| places.len() > 1) {
        places.iter().for_each(|&place| is_member[place] = true);
        by_last.insert(*places.last().expect("there are some"), places);
    }
    let is_needed_outside = |slot: Slot, places: &[usize]| {
        let used = users.get(&slot).is_some_and(|users| users.iter().any(|user| !places.contains(user)));
        used || outputs.contains(&slot)
    };
    let mut works: Vec<Option<Work<T>>> = works.into_iter().map(Some).collect();
    let mut result = Vec::with_capacity(works.len());
    for place in 0..works.len() {
        if let Some(places) = by_last.get(&place) {
            let members =
                places.iter().map(|&place| works[place].take().expect("in one group only")).collect();
            result.push(one_work(members, shapes, block_bytes, |slot| is_needed_outside(slot, places)));
        } else if !is_member[place] {
            result.extend(works[place].take());
        }
    }
    result
}

/// Groups that grow, each the places of its works.
#[derive(Default)]
struct Groups {
    places: Vec<Vec<usize>>,
    /// The group of a slot's maker, as long as nobody else has used a value of it: then it can still wait for further members.
    open: HashMap<Slot, usize>,
    made: Vec<Vec<Slot>>,
    /// What its members read, their own values among it.
    read: Vec<HashSet<Slot>>,
    shapes: Vec<Shape>,
}

impl Groups {
    /// The work at a place, which is a candidate if it has a shape.
    fn add<T: Float>(&mut self, place: usize, work: &Work<T>, shape: Option<&Shape>) {
        let mut before: Vec<usize> =
            work.inputs.iter().filter_map(|slot| self.open.get(slot)).copied().collect();
        before.sort_unstable();
        before.dedup();
        let (mut joins, mut ends): (Vec<usize>, Vec<usize>) =
            before.into_iter().partition(|&group| shape == Some(&self.shapes[group]));
        if !self.have_room(&joins, work) {
            ends.append(&mut joins);
        }
        for group in ends {
            for slot in &self.made[group] {
                self.open.remove(slot);
            }
        }
        let Some(shape) = shape else { return };
        let group = match joins.split_first() {
            None => {
                self.places.push(Vec::new());
                self.made.push(Vec::new());
                self.read.push(HashSet::new());
                self.shapes.push(shape.clone());
                self.places.len() - 1
            }
            Some((&first, others)) => {
                for &other in others {
                    let places = std::mem::take(&mut self.places[other]);
                    self.places[first].extend(places);
                    let made = std::mem::take(&mut self.made[other]);
                    self.made[first].extend(made);
                    let read = std::mem::take(&mut self.read[other]);
                    self.read[first].extend(read);
                }
                self.places[first].sort_unstable();
                first
            }
        };
        self.places[group].push(place);
        self.made[group].push(work.outputs[0].slot);
        self.read[group].extend(&work.inputs);
        for &slot in &self.made[group] {
            self.open.insert(slot, group);
        }
    }
}

impl Groups {
    /// Whether these groups and the work may be one.
    fn have_room<T: Float>(&self, groups: &[usize], work: &Work<T>) -> bool {
        let made: HashSet<Slot> = groups.iter().flat_map(|&group| &self.made[group]).copied().collect();
        let read = groups.iter().flat_map(|&group| &self.read[group]).chain(&work.inputs);
        let inputs: HashSet<Slot> = read.copied().filter(|slot| !made.contains(slot)).collect();
        made.len() < MOST_MEMBERS && inputs.len() <= MOST_INPUTS
    }
}

/// Members as one work.
fn one_work<T: Float>(
    works: Vec<Work<T>>,
    shapes: &[Option<&Shape>],
    block_bytes: usize,
    is_needed_outside: impl Fn(Slot) -> bool,
) -> Work<T> {
    let made: HashMap<Slot, usize> =
        works.iter().enumerate().map(|(number, work)| (work.outputs[0].slot, number)).collect();
    let mut inputs: Vec<Slot> = Vec::new();
    let mut outputs = Vec::new();
    let mut ops = Vec::new();
    let mut members: Vec<Member> = Vec::new();
    for work in &works {
        let How::One(op) = &work.how else { unreachable!("candidates are single operations") };
        ops.push(Rc::clone(op));
        let sources = work.inputs.iter().map(|slot| match made.get(slot) {
            Some(&number) => Source::Member(number),
            None => Source::Input(inputs.iter().position(|input| input == slot).unwrap_or_else(|| {
                inputs.push(*slot);
                inputs.len() - 1
            })),
        });
        let sources = sources.collect();
        let slot = work.outputs[0].slot;
        let output = is_needed_outside(slot).then(|| {
            outputs.push(Output { slot, number: outputs.len() });
            outputs.len() - 1
        });
        members.push(Member { inputs: sources, place: 0, last: Vec::new(), output });
    }
    keep_in_few_places(&mut members);
    let shape = shapes[works[0].outputs[0].slot as usize].expect("candidates have one").clone();
    let floats = inputs.len();
    let how = How::Group(Group { ops, members, shape, block_bytes });
    Work { how, inputs, floats, outputs, last: Vec::new(), frees_first: false }
}

/// Gives each member's value a place that is free, and again when no later member needs it.
fn keep_in_few_places(members: &mut [Member]) {
    // Until here, members stand for their places.
    let mut ends: Vec<Vec<usize>> = vec![Vec::new(); members.len()];
    for number in 0..members.len() {
        let uses = |member: &Member| member.inputs.contains(&Source::Member(number));
        ends[members.iter().rposition(uses).unwrap_or(number)].push(number);
    }
    let (mut place_of, mut free, mut count) = (vec![0; members.len()], Vec::new(), 0);
    for (number, member) in members.iter_mut().enumerate() {
        for input in &mut member.inputs {
            if let Source::Member(other) = input {
                *other = place_of[*other];
            }
        }
        member.place = free.pop().unwrap_or_else(|| {
            count += 1;
            count - 1
        });
        place_of[number] = member.place;
        member.last = ends[number].iter().map(|&ended| place_of[ended]).collect();
        free.extend(&member.last);
    }
}
