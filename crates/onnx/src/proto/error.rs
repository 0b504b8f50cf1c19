//! Why bytes are no protobuf message.

/// Why bytes are no protobuf message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProtoError {
    /// A field begins in the message and ends behind it.
    #[error("byte {at}: the field goes beyond the end of its message")]
    Truncated {
        /// Where the field's value begins.
        at: usize,
    },
    /// A varint of more than 64 bits.
    #[error("byte {at}: a number of more than 64 bits")]
    Varint {
        /// Where it begins.
        at: usize,
    },
    /// A field number of zero, or a wire type that protobuf does not have.
    #[error("byte {at}: no field begins with {tag}")]
    Tag {
        /// Where the tag begins.
        at: usize,
        /// The tag.
        tag: u64,
    },
    /// A field of another wire type than the message's definition says.
    #[error("byte {at}: field {field} has another wire type than ONNX gives it")]
    WireType {
        /// Where the value begins.
        at: usize,
        /// The field's number.
        field: u32,
    },
    /// Text that is not UTF-8.
    #[error("byte {at}: text that is not UTF-8")]
    Text {
        /// Where it begins.
        at: usize,
    },
    /// Messages within messages, deeper than any model's.
    #[error("byte {at}: messages within messages, more than {limit} deep")]
    Depth {
        /// Where the innermost begins.
        at: usize,
        /// The most that is read.
        limit: usize,
    },
    /// More memory than twice the file and a constant would be needed for the parts.
    #[error("byte {at}: so many small parts that they would take more than {limit} bytes of memory")]
    Memory {
        /// Where the part begins that would be too many.
        at: usize,
        /// The most that is used.
        limit: usize,
    },
}
