//! ONNX's messages, as in `onnx.proto` of onnx 1.23: what of them is read or written here.

use super::ProtoError;
use super::field::{Field, Given, messages};
use super::wire::{Fields, Limits, Sink};

messages! {
    /// A model: a graph, and the operator sets that its nodes are of.
    struct ModelProto {
        1 => ir_version: Option<i64>,
        8 => opset_import: Vec<OperatorSetIdProto>,
        2 => producer_name: String,
        3 => producer_version: String,
        4 => domain: String,
        5 => model_version: Option<i64>,
        6 => doc_string: String,
        7 => graph: Option<Box<GraphProto>>,
        14 => metadata_props: Vec<StringStringEntryProto>,
        25 => functions: Vec<FunctionProto>,
    }

    /// The version of a domain's operators; ONNX's own domain is empty.
    struct OperatorSetIdProto {
        1 => domain: String,
        2 => version: Option<i64>,
    }

    /// Nodes in an order in which each comes after those whose outputs it takes.
    struct GraphProto {
        1 => node: Vec<NodeProto>,
        2 => name: String,
        5 => initializer: Vec<TensorProto>,
        15 => sparse_initializer: Vec<SparseTensorProto>,
        10 => doc_string: String,
        11 => input: Vec<ValueInfoProto>,
        12 => output: Vec<ValueInfoProto>,
        13 => value_info: Vec<ValueInfoProto>,
    }

    /// An operation. An input that is left out has an empty name.
    struct NodeProto {
        1 => input: Vec<String>,
        2 => output: Vec<String>,
        3 => name: String,
        4 => op_type: String,
        7 => domain: String,
        8 => overload: String,
        5 => attribute: Vec<AttributeProto>,
        6 => doc_string: String,
    }

    /// A named constant of a node, of the kind that `kind` names.
    struct AttributeProto {
        1 => name: String,
        21 => ref_attr_name: String,
        13 => doc_string: String,
        20 => kind: Option<i32>,
        2 => f: Option<f32>,
        3 => i: Option<i64>,
        4 => s: Option<Vec<u8>>,
        5 => t: Option<Box<TensorProto>>,
        6 => g: Option<Box<GraphProto>>,
        7 => floats: Vec<f32>,
        8 => ints: Vec<i64>,
        9 => strings: Vec<Vec<u8>>,
        10 => tensors: Vec<TensorProto>,
        11 => graphs: Vec<GraphProto>,
        22 => sparse_tensor: Option<Box<SparseTensorProto>>,
    }

    /// Numbers with a shape. Those of most types stand in `raw_data`, little-endian, or in the list for their type.
    struct TensorProto {
        1 => dims: Vec<i64>,
        2 => data_type: Option<i32>,
        4 => float_data: Vec<f32>,
        5 => int32_data: Vec<i32>,
        6 => string_data: Vec<Vec<u8>>,
        7 => int64_data: Vec<i64>,
        8 => name: String,
        12 => doc_string: String,
        9 => raw_data: Option<Vec<u8>>,
        13 => external_data: Vec<StringStringEntryProto>,
        14 => data_location: Option<i32>,
        10 => double_data: Vec<f64>,
        11 => uint64_data: Vec<u64>,
    }

    /// A tensor by its elements that are not zero; only its presence is read.
    struct SparseTensorProto {
        1 => values: Option<Box<TensorProto>>,
        2 => indices: Option<Box<TensorProto>>,
        3 => dims: Vec<i64>,
    }

    /// A value's name and type.
    struct ValueInfoProto {
        1 => name: String,
        2 => r#type: Option<Box<TypeProto>>,
        3 => doc_string: String,
    }

    /// A type; only tensors have more than a name here.
    struct TypeProto {
        1 => tensor_type: Option<Box<TensorTypeProto>>,
        4 => sequence_type: Option<Box<WrappedTypeProto>>,
        9 => optional_type: Option<Box<WrappedTypeProto>>,
        6 => denotation: String,
    }

    /// A sequence of a type, or an optional value of one.
    struct WrappedTypeProto {
        1 => elem_type: Option<Box<TypeProto>>,
    }

    /// The type of a tensor: its elements', and its shape if that is known.
    struct TensorTypeProto {
        1 => elem_type: Option<i32>,
        2 => shape: Option<Box<TensorShapeProto>>,
    }

    /// The lengths of a tensor's axes.
    struct TensorShapeProto {
        1 => dim: Vec<Dimension>,
    }

    /// A length: a number, a name for one that is known when the model runs, or neither.
    struct Dimension {
        1 => dim_value: Option<i64>,
        2 => dim_param: Option<String>,
        3 => denotation: String,
    }

    /// Free text under a name.
    struct StringStringEntryProto {
        1 => key: String,
        2 => value: String,
    }

    /// A graph under a name that nodes call as their operator.
    struct FunctionProto {
        1 => name: String,
        4 => input: Vec<String>,
        5 => output: Vec<String>,
        6 => attribute: Vec<String>,
        11 => attribute_proto: Vec<AttributeProto>,
        7 => node: Vec<NodeProto>,
        8 => doc_string: String,
        9 => opset_import: Vec<OperatorSetIdProto>,
        10 => domain: String,
        13 => overload: String,
    }
}

