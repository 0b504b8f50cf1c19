//! Arrays of NumPy, `.npy`: versions 1 to 3, in either order of axes and of bytes.
//!
//! Floating-point numbers of 16, 32 and 64 bits, whole numbers of 8 to 64 and truth values are read, converted by value. Arrays of
//! objects, of texts, of dates and of structures are refused by the name of their type: nothing of Python is ever run.
//!
//! ```
//! use wengert_formats::npy;
//! use wengert_tensor::Tensor;
//! let path = std::env::temp_dir().join("wengert-npy.npy");
//! npy::write(&path, &Tensor::from([[1u32, 2], [3, 4]]))?; // np.load(path)
//! assert_eq!(npy::read::<f64>(&path)?, Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
//! # Ok::<(), wengert_formats::FormatsError>(())
//! ```

pub(crate) mod elements;
mod error;
pub(crate) mod header;

pub use error::NumpyError;

use std::io::{BufRead, BufReader, Cursor, Error, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use wengert_nn::tensor_file::{self, TensorEntry, TensorSource, read_tensor};
use wengert_tensor::file::{open, write_atomically};
use wengert_tensor::{Element, Tensor};

use crate::error::FormatsError;
use header::Header;

/// What an array is called that has no file to be named after.
const NAME: &str = "array";

/// An array as a source of tensors, with one that is called as the file is, without its ending.
///
/// ```
/// use wengert_formats::npy;
/// use wengert_nn::{Init, Loading, Params};
/// use wengert_tensor::Tensor;
/// let folder = std::env::temp_dir().join("wengert-npy-file");
/// std::fs::create_dir_all(&folder)?;
/// npy::write(folder.join("scale.npy"), &Tensor::from([1.0f32, 2.0]))?;
/// let mut params: Params = Params::seeded(0);
/// params.root().param("scale", [2], Init::Zeros);
/// params.load_from(&mut npy::File::open(folder.join("scale.npy"))?, &Loading::new())?;
/// assert_eq!(params.values(), [1.0, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct File<R = BufReader<std::fs::File>> {
    file: R,
    header: Header,
    name: String,
    path: Option<PathBuf>,
}

impl File {
    /// Opens a file.
    ///
    /// # Errors
    /// As [`new`](File::new), and if the path leads to no regular file.
    ///
    /// ```
    /// assert!(wengert_formats::npy::File::open("/nowhere").is_err());
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FormatsError> {
        let path = path.as_ref();
        let file = open(path).map_err(|error| FormatsError::access(path, error))?;
        File::at(path, BufReader::new(file))
    }
}

#[cfg(feature = "mmap")]
impl File<Cursor<wengert_tensor::file::Mapped>> {
    /// Like [`open`](File::open), of the file as memory: its bytes are not copied before they become numbers, and the system forgets what
    /// it needs the memory for. The file must stay as it is meanwhile: see [`map`](wengert_tensor::file::map).
    ///
    /// # Errors
    /// As [`open`](File::open).
    ///
    /// ```
    /// use wengert_formats::npy;
    /// use wengert_nn::tensor_file::read_tensor;
    /// use wengert_tensor::Tensor;
    /// let path = std::env::temp_dir().join("wengert-npy-map.npy");
    /// npy::write(&path, &Tensor::from([1.0f32, 2.0]))?;
    /// let mut file = npy::File::map(&path)?;
    /// assert_eq!(read_tensor::<f32>(&mut file, "wengert-npy-map")?.to_vec(), [1.0, 2.0]);
    /// # Ok::<(), wengert_formats::FormatsError>(())
    /// ```
    pub fn map(path: impl AsRef<Path>) -> Result<Self, FormatsError> {
        let path = path.as_ref();
        File::at(path, crate::open::mapped(path)?)
    }
}

impl<R: BufRead + Seek> File<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// If the bytes cannot be had, are no array, or more or fewer than it has; of types that are not read the number is not checked.
    ///
    /// ```
    /// use wengert_formats::npy;
    /// use wengert_nn::tensor_file::TensorSource;
    /// let bytes = npy::to_bytes(&wengert_tensor::Tensor::<f32>::zeros([2, 3]));
    /// let file = npy::File::new(std::io::Cursor::new(bytes))?;
    /// file.each(&mut |_, array| assert_eq!((array.name(), array.dtype()), ("array", "F32")));
    /// # Ok::<(), npy::NumpyError>(())
    /// ```
    pub fn new(mut file: R) -> Result<Self, NumpyError> {
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        let header = Header::read(&mut file, length)?;
        let found = length - header.length;
        if header.width > 0 && found != header.bytes {
            return Err(NumpyError::Length { expected: header.bytes, found });
        }
        Ok(File { file, header, name: NAME.into(), path: None })
    }

    /// The file at this path.
    pub(crate) fn at(path: &Path, file: R) -> Result<Self, FormatsError> {
        let array = File::new(file).map_err(|error| FormatsError::numpy(Some(path), error))?;
        let name = path.file_stem().map_or(NAME.into(), |stem| stem.to_string_lossy().into_owned());
        Ok(File { name, path: Some(path.to_owned()), ..array })
    }

    fn into_tensor<T: Element>(mut self) -> Result<Tensor<T>, FormatsError> {
        let name = self.name.clone();
        Ok(read_tensor(&mut self, &name)?)
    }
}

