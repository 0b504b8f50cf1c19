//! The directory of an archive.

use super::ZipError;
use super::end::{eight, four, two};

/// What an entry begins with, and how long it is without names.
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const ENTRY_LENGTH: usize = 46;
/// The additional field with numbers of 64 bits, and what stands in the place of such a number.
const LARGE: u64 = 1;
const SEE_LARGE: u64 = 0xffff_ffff;

/// The directory as it is in the file, and where its entries begin, in the order of their names.
pub(super) struct Directory {
    bytes: Vec<u8>,
    starts: Vec<u32>,
}

/// A record's entry.
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a [u8],
    pub(super) flags: u64,
    /// 0 if it is stored as it is.
    pub(super) method: u64,
    /// Its checksum, CRC-32.
    pub(crate) sum: u32,
    stored: u64,
    size: u64,
    at: u64,
    additional: &'a [u8],
}

impl Directory {
    pub(super) fn new(bytes: Vec<u8>, entries: u64) -> Result<Self, ZipError> {
        let damaged = |reason| Err(ZipError::Damaged(reason));
        if u32::try_from(bytes.len()).is_err() {
            return damaged("its directory is longer than 4 GB");
        }
        if entries > (bytes.len() / ENTRY_LENGTH) as u64 {
            return damaged("its directory is too short for so many records");
        }
        let mut starts = Vec::with_capacity(entries as usize);
        let mut at = 0;
        for _ in 0..entries {
            let Some((_, length)) = entry(&bytes[at..]) else {
                return damaged("its directory has something that is no entry");
            };
            starts.push(at as u32);
            at += length;
        }
        if at != bytes.len() {
            return damaged("its directory has other records than it says");
        }
        let name = |&start: &u32| entry(&bytes[start as usize..]).map(|(entry, _)| entry.name);
        starts.sort_unstable_by(|a, b| name(a).cmp(&name(b)));
        if starts.windows(2).any(|pair| name(&pair[0]) == name(&pair[1])) {
            return damaged("two of its records have the same name");
        }
        Ok(Directory { bytes, starts })
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.starts.iter().filter_map(|&start| self.at(start))
    }

    pub(super) fn find(&self, name: &str) -> Option<Entry<'_>> {
        let name = Some(name.as_bytes());
        let place = self.starts.binary_search_by(|&start| self.at(start).map(|entry| entry.name).cmp(&name));
        self.at(self.starts[place.ok()?])
    }

    fn at(&self, start: u32) -> Option<Entry<'_>> {
        entry(&self.bytes[start as usize..]).map(|(entry, _)| entry)
    }
}

impl Entry<'_> {
    /// The size of what is stored, the bytes that it takes in the file, and where its header is.
    pub(super) fn place(&self) -> Option<(u64, u64, u64)> {
        let mut large = self.large();
        // Only those that stand there as "see below" are below, in this order.
        let mut number = |short: u64| {
            if short != SEE_LARGE {
                return Some(short);
            }
            let (first, rest) = large.split_at_checked(8)?;
            large = rest;
            Some(eight(first))
        };
        Some((number(self.size)?, number(self.stored)?, number(self.at)?))
    }

    fn large(&self) -> &[u8] {
        let mut rest = self.additional;
        while rest.len() >= 4 {
            let (head, body) = rest.split_at(4);
            let length = two(&head[2..]) as usize;
            let Some((body, others)) = body.split_at_checked(length) else { break };
            if two(head) == LARGE {
                return body;
            }
            rest = others;
        }
        &[]
    }
}

/// The entry that these bytes begin with, and its length.
fn entry(bytes: &[u8]) -> Option<(Entry<'_>, usize)> {
    let (head, rest) = bytes.split_at_checked(ENTRY_LENGTH)?;
    let lengths = [two(&head[28..]), two(&head[30..]), two(&head[32..])].map(|length| length as usize);
    let [name, additional, comment] = lengths;
    let (name, rest) = rest.split_at_checked(name)?;
    let (additional, rest) = rest.split_at_checked(additional)?;
    if !head.starts_with(&ENTRY) || rest.len() < comment {
        return None;
    }
    let (stored, size, at) = (four(&head[20..]), four(&head[24..]), four(&head[42..]));
    let (flags, method) = (two(&head[8..]), two(&head[10..]));
    let length = ENTRY_LENGTH + lengths.iter().sum::<usize>();
    let sum = four(&head[16..]) as u32;
    Some((Entry { name, flags, method, sum, stored, size, at, additional }, length))
}
