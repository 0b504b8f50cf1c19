//! Element types of the format.

mod sealed {
    pub trait Sealed {}
}

/// The element types that the format has codes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ElementType {
    /// Unsigned bytes, code `0x08`: MNIST's images and labels.
    U8,
    /// Signed bytes, code `0x09`.
    I8,
    /// 16-bit integers, code `0x0B`.
    I16,
    /// 32-bit integers, code `0x0C`.
    I32,
    /// Single precision, code `0x0D`.
    F32,
    /// Double precision, code `0x0E`.
    F64,
}

impl ElementType {
    /// All of them, in the order of their codes.
    pub const ALL: [ElementType; 6] = [
        ElementType::U8,
        ElementType::I8,
        ElementType::I16,
        ElementType::I32,
        ElementType::F32,
        ElementType::F64,
    ];

    /// The third byte of a file.
    ///
    /// ```
    /// use wengert_data::idx::ElementType;
    /// assert_eq!(ElementType::from_code(ElementType::F32.code()), Some(ElementType::F32));
    /// ```
    pub fn code(self) -> u8 {
        match self {
            ElementType::U8 => 0x08,
            ElementType::I8 => 0x09,
            ElementType::I16 => 0x0B,
            ElementType::I32 => 0x0C,
            ElementType::F32 => 0x0D,
            ElementType::F64 => 0x0E,
        }
    }

    /// The type that a code stands for, if any.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Bytes of one element.
    ///
    /// ```
    /// use wengert_data::idx::{ElementType, IdxElement};
    /// assert_eq!((ElementType::I16.size(), <f64 as IdxElement>::TYPE.size()), (2, 8));
    /// ```
    pub fn size(self) -> usize {
        match self {
            ElementType::U8 | ElementType::I8 => 1,
            ElementType::I16 => 2,
            ElementType::I32 | ElementType::F32 => 4,
            ElementType::F64 => 8,
        }
    }
}

impl std::fmt::Display for ElementType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ElementType::U8 => "u8",
            ElementType::I8 => "i8",
            ElementType::I16 => "i16",
            ElementType::I32 => "i32",
            ElementType::F32 => "f32",
            ElementType::F64 => "f64",
        })
    }
}

/// A Rust type that an IDX file can hold: `u8`, `i8`, `i16`, `i32`, `f32` or `f64`. Sealed.
///
/// ```
/// use wengert_data::idx::{ElementType, Idx, IdxElement};
/// /// What the third byte of a file with these says.
/// fn type_of<T: IdxElement>(_: &Idx<T>) -> ElementType { T::TYPE }
/// assert_eq!(type_of(&Idx::new(vec![1u8, 2], [2])?), ElementType::U8);
/// # Ok::<(), wengert_tensor::ShapeError>(())
/// ```
pub trait IdxElement: sealed::Sealed + Copy + PartialEq + std::fmt::Debug + 'static {
    /// The type's code in a file.
    const TYPE: ElementType;

    /// Appends the elements whose big-endian bytes these are; a last incomplete element is left out.
    fn decode(bytes: &[u8], elements: &mut Vec<Self>);

    /// Appends the big-endian bytes of `elements`.
    fn encode(elements: &[Self], bytes: &mut Vec<u8>);
}

impl sealed::Sealed for u8 {}
impl IdxElement for u8 {
    const TYPE: ElementType = ElementType::U8;

    fn decode(bytes: &[u8], elements: &mut Vec<Self>) {
        elements.extend_from_slice(bytes);
    }

    fn encode(elements: &[Self], bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(elements);
    }
}

macro_rules! element {
    ($t:ty, $kind:ident) => {
        impl sealed::Sealed for $t {}
        impl IdxElement for $t {
            const TYPE: ElementType = ElementType::$kind;

            fn decode(bytes: &[u8], elements: &mut Vec<Self>) {
                elements.extend(bytes.as_chunks().0.iter().map(|&b| <$t>::from_be_bytes(b)));
            }

            fn encode(elements: &[Self], bytes: &mut Vec<u8>) {
                bytes.extend(elements.iter().flat_map(|x| x.to_be_bytes()));
            }
        }
    };
}
element!(i8, I8);
element!(i16, I16);
element!(i32, I32);
element!(f32, F32);
element!(f64, F64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_format_and_invertible() {
        assert_eq!(ElementType::ALL.map(ElementType::code), [8, 9, 11, 12, 13, 14]);
        for kind in ElementType::ALL {
            assert_eq!(ElementType::from_code(kind.code()), Some(kind));
        }
        assert_eq!(ElementType::from_code(10), None);
    }
}
