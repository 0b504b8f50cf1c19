//! Models in several safetensors files with an index, as large ones are published: `model.safetensors.index.json` beside
//! `model-00001-of-00003.safetensors` and so on.
//!
//! ```
//! use wengert_formats::{load, sharded};
//! use wengert_nn::{Linear, Loading, Params};
//! let folder = std::env::temp_dir().join("wengert-sharded");
//! std::fs::create_dir_all(&folder)?;
//! let mut saved: Params = Params::seeded(0);
//! Linear::new(saved.at("out"), 100, 20);
//! let index = sharded::save(&saved, &folder, 4096)?; // at most 4096 bytes of tensors in each file
//! let mut params: Params = Params::seeded(1);
//! Linear::new(params.at("out"), 100, 20);
//! load(&mut params, index, &Loading::new())?;
//! assert_eq!(params.values(), saved.values());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod index;
mod write;

pub use index::IndexError;
pub use write::save;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use wengert_nn::FileError;
use wengert_nn::tensor_file::{Safetensors, TensorEntry, TensorSource};
use wengert_tensor::file::open;
use wengert_tensor::text;

use crate::error::FormatsError;
use index::Index;

/// A model in several files, opened by its index: a source of the tensors of which the index speaks; what else is in the files is passed
/// over.
///
/// ```
/// use wengert_formats::sharded::{self, Sharded};
/// use wengert_nn::tensor_file::TensorSource;
/// use wengert_nn::{Linear, Params};
/// let folder = std::env::temp_dir().join("wengert-sharded-open");
/// std::fs::create_dir_all(&folder)?;
/// let mut params: Params = Params::seeded(0);
/// Linear::new(params.at("out"), 3, 2);
/// let file = Sharded::open(sharded::save(&params, &folder, 16)?)?;
/// assert_eq!(file.files().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Sharded<R = BufReader<File>> {
    files: Vec<String>,
    shards: Vec<Safetensors<R>>,
    /// The file of each tensor of which the index speaks, and its place there.
    places: Vec<(usize, usize)>,
    path: PathBuf,
}

impl Sharded {
    /// Reads the index and the headers of all files, which stand beside it (or are linked to from there).
    ///
    /// # Errors
    /// [`FormatsError::Index`] if the index is none, a file is missing or not beside it, or a tensor is not where it says;
    /// those of [`Safetensors::open`] for each file.
    ///
    /// ```
    /// assert!(wengert_formats::sharded::Sharded::open("/nowhere/model.safetensors.index.json").is_err());
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FormatsError> {
        Self::at(path.as_ref(), |shard| Safetensors::open(shard))
    }
}

#[cfg(feature = "mmap")]
impl Sharded<std::io::Cursor<wengert_tensor::file::Mapped>> {
    /// Like [`open`](Sharded::open), of the files as memory, which must stay as they are meanwhile: see
    /// [`map`](wengert_tensor::file::map).
    ///
    /// # Errors
    /// As [`open`](Sharded::open).
    ///
    /// ```
    /// use wengert_formats::sharded::{self, Sharded};
    /// use wengert_nn::tensor_file::read_tensor;
    /// let folder = std::env::temp_dir().join("wengert-sharded-map");
    /// std::fs::create_dir_all(&folder)?;
    /// let mut params: wengert_nn::Params = wengert_nn::Params::seeded(0);
    /// wengert_nn::Linear::new(params.at("out"), 3, 2);
    /// let mut file = Sharded::map(sharded::save(&params, &folder, 16)?)?;
    /// assert_eq!(read_tensor::<f32>(&mut file, "out.bias")?.to_vec(), params.get("out.bias").unwrap());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map(path: impl AsRef<Path>) -> Result<Self, FormatsError> {
        Self::at(path.as_ref(), |shard| Safetensors::map(shard))
    }
}

impl<R: BufRead + Seek> Sharded<R> {
    fn at(
        path: &Path,
        opened: impl Fn(&Path) -> Result<Safetensors<R>, FileError>,
    ) -> Result<Self, FormatsError> {
        let mut json = Vec::new();
        let file = open(path).map_err(|error| FormatsError::access(path, error))?;
        let length = file.metadata().map_err(|error| FormatsError::io(path, error))?.len();
        json.try_reserve_exact(length as usize)
            .map_err(Error::other)
            .and_then(|()| file.take(length).read_to_end(&mut json))
            .map_err(|error| FormatsError::io(path, error))?;
        let wrong = |source| FormatsError::Index { path: path.to_owned(), source };
        let index = Index::new(json).map_err(wrong)?;
        let mut shards = Vec::with_capacity(index.files.len());
        for file in &index.files {
            let shard = path.with_file_name(file);
            shards.push(opened(&shard).map_err(|error| match error {
                FileError::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
                    wrong(IndexError::MissingFile { file: file.clone(), count: index.files.len() })
                }
                error => error.into(),
            })?);
        }
        let places = places(&index, &shards).map_err(wrong)?;
        Ok(Sharded { files: index.files, shards, places, path: path.to_owned() })
    }

    /// The names of the files, in their order.
    ///
    /// ```
    /// use wengert_formats::sharded::{self, Sharded};
    /// let folder = std::env::temp_dir().join("wengert-sharded-files");
    /// std::fs::create_dir_all(&folder)?;
    /// let mut params: wengert_nn::Params = wengert_nn::Params::seeded(0);
    /// wengert_nn::Linear::new(params.at("out"), 3, 2);
    /// let file = Sharded::open(sharded::save(&params, &folder, 1000)?)?;
    /// assert!(file.files()[0].ends_with("-00001-of-00001.safetensors"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn files(&self) -> &[String] {
        &self.files
    }
}

/// The file of each tensor of which the index speaks, and its place there, in the order of the files.
fn places(index: &Index, shards: &[impl TensorSource]) -> Result<Vec<(usize, usize)>, IndexError> {
    let mut wanted: Vec<HashMap<Box<str>, bool>> = shards.iter().map(|_| HashMap::new()).collect();
    index.each(&mut |name, file| {
        let shard = index.files.binary_search_by(|known| known.as_str().cmp(file));
        wanted[shard.expect("all are in the list")].insert(name.into(), false);
    });
    let mut places = Vec::new();
    for (number, (shard, wanted)) in shards.iter().zip(&mut wanted).enumerate() {
        shard.each(&mut |place, entry| {
            let Some(found) = wanted.get_mut(entry.name()) else { return };
            *found = true;
            places.push((number, place));
        });
        if let Some((name, _)) = wanted.iter().filter(|(_, found)| !**found).min() {
            let (name, file) = (text::shortened(name), index.files[number].clone());
            return Err(IndexError::MissingTensor { name, file });
        }
    }
    Ok(places)
}

impl<R: BufRead + Seek> TensorSource for Sharded<R> {
    fn each(&self, visit: &mut dyn FnMut(usize, &TensorEntry<'_>)) {
        let mut next = 0;
        for (number, shard) in self.shards.iter().enumerate() {
            shard.each(&mut |place, entry| {
                if self.places.get(next) == Some(&(number, place)) {
                    visit(next, entry);
                    next += 1;
                }
            });
        }
    }

    fn read(&mut self, place: usize, take: &mut dyn FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let (shard, place) = self.places[place];
        self.shards[shard].read(place, take)
    }

    fn read_whole(&mut self, place: usize, bytes: &mut [u8]) -> Result<(), Error> {
        let (shard, place) = self.places[place];
        self.shards[shard].read_whole(place, bytes)
    }

    fn path(&self) -> Option<&Path> {
        Some(&self.path)
    }
}
