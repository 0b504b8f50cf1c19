//! Writing.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use wengert_tensor::file::write_atomically;

use super::{Idx, IdxElement, IdxError};
use crate::DataError;

/// Elements that are encoded at a time.
const CHUNK: usize = 1 << 14;

impl<T: IdxElement> Idx<T> {
    /// Writes a file, compressed by gzip if the name ends in `.gz`; it appears whole or not at all: see
    /// [`write_atomically`].
    ///
    /// # Errors
    /// [`DataError::Idx`] with the path: [`IdxError::Io`] if the operating system fails, [`IdxError::NotAFile`] if the
    /// path leads to a folder or a device, [`IdxError::Overflow`] if a dimension or their number is more than the
    /// format can express.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), DataError> {
        let path = path.as_ref();
        let gzip = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
        let written = write_atomically(path, |file| {
            if gzip {
                let mut encoder = GzEncoder::new(file, Compression::default());
                self.write_to(&mut encoder)?;
                encoder.finish().map(drop).map_err(IdxError::Io)
            } else {
                self.write_to(file)
            }
        });
        written.map_err(|source| DataError::Idx { path: path.into(), source })
    }

    /// Writes the uncompressed bytes.
    ///
    /// # Errors
    /// [`IdxError::Io`] and [`IdxError::Overflow`], as [`Idx::write`].
    ///
    /// ```
    /// use wengert_data::idx::Idx;
    /// let labels = Idx::new(vec![3u8, 1], [2])?;
    /// let mut bytes = Vec::new();
    /// labels.write_to(&mut bytes)?;
    /// assert_eq!(bytes, [0, 0, 8, 1, 0, 0, 0, 2, 3, 1]);
    /// assert_eq!(Idx::<u8>::read_from(&bytes[..], 100)?.data(), [3, 1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_to(&self, writer: &mut impl Write) -> Result<(), IdxError> {
        let lengths: Option<Vec<u32>> = self.shape.iter().map(|&n| u32::try_from(n).ok()).collect();
        let (Ok(dimensions), Some(lengths)) = (u8::try_from(self.shape.len()), lengths) else {
            let dimensions = self.shape.iter().map(|&n| u32::try_from(n).unwrap_or(u32::MAX)).collect();
            return Err(IdxError::Overflow { dimensions });
        };
        let mut bytes = vec![0, 0, T::TYPE.code(), dimensions];
        bytes.extend(lengths.iter().flat_map(|n| n.to_be_bytes()));
        writer.write_all(&bytes).map_err(IdxError::Io)?;
        for chunk in self.data.chunks(CHUNK) {
            bytes.clear();
            T::encode(chunk, &mut bytes);
            writer.write_all(&bytes).map_err(IdxError::Io)?;
        }
        Ok(())
    }
}
