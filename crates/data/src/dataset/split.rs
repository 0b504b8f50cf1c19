//! Parts of a data set that share no example.

use wengert_tensor::random::Generator;

use super::Dataset;
use crate::error::DataError;
use crate::source::Source;

impl<S: Source> Dataset<S> {
    /// Two data sets: a `fraction` of the examples (rounded to the nearest number), drawn at random by `seed`,
    /// and the others.
    ///
    /// # Errors
    /// If one of the two would be empty, or `fraction` is not between 0 and 1.
    ///
    /// ```
    /// let data = wengert_data::synthetic::digits(100, 0);
    /// let (train, validation) = data.split(0.9, 42)?;
    /// assert_eq!((train.len(), validation.len()), (90, 10));
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    #[doc(alias = "random_split")]
    pub fn split(&self, fraction: f64, seed: u64) -> Result<(Self, Self), DataError> {
        let first = self.share(fraction)?;
        let rows = self.shuffled_rows(seed);
        let (first, second) = rows.split_at(first);
        Ok((self.with_rows(first.iter().copied()), self.with_rows(second.iter().copied())))
    }

    /// The share of one of several workers, for training that gives each its own examples for good: example `i` belongs to
    /// worker `i` modulo `workers`, so that the shares are disjoint, cover everything and differ by one example at most.
    /// ([`Batches::sharded`](crate::Batches::sharded) shares every epoch anew.)
    ///
    /// # Errors
    /// If `worker` is not below `workers`, or there are fewer examples than would give it one.
    ///
    /// ```
    /// let data = wengert_data::synthetic::digits(10, 0);
    /// assert_eq!([data.shard(0, 3)?.len(), data.shard(1, 3)?.len(), data.shard(2, 3)?.len()], [4, 3, 3]);
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn shard(&self, worker: usize, workers: usize) -> Result<Self, DataError> {
        let examples = self.len();
        if worker >= workers || worker >= examples {
            return Err(DataError::InvalidShard { worker, workers, examples });
        }
        Ok(self.with_rows((worker..examples).step_by(workers).map(|i| self.row(i))))
    }

    /// How many examples a fraction of them is.
    pub(super) fn share(&self, fraction: f64) -> Result<usize, DataError> {
        let examples = self.len();
        let share = (fraction * examples as f64).round();
        if share >= 1.0 && share < examples as f64 {
            Ok(share as usize)
        } else {
            Err(DataError::InvalidSplit { fraction, examples })
        }
    }

    /// The examples' rows in the order that belongs to `seed`.
    pub(super) fn shuffled_rows(&self, seed: u64) -> Vec<u32> {
        let mut rows = vec![0; self.len()];
        self.write_rows(&mut rows);
        Generator::seeded(seed).shuffle(&mut rows);
        rows
    }
}
