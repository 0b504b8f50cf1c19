//! The index of a model in several files: a JSON text of which file has which tensor.

use std::borrow::Cow;
use std::fmt::Formatter;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use wengert_tensor::text;

/// The longest index that is read.
const LONGEST: usize = 100_000_000;

/// What is wrong with the index of a model in several files, or with what it speaks of.
///
/// ```
/// use wengert_formats::sharded::{IndexError, Sharded};
/// use wengert_formats::FormatsError;
/// let path = std::env::temp_dir().join("wengert-index-error.json");
/// std::fs::write(&path, r#"{"weight_map": {"w": "../elsewhere.safetensors"}}"#)?;
/// let error = Sharded::open(&path).err().unwrap();
/// assert!(matches!(error, FormatsError::Index { source: IndexError::Outside { .. }, .. }), "{error}");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// It is not the JSON that it should be.
    #[error("not an index of safetensors files: {reason}")]
    Json {
        /// What is wrong, shortened.
        reason: String,
    },
    /// A file that is not beside the index.
    #[error("{} is no name of a file beside the index", text::quoted(file))]
    Outside {
        /// What the index says, shortened.
        file: String,
    },
    /// A file that is not there.
    #[error("the file {} is missing, one of {count}", text::quoted(file))]
    MissingFile {
        /// Its name.
        file: String,
        /// How many files the index speaks of.
        count: usize,
    },
    /// A tensor that is not in the file where the index says.
    #[error("the tensor {} is not in {}, where the index says", text::quoted(name), text::quoted(file))]
    MissingTensor {
        /// Its name, shortened.
        name: String,
        /// The file.
        file: String,
    },
}

/// An index, of which no more is kept than its own text.
pub(super) struct Index {
    json: Vec<u8>,
    /// The names of the files, in their order.
    pub(super) files: Vec<String>,
}

impl Index {
    pub(super) fn new(json: Vec<u8>) -> Result<Self, IndexError> {
        if json.len() > LONGEST {
            return Err(wrong("it is longer than 100 MB"));
        }
        let mut index = Index { json, files: Vec::new() };
        let (mut files, mut outside, mut sorted): (Vec<String>, _, _) = (Vec::new(), None, true);
        index.walk(&mut |_, file| {
            if let Err(place) = files.binary_search_by(|known| known.as_str().cmp(file)) {
                if !is_name(file) {
                    outside = outside.take().or_else(|| Some(text::shortened(file)));
                } else if files.len() < MOST_FILES {
                    files.insert(place, file.to_owned());
                } else {
                    sorted = false;
                }
            }
        })?;
        if let Some(file) = outside {
            return Err(IndexError::Outside { file });
        }
        if !sorted {
            return Err(wrong("it speaks of more than 4096 files"));
        }
        index.files = files;
        Ok(index)
    }

    /// Shows each tensor's name and file.
    pub(super) fn each(&self, visit: &mut dyn FnMut(&str, &str)) {
        self.walk(visit).expect("the text was read before");
    }

    fn walk(&self, visit: &mut dyn FnMut(&str, &str)) -> Result<(), IndexError> {
        let mut json = serde_json::Deserializer::from_slice(&self.json);
        let found = Top(visit).deserialize(&mut json).and_then(|found| json.end().map(|()| found));
        match found.map_err(|error| wrong(&text::line(&error.to_string(), 160)))? {
            true => Ok(()),
            false => Err(wrong("it has no weight_map")),
        }
    }
}

/// Models of today have some two hundred.
const MOST_FILES: usize = 4096;

fn wrong(reason: &str) -> IndexError {
    IndexError::Json { reason: reason.to_owned() }
}

/// Whether it is a name in a folder, on any system, and no path.
pub(super) fn is_name(file: &str) -> bool {
    !matches!(file, "" | "." | "..") && file.len() <= 255 && !file.contains(['/', '\\', ':', '\0'])
}

/// A text, borrowed if nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The whole: whether there is a `weight_map`. What the metadata say of the size of all tensors is passed over, as by the library that writes
/// such files: tensors that share memory are counted in several ways.
struct Top<'f>(&'f mut dyn FnMut(&str, &str));

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object with a weight_map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = false;
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "weight_map" if found => return Err(A::Error::custom("weight_map is there twice")),
                "weight_map" => {
                    map.next_value_seed(Files(&mut *self.0))?;
                    found = true;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

struct Files<'f>(&'f mut dyn FnMut(&str, &str));

impl<'de> DeserializeSeed<'de> for Files<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Files<'_> {
    type Value = ();

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("files by the names of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key()? {
            let Text(file) = map.next_value()?;
            (self.0)(&name, &file);
        }
        Ok(())
    }
}
