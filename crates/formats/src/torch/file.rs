//! A file of `torch.save`, opened.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use wengert_tensor::file::open;

use super::archive::{Archive, Record};
use super::error::{Error, Problem};
use super::layout::{Layout, check_storage};
use super::pickle::{Heap, Id, Input, Machine};
use super::value::Value;
use super::{kind, legacy};
use crate::zip::{Summed, Zip, ZipError};

/// Memory that the objects of a pickle may take, beside half of the file's length.
const OBJECTS: u64 = 64 << 20;
/// Memory of what is known of a storage's record.
const KNOWN: usize = 64;
/// Bytes of the longest of an archive's short records.
const SHORT: u64 = 64;

/// What can be read at any place.
pub(crate) trait Bytes: BufRead + Seek + Send {}

impl<B: BufRead + Seek + Send> Bytes for B {}

/// A file's bytes, and what is known of them.
struct Stored {
    bytes: Box<dyn Bytes>,
    /// Whether the checksum of each storage's record has been compared.
    checked: Vec<bool>,
}

/// A file that `torch.save` wrote, of any version from 0.1.10 on and of Python 2 or 3: what it holds can be looked at, and
/// its tensors read.
///
/// Its pickle is run by a machine that builds tensors and plain containers only, as PyTorch's does with
/// `weights_only=True`; all else is refused by its name. Opening reads the pickle and no tensor. The memory that it takes
/// does not depend on what the pickle claims: at most the length of the file and 64 MiB.
///
/// A record of the archive whose checksum is another than its entry says is an error that names it: pickles as they are read, storages
/// with their first tensor. PyTorch can be told to write none, which are then 0 throughout, and compares none itself.
///
/// ```
/// use wengert_formats::torch;
/// use wengert_nn::{Linear, Params};
/// let mut params: Params = Params::seeded(0);
/// Linear::new(params.at("out"), 3, 2);
///
/// let file = torch::File::from_bytes(torch::to_bytes(&params)?)?;
/// let weight = file.root().get("out.weight").and_then(|value| value.tensor()).unwrap();
/// assert_eq!((weight.dtype(), &weight.shape()[..]), ("F32", &[2, 3][..]));
/// # Ok::<(), torch::Error>(())
/// ```
pub struct File {
    path: Option<PathBuf>,
    bytes: Mutex<Stored>,
    pub(super) heap: Heap,
    root: Id,
    /// Where the bytes of each storage are, and the first storage that has the same.
    records: Vec<Record>,
    firsts: Vec<u32>,
    /// What the names of the records begin with.
    folder: String,
    /// Whether the elements are big-endian.
    swapped: bool,
}

/// What stands in a file.
struct Contents {
    root: Id,
    records: Vec<Record>,
    folder: String,
    swapped: bool,
}

