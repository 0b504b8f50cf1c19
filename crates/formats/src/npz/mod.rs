//! Archives of arrays of NumPy, `.npz`, stored or compressed.
//!
//! ```
//! use wengert_formats::npz;
//! use wengert_tensor::Tensor;
//! let path = std::env::temp_dir().join("wengert-npz.npz");
//! let (x, y) = (Tensor::from([[0.5f32, 1.5]]), Tensor::from([3u32]));
//! npz::Arrays::new().with("x", &x).with("y", &y).compressed().write(&path)?; // np.load(path)["x"]
//! let mut file = npz::File::open(&path)?;
//! assert_eq!(file.names().collect::<Vec<_>>(), ["x", "y"]);
//! assert_eq!((file.tensor::<f32>("x")?, file.tensor::<u32>("y")?), (x, y));
//! # Ok::<(), wengert_formats::FormatsError>(())
//! ```

mod write;

pub use write::{Arrays, save};

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::DeflateDecoder;
use wengert_nn::tensor_file::{TensorEntry, TensorSource, read_tensor};
use wengert_tensor::file::open;
use wengert_tensor::{Element, Tensor, text};

use crate::error::FormatsError;
use crate::npy::header::Header;
use crate::npy::{NumpyError, elements};
use crate::zip::{Place, Summed, Zip, ZipError};

/// What the names of arrays end with in the archive.
pub(crate) const SUFFIX: &str = ".npy";
/// Deflate makes at most so many bytes of one.
const MOST: u64 = 1032;

/// An archive of arrays, opened: a source of tensors.
///
/// ```
/// use wengert_formats::npz;
/// use wengert_nn::{Linear, Loading, Params};
/// let path = std::env::temp_dir().join("wengert-npz-file.npz");
/// let mut saved: Params = Params::seeded(0);
/// Linear::new(saved.at("out"), 3, 2);
/// npz::save(&saved, &path)?;
/// let mut params: Params = Params::seeded(1);
/// Linear::new(params.at("out"), 3, 2);
/// params.load_from(&mut npz::File::open(&path)?, &Loading::new())?;
/// assert_eq!(params.values(), saved.values());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct File<R = BufReader<std::fs::File>> {
    file: R,
    arrays: Vec<Array>,
    path: Option<PathBuf>,
}

struct Array {
    name: String,
    header: Header,
    place: Place,
}

impl File {
    /// Opens a file.
    ///
    /// # Errors
    /// As [`new`](File::new), and if the path leads to no regular file.
    ///
    /// ```
    /// assert!(wengert_formats::npz::File::open("/nowhere").is_err());
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FormatsError> {
        let path = path.as_ref();
        let mut file = BufReader::new(open(path).map_err(|error| FormatsError::access(path, error))?);
        let zip = Zip::of(&mut file);
        File::at(path, file, zip)
    }
}

#[cfg(feature = "mmap")]
impl File<std::io::Cursor<wengert_tensor::file::Mapped>> {
    /// Like [`open`](File::open), of the file as memory, which must stay as it is meanwhile: see [`map`](wengert_tensor::file::map).
    ///
    /// # Errors
    /// As [`open`](File::open).
    ///
    /// ```
    /// use wengert_formats::npz::{Arrays, File};
    /// let path = std::env::temp_dir().join("wengert-npz-map.npz");
    /// let x = wengert_tensor::Tensor::from([1.0f64]);
    /// Arrays::new().with("x", &x).write(&path)?;
    /// assert_eq!(File::map(&path)?.tensor::<f64>("x")?, x);
    /// # Ok::<(), wengert_formats::FormatsError>(())
    /// ```
    pub fn map(path: impl AsRef<Path>) -> Result<Self, FormatsError> {
        let path = path.as_ref();
        let mut bytes = crate::open::mapped(path)?;
        let zip = Zip::of(&mut bytes);
        File::at(path, bytes, zip)
    }
}

