//! Values that flow through a graph.

use wengert_tape::{Index, Mask, Var};
use wengert_tensor::{Float, Shape, Tensor};

use super::error::Problem;
use crate::proto::{DataType, External, Message, Numbers, TensorProto};

/// A value of a graph: floating-point numbers, which are differentiated, whole numbers, truth values, or a sequence of values.
///
/// All of ONNX's floating-point types are computed in `T`.
///
/// ```
/// use wengert_onnx::Value;
/// use wengert_tape::Var;
/// let x: Value<f64> = Var::from([1.0, 2.0]).into();
/// assert_eq!(x.float().unwrap().value().to_vec(), [1.0, 2.0]);
/// assert!(x.ints().is_none());
/// // Tokens and masks are tensors, given by value or by reference.
/// let tokens: Value<f64> = (&wengert_tensor::Tensor::from([3u32, 1])).into();
/// assert!(tokens.float().is_none());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Value<T: Float = f32> {
    /// Floating-point numbers.
    Float(Var<T>),
    /// Whole numbers: labels, positions, lengths.
    Int(Ints<T>),
    /// Truth values.
    Bool(Mask<T>),
    /// Several values, one after the other.
    Sequence(Sequence<T>),
}

/// Values in an order, as operators such as `SplitToSequence` give them. They may be of different shapes.
///
/// ```
/// use wengert_onnx::{Sequence, Value};
/// use wengert_tape::Var;
/// let parts: Sequence<f64> = Sequence::new(vec![Var::from([1.0]).into(), Var::from([2.0, 3.0]).into()]);
/// assert_eq!(parts.values()[1].shape()[..], [2]);
/// ```
#[derive(Clone, Debug)]
pub struct Sequence<T: Float = f32> {
    values: Vec<Value<T>>,
    /// How many they are.
    length: Shape,
}

impl<T: Float> Sequence<T> {
    /// These values.
    pub fn new(values: Vec<Value<T>>) -> Self {
        let length = Shape::from(values.len());
        Sequence { values, length }
    }

    /// The values in their order.
    pub fn values(&self) -> &[Value<T>] {
        &self.values
    }
}

/// Whole numbers of a graph. Numbers up to 2⁵³ in magnitude are held exactly, and what an operator makes beyond that is
/// refused, apart from the ends of the range of `int64`, which stand for "to the end".
///
/// ```
/// use wengert_onnx::Value;
/// let lengths: Value<f32> = Value::from_ints(&[3, -1], [2]).unwrap();
/// assert_eq!(lengths.ints().unwrap().to_vec(), [3, -1]);
/// ```
#[derive(Clone, Debug)]
pub struct Ints<T: Float = f32> {
    pub(crate) numbers: Var<f64>,
    pub(crate) data_type: DataType,
    /// The same numbers as the caller gave them, which a recording may hold.
    pub(crate) index: Option<Index<T>>,
}

impl<T: Float> Ints<T> {
    pub(crate) fn new(numbers: Var<f64>, data_type: DataType) -> Self {
        Ints { numbers, data_type, index: None }
    }

    /// Other numbers of the same type.
    pub(crate) fn with(&self, numbers: Var<f64>) -> Self {
        Ints::new(numbers, self.data_type)
    }

    /// The numbers in row-major order.
    pub fn to_vec(&self) -> Vec<i64> {
        self.numbers.value().iter().map(|x| x as i64).collect()
    }

    /// Lengths of the axes.
    pub fn shape(&self) -> &Shape {
        self.numbers.shape()
    }
}

impl<T: Float> Value<T> {
    /// Whole numbers, of type `int64`, in row-major order.
    ///
    /// # Errors
    /// If the shape has another number of elements, or a number is beyond 2⁵³ in magnitude and no end of the range of `i64`.
    ///
    /// ```
    /// use wengert_onnx::{Problem, Value};
    /// assert!(matches!(Value::<f32>::from_ints(&[1, 2], [3]), Err(Problem::Shape { .. })));
    /// assert!(matches!(Value::<f32>::from_ints(&[(1 << 53) + 1], [1]), Err(Problem::Inexact)));
    /// ```
    pub fn from_ints(numbers: &[i64], shape: impl Into<Shape>) -> Result<Self, Problem> {
        let shape = shape.into();
        if !numbers.iter().copied().all(is_held) {
            return Err(Problem::Inexact);
        }
        if shape.checked_count() != Some(numbers.len()) {
            let (operand, expected) =
                (format!("the list of {} numbers", numbers.len()), "as many elements".to_owned());
            return Err(Problem::Shape { operand, shape, expected });
        }
        let numbers = tensor_of(numbers.iter().map(|&x| x as f64).collect(), &shape);
        Ok(Value::Int(Ints::new(Var::constant(numbers), DataType::Int64)))
    }

