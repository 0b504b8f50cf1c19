//! Parameters in safetensors files.

mod dtype;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{SafeTensorError, SafeTensors};
use wengert_tensor::file::write_atomically;
use wengert_tensor::{Float, Shape, Tensor};

use crate::params::Params;

/// Why parameters could not be saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file could not be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The bytes are not a safetensors file, or only a part of one.
    #[error("not a safetensors file: {0}")]
    Format(SafeTensorError),
    /// Parameters that are not in the file.
    #[error("the file lacks {}", list(.names))]
    Missing {
        /// Their names.
        names: Vec<String>,
    },
    /// Tensors in the file that are no parameters.
    #[error("the file has {}, which the model does not", list(.names))]
    Unexpected {
        /// Their names.
        names: Vec<String>,
    },
    /// A tensor of another shape than the parameter of its name.
    #[error("`{name}` has shape {found} in the file, {expected} in the model")]
    Shape {
        /// Its name.
        name: String,
        /// Its shape in the file.
        found: Shape,
        /// The parameter's shape.
        expected: Shape,
    },
    /// A tensor of a type that is no floating-point number of 16, 32 or 64 bits.
    #[error("`{name}` has elements of type {dtype} in the file, not f16, bf16, f32 or f64")]
    Dtype {
        /// Its name.
        name: String,
        /// The type's name in the format.
        dtype: String,
    },
}

/// The names in backquotes, the first few of many.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|n| format!("`{n}`")).collect();
    let more = names.len().saturating_sub(SHOWN);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

impl<T: Float> Params<T> {
    /// Writes all parameters and buffers to a [safetensors](https://github.com/huggingface/safetensors) file, under their
    /// names and in their own element type. The file appears whole or not at all.
    ///
    /// # Errors
    /// If the file cannot be written.
    ///
    /// ```
    /// use wengert_nn::{Linear, Params};
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("model.safetensors");
    /// let mut params: Params = Params::seeded(0);
    /// Linear::new(params.at("out"), 3, 2);
    /// params.save(&path)?;
    ///
    /// let mut other: Params = Params::seeded(1);
    /// Linear::new(other.at("out"), 3, 2);
    /// other.load(&path)?;
    /// assert_eq!(other.values(), params.values());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), FileError> {
        let path = path.as_ref();
        let bytes = self.to_safetensors()?;
        write_atomically(path, |file| file.write_all(&bytes))
            .map_err(|source| FileError::Io { path: path.to_owned(), source })
    }

    /// Replaces all parameters and buffers by those in a safetensors file, such as one written by PyTorch, converting
    /// elements of 16, 32 or 64 bits. Nothing changes on an error.
    ///
    /// # Errors
    /// If the file cannot be read, is no safetensors file, lacks a parameter, has a tensor that is none, or one of another
    /// shape or of a type that is no floating-point number.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<(), FileError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| FileError::Io { path: path.to_owned(), source })?;
        self.load_safetensors(&bytes)
    }

    /// What [`save`](Params::save) writes.
    ///
    /// # Errors
    /// If the names take more than the format's limit of 100 MB.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, FileError> {
        let dtype = dtype::of::<T>();
        let named =
            self.iter().map(|(name, shape, values)| (name.to_owned(), shape, dtype::to_bytes(values)));
        let named: Vec<_> = named.collect();
        let buffers = self.buffers();
        let buffers: Vec<_> =
            buffers.iter().map(|(name, b)| (name.clone(), b.shape(), dtype::to_bytes(&b.to_vec()))).collect();
        let mut views = Vec::with_capacity(named.len() + buffers.len());
        for (name, shape, bytes) in named.iter().chain(&buffers) {
            let view = TensorView::new(dtype, shape.to_vec(), bytes).map_err(FileError::Format)?;
            views.push((name, view));
        }
        // Collected, since the format's crate has another map type with its feature `std` than without.
        let about = [("format".to_owned(), "pt".to_owned())].into_iter().collect();
        safetensors::serialize(views, Some(about)).map_err(FileError::Format)
    }

    /// Like [`load`](Params::load), from bytes.
    ///
    /// # Errors
    /// As [`load`](Params::load), apart from reading.
    pub fn load_safetensors(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        let file = SafeTensors::deserialize(bytes).map_err(FileError::Format)?;
        let mut tensors: BTreeMap<String, TensorView<'_>> = file.tensors().into_iter().collect();
        let mut missing = Vec::new();
        let mut take = |name: &str, shape: &Shape| -> Result<Option<Vec<T>>, FileError> {
            match tensors.remove(name) {
                Some(view) => elements(name, shape, &view).map(Some),
                None => {
                    missing.push(name.to_owned());
                    Ok(None)
                }
            }
        };
        let mut values: Vec<T> = Vec::with_capacity(self.len());
        for (name, shape, _) in self.iter() {
            values.extend(take(name, shape)?.into_iter().flatten());
        }
        let mut buffers = Vec::new();
        for (name, buffer) in self.buffers() {
            if let Some(elements) = take(&name, buffer.shape())? {
                buffers.push(Tensor::vector(&elements).reshape(buffer.shape()));
            }
        }
        if !missing.is_empty() {
            return Err(FileError::Missing { names: missing });
        }
        if !tensors.is_empty() {
            return Err(FileError::Unexpected { names: tensors.into_keys().collect() });
        }
        self.set_values(&values);
        self.set_buffers(buffers);
        Ok(())
    }
}

/// The elements of a tensor in a file, which must have that shape.
fn elements<T: Float>(name: &str, shape: &Shape, view: &TensorView<'_>) -> Result<Vec<T>, FileError> {
    if view.shape() != &shape[..] {
        let (found, expected) = (view.shape().into(), shape.clone());
        return Err(FileError::Shape { name: name.to_owned(), found, expected });
    }
    dtype::from_bytes(view.dtype(), view.data())
        .ok_or_else(|| FileError::Dtype { name: name.to_owned(), dtype: format!("{:?}", view.dtype()) })
}
