//! The sum of a gradient that begins while the backward sweep goes on.

use std::ops::Range;

use wengert_optim::first::running_mean;
use wengert_tensor::Float;

use super::found::Found;
use super::spare::Spare;
use crate::error::TrainError;
use crate::parallel::{Parallel, PendingSum, WorkersError};

/// The flat gradient in buckets, the last first: each is added up over the workers as soon as the sweep has passed it. Where buckets begin
/// depends on their size alone, so that a worker that has nothing to evaluate has the same.
pub(super) struct Buckets<'a, T: Float> {
    group: &'a dyn Parallel<T>,
    /// What was found before the piece that is being evaluated.
    found: &'a Found<T>,
    spare: &'a mut Spare<T>,
    /// The weight of the piece.
    share: T,
    size: usize,
    /// What is in front of this is not under way yet.
    end: usize,
    pending: Vec<(Range<usize>, Box<dyn PendingSum<T>>)>,
    failure: Option<WorkersError>,
}

impl<'a, T: Float> Buckets<'a, T> {
    /// Of a gradient of `len` elements.
    pub(super) fn new(
        group: &'a dyn Parallel<T>,
        (found, spare): (&'a Found<T>, &'a mut Spare<T>),
        share: T,
        size: usize,
        len: usize,
    ) -> Self {
        Buckets {
            group,
            found,
            spare,
            share,
            size: size.max(1),
            end: len,
            pending: Vec::new(),
            failure: None,
        }
    }

    /// The elements of a bucket.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The gradient of the piece is final from `offset` on; none if it has no examples.
    pub(super) fn reach(&mut self, flat: Option<&[T]>, offset: usize) {
        if let Err(error) = self.try_reach(flat, offset) {
            self.failure.get_or_insert(error);
        }
    }

    fn try_reach(&mut self, flat: Option<&[T]>, offset: usize) -> Result<(), WorkersError> {
        while self.failure.is_none() && self.end > 0 && offset <= self.end.saturating_sub(self.size) {
            let range = self.end.saturating_sub(self.size)..self.end;
            let shards = self.found.with_piece(flat, self.share, &range, self.spare);
            let sum = self.group.start_sum(shards)?;
            self.end = range.start;
            self.pending.push((range, sum));
        }
        // The first that is not at its end; those behind it go on with it.
        for (_, sum) in &mut self.pending {
            if !sum.progress()? {
                break;
            }
        }
        Ok(())
    }

    /// All that is under way.
    pub(super) fn started(self) -> Result<Started<T>, TrainError> {
        match self.failure {
            Some(error) => Err(TrainError::Workers(error)),
            None => Ok(Started(self.pending)),
        }
    }
}

/// The buckets of a gradient whose sums are under way.
pub(super) struct Started<T: Float>(Vec<(Range<usize>, Box<dyn PendingSum<T>>)>);

impl<T: Float> Started<T> {
    /// Waits for the sum of all, of `len` elements.
    pub(super) fn finish(self, len: usize, spare: &mut Spare<T>) -> Result<Vec<T>, TrainError> {
        let mut gradient = spare.take(len);
        gradient.resize(len, T::ZERO);
        for (range, sum) in self.0 {
            let sum = sum.finish().map_err(TrainError::Workers)?;
            gradient[range].copy_from_slice(&sum);
            spare.keep(sum);
        }
        Ok(gradient)
    }
}

impl<T: Float> Found<T> {
    /// For each of the worker's shards the mean in this range, with the piece that is being evaluated.
    fn with_piece(
        &self,
        flat: Option<&[T]>,
        share: T,
        range: &Range<usize>,
        spare: &mut Spare<T>,
    ) -> Vec<Vec<T>> {
        let mut of_shard = |shard: usize| {
            let mut next = spare.take(range.len());
            if shard < self.evaluated {
                next.extend_from_slice(&self.gradients[shard][range.clone()]);
                return next;
            }
            match flat.filter(|_| shard == self.evaluated) {
                Some(flat) => next.extend(flat[range.clone()].iter().map(|&x| share * x)),
                None => next.resize(range.len(), T::ZERO),
            }
            if self.batches == 0 {
                return next;
            }
            let mut mean = spare.take(range.len());
            mean.extend_from_slice(&self.gradients[shard][range.clone()]);
            running_mean(&mut mean, &next, self.batches + 1);
            spare.keep(next);
            mean
        };
        (0..self.losses.len()).map(&mut of_shard).collect()
    }
}
