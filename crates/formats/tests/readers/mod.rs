//! The readers of files of other tools, for tests that change files and for the fuzzer.

use std::fmt::Display;
use std::io::Cursor;

use wengert_formats::sharded::Sharded;
use wengert_formats::torch::{self, Value};
use wengert_formats::{npy, npz, open};
use wengert_nn::tensor_file::{TensorSource, read_tensor};
use wengert_nn::{Init, Params};
use wengert_tensor::Element;

use crate::archive::seal;
use crate::attack::{Place, Reader};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        || vec![$(include_bytes!(concat!("../", $name)).to_vec()),*]
    };
}

/// Arrays of NumPy. A byte may become four, beside a copy where the axes are turned.
pub(crate) const NPY: Reader = Reader {
    name: "npy",
    files: files![
        "files/golden/plain_le_f4.npy",
        "files/golden/plain_be_f8.npy",
        "files/golden/fortran_le_f4.npy",
        "files/golden/version_2.npy",
        "files/golden/plain_be_i8.npy",
        "files/golden/refused_structured.npy",
        "files/golden/plain_u1.npy",
    ],
    factor: 6,
    read: |bytes| match npy::File::new(Cursor::new(bytes)) {
        Ok(mut file) => {
            read_all::<f32>(&mut file);
            read_all::<u8>(&mut file);
            true
        }
        error => is_read(error),
    },
};

/// Archives of arrays. Deflate makes up to 1032 bytes of one, and a byte may become four.
pub(crate) const NPZ: Reader = Reader {
    name: "npz",
    files: files!["files/golden/stored.npz", "files/golden/compressed.npz", "files/golden/mixed.npz"],
    factor: 6 * 1032,
    read: |bytes| match npz::File::new(Cursor::new(bytes)) {
        Ok(mut file) => {
            read_all::<f32>(&mut file);
            true
        }
        error => is_read(error),
    },
};

/// The index of a model in several files. The names of three tensors are kept beside the text.
pub(crate) const INDEX: Reader = Reader {
    name: "index",
    files: files!["files/golden/model.safetensors.index.json"],
    factor: 2,
    read: |bytes| {
        thread_local!(static FOLDER: Place = shards());
        let path = FOLDER.with(|folder| folder.0.join("model.safetensors.index.json"));
        std::fs::write(&path, bytes).unwrap();
        match Sharded::open(&path) {
            Ok(mut model) => {
                read_all::<f32>(&mut model);
                true
            }
            error => is_read(error),
        }
    },
};

/// A folder of the files of which the index speaks.
fn shards() -> Place {
    let files = files![
        "files/golden/model-00001-of-00003.safetensors",
        "files/golden/model-00002-of-00003.safetensors",
        "files/golden/model-00003-of-00003.safetensors",
    ];
    let folder = Place::new("index");
    std::fs::create_dir_all(&folder.0).unwrap();
    for (number, bytes) in (1..).zip(files()) {
        let name = format!("model-{number:05}-of-00003.safetensors");
        std::fs::write(folder.0.join(name), bytes).unwrap();
    }
    folder
}

/// Any of the readers, by the first bytes.
pub(crate) const ANY: Reader = Reader {
    name: "open",
    files: files![
        "files/golden/plain_le_f4.npy",
        "files/golden/compressed.npz",
        "files/golden/model-00001-of-00003.safetensors",
        "files/golden/stored.npz",
        "torch/golden/lenet.pt",
        "torch/golden/python2.pt",
    ],
    factor: 6 * 1032,
    read: |bytes| {
        thread_local!(static FILE: Place = Place::new("any"));
        FILE.with(|file| {
            std::fs::write(&file.0, bytes).unwrap();
            match open(&file.0) {
                Ok(mut source) => {
                    read_all::<f64>(&mut source);
                    true
                }
                error => is_read(error),
            }
        })
    },
};

/// Files of PyTorch from 1.6 on, whose pickle may describe objects of 64 bytes for each of its own. They get the checksums of what they
/// have become.
pub(crate) const TORCH: Reader = Reader {
    name: "torch",
    files: files![
        "torch/golden/views.pt",
        "torch/golden/checkpoint.pt",
        "torch/golden/big.pt",
        "torch/golden/compiled.pt",
        "torch/golden/nested.pt",
        "torch/golden/protocol3.pt",
        "torch/golden/protocol4.pt",
        "torch/golden/lenet.pt",
        "torch/golden/lstm.pt",
    ],
    factor: 64,
    read: |bytes| read_torch(sealed(bytes)),
};

