//! What a worker has found on its pieces of batches.

use std::ops::Range;

use wengert_data::Piece;
use wengert_nn::{Grads, Params};
use wengert_optim::first::running_mean;
use wengert_state::{Scalar, State, StateError};
use wengert_tensor::Float;

/// What a worker has found since the last update. Nothing of it is told to the others before the last batch of an update: the means over
/// batches are each shard's own, so that the sum over shards is the same tree for any number of workers.
pub(super) struct Found<T> {
    /// For each of the worker's shards the mean over the batches of the weighted gradient and changes of buffers.
    pub(super) shards: Vec<Vec<T>>,
    /// The batches that are complete.
    pub(super) batches: u64,
    /// For each of its shards the weighted losses of the batches whose losses the workers have not added up.
    pub(super) losses: Vec<Vec<T>>,
    /// The first loss among those that were added up that is not finite.
    pub(super) fault: Option<T>,
    /// The largest that evaluations have made of the counts.
    pub(super) counts: Vec<i64>,
    /// Of the batch under way: the pieces that were taken, those of them that have examples, and the evaluations of the model before.
    pub(super) pieces: usize,
    evaluated: usize,
    pub(super) evaluations: u64,
}

impl<T: Float> Found<T> {
    /// Nothing, of so many shards.
    pub(super) fn new(own: usize) -> Self {
        Found {
            shards: Vec::new(),
            batches: 0,
            losses: vec![Vec::new(); own],
            fault: None,
            counts: Vec::new(),
            pieces: 0,
            evaluated: 0,
            evaluations: 0,
        }
    }

    /// Begins a batch.
    pub(super) fn begin(&mut self, params: &Params<T>) {
        self.evaluations = params.step();
        if self.batches == 0 {
            self.counts = params.counts().into_iter().map(|(_, count)| count).collect();
        }
    }

    /// Takes in a piece with examples, which is the next of the worker's shards.
    pub(super) fn add(&mut self, params: &Params<T>, piece: &Piece, value: T, grads: &Grads<T>) {
        let share = T::from_f64(piece.share());
        let (changes, counts) = params.buffer_changes(grads);
        let next: Vec<T> = grads.iter().chain(&changes).map(|&x| share * x).collect();
        self.losses[self.evaluated].push(share * value);
        self.take_in(next);
        for (largest, count) in self.counts.iter_mut().zip(counts) {
            *largest = count.max(*largest);
        }
    }

    fn take_in(&mut self, next: Vec<T>) {
        if self.batches == 0 {
            self.shards.push(next);
        } else {
            running_mean(&mut self.shards[self.evaluated], &next, self.batches + 1);
        }
        self.evaluated += 1;
    }

    /// Ends a batch: shards without an example have found nothing.
    pub(super) fn end_batch(&mut self, params: &Params<T>) {
        while self.evaluated < self.losses.len() {
            self.losses[self.evaluated].push(T::ZERO);
            self.take_in(vec![T::ZERO; params.len() + params.buffer_values().len()]);
        }
        self.batches += 1;
        (self.pieces, self.evaluated) = (0, 0);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Found { evaluations: self.evaluations, ..Found::new(self.losses.len()) };
    }

    /// What it has of each of its shards, whose numbers these are.
    pub(super) fn state(&self, own: Range<usize>) -> State {
        let state = State::new(KIND, 0)
            .with_count("batches", self.batches)
            .with_scalar("fault", self.fault.map_or(Scalar::None, |loss| Scalar::Real(loss.to_f64())))
            .with_words("counts", &self.counts.iter().map(|&count| count as u64).collect::<Vec<_>>());
        own.zip(&self.shards).fold(state, |state, (shard, values)| {
            state
                .with_child(&shard.to_string(), State::new("shard", values.len()).with_vector("mean", values))
        })
    }

    /// Goes on from the states of all shards, of which these are the worker's. If there were others, what they found is counted
    /// as the first's: the sum is the same up to rounding.
    pub(super) fn load(
        &mut self,
        state: &State,
        own: Range<usize>,
        shards: usize,
        len: usize,
    ) -> Result<(), StateError> {
        let names: Vec<&str> = state.children.keys().map(String::as_str).collect();
        state.expect(KIND, &["batches", "fault"], &["counts"], &names)?;
        let vector = |shard: &str| state.child(shard)?.vector::<T>("mean", len);
        self.shards = if names.len() == shards {
            own.map(|shard| vector(&shard.to_string())).collect::<Result<_, _>>()?
        } else {
            let mut found = vec![vec![T::ZERO; len]; own.len()];
            if own.start == 0 {
                for name in names {
                    found[0].iter_mut().zip(vector(name)?).for_each(|(sum, value)| *sum += value);
                }
            }
            found
        };
        self.batches = state.count("batches")?;
        self.fault = match state.scalar("fault")? {
            Scalar::None => None,
            _ => Some(T::from_f64(state.real("fault")?)),
        };
        let counts = state.whole_numbers("counts", self.counts.len())?;
        self.counts = counts.iter().map(|&count| count as i64).collect();
        Ok(())
    }
}

const KIND: &str = "found";

/// What the workers have of all shards, of the state of each worker's.
pub(super) fn joined(parts: Vec<State>) -> State {
    let mut parts = parts.into_iter();
    let mut whole = parts.next().unwrap_or_else(|| State::new(KIND, 0));
    for part in parts {
        let largest = whole.vectors.get("counts").zip(part.vectors.get("counts"));
        if let Some((wengert_state::Values::U64(a), wengert_state::Values::U64(b))) = largest {
            let larger: Vec<u64> = a.iter().zip(b).map(|(&a, &b)| (a as i64).max(b as i64) as u64).collect();
            whole = whole.with_words("counts", &larger);
        }
        whole.children.extend(part.children);
    }
    whole
}
