//! The loops of a run over epochs and batches.

use std::rc::Rc;

use wengert_data::{Batches, Division, Piece, Position, Prefetched, Source};

use crate::error::TrainError;
use crate::parallel::{Workers, expect_alike, shown_fingerprint};
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
        let (batches, division) = match self.place.workers() {
            Some(workers) => {
                let division = division_of(workers, &batches)?;
                (batches.divided(division.clone()), Some(division))
            }
            None => (batches, None),
        };
        self.place.begin_batches(batches.position(), count as u64);
        let place = Rc::clone(&self.place);
        Ok(EpochBatches { batches, size, examples, division, pieces: Vec::new(), place })
    }
}

/// What the data say, in the form of a fact.
pub(crate) fn contents<S: Source>(batches: &Batches<S>) -> String {
    shown_fingerprint(batches.fingerprint())
}

/// How these batches are divided among workers, who are to have the same.
fn division_of<S: Source>(workers: &dyn Workers, batches: &Batches<S>) -> Result<Division, TrainError> {
    let division = workers.division();
    let (size, examples, position) = (batches.batch_size(), batches.examples(), batches.position());
    expect_alike(
        workers,
        &[
            ("number of examples".to_owned(), position.examples.to_string()),
            ("batch size".to_owned(), size.to_string()),
            ("contents of the data".to_owned(), contents(batches)),
            (
                "order of the examples".to_owned(),
                format!("seed {:?}, bucket {}", position.seed, position.bucket),
            ),
            ("place in the data".to_owned(), format!("epoch {}, batch {}", position.epoch, position.batch)),
        ],
    )?;
    let refuse = |reason: String| Err(TrainError::Settings(reason));
    if batches.is_sharded() {
        return refuse("the batches are sharded already: a run with workers divides them itself".to_owned());
    }
    let (shards, count) = (division.shards(), workers.workers());
    if examples < count {
        return refuse(format!(
            "{examples} examples for {count} workers: each needs at least 1, so start fewer"
        ));
    }
    if size < shards {
        return refuse(format!("batches of {size} examples cannot be divided into {shards} shards"));
    }
    Ok(division)
}

/// The batches of an [`Epoch`]; with [several workers](crate::Trainer::parallel) this one's pieces of them.
#[derive(Debug)]
pub struct EpochBatches<I> {
    batches: I,
    size: usize,
    examples: usize,
    division: Option<Division>,
    /// What is left of the pieces of the batch, the next one last.
    pieces: Vec<Piece>,
    place: Rc<Place>,
}

impl<S: Source> EpochBatches<Batches<S>> {
    /// The same batches, prepared by a thread while others are used; up to `depth` wait ([`Batches::prefetch`]).
    ///
    /// ```
    /// use wengert_data::synthetic;
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// use wengert_optim::Sgd;
    /// use wengert_train::{EpochBatches, Trainer};
    ///
    /// let data = synthetic::digits(100, 0);
    /// let mut params: Params = Params::seeded(0);
    /// let model = Linear::new(params.root(), 784, 10);
    /// let mut run = Trainer::new(&mut params, Sgd::new(0.1)).start()?;
    /// for epoch in run.epochs(2)? {
    ///     let batches: EpochBatches<_> = epoch.batches(data.batches(20).shuffled(0))?;
    ///     for (images, labels) in batches.prefetch(2) {
    ///         run.step(|cx| model.forward(cx, &images).cross_entropy(&labels))?;
    ///     }
    /// }
    /// assert_eq!(run.now().step, 10);
    /// # Ok::<(), wengert_train::TrainError>(())
    /// ```
    ///
    /// # Panics
    /// If `depth` is 0, or the system has no thread.
    #[track_caller]
    pub fn prefetch(self, depth: usize) -> EpochBatches<Prefetched<S>>
    where
        S: Send + Sync + 'static,
        S::Batch: Send + 'static,
    {
        let EpochBatches { batches, size, examples, division, pieces, place } = self;
        EpochBatches { batches: batches.prefetch(depth), size, examples, division, pieces, place }
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
        if self.pieces.is_empty() && !self.place.next_batch() {
            return None;
        }
        let batch = self.batches.next()?;
        let examples = self.examples.saturating_sub(start).min(self.size);
        if let Some(division) = self.division.as_ref().filter(|_| self.pieces.is_empty()) {
            self.pieces.extend(division.pieces(examples));
            self.pieces.reverse();
        }
        self.place.give_batch(self.batches.place(), examples as u64, self.pieces.pop());
        Some(batch)
    }
}
