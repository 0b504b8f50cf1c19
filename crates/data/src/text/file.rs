//! Tokenisers in files.

use std::io::{Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use wengert_tensor::file::write_atomically;
use wengert_tensor::text;

use super::bpe::Bpe;
use super::error::TokenizerError;
use crate::error::DataError;

/// The most bytes of a file, and of the tokens of a tokeniser together.
pub(super) const LARGEST: usize = 1 << 28;

const FORMAT: &str = "wengert-bpe";

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: String,
    version: u64,
    merges: Vec<(u32, u32)>,
}

impl Bpe {
    /// As JSON: `{"format": "wengert-bpe", "version": 1, "merges": [[a, b], …]}`.
    ///
    /// ```
    /// use wengert_data::text::{Bpe, Text};
    /// let bpe = Bpe::train(&Text::from("aaaa aaaa"), 300)?;
    /// assert_eq!(bpe.to_json(), r#"{"format":"wengert-bpe","version":1,"merges":[[97,97],[256,256]]}"#);
    /// assert_eq!(Bpe::from_json(&bpe.to_json())?, bpe);
    /// # Ok::<(), wengert_data::text::TokenizerError>(())
    /// ```
    pub fn to_json(&self) -> String {
        let stored = Stored { format: FORMAT.into(), version: 1, merges: self.merges().to_vec() };
        serde_json::to_string(&stored).expect("names and numbers become JSON")
    }

    /// Of what [`to_json`](Bpe::to_json) gave.
    ///
    /// # Errors
    /// If it is no such JSON, or the merges do not build on each other.
    pub fn from_json(json: &str) -> Result<Self, TokenizerError> {
        Bpe::from_bytes(json.as_bytes())
    }

    fn from_bytes(json: &[u8]) -> Result<Self, TokenizerError> {
        let stored: Stored = serde_json::from_slice(json).map_err(|error| TokenizerError::Json {
            line: error.line(),
            column: error.column(),
            what: text::shortened(&error.to_string()),
        })?;
        if stored.format != FORMAT || stored.version != 1 {
            let found = text::shortened(&stored.format);
            return Err(TokenizerError::Format { found, version: stored.version });
        }
        Bpe::new(stored.merges)
    }

    /// Writes [JSON](Bpe::to_json) to a file, whose name never stands for half of it.
    ///
    /// # Errors
    /// [`DataError::Tokenizer`] if that fails.
    ///
    /// ```
    /// use wengert_data::text::{Bpe, Text};
    /// let bpe = Bpe::train(&Text::from("aaaa aaaa"), 300)?;
    /// let file = std::env::temp_dir().join("wengert-bpe.json");
    /// bpe.save(&file)?;
    /// assert_eq!(Bpe::load(&file)?, bpe);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), DataError> {
        let (path, json) = (path.as_ref(), self.to_json());
        write_atomically(path, |file| file.write_all(json.as_bytes()))
            .map_err(|error| of_file(path, TokenizerError::Io(error)))
    }

    /// Reads what [`save`](Bpe::save) wrote.
    ///
    /// # Errors
    /// [`DataError::Tokenizer`] if the file cannot be read, or as [`from_json`](Bpe::from_json).
    pub fn load(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let read = || {
            let mut bytes = Vec::new();
            let file = std::fs::File::open(path).map_err(TokenizerError::Io)?;
            file.take(LARGEST as u64 + 1).read_to_end(&mut bytes).map_err(TokenizerError::Io)?;
            if bytes.len() > LARGEST {
                return Err(TokenizerError::TooLarge { limit: LARGEST });
            }
            Bpe::from_bytes(&bytes)
        };
        read().map_err(|error| of_file(path, error))
    }
}

fn of_file(path: &Path, source: TokenizerError) -> DataError {
    DataError::Tokenizer { path: path.to_owned(), source: Box::new(source) }
}
