//! Files as memory: what is read of them is what is read otherwise, and takes no memory of its own.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use wengert_formats::{FormatsError, load, map, npy, npz, open, sharded, torch};
use wengert_nn::tensor_file::{TensorSource, read_tensor};
use wengert_nn::{Init, Loading, Params};
use wengert_tensor::Tensor;

use crate::attack::most;

/// Bytes for the names and the like.
const SMALL: usize = 16 << 10;
/// Numbers of a tensor that is much larger.
const SIDE: usize = 1024;

fn golden(folder: &str) -> Vec<PathBuf> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", folder, "golden"].iter().collect();
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

type Read = Vec<(String, Result<Vec<u64>, String>)>;

/// All tensors by name, or why they are not read, and why the file is not.
fn read_all(source: Result<Box<dyn TensorSource>, FormatsError>) -> Result<Read, String> {
    let mut source = source.map_err(|error| error.to_string())?;
    let mut names = Vec::new();
    source.each(&mut |_, entry| names.push(entry.name().to_owned()));
    let read = names.into_iter().map(|name| {
        let values = read_tensor::<f64>(&mut source, &name);
        let bits = values.map(|values| values.to_vec().into_iter().map(f64::to_bits).collect());
        (name, bits.map_err(|error| error.to_string()))
    });
    Ok(read.collect())
}

#[test]
fn what_is_read_is_what_is_read_otherwise() {
    let mut read = 0;
    for path in golden("files").into_iter().chain(golden("torch")) {
        let (opened, mapped) = (read_all(open(&path)), read_all(map(&path)));
        assert!(opened == mapped, "{}: {opened:?} and {mapped:?}", path.display());
        read += usize::from(opened.is_ok());
    }
    assert!(read > 50, "{read}");
    for wrong in [Path::new("/nowhere"), Path::new(env!("CARGO_MANIFEST_DIR"))] {
        assert_eq!(read_all(open(wrong)), read_all(map(wrong)));
    }
}

/// Reads each tensor without keeping it: the bytes, and the memory that it took.
fn passed(source: &mut dyn TensorSource) -> (usize, usize) {
    let mut places = Vec::new();
    source.each(&mut |place, _| places.push(place));
    let mut bytes = 0;
    let held = most(|| {
        for place in places {
            let take = &mut |piece: &[u8]| {
                bytes += piece.len();
                Ok(())
            };
            source.read(place, take).unwrap();
        }
    });
    (bytes, held)
}

#[test]
fn nothing_is_copied_before_it_is_a_number() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut params: Params = Params::seeded(0);
    params.root().param("w", [SIDE, SIDE], Init::Normal { mean: 0.0, std: 1.0 });
    params.save(at("w.safetensors")).unwrap();
    torch::save(&params, at("w.pt")).unwrap();
    npz::save(&params, at("w.npz")).unwrap();
    npy::write(at("w.npy"), &params.tensor(params.id("w").unwrap())).unwrap();
    let index = sharded::save(&params, folder.path(), 1 << 30).unwrap();
    // Of the first axis that varies fastest.
    let mut header = b"{'descr': '<f4', 'fortran_order': True, 'shape': (1024, 1024), }".to_vec();
    header.resize(117, b' ');
    header.push(b'\n');
    let mut turned = [&b"\x93NUMPY\x01\x00\x76\x00"[..], &header].concat();
    turned.extend(params.values().iter().flat_map(|x| x.to_le_bytes()));
    std::fs::write(at("turned.npy"), turned).unwrap();

    let bytes = 4 * SIDE * SIDE;
    let files = [at("w.safetensors"), at("w.pt"), at("w.npz"), at("w.npy"), at("turned.npy"), index];
    for path in files {
        let name = path.display();
        let (seen, held) = passed(&mut *map(&path).unwrap());
        assert_eq!(seen, bytes, "{name}");
        // Where elements are gathered, some at a time.
        assert!(held <= if name.to_string().contains("turned") { 5 << 16 } else { SMALL }, "{name}: {held}");
        let mut loaded: Params = Params::seeded(1);
        let own = if name.to_string().contains("turned") { "turned" } else { "w" };
        loaded.root().param(own, [SIDE, SIDE], Init::Zeros);
        let mut source = map(&path).unwrap();
        let held = most(|| drop(loaded.load_from(&mut source, &Loading::new()).unwrap()));
        // The new values beside the old.
        assert!(held <= bytes + (6 << 16), "{name}: {held}");
        let expected: Vec<f32> = match own {
            "turned" => params.tensor(params.id("w").unwrap()).t().to_vec(),
            _ => params.values().to_vec(),
        };
        assert!(loaded.values() == expected, "{name}");
    }
}

/// A file of 64 GiB, of which nearly nothing is on the disk.
#[test]
fn files_may_be_larger_than_memory() {
    const HUGE: u64 = 64 << 30;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.safetensors");
    let mut header = format!(
        r#"{{"huge":{{"dtype":"U8","shape":[{HUGE}],"data_offsets":[0,{HUGE}]}},"w":{{"dtype":"F32","shape":[2],"data_offsets":[{HUGE},{}]}}}}"#,
        HUGE + 8
    );
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    let mut file = File::create(&path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    let end = 8 + header.len() as u64 + HUGE;
    if file.set_len(end).is_err() {
        eprintln!("no file system for files of 64 GiB: nothing tried");
        return;
    }
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(end)).unwrap();
    file.write_all([1.5f32, -2.0].map(f32::to_le_bytes).as_flattened()).unwrap();
    drop(file);

    let model = || {
        let mut params: Params = Params::seeded(0);
        params.root().param("w", [2], Init::Zeros);
        params
    };
    let (mut mapped, mut opened) = (model(), model());
    let held = most(|| drop(mapped.load_from(&mut map(&path).unwrap(), &Loading::new()).unwrap()));
    assert!(mapped.values() == [1.5, -2.0] && held < SMALL, "{held}");
    let held = most(|| drop(load(&mut opened, &path, &Loading::new()).unwrap()));
    assert!(opened.values() == [1.5, -2.0] && held < 2 * SMALL, "{held}");
    assert_eq!(read_tensor::<f32>(&mut map(&path).unwrap(), "w").unwrap(), Tensor::from([1.5, -2.0]));
}
