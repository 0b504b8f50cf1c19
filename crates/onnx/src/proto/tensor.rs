//! The numbers of a `TensorProto`, whichever field they stand in.

use wengert_tensor::math::half::{from_bf16, from_f16};
use wengert_tensor::size;

use super::{External, StringStringEntryProto, TensorProto};

/// The types of elements that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataType {
    Float,
    Uint8,
    Int8,
    Uint16,
    Int16,
    Int32,
    Int64,
    Bool,
    Float16,
    Double,
    Uint32,
    Uint64,
    Bfloat16,
    Uint4,
    Int4,
    Uint2,
    Int2,
}

impl DataType {
    const ALL: [(i32, DataType); 17] = [
        (1, DataType::Float),
        (2, DataType::Uint8),
        (3, DataType::Int8),
        (4, DataType::Uint16),
        (5, DataType::Int16),
        (6, DataType::Int32),
        (7, DataType::Int64),
        (9, DataType::Bool),
        (10, DataType::Float16),
        (11, DataType::Double),
        (12, DataType::Uint32),
        (13, DataType::Uint64),
        (16, DataType::Bfloat16),
        (21, DataType::Uint4),
        (22, DataType::Int4),
        (25, DataType::Uint2),
        (26, DataType::Int2),
    ];

    /// The type that has this number in ONNX.
    pub(crate) fn from_code(code: i32) -> Option<Self> {
        Self::ALL.iter().find(|(number, _)| *number == code).map(|&(_, found)| found)
    }

    pub(crate) fn code(self) -> i32 {
        Self::ALL.iter().find(|(_, data_type)| *data_type == self).expect("all are in the list").0
    }

    /// Bits of an element in `raw_data`.
    pub(crate) fn bits(self) -> usize {
        match self {
            DataType::Uint2 | DataType::Int2 => 2,
            DataType::Uint4 | DataType::Int4 => 4,
            DataType::Uint8 | DataType::Int8 | DataType::Bool => 8,
            DataType::Uint16 | DataType::Int16 | DataType::Float16 | DataType::Bfloat16 => 16,
            DataType::Float | DataType::Int32 | DataType::Uint32 => 32,
            DataType::Int64 | DataType::Uint64 | DataType::Double => 64,
        }
    }

    /// Bytes of so many elements in `raw_data`; those of less than 8 bits share bytes.
    pub(crate) fn bytes(self, count: usize) -> usize {
        (count * self.bits()).div_ceil(8)
    }

    /// Whether whole numbers of this type may be negative.
    pub(crate) fn is_signed(self) -> bool {
        use DataType::{Int2, Int4, Int8, Int16, Int32, Int64};
        matches!(self, Int2 | Int4 | Int8 | Int16 | Int32 | Int64)
    }

    pub(crate) fn is_float(self) -> bool {
        matches!(self, DataType::Float | DataType::Float16 | DataType::Double | DataType::Bfloat16)
    }
}

/// A tensor's elements: numbers of 16 bits are widened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Numbers {
    F32(Vec<f32>),
    F64(Vec<f64>),
    /// Whole numbers of any type; `uint64` beyond 2⁶³ is refused.
    Int(Vec<i64>),
    Bool(Vec<bool>),
}

