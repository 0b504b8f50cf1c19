//! What an operation is, as plain data.

use std::fmt;

use wengert_tensor::{Axes, Shape, Slice};

/// What distinguishes an operation from others of its name: axes, strides, an ε. [`Op::describe`](crate::Op::describe)
/// fills it in; drawings, messages and exporters read it.
///
/// ```
/// use wengert_tape::Attributes;
/// let mut attributes = Attributes::default();
/// attributes.set("axis", 1usize);
/// attributes.set("epsilon", 1e-5);
/// assert_eq!(attributes.to_string(), "axis=1, epsilon=1e-5");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(Vec<(&'static str, Attribute)>);

/// One of an operation's [`Attributes`].
///
/// ```
/// use wengert_tape::{Attribute, Tape};
/// let tape = Tape::complete();
/// tape.var([[1.0f64, 2.0], [3.0, 4.0]]).cumprod(1);
/// let steps = tape.steps();
/// let attributes = steps.last().unwrap().attributes();
/// assert!(attributes.iter().any(|(_, value)| *value == Attribute::Integer(1)), "{attributes}");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Attribute {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// Several, such as a shape.
    Integers(Vec<i64>),
    /// A number.
    Number(f64),
    /// A word.
    Text(String),
}

impl Attributes {
    /// Adds an attribute.
    pub fn set(&mut self, name: &'static str, value: impl Into<Attribute>) {
        self.0.push((name, value.into()));
    }

    /// The attribute of that name.
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// All, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Attribute)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{name}={value}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attribute::Flag(flag) => write!(f, "{flag}"),
            Attribute::Integer(integer) => write!(f, "{integer}"),
            Attribute::Integers(integers) => write!(f, "{integers:?}"),
            Attribute::Number(number) => write!(f, "{number:?}"),
            Attribute::Text(text) => f.write_str(text),
        }
    }
}

impl From<bool> for Attribute {
    fn from(flag: bool) -> Self {
        Attribute::Flag(flag)
    }
}

impl From<i64> for Attribute {
    fn from(integer: i64) -> Self {
        Attribute::Integer(integer)
    }
}

impl From<i32> for Attribute {
    fn from(integer: i32) -> Self {
        Attribute::Integer(integer.into())
    }
}

impl From<isize> for Attribute {
    fn from(integer: isize) -> Self {
        Attribute::Integer(integer as i64)
    }
}

impl From<usize> for Attribute {
    fn from(integer: usize) -> Self {
        Attribute::Integer(integer as i64)
    }
}

impl From<f64> for Attribute {
    fn from(number: f64) -> Self {
        Attribute::Number(number)
    }
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Attribute::Text(text.to_owned())
    }
}

impl From<&[usize]> for Attribute {
    fn from(integers: &[usize]) -> Self {
        Attribute::Integers(integers.iter().map(|&i| i as i64).collect())
    }
}

impl From<&Shape> for Attribute {
    fn from(shape: &Shape) -> Self {
        Attribute::from(&shape[..])
    }
}

impl From<Slice> for Attribute {
    fn from(slice: Slice) -> Self {
        Attribute::Text(slice.to_string())
    }
}

impl From<&Axes> for Attribute {
    fn from(axes: &Axes) -> Self {
        Attribute::Text(axes.to_string())
    }
}
