//! Files of PyTorch that somebody changed give a result or an error, and ask for no more memory than their pickle says
//! objects: 64 bytes for each of its own at most, and never more than the file's length and 64 MiB.
//!
//! `WENGERT_TRIES` sets the number of changed files of each kind.

#[path = "../../wengert/tests/attack/mod.rs"]
mod attack;

mod archive;
mod readers;

use attack::{FIXED, most};
use wengert_formats::torch::File;

/// Changed files for each reader.
const TRIES: u64 = 60_000;

#[test]
fn archives() {
    readers::TORCH.attack(TRIES);
}

#[test]
fn directories_and_checksums() {
    readers::ARCHIVE.attack(TRIES / 3);
}

#[test]
fn files_before_1_6() {
    readers::LEGACY.attack(TRIES / 2);
}

#[test]
fn states_of_optimisers() {
    readers::OPTIMIZER.attack(TRIES / 3);
}

/// Pickles of which each byte is an object, or the name of one.
#[test]
fn files_that_are_all_objects_stay_below_their_limit() {
    const N: usize = 4 << 20;
    let head = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02";
    for unit in [
        &b"}"[..],
        b"]",
        b"N",
        b"(",
        b"K\x01",
        b"J\0\0\x01\0",
        b"U\0",
        b"U\x01a",
        b"N\x85",
        b"](",
        b"2",
        b"Nq\x01",
        b"N\x94",
        b"G\0\0\0\0\0\0\0\0",
        b"ccollections\nOrderedDict\n)R",
        b"c_codecs\nencode\n(U\x01aU\x06latin1tR",
        b"\x8a\x09\0\0\0\0\0\0\0\0\x01",
        b"}K\x01K\x02s",
        b"]K\x01a",
    ] {
        let body = match unit {
            b"2" => [&b"N"[..], &vec![b'2'; N]].concat(),
            _ => unit.repeat(N / unit.len()),
        };
        let file = [&head[..], &body].concat();
        let mut message = String::new();
        let held = most(|| {
            message = File::from_bytes(&file[..]).map_or_else(|error| error.to_string(), |_| String::new())
        });
        // The bytes are copied for `from_bytes`.
        let limit = 2 * file.len() + (64 << 20) + FIXED;
        assert!(held <= limit, "{unit:?}: {held} for {}: {message}", file.len());
        assert!(!message.is_empty());
    }
}
