//! Gradients in fewer bytes than they have.
//!
//! What is lost in one step can be kept and sent with the next ([`Compressor`], *error feedback*: Seide 2014, Karimireddy 2019),
//! so that on the whole nothing is.

mod half;
mod top_k;

pub use wengert_tensor::math::half::{from_bf16, from_f16, to_bf16, to_f16};

use wengert_optim::{Check, HyperParameterError};
use wengert_tensor::Float;

use crate::wire::{Reader, WireError, Writer};

/// How gradients are written for their way.
///
/// ```
/// use wengert_distributed::compress::Compression;
/// assert!(Compression::TopK { fraction: 0.01 }.check().is_ok());
/// let error = Compression::TopK { fraction: 0.0 }.check().unwrap_err();
/// assert_eq!(error.to_string(), "compression: fraction is 0, but must be above 0 and at most 1");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Compression {
    /// As they are.
    #[default]
    None,
    /// In 16 bits with the range of `f32`: relative error at most 2⁻⁸.
    Bf16,
    /// In 16 bits with 11 of precision: relative error at most 2⁻¹¹ from 2⁻¹⁴ (6.1e-5) to 65504, absolute error at most
    /// 2⁻²⁵ below, and what is larger becomes 65504.
    F16,
    /// The elements of largest magnitude alone, at least one, with their positions.
    TopK {
        /// Their share of all, in (0, 1].
        fraction: f64,
    },
}

impl Compression {
    /// Checks the settings.
    ///
    /// # Errors
    /// If the fraction is not in (0, 1].
    pub fn check(self) -> Result<(), HyperParameterError> {
        if let Compression::TopK { fraction } = self {
            let holds = fraction > 0.0 && fraction <= 1.0;
            Check::new("compression").condition(holds, "fraction", fraction, "above 0 and at most 1")?;
        }
        Ok(())
    }
}

/// Compresses the gradients of one worker, and keeps what was lost for its next ones.
///
/// ```
/// use wengert_distributed::compress::{Compression, Compressor, decompress};
/// let mut compressor = Compressor::<f32>::new(Compression::TopK { fraction: 0.5 }, 2)?;
/// let mut sent = [0.0f32; 2];
/// decompress(&compressor.compress(0, &[3.0, 1.0]), &mut sent)?;
/// assert_eq!(sent, [3.0, 0.0]);
/// // The 1 has not been forgotten: with the next gradient it is the larger one.
/// decompress(&compressor.compress(0, &[1.5, 1.0]), &mut sent)?;
/// assert_eq!(sent, [0.0, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Compressor<T: Float = f32> {
    compression: Compression,
    /// The elements of a whole gradient.
    len: usize,
    /// What has not been sent of the gradients so far; empty where nothing is lost.
    residual: Vec<T>,
    sum: Vec<T>,
}

impl<T: Float> Compressor<T> {
    /// For gradients of `len` elements.
    ///
    /// # Errors
    /// If the [settings](Compression::check) make no sense.
    pub fn new(compression: Compression, len: usize) -> Result<Self, HyperParameterError> {
        compression.check()?;
        let lossless = compression == Compression::None;
        let residual = vec![T::ZERO; if lossless { 0 } else { len }];
        Ok(Compressor { compression, len, residual, sum: Vec::new() })
    }

    /// The bytes of the elements of a gradient from `start` on, for [`decompress`].
    ///
    /// What is not finite is sent as it is, and leaves nothing to make up for.
    ///
    /// # Panics
    /// If they reach beyond the length.
    #[track_caller]
    pub fn compress(&mut self, start: usize, gradient: &[T]) -> Vec<u8> {
        let (count, len) = (gradient.len(), self.len);
        let reaches = start.checked_add(count).is_some_and(|end| end <= len);
        assert!(reaches, "compress: {count} elements from {start} on of a gradient of {len}");
        let mut bytes = Writer::default();
        if self.compression == Compression::None {
            bytes.byte(AS_IT_IS).floats(gradient);
            return bytes.finish();
        }
        let residual = &mut self.residual[start..start + count];
        self.sum.clear();
        self.sum.extend(gradient.iter().zip(&*residual).map(|(&gradient, &kept)| gradient + kept));
        match self.compression {
            Compression::None => {}
            Compression::Bf16 => half::write(bytes.byte(BF16), &self.sum, to_bf16),
            Compression::F16 => half::write(bytes.byte(F16), &self.sum, to_f16),
            Compression::TopK { fraction } => top_k::write(bytes.byte(TOP_K), &self.sum, fraction),
        }
        let bytes = bytes.finish();
        let sent = read(&bytes, residual);
        debug_assert!(sent.is_ok(), "what was written is read: {sent:?}");
        for (residual, &sum) in residual.iter_mut().zip(&self.sum) {
            let lost = sum - *residual;
            *residual = if lost.is_finite() { lost } else { T::ZERO };
        }
        bytes
    }

    /// What has not been sent yet, one element for each of the gradient's, or none where nothing is lost.
    pub fn residual(&self) -> &[T] {
        &self.residual
    }
}

const AS_IT_IS: u8 = 0;
const BF16: u8 = 1;
const F16: u8 = 2;
const TOP_K: u8 = 3;

/// Puts the gradient that a [`Compressor`] made these bytes of in `out`; elements that were not sent are 0.
///
/// ```
/// use wengert_distributed::compress::{Compression, Compressor, decompress};
/// let sent = Compressor::<f32>::new(Compression::Bf16, 2)?.compress(0, &[1.0, 3.1]);
/// let mut gradient = [0.0f32; 2];
/// decompress(&sent, &mut gradient)?;
/// assert_eq!(gradient, [1.0, 3.09375]);
/// assert!(decompress(&sent, &mut [0.0f32; 3]).is_err()); // of another length
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the bytes are not those of a gradient of this length and precision.
pub fn decompress<T: Float>(bytes: &[u8], out: &mut [T]) -> Result<(), WireError> {
    read(bytes, out)
}

fn read<T: Float>(bytes: &[u8], out: &mut [T]) -> Result<(), WireError> {
    let mut reader = Reader::new(bytes);
    match reader.byte()? {
        AS_IT_IS => reader.floats(out)?,
        BF16 => half::read(&mut reader, out, from_bf16)?,
        F16 => half::read(&mut reader, out, from_f16)?,
        TOP_K => top_k::read(&mut reader, out)?,
        other => return Err(WireError::new(format!("there is no compression of number {other}"))),
    }
    reader.end()
}
