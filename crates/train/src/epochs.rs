//! The loops of a run over epochs and batches.

use std::rc::Rc;

use wengert_data::{Batches, Position, Prefetched, Source};

use crate::error::TrainError;
use crate::place::Place;

/// The epochs of a run that are left: made by [`Run::epochs`](crate::Run::epochs). They end early when the run is to end.
#[derive(Debug)]
pub struct Epochs {
    place: Rc<Place>,
    first: bool,
    over: bool,
}

impl Epochs {
    pub(crate) fn new(place: Rc<Place>) -> Self {
        Epochs { place, first: true, over: false }
    }
}

impl Iterator for Epochs {
    type Item = Epoch;

    fn next(&mut self) -> Option<Epoch> {
        if self.over {
            return None;
        }
        let number = self.place.next_epoch(std::mem::take(&mut self.first));
        self.over = number.is_none();
        Some(Epoch { number: number?, place: Rc::clone(&self.place) })
    }
}

impl std::iter::FusedIterator for Epochs {}

/// An epoch of a run.
#[derive(Debug)]
pub struct Epoch {
    /// From 0, as data sets count.
    number: u64,
    place: Rc<Place>,
}

impl Epoch {
    /// Its number, from 1.
    pub fn number(&self) -> u64 {
        self.number + 1
    }

    /// The batches of this epoch, in the order that belongs to its number; those that are left if the run goes on in the
    /// middle of it. They end early when the run is to end.
    ///
    /// # Errors
    /// If the data have no batch, if the run goes on from a place in batches of other settings, or if the batches of this
    /// epoch were asked for before: there is one pass over data in an epoch, since a run goes on from one place in it.
    pub fn batches<S: Source>(&self, batches: Batches<S>) -> Result<EpochBatches<Batches<S>>, TrainError> {
        let whole = batches.clone().epoch(self.number);
        let (count, size, examples) = (whole.len(), whole.batch_size(), whole.examples());
        if count == 0 {
            return Err(TrainError::NoBatches { examples });
        }
        let Some(resumed) = self.place.resumed() else {
            let twice = format!("the batches of epoch {} were asked for twice", self.number());
            return Err(TrainError::Settings(twice));
        };
        let batches = match resumed {
            Some(position) => batches.resume(&position)?,
            None => whole,
        };
        self.place.begin_batches(batches.position(), count as u64);
        Ok(EpochBatches { batches, size, examples, place: Rc::clone(&self.place) })
    }
}

/// The batches of an [`Epoch`].
#[derive(Debug)]
pub struct EpochBatches<I> {
    batches: I,
    size: usize,
    examples: usize,
    place: Rc<Place>,
}

impl<S: Source> EpochBatches<Batches<S>> {
    /// The same batches, prepared by a thread while others are used; up to `depth` wait ([`Batches::prefetch`]).
    ///
    /// # Panics
    /// If `depth` is 0, or the system has no thread.
    #[track_caller]
    pub fn prefetch(self, depth: usize) -> EpochBatches<Prefetched<S>>
    where
        S: Send + Sync + 'static,
        S::Batch: Send + 'static,
    {
        let EpochBatches { batches, size, examples, place } = self;
        EpochBatches { batches: batches.prefetch(depth), size, examples, place }
    }
}

/// Batches that say where they are.
pub trait Placed: Iterator {
    /// The place before the batch that comes next.
    fn place(&self) -> Position;
}

impl<S: Source> Placed for Batches<S> {
    fn place(&self) -> Position {
        self.position()
    }
}

impl<S: Source> Placed for Prefetched<S> {
    fn place(&self) -> Position {
        self.position()
    }
}

impl<I: Placed> Iterator for EpochBatches<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let start = self.batches.place().batch as usize * self.size;
        if start >= self.examples {
            self.place.exhaust();
            return None;
        }
        if !self.place.next_batch() {
            return None;
        }
        let batch = self.batches.next()?;
        let examples = self.examples.saturating_sub(start).min(self.size);
        self.place.give_batch(self.batches.place(), examples as u64);
        Some(batch)
    }
}
