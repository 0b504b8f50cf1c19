//! The header of an array: a version, a length, and a dict of Python with type, order and shape.

use std::io::{ErrorKind, Read};

use wengert_tensor::{Element, ElementKind, Shape, text};

use super::NumpyError;

/// What each file begins with.
const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// The longest header that is read: NumPy itself refuses more than 10 000 bytes unless it is told to trust the file.
const LONGEST: u64 = 1 << 20;
/// The most axes: NumPy has 64.
const AXES: usize = 1024;
/// Arrays begin at multiples of this.
const ALIGNMENT: usize = 64;

/// What a header says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header {
    /// As safetensors files spell it, or as NumPy does where those have no name for it.
    pub(crate) dtype: String,
    /// The bytes of an element; 0 if it is of a type that is not read.
    pub(crate) width: usize,
    /// The bytes of each number that are to be turned round, or 1.
    pub(crate) swapped: usize,
    /// Whether the first axis is the one that varies fastest.
    pub(crate) fortran: bool,
    pub(crate) shape: Shape,
    /// Its own bytes.
    pub(crate) length: u64,
    /// The bytes of all elements.
    pub(crate) bytes: u64,
}

impl Header {
    /// Reads the header of a file of at most `limit` bytes.
    pub(crate) fn read(file: &mut impl Read, limit: u64) -> Result<Self, NumpyError> {
        let mut start = [0; 8];
        exactly(file, &mut start)?;
        if &start[..6] != MAGIC {
            return wrong("it does not begin as one");
        }
        let (length, before) = match start[6] {
            1 => {
                let mut length = [0; 2];
                exactly(file, &mut length)?;
                (u64::from(u16::from_le_bytes(length)), 10)
            }
            2 | 3 => {
                let mut length = [0; 4];
                exactly(file, &mut length)?;
                (u64::from(u32::from_le_bytes(length)), 12)
            }
            _ => return wrong("its version is not 1, 2 or 3"),
        };
        if length > LONGEST || before + length > limit {
            return wrong("its header is longer than it can be");
        }
        let mut dict = vec![0; length as usize];
        exactly(file, &mut dict)?;
        let said =
            Dict::parse(&dict).ok_or(NumpyError::Header { reason: "its header is no dict of three" })?;
        let (dtype, width, swapped) = dtype(&said.descr);
        let count = said.shape.checked_count().and_then(|count| count.checked_mul(width.max(1)));
        let Some(bytes) = count.filter(|_| said.shape.fits()) else {
            return wrong("its shape is beyond all memory");
        };
        let (fortran, shape) = (said.fortran, said.shape);
        let bytes = if width == 0 { 0 } else { bytes as u64 };
        Ok(Header { dtype, width, swapped, fortran, shape, length: before + length, bytes })
    }
}

/// The header of a tensor in the usual order.
pub(crate) fn compose<T: Element>(shape: &Shape) -> Vec<u8> {
    let descr = match T::KIND {
        ElementKind::F32 => "<f4",
        ElementKind::F64 => "<f8",
        ElementKind::U32 => "<u4",
        ElementKind::U8 => "|u1",
        ElementKind::Bool => "|b1",
    };
    compose_of(descr, shape)
}

pub(crate) fn compose_of(descr: &str, shape: &[usize]) -> Vec<u8> {
    let lengths: String = shape.iter().map(|length| format!("{length}, ")).collect();
    // A tuple of one has a comma, others have none at the end.
    let lengths = if shape.len() == 1 { lengths.trim_end() } else { lengths.trim_end_matches(", ") };
    let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({lengths}), }}");
    let is_long = dict.len() + 10 + ALIGNMENT > usize::from(u16::MAX);
    let before = if is_long { 12 } else { 10 };
    let length = (before + dict.len() + 1).next_multiple_of(ALIGNMENT) - before;
    let mut header = MAGIC.to_vec();
    header.extend([if is_long { 2 } else { 1 }, 0]);
    header.extend(&(length as u32).to_le_bytes()[..before - 8]);
    header.extend(dict.bytes());
    header.resize(before + length - 1, b' ');
    header.push(b'\n');
    header
}

fn exactly(file: &mut impl Read, bytes: &mut [u8]) -> Result<(), NumpyError> {
    file.read_exact(bytes).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => NumpyError::Header { reason: "it ends within its header" },
        _ => NumpyError::Io(error),
    })
}

fn wrong<T>(reason: &'static str) -> Result<T, NumpyError> {
    Err(NumpyError::Header { reason })
}

