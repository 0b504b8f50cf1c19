//! Images that are read for each batch.

use std::path::{Path, PathBuf};

use wengert_tensor::{Shape, Tensor};

use super::ImageReader;
use crate::error::DataError;
use crate::source::Source;

/// Images in files that are read when a batch needs them, of which nothing but the names is kept: for more than memory has room
/// for. A batch is a `Result`, as files can be gone or damaged. [Prepared by a thread](crate::Batches::prefetch), one is read while
/// the model works on another.
///
/// ```
/// use wengert_data::Dataset;
/// use wengert_data::images::{ImageFiles, ImageReader};
/// use wengert_tensor::Tensor;
/// let folder = tempfile::tempdir()?;
/// let paths: Vec<_> = (0..4).map(|i| folder.path().join(format!("{i}.png"))).collect();
/// for (i, path) in paths.iter().enumerate() {
///     image::GrayImage::from_pixel(3, 2, image::Luma([51 * i as u8])).save(path)?;
/// }
/// let images: ImageFiles = ImageReader::grey().files(paths)?;
/// let data = Dataset::new((images, Tensor::from([0u32, 1, 0, 1])))?;
/// for (images, labels) in data.batches(2).prefetch(1) {
///     assert_eq!((images?.shape()[..].to_vec(), labels.to_vec()), (vec![2, 1, 2, 3], vec![0, 1]));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageFiles {
    reader: ImageReader,
    paths: Vec<PathBuf>,
    shape: Shape,
}

impl ImageFiles {
    pub(super) fn new(reader: ImageReader, paths: Vec<PathBuf>, shape: Shape) -> Self {
        ImageFiles { reader, paths, shape }
    }

    /// The shape of an image, `[channels, height, width]`.
    pub fn example_shape(&self) -> &Shape {
        &self.shape
    }
}

impl Source for ImageFiles {
    type Batch = Result<Tensor<f32>, DataError>;

    fn count(&self) -> usize {
        self.paths.len()
    }

    fn batch(&self, positions: &[u32]) -> Self::Batch {
        let paths: Vec<&Path> = positions.iter().map(|&i| self.paths[i as usize].as_path()).collect();
        let images = self.reader.all(Vec::new(), &self.shape, &paths)?;
        Ok(images.gather(&(0..positions.len() as u32).collect::<Vec<_>>()))
    }
}
