//! The part of protobuf that ONNX files are written in, and ONNX's messages.

mod error;
mod external;
mod field;
mod messages;
mod tensor;
mod wire;

pub(crate) use error::ProtoError;
pub(crate) use external::External;
pub(crate) use field::Message;
pub(crate) use messages::{
    AttributeProto, BUFFERS, Dimension, FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, ValueInfoProto,
};
pub(crate) use tensor::{DataType, Numbers};
