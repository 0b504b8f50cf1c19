//! Folders of images.

use std::io::Error;
use std::path::{Path, PathBuf};

use wengert_tensor::Tensor;

use super::ImageReader;
use crate::dataset::Dataset;
use crate::error::DataError;

/// What the names of images end with, in letters of either size.
const ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];
/// How deep folders of a class are looked into.
const DEPTH: usize = 16;

/// The files of a folder that has a folder for each class: torchvision's `ImageFolder`. What is in them at any depth is the
/// class's, as far as its name ends with `.png`, `.jpg` or `.jpeg`; names that begin with a dot are passed over, as are symbolic links to
/// folders within a class.
///
/// ```
/// use wengert_data::Dataset;
/// use wengert_data::images::{ImageFolder, ImageReader};
/// let root = tempfile::tempdir()?;
/// for class in ["cat", "dog"] {
///     std::fs::create_dir(root.path().join(class))?;
///     image::RgbImage::new(3, 2).save(root.path().join(class).join("0.png"))?;
/// }
/// let folder = ImageFolder::new(root.path())?;
/// // Whole in memory …
/// let data = folder.read(&ImageReader::rgb())?;
/// assert_eq!(data.example_shape()[..], [3, 2, 3]);
/// // … or read for each batch.
/// let images = ImageReader::rgb().files(folder.files.clone())?;
/// let data = Dataset::new((images, folder.labels.clone()))?;
/// assert_eq!(data.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ImageFolder {
    /// The names of the classes, which are those of their folders, in the order of their bytes; labels are places in it.
    pub classes: Vec<String>,
    /// The files, class by class, and within one in the order of their paths.
    pub files: Vec<PathBuf>,
    /// The class of each.
    pub labels: Tensor<u32>,
}

impl ImageFolder {
    /// Looks what there is, and reads no image.
    ///
    /// # Errors
    /// [`DataError::Read`] if a folder cannot be read; [`DataError::Contents`] with [`Empty`](DataError::Empty) if a class has no image,
    /// or there is no class.
    pub fn new(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let root = path.as_ref();
        let mut folders: Vec<(String, PathBuf)> = entries(root)?
            .into_iter()
            .filter(|path| path.is_dir())
            .filter_map(|path| Some((path.file_name()?.to_string_lossy().into_owned(), path)))
            .collect();
        folders.sort();
        if folders.is_empty() {
            return Err(empty(root));
        }
        let (mut classes, mut files, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        for (label, (class, folder)) in folders.into_iter().enumerate() {
            let mut own = Vec::new();
            collect(&folder, DEPTH, &mut own)?;
            if own.is_empty() {
                return Err(empty(&folder));
            }
            own.sort();
            labels.resize(labels.len() + own.len(), label as u32);
            files.append(&mut own);
            classes.push(class);
        }
        Ok(ImageFolder { classes, files, labels: Tensor::from(labels) })
    }

    /// Reads all images into memory, with their labels.
    ///
    /// # Errors
    /// Those of [`ImageReader::features`].
    pub fn read(&self, reader: &ImageReader) -> Result<Dataset, DataError> {
        Dataset::new((reader.features(&self.files)?, self.labels.clone()))?.with_classes(self.classes.len())
    }
}

fn empty(path: &Path) -> DataError {
    DataError::Contents { path: path.to_owned(), source: Box::new(DataError::Empty) }
}

/// What is in a folder, but what is hidden.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let wrong = |source: Error| DataError::Read { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

/// Appends the images of a folder and the folders in it.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
    for path in entries(folder)? {
        let is_folder = path.is_dir();
        if is_folder && depth > 0 && !path.is_symlink() {
            collect(&path, depth - 1, files)?;
        } else if !is_folder && is_image(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&&*ending))
}
