//! For `#[serde(with = "…")]`: numbers that any format gives back with the same bits.
//!
//! In formats for people, such as JSON, floating-point numbers are strings of hexadecimal digits, as JSON has neither NaN nor
//! infinity and its readers may round; a vector is one string, 8 digits for each `f32` and 16 for each number of 64 bits, the most
//! significant first. Whole numbers beyond 2⁵³, which readers may take for floating point, are strings of decimal digits.
//! In binary formats all are plain integers.

use std::fmt::Write;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number that is written as the bits of a whole one.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use wengert_state::bits::{self, Bits};
/// #[derive(Serialize, Deserialize)]
/// struct Saved {
///     #[serde(with = "bits::number")]
///     loss: f64,
///     #[serde(with = "bits::vector")]
///     weights: Vec<f32>,
/// }
/// // JSON has no NaN, but the bits of one.
/// let json = serde_json::to_string(&Saved { loss: f64::NAN, weights: vec![1.0] })?;
/// assert!(json.contains("3f800000"));
/// let back: Saved = serde_json::from_str(&json)?;
/// assert_eq!(back.loss.to_word(), f64::NAN.to_word());
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Bits: Copy {
    /// The whole number.
    type Word: Serialize + DeserializeOwned + std::fmt::LowerHex;
    /// Its hexadecimal digits.
    const DIGITS: usize = 2 * size_of::<Self::Word>();
    /// The bits.
    fn to_word(self) -> Self::Word;
    /// The number of these bits.
    fn from_word(word: Self::Word) -> Self;
    /// The number of these digits.
    fn from_digits(digits: &str) -> Option<Self>;
}

macro_rules! bits {
    ($number:ty, $word:ty, $to:expr, $from:expr) => {
        impl Bits for $number {
            type Word = $word;

            fn to_word(self) -> $word {
                $to(self)
            }

            fn from_word(word: $word) -> Self {
                $from(word)
            }

            fn from_digits(digits: &str) -> Option<Self> {
                <$word>::from_str_radix(digits, 16).ok().map($from)
            }
        }
    };
}

bits!(f32, u32, f32::to_bits, f32::from_bits);
bits!(f64, u64, f64::to_bits, f64::from_bits);
bits!(u64, u64, u64::from, u64::from);

fn to_text<B: Bits>(numbers: &[B]) -> String {
    let mut text = String::with_capacity(numbers.len() * B::DIGITS);
    for number in numbers {
        write!(text, "{:0width$x}", number.to_word(), width = B::DIGITS).expect("strings take anything");
    }
    text
}

/// The numbers of a text, if it is one of hexadecimal digits alone.
fn from_text<B: Bits>(text: &str) -> Option<Vec<B>> {
    // Nor the sign that `from_str_radix` takes.
    let whole = text.len().is_multiple_of(B::DIGITS) && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    whole.then(|| {
        (0..text.len() / B::DIGITS).map(|i| B::from_digits(&text[i * B::DIGITS..][..B::DIGITS])).collect()
    })?
}

/// For a `Vec` of [`Bits`].
pub mod vector {
    use super::*;

    /// Writes it.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<B: Bits, S: Serializer>(x: &[B], s: S) -> Result<S::Ok, S::Error> {
        match s.is_human_readable() {
            true => to_text(x).serialize(s),
            false => s.collect_seq(x.iter().map(|&x| x.to_word())),
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// Those of the format, or if the digits are not those of whole numbers.
    pub fn deserialize<'de, B: Bits, D: Deserializer<'de>>(d: D) -> Result<Vec<B>, D::Error> {
        if !d.is_human_readable() {
            return Ok(Vec::<B::Word>::deserialize(d)?.into_iter().map(B::from_word).collect());
        }
        from_text(&String::deserialize(d)?)
            .ok_or_else(|| Error::custom(format_args!("not numbers of {} hexadecimal digits", B::DIGITS)))
    }
}

/// For a single number of [`Bits`].
pub mod number {
    use super::*;

    /// Writes it.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<B: Bits, S: Serializer>(x: &B, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { to_text(&[*x]).serialize(s) } else { x.to_word().serialize(s) }
    }

    /// Reads it.
    ///
    /// # Errors
    /// Those of the format, or if there are not as many digits as a number has.
    pub fn deserialize<'de, B: Bits, D: Deserializer<'de>>(d: D) -> Result<B, D::Error> {
        if !d.is_human_readable() {
            return B::Word::deserialize(d).map(B::from_word);
        }
        match from_text(&String::deserialize(d)?).as_deref() {
            Some(&[x]) => Ok(x),
            _ => Err(Error::custom(format_args!("not a number of {} hexadecimal digits", B::DIGITS))),
        }
    }
}

/// For an `Option` of [`Bits`].
pub mod optional {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(bound = "")]
    struct Number<B: Bits>(#[serde(with = "number")] B);

    /// Writes it.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<B: Bits, S: Serializer>(x: &Option<B>, s: S) -> Result<S::Ok, S::Error> {
        x.map(Number).serialize(s)
    }

    /// Reads it.
    ///
    /// # Errors
    /// As for a [`number`].
    pub fn deserialize<'de, B: Bits, D: Deserializer<'de>>(d: D) -> Result<Option<B>, D::Error> {
        Ok(Option::<Number<B>>::deserialize(d)?.map(|number| number.0))
    }
}

/// A whole number as it is written for people.
#[derive(Deserialize)]
#[serde(untagged)]
enum Whole<N> {
    Number(N),
    Text(String),
}

/// Up to here a number that was read as floating point is the one that was written.
const EXACT: u64 = 1 << 53;

/// For a whole number of 64 bits, with or without a sign.
pub mod whole {
    use super::*;

    /// Writes it.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<N, S: Serializer>(n: &N, s: S) -> Result<S::Ok, S::Error>
    where
        N: Copy + Serialize + std::fmt::Display + TryInto<i64>,
    {
        let exact = (*n).try_into().is_ok_and(|n| n.unsigned_abs() <= EXACT);
        if s.is_human_readable() && !exact { s.collect_str(n) } else { n.serialize(s) }
    }

    /// Reads it.
    ///
    /// # Errors
    /// Those of the format, or if it is no whole number in the range of the type.
    pub fn deserialize<'de, N, D: Deserializer<'de>>(d: D) -> Result<N, D::Error>
    where
        N: Deserialize<'de> + std::str::FromStr,
    {
        if !d.is_human_readable() {
            return N::deserialize(d);
        }
        match Whole::deserialize(d)? {
            Whole::Number(n) => Ok(n),
            Whole::Text(text) => text.parse().map_err(|_| Error::custom("not a whole number in its range")),
        }
    }
}
