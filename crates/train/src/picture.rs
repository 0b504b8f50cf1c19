//! Images for logs and reports.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use wengert_tensor::{Float, Tensor};

/// An image in shades of grey or in colours, made of a tensor.
///
/// ```
/// use wengert_tensor::Tensor;
/// use wengert_train::Picture;
/// let picture = Picture::new(&Tensor::<f32>::linspace(-1.0, 1.0, 6).reshape([2, 3]));
/// assert_eq!(picture.bytes(), [0, 51, 102, 153, 204, 255]);
/// assert_eq!((picture.width(), picture.height(), picture.channels()), (3, 2, 1));
/// assert!(picture.to_png().starts_with(b"\x89PNG"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    channels: usize,
    bytes: Vec<u8>,
}

impl Picture {
    /// The picture of a tensor `[height, width]`, `[1, height, width]` or, with colours, `[3, height, width]`: from black,
    /// its least value, to white, its greatest. NaN is black.
    ///
    /// # Panics
    /// If the tensor has another shape or no elements.
    #[track_caller]
    pub fn new<T: Float>(pixels: &Tensor<T>) -> Self {
        let finite = || pixels.to_vec().into_iter().map(|v| v.to_f64()).filter(|v| v.is_finite());
        let low = finite().fold(f64::INFINITY, f64::min);
        let high = finite().fold(f64::NEG_INFINITY, f64::max);
        Self::in_range(pixels, low, high)
    }

    /// As [`new`](Picture::new), with the values that are black and white.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::Picture;
    /// let pixels = Tensor::from([[0.2f32, 0.4, 7.0]]);
    /// assert_eq!(Picture::in_range(&pixels, 0.0, 1.0).bytes(), [51, 102, 255]); // beyond white is white
    /// ```
    ///
    /// # Panics
    /// If the tensor has another shape or no elements.
    #[track_caller]
    pub fn in_range<T: Float>(pixels: &Tensor<T>, black: f64, white: f64) -> Self {
        let shape = pixels.shape().to_vec();
        let (channels, height, width) = match shape[..] {
            [h, w] => (1, h, w),
            [c @ (1 | 3), h, w] => (c, h, w),
            _ => panic!(
                "Picture: a tensor of shape {shape:?} is not [height, width], [1, height, width] or [3, height, width]"
            ),
        };
        let side = |n: usize| u32::try_from(n).ok().filter(|&n| n > 0 && n < 1 << 24);
        let (Some(width), Some(height)) = (side(width), side(height)) else {
            panic!("Picture: a tensor of shape {shape:?} has no pixels, or too many");
        };
        let byte = |value: T| (255.0 * (value.to_f64() - black) / (white - black)).round() as u8;
        let values = pixels.to_vec();
        let plane = values.len() / channels;
        let bytes =
            (0..plane).flat_map(|i| (0..channels).map(move |c| c * plane + i)).map(|i| byte(values[i]));
        Picture { width, height, channels, bytes: bytes.collect() }
    }

    /// The pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The bytes of a pixel: 1 for grey, 3 for red, green and blue.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The pixels, row by row.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The picture as a PNG file.
    pub fn to_png(&self) -> Vec<u8> {
        let mut lines = ZlibEncoder::new(Vec::new(), Compression::default());
        let mut packed = Ok(());
        for row in self.bytes.chunks_exact(self.width as usize * self.channels) {
            // A row begins with its filter: none.
            packed = packed.and_then(|()| lines.write_all(&[0])).and_then(|()| lines.write_all(row));
        }
        let packed = packed.and_then(|()| lines.finish()).expect("a vector takes all that is written to it");
        let mut head = Vec::with_capacity(13);
        head.extend_from_slice(&self.width.to_be_bytes());
        head.extend_from_slice(&self.height.to_be_bytes());
        head.extend_from_slice(&[8, if self.channels == 3 { 2 } else { 0 }, 0, 0, 0]);
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, data) in [(b"IHDR", &head), (b"IDAT", &packed), (b"IEND", &Vec::new())] {
            file.extend_from_slice(&(data.len() as u32).to_be_bytes());
            let start = file.len();
            file.extend_from_slice(kind);
            file.extend_from_slice(data);
            let sum = crc32fast::hash(&file[start..]);
            file.extend_from_slice(&sum.to_be_bytes());
        }
        file
    }
}
