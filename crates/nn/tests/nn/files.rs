//! Saving and loading parameters.

use proptest::prelude::*;
use wengert_nn::{FileError, Init, Linear, Params};
use wengert_tensor::{Float, Tensor};

fn model<T: Float>(seed: u64) -> Params<T> {
    let mut params = Params::seeded(seed);
    Linear::new(params.at("hidden"), 3, 2);
    params.at("norm").buffer("running_mean", Tensor::full([2], T::from_f64(seed as f64)));
    params.at("norm").count("num_batches_tracked", 10 + seed as i64);
    params
}

#[test]
fn parameters_and_buffers_come_back() {
    let saved: Params = model(1);
    let mut loaded: Params = model(2);
    loaded.load_safetensors(&saved.to_safetensors().unwrap()).unwrap();
    assert_eq!(loaded.values(), saved.values());
    assert_eq!(loaded.buffers()[0].1.to_vec(), [1.0, 1.0]);
    assert_eq!(loaded.counts(), [("norm.num_batches_tracked".to_owned(), 11)]);
}

/// As PyTorch keeps it, an `I64` without axes; others write one of length 1, or of 32 bits.
#[test]
fn counts() {
    for value in [0, -1, 7, i64::MAX, i64::MIN] {
        let mut params: Params = Params::seeded(0);
        params.root().count("n", value);
        let bytes = params.to_safetensors().unwrap();
        let read = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let n = read.tensor("n").unwrap();
        assert_eq!(
            (n.dtype(), n.shape(), n.data()),
            (safetensors::Dtype::I64, &[][..], &value.to_le_bytes()[..])
        );
        let mut other: Params = Params::seeded(0);
        other.root().count("n", 3);
        other.load_safetensors(&bytes).unwrap();
        assert_eq!(other.counts()[0].1, value);
    }
    let mut params: Params = Params::seeded(0);
    params.root().count("n", 3);
    let mut load = |dtype: &str, shape: &[usize], number: &[u8]| {
        let mut bytes = file(&[("n", dtype, shape, number.len())]);
        let start = bytes.len() - number.len();
        bytes[start..].copy_from_slice(number);
        params.load_safetensors(&bytes).map(|()| params.counts()[0].1)
    };
    assert_eq!(load("I64", &[1], &5i64.to_le_bytes()).unwrap(), 5);
    assert_eq!(load("I32", &[], &(-6i32).to_le_bytes()).unwrap(), -6);
    let error = load("F32", &[], &[0; 4]).unwrap_err();
    assert_eq!(error.to_string(), "`n` has elements of type F32 in the file, not I32 or I64");
    let error = load("I64", &[2], &[0; 16]).unwrap_err();
    assert_eq!(error.to_string(), "`n` has shape [2] in the file, [] in the model");
}

#[test]
fn elements_are_converted() {
    let single: Params<f32> = model(1);
    let mut double: Params<f64> = model(2);
    double.load_safetensors(&single.to_safetensors().unwrap()).unwrap();
    assert!(double.values().iter().zip(single.values()).all(|(d, s)| *d == f64::from(*s)));
    let mut back: Params<f32> = model(3);
    back.load_safetensors(&double.to_safetensors().unwrap()).unwrap();
    assert_eq!(back.values(), single.values());
}

