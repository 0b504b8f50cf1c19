//! Labelled images in the four files that MNIST and its relatives come in.

use std::path::{Path, PathBuf};

use wengert_tensor::Tensor;

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::features::Features;
use crate::folders;
use crate::idx::{Idx, IdxError};

/// A training and a test set of labelled images: what [`Mnist::load`](crate::Mnist::load) and its relatives give.
///
/// ```
/// use wengert_data::{ImageSet, Mnist, Origin, idx::Idx};
/// let folder = std::env::temp_dir().join("wengert-image-set");
/// std::fs::create_dir_all(&folder)?;
/// for part in ["train", "t10k"] {
///     Idx::new(vec![255u8; 784], [1, 28, 28])?.write(folder.join(format!("{part}-images-idx3-ubyte")))?;
///     Idx::new(vec![7u8], [1])?.write(folder.join(format!("{part}-labels-idx1-ubyte")))?;
/// }
/// let set: ImageSet = Mnist::from_folder(&folder)?;
/// assert_eq!(set.classes[7], "7");
/// assert!(matches!(&set.origin, Origin::Folder(path) if *path == folder));
/// let (images, labels) = set.normalised().as_images().train.all();
/// assert_eq!((images.shape(), labels.to_vec()), (&[1, 1, 28, 28].into(), vec![7]));
/// assert!((images.value().at([0, 0, 0, 0]) - (1.0 - 0.1307) / 0.3081).abs() < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageSet {
    /// The examples to learn from.
    pub train: Dataset,
    /// The examples to judge by.
    pub test: Dataset,
    /// Where they come from. A program should say it, for example on its first line.
    pub origin: Origin,
    /// The names of the classes, in the order of the labels.
    pub classes: &'static [&'static str],
    pub(crate) mean: f32,
    pub(crate) std: f32,
}

impl ImageSet {
    /// The same images with the pixels of the training set brought to mean 0 and standard deviation 1, by the
    /// data set's usual constants (0.1307 and 0.3081 for MNIST).
    pub fn normalised(self) -> Self {
        let (mean, std) = (f64::from(self.mean), f64::from(self.std));
        let normalise = |data: Dataset| data.normalise(mean, std).expect("the constants are valid");
        ImageSet { train: normalise(self.train), test: normalise(self.test), ..self }
    }

    /// The same images in the shape that convolutions take, `[1, 28, 28]`, instead of `[784]`.
    pub fn as_images(self) -> Self {
        let shape = [1, SIDE, SIDE];
        ImageSet {
            train: self.train.with_example_shape(shape),
            test: self.test.with_example_shape(shape),
            ..self
        }
    }
}

/// Where data come from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A folder that the program or `$WENGERT_DATA` named.
    Folder(PathBuf),
    /// The user's cache folder, where an earlier run put them.
    Cache(PathBuf),
    /// The network, just now; they are kept in this folder.
    Downloaded(PathBuf),
    /// Drawn, because the real ones are not to be had.
    Synthetic {
        /// Why not.
        reason: String,
    },
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Folder(path) => write!(f, "from {}", path.display()),
            Origin::Cache(path) => write!(f, "from the cache, {}", path.display()),
            Origin::Downloaded(path) => write!(f, "downloaded to {}", path.display()),
            Origin::Synthetic { reason } => write!(f, "SYNTHETIC digits, not MNIST ({reason})"),
        }
    }
}

/// Height and width of an image.
pub(crate) const SIDE: usize = 28;

