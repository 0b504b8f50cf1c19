//! Where a run is, as its iterators and the run itself know it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wengert_data::{Piece, Position};

use crate::error::TrainError;
use crate::interrupt;
use crate::parallel::Workers;

/// What the iterators of a run share with it: they move it on, and the run ends them.
#[derive(Default)]
pub(crate) struct Place {
    at: Cell<At>,
    ending: Cell<bool>,
    interrupted: Cell<bool>,
    /// Whether an interruption is looked for.
    interruptible: Cell<bool>,
    /// Others that train the same model.
    workers: Option<Rc<dyn Workers>>,
    /// Whether an observer of this worker wants all to end, and whether all do because of one.
    asks: Cell<bool>,
    asked: Cell<bool>,
    /// What went wrong where an iterator could not say so.
    failure: RefCell<Option<TrainError>>,
}

/// Where a run is. A *unit* is what an iterator has given out: a batch, or an epoch without batches.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct At {
    pub(crate) epoch: u64,
    /// The number of epochs that were asked for.
    pub(crate) epochs: u64,
    /// Batches of the epoch that were given out, and how many there are.
    pub(crate) batch: u64,
    pub(crate) batches: u64,
    /// Examples of the unit, and which of them are this worker's if there are several.
    pub(crate) examples: u64,
    pub(crate) piece: Option<Piece>,
    /// Places in the data before the unit and behind it.
    before: Option<Position>,
    after: Option<Position>,
    /// Counts units.
    pub(crate) unit: u64,
    /// Updates of parameters in this unit, and in the last one that had some.
    touched: u64,
    touched_before: u64,
    /// Whether units have not all had as many updates, or something else changed in one.
    irregular: bool,
    /// Whether all that belongs to the unit is done, since the next one was asked for.
    whole: bool,
    /// Whether something else was changed or measured, in the unit or behind it.
    changed: bool,
    /// Where the batches of the epoch are to begin, if not with the first.
    resume: Option<Position>,
    /// Whether they were asked for, and whether all were given out.
    begun: bool,
    exhausted: bool,
}

/// A place to go on from: an epoch, and where in its data if it has begun.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Start {
    pub(crate) epoch: u64,
    pub(crate) position: Option<Position>,
}

impl At {
    /// Nothing of the epoch is left to train on.
    pub(crate) fn epoch_is_over(&self) -> bool {
        self.exhausted || (self.after.is_none() && self.touched > 0)
    }

    /// Epochs are left of those that were asked for.
    pub(crate) fn is_before_end(&self) -> bool {
        self.epoch < self.epochs
    }

    /// Nothing was done yet with what was given out: all is at a place to go on from.
    pub(crate) fn is_fresh(&self) -> bool {
        self.touched == 0 && !self.changed
    }

    /// The run goes on in the middle of the epoch, and its batches were not asked for yet.
    pub(crate) fn is_before_rest(&self) -> bool {
        self.resume.is_some() && !self.begun
    }

    /// Where to go on from, if all that belongs to the unit is done.
    pub(crate) fn start(&self) -> Start {
        match (self.epoch_is_over(), self.touched) {
            (true, _) => Start { epoch: self.epoch + 1, position: None },
            (false, 0) => Start { epoch: self.epoch, position: self.before },
            (false, _) => Start { epoch: self.epoch, position: self.after },
        }
    }

    /// Where to go on from in the middle of things, where a program fails: in front of a unit whose work has not begun, or behind
    /// one whose work is done; nowhere if that is not known. In a `plain` program, which has nothing but steps, a unit is also done
    /// that had as many as each one before.
    pub(crate) fn start_from_failure(&self, plain: bool) -> Option<Start> {
        let as_always = plain && !self.irregular && self.touched == self.touched_before;
        match self.touched {
            _ if self.changed => None,
            0 => Some(Start { epoch: self.epoch, position: self.before }),
            _ if (self.whole || as_always) && self.after.is_some() => {
                Some(Start { epoch: self.epoch, position: self.after })
            }
            _ => None,
        }
    }

    /// Whether all that belongs to the unit is done.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// The next unit is asked for. What was changed in this one belongs to it, if it had a step.
    fn finish_unit(&mut self) {
        if !self.whole && self.touched > 0 {
            self.irregular |= self.changed;
            (self.whole, self.changed) = (true, false);
        }
    }

    fn give_out(&mut self) {
        // What came before the batches of an epoch is not done again with the first.
        self.changed &= self.touched == 0;
        if self.touched > 0 {
            self.irregular |= ![0, self.touched].contains(&self.touched_before);
            self.touched_before = self.touched;
        }
        self.unit += 1;
        (self.touched, self.whole) = (0, false);
    }
}

impl Place {
    /// A place that moves as those of the other workers do.
    pub(crate) fn among(workers: Option<Rc<dyn Workers>>) -> Self {
        Place { workers, ..Place::default() }
    }

    pub(crate) fn workers(&self) -> Option<&dyn Workers> {
        self.workers.as_deref()
    }

    /// An observer of this worker wants all to end.
    pub(crate) fn ask(&self) {
        self.asks.set(true);
    }

    /// Whether this worker wants all to end: because of an observer, and because of the user.
    pub(crate) fn asks(&self) -> [bool; 2] {
        [self.asks.get(), self.interruptible.get() && interrupt::happened()]
    }

