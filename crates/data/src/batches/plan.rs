//! Which examples are in which batch.

use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

use super::Position;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::source::Source;

/// The settings that decide it, together with the number of examples.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Examples of a batch of one worker, at least 1.
    pub(super) size: usize,
    /// Of the shuffling, if there is one.
    pub(super) seed: Option<u64>,
    pub(super) epoch: u64,
    pub(super) drop_last: bool,
    /// Batches whose examples are sorted by length together; 0 if they are not.
    pub(super) bucket: usize,
    pub(super) worker: usize,
    /// At least 1.
    pub(super) workers: usize,
}

impl Plan {
    pub(super) fn of_size(size: usize) -> Self {
        Plan { size, seed: None, epoch: 0, drop_last: false, bucket: 0, worker: 0, workers: 1 }
    }

    /// Examples of the workers' batches of one number.
    fn together(&self) -> usize {
        self.size.saturating_mul(self.workers)
    }

    /// How many of the examples are this worker's.
    pub(super) fn share(&self, examples: usize) -> usize {
        let (full, rest) = (examples / self.together(), examples % self.together());
        let rest = if self.drop_last { 0 } else { rest.saturating_sub(self.worker).div_ceil(self.workers) };
        full * self.size + rest
    }

    fn generator(&self) -> Generator {
        Generator::seeded(self.seed.unwrap_or(0).wrapping_add(self.epoch))
    }

    /// The generator of what is random in a worker's or another part of the batch of this number.
    pub(super) fn augmenting(&self, batch: usize, part: usize) -> Generator {
        self.generator().fork(batch as u64).fork(part as u64)
    }

    /// This worker's examples as rows of the source, batch after batch.
    pub(super) fn order<S: Source>(&self, dataset: &Dataset<S>) -> Tensor<u32> {
        let mut order = Tensor::<u32>::written(dataset.len(), |out| dataset.write_rows(out));
        let mut random = self.generator();
        if self.seed.is_some() {
            random.shuffle(order.as_mut_slice());
        }
        if self.bucket > 0 {
            order = self.bucketed(order, dataset.source(), &mut random);
        }
        if self.workers == 1 {
            return order;
        }
        // Like cards: as batches of all workers are whole numbers of rounds, each worker's are what it gets of them.
        let dealt = order.iter().skip(self.worker).step_by(self.workers);
        Tensor::written(self.share(dataset.len()), |out| {
            for (out, row) in out.iter_mut().zip(dealt) {
                *out = row;
            }
        })
    }

    /// The order with examples of similar length in each batch.
    fn bucketed<S: Source>(&self, mut order: Tensor<u32>, source: &S, random: &mut Generator) -> Tensor<u32> {
        let size = self.together();
        for bucket in order.as_mut_slice().chunks_mut(size.saturating_mul(self.bucket)) {
            bucket.sort_by_cached_key(|&row| source.length(row as usize));
        }
        if self.seed.is_none() {
            return order;
        }
        let sorted = order.as_slice().expect("a new tensor is contiguous");
        let full = sorted.len() / size;
        let batches = random.permutation(full);
        Tensor::written(sorted.len(), |out| {
            let (whole, short) = out.split_at_mut(full * size);
            for (out, batch) in whole.chunks_exact_mut(size).zip(batches) {
                out.copy_from_slice(&sorted[batch as usize * size..][..size]);
            }
            short.copy_from_slice(&sorted[full * size..]);
        })
    }

    /// The position before a batch.
    pub(super) fn position(&self, examples: usize, batch: usize) -> Position {
        Position {
            seed: self.seed,
            epoch: self.epoch,
            batch: batch as u64,
            batch_size: self.together() as u64,
            bucket: self.bucket as u64,
            examples: examples as u64,
        }
    }

    /// The number of the batch that comes next at a position.
    pub(super) fn number_of(&self, position: &Position, examples: usize) -> Result<usize, DataError> {
        let here = self.position(examples, 0);
        let seed = |seed: Option<u64>| seed.map_or("none".into(), |seed| seed.to_string());
        for (what, expected, found) in [
            ("seed", seed(here.seed), seed(position.seed)),
            ("batch size", here.batch_size.to_string(), position.batch_size.to_string()),
            ("bucket", here.bucket.to_string(), position.bucket.to_string()),
            ("number of examples", here.examples.to_string(), position.examples.to_string()),
        ] {
            if expected != found {
                return Err(DataError::PositionMismatch { what, expected, found });
            }
        }
        let batches = match self.drop_last {
            true => examples / self.together(),
            false => examples.div_ceil(self.together()),
        };
        match usize::try_from(position.batch) {
            Ok(next) if next <= batches => Ok(next),
            _ => Err(DataError::PositionOutOfRange { batch: position.batch, batches: batches as u64 }),
        }
    }
}