/// What is wrong with a `TensorProto`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TensorError {
    #[error("elements of type {code}, which is not read")]
    DataType { code: i32 },
    #[error("axis {axis} has length {length}")]
    NegativeLength { axis: usize, length: i64 },
    #[error("its shape {dims:?} has more elements than a tensor can have")]
    TooLarge { dims: Vec<i64> },
    #[error("{found} {unit} for shape {dims:?}, which needs {expected}")]
    Count { found: usize, expected: usize, unit: &'static str, dims: Vec<i64> },
    #[error("a number that is too large for 63 bits")]
    Unsigned,
    #[error(transparent)]
    External(#[from] super::external::ExternalError),
}

impl TensorProto {
    /// A tensor whose numbers are given as bytes.
    pub(crate) fn raw(name: &str, data_type: DataType, dims: &[usize], bytes: Vec<u8>) -> Self {
        TensorProto {
            name: name.to_owned(),
            data_type: Some(data_type.code()),
            dims: dims.iter().map(|&length| length as i64).collect(),
            raw_data: Some(bytes),
            ..Default::default()
        }
    }

    /// The same tensor with its numbers in another file.
    pub(crate) fn elsewhere(&self, location: &str, offset: usize, length: usize) -> Self {
        let entry = |key: &str, value: String| StringStringEntryProto { key: key.to_owned(), value };
        TensorProto {
            name: self.name.clone(),
            data_type: self.data_type,
            dims: self.dims.clone(),
            data_location: Some(External::LOCATION),
            external_data: vec![
                entry("location", location.to_owned()),
                entry("offset", offset.to_string()),
                entry("length", length.to_string()),
            ],
            ..Default::default()
        }
    }

    pub(crate) fn data_type(&self) -> Result<DataType, TensorError> {
        let code = self.data_type.unwrap_or(0);
        DataType::from_code(code).ok_or(TensorError::DataType { code })
    }

    /// The lengths of the axes, of which a tensor can be made.
    pub(crate) fn shape(&self) -> Result<Vec<usize>, TensorError> {
        let mut shape = Vec::with_capacity(self.dims.len());
        for (axis, &length) in self.dims.iter().enumerate() {
            let length = usize::try_from(length).map_err(|_| TensorError::NegativeLength { axis, length })?;
            shape.push(length);
        }
        // The same limit as that of every tensor.
        let all = shape.iter().try_fold(1_usize, |all, &length| all.checked_mul(length.max(1)));
        if all.is_none_or(|all| all > size::MAX_ELEMENTS) {
            return Err(TensorError::TooLarge { dims: self.dims.clone() });
        }
        Ok(shape)
    }

    /// Reads the numbers if they stand in another file.
    pub(crate) fn fetch(&mut self, external: &External) -> Result<(), TensorError> {
        if external.holds(self) {
            let count = self.shape()?.iter().product::<usize>();
            self.raw_data = Some(external.read(self, self.data_type()?.bytes(count))?);
            self.data_location = None;
        }
        Ok(())
    }

    /// The elements in row-major order, which are taken out: weights never lie in memory three times. What stands in other files
    /// is read from `external`.
    pub(crate) fn take_numbers(&mut self, external: &External) -> Result<Numbers, TensorError> {
        self.fetch(external)?;
        let data_type = self.data_type()?;
        let count = self.shape()?.iter().product::<usize>();
        if let Some(bytes) = self.raw_data.take() {
            return self.unpack(&bytes, data_type, count);
        }
        let listed = match data_type {
            DataType::Float => Numbers::F32(std::mem::take(&mut self.float_data)),
            DataType::Double => Numbers::F64(std::mem::take(&mut self.double_data)),
            DataType::Int64 => Numbers::Int(std::mem::take(&mut self.int64_data)),
            DataType::Uint64 | DataType::Uint32 => Numbers::Int(unsigned(&self.uint64_data)?),
            DataType::Bool => Numbers::Bool(self.int32_data.iter().map(|&x| x != 0).collect()),
            DataType::Float16 => {
                Numbers::F32(self.int32_data.iter().map(|&bits| from_f16(bits as u16)).collect())
            }
            DataType::Bfloat16 => {
                Numbers::F32(self.int32_data.iter().map(|&bits| from_bf16(bits as u16)).collect())
            }
            DataType::Uint8 | DataType::Int8 | DataType::Uint16 | DataType::Int16 | DataType::Int32 => {
                Numbers::Int(self.int32_data.iter().map(|&x| i64::from(x)).collect())
            }
            // Bytes, in each of which there are several.
            DataType::Uint4 | DataType::Int4 | DataType::Uint2 | DataType::Int2 => {
                let bytes: Vec<u8> = self.int32_data.iter().map(|&byte| byte as u8).collect();
                return self.unpack(&bytes, data_type, count);
            }
        };
        let found = match &listed {
            Numbers::F32(list) => list.len(),
            Numbers::F64(list) => list.len(),
            Numbers::Int(list) => list.len(),
            Numbers::Bool(list) => list.len(),
        };
        self.check(found, count, "elements")?;
        Ok(listed)
    }

    fn unpack(&self, bytes: &[u8], data_type: DataType, count: usize) -> Result<Numbers, TensorError> {
        self.check(bytes.len(), data_type.bytes(count), "bytes")?;
        unpack(bytes, data_type, count)
    }

    fn check(&self, found: usize, expected: usize, unit: &'static str) -> Result<(), TensorError> {
        if found == expected {
            return Ok(());
        }
        Err(TensorError::Count { found, expected, unit, dims: self.dims.clone() })
    }
}

/// The numbers, so many, whose little-endian bytes these are.
fn unpack(bytes: &[u8], data_type: DataType, count: usize) -> Result<Numbers, TensorError> {
    fn each<const N: usize, S>(bytes: &[u8], number: impl Fn([u8; N]) -> S) -> Vec<S> {
        bytes.as_chunks().0.iter().map(|&chunk| number(chunk)).collect()
    }
    Ok(match data_type {
        DataType::Float => Numbers::F32(each(bytes, f32::from_le_bytes)),
        DataType::Double => Numbers::F64(each(bytes, f64::from_le_bytes)),
        DataType::Float16 => Numbers::F32(each(bytes, |b| from_f16(u16::from_le_bytes(b)))),
        DataType::Bfloat16 => Numbers::F32(each(bytes, |b| from_bf16(u16::from_le_bytes(b)))),
        DataType::Bool => Numbers::Bool(bytes.iter().map(|&b| b != 0).collect()),
        DataType::Uint8 => Numbers::Int(bytes.iter().map(|&b| i64::from(b)).collect()),
        DataType::Int8 => Numbers::Int(bytes.iter().map(|&b| i64::from(b as i8)).collect()),
        DataType::Uint16 => Numbers::Int(each(bytes, |b| i64::from(u16::from_le_bytes(b)))),
        DataType::Int16 => Numbers::Int(each(bytes, |b| i64::from(i16::from_le_bytes(b)))),
        DataType::Int32 => Numbers::Int(each(bytes, |b| i64::from(i32::from_le_bytes(b)))),
        DataType::Uint32 => Numbers::Int(each(bytes, |b| i64::from(u32::from_le_bytes(b)))),
        DataType::Int64 => Numbers::Int(each(bytes, i64::from_le_bytes)),
        DataType::Uint64 => Numbers::Int(unsigned(&each(bytes, u64::from_le_bytes))?),
        DataType::Uint4 | DataType::Int4 | DataType::Uint2 | DataType::Int2 => {
            Numbers::Int((0..count).map(|i| part_of_byte(bytes, data_type, i)).collect())
        }
    })
}

/// A number of less than 8 bits; the first of a byte are its lowest bits.
fn part_of_byte(bytes: &[u8], data_type: DataType, i: usize) -> i64 {
    let bits = data_type.bits();
    let byte = bytes[i * bits / 8] >> (i * bits % 8);
    let number = i64::from(byte & ((1 << bits) - 1));
    if data_type.is_signed() && number >> (bits - 1) != 0 { number - (1 << bits) } else { number }
}

fn unsigned(values: &[u64]) -> Result<Vec<i64>, TensorError> {
    values.iter().map(|&x| i64::try_from(x).map_err(|_| TensorError::Unsigned)).collect()
}
