//! What can be wrong with groups.

use wengert_tensor::names::PatternError;
use wengert_tensor::text::shortened;

use crate::error::HyperParameterError;

/// Why parameters cannot be grouped, or a group not be switched.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GroupsError {
    /// A pattern fits no name.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A pattern fits only names that an earlier group has taken.
    #[error("every parameter that fits `{}` belongs to the earlier group `{}`", shortened(.pattern), shortened(.earlier))]
    Taken {
        /// The later pattern.
        pattern: String,
        /// The pattern of the group that has the first of its parameters.
        earlier: String,
    },
    /// A pattern fits some, but not all, tensors that share an optimiser: give them a group of their own.
    #[error("`{}` fits `{fits}`, but not `{other}`, which shares its optimiser", shortened(.pattern))]
    Shared {
        /// The pattern.
        pattern: String,
        /// A tensor that it fits.
        fits: String,
        /// One that it does not fit.
        other: String,
    },
    /// A hyper-parameter of a group has no meaning.
    #[error("group `{}`: {error}", shortened(.group))]
    HyperParameter {
        /// The pattern of the group; `*` is the rest.
        group: String,
        /// What is wrong.
        #[source]
        error: HyperParameterError,
    },
}