    /// Lets all workers end if one of them wants to, where one is.
    pub(crate) fn agree(&self) -> Result<(), TrainError> {
        let Some(workers) = self.workers().filter(|_| !self.ending.get()) else { return Ok(()) };
        let [observer, user] = self.asks().map(u8::from);
        let all = workers.exchange(&[observer, user]).map_err(TrainError::Workers)?;
        self.heard([0, 1].map(|i| all.iter().any(|asks| asks.get(i) == Some(&1))));
        Ok(())
    }

    /// Takes in for which reasons some worker wants all to end.
    pub(crate) fn heard(&self, [observer, user]: [bool; 2]) {
        if !self.ending.get() && (observer || user) {
            self.interrupted.set(user);
            self.asked.set(!user);
            self.ending.set(true);
        }
    }

    /// Whether all workers end because of an observer of one.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.get()
    }

    /// Something went wrong where nothing can say so: the run ends, and says so then.
    pub(crate) fn fail(&self, error: TrainError) {
        self.failure.borrow_mut().get_or_insert(error);
        self.end();
    }

    /// What went wrong where an iterator could not say so.
    pub(crate) fn failed(&self) -> Result<(), TrainError> {
        self.failure.take().map_or(Ok(()), Err)
    }

    pub(crate) fn at(&self) -> At {
        self.at.get()
    }

    fn change<R>(&self, change: impl FnOnce(&mut At) -> R) -> R {
        let mut at = self.at.get();
        let result = change(&mut at);
        self.at.set(at);
        result
    }

    pub(crate) fn go_to(&self, start: Start) {
        let Start { epoch, position: resume } = start;
        let batch = resume.map_or(0, |position| position.batch);
        let (before, after) = (resume, resume);
        self.change(|at| {
            *at = At { epoch, epochs: at.epochs, batch, before, after, resume, ..At::default() }
        });
    }

    pub(crate) fn set_epochs(&self, epochs: u64) {
        self.change(|at| at.epochs = epochs);
    }

    /// Parameters were updated.
    pub(crate) fn touch(&self) {
        self.change(|at| at.touched += 1);
    }

    /// Something else was changed or measured.
    pub(crate) fn changed(&self) {
        self.change(|at| at.changed = true);
    }

    pub(crate) fn end(&self) {
        self.ending.set(true);
    }

    /// Whether the run is to end, for what is no iterator.
    pub(crate) fn is_ending(&self) -> bool {
        !self.goes_on()
    }

    pub(crate) fn watch_for_interruption(&self) {
        self.interruptible.set(true);
    }

    /// Whether the run was broken off between two units, to go on another time.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.get()
    }

    /// Whether iterators go on.
    fn goes_on(&self) -> bool {
        let alone = self.workers.is_none();
        if alone && self.interruptible.get() && !self.ending.get() && interrupt::happened() {
            self.interrupted.set(true);
            self.ending.set(true);
        }
        !self.ending.get()
    }

    /// The next epoch, if there is one.
    pub(crate) fn next_epoch(&self, first: bool) -> Option<u64> {
        if let Err(error) = self.agree() {
            self.fail(error);
        }
        let at = self.at.get();
        let broken_off = self.ending.get() && !at.epoch_is_over();
        if !first && !broken_off {
            self.change(|at| {
                let At { epochs, unit, touched, touched_before, irregular, .. } = *at;
                let epoch = at.epoch + 1;
                *at = At { epoch, epochs, unit, touched, touched_before, irregular, ..At::default() };
            });
        }
        let at = self.at.get();
        if at.epoch >= at.epochs || !self.goes_on() {
            // Nothing was given out that work could be done on.
            self.change(|at| {
                if !broken_off {
                    at.touched = 0
                }
            });
            return None;
        }
        self.change(At::give_out);
        Some(at.epoch)
    }

    /// Where the batches of the epoch are to begin, if not with the first; nothing if they were asked for before.
    pub(crate) fn resumed(&self) -> Option<Option<Position>> {
        self.change(|at| if std::mem::replace(&mut at.begun, true) { None } else { Some(at.resume.take()) })
    }

    /// Batches are about to be given out, beginning at this place.
    pub(crate) fn begin_batches(&self, position: Position, batches: u64) {
        self.change(|at| {
            (at.batch, at.batches) = (position.batch, batches);
            (at.before, at.after) = (Some(position), Some(position));
        });
    }

    /// The next batch is asked for: all is done with the last one. Returns whether it may be given out.
    pub(crate) fn next_batch(&self) -> bool {
        self.change(|at| at.finish_unit());
        self.goes_on()
    }

    /// A batch, or a piece of one, is given out, of so many examples, behind which this is the place.
    pub(crate) fn give_batch(&self, after: Position, examples: u64, piece: Option<Piece>) {
        self.change(|at| {
            if piece.is_none_or(|piece| piece.first) {
                at.give_out();
                at.before = at.after;
            }
            (at.after, at.piece) = (Some(after), piece);
            (at.batch, at.examples) = (after.batch, examples);
        });
    }

    /// There are no more batches in this epoch.
    pub(crate) fn exhaust(&self) {
        self.change(|at| {
            at.finish_unit();
            at.exhausted = true;
        });
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place").field("at", &self.at).finish_non_exhaustive()
    }
}
