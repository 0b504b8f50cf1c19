//! The graph that is being written: nodes, initialisers and names.

use std::collections::{HashMap, HashSet};

use wengert_tape::{Data, Kind};
use wengert_tensor::{Float, Tensor};

use super::length::{Length, Quantity};
use crate::proto::{AttributeProto, DataType, NodeProto, TensorProto};

/// Nodes in the order in which they are computed, with the parameters and buffers that they take.
pub(super) struct Graph {
    pub(super) nodes: Vec<NodeProto>,
    pub(super) initialisers: Vec<TensorProto>,
    /// The version of the operators.
    pub(super) opset: i64,
    /// The type of floating-point numbers.
    pub(super) float: DataType,
    /// An input and the axis of it that is as long as the batch.
    batch: Option<(String, usize)>,
    /// The name of a vector of one element, the size of the batch, once it is computed.
    size: Option<String>,
    /// The layer whose operation is being written.
    pub(super) scope: String,
    taken: HashSet<String>,
    /// How often a name was asked for.
    asked: HashMap<String, usize>,
    /// The constants that there are, by type, shape and bytes.
    constants: HashMap<(i32, Vec<i64>, Vec<u8>), String>,
}

/// An input that is left out.
pub(super) const NONE: &str = "";

impl Graph {
    pub(super) fn new(opset: i64, float: DataType, batch: Option<(String, usize)>, names: &[String]) -> Self {
        Graph {
            nodes: Vec::new(),
            initialisers: Vec::new(),
            opset,
            float,
            batch,
            size: None,
            scope: String::new(),
            taken: names.iter().cloned().collect(),
            asked: HashMap::new(),
            constants: HashMap::new(),
        }
    }

