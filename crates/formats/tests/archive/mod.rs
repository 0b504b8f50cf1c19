//! Where the records of a zip archive are, as far as it is one.

use std::ops::Range;

/// A record that is stored as it is.
#[allow(dead_code, reason = "some tests ask for its name, others change its checksum")]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) data: Range<usize>,
    /// Where its checksum stands in the directory.
    pub(crate) sum: usize,
}

/// All records whose entry in the directory leads to them.
pub(crate) fn records(bytes: &[u8]) -> Vec<Record> {
    let number = |at: usize, width: usize| -> Option<usize> {
        let bytes = bytes.get(at..at.checked_add(width)?)?;
        Some(bytes.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte)))
    };
    let record = |at: usize| {
        let name = bytes.get(at + 46..at + 46 + number(at + 28, 2)?)?;
        let (method, length, header) = (number(at + 10, 2)?, number(at + 20, 4)?, number(at + 42, 4)?);
        let start = header + 30 + number(header + 26, 2)? + number(header + 28, 2)?;
        let data = start..start + length;
        let is_stored = method == 0 && bytes.get(data.clone()).is_some();
        let name = String::from_utf8_lossy(name).into_owned();
        is_stored.then_some(Record { name, data, sum: at + 16 })
    };
    let entries = bytes.windows(4).enumerate().filter(|(_, window)| window == b"PK\x01\x02");
    entries.filter_map(|(at, _)| record(at)).collect()
}

/// Gives the records of an archive that was changed the checksums of what they are now, so that not all is refused for that alone.
#[allow(dead_code, reason = "not all tests that look at records change them")]
pub(crate) fn seal(bytes: &mut [u8]) {
    for record in records(bytes) {
        let sum = crc32fast::hash(&bytes[record.data]);
        bytes[record.sum..record.sum + 4].copy_from_slice(&sum.to_le_bytes());
    }
}
