//! Files that are none of state dicts are refused by what they are.

use wengert_formats::torch::{File, Problem};

use super::support::path;

fn message(bytes: &[u8]) -> String {
    File::from_bytes(bytes).expect_err("it is of another kind").to_string()
}

#[test]
fn whole_modules_are_refused_by_their_class() {
    for name in ["module.pt", "module_legacy.pt"] {
        let error = File::open(path(name)).unwrap_err();
        assert!(matches!(error.problem(), Problem::Refused { name } if name == "models.Net"), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn other_kinds_are_told_from_their_first_bytes() {
    let error = File::open(path("script.pt")).unwrap_err().to_string();
    assert!(error.contains("a TorchScript program, not a state dict"), "{error}");
    let mut tar = vec![0; 1024];
    tar[..8].copy_from_slice(b"storages");
    tar[257..262].copy_from_slice(b"ustar");
    for (bytes, kind) in [
        (&tar[..], "a tar archive, as files of PyTorch before 0.1.10"),
        (b"", "an empty file"),
        (b"\x93NUMPY\x01\0", "an array of NumPy"),
        (b"\x10\0\0\0\0\0\0\0{\"a\":1}", "a safetensors file"),
        (b"\x80\x02}.", "a pickle of something else"),
        (
            b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02K\x01.",
            "a version of the format that is not known",
        ),
        (b"weights", "an unknown kind"),
    ] {
        let message = message(bytes);
        assert!(message.contains(kind), "{message}");
    }
    let error = File::open(std::env::temp_dir()).unwrap_err();
    assert!(matches!(error.problem(), Problem::NotAFile { kind: "a folder" }), "{error}");
}

#[test]
fn a_file_that_was_cut_is_told_as_such() {
    for name in ["checkpoint.pt", "checkpoint_legacy.pt", "python2.pt"] {
        let bytes = std::fs::read(path(name)).unwrap();
        for length in (0..bytes.len()).step_by(5) {
            assert!(File::from_bytes(&bytes[..length]).is_err(), "{name} cut to {length}");
        }
        let half = message(&bytes[..bytes.len() / 2]);
        assert!(half.contains("only a part of the file") || half.contains("ends"), "{half}");
    }
}
