//! Bytes of a file, piece by piece.

use std::io::{BufRead, Error, ErrorKind};

/// Bytes that are shown at a time: a whole number of elements of any type.
const CHUNK: usize = 1 << 16;

/// Shows so many bytes, from where the file stands, piece by piece: those that the reader holds in memory, as it does a whole file that is
/// mapped, without copying them.
///
/// # Errors
/// Those of `take`, and those of the file.
///
/// ```
/// use wengert_nn::tensor_file::read_pieces;
/// let mut seen = Vec::new();
/// read_pieces(&mut &b"some bytes"[..], 4, &mut |piece| Ok(seen.extend_from_slice(piece)))?;
/// assert_eq!(seen, b"some");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read_pieces(
    file: &mut (impl BufRead + ?Sized),
    bytes: u64,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut left, mut held) = (bytes, true);
    let mut copy = Vec::new();
    while left > 0 {
        let count = left.min(CHUNK as u64) as usize;
        // A buffer that is too short for one piece is so for the next.
        held = held
            && match file.fill_buf() {
                Ok(buffer) => buffer.len() >= count,
                Err(error) if error.kind() == ErrorKind::Interrupted => false,
                Err(error) => return Err(error),
            };
        if held {
            take(&file.fill_buf()?[..count])?;
            file.consume(count);
        } else {
            copy.resize(count, 0);
            file.read_exact(&mut copy)?;
            take(&copy)?;
        }
        left -= count as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use super::*;

    #[test]
    fn pieces_are_those_of_any_reader() {
        let bytes: Vec<u8> = (0..3 * CHUNK + 100).map(|i| (i % 251) as u8).collect();
        for length in [0, 1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, bytes.len()] {
            for capacity in [1, 64, CHUNK, 2 * CHUNK, 10 * CHUNK] {
                let mut seen = Vec::new();
                let mut reader = BufReader::with_capacity(capacity, &bytes[..]);
                let take = &mut |piece: &[u8]| {
                    assert!(piece.len().is_multiple_of(64) || seen.len() + piece.len() == length);
                    seen.extend_from_slice(piece);
                    Ok(())
                };
                read_pieces(&mut reader, length as u64, take).unwrap();
                assert_eq!(seen, bytes[..length], "{length} of a buffer of {capacity}");
            }
        }
        let error = read_pieces(&mut &bytes[..10], 11, &mut |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_is_in_memory_is_not_copied() {
        let bytes = vec![7; 5 * CHUNK + 3];
        let (mut places, mut cursor) = (Vec::new(), Cursor::new(&bytes));
        let take = &mut |piece: &[u8]| {
            places.push(piece.as_ptr() as usize - bytes.as_ptr() as usize);
            Ok(())
        };
        read_pieces(&mut cursor, bytes.len() as u64, take).unwrap();
        assert_eq!(places, (0..6).map(|i| i * CHUNK).collect::<Vec<_>>());
    }
}
