//! What can be wrong with ranks that are to train together.

/// Why ranks cannot train together as it was asked for.
///
/// ```
/// use std::rc::Rc;
/// use wengert_distributed::{DataParallel, ParallelError, Single};
/// let error = DataParallel::deterministic(Rc::new(Single::new()), 0).err().unwrap();
/// assert_eq!(error, ParallelError::Shards { shards: 0, ranks: 1 });
/// assert!(error.to_string().starts_with("0 shards for 1 ranks: there must be at least one for each"));
/// ```
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParallelError {
    /// Fewer shards than ranks.
    #[error(
        "{shards} shards for {ranks} ranks: there must be at least one for each, so take more shards or start fewer ranks"
    )]
    Shards {
        /// The shards of a batch.
        shards: usize,
        /// The ranks that were started.
        ranks: usize,
    },
    /// Shards that are to be evaluated at the same time, by fewer ranks.
    #[error(
        "statistics of the whole batch need a rank for each of its shards, and there are {ranks} for {shards}: a rank evaluates its shards one after the other"
    )]
    SeveralShards {
        /// The shards of a batch.
        shards: usize,
        /// The ranks that were started.
        ranks: usize,
    },
    /// An objective that is no sum of squares, where residuals are needed.
    #[error("the objective of a shard of rank {rank} has no residuals: it is no sum of squares")]
    NoResiduals {
        /// The rank.
        rank: usize,
    },
    /// A rank without a part of the data.
    #[error(
        "rank {rank} has no examples in its part of {shards} shards for {ranks} ranks: start fewer ranks"
    )]
    NoExamples {
        /// The rank.
        rank: usize,
        /// The shards of the data.
        shards: usize,
        /// The ranks that were started.
        ranks: usize,
    },
}
