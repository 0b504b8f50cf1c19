//! What a file is, by its first bytes.

use std::io::{Read, Seek, SeekFrom};

use wengert_nn::tensor_file::FileKind;

use super::error::Problem;

/// A format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of PyTorch 1.6 and later.
    Zip,
    /// Of PyTorch 0.1.10 to 1.5, or told to write so.
    Legacy,
}

pub(super) fn find(file: &mut (impl Read + Seek), length: u64) -> Result<Kind, Problem> {
    let mut head = vec![0; length.min(FileKind::HEAD as u64) as usize];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut head)?;
    let other = |kind: &str, advice| Err(Problem::OtherKind { kind: kind.into(), advice });
    match FileKind::of(&head) {
        Some(FileKind::Zip) => Ok(Kind::Zip),
        // What it refuses, it refuses by its name.
        Some(FileKind::LegacyTorch | FileKind::Pickle) => Ok(Kind::Legacy),
        Some(kind) => other(&kind.to_string(), kind.advice()),
        None if head.is_empty() => other("an empty file", ""),
        None if head[0] == 0x80 => Ok(Kind::Legacy),
        None => other("a file of an unknown kind", ""),
    }
}