    /// The value that the bytes of a `TensorProto` hold, as in the files of ONNX's own tests.
    ///
    /// # Errors
    /// If they are no such message, or its numbers do not fit its shape or are of a type that is not read (text, complex
    /// numbers, floating-point numbers of 8 bits and less).
    ///
    /// ```
    /// use wengert_onnx::Value;
    /// // The lengths of the axes, [2], the type of the elements, float, and their bytes.
    /// let bytes = [&[0x08, 2, 0x10, 1, 0x4a, 8][..], &1f32.to_le_bytes(), &(-2f32).to_le_bytes()].concat();
    /// let value: Value<f64> = Value::from_tensor_bytes(&bytes)?;
    /// assert_eq!(value.float().unwrap().value().to_vec(), [1.0, -2.0]);
    /// # Ok::<(), wengert_onnx::ReadError>(())
    /// ```
    pub fn from_tensor_bytes(bytes: &[u8]) -> Result<Self, super::ReadError> {
        let mut tensor = TensorProto::decode(bytes).map_err(super::ReadError::format)?;
        let name = std::mem::take(&mut tensor.name);
        Value::of_tensor(tensor, &External::default())
            .map_err(|problem| super::ReadError::tensor(&name, problem))
    }

    pub(super) fn of_tensor(mut tensor: TensorProto, external: &External) -> Result<Self, String> {
        let shape: Shape = tensor.shape().map_err(|e| e.to_string())?.into();
        let data_type = tensor.data_type().map_err(|e| e.to_string())?;
        let numbers = tensor.take_numbers(external).map_err(|e| e.to_string())?;
        let float = |values: Vec<T>| Value::Float(Var::constant(tensor_of(values, &shape)));
        Ok(match numbers {
            Numbers::F32(values) => float(values.into_iter().map(|x| T::from_f64(f64::from(x))).collect()),
            Numbers::F64(values) => float(values.into_iter().map(T::from_f64).collect()),
            Numbers::Bool(values) => Value::Bool(Mask::constant(tensor_of(values, &shape))),
            Numbers::Int(values) => {
                let inexact = values.iter().find(|&&x| !is_held(x));
                if let Some(number) = inexact {
                    return Err(format!("the whole number {number} is beyond 2⁵³ in magnitude"));
                }
                let values = tensor_of(values.iter().map(|&x| x as f64).collect(), &shape);
                Value::Int(Ints::new(Var::constant(values), data_type))
            }
        })
    }

    /// The floating-point numbers; `None` if the value is of another kind.
    pub fn float(&self) -> Option<&Var<T>> {
        if let Value::Float(var) = self { Some(var) } else { None }
    }

    /// The whole numbers; `None` if the value is of another kind.
    pub fn ints(&self) -> Option<&Ints<T>> {
        if let Value::Int(ints) = self { Some(ints) } else { None }
    }

    /// The truth values; `None` if the value is of another kind.
    ///
    /// ```
    /// use wengert_onnx::Value;
    /// use wengert_tensor::Tensor;
    /// let value: Value<f32> = Tensor::from([true, false]).into();
    /// assert_eq!(value.mask().unwrap().value().to_vec(), [true, false]);
    /// ```
    pub fn mask(&self) -> Option<&Mask<T>> {
        if let Value::Bool(mask) = self { Some(mask) } else { None }
    }

    /// The values of a sequence; `None` if the value is a tensor.
    pub fn sequence(&self) -> Option<&[Value<T>]> {
        if let Value::Sequence(sequence) = self { Some(sequence.values()) } else { None }
    }

    /// Lengths of the axes; of a sequence that of its own.
    ///
    /// ```
    /// use wengert_onnx::Value;
    /// use wengert_tape::Var;
    /// let value: Value<f32> = Var::zeros([2, 3]).into();
    /// assert_eq!(value.shape()[..], [2, 3]);
    /// ```
    pub fn shape(&self) -> &Shape {
        match self {
            Value::Float(var) => var.shape(),
            Value::Int(ints) => ints.shape(),
            Value::Bool(mask) => mask.shape(),
            Value::Sequence(sequence) => &sequence.length,
        }
    }

