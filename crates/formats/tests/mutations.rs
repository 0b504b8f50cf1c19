//! The readers of arrays, archives and indices against files that somebody changed: each gives a result or an error, and asks for no
//! more memory than about twice what the file has, whatever the file claims.
//!
//! `WENGERT_TRIES` sets the number of changed files for each reader.

#[path = "../../wengert/tests/attack/mod.rs"]
mod attack;

use std::fmt::Display;
use std::io::Cursor;
use std::path::PathBuf;

use attack::{FIXED, attack, most};
use wengert_formats::sharded::Sharded;
use wengert_formats::{npy, npz, open};
use wengert_nn::tensor_file::{TensorSource, read_tensor};
use wengert_tensor::{Element, Tensor};

/// Changed files for each reader.
const TRIES: u64 = 20_000;

fn golden(names: &[&str]) -> Vec<Vec<u8>> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/files/golden"].iter().collect();
    names.iter().map(|name| std::fs::read(folder.join(name)).unwrap()).collect()
}

/// Whether it is a result, and else that the error is one short line.
fn is_read<T, E: Display>(read: Result<T, E>) -> bool {
    if let Err(error) = &read {
        let message = error.to_string();
        assert!(message.len() < 900 && !message.contains('\n'), "{message}");
    }
    read.is_ok()
}

fn read_all<T: Element>(source: &mut dyn TensorSource) {
    let mut names = Vec::new();
    source.each(&mut |_, entry| names.push(entry.name().to_owned()));
    for name in names {
        is_read(read_tensor::<T>(source, &name));
    }
}

#[test]
fn arrays() {
    let files = golden(&[
        "plain_le_f4.npy",
        "plain_be_f8.npy",
        "fortran_le_f4.npy",
        "version_2.npy",
        "plain_be_i8.npy",
        "refused_structured.npy",
        "plain_u1.npy",
    ]);
    // A byte may become four, beside a copy where the axes are turned.
    attack("npy", TRIES, &files, 6, |bytes| match npy::File::new(Cursor::new(bytes)) {
        Ok(mut file) => {
            read_all::<f32>(&mut file);
            read_all::<u8>(&mut file);
            true
        }
        error => is_read(error),
    });
}

#[test]
fn archives() {
    let files = golden(&["stored.npz", "compressed.npz", "mixed.npz"]);
    // Deflate makes up to 1032 bytes of one, and a byte may become four.
    attack("npz", TRIES, &files, 6 * 1032, |bytes| match npz::File::new(Cursor::new(bytes)) {
        Ok(mut file) => {
            read_all::<f32>(&mut file);
            true
        }
        error => is_read(error),
    });
}

#[test]
fn indices() {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = tempfile::tempdir_in(folder).unwrap();
    for i in 1..=3 {
        let name = format!("model-{i:05}-of-00003.safetensors");
        std::fs::write(folder.path().join(&name), &golden(&[&name])[0]).unwrap();
    }
    let path = folder.path().join("model.safetensors.index.json");
    let files = golden(&["model.safetensors.index.json"]);
    // The names of three tensors are kept beside the text.
    attack("index", TRIES / 5, &files, 2, |bytes| {
        std::fs::write(&path, bytes).unwrap();
        match Sharded::open(&path) {
            Ok(mut model) => {
                read_all::<f32>(&mut model);
                true
            }
            error => is_read(error),
        }
    });
}

/// Any of the readers, by the first bytes.
#[test]
fn files_of_any_kind() {
    let files =
        golden(&["plain_le_f4.npy", "compressed.npz", "model-00001-of-00003.safetensors", "stored.npz"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    attack("open", TRIES / 5, &files, 6 * 1032, |bytes| {
        std::fs::write(&path, bytes).unwrap();
        match open(&path) {
            Ok(mut source) => {
                read_all::<f64>(&mut source);
                true
            }
            error => is_read(error),
        }
    });
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