impl<R: BufRead + Seek> File<R> {
    /// Reads the headers of all arrays. What else is in the archive is passed over.
    ///
    /// # Errors
    /// If the bytes cannot be had, the archive is damaged, or an array in it is at odds with itself: it must have as many bytes as its
    /// type and shape say. Of types that are not read only the name is kept.
    ///
    /// ```
    /// use wengert_formats::npz::{Arrays, File};
    /// let bytes = Arrays::new().with("x", &wengert_tensor::Tensor::from([1.0f64])).to_bytes()?;
    /// assert_eq!(File::new(std::io::Cursor::new(bytes))?.names().count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(mut file: R) -> Result<Self, NumpyError> {
        let zip = Zip::of(&mut file)?;
        Self::of(file, &zip)
    }

    /// The file at this path, whose directory this is.
    pub(crate) fn at(path: &Path, file: R, zip: Result<Zip, ZipError>) -> Result<Self, FormatsError> {
        let file = zip.map_err(NumpyError::from).and_then(|zip| Self::of(file, &zip));
        let file = file.map_err(|error| FormatsError::numpy(Some(path), error))?;
        Ok(File { path: Some(path.to_owned()), ..file })
    }

    fn of(mut file: R, zip: &Zip) -> Result<Self, NumpyError> {
        let mut arrays = Vec::new();
        for entry in zip.entries() {
            let Some(name) = entry.name.strip_suffix(SUFFIX.as_bytes()) else { continue };
            let name = String::from_utf8_lossy(name).into_owned();
            let mut read = || {
                let place = zip.place(&entry, &mut file)?;
                if place.deflated && place.length / MOST > place.stored {
                    return Err(NumpyError::Header { reason: "it cannot have been compressed so far" });
                }
                let header = Header::read(&mut bytes_of(&mut file, place)?, place.length)?;
                let found = place.length - header.length;
                if header.width > 0 && found != header.bytes {
                    return Err(NumpyError::Length { expected: header.bytes, found });
                }
                Ok((place, header))
            };
            match read() {
                Ok((place, header)) => arrays.push(Array { name, header, place }),
                Err(source) => {
                    return Err(NumpyError::Array { name: text::shortened(&name), source: source.into() });
                }
            }
        }
        Ok(File { file, arrays, path: None })
    }

    /// The names of the arrays, in their order.
    ///
    /// ```
    /// use wengert_formats::npz::{Arrays, File};
    /// let x = wengert_tensor::Tensor::from([1.0f64]);
    /// let bytes = Arrays::new().with("b", &x).with("a", &x).to_bytes()?;
    /// assert_eq!(File::new(std::io::Cursor::new(bytes))?.names().collect::<Vec<_>>(), ["a", "b"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.arrays.iter().map(|array| array.name.as_str())
    }

    /// The array of that name, converted by value as [`npy::read`](crate::npy::read) does.
    ///
    /// # Errors
    /// If there is none, it cannot be read or does not have its checksum, its elements are of a type that is not read, or `T` does not
    /// have one of them.
    ///
    /// ```
    /// use wengert_formats::npz::{Arrays, File};
    /// let x = wengert_tensor::Tensor::from([1.0f64]);
    /// let mut file = File::new(std::io::Cursor::new(Arrays::new().with("x", &x).to_bytes()?))?;
    /// assert_eq!(file.tensor::<f64>("x")?, x);
    /// assert!(file.tensor::<f64>("y").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tensor<T: Element>(&mut self, name: &str) -> Result<Tensor<T>, FormatsError> {
        Ok(read_tensor(self, name)?)
    }
}

impl<R: BufRead + Seek> TensorSource for File<R> {
    fn each(&self, visit: &mut dyn FnMut(usize, &TensorEntry<'_>)) {
        for (place, Array { name, header, .. }) in self.arrays.iter().enumerate() {
            visit(place, &TensorEntry::new(&**name, &*header.dtype, header.shape.clone()));
        }
    }

    fn read(&mut self, place: usize, take: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let array = &self.arrays[place];
        let bytes = bytes_of(&mut self.file, array.place)?;
        let mut bytes = Summed::new(bytes);
        let skipped = std::io::copy(&mut (&mut bytes).take(array.header.length), &mut std::io::sink())?;
        if skipped < array.header.length {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        elements::read(&array.header, &mut bytes, take)?;
        if bytes.finish() != array.place.sum {
            let message = format!("the array {} does not have its checksum", text::quoted(&array.name));
            return Err(Error::new(ErrorKind::InvalidData, message));
        }
        Ok(())
    }

    fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

/// The bytes of a record, decompressed, and no more than it says.
fn bytes_of<'a>(file: &'a mut (impl BufRead + Seek), place: Place) -> Result<Box<dyn BufRead + 'a>, Error> {
    file.seek(SeekFrom::Start(place.start))?;
    let stored = file.take(place.stored);
    Ok(if place.deflated {
        Box::new(BufReader::new(DeflateDecoder::new(stored).take(place.length)))
    } else {
        Box::new(stored)
    })
}