impl File {
    /// Opens a file, and reads its pickle.
    ///
    /// # Errors
    /// [`Error`], whose [`Problem`] tells the ways in which a file can be wrong, and what it is that is no file of
    /// `torch.save`: a TorchScript program, a whole pickled module, an older or another format.
    ///
    /// ```
    /// use wengert_formats::torch;
    /// use wengert_nn::{Linear, Params};
    /// let path = std::env::temp_dir().join("wengert-torch-open.pt");
    /// let mut params: Params = Params::seeded(0);
    /// Linear::new(params.at("out"), 3, 2);
    /// torch::save(&params, &path)?;
    /// assert_eq!(torch::File::open(&path)?.root().dict().unwrap().len(), 2);
    /// # Ok::<(), torch::Error>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let file = open(path).map_err(|error| Error::new(Some(path), error.into()))?;
        Self::at(path, Box::new(BufReader::new(file)))
    }

    /// Like [`open`](File::open), of the file as memory: the bytes of tensors are not copied before they become numbers, and the system
    /// forgets what it needs the memory for. The file must stay as it is meanwhile: see [`map`](wengert_tensor::file::map).
    ///
    /// # Errors
    /// As [`open`](File::open).
    ///
    /// ```
    /// use wengert_formats::torch;
    /// use wengert_nn::{Linear, Loading, Params};
    /// let path = std::env::temp_dir().join("wengert-torch-map.pt");
    /// let mut saved: Params = Params::seeded(0);
    /// Linear::new(saved.at("out"), 3, 2);
    /// torch::save(&saved, &path)?;
    /// let mut params: Params = Params::seeded(1);
    /// Linear::new(params.at("out"), 3, 2);
    /// params.load_from(&mut torch::File::map(&path)?.state_dict()?, &Loading::new())?;
    /// assert_eq!(params.values(), saved.values());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "mmap")]
    pub fn map(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = wengert_tensor::file::map(path).map_err(|error| Error::new(Some(path), error.into()))?;
        Self::at(path, Box::new(Cursor::new(bytes)))
    }

    /// The file at this path.
    pub(crate) fn at(path: &Path, bytes: Box<dyn Bytes>) -> Result<Self, Error> {
        Self::read(bytes, Some(path), None).map_err(|error| Error::new(Some(path), error))
    }

    /// The archive at this path, whose directory this is.
    pub(crate) fn archive(
        path: &Path,
        bytes: Box<dyn Bytes>,
        zip: Result<Zip, ZipError>,
    ) -> Result<Self, Error> {
        Self::read(bytes, Some(path), Some(zip)).map_err(|error| Error::new(Some(path), error))
    }

    /// Like [`open`](File::open), of the bytes of a file.
    ///
    /// # Errors
    /// As [`open`](File::open), apart from reading.
    ///
    /// ```
    /// assert!(wengert_formats::torch::File::from_bytes(*b"not a file of PyTorch").is_err());
    /// ```
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self, Error> {
        Self::read(Box::new(Cursor::new(bytes.into())), None, None).map_err(|error| Error::new(None, error))
    }

    /// The object that was saved.
    ///
    /// ```
    /// use wengert_formats::torch;
    /// // torch.save({"epoch": 3}, …) of PyTorch 1.5.
    /// let bytes = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\
    ///     \x80\x02}X\x05\x00\x00\x00epochK\x03s.\x80\x02].";
    /// let file = torch::File::from_bytes(*bytes)?;
    /// assert_eq!(file.root().get("epoch").and_then(|epoch| epoch.int()), Some(3));
    /// # Ok::<(), torch::Error>(())
    /// ```
    pub fn root(&self) -> Value<'_> {
        Value::new(self, self.root)
    }

    /// The path that it was opened at.
    ///
    /// ```
    /// # use wengert_formats::torch;
    /// # let params: wengert_nn::Params = wengert_nn::Params::seeded(0);
    /// let file = torch::File::from_bytes(torch::to_bytes(&params)?)?;
    /// assert_eq!(file.path(), None);
    /// # Ok::<(), torch::Error>(())
    /// ```
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub(super) fn root_id(&self) -> Id {
        self.root
    }

    pub(super) fn error(&self, problem: Problem) -> Error {
        Error::new(self.path(), problem)
    }

    /// The layout of a tensor, which was checked; `None` if it is of a kind that is not read.
    pub(super) fn layout(&self, tensor: u32) -> Option<Layout<'_>> {
        Layout::new(&self.heap.tensors[tensor as usize], &self.heap.storages, &self.records).ok().flatten()
    }

    /// Hands on a tensor's bytes until `take` fails.
    pub(super) fn read_layout(
        &self,
        layout: &Layout<'_>,
        take: &mut dyn FnMut(&[u8]) -> Result<(), std::io::Error>,
    ) -> Result<(), std::io::Error> {
        // A panic of `take` leaves the place in the file, which each reading sets anew.
        let mut stored = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let Stored { bytes, checked } = &mut *stored;
        let (storage, record) = (layout.storage(), self.records[layout.storage()]);
        let first = self.firsts[storage] as usize;
        let name = || {
            let key = self.heap.bytes(self.heap.storages[storage].key);
            format!("{}data/{}", self.folder, String::from_utf8_lossy(key))
        };
        let all = layout.is_all_of(record);
        if !checked[first] && !all {
            record.check(&mut **bytes, name)?;
        }
        bytes.seek(SeekFrom::Start(layout.start()))?;
        if checked[first] || !all || record.sum.is_none() {
            layout.read(&mut **bytes, self.swapped, take)?;
        } else {
            let mut summed = Summed::new(&mut **bytes);
            layout.read(&mut summed, self.swapped, take)?;
            record.compare(summed.finish(), name)?;
        }
        checked[first] = true;
        Ok(())
    }

    fn read(
        mut bytes: Box<dyn Bytes>,
        path: Option<&Path>,
        zip: Option<Result<Zip, ZipError>>,
    ) -> Result<Self, Problem> {
        let length = bytes.seek(SeekFrom::End(0))?;
        let mut heap = Heap::new(length / 2 + OBJECTS);
        let contents = match kind::find(&mut bytes, length)? {
            kind::Kind::Zip => {
                let zip = zip.unwrap_or_else(|| Zip::read(&mut bytes, length));
                read_archive(&mut bytes, Archive::new(zip)?, &mut heap)?
            }
            kind::Kind::Legacy => {
                let legacy = legacy::read(&mut bytes, length, &mut heap)?;
                let records = heap.storages.iter().map(|storage| {
                    let key = heap.bytes(storage.key);
                    legacy.storages.get(key).copied().ok_or_else(|| Problem::Record {
                        record: String::from_utf8_lossy(key).into_owned(),
                        reason: "is missing",
                    })
                });
                let records = records.collect::<Result<_, _>>()?;
                Contents { root: legacy.root, records, folder: String::new(), swapped: false }
            }
        };
        let Contents { root, records, folder, swapped } = contents;
        heap.charge(records.len() * KNOWN)?;
        let mut places = HashMap::new();
        let firsts: Vec<u32> =
            (0..).zip(&records).map(|(i, record)| *places.entry(record).or_insert(i)).collect();
        let bytes = Mutex::new(Stored { bytes, checked: vec![false; records.len()] });
        let file =
            File { path: path.map(Path::to_owned), bytes, heap, root, records, firsts, folder, swapped };
        file.check()?;
        Ok(file)
    }

    /// Checks that all tensors lie within their storages, and these within the file.
    fn check(&self) -> Result<(), Problem> {
        for (storage, &record) in self.heap.storages.iter().zip(&self.records) {
            check_storage(storage, record).map_err(|reason| {
                let record = String::from_utf8_lossy(self.heap.bytes(storage.key)).into_owned();
                Problem::Record { record, reason }
            })?;
        }
        for (i, tensor) in self.heap.tensors.iter().enumerate() {
            Layout::new(tensor, &self.heap.storages, &self.records).map_err(|reason| {
                let name = self.name_of(i as u32).unwrap_or_else(|| String::from("a tensor"));
                Problem::Tensor { name, reason: reason.into() }
            })?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("File").field("path", &self.path).field("root", &self.root()).finish_non_exhaustive()
    }
}

