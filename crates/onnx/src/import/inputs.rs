//! The inputs that a model declares.

use std::collections::BTreeMap;
use std::fmt;

use wengert_tensor::{Float, text};

use super::error::{ReadError, RunError};
use super::value::{BOOLS, FLOATS, INTS, Value};
use crate::proto::{DataType, Dimension, ValueInfoProto};

/// An input of a model: its name, the kind of its elements and what of its shape is known.
///
/// ```
/// use wengert_nn::Params;
/// use wengert_onnx::Model;
/// let mut params: Params<f32> = Params::seeded(0);
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/mlp.onnx");
/// let model = Model::read(params.root(), path)?;
/// assert_eq!(model.inputs()[0].to_string(), "x: floating-point numbers [batch, 3]");
/// # Ok::<(), wengert_onnx::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    name: String,
    kind: Option<&'static str>,
    lengths: Option<Vec<Length>>,
}

/// The length of an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Length {
    Fixed(i64),
    Named(String),
    Any,
}

impl Input {
    /// What an input is declared as, or what of it is not computed with.
    pub(super) fn of(info: &ValueInfoProto) -> Result<Self, ReadError> {
        let refused = |problem: String| ReadError::Input { path: None, name: info.name.clone(), problem };
        let of = info.r#type.as_deref();
        if of.is_some_and(|of| of.sequence_type.is_some() || of.optional_type.is_some()) {
            return Err(refused("a sequence or an optional value".to_owned()));
        }
        let tensor = of.and_then(|of| of.tensor_type.as_deref());
        let kind = match tensor.and_then(|tensor| tensor.elem_type).filter(|&code| code != 0) {
            None => None,
            Some(code) => match DataType::from_code(code) {
                Some(DataType::Bool) => Some(BOOLS),
                Some(other) if other.is_float() => Some(FLOATS),
                Some(_) => Some(INTS),
                None => return Err(refused(format!("elements of type {code}"))),
            },
        };
        let length = |dimension: &Dimension| match (dimension.dim_value, &dimension.dim_param) {
            (Some(length), _) => Length::Fixed(length),
            (None, Some(name)) if !name.is_empty() => Length::Named(name.clone()),
            _ => Length::Any,
        };
        let shape = tensor.and_then(|tensor| tensor.shape.as_deref());
        let lengths = shape.map(|shape| shape.dim.iter().map(length).collect());
        Ok(Input { name: info.name.clone(), kind, lengths })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Refuses a value that is not as declared. Axes of one name have one length, also in different inputs.
    pub(super) fn check<T: Float>(
        &self,
        value: &Value<T>,
        named: &mut BTreeMap<String, usize>,
    ) -> Result<(), RunError> {
        let shape = value.shape();
        let mut fits = self.kind.is_none_or(|kind| kind == value.kind());
        if let Some(lengths) = &self.lengths {
            fits &= lengths.len() == shape.len();
            for (length, &found) in lengths.iter().zip(shape.iter()) {
                fits &= match length {
                    Length::Fixed(length) => *length == found as i64,
                    Length::Named(name) => *named.entry(name.clone()).or_insert(found) == found,
                    Length::Any => true,
                };
            }
        }
        if fits {
            return Ok(());
        }
        let known: Vec<String> =
            named.iter().map(|(name, length)| format!("{} = {length}", text::shortened(name))).collect();
        let known = if known.is_empty() { String::new() } else { format!(" with {}", known.join(", ")) };
        Err(RunError::Input {
            name: self.name.clone(),
            expected: format!("{}{known}", self.declared()),
            found: format!("{} {shape}", value.kind()),
        })
    }

    fn declared(&self) -> String {
        let shape = self.lengths.as_ref().map_or_else(
            || "of any shape".to_owned(),
            |lengths| {
                let lengths: Vec<String> = lengths
                    .iter()
                    .map(|length| match length {
                        Length::Fixed(length) => length.to_string(),
                        Length::Named(name) => text::shortened(name),
                        Length::Any => "?".to_owned(),
                    })
                    .collect();
                format!("[{}]", lengths.join(", "))
            },
        );
        format!("{} {shape}", self.kind.unwrap_or("any elements"))
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", text::shortened(&self.name), self.declared())
    }
}
