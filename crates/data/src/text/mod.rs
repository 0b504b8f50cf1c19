//! Text as tokens.
//!
//! [`Text`] is bytes, from a file or a string. A [`Tokenizer`] makes tokens of them, and bytes of tokens: [`Bytes`] one of
//! each, [`Bpe`] one of each frequent piece, which it learns. Both give back every byte that they were given.

mod bpe;
mod error;
mod file;
mod pieces;
mod train;

use std::path::Path;
use std::sync::Arc;

use wengert_tensor::Tensor;

use crate::error::DataError;

pub use bpe::Bpe;
pub use error::TokenizerError;

/// From bytes to tokens and back.
///
/// ```
/// use wengert_data::text::Tokenizer;
/// /// Lower-case letters, and 0 for all else.
/// struct Letters(Vec<u8>);
/// impl Tokenizer for Letters {
///     fn vocabulary(&self) -> usize { self.0.len() }
///     fn encode(&self, bytes: &[u8]) -> Vec<u32> {
///         bytes.iter().map(|b| if b.is_ascii_lowercase() { u32::from(b - b'a') + 1 } else { 0 }).collect()
///     }
///     fn bytes(&self, token: u32) -> Option<&[u8]> {
///         self.0.get(token as usize..token as usize + 1)
///     }
/// }
/// let letters = Letters((*b"_").into_iter().chain(b'a'..=b'z').collect());
/// let tokens = letters.encode(b"to be");
/// assert_eq!((tokens.clone(), letters.decode(&tokens)?), (vec![20, 15, 0, 2, 5], b"to_be".to_vec()));
/// # Ok::<(), wengert_data::DataError>(())
/// ```
pub trait Tokenizer {
    /// The number of different tokens: all are below.
    fn vocabulary(&self) -> usize;

    /// The tokens of some bytes.
    fn encode(&self, bytes: &[u8]) -> Vec<u32>;

    /// The bytes of a token; `None` if there is no such token.
    fn bytes(&self, token: u32) -> Option<&[u8]>;

    /// The bytes of some tokens.
    ///
    /// # Errors
    /// [`DataError::UnknownToken`] with the first that does not exist.
    fn decode(&self, tokens: &[u32]) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::with_capacity(tokens.len());
        for (position, &token) in tokens.iter().enumerate() {
            match self.bytes(token) {
                Some(piece) => bytes.extend_from_slice(piece),
                None => {
                    let vocabulary = self.vocabulary();
                    return Err(DataError::UnknownToken { position, token, vocabulary });
                }
            }
        }
        Ok(bytes)
    }

    /// The text of some tokens; bytes that are no text become �.
    ///
    /// # Errors
    /// As [`decode`](Tokenizer::decode).
    fn decode_text(&self, tokens: &[u32]) -> Result<String, DataError> {
        Ok(String::from_utf8_lossy(&self.decode(tokens)?).into_owned())
    }
}

/// One token for each byte: 256 of them.
///
/// ```
/// use wengert_data::text::{Bytes, Tokenizer};
/// assert_eq!(Bytes.encode("né".as_bytes()), [110, 195, 169]);
/// assert_eq!(Bytes.decode_text(&[110, 195, 169])?, "né");
/// # Ok::<(), wengert_data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes;

/// All bytes, each the token of its number.
static BYTES: [u8; 256] = {
    let mut all = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        all[byte] = byte as u8;
        byte += 1;
    }
    all
};

impl Tokenizer for Bytes {
    fn vocabulary(&self) -> usize {
        BYTES.len()
    }

    fn encode(&self, bytes: &[u8]) -> Vec<u32> {
        bytes.iter().map(|&byte| u32::from(byte)).collect()
    }

    fn bytes(&self, token: u32) -> Option<&[u8]> {
        BYTES.get(token as usize).map(std::slice::from_ref)
    }
}

/// A text, or any other bytes. Cloning shares them.
///
/// ```
/// use wengert_data::text::{Bytes, Text};
/// let text = Text::from("To be, or not to be");
/// let (train, held_out) = text.held_out(0.1)?;
/// assert_eq!((train.bytes().len(), held_out.bytes()), (17, &b"be"[..]));
/// assert_eq!(held_out.tokens(&Bytes).to_vec(), [98, 101]);
/// # Ok::<(), wengert_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    bytes: Arc<[u8]>,
}

impl Text {
    /// What is in a file, whatever it is.
    ///
    /// # Errors
    /// [`DataError::Read`] if it cannot be read, [`DataError::Empty`] if nothing is in it.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        match std::fs::read(path) {
            Ok(bytes) if bytes.is_empty() => Err(DataError::Empty),
            Ok(bytes) => Ok(Text { bytes: bytes.into() }),
            Err(source) => Err(DataError::Read { path: path.to_owned(), source }),
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All but a fraction of the bytes at the end (rounded to the nearest number), and that.
    ///
    /// # Errors
    /// [`DataError::InvalidSplit`] if one of the two would be empty, or `fraction` is not between 0 and 1.
    pub fn held_out(&self, fraction: f64) -> Result<(Text, Text), DataError> {
        let examples = self.bytes.len();
        let last = (fraction * examples as f64).round();
        if !(last >= 1.0 && last < examples as f64) {
            return Err(DataError::InvalidSplit { fraction, examples });
        }
        let (first, last) = self.bytes.split_at(examples - last as usize);
        Ok((Text { bytes: first.into() }, Text { bytes: last.into() }))
    }

    /// The tokens, `[tokens]`.
    pub fn tokens(&self, tokenizer: &(impl Tokenizer + ?Sized)) -> Tensor<u32> {
        Tensor::from(tokenizer.encode(&self.bytes))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text { bytes: text.as_bytes().into() }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text { bytes: text.into_bytes().into() }
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Text { bytes: bytes.into() }
    }
}
