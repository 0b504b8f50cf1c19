//! What can go wrong between ranks.

/// A communication that failed.
///
/// ```
/// use wengert_distributed::{Communicator, CommunicatorError, Single};
///
/// let error = Single::new().send(3, 0, b"hello").unwrap_err();
/// assert_eq!(error, CommunicatorError::NoSuchRank { operation: "send", rank: 3, size: 1 });
/// assert_eq!(error.to_string(), "send: there is no rank 3 among 1");
/// ```
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommunicatorError {
    /// Another rank is gone: it panicked, returned an error, was killed, or has finished while this one waits for it.
    #[error("rank {rank} is gone: {reason}")]
    Gone {
        /// Which one, by its number among all.
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
    /// A tag above [`MAX_TAG`](super::MAX_TAG).
    #[error("{operation}: the tag {tag} is above {max}", max = super::MAX_TAG)]
    NoSuchTag {
        /// What was asked for.
        operation: &'static str,
        /// The tag.
        tag: u32,
    },
    /// Ranks called a collective with buffers that do not fit, or different collectives.
    #[error("{operation}: {reason}")]
    Mismatch {
        /// What was asked for.
        operation: &'static str,
        /// How they differ.
        reason: String,
    },
    /// Parameters of a rank that are NaN or infinite, when ranks [meet](crate::local); nothing was averaged.
    #[error("{operation}: rank {rank} has parameters that are not finite; nothing was averaged")]
    NonFinite {
        /// What was asked for.
        operation: &'static str,
        /// The first such rank.
        rank: usize,
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

/// What a panic says.
pub(crate) fn panic_message(payload: &dyn std::any::Any) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("panicked")
}
