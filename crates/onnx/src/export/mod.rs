//! Forward passes as models of ONNX.

mod constant;
mod error;
mod graph;
mod length;
mod operators;
mod program;
mod record;
mod recurrence;
mod save;
mod settings;
mod write;

pub use error::ExportError;
pub use record::{Entry, Inputs};
pub use settings::{Export, Position};

use crate::proto::{Message, ModelProto};

/// Why a forward pass that holds an operation of that name cannot be exported; `None` if such operations are written.
///
/// ```
/// assert_eq!(wengert_onnx::not_exported("softmax"), None);
/// assert!(wengert_onnx::not_exported("svd").is_some());
/// ```
pub fn not_exported(name: &str) -> Option<&'static str> {
    if operators::rule::<f32>(name).is_some() {
        return None;
    }
    Some(operators::reason(name).unwrap_or("it is not among the operations that are written"))
}

/// A model in ONNX's format, as [`Export`] makes it.
///
/// ```
/// use wengert_nn::{Layer, Linear, Params};
/// use wengert_onnx::Export;
/// use wengert_tensor::Tensor;
/// let mut params: Params = Params::seeded(0);
/// let layer = Linear::new(params.root(), 3, 2);
/// let model = Export::new().input("x", Tensor::ones([1, 3])).batch("batch").layer(&params, &layer)?;
/// assert_eq!(model.parameters(), ["weight", "bias"]);
/// assert!(model.to_bytes().len() > 32);
/// # Ok::<(), wengert_onnx::ExportError>(())
/// ```
#[derive(Clone, Debug)]
pub struct OnnxFile {
    model: ModelProto,
}

impl OnnxFile {
    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.model.encode()
    }

    /// The names of the inputs, in order.
    pub fn inputs(&self) -> Vec<&str> {
        self.model.graph.iter().flat_map(|graph| &graph.input).map(|input| input.name.as_str()).collect()
    }

    /// The names of the outputs, in order.
    pub fn outputs(&self) -> Vec<&str> {
        self.model.graph.iter().flat_map(|graph| &graph.output).map(|output| output.name.as_str()).collect()
    }

    /// The names of the parameters and buffers that the file holds.
    pub fn parameters(&self) -> Vec<&str> {
        self.model.graph.iter().flat_map(|graph| &graph.initializer).map(|held| held.name.as_str()).collect()
    }

    /// The operators, in the order in which they are computed. Constants are none.
    ///
    /// ```
    /// use wengert_nn::{Linear, Params};
    /// use wengert_onnx::Export;
    /// use wengert_tensor::Tensor;
    /// let mut params: Params = Params::seeded(0);
    /// let layer = Linear::new(params.root(), 3, 2);
    /// let model = Export::new().input("x", Tensor::ones([1, 3])).layer(&params, &layer)?;
    /// assert_eq!(model.operators(), ["Gemm"]);
    /// # Ok::<(), wengert_onnx::ExportError>(())
    /// ```
    pub fn operators(&self) -> Vec<&str> {
        let all = self.model.graph.iter().flat_map(|graph| &graph.node).map(|node| node.op_type.as_str());
        all.filter(|operator| *operator != "Constant").collect()
    }
}
