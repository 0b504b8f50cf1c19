//! A part of the parameters with its optimisers.

use std::ops::Range;

use wengert_optim::Optimizer;
use wengert_optim::schedule::Schedule;
use wengert_state::{State, StateError, Values};
use wengert_tensor::Float;

/// A run of parameters that has an optimiser of its own.
struct Block<T: Float> {
    range: Range<usize>,
    optimizer: Box<dyn Optimizer<T>>,
    /// The optimiser's rate without schedule.
    rate: f64,
    steps: u64,
}

/// The parameters of one server.
pub(super) struct Shard<'a, T: Float> {
    /// Where they stand in the flat vector.
    range: Range<usize>,
    values: Vec<T>,
    blocks: Vec<Block<T>>,
    schedule: Option<&'a dyn Schedule>,
    staleness_power: f64,
    updates: u64,
}

/// The kind of the state, and of its parts.
const KIND: &str = "parameter_server";
const BLOCK: &str = "block";

impl<'a, T: Float> Shard<'a, T> {
    /// The part `range` of `values`, in blocks that end at the cuts.
    pub(super) fn new(
        range: Range<usize>,
        values: &[T],
        cuts: &[usize],
        build: &dyn Fn(usize) -> Box<dyn Optimizer<T>>,
        schedule: Option<&'a dyn Schedule>,
        staleness_power: f64,
    ) -> Self {
        let mut ends: Vec<usize> = cuts.iter().copied().filter(|cut| range.contains(cut)).collect();
        ends.push(range.end);
        ends.sort_unstable();
        let mut start = range.start;
        let mut blocks = Vec::new();
        for end in ends {
            if end > start {
                let optimizer = build(end - start);
                blocks.push(Block {
                    range: start..end,
                    rate: optimizer.learning_rate(),
                    optimizer,
                    steps: 0,
                });
                start = end;
            }
        }
        let values = values[range.clone()].to_vec();
        Shard { range, values, blocks, schedule, staleness_power, updates: 0 }
    }

    /// The number of updates so far.
    pub(super) fn updates(&self) -> u64 {
        self.updates
    }

    pub(super) fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    pub(super) fn values(&self, range: Range<usize>) -> &[T] {
        &self.values[within(&range, self.range.start)]
    }

    /// One step with the gradient of `range`, which is `staleness` updates old. Blocks are whole, as the worker has checked.
    pub(super) fn update(&mut self, range: Range<usize>, grads: &[T], staleness: u64) {
        let shrunk = (1.0 + staleness as f64).powf(-self.staleness_power);
        for block in &mut self.blocks {
            if block.range.start < range.start || block.range.end > range.end {
                continue;
            }
            if self.schedule.is_some() || self.staleness_power > 0.0 {
                let rate = self.schedule.map_or(block.rate, |schedule| schedule.at(block.steps));
                block.optimizer.set_learning_rate(rate * shrunk);
            }
            let values = within(&block.range, self.range.start);
            let gradient = within(&block.range, range.start);
            block.optimizer.step(&mut self.values[values], &grads[gradient]);
            block.steps += 1;
        }
        self.updates += 1;
    }

    /// The parameters to evaluate the model with.
    pub(super) fn evaluation(&self) -> Vec<T> {
        let mut out = vec![T::ZERO; self.values.len()];
        for block in &self.blocks {
            let part = within(&block.range, self.range.start);
            block.optimizer.write_evaluation(&self.values[part.clone()], &mut out[part]);
        }
        out
    }

    /// Everything that later updates depend on; the states of all shards together are that of the server.
    pub(super) fn state(&self) -> State {
        let mut state = State::new(KIND, self.range.end).with_count("updates", self.updates);
        for block in &self.blocks {
            let child = State::new(BLOCK, block.range.len())
                .with_count("start", block.range.start as u64)
                .with_count("steps", block.steps)
                .with_real("rate", block.rate)
                .with_vector("values", self.values(block.range.clone()))
                .with_child("optimizer", block.optimizer.state());
            state = state.with_child(&format!("{:020}", block.range.start), child);
        }
        state
    }