fn read_archive(file: &mut Box<dyn Bytes>, archive: Archive, heap: &mut Heap) -> Result<Contents, Problem> {
    if archive.has("constants.pkl") || archive.has_within("code/") {
        return Err(Problem::OtherKind {
            kind: "a TorchScript program, not a state dict".into(),
            advice: "save model.state_dict() with torch.save",
        });
    }
    let swapped = match archive.short("byteorder", SHORT, file)?.as_deref() {
        None | Some(b"little") => false,
        Some(b"big") => true,
        Some(_) => {
            let reason = "is neither little nor big";
            return Err(Problem::Record { record: "byteorder".into(), reason });
        }
    };
    let pickle = archive.record("data.pkl", file)?;
    pickle.check(file, || archive.name("data.pkl"))?;
    file.seek(SeekFrom::Start(pickle.start))?;
    let mut input = Input::new(BufReader::new(file.by_ref().take(pickle.length)));
    let root = Machine::run(heap, &mut input)?;
    // Of many tensors on one storage each names it.
    let mut places: HashMap<&[u8], Record> = HashMap::new();
    let mut records = Vec::with_capacity(heap.storages.len());
    for storage in heap.storages.iter() {
        let key = heap.bytes(storage.key);
        let record = match places.get(key) {
            Some(&record) => record,
            None => {
                let name = std::str::from_utf8(key).map_err(|_| Problem::Record {
                    record: String::from_utf8_lossy(key).into_owned(),
                    reason: "is no text",
                })?;
                archive.record(&format!("data/{name}"), file)?
            }
        };
        places.insert(key, record);
        records.push(record);
    }
    Ok(Contents { root, records, folder: archive.name(""), swapped })
}
