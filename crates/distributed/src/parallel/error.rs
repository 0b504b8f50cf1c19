//! What can be wrong with ranks that are to train together.

/// Why ranks cannot train together as it was asked for.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParallelError {
    /// Fewer shards than ranks.
    #[error("{shards} shards for {ranks} ranks: there must be at least one for each")]
    Shards {
        /// The shards of a batch.
        shards: usize,
        /// The ranks that were started.
        ranks: usize,
    },
    /// A rank without a part of the data.
    #[error("rank {rank} has no examples in its part of {shards} shards for {ranks} ranks")]
    NoExamples {
        /// The rank.
        rank: usize,
        /// The shards of the data.
        shards: usize,
        /// The ranks that were started.
        ranks: usize,
    },
}