    /// Takes from the state of all shards what belongs here, whatever the number of servers was then.
    pub(super) fn load(&mut self, state: &State) -> Result<(), StateError> {
        let names: Vec<&str> = state.children.keys().map(String::as_str).collect();
        state.expect(KIND, &["updates"], &[], &names)?;
        self.updates = state.count("updates")?;
        for block in &mut self.blocks {
            let saved = gathered::<T>(state, block.range.clone())?;
            let values = saved.vector::<T>("values", block.range.len())?;
            block.optimizer.load_state(saved.child("optimizer")?)?;
            block.steps = saved.count("steps")?;
            block.rate = saved.real("rate")?;
            let part = within(&block.range, self.range.start);
            self.values[part].copy_from_slice(&values);
        }
        Ok(())
    }
}

/// Where a range of the flat vector is in the part that begins at `start`.
fn within(range: &Range<usize>, start: usize) -> Range<usize> {
    range.start - start..range.end - start
}

/// The states of the shards as one.
pub(super) fn joined(states: impl IntoIterator<Item = State>) -> State {
    states
        .into_iter()
        .reduce(|mut all, state| {
            all.len = all.len.max(state.len);
            all.children.extend(state.children);
            all
        })
        .expect("there is at least one server")
}

/// The state of a block made of the parts of saved blocks that lie in it. Numbers that belong to no element, such as the count of
/// steps, are those of the first of them: the same in all.
fn gathered<T: Float>(state: &State, range: Range<usize>) -> Result<State, StateError> {
    let mut result: Option<State> = None;
    let mut reached = range.start;
    let mut blocks: Vec<(usize, &State)> = Vec::new();
    for block in state.children.values() {
        blocks.push((block.count("start")? as usize, block));
    }
    blocks.sort_by_key(|(start, _)| *start);
    for (start, block) in blocks {
        let end = start.saturating_add(block.len);
        let (from, to) = (start.max(range.start), end.min(range.end));
        if from >= to || from != reached {
            continue;
        }
        reached = to;
        let part = cut::<T>(block, block.len, from - start..to - start)?;
        result = Some(match result {
            None => part,
            Some(before) => append::<T>(before, part)?,
        });
    }
    match result {
        Some(state) if reached == range.end => Ok(state),
        _ => Err(StateError::Len { expected: range.end, found: reached }),
    }
}

/// The elements `part` of all vectors of a block of `len`.
fn cut<T: Float>(state: &State, len: usize, part: Range<usize>) -> Result<State, StateError> {
    let mut result = State { vectors: Default::default(), children: Default::default(), ..state.clone() };
    if state.len == len {
        result.len = part.len();
    }
    for name in state.vectors.keys() {
        let whole = state.vector::<T>(name, len)?;
        result.vectors.insert(name.clone(), Values::of(&whole[part.clone()]));
    }
    for (name, child) in &state.children {
        result.children.insert(name.clone(), cut::<T>(child, len, part.clone())?);
    }
    Ok(result)
}

fn append<T: Float>(mut before: State, after: State) -> Result<State, StateError> {
    let (first, second) = (before.len, after.len);
    before.len = first + second;
    for (name, values) in &mut before.vectors {
        let mut joined = values.to_vec::<T>().unwrap_or_default();
        joined.extend(after.vector::<T>(name, second)?);
        *values = Values::of(&joined);
    }
    for (name, child) in &mut before.children {
        *child = append::<T>(child.clone(), after.child(name)?.clone())?;
    }
    Ok(before)
}

/// What two ranges have in common.
pub(super) fn overlap(part: &Range<usize>, range: &Range<usize>) -> Option<Range<usize>> {
    let common = part.start.max(range.start)..part.end.min(range.end);
    (!common.is_empty()).then_some(common)
}

pub(super) fn overlaps<'p>(
    parts: &'p [(usize, Range<usize>)],
    range: &'p Range<usize>,
) -> impl Iterator<Item = (usize, Range<usize>)> + 'p {
    parts.iter().filter_map(move |(rank, part)| Some((*rank, overlap(part, range)?)))
}
