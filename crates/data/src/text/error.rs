//! What can be wrong with a tokeniser.

/// Why a tokeniser cannot be made, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// Fewer tokens than there are bytes, or too many.
    #[error("a vocabulary of {vocabulary} tokens is not between 256, the number of bytes, and 2^31")]
    VocabularySize {
        /// What was asked for.
        vocabulary: usize,
    },
    /// The operating system failed to read or to write.
    #[error("{0}")]
    Io(#[source] std::io::Error),
    /// What was read is no JSON, or not of the form `{"format": "wengert-bpe", "version": 1, "merges": [[a, b], …]}`.
    #[error("line {line}, column {column}: {what}")]
    Json {
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
        /// What is wrong, cut to a length that can be shown.
        what: String,
    },
    /// A file of another kind or of another version.
    #[error("this is {found:?}, version {version}, not \"wengert-bpe\", version 1")]
    Format {
        /// What the file says that it is, cut to a length that can be shown.
        found: String,
        /// Its version.
        version: u64,
    },
    /// A merge of a token that is not there before it.
    #[error("merge {index} is of token {token}, but there are {known} before it")]
    UnknownPart {
        /// The merge, from 0.
        index: usize,
        /// The token.
        token: u32,
        /// The tokens that are there.
        known: usize,
    },
    /// A pair that is merged twice.
    #[error("merge {index} is of {left} and {right}, as one before it is")]
    Repeated {
        /// The merge, from 0.
        index: usize,
        /// The left token.
        left: u32,
        /// The right token.
        right: u32,
    },
    /// More than the limit, the file or the tokens' bytes together.
    #[error("more than the limit of {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
}
