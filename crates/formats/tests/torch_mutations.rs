//! Files of PyTorch that somebody changed give a result or an error, and ask for no more memory than their pickle says
//! objects: 64 bytes for each of its own at most, and never more than the file's length and 64 MiB.
//!
//! `WENGERT_TRIES` sets the number of changed files of each kind.

mod archive;
#[path = "../../wengert/tests/attack/mod.rs"]
mod attack;

use archive::seal;
use attack::{FIXED, attack, most};
use wengert_formats::torch::{File, Value};
use wengert_nn::tensor_file::TensorSource;
use wengert_nn::{Init, Params};

/// Changed files of each of five kinds.
const TRIES: u64 = 20_000;

fn golden(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/torch/golden/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

/// Opens a file, and reads all that it has, of tensors at most 64 KiB.
fn read(bytes: &[u8]) -> bool {
    let told = |message: String| assert!(message.len() < 1500 && !message.contains('\n'), "{message}");
    let file = match File::from_bytes(bytes) {
        Ok(file) => file,
        Err(error) => {
            told(error.to_string());
            return false;
        }
    };
    walk(file.root(), 6);
    let mut dict = match file.state_dict() {
        Ok(dict) => dict,
        Err(error) => {
            told(error.to_string());
            return false;
        }
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

#[test]
fn changed_files_of_pytorch_give_a_result_or_an_error() {
    for (kind, names) in [
        ("archives", &["views.pt", "checkpoint.pt", "big.pt", "compiled.pt", "nested.pt"][..]),
        ("files before 1.6", &["types_legacy.pt", "views_legacy.pt", "checkpoint_legacy.pt"]),
        ("files of other pickles", &["protocol3.pt", "protocol4.pt", "protocol4_legacy.pt"]),
        ("models", &["lenet.pt", "lstm.pt"]),
        ("the smallest", &["python2.pt"]),
    ] {
        let files: Vec<Vec<u8>> = names.iter().map(|name| golden(name)).collect();
        attack(kind, TRIES, &files, 64, |bytes| {
            let mut bytes = bytes.to_vec();
            seal(&mut bytes);
            read(&bytes)
        });
    }
    let files = ["views.pt", "checkpoint.pt", "unsummed.pt"].map(golden);
    attack("archives with the checksums that they had", TRIES / 5, &files, 64, read);
}

/// The state of an optimiser, which is looked for in what is left of a file.
#[test]
fn changed_states_of_optimisers_give_a_result_or_an_error() {
    let names = ["adam", "adamw", "nadam", "rmsprop_all", "sgd_plain"];
    let files = names.map(|name| golden(&format!("optimizer_{name}.pt")));
    let mut params: Params<f64> = Params::seeded(0);
    params.root().param("w", [3, 2], Init::Zeros);
    params.root().param("b", [4], Init::Zeros);
    attack("states of optimisers", TRIES, &files, 64, |bytes| {
        let mut bytes = bytes.to_vec();
        seal(&mut bytes);
        let Ok(mut state) =
            File::from_bytes(bytes).map_err(drop).and_then(|f| f.optimizer_state().map_err(drop))
        else {
            return false;
        };
        let read =
            ["adam", "adamw", "nadam", "rmsprop", "sgd"].map(|kind| match state.state(kind, &params) {
                Ok(state) => state.count("step").is_ok(),
                Err(error) => {
                    let message = error.to_string();
                    assert!(message.len() < 1500 && !message.contains('\n'), "{message}");
                    false
                }
            });
        read.contains(&true)
    });
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
