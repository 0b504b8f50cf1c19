//! Runs of several workers.

use std::rc::Rc;

use wengert_data::Piece;
use wengert_nn::{Ctx, Grads, Params, Watched};
use wengert_state::State;
use wengert_tape::Var;
use wengert_tensor::Float;

use super::Run;
use crate::error::TrainError;
use crate::learner::{Learner, StepFailure, Stepped};
use crate::parallel::{self, Parallel};

/// The workers of a run, and what this one has found since their last step.
pub(super) struct Together<T: Float> {
    group: Rc<dyn Parallel<T>>,
    found: Found<T>,
    /// Why an observer wants the run to end.
    reason: Option<String>,
}

/// What a worker has found on its pieces of a batch.
struct Found<T> {
    /// For each of its shards that it has evaluated: the weighted gradient, changes of buffers, loss, and whether to end.
    shards: Vec<Vec<T>>,
    counts: Vec<i64>,
    /// The evaluations of the model before the batch.
    evaluations: u64,
}

/// What came of a piece.
enum Taken<T: Float> {
    /// Its loss; more pieces are to come.
    Piece(T),
    /// All workers have made a step; and why some want to end.
    Step(Stepped<T>, [bool; 2]),
}

impl<T: Float> Together<T> {
    pub(super) fn new(group: Rc<dyn Parallel<T>>) -> Self {
        let found = Found { shards: Vec::new(), counts: Vec::new(), evaluations: 0 };
        Together { group, found, reason: None }
    }

    pub(super) fn keep_reason(&mut self, reason: String) {
        self.reason.get_or_insert(reason);
    }

    pub(super) fn take_reason(&mut self) -> Option<String> {
        self.reason.take()
    }

    /// The piece of a step that belongs to no batch: an equal share.
    fn equal_share(&self) -> Result<Piece, TrainError> {
        let division = self.group.division();
        let piece = division.pieces(division.shards()).next();
        match piece.filter(|piece| piece.first && piece.last) {
            Some(piece) => Ok(piece),
            None => Err(TrainError::Settings(
                "a worker with several shards of a batch takes its steps on `epoch.batches`".to_owned(),
            )),
        }
    }

    /// Evaluates a piece; behind the last, all make a step.
    #[track_caller]
    fn take(
        &mut self,
        learner: &mut Learner<'_, T>,
        piece: Piece,
        asks: [bool; 2],
        loss: impl Fn(&Ctx<T>) -> Var<T>,
    ) -> Result<Taken<T>, StepFailure> {
        let (own, shards) = (self.group.division().own(), self.group.division().shards());
        let found = &mut self.found;
        if piece.first == found.shards.is_empty() {
            if piece.first {
                found.begin(learner.params());
            }
        } else {
            let reason = "a worker with several shards of a batch takes one step on each".to_owned();
            return Err(TrainError::Settings(reason).into());
        }
        let shards_of_batch = self.group.shards(piece.share());
        let on_shard = Watched::new(|cx: &Ctx<T>| {
            shards_of_batch.iter().for_each(|shards| cx.set_shards(shards.clone()));
            loss(cx)
        });
        // What looks for a trouble does so alone.
        let loss = Watched::new(&loss);
        let evaluations = found.evaluations;
        learner.params_mut().set_step(evaluations + piece.shard as u64);
        let mut value = T::ZERO;
        // A shard without an example is evaluated where the others wait for it.
        if piece.counted > 0 || shards_of_batch.is_some() {
            let evaluated = learner.evaluate(&on_shard);
            let (at_piece, grads) = evaluated.map_err(|refusal| learner.failure(refusal, &loss))?;
            if shards == 1 {
                let stepped = learner.apply(at_piece, grads, &loss);
                let stepped = stepped.map_err(|refusal| learner.failure(refusal, &loss))?;
                return Ok(Taken::Step(stepped, asks));
            }
            if piece.counted > 0 {
                value = at_piece;
                found.add(learner.params(), &piece, value, &grads);
            }
        }
        if !piece.last {
            learner.params_mut().set_step(evaluations);
            return Ok(Taken::Piece(value));
        }
        let sum = self.group.sum(found.complete(own.len(), learner.params(), asks));
        let sum = sum.map_err(TrainError::Workers)?;
        let counts = self.largest_counts()?;
        self.found.shards.clear();
        learner.params_mut().set_step(evaluations + shards as u64);
        let (gradient, rest) = sum.split_at(learner.params().len());
        let (changes, tail) = rest.split_at(rest.len() - TAIL);
        let grads = learner.params().gradient_with_buffers(gradient, changes, &counts);
        let stepped = learner.apply(tail[0], grads, &loss);
        let stepped = stepped.map_err(|refusal| learner.failure(refusal, &loss))?;
        Ok(Taken::Step(stepped, [tail[1], tail[2]].map(|asks| asks > T::ZERO)))
    }

