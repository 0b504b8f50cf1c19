//! What can be wrong with an IDX file.

use wengert_tensor::file::AccessError;

use super::ElementType;

/// Why bytes are not the IDX array that was asked for.
/// [`Idx::read`](super::Idx::read) and [`Idx::write`](super::Idx::write) give it with the path, as a
/// [`DataError`](crate::DataError).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdxError {
    /// There is no such file.
    #[error("no such file")]
    NotFound,
    /// The operating system failed to read or write.
    #[error("{0}")]
    Io(#[source] std::io::Error),
    /// What is to be written to is no regular file.
    #[error("it is {kind}, not a regular file")]
    NotAFile {
        /// What it is.
        kind: &'static str,
    },
    /// The file has no bytes at all.
    #[error("the file is empty")]
    EmptyFile,
    /// The name ends in `.gz`, but the bytes are neither gzip nor plain IDX.
    #[error("not a gzip file: it starts with {:02x} {:02x}, not 1f 8b", found[0], found[1])]
    NotGzip {
        /// The first two bytes.
        found: [u8; 2],
    },
    /// The bytes start as gzip does, but cannot be decompressed, or their checksum is wrong.
    #[error("corrupt gzip data: {0}")]
    CorruptGzip(#[source] std::io::Error),
    /// Something follows the compressed data that is neither more of them nor padding with zeros.
    #[error("the gzip data end, and something else follows: it starts with {first:02x}")]
    AfterGzip {
        /// Its first byte.
        first: u8,
    },
    /// The first two bytes are not zero.
    #[error("not an IDX file: it starts with {:02x} {:02x}, not 00 00", found[0], found[1])]
    WrongMagic {
        /// The first two bytes.
        found: [u8; 2],
    },
    /// The third byte stands for no element type.
    #[error("unknown element type: code {code:#04x}")]
    UnknownElementType {
        /// The byte found.
        code: u8,
    },
    /// The elements are of another type than asked for.
    #[error("elements are {found}, not {expected}")]
    WrongElementType {
        /// The type asked for.
        expected: ElementType,
        /// The type that the header names.
        found: ElementType,
    },
    /// The number of dimensions is not the one asked for.
    #[error("the array has {found} dimensions, not {expected}")]
    WrongDimensions {
        /// The number asked for.
        expected: usize,
        /// The number that the header names.
        found: usize,
    },
    /// The data end inside the header.
    #[error("truncated header: {found} of {expected} bytes")]
    TruncatedHeader {
        /// Bytes that the header has.
        expected: usize,
        /// Bytes that there are.
        found: usize,
    },
    /// The data end before the number of elements that the header claims.
    #[error("truncated data: {found} of {expected} bytes")]
    Truncated {
        /// Bytes of elements that the header claims.
        expected: usize,
        /// Bytes of elements that there are.
        found: usize,
    },
    /// The data go on after the number of elements that the header claims.
    #[error("more data than the {expected} bytes that the header claims")]
    TrailingBytes {
        /// Bytes of elements that the header claims.
        expected: usize,
    },
    /// The product of the dimensions is not a size that memory could have.
    #[error("the product of the {} dimensions {} overflows", dimensions.len(), beginning(dimensions))]
    Overflow {
        /// Lengths of the dimensions, from the header.
        dimensions: Vec<u32>,
    },
    /// The header claims more bytes than the limit allows.
    #[error("the header claims {claimed} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Bytes of elements that the header claims.
        claimed: usize,
        /// The limit.
        limit: usize,
    },
}

/// The first few of at most 255 lengths.
fn beginning(dimensions: &[u32]) -> String {
    let mut text: Vec<String> = dimensions.iter().take(8).map(u32::to_string).collect();
    if dimensions.len() > text.len() {
        text.push("…".into());
    }
    format!("[{}]", text.join(", "))
}

impl From<AccessError> for IdxError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::NotAFile { kind } => IdxError::NotAFile { kind },
            other => IdxError::Io(other.into()),
        }
    }
}
