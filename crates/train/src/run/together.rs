//! Steps of several workers.

use std::ops::Range;
use std::rc::Rc;

use wengert_data::Piece;
use wengert_nn::{Ctx, Params, Watched};
use wengert_tape::Var;
use wengert_tensor::Float;

use super::Run;
use super::buckets::{Buckets, Started};
use super::found::Found;
use super::spare::Spare;
use crate::error::TrainError;
use crate::event::Moment;
use crate::learner::{Learner, StepFailure, Stepped};
use crate::parallel::Parallel;
use crate::shares::Shares;

/// The workers of a run, and what this one has found since their last update.
pub(super) struct Together<T: Float> {
    pub(super) group: Rc<dyn Parallel<T>>,
    /// For each network.
    pub(super) found: Vec<Found<T>>,
    spare: Spare<T>,
    /// Batches of the run's own network whose losses have not been added up.
    owed: Vec<Owed>,
    /// Why an observer wants the run to end.
    reason: Option<String>,
}

/// A batch whose loss is still to be told.
pub(super) struct Owed {
    pub(super) at: Moment,
    pub(super) examples: u64,
    pub(super) learning_rate: f64,
    /// How many gradients there were with it.
    pub(super) gradients: u64,
}

/// What came of a piece.
pub(super) enum Taken<T: Float> {
    /// Its loss; more pieces of the batch are to come.
    Piece(T),
    /// That of the last piece of a batch; more batches of the update are to come.
    Batch(T),
    /// All workers have made an update: the losses of the batches before that were not told, and why some want to end.
    Step(Box<Stepped<T>>, Vec<T>, [bool; 2]),
}

