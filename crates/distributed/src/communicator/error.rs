//! What can go wrong between ranks.

/// A communication that failed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommunicatorError {
    /// Another rank is gone: it panicked, returned an error or was killed.
    #[error("rank {rank} is gone: {reason}")]
    Gone {
        /// Which one.
        rank: usize,
        /// What it said, if anything.
        reason: String,
    },
    /// A rank that does not exist.
    #[error("{operation}: there is no rank {rank} among {size}")]
    NoSuchRank {
        /// What was asked for.
        operation: &'static str,
        /// The rank.
        rank: usize,
        /// How many there are.
        size: usize,
    },
    /// Ranks called a collective with buffers that do not fit, or different collectives.
    #[error("{operation}: {reason}")]
    Mismatch {
        /// What was asked for.
        operation: &'static str,
        /// How they differ.
        reason: String,
    },
    /// The transport failed.
    #[error("{operation}: {reason}")]
    Transport {
        /// What was asked for.
        operation: &'static str,
        /// What it said.
        reason: String,
    },
}
