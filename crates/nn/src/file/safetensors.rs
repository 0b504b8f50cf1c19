//! A safetensors file as a source of tensors, of which no more than the header is kept.

use std::fs::File;
use std::io::{BufRead, BufReader, Error, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use wengert_tensor::file::open;

use super::header::Header;
use super::pieces::read_pieces;
use super::source::not_whole;
use super::tensor_file::FileKind;
use super::tensor_file::{CHECKPOINT, ReadError};
use super::{FileError, TensorEntry, TensorSource};

/// A safetensors file from which models are loaded: of what it says of its tensors, no more is kept than its own header.
/// [`Reader`](super::tensor_file::Reader) is for what is wanted whole, texts and all.
///
/// ```
/// use std::io::Cursor;
/// use wengert_nn::tensor_file::{Safetensors, TensorSource};
/// use wengert_nn::{Linear, Loading, Params};
/// let mut saved: Params = Params::seeded(0);
/// Linear::new(saved.at("out"), 2, 1);
/// let mut source = Safetensors::new(Cursor::new(saved.to_safetensors()?))?;
/// let mut names = Vec::new();
/// source.each(&mut |_, tensor| names.push(tensor.name().to_owned()));
/// assert_eq!(names, ["out.bias", "out.weight"]);
///
/// let mut params: Params = Params::seeded(1);
/// Linear::new(params.at("out"), 2, 1);
/// params.load_from(&mut source, &Loading::new())?;
/// assert_eq!(params.values(), saved.values());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A file is read from anything that is buffered: a [`BufReader`], a `Cursor` over bytes, with the feature `mmap` a file as memory
/// (`Safetensors::map`), whose bytes are not copied before they become numbers.
pub struct Safetensors<R> {
    file: R,
    header: Header,
    /// Where the bytes of each begin and end, behind the header.
    ranges: Vec<(u64, u64)>,
    checkpoint: bool,
    path: Option<PathBuf>,
}

impl<R: BufRead + Seek> Safetensors<R> {
    /// Reads the header and checks it.
    ///
    /// # Errors
    /// If the bytes cannot be had, or are at odds with the format or with themselves: tensors must lie one after another and
    /// fill the file, with as many bytes as their types and shapes say.
    pub fn new(mut file: R) -> Result<Self, ReadError> {
        let length = file.seek(SeekFrom::End(0))?;
        let header = Header::read(&mut file, length)??;
        let ranges = header.check()?;
        let mut checkpoint = false;
        // What is wrong with the metadata is nothing to a model.
        let _ = header.each_text(|key, _| checkpoint |= key == CHECKPOINT);
        Ok(Safetensors { file, header, ranges, checkpoint, path: None })
    }

    /// Of the file at this path.
    #[doc(hidden)]
    pub fn at(path: &Path, mut file: R) -> Result<Self, FileError> {
        let mut head = Vec::new();
        let read = (&mut file).take(FileKind::HEAD as u64).read_to_end(&mut head);
        read.map_err(|error| FileError::io(Some(path), error))?;
        let source = Safetensors::new(file).map_err(|error| FileError::read(Some(path), error, &head))?;
        Ok(Safetensors { path: Some(path.to_owned()), ..source })
    }
}

impl Safetensors<BufReader<File>> {
    /// Opens a file, whose name errors will tell.
    ///
    /// # Errors
    /// As [`new`](Safetensors::new), and if the path leads to no regular file.
    ///
    /// ```
    /// use wengert_nn::FileError;
    /// use wengert_nn::tensor_file::Safetensors;
    /// assert!(matches!(Safetensors::open("/nowhere"), Err(FileError::Io { .. })));
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let file = open(path).map_err(|error| FileError::access(path, error))?;
        Safetensors::at(path, BufReader::new(file))
    }
}

#[cfg(feature = "mmap")]
impl Safetensors<std::io::Cursor<wengert_tensor::file::Mapped>> {
    /// Like [`open`](Safetensors::open), of the file as memory: a tensor's bytes are not copied before they become numbers, and the system
    /// forgets what it needs the memory for. The file must stay as it is meanwhile: see [`map`](wengert_tensor::file::map).
    ///
    /// # Errors
    /// As [`open`](Safetensors::open).
    ///
    /// ```
    /// use wengert_nn::tensor_file::Safetensors;
    /// use wengert_nn::{Linear, Loading, Params};
    /// let path = std::env::temp_dir().join("wengert-safetensors-map.safetensors");
    /// let mut saved: Params = Params::seeded(0);
    /// Linear::new(saved.at("out"), 2, 1);
    /// saved.save(&path)?;
    /// let mut params: Params = Params::seeded(1);
    /// Linear::new(params.at("out"), 2, 1);
    /// params.load_from(&mut Safetensors::map(&path)?, &Loading::new())?;
    /// assert_eq!(params.values(), saved.values());
    /// # Ok::<(), wengert_nn::FileError>(())
    /// ```
    pub fn map(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let bytes = wengert_tensor::file::map(path).map_err(|error| FileError::access(path, error))?;
        Safetensors::at(path, std::io::Cursor::new(bytes))
    }
}

impl<R: BufRead + Seek> TensorSource for Safetensors<R> {
    fn each(&self, visit: &mut dyn FnMut(usize, &TensorEntry<'_>)) {
        let mut place = 0;
        let checked = self.header.each(|name, entry| {
            visit(place, &TensorEntry::new(name, entry.dtype, entry.shape.shape()));
            place += 1;
        });
        checked.expect("the header was checked before");
    }

    fn read(&mut self, place: usize, take: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let (start, end) = self.ranges[place];
        self.file.seek(SeekFrom::Start(self.header.start + start))?;
        read_pieces(&mut self.file, end - start, take)
    }

    fn read_whole(&mut self, place: usize, bytes: &mut [u8]) -> Result<(), Error> {
        let (start, end) = self.ranges[place];
        if end - start != bytes.len() as u64 {
            return Err(not_whole());
        }
        self.file.seek(SeekFrom::Start(self.header.start + start))?;
        self.file.read_exact(bytes)
    }

    fn is_checkpoint(&self) -> bool {
        self.checkpoint
    }

    fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}
