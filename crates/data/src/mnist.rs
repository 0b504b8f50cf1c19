//! The image sets by name.

use std::path::Path;

use crate::error::DataError;
use crate::image_set::{Description, ImageSet, Origin};
use crate::synthetic;

/// MNIST: 60,000 handwritten digits to learn from and 10,000 to test by, 28×28 grey pixels each.
///
/// LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", Proceedings of
/// the IEEE 86(11), 1998.
#[derive(Clone, Copy, Debug)]
pub struct Mnist;

/// Fashion-MNIST: pictures of clothing in the format and numbers of MNIST, but harder.
///
/// Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
/// algorithms", <https://arxiv.org/abs/1708.07747>.
///
/// ```
/// use wengert_data::{DataError, FashionMnist};
/// let error = FashionMnist::from_folder("no/such/folder").unwrap_err();
/// assert!(matches!(error, DataError::NotFound { .. }));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FashionMnist;

impl Mnist {
    /// MNIST from the first of these that has it:
    /// 1. `$WENGERT_DATA/mnist`, or `$WENGERT_DATA` itself;
    /// 2. the user's cache folder (`$XDG_CACHE_HOME/wengert/mnist`, `~/.cache/wengert/mnist` or the platform's
    ///    equivalent);
    /// 3. with feature `download`, public mirrors, from which it is put into the cache;
    /// 4. else as many [synthetic digits](synthetic::digits).
    ///
    /// [`ImageSet::origin`] tells which it was: a program should say so.
    ///
    /// # Errors
    /// If there are files but they are not MNIST's. That it cannot be downloaded is no error.
    ///
    /// ```
    /// use wengert_data::Mnist;
    /// # if false {
    /// let mnist = Mnist::load()?;
    /// println!("{} digits {}", mnist.train.len(), mnist.origin);
    /// # }
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn load() -> Result<ImageSet, DataError> {
        match load(&MNIST) {
            Err(DataError::Unavailable { reason, .. }) => Ok(ImageSet {
                train: synthetic::digits(60_000, synthetic::TRAIN_SEED),
                test: synthetic::digits(10_000, synthetic::TEST_SEED),
                origin: Origin::Synthetic { reason },
                classes: &MNIST.classes,
                mean: synthetic::MEAN,
                std: synthetic::STD,
            }),
            found => found,
        }
    }

    /// MNIST from the four files in `folder`, compressed by gzip or not, with names such as
    /// `train-images-idx3-ubyte.gz` or `train-images.idx3-ubyte`.
    ///
    /// # Errors
    /// If a file is missing, is not what it should be, or does not fit the others.
    ///
    /// ```
    /// use wengert_data::{DataError, Mnist};
    /// let error = Mnist::from_folder("no/such/folder").unwrap_err();
    /// assert!(matches!(error, DataError::NotFound { name: "train-images-idx3-ubyte", .. }));
    /// ```
    pub fn from_folder(folder: impl AsRef<Path>) -> Result<ImageSet, DataError> {
        let folder = folder.as_ref();
        MNIST.read(folder, Origin::Folder(folder.into()))
    }
}

impl FashionMnist {
    /// Fashion-MNIST from the first of these that has it:
    /// 1. `$WENGERT_DATA/fashion-mnist`, or `$WENGERT_DATA` itself if its name contains "fashion";
    /// 2. `fashion-mnist` in the user's cache folder: see [`Mnist::load`];
    /// 3. with feature `download`, public mirrors, from which it is put into the cache.
    ///
    /// # Errors
    /// If there are files but they are not Fashion-MNIST's, or it cannot be had: nothing stands in for it.
    pub fn load() -> Result<ImageSet, DataError> {
        load(&FASHION_MNIST)
    }

    /// Fashion-MNIST from the four files in `folder`: see [`Mnist::from_folder`].
    ///
    /// # Errors
    /// If a file is missing, is not what it should be, or does not fit the others.
    pub fn from_folder(folder: impl AsRef<Path>) -> Result<ImageSet, DataError> {
        let folder = folder.as_ref();
        FASHION_MNIST.read(folder, Origin::Folder(folder.into()))
    }
}

fn load(description: &'static Description) -> Result<ImageSet, DataError> {
    match description.on_this_machine() {
        Ok(found) => found,
        Err(missing) => match fetch(description) {
            Ok(found) => found,
            Err(why) => {
                let reason = format!("{missing}; {why}");
                Err(DataError::Unavailable { name: description.name, reason })
            }
        },
    }
}

#[cfg(not(feature = "download"))]
fn fetch(_: &'static Description) -> Result<Result<ImageSet, DataError>, String> {
    Err("built without the feature `download`".into())
}

/// Downloads what the cache lacks, and reads it; `Err` says why it could not be downloaded.
#[cfg(feature = "download")]
fn fetch(description: &'static Description) -> Result<Result<ImageSet, DataError>, String> {
    use crate::download::{Downloader, RemoteFile};
    use crate::image_set::FILES;

    let Some(cache) = crate::folders::cache_folder() else {
        return Err("nowhere to download to".into());
    };
    let folder = cache.join(description.folder);
    // What is downloaded is checked: see `download`.
    let scheme = if cfg!(feature = "https") { "https" } else { "http" };
    let mirrors = description.mirrors.iter().map(|mirror| format!("{scheme}://{mirror}"));
    let downloader = Downloader::new(mirrors).progress(true);
    for (name, (sha256, bytes)) in FILES.iter().zip(description.published) {
        let file = RemoteFile { name: format!("{name}.gz"), sha256: sha256.into(), bytes };
        downloader.fetch(&file, &folder).map_err(|e| e.to_string())?;
    }
    Ok(description.read(&folder, Origin::Downloaded(folder.clone())))
}

static MNIST: Description = Description {
    name: "MNIST",
    folder: "mnist",
    published: [
        ("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9_912_422),
        ("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28_881),
        ("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1_648_877),
        ("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4_542),
    ],
    mirrors: &["ossci-datasets.s3.amazonaws.com/mnist/", "storage.googleapis.com/cvdf-datasets/mnist/"],
    classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    mean: 0.1307,
    std: 0.3081,
};

static FASHION_MNIST: Description = Description {
    name: "Fashion-MNIST",
    folder: "fashion-mnist",
    published: [
        ("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", 26_421_880),
        ("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", 29_515),
        ("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", 4_422_102),
        ("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", 5_148),
    ],
    mirrors: &[
        "fashion-mnist.s3.eu-central-1.amazonaws.com/",
        // By HTTPS alone.
        "raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ],
    classes: [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ],
    mean: 0.2860,
    std: 0.3530,
};
