//! How image files are read.

use std::io::{BufReader, Error, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use image::imageops::{FilterType, resize};
use image::{DynamicImage, GrayImage, ImageBuffer, ImageError, Limits, Luma, Pixel};
use wengert_tensor::parallel::for_each_chunk;
use wengert_tensor::{Float, Shape, Tensor, file};

use super::ImageFiles;
use crate::error::DataError;
use crate::features::Features;

/// The largest height and width: what both formats can hold is no more.
const LARGEST: usize = i32::MAX as usize;

/// Pixels' bytes that one of a file can become: deflate makes up to 1032 of one, and these of a palette of two colours eight pixels of
/// three each; JPEG makes fewer. Files that claim more than that, beside a few, are refused before there is memory for it.
const MOST: u64 = 1032 * 24;
const FEW: u64 = 1 << 16;

/// How image files are read: grey or in colours, in their own size or resized.
///
/// ```
/// use wengert_data::images::ImageReader;
/// let path = std::env::temp_dir().join("wengert-image-reader.png");
/// image::RgbImage::from_pixel(4, 2, image::Rgb([255, 0, 51])).save(&path)?;
/// let image = ImageReader::rgb().read::<f32>(&path)?;
/// assert_eq!(image.shape()[..], [3, 2, 4]);
/// assert_eq!([0, 1, 2].map(|channel| image.at([channel, 0, 0])), [1.0, 0.0, 0.2]);
/// assert_eq!(ImageReader::grey().resized([1, 1]).read::<f32>(&path)?.shape()[..], [1, 1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageReader {
    colours: bool,
    /// Height and width.
    size: Option<[u32; 2]>,
}

/// The bytes of an image, a channel after the other.
struct Pixels {
    shape: Shape,
    bytes: Vec<u8>,
}