impl<R: BufRead + Seek> TensorSource for File<R> {
    fn each(&self, visit: &mut dyn FnMut(usize, &TensorEntry<'_>)) {
        visit(0, &TensorEntry::new(&*self.name, &*self.header.dtype, self.header.shape.clone()));
    }

    fn read(&mut self, _: usize, take: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        self.file.seek(SeekFrom::Start(self.header.length))?;
        elements::read(&self.header, &mut self.file, take)
    }

    fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

/// Reads an array, converted by value: floating-point numbers are rounded to the nearest, others must be among those of `T` (for `bool`
/// 0 and 1).
///
/// # Errors
/// If the file cannot be read or is no array, if its elements are of a type that is not read, or if `T` does not have one of them.
///
/// ```
/// use wengert_formats::npy;
/// use wengert_tensor::Tensor;
/// let path = std::env::temp_dir().join("wengert-npy-read.npy");
/// npy::write(&path, &Tensor::from([0.5f64, 2.0]))?;
/// assert_eq!(npy::read::<f32>(&path)?.to_vec(), [0.5, 2.0]);
/// assert!(npy::read::<u32>(&path).unwrap_err().to_string().ends_with("has a number in the file that is none of u32: 0.5"));
/// # Ok::<(), wengert_formats::FormatsError>(())
/// ```
pub fn read<T: Element>(path: impl AsRef<Path>) -> Result<Tensor<T>, FormatsError> {
    File::open(path)?.into_tensor()
}

/// Like [`read`], of the bytes of a file.
///
/// # Errors
/// As [`read`].
///
/// ```
/// use wengert_formats::npy;
/// use wengert_tensor::Tensor;
/// let x = Tensor::from([[true, false]]);
/// assert_eq!(npy::from_bytes::<bool>(&npy::to_bytes(&x))?, x);
/// # Ok::<(), wengert_formats::FormatsError>(())
/// ```
pub fn from_bytes<T: Element>(bytes: &[u8]) -> Result<Tensor<T>, FormatsError> {
    File::new(Cursor::new(bytes)).map_err(|error| FormatsError::numpy(None, error))?.into_tensor()
}

/// Writes a tensor as an array, which appears whole or not at all: see [`write_atomically`].
///
/// # Errors
/// If the file cannot be written.
///
/// ```
/// let path = std::env::temp_dir().join("wengert-npy-write.npy");
/// wengert_formats::npy::write(&path, &wengert_tensor::Tensor::from([1u8, 2]))?; // np.load(path).dtype == "uint8"
/// # Ok::<(), wengert_formats::FormatsError>(())
/// ```
pub fn write<T: Element>(path: impl AsRef<Path>, tensor: &Tensor<T>) -> Result<(), FormatsError> {
    let path = path.as_ref();
    write_atomically(path, |file| {
        Ok::<_, wengert_tensor::file::AccessError>(each_piece(tensor, &mut |bytes| file.write_all(bytes))?)
    })
    .map_err(|error| FormatsError::access(path, error))
}

/// What [`write`](write()) writes.
///
/// ```
/// let bytes = wengert_formats::npy::to_bytes(&wengert_tensor::Tensor::from([1.0f32]));
/// assert_eq!(bytes.len(), 128 + 4);
/// ```
pub fn to_bytes<T: Element>(tensor: &Tensor<T>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let push = &mut |piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok(())
    };
    each_piece(tensor, push).expect("memory can be written to");
    bytes
}

/// Shows the bytes of the file, piece by piece.
pub(crate) fn each_piece<T: Element>(
    tensor: &Tensor<T>,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let tensor = tensor.contiguous();
    take(&header::compose::<T>(tensor.shape()))?;
    tensor_file::each_piece(tensor.as_slice().expect("it was made contiguous"), take)
}