#[test]
fn an_error_names_the_tensor_and_changes_nothing() {
    let mut params: Params = model(1);
    let before = params.values().to_vec();

    let mut small: Params = Params::seeded(0);
    Linear::builder(3, 2).no_bias().build(small.at("hidden"));
    let error = params.load_safetensors(&small.to_safetensors().unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file lacks `hidden.bias`, `norm.running_mean`, `norm.num_batches_tracked`; it holds 1 tensors"
    );

    let mut large: Params = model(5);
    large.root().param("extra", [1], Init::Ones);
    let error = params.load_safetensors(&large.to_safetensors().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the file has `extra`, which the model does not");

    let mut wide: Params = Params::seeded(0);
    Linear::new(wide.at("hidden"), 4, 2);
    let error = params.load_safetensors(&wide.to_safetensors().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "`hidden.weight` has shape [2, 4] in the file, [2, 3] in the model");

    assert_eq!(params.values(), before);
    let error = params.load("/nowhere/at/all.safetensors").unwrap_err();
    assert!(matches!(error, FileError::Io { .. }) && error.to_string().starts_with("/nowhere/at/all"));
}

/// A file with entries of this name, type, shape and length, one after another, filled with zeros.
fn file(entries: &[(&str, &str, &[usize], usize)]) -> Vec<u8> {
    let (mut json, mut end) = (Vec::new(), 0);
    for (name, dtype, shape, length) in entries {
        let name = serde_json::to_string(name).unwrap();
        json.push(format!(
            "{name}:{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\"data_offsets\":[{end},{}]}}",
            end + length
        ));
        end += length;
    }
    with_header(&format!("{{{}}}", json.join(",")), end)
}

fn with_header(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

/// A model with these parameters.
fn of(parameters: &[(&str, &[usize])]) -> Params {
    let mut params: Params = Params::seeded(0);
    for (name, shape) in parameters {
        params.root().param(name, *shape, Init::Ones);
    }
    params
}

#[test]
fn a_file_with_more_than_numbers_loads_if_it_has_what_the_model_wants() {
    let mut params = of(&[("norm.weight", &[2])]);
    params.at("norm").buffer("running_mean", Tensor::full([2], 1.0));
    // As PyTorch writes batch normalisation, and types that nobody knows yet.
    let bytes = file(&[
        ("norm.num_batches_tracked", "I64", &[], 8),
        ("norm.running_mean", "F32", &[2], 8),
        ("mask", "BOOL", &[3], 3),
        ("scale", "F8_E4M3", &[3], 3),
        ("half a byte", "F4", &[4], 2),
        ("norm.weight", "F16", &[2], 4),
        ("tomorrow", "F1024_E7", &[3, 5], 77),
    ]);
    params.load_safetensors(&bytes).unwrap();
    assert_eq!(params.values(), [0.0, 0.0]);
    assert_eq!(params.buffers()[0].1.to_vec(), [0.0, 0.0]);
    // What the model wants must be of a type that it can be read from.
    for (dtype, length) in [("I32", 8), ("I64", 16), ("BOOL", 2), ("F8_E5M2", 2), ("F1024_E7", 5)] {
        let bytes = file(&[("w", dtype, &[2], length)]);
        match of(&[("w", &[2])]).load_safetensors(&bytes).unwrap_err() {
            FileError::Dtype { dtype: found, name, .. } => {
                assert_eq!((found.as_str(), name.as_str()), (dtype, "w"))
            }
            other => panic!("{other}"),
        }
    }
    let bytes = file(&[("v", "F64", &[1], 8), ("w", "F64", &[1], 8), ("n", "I64", &[1], 8)]);
    let error = of(&[("v", &[1])]).load_safetensors(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "the file has `w`, which the model does not");
    let mut large = 1e300f64.to_le_bytes().to_vec();
    let mut bytes = file(&[("w", "F64", &[1], 8)]);
    bytes.truncate(bytes.len() - 8);
    bytes.append(&mut large);
    let error = of(&[("w", &[1])]).load_safetensors(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "`w` has a number in the file that is too large for f32: 1e300");
}

#[test]
fn a_file_of_another_model_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.safetensors");
    of(&[("conv.weight", &[6, 1]), ("classifier.bias", &[10]), ("classifier.weight", &[10, 84])])
        .save(&path)
        .unwrap();
    let mut params = of(&[("conv.weight", &[6, 1]), ("fc.weight", &[10, 84]), ("fc.bias", &[10])]);
    let error = params.load(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: the file lacks `fc.weight`, `fc.bias`; it holds 3 tensors, the nearest `classifier.weight` [10, 84] F32, \
             `classifier.bias` [10] F32",
            path.display()
        )
    );
    let FileError::Missing { names, held: 3, nearest, .. } = error else { panic!("{error}") };
    assert_eq!((names.len(), nearest.len(), &nearest[0].shape), (2, 2, &[10, 84].into()));
    // Whatever is wrong, the message names the file, and the error has its source.
    let io = params.load("/nowhere").unwrap_err();
    assert!(std::error::Error::source(&io).is_some_and(|source| source.is::<std::io::Error>()));
    std::fs::write(&path, file(&[("conv.weight", "F32", &[1, 6], 24)])).unwrap();
    for wrong in
        [params.load(&path), of(&[]).load(&path), params.load(folder.path()), params.load("/nowhere")]
    {
        let message = wrong.unwrap_err().to_string();
        assert!(
            message.starts_with(&*folder.path().to_string_lossy()) || message.starts_with("/nowhere: "),
            "{message}"
        );
    }
    assert!(matches!(params.load(folder.path()), Err(FileError::NotAFile { kind: "a folder", .. })));
    assert!(matches!(params.save(folder.path()), Err(FileError::NotAFile { kind: "a folder", .. })));
    assert!(matches!(params.load("/dev/null"), Err(FileError::NotAFile { kind: "a device", .. })));
}