/// The key among the properties of a model that this crate writes whose value names the initialisers that are buffers, one a line.
pub(crate) const BUFFERS: &str = "wengert.buffers";

impl AttributeProto {
    pub(crate) const FLOAT: i32 = 1;
    pub(crate) const INT: i32 = 2;
    pub(crate) const STRING: i32 = 3;
    pub(crate) const TENSOR: i32 = 4;
    pub(crate) const FLOATS: i32 = 6;
    pub(crate) const INTS: i32 = 7;
    pub(crate) const STRINGS: i32 = 8;

    fn of_kind(name: &str, kind: i32) -> Self {
        AttributeProto { name: name.to_owned(), kind: Some(kind), ..Default::default() }
    }

    pub(crate) fn float(name: &str, value: f32) -> Self {
        AttributeProto { f: Some(value), ..Self::of_kind(name, Self::FLOAT) }
    }

    pub(crate) fn int(name: &str, value: i64) -> Self {
        AttributeProto { i: Some(value), ..Self::of_kind(name, Self::INT) }
    }

    pub(crate) fn string(name: &str, value: &str) -> Self {
        AttributeProto { s: Some(value.as_bytes().to_vec()), ..Self::of_kind(name, Self::STRING) }
    }

    pub(crate) fn tensor(name: &str, value: TensorProto) -> Self {
        AttributeProto { t: Some(Box::new(value)), ..Self::of_kind(name, Self::TENSOR) }
    }

    pub(crate) fn ints(name: &str, values: Vec<i64>) -> Self {
        AttributeProto { ints: values, ..Self::of_kind(name, Self::INTS) }
    }
}

impl NodeProto {
    /// A node of ONNX's own domain.
    pub(crate) fn new(op_type: &str, name: &str, input: Vec<String>, output: Vec<String>) -> Self {
        NodeProto { op_type: op_type.to_owned(), name: name.to_owned(), input, output, ..Default::default() }
    }
}

impl ValueInfoProto {
    /// A tensor's name, the code of its elements' type and its lengths.
    pub(crate) fn tensor(name: &str, elem_type: i32, dim: Vec<Dimension>) -> Self {
        let tensor =
            TensorTypeProto { elem_type: Some(elem_type), shape: Some(Box::new(TensorShapeProto { dim })) };
        let r#type = TypeProto { tensor_type: Some(Box::new(tensor)), ..Default::default() };
        ValueInfoProto { name: name.to_owned(), r#type: Some(Box::new(r#type)), ..Default::default() }
    }
}

impl Dimension {
    pub(crate) fn of(length: usize) -> Self {
        Dimension { dim_value: Some(length as i64), ..Default::default() }
    }

    pub(crate) fn named(name: &str) -> Self {
        Dimension { dim_param: Some(name.to_owned()), ..Default::default() }
    }
}
