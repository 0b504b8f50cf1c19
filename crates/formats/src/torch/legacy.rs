//! What was written before PyTorch 1.6: pickles in a row, and the storages' bytes behind them.

use std::collections::HashMap;
use std::io::{BufReader, Read, Seek, SeekFrom};

use super::archive::Record;
use super::error::Problem;
use super::pickle::{Heap, Id, Input, Machine, Node};

/// The number that such a file begins with, and the version of the format.
const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
const VERSION: i64 = 1001;

/// The object, and where the storages of each key are.
pub(super) struct Legacy {
    pub(super) root: Id,
    pub(super) storages: HashMap<Vec<u8>, Record>,
}

pub(super) fn read(file: &mut (impl Read + Seek), length: u64, heap: &mut Heap) -> Result<Legacy, Problem> {
    file.seek(SeekFrom::Start(0))?;
    let mut input = Input::new(BufReader::new(&mut *file));
    let other = |kind: &str| Problem::OtherKind { kind: kind.into(), advice: "" };
    let first = Machine::run(heap, &mut input)?;
    if !matches!(heap.node(first), Node::Wide(number) if **number == MAGIC) {
        return Err(other("a pickle of something else"));
    }
    let version = Machine::run(heap, &mut input)?;
    if heap.int(version) != Some(VERSION) {
        return Err(other("a file of a version of the format that is not known"));
    }
    // What the machine was that wrote it. The bytes' order is little-endian on all.
    Machine::run(heap, &mut input)?;
    let root = Machine::run(heap, &mut input)?;
    let keys = Machine::run(heap, &mut input)?;
    let start = input.at();
    let storages = storages(file, start, length, heap, keys)?;
    Ok(Legacy { root, storages })
}

/// Each storage is the number of its elements, and they.
fn storages(
    file: &mut (impl Read + Seek),
    start: u64,
    length: u64,
    heap: &mut Heap,
    keys: Id,
) -> Result<HashMap<Vec<u8>, Record>, Problem> {
    let wrong = |reason| Problem::Pickle { at: start, reason: String::from(reason) };
    let keys = heap.items(keys).ok_or_else(|| wrong("there is no list of storages behind it"))?.to_vec();
    let widths: HashMap<&[u8], u64> = heap
        .storages
        .iter()
        .map(|storage| (heap.bytes(storage.key), storage.dtype.map_or(1, |dtype| dtype.width.into())))
        .collect();
    let (mut at, mut found) = (start, HashMap::new());
    for key in keys {
        let key = match *heap.node(key) {
            Node::Text(key) | Node::Bytes(key) => heap.bytes(key),
            _ => return Err(wrong("the key of a storage is no text")),
        };
        let width = widths.get(key).ok_or_else(|| wrong("there is a storage that no tensor has"))?;
        let cut = || wrong("the file ends within the storages behind it");
        if at.checked_add(8).is_none_or(|end| end > length) {
            return Err(cut());
        }
        file.seek(SeekFrom::Start(at))?;
        let mut count = [0; 8];
        file.read_exact(&mut count)?;
        let bytes = u64::from_le_bytes(count).checked_mul(*width);
        let end = bytes.and_then(|bytes| (at + 8).checked_add(bytes)).filter(|&end| end <= length);
        let end = end.ok_or_else(cut)?;
        let record = Record { start: at + 8, length: end - at - 8, sum: None };
        if found.insert(key.to_vec(), record).is_some() {
            return Err(wrong("there are two storages of the same key"));
        }
        at = end;
    }
    let entries = found.keys().map(|key: &Vec<u8>| key.len() + 64).sum();
    heap.charge(entries)?;
    Ok(found)
}
