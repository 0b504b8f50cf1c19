//! Writing archives of arrays.

use std::io::{Error, ErrorKind, Write};
use std::path::Path;

use wengert_nn::Params;
use wengert_tensor::file::{AccessError, write_atomically};
use wengert_tensor::{Element, Float, Tensor};

use super::SUFFIX;
use crate::error::FormatsError;
use crate::npy::NumpyError;
use crate::npy::{each_piece, header};
use crate::zip::{Pieces, ZipWriter};

/// Arrays that are to be written as one archive, under their names: see the [module](super).
#[derive(Default)]
pub struct Arrays<'a> {
    arrays: Vec<(String, Box<Pieces<'a>>)>,
    compressed: bool,
}

impl<'a> Arrays<'a> {
    /// None yet.
    ///
    /// ```
    /// assert!(wengert_formats::npz::Arrays::new().to_bytes()?.starts_with(b"PK"));
    /// # Ok::<(), wengert_formats::FormatsError>(())
    /// ```
    pub fn new() -> Self {
        Arrays::default()
    }

    /// And this tensor, whose memory is shared.
    ///
    /// ```
    /// use wengert_formats::npz::{Arrays, File};
    /// let bytes = Arrays::new().with("x", &wengert_tensor::Tensor::from([true])).to_bytes()?;
    /// assert_eq!(File::new(std::io::Cursor::new(bytes))?.names().collect::<Vec<_>>(), ["x"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with<T: Element>(mut self, name: impl Into<String>, tensor: &Tensor<T>) -> Self {
        let tensor = tensor.clone();
        self.arrays.push((name.into(), Box::new(move |take| each_piece(&tensor, take))));
        self
    }

    /// And this whole number, as an array without axes.
    fn with_count(mut self, name: String, count: i64) -> Self {
        let bytes = [&header::compose_of("<i8", &[])[..], &count.to_le_bytes()].concat();
        self.arrays.push((name, Box::new(move |take| take(&bytes))));
        self
    }

    /// Compresses the arrays, as `np.savez_compressed` does; the compressed bytes of one are held in memory.
    ///
    /// ```
    /// use wengert_formats::npz::Arrays;
    /// let zeros = wengert_tensor::Tensor::<f32>::zeros([1000]);
    /// assert!(Arrays::new().with("x", &zeros).compressed().to_bytes()?.len() < 1000);
    /// # Ok::<(), wengert_formats::FormatsError>(())
    /// ```
    pub fn compressed(mut self) -> Self {
        self.compressed = true;
        self
    }

    /// Writes the archive, which appears whole or not at all: see [`write_atomically`].
    ///
    /// # Errors
    /// If the file cannot be written, or a name is there twice, longer than archives allow (65535 bytes), or has a NUL, with which NumPy
    /// takes it to end.
    ///
    /// ```
    /// use wengert_formats::npz::Arrays;
    /// let path = std::env::temp_dir().join("wengert-npz-write.npz");
    /// let x = wengert_tensor::Tensor::from([1.0f32]);
    /// Arrays::new().with("x", &x).write(&path)?;
    /// assert!(Arrays::new().with("x", &x).with("x", &x).write(&path).is_err());
    /// # Ok::<(), wengert_formats::FormatsError>(())
    /// ```
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), FormatsError> {
        let path = path.as_ref();
        write_atomically(path, |file| Ok::<_, AccessError>(self.write_to(file)?))
            .map_err(|error| FormatsError::access(path, error))
    }

    /// What [`write`](Arrays::write) writes.
    ///
    /// # Errors
    /// If a name is there twice, longer than archives allow, or has a NUL.
    ///
    /// ```
    /// use wengert_formats::npz::Arrays;
    /// assert_eq!(Arrays::new().to_bytes()?.len(), 22);
    /// # Ok::<(), wengert_formats::FormatsError>(())
    /// ```
    pub fn to_bytes(&self) -> Result<Vec<u8>, FormatsError> {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes).map_err(|error| FormatsError::numpy(None, NumpyError::Io(error)))?;
        Ok(bytes)
    }

    fn write_to(&self, out: &mut impl Write) -> Result<(), Error> {
        let mut names: Vec<&str> = self.arrays.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let name = wengert_tensor::text::quoted(twice[0]);
            return Err(Error::new(ErrorKind::InvalidInput, format!("{name} is there twice")));
        }
        if let Some(cut) = names.iter().find(|name| name.contains('\0')) {
            let name = wengert_tensor::text::quoted(cut);
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("{name} has a NUL, with which it ends for NumPy"),
            ));
        }
        let mut zip = ZipWriter::new(out, "");
        for (name, pieces) in &self.arrays {
            let name = format!("{name}{SUFFIX}");
            match self.compressed {
                true => zip.add_deflated(&name, pieces)?,
                false => zip.add_pieces(&name, pieces)?,
            }
        }
        zip.finish()
    }
}

impl std::fmt::Debug for Arrays<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.arrays.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Arrays").field("names", &names).field("compressed", &self.compressed).finish()
    }
}

/// Writes all parameters, buffers and counts of a model as arrays under their names, which [`load`](crate::load) reads and
/// `np.load`. The file appears whole or not at all.
///
/// # Errors
/// If the file cannot be written.
///
/// ```
/// use wengert_formats::npz;
/// use wengert_nn::{Linear, Params};
/// let path = std::env::temp_dir().join("wengert-npz-save.npz");
/// let mut params: Params = Params::seeded(0);
/// Linear::new(params.at("out"), 3, 2);
/// npz::save(&params, &path)?;
/// assert_eq!(npz::File::open(&path)?.names().collect::<Vec<_>>(), ["out.bias", "out.weight"]);
/// # Ok::<(), wengert_formats::FormatsError>(())
/// ```
pub fn save<T: Float>(params: &Params<T>, path: impl AsRef<Path>) -> Result<(), FormatsError> {
    let mut arrays = Arrays::new();
    for (name, _, _) in params.iter() {
        let id = params.id(name).expect("it is there");
        arrays = arrays.with(name, &params.tensor(id));
    }
    for (name, buffer) in params.buffers() {
        arrays = arrays.with(name, &buffer);
    }
    for (name, count) in params.counts() {
        arrays = arrays.with_count(name, count);
    }
    arrays.write(path)
}