#[test]
fn messages_are_one_short_line() {
    let long = "layer\n\u{2028}".repeat(50_000);
    let many: Vec<String> = (0..20_000).map(|i| format!("{i}.weight")).collect();
    let many: Vec<(&str, &str, &[usize], usize)> =
        many.iter().map(|n| (n.as_str(), "F32", &[1usize][..], 4)).collect();
    let ones = "1,".repeat(100_000);
    for bytes in [
        file(&many),
        file(&[(&long, "F32", &[1], 4)]),
        file(&[("w", &long.replace(|c: char| !c.is_ascii_lowercase(), ""), &[1], 4)]),
        with_header(&format!(r#"{{"w":{{"dtype":"F32","shape":[{ones}1],"data_offsets":[0,4]}}}}"#), 4),
        with_header(&format!(r#"{{"w":{{"dtype":"F32","shape":"{ones}","data_offsets":[0,4]}}}}"#), 4),
        with_header(&format!(r#"{{"{ones}":{{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}}}"#), 4),
    ] {
        for mut params in [of(&[]), of(&[("w", &[1])])] {
            let Err(error) = params.load_safetensors(&bytes) else { continue };
            let message = error.to_string();
            assert!(message.len() < 900 && !message.contains(['\n', '\r', '\u{2028}']), "{message}");
        }
    }
}

#[test]
fn what_is_at_odds_with_itself_is_refused() {
    let entry = |dtype: &str, shape: &str, offsets: &str| {
        format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}"#)
    };
    let w = entry("F32", "[1]", "[0,4]");
    for (header, data) in [
        ("".to_string(), 0),
        ("[]".into(), 0),
        ("{".into(), 0),
        (format!("{{\"w\":{w}}}x"), 4),
        (format!("{{\"w\":{w}}}"), 5),
        (format!("{{\"w\":{w}}}"), 3),
        (format!("{{\"w\":{w},\"w\":{w}}}"), 4),
        (format!("{{\"w\":{w},\"v\":{}}}", entry("I32", "[1]", "[2,6]")), 6),
        (format!("{{\"w\":{w},\"v\":{}}}", entry("I32", "[1]", "[5,9]")), 9),
        (format!("{{\"w\":{w},\"w\":{}}}", entry("F32", "[1]", "[4,8]")), 8),
        (format!("{{\"w\":{}}}", entry("F32", "[2]", "[0,4]")), 4),
        (format!("{{\"w\":{}}}", entry("F32", "[1]", "[4,0]")), 4),
        (format!("{{\"w\":{}}}", entry("F32", "[1]", "[0,-4]")), 4),
        (format!("{{\"w\":{}}}", entry("F32", "[1.0]", "[0,4]")), 4),
        (format!("{{\"w\":{}}}", entry("F32", "[4294967296,4294967296]", "[0,4]")), 4),
        (format!("{{\"w\":{}}}", entry("F32", "[1]", "[18446744073709551612,18446744073709551615]")), 4),
        (format!("{{\"w\":{}}}", entry("F32", "[\"1\"]", "[0,4]")), 4),
        (format!("{{\"w\":{}}}", entry("F32", "[[1]]", "[0,4]")), 4),
        (format!("{{\"w\":{}}}", entry("F32", "[1]", "[0,4,4]")), 4),
        (format!("{{\"w\":{}}}", entry("F32", "[1],\"shape\":[1]", "[0,4]")), 4),
        ("{\"w\":{\"dtype\":\"F32\",\"shape\":[1]}}".into(), 4),
        (format!(" {{\"w\":{w}}}"), 4),
        (format!("{{\"w\":{}}}", "[".repeat(100_000)), 4),
    ] {
        let bytes = with_header(&header, data);
        let error = of(&[("w", &[1])]).load_safetensors(&bytes).unwrap_err();
        assert!(matches!(error, FileError::Format { path: None, .. }), "{header:.200}: {error}");
    }
    for length in [0u64, 1, 5, u64::MAX, 100_000_001, 1 << 40] {
        let mut bytes = with_header("{}", 10);
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        assert!(matches!(of(&[]).load_safetensors(&bytes), Err(FileError::Format { .. })), "{length}");
    }
}

/// Parameters and buffers with every kind of name and shape, and these elements.
fn odd<T: Float>(elements: &[T]) -> Params<T> {
    let mut params = Params::seeded(0);
    let long = "n".repeat(60_000);
    let names = [
        ".",
        "..",
        "a..b",
        " ",
        "\0",
        "\n",
        "\"",
        "\\",
        "\u{1f}\u{7f}\u{2028}",
        "ä\u{301}😀",
        "__metadata__.w",
        "metadata",
        "%00/../x",
        "{}",
        "null",
        long.as_str(),
    ];
    for name in names {
        params.root().param(name, [elements.len()], Init::Zeros);
        params.at("buffers").buffer(name, Tensor::vector(elements));
    }
    params.root().param("scalar", [0usize; 0], Init::Ones);
    params.root().param("empty", [3, 0, 2], Init::Ones);
    params.at("empty").buffer("too", Tensor::zeros([0]));
    params.root().count("a count", -3);
    params.at("buffers").count("count", 1 << 40);
    params.at("many").param("axes", [1usize; 40], Init::Ones);
    let len = elements.len();
    for chunk in params.values_mut()[..names.len() * len].chunks_mut(len) {
        chunk.copy_from_slice(elements);
    }
    params
}

/// The bits of all values of a model, parameters and then buffers.
fn bits<T: Float>(params: &Params<T>, of: impl Fn(&T) -> u64) -> Vec<u64> {
    let buffers: Vec<T> = params.buffers().iter().flat_map(|(_, b)| b.to_vec()).collect();
    params.values().iter().chain(&buffers).map(of).collect()
}

#[test]
fn what_saves_loads_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd");
    // Signalling and quiet numbers that are none, with payloads, of both signs; zeros, subnormals, infinities.
    let single =
        [0x7f80_0001u32, 0xffbf_ffff, 0x7fc1_2345, 0xffff_ffff, 0, 0x8000_0000, 1, 0x7f80_0000, 0xff80_0000];
    let saved = odd(&single.map(f32::from_bits));
    saved.save(&path).unwrap();
    let mut loaded = odd(&[0f32; 9]);
    loaded.load(&path).unwrap();
    let of = |x: &f32| u64::from(x.to_bits());
    assert_eq!(bits(&loaded, of), bits(&saved, of));
    assert_eq!(&bits(&saved, of)[..9], single.map(u64::from));

    let double =
        [0x7ff0_0000_0000_0001u64, 0xfff7_ffff_ffff_ffff, 0x7ff8_1234_5678_9abc, 0, 1 << 63, 1, 0x7ff << 52];
    let saved = odd(&double.map(f64::from_bits));
    let mut loaded = odd(&[0f64; 7]);
    assert_eq!(loaded.counts(), saved.counts());
    loaded.load_safetensors(&saved.to_safetensors().unwrap()).unwrap();
    assert_eq!(bits(&loaded, |x| x.to_bits()), bits(&saved, |x| x.to_bits()));
}

#[test]
fn names_that_files_cannot_have_are_refused_when_the_parameter_is_made() {
    for name in ["", "__metadata__", &"n".repeat(1 << 17)] {
        for buffer in [false, true] {
            let made = std::panic::catch_unwind(|| {
                let mut params: Params = Params::seeded(0);
                if buffer {
                    params.root().buffer(name, Tensor::zeros([1]));
                } else {
                    params.root().param(name, [1], Init::Ones);
                }
            });
            let message = *made.unwrap_err().downcast::<String>().unwrap();
            assert!(message.len() < 200, "{message}");
        }
    }
}

#[test]
fn the_formats_own_crate_writes_the_same_and_reads_it() {
    let params: Params<f64> = odd(&[1.0, 2.0]);
    let bytes = params.to_safetensors().unwrap();
    let read = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(read.len(), params.iter().count() + params.buffers().len() + params.counts().len());
    let written = safetensors::serialize(
        read.iter().collect::<Vec<_>>(),
        Some([("format".to_owned(), "pt".to_owned())].into_iter().collect()),
    );
    assert!(written.unwrap() == bytes);
    let empty: Params = Params::seeded(0);
    assert_eq!(safetensors::SafeTensors::deserialize(&empty.to_safetensors().unwrap()).unwrap().len(), 0);
}

#[test]
fn an_existing_file_is_replaced_and_nothing_else_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    std::fs::write(&path, b"old").unwrap();
    let mut params: Params = model(1);
    assert!(matches!(params.load(&path), Err(FileError::Format { path: Some(_), .. })));
    params.save(&path).unwrap();
    params.load(&path).unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let saved: Params = model(1);
    let bytes = saved.to_safetensors().unwrap();
    for length in 0..bytes.len() {
        let error = model::<f32>(2).load_safetensors(&bytes[..length]).unwrap_err();
        assert!(matches!(error, FileError::Format { .. }), "{length}: {error}");
    }
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = model::<f32>(1).to_safetensors().unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = model::<f32>(2).load_safetensors(&bytes);
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(model::<f32>(2).load_safetensors(&bytes).is_err());
    }
}
