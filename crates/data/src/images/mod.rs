//! Images in PNG and JPEG files, with the feature `image`: one as a tensor, a folder or a list of them as data.
//!
//! What a file is its first bytes say. Pixels are numbers from 0 to 1, as torchvision's `ToTensor` gives them, in the order
//! `[channels, height, width]`. In memory they stay bytes, until a batch is made of them; images that memory has no room for are
//! [read for each batch](ImageFiles).
//!
//! ```
//! use wengert_data::images::{ImageFolder, ImageReader};
//! let root = tempfile::tempdir()?;
//! for (class, level) in [("dark", 51), ("light", 204)] {
//!     std::fs::create_dir(root.path().join(class))?;
//!     image::GrayImage::from_pixel(6, 4, image::Luma([level])).save(root.path().join(class).join("0.png"))?;
//! }
//! // A folder for each class, in each of which are its images.
//! let folder = ImageFolder::new(root.path())?;
//! assert_eq!(folder.classes, ["dark", "light"]);
//! let data = folder.read(&ImageReader::grey().resized([2, 3]))?;
//! let (images, labels) = data.all();
//! assert_eq!((images.shape()[..].to_vec(), labels.to_vec()), (vec![2, 1, 2, 3], vec![0, 1]));
//! assert_eq!(images.value().at([1, 0, 0, 0]), 0.8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod files;
mod folder;
mod reader;

pub use files::ImageFiles;
pub use folder::ImageFolder;
pub use reader::ImageReader;
