//! What a file is, by its first bytes.

use std::io::{Read, Seek, SeekFrom};

use super::error::Problem;

/// Bytes that are looked at: as far as tar files say what they are.
const HEAD: u64 = 512;

/// A format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of PyTorch 1.6 and later.
    Zip,
    /// Of PyTorch 0.1.10 to 1.5, or told to write so.
    Legacy,
}

pub(super) fn find(file: &mut (impl Read + Seek), length: u64) -> Result<Kind, Problem> {
    let mut head = vec![0; length.min(HEAD) as usize];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut head)?;
    let other = |kind, advice| Err(Problem::OtherKind { kind, advice });
    match &*head {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Ok(Kind::Zip),
        [0x80, ..] => Ok(Kind::Legacy),
        [] => other("an empty file", ""),
        head if head.get(257..262) == Some(b"ustar") => other(
            "a tar archive of PyTorch before 0.1.10",
            "read it with an old version and save it with a new one",
        ),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => other("an array of NumPy", ""),
        [0x89, b'H', b'D', b'F', ..] => other("an HDF5 file", ""),
        head if head.get(8) == Some(&b'{') => other("a safetensors file", "read it with Params::load"),
        _ => other("a file of an unknown kind", ""),
    }
}
