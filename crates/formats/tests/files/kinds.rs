//! What a file is, by its first bytes, and what is said where it is another kind.

use wengert_formats::{FormatsError, load, npz, open, torch};
use wengert_nn::tensor_file::FileKind;
use wengert_nn::{FileError, Loading, Params};
use wengert_tensor::Tensor;

use crate::{golden, is_golden, model};

/// The names say another kind each time: burn#3218 went by them.
#[test]
fn names_of_files_say_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut source = model::<f32>();
    load(&mut source, golden("stored.npz"), &Loading::new()).unwrap();
    let safetensors = folder.path().join("model.npz");
    source.save(&safetensors).unwrap();
    let zip = folder.path().join("model.safetensors");
    torch::save(&source, &zip).unwrap();
    let npz = folder.path().join("model.pt");
    std::fs::copy(golden("compressed.npz"), &npz).unwrap();
    for path in [safetensors, zip.clone(), npz.clone(), golden("model.safetensors.index.json")] {
        let mut params = model::<f64>();
        assert!(load(&mut params, &path, &Loading::new()).unwrap().is_complete());
        assert!(is_golden(&params), "{}", path.display());
    }
    // The one format that `Params` itself reads says what it has been given.
    let legacy = folder.path().join("legacy.pt");
    std::fs::write(&legacy, b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.").unwrap();
    for (path, kind) in [
        (zip, FileKind::Zip),
        (npz, FileKind::Zip),
        (legacy, FileKind::LegacyTorch),
        (golden("vector.npy"), FileKind::Npy),
        (golden("model.safetensors.index.json"), FileKind::Json),
    ] {
        let mut params = model::<f32>();
        let error = params.load(&path).unwrap_err();
        assert!(matches!(&error, FileError::OtherKind { kind: found, .. } if *found == kind), "{error}");
        let told = error.to_string();
        assert!(
            told.starts_with(&*path.to_string_lossy()) && told.contains("wengert_formats::load reads it"),
            "{told}"
        );
        let bytes = std::fs::read(&path).unwrap();
        assert!(matches!(params.load_safetensors(&bytes), Err(FileError::OtherKind { path: None, .. })));
    }
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut tar = vec![b'a'; 1024];
    tar[257..262].copy_from_slice(b"ustar");
    for (bytes, kind) in [
        (tar, FileKind::Tar),
        (b"\x1f\x8b\x08\0\0\0\0\0".to_vec(), FileKind::Gzip),
        (b"\x89HDF\r\n\x1a\n".to_vec(), FileKind::Hdf5),
        (b"GGUF\x03\0\0\0".to_vec(), FileKind::Gguf),
        (b"\x08\x08\x12\x07pytorch".to_vec(), FileKind::Onnx),
        (b"\x80\x04\x95\x10\0\0\x01\0\0\0\0\x8c".to_vec(), FileKind::Pickle),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = open(&path).err().unwrap();
        assert!(matches!(&error, FormatsError::OtherKind { kind: found, .. } if *found == kind), "{error}");
        assert!(error.to_string().contains(kind.advice()), "{error}");
    }
    for bytes in [&b""[..], b"hello", b"\0\0\0\0\0\0\0\0\0", b"<html>"] {
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(open(&path).err().unwrap(), FormatsError::Unknown { .. }));
    }
    // An archive without arrays is left to what reads those of PyTorch, which says what it lacks.
    let x = Tensor::from([1.0f32]);
    let mut archive = npz::Arrays::new().with("x", &x).to_bytes().unwrap();
    for at in 0..archive.len() - 5 {
        if archive[at..].starts_with(b"x.npy") {
            archive[at..at + 5].copy_from_slice(b"x.txt");
        }
    }
    std::fs::write(&path, archive).unwrap();
    assert!(matches!(open(&path).err().unwrap(), FormatsError::Torch(_)));
    assert!(matches!(
        open(folder.path()).err().unwrap(),
        FormatsError::File(FileError::NotAFile { kind: "a folder", .. })
    ));
    assert!(matches!(open("/nowhere").err().unwrap(), FormatsError::File(FileError::Io { .. })));
}

/// `numpy.savez(path)` without arrays writes an archive of nothing, as `npz::save` does of a model without parameters.
#[test]
fn an_empty_archive_is_one_of_no_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.npz");
    let empty = Params::<f32>::seeded(0);
    npz::save(&empty, &path).unwrap();
    for bytes in [std::fs::read(&path).unwrap(), [&b"PK\x05\x06"[..], &[0; 18]].concat()] {
        std::fs::write(&path, bytes).unwrap();
        let mut found = 0;
        open(&path).unwrap().each(&mut |_, _| found += 1);
        assert_eq!(found, 0);
        let error = load(&mut model::<f32>(), &path, &Loading::new()).unwrap_err();
        assert!(matches!(error, FormatsError::File(FileError::Missing { held: 0, .. })), "{error}");
    }
}

#[test]
fn a_folder_with_an_index_says_which_file_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path().join("model.safetensors.index.json");
    std::fs::copy(golden("model.safetensors.index.json"), &index).unwrap();
    let error = load(&mut model::<f32>(), folder.path(), &Loading::new()).unwrap_err();
    assert!(matches!(&error, FormatsError::Folder { index: found, .. } if *found == index), "{error}");
    assert!(error.to_string().ends_with("model.safetensors.index.json"), "{error}");
}

/// A model that has no layers yet loads nothing from any format, and says so.
#[test]
fn a_model_that_is_not_built_is_an_error() {
    for name in ["stored.npz", "model.safetensors.index.json"] {
        let error =
            load(&mut wengert_nn::Params::<f32>::seeded(0), golden(name), &Loading::new()).unwrap_err();
        assert!(matches!(error, FormatsError::File(FileError::NoModel { held: 4, .. })), "{error}");
    }
}
