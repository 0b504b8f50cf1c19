//! Arrays that NumPy wrote, and what it reads.

use std::collections::BTreeMap;
use std::io::Cursor;

use serde_json::Value;
use wengert_formats::npy::{self, NumpyError};
use wengert_formats::npz::{self, Arrays};
use wengert_formats::{FormatsError, load, open};
use wengert_nn::tensor_file::{TensorEntry, TensorSource, read_tensor};
use wengert_nn::{FileError, Init, Loading, Params};
use wengert_tensor::{Element, Tensor};

use crate::{golden, is_golden, model};

/// The bits, as −0 and 0 are not the same array.
fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn arrays_of_every_type_order_and_version() {
    let all: BTreeMap<String, Value> =
        serde_json::from_str(&std::fs::read_to_string(golden("arrays.json")).unwrap()).unwrap();
    assert!(all.len() > 25);
    for (name, expected) in all {
        let path = golden(&format!("{name}.npy"));
        let shape: Vec<usize> = serde_json::from_value(expected["shape"].clone()).unwrap();
        let values = expected["values"].as_array().unwrap().iter();
        let values: Vec<f64> = values.map(|text| text.as_str().unwrap().parse().unwrap()).collect();
        let read = npy::read::<f64>(&path).unwrap();
        assert_eq!(read.shape()[..], shape, "{name}");
        assert_eq!(bits(&read.to_vec()), bits(&values), "{name}");
        let single = npy::read::<f32>(&path);
        assert_eq!(single.unwrap().to_vec(), values.iter().map(|&x| x as f32).collect::<Vec<_>>(), "{name}");
        let whole = values.iter().all(|x| x.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(x));
        match npy::read::<u32>(&path) {
            Ok(read) => {
                assert!(whole, "{name}");
                assert_eq!(read.to_vec(), values.iter().map(|&x| x as u32).collect::<Vec<_>>());
            }
            Err(FormatsError::File(FileError::OutOfRange { kind: "u32", .. })) => assert!(!whole, "{name}"),
            Err(error) => panic!("{name}: {error}"),
        }
        let truth = values.iter().all(|&x| x == 0.0 || x == 1.0);
        assert_eq!(npy::read::<bool>(&path).is_ok(), truth, "{name}");
        assert_eq!(npy::read::<u8>(&path).is_ok(), whole && values.iter().all(|&x| x < 256.0), "{name}");
        // A source whose tensor is called as the file.
        let mut entry = None;
        open(&path).unwrap().each(&mut |_, e| entry = Some((e.name().to_owned(), e.shape()[..].to_vec())));
        assert_eq!(entry, Some((name, shape)));
    }
}

#[test]
fn python_2_wrote_long_integers() {
    let read = npy::read::<f32>(golden("python2.npy")).unwrap();
    assert_eq!(read, Tensor::from([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]));
}

