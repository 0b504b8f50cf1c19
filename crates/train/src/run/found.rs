//! What a worker has found on its pieces of batches.

use std::ops::Range;

use wengert_data::Piece;
use wengert_nn::{Grads, Params};
use wengert_optim::first::running_mean;
use wengert_state::{Scalar, State, StateError};
use wengert_tensor::{Float, size};

use super::spare::Spare;

/// What a worker has found since the last update. Nothing of it is told to the others before the last batch of an update: the means over
/// batches are each shard's own, so that the sum over shards is the same tree for any number of workers.
pub(super) struct Found<T> {
    /// For each of the worker's shards the mean over the batches of the weighted gradient, and of the weighted changes of buffers.
    pub(super) gradients: Vec<Vec<T>>,
    pub(super) changes: Vec<Vec<T>>,
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
    pub(super) evaluated: usize,
    pub(super) evaluations: u64,
}

impl<T: Float> Found<T> {
    /// Nothing, of so many shards.
    #[track_caller]
    pub(super) fn new(own: usize) -> Self {
        let mut losses = size::list("Trainer", own);
        losses.resize_with(own, Vec::new);
        Found {
            gradients: Vec::new(),
            changes: Vec::new(),
            batches: 0,
            losses,
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

    /// Takes in a piece with examples, which is the next of the worker's shards; without its gradient, and so without memory for it,
    /// where that is added up already.
    pub(super) fn add(
        &mut self,
        params: &Params<T>,
        piece: &Piece,
        value: T,
        grads: &Grads<T>,
        spare: Option<&mut Spare<T>>,
    ) {
        let share = T::from_f64(piece.share());
        let (changes, counts) = params.buffer_changes(grads);
        self.losses[self.evaluated].push(share * value);
        let changes = changes.iter().map(|&x| share * x).collect();
        take_in(&mut self.changes, self.evaluated, self.batches, changes);
        if let Some(spare) = spare {
            // With room for what is sent with it.
            let mut gradient = spare.take(grads.len() + self.changes[self.evaluated].len() + TAIL);
            gradient.extend(grads.iter().map(|&x| share * x));
            take_in(&mut self.gradients, self.evaluated, self.batches, gradient);
        }
        for (largest, count) in self.counts.iter_mut().zip(counts) {
            *largest = count.max(*largest);
        }
        self.evaluated += 1;
    }

    /// Ends a batch: shards without an example have found nothing.
    pub(super) fn end_batch(&mut self, params: &Params<T>, summed: bool) {
        while self.evaluated < self.losses.len() {
            self.losses[self.evaluated].push(T::ZERO);
            let buffers = params.buffer_values().len();
            take_in(&mut self.changes, self.evaluated, self.batches, vec![T::ZERO; buffers]);
            if !summed {
                take_in(&mut self.gradients, self.evaluated, self.batches, vec![T::ZERO; params.len()]);
            }
            self.evaluated += 1;
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
        own.zip(self.gradients.iter().zip(&self.changes)).fold(
            state,
            |state, (shard, (gradient, changes))| {
                let of_shard = State::new("shard", gradient.len())
                    .with_vector("gradient", gradient)
                    .with_vector("changes", changes);
                state.with_child(&shard.to_string(), of_shard)
            },
        )
    }

    /// Goes on from the states of all shards, of which these are the worker's, with vectors of these lengths. If there were others,
    /// what they found is counted as the first's: the sum is the same up to rounding.
    pub(super) fn load(
        &mut self,
        state: &State,
        own: Range<usize>,
        shards: usize,
        [parameters, buffers]: [usize; 2],
    ) -> Result<(), StateError> {
        let names: Vec<&str> = state.children.keys().map(String::as_str).collect();
        state.expect(KIND, &["batches", "fault"], &["counts"], &names)?;
        let vectors = |name: &str, len: usize| -> Result<Vec<Vec<T>>, StateError> {
            let of = |shard: &str| state.child(shard)?.vector::<T>(name, len);
            if names.len() == shards {
                return own.clone().map(|shard| of(&shard.to_string())).collect();
            }
            let mut found = vec![vec![T::ZERO; len]; own.len()];
            for shard in names.iter().filter(|_| own.start == 0) {
                found[0].iter_mut().zip(of(shard)?).for_each(|(sum, value)| *sum += value);
            }
            Ok(found)
        };
        (self.gradients, self.changes) = (vectors("gradient", parameters)?, vectors("changes", buffers)?);
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

/// Room for some losses and the wishes to end.
const TAIL: usize = 18;

const KIND: &str = "found";

/// Takes what was found on batch number `batches`, counted from 0, into the mean of a shard.
fn take_in<T: Float>(means: &mut Vec<Vec<T>>, shard: usize, batches: u64, next: Vec<T>) {
    if batches == 0 {
        means.push(next);
    } else {
        running_mean(&mut means[shard], &next, batches + 1);
    }
}

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