    /// A name that nothing else has: this one, or with a number behind it.
    pub(super) fn fresh(&mut self, wanted: &str) -> String {
        loop {
            let asked = self.asked.entry(wanted.to_owned()).or_default();
            let name = if *asked == 0 { wanted.to_owned() } else { format!("{wanted}_{asked}") };
            *asked += 1;
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    /// An operator of these inputs, without attributes.
    pub(super) fn op(&mut self, kind: &str, inputs: &[&str]) -> String {
        self.with(kind, inputs, Vec::new())
    }

    pub(super) fn with(&mut self, kind: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> String {
        self.parts(kind, inputs, attributes, 1).remove(0)
    }

    /// An operator with several outputs.
    pub(super) fn parts(
        &mut self,
        kind: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
        outputs: usize,
    ) -> Vec<String> {
        let place =
            if self.scope.is_empty() { format!("/{kind}") } else { format!("/{}/{kind}", self.scope) };
        let name = self.fresh(&place);
        let outputs: Vec<String> = (0..outputs).map(|i| self.fresh(&format!("{name}_output_{i}"))).collect();
        let inputs = inputs.iter().map(|&input| input.to_owned()).collect();
        let mut node = NodeProto::new(kind, &name, inputs, outputs.clone());
        node.attribute = attributes;
        self.nodes.push(node);
        outputs
    }

    /// Adds a constant, unless there is one of the same numbers: a node, as what has a name of its own alone is an initialiser, which
    /// other programs train.
    fn shared(&mut self, hint: &str, data_type: DataType, dims: &[usize], bytes: Vec<u8>) -> String {
        let key = (data_type.code(), dims.iter().map(|&d| d as i64).collect(), bytes);
        if let Some(name) = self.constants.get(&key) {
            return name.clone();
        }
        let name = self.fresh(hint);
        let mut node = NodeProto::new("Constant", &name, Vec::new(), vec![name.clone()]);
        node.attribute =
            vec![AttributeProto::tensor("value", TensorProto::raw("", data_type, dims, key.2.clone()))];
        self.nodes.push(node);
        self.constants.insert(key, name.clone());
        name
    }

    /// A floating-point number.
    pub(super) fn number(&mut self, x: f64) -> String {
        let bytes = if self.float == DataType::Double {
            x.to_le_bytes().to_vec()
        } else {
            (x as f32).to_le_bytes().to_vec()
        };
        self.shared("number", self.float, &[], bytes)
    }

    /// Floating-point numbers of some shape.
    pub(super) fn numbers(&mut self, dims: &[usize], values: &[f64]) -> String {
        let bytes = if self.float == DataType::Double {
            values.iter().flat_map(|x| x.to_le_bytes()).collect()
        } else {
            values.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect()
        };
        self.shared("numbers", self.float, dims, bytes)
    }

    /// A whole number.
    pub(super) fn int(&mut self, x: i64) -> String {
        self.shared("integer", DataType::Int64, &[], x.to_le_bytes().to_vec())
    }

    /// A vector of whole numbers.
    pub(super) fn ints(&mut self, values: &[i64]) -> String {
        self.int_tensor(&[values.len()], values)
    }

    /// Whole numbers of some shape.
    pub(super) fn int_tensor(&mut self, dims: &[usize], values: &[i64]) -> String {
        self.shared("integers", DataType::Int64, dims, values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    /// Truth values of some shape.
    pub(super) fn flags(&mut self, dims: &[usize], values: &[bool]) -> String {
        self.shared("flags", DataType::Bool, dims, values.iter().map(|&x| u8::from(x)).collect())
    }

    /// A constant of any kind.
    pub(super) fn data<T: Float>(&mut self, data: &Data<T>) -> String {
        let dims = data.shape().to_vec();
        match data {
            Data::Float(tensor) => {
                let (data_type, bytes) = (self.float, float_bytes(tensor));
                self.shared("constant", data_type, &dims, bytes)
            }
            Data::Index(tensor) => {
                let values: Vec<i64> = tensor.to_vec().into_iter().map(i64::from).collect();
                self.int_tensor(&dims, &values)
            }
            Data::Mask(tensor) => self.flags(&dims, &tensor.to_vec()),
        }
    }

    /// A tensor under a name of its own.
    pub(super) fn named<T: Float>(&mut self, name: &str, tensor: &Tensor<T>) {
        let proto = TensorProto::raw(name, self.float, tensor.shape(), float_bytes(tensor));
        self.initialisers.push(proto);
    }

    /// The size of the batch, as a vector of one element.
    fn size(&mut self) -> String {
        if let Some(size) = &self.size {
            return size.clone();
        }
        let (input, axis) = self.batch.clone().expect("lengths depend on the batch only where there is one");
        let scope = std::mem::take(&mut self.scope);
        let range = [("start", axis as i64), ("end", axis as i64 + 1)];
        let range = range.map(|(name, at)| AttributeProto::int(name, at)).to_vec();
        let size = self.with("Shape", &[&input], range);
        self.scope = scope;
        self.size = Some(size.clone());
        size
    }

    /// A length as a vector of one element.
    fn length(&mut self, length: Length) -> String {
        if let Some(known) = length.known() {
            return self.ints(&[known]);
        }
        let mut name = self.size();
        if length.each != 1 {
            let each = self.ints(&[length.each]);
            name = self.op("Mul", &[&name, &each]);
        }
        if length.fixed != 0 {
            let fixed = self.ints(&[length.fixed]);
            name = self.op("Add", &[&name, &fixed]);
        }
        name
    }

    /// A vector of lengths.
    pub(super) fn lengths(&mut self, lengths: &[Length]) -> String {
        if let Some(known) = lengths.iter().map(|length| length.known()).collect::<Option<Vec<i64>>>() {
            return self.ints(&known);
        }
        let parts: Vec<String> = lengths.iter().map(|&length| self.length(length)).collect();
        if let [only] = &parts[..] {
            return only.clone();
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        self.with("Concat", &parts, vec![AttributeProto::int("axis", 0)])
    }

    /// A length as a scalar.
    pub(super) fn scalar_length(&mut self, length: Length) -> String {
        if let Some(known) = length.known() {
            return self.int(known);
        }
        let vector = self.length(length);
        let nothing = self.ints(&[]);
        self.op("Reshape", &[&vector, &nothing])
    }

    /// A number that may depend on the size of the batch.
    pub(super) fn quantity(&mut self, quantity: Quantity) -> String {
        match quantity {
            Quantity::Fixed(x) => self.number(x),
            Quantity::Of(length) => {
                let length = self.scalar_length(length);
                self.cast(&length, Kind::Float)
            }
            Quantity::Inverse(length) => {
                let length = self.quantity(Quantity::Of(length));
                self.op("Reciprocal", &[&length])
            }
        }
    }

    /// The type of the elements of a kind.
    pub(super) fn data_type(&self, kind: Kind) -> DataType {
        match kind {
            Kind::Float => self.float,
            Kind::Index => DataType::Int64,
            Kind::Mask => DataType::Bool,
        }
    }

    pub(super) fn cast(&mut self, x: &str, to: Kind) -> String {
        let to = self.data_type(to).code().into();
        self.with("Cast", &[x], vec![AttributeProto::int("to", to)])
    }

    pub(super) fn reshape(&mut self, x: &str, shape: &[Length]) -> String {
        let unknown = shape.iter().filter(|length| length.known().is_none()).count();
        let empty = shape.iter().any(|length| length.known() == Some(0));
        if unknown > 1 || empty {
            let shape = self.lengths(shape);
            let zeros_are_zeros = vec![AttributeProto::int("allowzero", 1)];
            return self.with("Reshape", &[x, &shape], zeros_are_zeros);
        }
        let shape: Vec<i64> = shape.iter().map(|length| length.known().unwrap_or(-1)).collect();
        let shape = self.ints(&shape);
        self.op("Reshape", &[x, &shape])
    }

    pub(super) fn expand(&mut self, x: &str, shape: &[Length]) -> String {
        let shape = self.lengths(shape);
        self.op("Expand", &[x, &shape])
    }

    pub(super) fn transpose(&mut self, x: &str, order: &[usize]) -> String {
        if order.iter().copied().eq(0..order.len()) {
            return x.to_owned();
        }
        let order = order.iter().map(|&axis| axis as i64).collect();
        self.with("Transpose", &[x], vec![AttributeProto::ints("perm", order)])
    }

    pub(super) fn unsqueeze(&mut self, x: &str, axes: &[i64]) -> String {
        let axes = self.ints(axes);
        self.op("Unsqueeze", &[x, &axes])
    }

    pub(super) fn squeeze(&mut self, x: &str, axes: &[i64]) -> String {
        let axes = self.ints(axes);
        self.op("Squeeze", &[x, &axes])
    }

    /// A range of one axis.
    pub(super) fn slice(&mut self, x: &str, axis: usize, start: Length, end: Length) -> String {
        let (start, end, axis) = (self.length(start), self.length(end), self.ints(&[axis as i64]));
        self.op("Slice", &[x, &start, &end, &axis])
    }

    /// A reduction over axes.
    pub(super) fn reduce(&mut self, kind: &str, x: &str, axes: &[usize], keep: bool) -> String {
        if axes.is_empty() {
            // No axes would mean all.
            return match kind {
                "ReduceL1" | "ReduceL2" => self.op("Abs", &[x]),
                _ => x.to_owned(),
            };
        }
        let list: Vec<i64> = axes.iter().map(|&axis| axis as i64).collect();
        let keep = AttributeProto::int("keepdims", keep.into());
        // The axes are an input of sums from operator set 13 on, of the other reductions from 18.
        if kind == "ReduceSum" || self.opset >= 18 {
            let list = self.ints(&list);
            return self.with(kind, &[x, &list], vec![keep]);
        }
        self.with(kind, &[x], vec![AttributeProto::ints("axes", list), keep])
    }
}

/// The numbers as bytes, little-endian.
fn float_bytes<T: Float>(tensor: &Tensor<T>) -> Vec<u8> {
    let wide = std::mem::size_of::<T>() == 8;
    let numbers = tensor.to_vec().into_iter().map(|x| x.to_f64());
    if wide {
        numbers.flat_map(f64::to_le_bytes).collect()
    } else {
        numbers.flat_map(|x| (x as f32).to_le_bytes()).collect()
    }
}