/// The name of a type, the bytes of its elements, and those of its numbers if they are to be turned round.
fn dtype(descr: &Descr) -> (String, usize, usize) {
    let other = |name: String| (name, 0, 1);
    let descr = match descr {
        Descr::Simple(descr) => descr,
        Descr::Structured(fields) => return other(format!("structured, {}", text::line(fields, 60))),
    };
    let (order, kind) = match descr.as_bytes() {
        [order @ (b'<' | b'>' | b'=' | b'|'), ..] => (*order, &descr[1..]),
        _ => (b'=', descr.as_str()),
    };
    let (name, width, number) = match kind {
        "b1" | "?" => ("BOOL", 1, 1),
        "i1" => ("I8", 1, 1),
        "u1" => ("U8", 1, 1),
        "i2" => ("I16", 2, 2),
        "u2" => ("U16", 2, 2),
        "f2" => ("F16", 2, 2),
        "i4" => ("I32", 4, 4),
        "u4" => ("U32", 4, 4),
        "f4" => ("F32", 4, 4),
        "i8" => ("I64", 8, 8),
        "u8" => ("U64", 8, 8),
        "f8" => ("F64", 8, 8),
        "c8" => ("C64", 8, 4),
        "c16" => ("C128", 16, 8),
        "O" => return other("object, which is a pickle of Python".into()),
        _ => return other(text::line(descr, 60)),
    };
    let swapped = order == b'>' || (order != b'<' && cfg!(target_endian = "big"));
    (name.into(), width, if swapped { number } else { 1 })
}

/// A type as it stands in the dict.
#[derive(Debug, PartialEq)]
enum Descr {
    Simple(String),
    Structured(String),
}

/// The dict.
#[derive(Debug, PartialEq)]
struct Dict {
    descr: Descr,
    fortran: bool,
    shape: Shape,
}

impl Dict {
    fn parse(text: &[u8]) -> Option<Self> {
        let mut rest = Scanner(std::str::from_utf8(text).ok()?);
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        rest.expect("{")?;
        while !rest.skip("}") {
            let key = rest.string()?;
            rest.expect(":")?;
            match key {
                "descr" if descr.is_none() => descr = Some(rest.descr()?),
                "fortran_order" if fortran.is_none() => {
                    fortran = Some(rest.skip("True"));
                    if fortran == Some(false) {
                        rest.expect("False")?;
                    }
                }
                "shape" if shape.is_none() => shape = Some(rest.shape()?),
                _ => return None,
            }
            if !rest.skip(",") {
                rest.expect("}")?;
                break;
            }
        }
        let at_end = rest.0.trim_matches([' ', '\n', '\0']).is_empty();
        Some(Dict { descr: descr?, fortran: fortran?, shape: shape? }).filter(|_| at_end)
    }
}

/// What is left of a text.
struct Scanner<'a>(&'a str);

impl<'a> Scanner<'a> {
    fn skip(&mut self, word: &str) -> bool {
        let rest = self.0.trim_start().strip_prefix(word);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, word: &str) -> Option<()> {
        self.skip(word).then_some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (text, rest) = rest[1..].split_once(quote)?;
        self.0 = rest;
        (!text.contains('\\')).then_some(text)
    }

    fn descr(&mut self) -> Option<Descr> {
        if !self.0.trim_start().starts_with(['[', '(']) {
            return self.string().map(|text| Descr::Simple(text.to_owned()));
        }
        // A list of fields, of which the end is found by its brackets, outside of texts.
        let start = self.0.trim_start();
        let (mut depth, mut quote) = (0usize, None);
        for (at, c) in start.char_indices() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, '[' | '(') => depth += 1,
                (None, ']' | ')') => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                let (fields, rest) = start.split_at(at + 1);
                self.0 = rest;
                return Some(Descr::Structured(fields.to_owned()));
            }
        }
        None
    }

    fn shape(&mut self) -> Option<Shape> {
        self.expect("(")?;
        let mut lengths = Vec::new();
        while !self.skip(")") {
            let rest = self.0.trim_start();
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            lengths.push(rest[..digits].parse::<usize>().ok().filter(|_| lengths.len() < AXES)?);
            // Python 2 wrote long ones with it.
            self.0 = rest[digits..].strip_prefix('L').unwrap_or(&rest[digits..]);
            if !self.skip(",") {
                self.expect(")")?;
                break;
            }
        }
        Some(Shape::from(lengths))
    }
}