    /// What the elements are: "floating-point numbers", "whole numbers" or "truth values"; or "a sequence".
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Float(_) => FLOATS,
            Value::Int(_) => INTS,
            Value::Bool(_) => BOOLS,
            Value::Sequence(_) => SEQUENCE,
        }
    }

    /// Truth values as 0 and 1, whole numbers as they are, none of a sequence's; a constant of floating-point numbers.
    pub(crate) fn to_f64(&self) -> Var<f64> {
        match self {
            Value::Float(var) => Var::constant(var.value().cast::<f64>()),
            Value::Int(ints) => ints.numbers.clone(),
            Value::Bool(mask) => Var::constant(numbers_of(mask.value())),
            // No operator but those of sequences gets one.
            Value::Sequence(sequence) => Var::zeros(&sequence.length),
        }
    }

    /// Refuses whole numbers that are not held exactly.
    pub(super) fn checked(self) -> Result<Self, Problem> {
        if let Value::Int(ints) = &self
            && ints.index.is_none()
            && ints.numbers.value().iter().any(|x| !is_exact(x))
        {
            return Err(Problem::Inexact);
        }
        Ok(self)
    }
}

pub(super) const FLOATS: &str = "floating-point numbers";
pub(super) const INTS: &str = "whole numbers";
pub(super) const BOOLS: &str = "truth values";
pub(super) const SEQUENCE: &str = "a sequence";

/// Whether a whole number is held exactly, or is an end of the range of `int64`.
fn is_exact(x: f64) -> bool {
    x.abs() <= (1_u64 << 53) as f64 || x.abs() == 2f64.powi(63)
}

/// The same of a number that has not been rounded yet.
fn is_held(x: i64) -> bool {
    // Files also have −(2⁶³ − 1) for "from the start".
    x.unsigned_abs() <= 1 << 53 || (x as f64).abs() == 2f64.powi(63)
}

/// A tensor of as many elements as its shape has, which was checked.
fn tensor_of<E: wengert_tensor::Element>(values: Vec<E>, shape: &Shape) -> Tensor<E> {
    Tensor::from_vec(values, shape).expect("the number of elements was checked")
}

/// 0 and 1.
fn numbers_of(mask: &Tensor<bool>) -> Tensor<f64> {
    tensor_of(mask.iter().map(|x| f64::from(u8::from(x))).collect(), mask.shape())
}

/// Where numbers are not zero.
pub(super) fn truth<T: Float>(numbers: &Var<f64>) -> Value<T> {
    let numbers = numbers.value();
    Value::Bool(Mask::constant(tensor_of(numbers.iter().map(|x| x != 0.0).collect(), numbers.shape())))
}

impl<T: Float> From<Var<T>> for Value<T> {
    fn from(var: Var<T>) -> Self {
        Value::Float(var)
    }
}

impl<T: Float> From<&Var<T>> for Value<T> {
    fn from(var: &Var<T>) -> Self {
        Value::Float(var.clone())
    }
}

impl<T: Float> From<Mask<T>> for Value<T> {
    fn from(mask: Mask<T>) -> Self {
        Value::Bool(mask)
    }
}

impl<T: Float> From<Tensor<bool>> for Value<T> {
    fn from(mask: Tensor<bool>) -> Self {
        Value::Bool(mask.into())
    }
}

impl<T: Float> From<&Tensor<bool>> for Value<T> {
    fn from(mask: &Tensor<bool>) -> Self {
        mask.clone().into()
    }
}

impl<T: Float> From<Index<T>> for Value<T> {
    /// Positions and labels stay those of a recording where operators take them as such.
    fn from(index: Index<T>) -> Self {
        let numbers = Var::constant(index.value().cast::<f64>());
        Value::Int(Ints { numbers, data_type: DataType::Int64, index: Some(index) })
    }
}

impl<T: Float> From<Tensor<u32>> for Value<T> {
    fn from(index: Tensor<u32>) -> Self {
        Index::from(index).into()
    }
}

impl<T: Float> From<&Tensor<u32>> for Value<T> {
    fn from(index: &Tensor<u32>) -> Self {
        index.clone().into()
    }
}