/// The same as they are: the directories, and the checksums.
pub(crate) const ARCHIVE: Reader = Reader {
    name: "archive",
    files: files!["torch/golden/views.pt", "torch/golden/compiled.pt", "torch/golden/unsummed.pt"],
    factor: 64,
    read: |bytes| read_torch(bytes.to_vec()),
};

/// Files of PyTorch before 1.6.
pub(crate) const LEGACY: Reader = Reader {
    name: "legacy",
    files: files![
        "torch/golden/types_legacy.pt",
        "torch/golden/views_legacy.pt",
        "torch/golden/checkpoint_legacy.pt",
        "torch/golden/protocol4_legacy.pt",
        "torch/golden/python2.pt",
    ],
    factor: 64,
    read: |bytes| read_torch(bytes.to_vec()),
};

/// The state of an optimiser in such a file.
pub(crate) const OPTIMIZER: Reader = Reader {
    name: "optimizer",
    files: files![
        "torch/golden/optimizer_adam.pt",
        "torch/golden/optimizer_adamw.pt",
        "torch/golden/optimizer_nadam.pt",
        "torch/golden/optimizer_rmsprop_all.pt",
        "torch/golden/optimizer_sgd_plain.pt",
    ],
    factor: 64,
    read: |bytes| {
        let mut params: Params<f64> = Params::seeded(0);
        params.root().param("w", [3, 2], Init::Zeros);
        params.root().param("b", [4], Init::Zeros);
        let Ok(file) = torch::File::from_bytes(sealed(bytes)) else { return false };
        let mut state = match file.optimizer_state() {
            Ok(state) => state,
            Err(error) => return is_read::<(), _>(Err(error)),
        };
        ["adam", "adamw", "nadam", "rmsprop", "sgd"]
            .map(|kind| is_read(state.state(kind, &params)))
            .contains(&true)
    },
};

/// All of them.
#[allow(dead_code, reason = "a test has some of them, the fuzzer all")]
pub(crate) const ALL: [Reader; 8] = [NPY, NPZ, INDEX, ANY, TORCH, ARCHIVE, LEGACY, OPTIMIZER];

/// Whether it is a result, and else that the error is one short line.
pub(crate) fn is_read<T, E: Display>(read: Result<T, E>) -> bool {
    if let Err(error) = &read {
        let message = error.to_string();
        assert!(message.len() < 1500 && !message.contains('\n'), "{message}");
    }
    read.is_ok()
}

fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    seal(&mut bytes);
    bytes
}

fn read_all<T: Element>(source: &mut dyn TensorSource) {
    let mut names = Vec::new();
    source.each(&mut |_, entry| names.push(entry.name().to_owned()));
    for name in names {
        is_read(read_tensor::<T>(source, &name));
    }
}

/// Opens a file, and reads all that it has, of tensors at most 64 KiB.
fn read_torch(bytes: Vec<u8>) -> bool {
    let file = match torch::File::from_bytes(bytes) {
        Ok(file) => file,
        Err(error) => return is_read::<(), _>(Err(error)),
    };
    walk(file.root(), 6);
    let mut dict = match file.state_dict() {
        Ok(dict) => dict,
        Err(error) => return is_read::<(), _>(Err(error)),
    };
    let mut all = true;
    let count = dict.names().len();
    for place in 0..count {
        let mut left = 1usize << 16;
        let read = dict.read(place, &mut |piece| {
            left = left.checked_sub(piece.len()).ok_or(std::io::ErrorKind::FileTooLarge)?;
            Ok(())
        });
        all &= read.is_ok();
    }
    all
}

fn walk(value: Value<'_>, depth: usize) {
    assert!(format!("{value:?}").len() < 3000);
    if depth == 0 {
        return;
    }
    if let Some(items) = value.items() {
        items.iter().take(4).for_each(|item| walk(item, depth - 1));
    }
    if let Some(dict) = value.dict() {
        dict.iter()
            .take(4)
            .for_each(|(key, value)| [key, value].into_iter().for_each(|v| walk(v, depth - 1)));
    }
}