    fn largest_counts(&self) -> Result<Vec<i64>, TrainError> {
        let mut counts = self.found.counts.clone();
        if counts.is_empty() {
            return Ok(counts);
        }
        let mine: Vec<u8> = counts.iter().flat_map(|count| count.to_le_bytes()).collect();
        for other in self.group.exchange(&mine).map_err(TrainError::Workers)? {
            for (count, bytes) in counts.iter_mut().zip(other.chunks_exact(8)) {
                *count = (*count).max(i64::from_le_bytes(bytes.try_into().expect("eight bytes")));
            }
        }
        Ok(counts)
    }

    /// Gives up what was found of a batch.
    fn give_up(&mut self, params: &mut Params<T>) {
        params.set_step(self.found.evaluations);
        self.found.shards.clear();
    }
}

/// What follows gradient and changes of buffers: the loss, and two wishes to end.
const TAIL: usize = 3;

impl<T: Float> Found<T> {
    fn begin(&mut self, params: &Params<T>) {
        self.shards.clear();
        self.evaluations = params.step();
        self.counts = params.counts().into_iter().map(|(_, count)| count).collect();
    }

    fn add(&mut self, params: &Params<T>, piece: &Piece, value: T, grads: &Grads<T>) {
        let share = T::from_f64(piece.share());
        let (changes, counts) = params.buffer_changes(grads);
        let mut shard = Vec::with_capacity(grads.len() + changes.len() + TAIL);
        shard.extend(grads.iter().chain(&changes).map(|&x| share * x));
        shard.extend([share * value, T::ZERO, T::ZERO]);
        self.shards.push(shard);
        for (largest, count) in self.counts.iter_mut().zip(counts) {
            *largest = count.max(*largest);
        }
    }

    /// The shards of the worker, with zeros for those without an example.
    fn complete(&mut self, own: usize, params: &Params<T>, asks: [bool; 2]) -> Vec<Vec<T>> {
        let mut shards = std::mem::take(&mut self.shards);
        if shards.len() < own {
            let len = params.len() + params.buffer_values().len() + TAIL;
            shards.resize(own, vec![T::ZERO; len]);
        }
        let at = shards[0].len() - 2;
        for (slot, asks) in shards[0][at..].iter_mut().zip(asks) {
            *slot = if asks { T::ONE } else { T::ZERO };
        }
        shards
    }
}

