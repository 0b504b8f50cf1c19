//! Files that were written before, here and by Python: `python checkpoints.py` in `golden` says what Python sees.

use wengert_train::checkpoint::{read, write};

use super::support::{beside, run};

/// A file of the first version goes on being read. It was written by the test below.
#[test]
fn the_first_version_is_read() {
    let state = read(beside("golden/run.safetensors")).unwrap();
    assert_eq!(state, run::<f32>(2));
}

/// Python's own writer orders the header as it likes; what is in it is the same.
#[test]
fn what_python_has_written_again_is_read() {
    let state = read(beside("golden/resaved.safetensors")).unwrap();
    assert_eq!(state, run::<f32>(2));
}

#[test]
#[ignore = "writes the golden file anew, for a new version of the format"]
fn write_anew() {
    write(beside("golden/run.safetensors"), &run::<f32>(2)).unwrap();
}