impl<T: Float> Together<T> {
    pub(super) fn new(group: Rc<dyn Parallel<T>>, networks: usize) -> Self {
        let own = group.division().own().len();
        let found = (0..networks).map(|_| Found::new(own)).collect();
        Together { group, found, spare: Spare::new(), owed: Vec::new(), reason: None }
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

    /// Evaluates a piece; behind the last of the last batch of an update, all make it.
    #[track_caller]
    fn take(
        &mut self,
        network: usize,
        learner: &mut Learner<'_, T>,
        piece: Piece,
        asks: [bool; 2],
        loss: impl Fn(&Ctx<T>) -> Var<T>,
    ) -> Result<Taken<T>, StepFailure> {
        let shards = self.group.division().shards();
        let found = &mut self.found[network];
        if piece.first != (found.pieces == 0) {
            let reason = "a worker with several shards of a batch takes one step on each".to_owned();
            return Err(TrainError::Settings(reason).into());
        }
        if piece.first {
            found.begin(learner.params());
        }
        found.pieces += 1;
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
        let updates = piece.last && found.batches + 1 >= learner.gradients_per_update();
        let bucket = self.group.bucket().map(|bytes| bytes / size_of::<T>()).filter(|&size| {
            updates && shards > 1 && learner.shares().is_none() && size < learner.params().len()
        });
        let share = T::from_f64(piece.share());
        let mut buckets = bucket.map(|size| {
            Buckets::new(&*self.group, (&*found, &mut self.spare), share, size, learner.params().len())
        });
        // A shard without an example is evaluated where the others wait for it.
        let counts = piece.counted > 0;
        let evaluated = (counts || shards_of_batch.is_some()).then(|| match &mut buckets {
            None => learner.evaluate(&on_shard),
            Some(buckets) => {
                let every = buckets.size();
                let mut reach = |flat: &[T], offset| buckets.reach(counts.then_some(flat), offset);
                learner.evaluate_by(&on_shard, every, &mut reach)
            }
        });
        if let (Some(buckets), None) = (&mut buckets, &evaluated) {
            buckets.reach(None, 0);
        }
        let started = buckets.map(Buckets::started).transpose()?;
        if let Some(evaluated) = evaluated {
            let (at_piece, grads) = evaluated.map_err(|refusal| learner.failure(refusal, &loss))?;
            if shards == 1 {
                found.clear();
                let stepped = learner.apply(at_piece, grads, &loss);
                let stepped = stepped.map_err(|refusal| learner.failure(refusal, &loss))?;
                return Ok(Taken::Step(Box::new(stepped), Vec::new(), asks));
            }
            if counts {
                value = at_piece;
                found.add(
                    learner.params(),
                    &piece,
                    value,
                    &grads,
                    started.is_none().then_some(&mut self.spare),
                );
            }
        }
        if !piece.last {
            learner.params_mut().set_step(evaluations);
            return Ok(Taken::Piece(value));
        }
        found.end_batch(learner.params(), started.is_some());
        learner.params_mut().set_step(evaluations + shards as u64);
        if !updates {
            return Ok(Taken::Batch(value));
        }
        let Sum { gradient, changes, mut losses, asks } =
            self.sum(network, learner.shares(), learner.params(), asks, started)?;
        let counts = self.largest_counts(network)?;
        let found = &mut self.found[network];
        let latest = losses.pop().unwrap_or(T::ZERO);
        let fault = found.fault.or_else(|| losses.iter().copied().find(|loss| !loss.is_finite()));
        found.clear();
        let grads = learner.params().gradient_with_buffers(&gradient, &changes, &counts);
        self.spare.keep(gradient);
        let stepped = learner.apply_mean(fault.unwrap_or(latest), grads);
        let mut stepped = stepped.map_err(|refusal| learner.failure(refusal, &loss))?;
        stepped.loss = latest;
        Ok(Taken::Step(Box::new(stepped), losses, asks))
    }

    /// The sum over all shards of what workers have found for an update.
    fn sum(
        &mut self,
        network: usize,
        shares: Option<&Shares<T>>,
        params: &Params<T>,
        asks: [bool; 2],
        started: Option<Started<T>>,
    ) -> Result<Sum<T>, TrainError> {
        let found = &mut self.found[network];
        let mut gradients = std::mem::take(&mut found.gradients);
        let mut rest = std::mem::take(&mut found.changes);
        for (index, rest) in rest.iter_mut().enumerate() {
            rest.append(&mut found.losses[index]);
            let mine = |asks: bool| if asks && index == 0 { T::ONE } else { T::ZERO };
            rest.extend(asks.map(mine));
        }
        let sum = |shards| self.group.sum(shards).map_err(TrainError::Workers);
        let (gradient, rest) = match (started, shares) {
            (Some(started), _) => {
                let rest = sum(rest)?;
                (started.finish(params.len(), &mut self.spare)?, rest)
            }
            (None, Some(shares)) => {
                let rest = sum(rest)?;
                let own = self.group.sum_segments(gradients, shares.lengths());
                (own.map_err(TrainError::Workers)?, rest)
            }
            (None, None) => {
                gradients.iter_mut().zip(&mut rest).for_each(|(gradient, rest)| gradient.append(rest));
                let mut gradient = sum(gradients)?;
                let rest = gradient.split_off(params.len());
                (gradient, rest)
            }
        };
        let (changes, tail) = rest.split_at(params.buffer_values().len());
        let (losses, asks) = tail.split_at(tail.len() - 2);
        let asks = [asks[0] > T::ZERO, asks[1] > T::ZERO];
        Ok(Sum { gradient, changes: changes.to_vec(), losses: losses.to_vec(), asks })
    }

    fn largest_counts(&self, network: usize) -> Result<Vec<i64>, TrainError> {
        let mut counts = self.found[network].counts.clone();
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

    /// Adds up the losses of the batches that all are owed, without their gradients.
    pub(super) fn settle(&mut self) -> Result<Vec<(Owed, T)>, TrainError> {
        if self.owed.is_empty() {
            return Ok(Vec::new());
        }
        let found = &mut self.found[0];
        let losses = found.losses.iter_mut().map(std::mem::take).collect();
        let sums = self.group.sum(losses).map_err(TrainError::Workers)?;
        found.fault = found.fault.or_else(|| sums.iter().copied().find(|loss| !loss.is_finite()));
        Ok(self.owed.drain(..).zip(sums).collect())
    }

    /// What this worker has found of the gradient.
    pub(super) fn own_gradient(&self, len: usize) -> Vec<T> {
        let mut own = vec![T::ZERO; len];
        for shard in &self.found[0].gradients {
            own.iter_mut().zip(shard).for_each(|(sum, &value)| *sum += value);
        }
        own
    }

    /// This worker's shards, and how many there are.
    pub(super) fn shards(&self) -> (Range<usize>, usize) {
        let division = self.group.division();
        (division.own(), division.shards())
    }

    /// Gives up what was found since the last update.
    pub(super) fn give_up(&mut self, network: usize, params: &mut Params<T>) {
        params.set_step(self.found[network].evaluations);
        self.found[network].clear();
        if network == 0 {
            self.owed.clear();
        }
    }
}

/// What all workers have found.
struct Sum<T> {
    /// With shares, this worker's part of it.
    gradient: Vec<T>,
    changes: Vec<T>,
    losses: Vec<T>,
    /// Whether one wants to end, and why.
    asks: [bool; 2],
}

impl<T: Float> Run<'_, T> {
    /// One step of all workers, or a part of it.
    #[track_caller]
    pub(super) fn step_together(&mut self, loss: impl Fn(&Ctx<T>) -> Var<T>) -> Result<T, TrainError> {
        let piece = self.begin_piece()?;
        let Some(together) = &mut self.together else { unreachable!("asked before") };
        match together.take(0, &mut self.learner, piece, self.place.asks(), loss) {
            Ok(Taken::Piece(value)) => Ok(value),
            Ok(Taken::Batch(value)) => {
                self.place.touch();
                let examples = self.count_batch();
                let learning_rate = self.learner.learning_rate().unwrap_or(f64::NAN);
                let at = self.now();
                let Some(together) = &mut self.together else { unreachable!("asked before") };
                let gradients = together.found[0].batches;
                together.owed.push(Owed { at, examples, learning_rate, gradients });
                Ok(value)
            }
            Ok(Taken::Step(stepped, losses, asks)) => {
                let owed: Vec<_> = together.owed.drain(..).zip(losses).collect();
                self.place.touch();
                self.place.heard(asks);
                self.tell_owed(owed, &stepped.grads);
                Ok(self.stepped(*stepped))
            }
            Err(failure) => {
                together.give_up(0, self.learner.params_mut());
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
        match together.take(index + 1, learner, piece, self.place.asks(), loss) {
            Ok(Taken::Piece(value)) => Ok(value),
            Ok(Taken::Batch(value)) => {
                self.place.touch();
                Ok(value)
            }
            Ok(Taken::Step(stepped, _, asks)) => {
                self.place.touch();
                self.place.heard(asks);
                Ok(stepped.loss)
            }
            Err(failure) => {
                together.give_up(index + 1, learner.params_mut());
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

    /// Puts the model where it was before the pieces of a batch that is not complete.
    pub(super) fn give_up_pieces(&mut self) {
        if let Some(together) = self.together.as_mut().filter(|together| together.found[0].pieces > 0) {
            together.give_up(0, self.learner.params_mut());
        }
    }
}
