//! Records of archives that are not what was written.

use wengert_formats::torch::{File, Problem};
use wengert_nn::tensor_file::TensorSource;

use super::archive::records;
use super::support::path;

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

/// Reads each tensor, of a file that is opened for it alone; the first error, as it is told.
fn read_all(bytes: &[u8]) -> Result<(), String> {
    let open = || File::from_bytes(bytes).and_then(|file| file.state_dict_at(&[]));
    let count = open().map_err(|error| error.to_string())?.names().len();
    for place in 0..count {
        let mut dict = open().map_err(|error| error.to_string())?;
        dict.read(place, &mut |_| Ok(())).map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[test]
fn a_record_without_its_checksum_is_named() {
    for name in ["views.pt", "checkpoint.pt", "big.pt", "types.pt", "written.pt"] {
        let good = bytes(name);
        read_all(&good).unwrap();
        let mut changed = 0;
        for record in records(&good) {
            let is_read = record.name.ends_with("data.pkl")
                || record.name.ends_with("byteorder")
                || record.name.contains("/data/");
            if record.data.is_empty() || !is_read {
                continue;
            }
            let mut bad = good.clone();
            bad[record.data.end - 1] ^= 1;
            let error = read_all(&bad).unwrap_err();
            let expected = format!("the archive's record `{}` does not have its checksum", record.name);
            assert!(error.contains(&expected), "{name}: {error}");
            // One that is 0 counts where others are not.
            let mut bad = good.clone();
            bad[record.sum..record.sum + 4].fill(0);
            assert!(read_all(&bad).unwrap_err().contains(&expected), "{name}");
            changed += 1;
        }
        assert!(changed > 2, "{name}");
    }
}

/// Each of the views, of any part of a storage, tells what is wrong elsewhere in it.
#[test]
fn a_view_tells_of_its_whole_storage() {
    let good = bytes("views.pt");
    let storage = records(&good).into_iter().find(|record| record.name.ends_with("/data/0")).unwrap();
    let mut bad = good;
    bad[storage.data.start + 4 * 23] ^= 1; // the last element of `base`
    let file = File::from_bytes(bad).unwrap();
    for name in ["base", "row", "column", "expanded"] {
        let error = file.root().get(name).unwrap().tensor().unwrap().bytes().unwrap_err();
        assert!(matches!(error.problem(), Problem::Record { .. }), "{name}: {error}");
    }
    assert!(file.root().get("permuted").unwrap().tensor().unwrap().bytes().is_ok());
}

/// `torch.serialization.set_crc32_options(False)`.
#[test]
fn files_that_were_written_without_checksums_are_read() {
    let mut file = bytes("unsummed.pt");
    assert!(records(&file).iter().all(|record| file[record.sum..record.sum + 4] == [0; 4]));
    read_all(&file).unwrap();
    // So nobody can tell.
    let storage = records(&file).into_iter().find(|record| record.name.ends_with("/data/0")).unwrap();
    file[storage.data.start] ^= 1;
    read_all(&file).unwrap();
}
