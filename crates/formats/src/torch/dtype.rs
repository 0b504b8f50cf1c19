//! The types of elements.

/// A type of elements.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dtype {
    /// PyTorch's name: `torch.float32`.
    pub(super) torch: &'static str,
    /// The name of the storages that old files have of it, or nothing.
    pub(super) storage: &'static str,
    /// The name by which it is known here: that of safetensors where it has one.
    pub(super) name: &'static str,
    /// Bytes of an element.
    pub(super) width: u8,
    /// Bytes that change places where the order of bytes is another: half of an element for complex numbers.
    pub(super) swapped: u8,
}

macro_rules! dtypes {
    ($($torch:literal $storage:literal $name:literal $width:literal $swapped:literal,)*) => {
        /// All that PyTorch reads with `weights_only=True`.
        pub(super) static DTYPES: &[Dtype] = &[$(Dtype {
            torch: concat!("torch.", $torch), storage: $storage, name: $name, width: $width, swapped: $swapped,
        }),*];
    };
}

dtypes! {
    "float32" "FloatStorage" "F32" 4 4,
    "float64" "DoubleStorage" "F64" 8 8,
    "float16" "HalfStorage" "F16" 2 2,
    "bfloat16" "BFloat16Storage" "BF16" 2 2,
    "int64" "LongStorage" "I64" 8 8,
    "int32" "IntStorage" "I32" 4 4,
    "int16" "ShortStorage" "I16" 2 2,
    "int8" "CharStorage" "I8" 1 1,
    "uint8" "ByteStorage" "U8" 1 1,
    "bool" "BoolStorage" "BOOL" 1 1,
    "uint16" "" "U16" 2 2,
    "uint32" "" "U32" 4 4,
    "uint64" "" "U64" 8 8,
    "complex64" "ComplexFloatStorage" "C64" 8 4,
    "complex128" "ComplexDoubleStorage" "C128" 16 8,
    "complex32" "" "C32" 4 2,
    "bcomplex32" "" "BC32" 4 2,
    "float8_e4m3fn" "" "F8_E4M3" 1 1,
    "float8_e5m2" "" "F8_E5M2" 1 1,
    "float8_e4m3fnuz" "" "F8_E4M3FNUZ" 1 1,
    "float8_e5m2fnuz" "" "F8_E5M2FNUZ" 1 1,
    "float8_e8m0fnu" "" "F8_E8M0" 1 1,
    "float4_e2m1fn_x2" "" "F4_X2" 1 1,
    "qint8" "QInt8Storage" "QINT8" 1 1,
    "quint8" "QUInt8Storage" "QUINT8" 1 1,
    "qint32" "QInt32Storage" "QINT32" 4 4,
    "quint4x2" "QUInt4x2Storage" "QUINT4X2" 1 1,
    "quint2x4" "QUInt2x4Storage" "QUINT2X4" 1 1,
    "bits8" "" "BITS8" 1 1,
    "bits16" "" "BITS16" 2 2,
    "bits1x8" "" "BITS1X8" 1 1,
    "bits2x4" "" "BITS2X4" 1 1,
    "bits4x2" "" "BITS4X2" 1 1,
    "int1" "" "INT1" 1 1,
    "int2" "" "INT2" 1 1,
    "int3" "" "INT3" 1 1,
    "int4" "" "INT4" 1 1,
    "int5" "" "INT5" 1 1,
    "int6" "" "INT6" 1 1,
    "int7" "" "INT7" 1 1,
    "uint1" "" "UINT1" 1 1,
    "uint2" "" "UINT2" 1 1,
    "uint3" "" "UINT3" 1 1,
    "uint4" "" "UINT4" 1 1,
    "uint5" "" "UINT5" 1 1,
    "uint6" "" "UINT6" 1 1,
    "uint7" "" "UINT7" 1 1,
}

impl Dtype {
    /// Of storages whose type is not said: bytes.
    pub(super) fn bytes() -> &'static Dtype {
        Self::of_name("U8").expect("it is in the list")
    }

    pub(super) fn of_torch(name: &str) -> Option<&'static Dtype> {
        DTYPES.iter().find(|dtype| dtype.torch.strip_prefix("torch.") == Some(name))
    }

    pub(super) fn of_name(name: &str) -> Option<&'static Dtype> {
        DTYPES.iter().find(|dtype| dtype.name == name)
    }

    pub(super) fn of_storage(name: &str) -> Option<&'static Dtype> {
        DTYPES.iter().find(|dtype| dtype.storage == name && !name.is_empty())
    }
}
