//! The end of an archive, which says where its directory is.

use std::io::{Read, Seek, SeekFrom};

use super::ZipError;

/// What stands at the end of each archive, and how long it is without a comment.
const END: [u8; 4] = *b"PK\x05\x06";
const END_LENGTH: usize = 22;
/// What stands in front of it in archives of more than 4 GB or 65535 records, and where that is.
const LOCATOR: [u8; 4] = *b"PK\x06\x07";
const LOCATOR_LENGTH: usize = 20;
const LARGE_END: [u8; 4] = *b"PK\x06\x06";
const LARGE_END_LENGTH: usize = 56;
/// The longest comment.
const COMMENT: usize = 0xffff;

/// Where the directory is.
pub(super) struct Place {
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) entries: u64,
}

/// Finds it in a file of this length.
pub(super) fn find(file: &mut (impl Read + Seek), length: u64) -> Result<Place, ZipError> {
    let damaged = |reason| ZipError::Damaged(reason);
    let tail = length.min((END_LENGTH + LOCATOR_LENGTH + COMMENT) as u64);
    file.seek(SeekFrom::Start(length - tail))?;
    let mut bytes = vec![0; tail as usize];
    file.read_exact(&mut bytes)?;
    let end = (0..(bytes.len() + 1).saturating_sub(END_LENGTH)).rev().find(|&i| {
        let comment = bytes.len() - i - END_LENGTH;
        bytes[i..].starts_with(&END) && two(&bytes[i + 20..]) as usize == comment
    });
    let end = end.ok_or(damaged("it has no end: perhaps only a part of the file is here"))?;
    let last = &bytes[end..];
    let mut place = Place { start: four(&last[16..]), length: four(&last[12..]), entries: two(&last[10..]) };
    let mut limit = length - tail + end as u64;
    if let Some(locator) = end.checked_sub(LOCATOR_LENGTH).filter(|&i| bytes[i..].starts_with(&LOCATOR)) {
        let at = eight(&bytes[locator + 8..]);
        let before = length - tail + locator as u64;
        if at.checked_add(LARGE_END_LENGTH as u64).is_none_or(|end| end > before) {
            return Err(damaged("the end of its directory lies outside of the file"));
        }
        let mut large = [0; LARGE_END_LENGTH];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut large)?;
        if large[..4] != LARGE_END {
            return Err(damaged("the end of its directory is not where it says"));
        }
        place =
            Place { start: eight(&large[48..]), length: eight(&large[40..]), entries: eight(&large[32..]) };
        limit = at;
    }
    if place.start.checked_add(place.length).is_none_or(|end| end > limit) {
        return Err(damaged("its directory lies outside of the file"));
    }
    Ok(place)
}

pub(super) fn two(bytes: &[u8]) -> u64 {
    u64::from(u16::from_le_bytes([bytes[0], bytes[1]]))
}

pub(super) fn four(bytes: &[u8]) -> u64 {
    u64::from(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

pub(super) fn eight(bytes: &[u8]) -> u64 {
    four(bytes) | four(&bytes[4..]) << 32
}
