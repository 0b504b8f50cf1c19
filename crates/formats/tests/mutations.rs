//! The readers of arrays, archives and indices against files that somebody changed: each gives a result or an error, and asks for no
//! more memory than about twice what the file has, whatever the file claims.
//!
//! `WENGERT_TRIES` sets the number of changed files for each reader.

#[path = "../../wengert/tests/attack/mod.rs"]
mod attack;

mod archive;
#[cfg(feature = "mmap")]
mod mapped;
mod readers;

use std::io::Cursor;

use attack::{FIXED, most};
use readers::is_read;
use wengert_formats::{npy, npz};
use wengert_tensor::Tensor;

/// Changed files for each reader.
const TRIES: u64 = 20_000;

#[test]
fn arrays() {
    readers::NPY.attack(TRIES);
}

#[test]
fn archives() {
    readers::NPZ.attack(TRIES);
}

#[test]
fn indices() {
    readers::INDEX.attack(TRIES / 5);
}

#[test]
fn files_of_any_kind() {
    readers::ANY.attack(TRIES / 5);
}

/// Each of these files is as large as it can be for what it says.
#[test]
fn files_that_are_all_claims() {
    const N: usize = 1 << 20;
    let header = |dict: String| {
        let mut bytes = b"\x93NUMPY\x02\x00".to_vec();
        bytes.extend((dict.len() as u32).to_le_bytes());
        bytes.extend(dict.bytes());
        bytes
    };
    for dict in [
        format!("{{'descr': {}", "[".repeat(N - 20)),
        format!("{{'descr': '{}', 'fortran_order': False, 'shape': (0,)}}", "f".repeat(N - 100)),
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({})}}", "1,".repeat(N / 2 - 100)),
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({})}}", "9".repeat(N - 100)),
        format!("{{'{}': 1}}", "k".repeat(N - 100)),
        "{".repeat(N),
        "\u{e9}".repeat(N / 2),
        "1".repeat(2 * N),
    ] {
        let bytes = header(dict);
        let held = most(|| {
            is_read(npy::File::new(Cursor::new(&bytes)).map(drop));
        });
        assert!(held <= 3 * bytes.len() + FIXED, "{held} for {}", bytes.len());
    }
    // 64 MB of zeros in 64 KB, asked for as a whole.
    let zeros = Tensor::<u8>::zeros([64 << 20]);
    let mut bomb = npz::Arrays::new().with("x", &zeros).compressed().to_bytes().unwrap();
    assert!(bomb.len() < 80 << 10);
    drop(zeros);
    let held = most(|| {
        is_read(npz::File::new(Cursor::new(&bomb)).map(drop));
    });
    assert!(held <= FIXED, "{held} to look at it");
    // One that claims to be more than deflate can make of it.
    let claim = 64u32 << 20;
    let lie = (claim + 128).to_le_bytes();
    for at in 0..bomb.len() - 4 {
        if bomb[at..at + 4] == (claim + 128).to_le_bytes() {
            bomb[at..at + 4].copy_from_slice(&u32::MAX.wrapping_sub(1).to_le_bytes());
        }
    }
    assert!(!bomb.windows(4).any(|window| window == lie));
    let held = most(|| assert!(npz::File::new(Cursor::new(&bomb)).is_err()));
    assert!(held <= FIXED, "{held}");
}

/// Zeros that deflate made a thousandth of take, once read, what the array does and no copy of it.
#[test]
fn what_was_compressed_takes_what_it_is() {
    const N: usize = 4 << 20;
    let bytes = npz::Arrays::new().with("x", &Tensor::<u8>::zeros([N])).compressed().to_bytes().unwrap();
    assert!(bytes.len() < N / 500);
    let held = most(|| {
        let read = npz::File::new(Cursor::new(&bytes)).unwrap().tensor::<u8>("x").unwrap();
        assert_eq!(read.len(), N);
    });
    // The array's own memory may be that of the zeros, which tensors keep for the next.
    assert!(held <= N + FIXED, "{held} for {N}");
}