impl<T: Float> Run<'_, T> {
    /// One step of all workers, or a part of it.
    #[track_caller]
    pub(super) fn step_together(&mut self, loss: impl Fn(&Ctx<T>) -> Var<T>) -> Result<T, TrainError> {
        let piece = self.begin_piece()?;
        let Some(together) = &mut self.together else { unreachable!("asked before") };
        match together.take(&mut self.learner, piece, self.place.asks(), loss) {
            Ok(Taken::Piece(value)) => Ok(value),
            Ok(Taken::Step(stepped, asks)) => {
                self.place.touch();
                self.place.heard(asks);
                Ok(self.stepped(stepped))
            }
            Err(failure) => {
                together.give_up(self.learner.params_mut());
                Err(self.failed(failure))
            }
        }
    }

    /// The same for a further network.
    #[track_caller]
    pub(super) fn step_of_together(
        &mut self,
        index: usize,
        loss: impl Fn(&Ctx<T>) -> Var<T>,
    ) -> Result<T, TrainError> {
        let piece = self.begin_piece()?;
        let Some(together) = &mut self.together else { unreachable!("asked before") };
        let learner = &mut self.others[index].1;
        match together.take(learner, piece, self.place.asks(), loss) {
            Ok(Taken::Piece(value)) => Ok(value),
            Ok(Taken::Step(stepped, asks)) => {
                self.place.touch();
                self.place.heard(asks);
                Ok(stepped.loss)
            }
            Err(failure) => {
                together.give_up(learner.params_mut());
                Err(self.failed(failure))
            }
        }
    }

    fn begin_piece(&mut self) -> Result<Piece, TrainError> {
        let piece = match (self.place.at().piece, &self.together) {
            (Some(piece), _) => piece,
            (None, Some(together)) => together.equal_share()?,
            (None, None) => unreachable!("asked before"),
        };
        if piece.first {
            self.begin_update()?;
        }
        Ok(piece)
    }

    /// Lets the workers find out whether they run the same program, and gives all the model of the first.
    /// `resumes` says whether checkpoints are kept, and then whether the run goes on from one.
    pub(super) fn meet(&mut self, resumes: Option<bool>) -> Result<(), TrainError> {
        let Some(together) = &self.together else { return Ok(()) };
        let group = &*together.group;
        let division = group.division();
        if !self.others.is_empty() && division.shards() > group.workers() {
            return Err(TrainError::Settings(format!(
                "several networks in a run need a worker for each shard of a batch: there are {} for {}",
                group.workers(),
                division.shards()
            )));
        }
        let mut facts = super::settings::notes(self);
        let whole = if group.shards(1.0).is_some() { "whole batch" } else { "shard" };
        let kept = match resumes {
            None => "not kept",
            Some(false) => "kept",
            Some(true) => "kept, and gone on from",
        };
        facts.push(("checkpoints".to_owned(), kept.to_owned()));
        let values: Vec<&str> = self.known.iter().map(|(name, _)| name.as_str()).collect();
        facts.push(("measured values".to_owned(), values.join(", ")));
        facts.push(("statistics of a batch are those of its".to_owned(), whole.to_owned()));
        facts.extend(parallel::facts(self.learner.params(), group));
        for (name, other) in &self.others {
            let own = parallel::facts(other.params(), group).into_iter();
            facts.extend(own.map(|(what, value)| (format!("{what} of {name}"), value)));
        }
        parallel::expect_alike(group, &facts)?;
        parallel::take_over_first(self.learner.params_mut(), group)?;
        self.others.iter_mut().try_for_each(|(_, other)| parallel::take_over_first(other.params_mut(), group))
    }

    /// What the first worker has of a state to go on from.
    pub(super) fn state_of_first(&self, mine: Option<State>) -> Result<Option<State>, TrainError> {
        let Some(workers) = self.place.workers() else { return Ok(mine) };
        let message =
            mine.filter(|_| workers.rank() == 0).map_or_else(Vec::new, |state| parallel::bytes(&state));
        let message = workers.message_of_first(message).map_err(TrainError::Workers)?;
        if message.is_empty() { Ok(None) } else { parallel::state(&message).map(Some) }
    }

    /// Whether all workers still have the same model.
    pub(super) fn compare_with_others(&self) -> Result<(), TrainError> {
        let Some(workers) = self.place.workers() else { return Ok(()) };
        let mut facts = vec![parallel::fact_of(self.learner.params())];
        facts.extend(self.others.iter().map(|(name, other)| {
            let (what, value) = parallel::fact_of(other.params());
            (format!("{what} of {name}"), value)
        }));
        parallel::expect_alike(workers, &facts)
    }

    /// Puts the model where it was before the pieces of a batch that is not complete.
    pub(super) fn give_up_pieces(&mut self) {
        if let Some(together) = self.together.as_mut().filter(|together| !together.found.shards.is_empty()) {
            together.give_up(self.learner.params_mut());
        }
    }
}