/// What the loaders know of a data set.
pub(crate) struct Description {
    pub(crate) name: &'static str,
    /// Its folder inside `$WENGERT_DATA` and the cache.
    pub(crate) folder: &'static str,
    /// SHA-256 and length of the compressed files, in the order of [`FILES`].
    #[cfg_attr(not(feature = "download"), expect(dead_code, reason = "needed to download"))]
    pub(crate) published: [(&'static str, u64); 4],
    #[cfg_attr(not(feature = "download"), expect(dead_code, reason = "needed to download"))]
    pub(crate) mirrors: &'static [&'static str],
    pub(crate) classes: [&'static str; 10],
    pub(crate) mean: f32,
    pub(crate) std: f32,
}

/// The names of the files, without `.gz`: training images and labels, test images and labels.
pub(crate) const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

impl Description {
    /// Reads the four files from a folder.
    pub(crate) fn read(&'static self, folder: &Path, origin: Origin) -> Result<ImageSet, DataError> {
        let [train_images, train_labels, test_images, test_labels] = FILES.map(|name| {
            find(folder, name).ok_or_else(|| DataError::NotFound { folder: folder.into(), name })
        });
        let train = self.read_pair(&train_images?, &train_labels?)?;
        let test = self.read_pair(&test_images?, &test_labels?)?;
        let (mean, std) = (self.mean, self.std);
        Ok(ImageSet { train, test, origin, classes: &self.classes, mean, std })
    }

    fn read_pair(&self, images: &Path, labels: &Path) -> Result<Dataset, DataError> {
        let in_file = |path: &Path| {
            let path = path.to_path_buf();
            move |source| DataError::Contents { path, source: Box::new(source) }
        };
        let image_array = read_idx(images, 3)?;
        let (examples, found) = (image_array.shape()[0], &image_array.shape()[1..]);
        if examples == 0 {
            return Err(in_file(images)(DataError::Empty));
        }
        if found != [SIDE, SIDE] {
            let (expected, found) = ([SIDE, SIDE].into(), found.into());
            return Err(in_file(images)(DataError::WrongExampleShape { expected, found }));
        }
        let label_array = read_idx(labels, 1)?;
        let label_values: Vec<u32> = label_array.data().iter().map(|&label| label.into()).collect();
        Features::from_bytes(image_array.into_data(), [SIDE * SIDE])
            .and_then(|images| Dataset::new((images, Tensor::from(label_values))))
            .and_then(|data| data.with_classes(self.classes.len()))
            .map_err(in_file(labels))
    }

    /// The data set if `$WENGERT_DATA` or the cache has it; else `Err` says where it was looked for.
    pub(crate) fn on_this_machine(&'static self) -> Result<Result<ImageSet, DataError>, String> {
        let named = folders::data_folder();
        if let Some(folder) = named.as_deref().and_then(|data| self.folder_in(data)) {
            return Ok(self.read(&folder, Origin::Folder(folder.clone())));
        }
        let cache = folders::cache_folder().map(|cache| cache.join(self.folder));
        if let Some(folder) = cache.as_deref().filter(|folder| self.is_complete(folder)) {
            return Ok(self.read(folder, Origin::Cache(folder.into())));
        }
        let named = named.map_or(format!("${} is not set", folders::DATA_VARIABLE), |folder| {
            format!("not in ${}, {}", folders::DATA_VARIABLE, folder.display())
        });
        let cache = cache.map_or("there is no cache folder".into(), |cache| {
            format!("not in the cache, {}", cache.display())
        });
        Err(format!("{named}; {cache}"))
    }

    /// The folder of this data set in the user's data folder: its own inside, or the data folder itself if that
    /// has the files. As all such data sets name their files alike, a folder whose name speaks of fashion is
    /// not taken for MNIST, nor another one for Fashion-MNIST.
    fn folder_in(&self, data: &Path) -> Option<PathBuf> {
        let own = data.join(self.folder);
        if has_any(&own) {
            return Some(own);
        }
        let is_fashion = |name: &str| name.to_lowercase().contains("fashion");
        let data_is_fashion = data.file_name().is_some_and(|name| is_fashion(&name.to_string_lossy()));
        (is_fashion(self.folder) == data_is_fashion && has_any(data)).then(|| data.into())
    }

    /// A cache may hold some files of a download that was broken off; that is no error, and not the data set.
    fn is_complete(&self, folder: &Path) -> bool {
        FILES.iter().all(|name| find(folder, name).is_some())
    }
}

fn has_any(folder: &Path) -> bool {
    FILES.iter().any(|name| find(folder, name).is_some())
}

/// The file of this name in a folder, under the spellings in use: `….gz` or not, `-idx3-ubyte` or
/// `.idx3-ubyte` (which some archives make of it).
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let dotted = name.replace("-idx", ".idx");
    [format!("{name}.gz"), name.into(), format!("{dotted}.gz"), dotted]
        .into_iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

fn read_idx(path: &Path, expected: usize) -> Result<Idx<u8>, DataError> {
    Idx::read_checked(path, |header| match header.shape.len() {
        found if found == expected => Ok(()),
        found => Err(IdxError::WrongDimensions { expected, found }),
    })
}