#[test]
fn other_types_are_refused_by_their_names() {
    for (name, expected) in [
        ("object", "object, which is a pickle of Python"),
        ("structured", "structured, [('a', '<i4'), (\"b: ']\", '<f8', (2,))]"),
        ("text", "<U3"),
        ("bytes", "|S3"),
        ("date", "<M8[D]"),
        ("long", "<f16"),
        ("complex", "C64"),
    ] {
        let error = npy::read::<f64>(golden(&format!("refused_{name}.npy"))).unwrap_err();
        let FormatsError::File(FileError::Dtype { dtype, .. }) = &error else { panic!("{name}: {error}") };
        assert_eq!(dtype, expected);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn archives_of_arrays_load_into_models() {
    for name in ["stored.npz", "compressed.npz"] {
        let mut params = model::<f32>();
        assert!(load(&mut params, golden(name), &Loading::new()).unwrap().is_complete());
        assert!(is_golden(&params), "{name}");
        let mut params = model::<f64>();
        load(&mut params, golden(name), &Loading::new()).unwrap();
        assert!(is_golden(&params), "{name}");
    }
    // A text and an array of objects beside them are passed over, unless they are asked for.
    let mut params = model::<f32>();
    load(&mut params, golden("mixed.npz"), &Loading::new()).unwrap();
    assert!(is_golden(&params));
    let mut file = npz::File::open(golden("mixed.npz")).unwrap();
    assert_eq!(file.names().count(), 5);
    assert!(file.tensor::<f32>("config").is_err());
    assert_eq!(file.tensor::<u32>("norm.num_batches_tracked").unwrap().item(), 7);
    let error = file.tensor::<f32>("body.wieght").unwrap_err().to_string();
    assert!(
        error.ends_with("lacks `body.wieght`; it holds 5 tensors, the nearest `body.weight` [2, 3] F32"),
        "{error}"
    );
}

fn there_and_back<T: Element>(x: &Tensor<T>) {
    assert_eq!(&npy::from_bytes::<T>(&npy::to_bytes(x)).unwrap(), x);
    for arrays in [Arrays::new(), Arrays::new().compressed()] {
        let bytes = arrays.with("x", x).to_bytes().unwrap();
        assert_eq!(&npz::File::new(Cursor::new(bytes)).unwrap().tensor::<T>("x").unwrap(), x);
    }
}

#[test]
fn what_is_written_is_read() {
    let x = Tensor::<f64>::arange(0.0, 24.0, 1.0).reshape([2, 3, 4]);
    there_and_back(&x);
    there_and_back(&x.t());
    there_and_back(&x.cast::<f32>());
    there_and_back(&x.cast::<u32>());
    there_and_back(&x.cast::<u8>());
    there_and_back(&x.cast::<bool>());
    there_and_back(&Tensor::<f32>::zeros([3, 0, 2]));
    there_and_back(&Tensor::<f32>::scalar(2.5));
    there_and_back(&Tensor::<f32>::ones([200_000]));
    there_and_back(&Tensor::<u8>::full([1; 40], 3));
    // Bits of what is no number stay.
    let odd = Tensor::vector(&[f32::from_bits(0x7f80_0001), f32::from_bits(0xffc1_2345), -0.0]);
    let read = npy::from_bytes::<f32>(&npy::to_bytes(&odd)).unwrap().to_vec();
    assert_eq!(read.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), [0x7f80_0001, 0xffc1_2345, 1 << 31]);
}

/// As `np.save` writes it: the golden files are to the byte what is written here.
#[test]
fn arrays_are_written_as_numpy_writes_them() {
    for name in ["plain_le_f4", "plain_le_f8", "empty", "scalar", "vector"] {
        let path = golden(&format!("{name}.npy"));
        let theirs = std::fs::read(&path).unwrap();
        let ours = match theirs.windows(3).any(|w| w == b"<f4") {
            true => npy::to_bytes(&npy::read::<f32>(&path).unwrap()),
            false => npy::to_bytes(&npy::read::<f64>(&path).unwrap()),
        };
        assert_eq!(ours, theirs, "{name}");
    }
    for (name, ours) in [
        ("plain_u1", npy::to_bytes(&npy::read::<u8>(golden("plain_u1.npy")).unwrap())),
        ("plain_b1", npy::to_bytes(&npy::read::<bool>(golden("plain_b1.npy")).unwrap())),
        ("plain_le_u4", npy::to_bytes(&npy::read::<u32>(golden("plain_le_u4.npy")).unwrap())),
    ] {
        assert_eq!(ours, std::fs::read(golden(&format!("{name}.npy"))).unwrap(), "{name}");
    }
}

fn header_of(dict: &str, data: usize) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((dict.len() as u16).to_le_bytes());
    bytes.extend(dict.bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

/// Memory that NumPy reads as truth values has bytes beyond 1 where it was viewed as such: all of them are true, as in NumPy.
#[test]
fn a_truth_value_of_any_byte_is_one() {
    let mut bytes = header_of("{'descr': '|b1', 'fortran_order': False, 'shape': (4,), }\n", 0);
    bytes.extend([0, 1, 2, 255]);
    let read = npy::from_bytes::<bool>(&bytes).unwrap();
    assert_eq!(read, Tensor::from([false, true, true, true]));
    // No bits but those of a truth value, and 1 in the other types.
    assert_eq!(npy::to_bytes(&read)[128..], [0, 1, 1, 1]);
    assert_eq!(npy::from_bytes::<u8>(&bytes).unwrap().to_vec(), [0, 1, 1, 1]);
    assert_eq!(npy::from_bytes::<f32>(&bytes).unwrap().to_vec(), [0.0, 1.0, 1.0, 1.0]);
    // Whole numbers are no truth values unless they are 0 or 1.
    let error = npy::from_bytes::<bool>(&npy::to_bytes(&Tensor::from([1u8, 2]))).unwrap_err();
    assert!(error.to_string().ends_with("has a number in the file that is none of bool: 2"), "{error}");
}

#[test]
fn numbers_that_do_not_fit_are_named() {
    let told =
        |x: f64| npy::from_bytes::<u32>(&npy::to_bytes(&Tensor::from([1.0, x]))).unwrap_err().to_string();
    for (x, expected) in [(-1.0, "none of u32: -1.0"), (0.5, "none of u32: 0.5"), (1e30, "none of u32: 1e30")]
    {
        assert!(told(x).ends_with(expected), "{}", told(x));
    }
    assert!(told(f64::NAN).ends_with("none of u32: NaN"));
    let error = npy::from_bytes::<f32>(&npy::to_bytes(&Tensor::from([1e300f64]))).unwrap_err();
    assert!(error.to_string().ends_with("too large for f32: 1e300"), "{error}");
}

#[test]
fn what_is_at_odds_with_itself_is_refused() {
    let read = |bytes: &[u8]| npy::File::new(Cursor::new(bytes)).map(drop);
    let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";
    read(&header_of(good, 8)).unwrap();
    for dict in [
        "",
        "{}",
        "[]",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 2}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2.0,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807)}",
        "{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (2,)}",
        "{'descr': [[[[[[, 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f\\x34', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)",
    ] {
        let error = read(&header_of(dict, 8)).unwrap_err();
        assert!(matches!(error, NumpyError::Header { .. }), "{dict}: {error}");
    }
    let nested = format!("{{'descr': {}, 'fortran_order': False, 'shape': (2,)}}", "[".repeat(60_000));
    assert!(read(&header_of(&nested, 8)).is_err());
    for data in [0, 4, 7, 9, 16] {
        let error = read(&header_of(good, data)).unwrap_err();
        assert!(
            matches!(error, NumpyError::Length { expected: 8, found } if found == data as u64),
            "{error}"
        );
    }
    let whole = header_of(good, 8);
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err(), "{length}");
    }
    let mut huge = whole.clone();
    huge[6] = 2;
    huge[8..12].copy_from_slice(&[0xff; 4]);
    assert!(matches!(read(&huge), Err(NumpyError::Header { .. })));
    huge[6] = 9;
    assert!(matches!(read(&huge), Err(NumpyError::Header { .. })));
}