impl ImageReader {
    /// One channel, the luma of colours: (299 R + 587 G + 114 B) / 1000 (ITU-R BT.601), as Pillow's `convert("L")` has it.
    /// Transparency is left out, and of 16 bits the upper ones are taken.
    ///
    /// ```
    /// use wengert_data::images::ImageReader;
    /// let path = std::env::temp_dir().join("wengert-image-grey.png");
    /// image::RgbImage::from_pixel(1, 1, image::Rgb([0, 255, 0])).save(&path)?;
    /// assert_eq!(ImageReader::grey().read::<f64>(&path)?.at([0, 0, 0]), 150.0 / 255.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn grey() -> Self {
        ImageReader { colours: false, size: None }
    }

    /// Three channels, red, green and blue; those of a grey image are the same. Transparency is left out, and of 16 bits the
    /// upper ones are taken.
    pub fn rgb() -> Self {
        ImageReader { colours: true, size: None }
    }

    /// Brings each image to this height and width, by a triangle that is as wide as a pixel of the coarser of both: what is
    /// bilinear interpolation with antialiasing in torchvision and Pillow. Proportions are not kept.
    ///
    /// # Panics
    /// If one is 0, or larger than 2³¹ − 1.
    #[track_caller]
    pub fn resized(mut self, [height, width]: [usize; 2]) -> Self {
        if [height, width].iter().any(|&side| side == 0 || side > LARGEST) {
            panic!("resized: an image of height {height} and width {width}");
        }
        self.size = Some([height as u32, width as u32]);
        self
    }

    /// An image as a tensor `[channels, height, width]` of numbers from 0 to 1.
    ///
    /// # Errors
    /// [`DataError::Read`] if the file cannot be read, [`DataError::Image`] if it is no image in PNG or JPEG, is damaged, or would
    /// take more than 512 MB.
    pub fn read<T: Float>(&self, path: impl AsRef<Path>) -> Result<Tensor<T>, DataError> {
        let Pixels { shape, bytes } = self.pixels(path.as_ref())?;
        let features = Features::from_bytes(bytes, shape.clone())?;
        Ok(features.gather(&[0]).reshape(&shape[..]))
    }

    /// The images of a list, which must all have one size, unless they are [resized](Self::resized). The files are read side by side.
    ///
    /// # Errors
    /// Those of [`read`](Self::read), for the first file that has one; [`DataError::Contents`] with
    /// [`WrongExampleShape`](DataError::WrongExampleShape) if one has another size than the first; [`DataError::Empty`] if there is
    /// none.
    ///
    /// ```
    /// use wengert_data::images::ImageReader;
    /// let path = std::env::temp_dir().join("wengert-image-features.png");
    /// image::GrayImage::new(3, 2).save(&path)?;
    /// let images = ImageReader::grey().features::<f32>(&[&path, &path])?;
    /// assert_eq!(images.example_shape()[..], [1, 2, 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn features<T: Float>(&self, paths: &[impl AsRef<Path> + Sync]) -> Result<Features<T>, DataError> {
        let (first, rest) = paths.split_first().ok_or(DataError::Empty)?;
        let Pixels { shape, bytes } = self.pixels(first.as_ref())?;
        self.all(bytes, &shape, rest)
    }

    /// The same images, read when a batch needs them.
    ///
    /// # Errors
    /// As [`read`](Self::read) of the first file, from which the size of all is taken; [`DataError::Empty`] if there is none.
    pub fn files(&self, paths: Vec<PathBuf>) -> Result<ImageFiles, DataError> {
        let first = paths.first().ok_or(DataError::Empty)?;
        let shape = self.pixels(first)?.shape;
        Ok(ImageFiles::new(*self, paths, shape))
    }

    /// Images of this shape: those whose bytes are here, and those in files.
    pub(super) fn all<T: Float>(
        &self,
        mut bytes: Vec<u8>,
        shape: &Shape,
        paths: &[impl AsRef<Path> + Sync],
    ) -> Result<Features<T>, DataError> {
        let (width, had) = (shape.count(), bytes.len());
        let length = width.checked_mul(paths.len()).filter(|&more| bytes.try_reserve_exact(more).is_ok());
        let Some(length) = length else {
            let path = paths.first().map_or_else(PathBuf::new, |path| path.as_ref().to_owned());
            return Err(DataError::Read { path, source: Error::from(ErrorKind::OutOfMemory) });
        };
        bytes.resize(had + length, 0);
        // The first in the order of the list is the one to tell, whatever thread comes first.
        let wrong: Mutex<Option<(usize, DataError)>> = Mutex::new(None);
        for_each_chunk(&mut bytes[had..], width, paths.len() > 1, |start, row| {
            let place = start / width;
            if let Err(error) = self.read_into(paths[place].as_ref(), shape, row) {
                let mut wrong = wrong.lock().unwrap_or_else(PoisonError::into_inner);
                if wrong.as_ref().is_none_or(|(first, _)| place < *first) {
                    *wrong = Some((place, error));
                }
            }
        });
        match wrong.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, error)) => Err(error),
            None => Features::from_bytes(bytes, shape.clone()),
        }
    }

    fn read_into(&self, path: &Path, expected: &Shape, row: &mut [u8]) -> Result<(), DataError> {
        let Pixels { shape: found, bytes } = self.pixels(path)?;
        if found != *expected {
            let source = DataError::WrongExampleShape { expected: expected.clone(), found };
            return Err(DataError::Contents { path: path.to_owned(), source: Box::new(source) });
        }
        row.copy_from_slice(&bytes);
        Ok(())
    }

    fn pixels(&self, path: &Path) -> Result<Pixels, DataError> {
        let image = decode(path)?;
        Ok(if self.colours { self.planes(image.into_rgb8()) } else { self.planes(grey(image)) })
    }

    /// The pixels in their size, a channel after the other.
    fn planes<P>(&self, image: ImageBuffer<P, Vec<u8>>) -> Pixels
    where
        P: Pixel<Subpixel = u8> + 'static,
    {
        let image = match self.size {
            Some([height, width]) if image.dimensions() != (width, height) => {
                resize(&image, width, height, FilterType::Triangle)
            }
            _ => image,
        };
        let channels = usize::from(P::CHANNEL_COUNT);
        let (height, width) = (image.height() as usize, image.width() as usize);
        let pixels = image.into_raw();
        let channel = |c: usize| pixels.iter().skip(c).step_by(channels).copied();
        Pixels { shape: [channels, height, width].into(), bytes: (0..channels).flat_map(channel).collect() }
    }
}

fn decode(path: &Path) -> Result<DynamicImage, DataError> {
    let read = |source: Error| DataError::Read { path: path.to_owned(), source };
    let file = file::open(path).map_err(|error| read(error.into()))?;
    let length = file.metadata().map_err(read)?.len();
    let mut reader = image::ImageReader::new(BufReader::new(file)).with_guessed_format().map_err(read)?;
    let mut limits = Limits::default();
    let most = length.saturating_mul(MOST).saturating_add(FEW);
    limits.max_alloc = limits.max_alloc.map(|limit| limit.min(most));
    reader.limits(limits);
    // Decoders panic at some files that are damaged (png 0.18 at a palette that ends within a colour), and leave nothing half done here.
    let decoded = catch_unwind(AssertUnwindSafe(|| reader.decode())).map_err(|_| DataError::Image {
        path: path.to_owned(),
        source: "it is damaged in a way that its decoder does not know".into(),
    })?;
    decoded.map_err(|error| match error {
        ImageError::IoError(source) => read(source),
        source => DataError::Image { path: path.to_owned(), source: source.into() },
    })
}

/// The luma, rounded to the nearest as Pillow does it.
fn grey(image: DynamicImage) -> GrayImage {
    if !image.color().has_color() {
        return image.into_luma8();
    }
    let colours = image.into_rgb8();
    let luma = |[r, g, b]: [u8; 3]| {
        (19595 * u32::from(r) + 38470 * u32::from(g) + 7471 * u32::from(b) + 0x8000) >> 16
    };
    let (width, height) = colours.dimensions();
    GrayImage::from_fn(width, height, |x, y| Luma([luma(colours.get_pixel(x, y).0) as u8]))
}
