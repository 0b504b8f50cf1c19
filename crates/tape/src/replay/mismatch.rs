//! Why a program does not fit.

use std::fmt::{self, Display, Formatter};

use wengert_tensor::Shape;

use crate::data::Kind;

/// Inputs that are others than those a program was recorded with: see [`Program::run`](crate::Program::run).
///
/// ```
/// use wengert_tape::{Feed, Kind, Mismatch, Tape};
/// use wengert_tensor::Tensor;
/// let tape = Tape::complete();
/// let x = tape.var([1.0f64, 2.0]);
/// let mut program = tape.compile(&[&x], &[&x.exp()]);
/// let labels = Tensor::from([1u32, 0]);
/// let mismatch = program.run(&[Feed::from(&labels)]).unwrap_err();
/// assert_eq!(mismatch, Mismatch::Kind { input: 0, recorded: Kind::Float, given: Kind::Index });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// There are not as many.
    Count {
        /// How many there were.
        recorded: usize,
        /// How many there are.
        given: usize,
    },
    /// One has another shape.
    Shape {
        /// Which, counted from 0.
        input: usize,
        /// Its shape when it was recorded.
        recorded: Shape,
        /// Its shape now.
        given: Shape,
    },
    /// The elements of one are others.
    Kind {
        /// Which, counted from 0.
        input: usize,
        /// What they were when it was recorded.
        recorded: Kind,
        /// What they are now.
        given: Kind,
    },
}

impl Display for Mismatch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::Count { recorded, given } => {
                write!(f, "{recorded} inputs were recorded, these are {given}")
            }
            Mismatch::Shape { input, recorded, given } => {
                write!(f, "input {input} was recorded with shape {recorded}, this one has shape {given}")
            }
            Mismatch::Kind { input, recorded, given } => {
                write!(
                    f,
                    "input {input} was recorded with elements of kind {recorded}, this one has kind {given}"
                )
            }
        }
    }
}

impl std::error::Error for Mismatch {}