#[test]
fn damage_in_an_archive_is_found() {
    for name in ["stored.npz", "compressed.npz"] {
        let good = std::fs::read(golden(name)).unwrap();
        let all = |bytes: &[u8]| -> Result<(), Box<dyn std::error::Error>> {
            let mut file = npz::File::new(Cursor::new(bytes))?;
            let names: Vec<String> = file.names().map(str::to_owned).collect();
            names.iter().try_for_each(|name| file.tensor::<f64>(name).map(drop))?;
            Ok(())
        };
        all(&good).unwrap();
        for length in 0..good.len() {
            assert!(all(&good[..length]).is_err(), "{name}, {length}");
        }
        // A bit of the numbers, which only the checksum tells.
        let mut file = npz::File::new(Cursor::new(&good)).unwrap();
        // The first array is that of the weight, and the next record follows.
        let at = good[4..].windows(4).position(|w| w == b"PK\x03\x04").unwrap() + 4 - 2;
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(file.tensor::<f64>("body.weight").is_ok());
        let error = all(&bad).unwrap_err().to_string();
        assert!(name == "compressed.npz" || error.contains("does not have its checksum"), "{error}");
    }
    // Twice the same name in what is written.
    let x = Tensor::from([1.0f32]);
    assert!(Arrays::new().with("x", &x).with("x", &x).to_bytes().is_err());
}

/// Python's archives end a name at its NUL, and `np.load` then has no such array.
#[test]
fn names_that_numpy_would_cut_are_not_written() {
    let x = Tensor::from([1.0f32]);
    let error = Arrays::new().with("a", &x).with("b\0c", &x).to_bytes().unwrap_err().to_string();
    assert!(error.contains(r"`b\u{0}c` has a NUL"), "{error}");
    let mut params: Params = Params::seeded(0);
    params.root().param("b\0c", 1, Init::Zeros);
    let path = std::env::temp_dir().join(format!("wengert-nul-{}.npz", std::process::id()));
    assert!(npz::save(&params, &path).is_err() && !path.exists());
}

/// A name that is there twice in one file, whatever its format.
struct Twice;

impl TensorSource for Twice {
    fn each(&self, visit: &mut dyn FnMut(usize, &TensorEntry<'_>)) {
        (0..2).for_each(|place| visit(place, &TensorEntry::new("x", "U8", [1])));
    }

    fn read(
        &mut self,
        place: usize,
        take: &mut dyn FnMut(&[u8]) -> Result<(), std::io::Error>,
    ) -> Result<(), std::io::Error> {
        take(&[place as u8])
    }
}

#[test]
fn the_first_of_a_name_is_read() {
    assert_eq!(read_tensor::<u8>(&mut Twice, "x").unwrap().to_vec(), [0]);
}
