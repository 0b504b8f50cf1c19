//! A disk that is full: on Linux a small one in memory, where the user may mount it. Else only the unit test beside the
//! writing of the file tells, with a writer that fails after any byte.

use std::path::{Path, PathBuf};
use std::process::Command;

use wengert_state::State;
use wengert_train::checkpoint::{CheckpointError, Checkpoints, read, write};

use super::support::{after, names};

/// A disk of 1 MB.
struct Small {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Small {
    fn mounted() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        std::fs::create_dir(&path).unwrap();
        let done = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
        let mount = ["-t", "tmpfs", "-o", "size=1m", "tmpfs"];
        if !cfg!(target_os = "linux") || !done(Command::new("mount").args(mount).arg(&path)) {
            eprintln!("not tested: this user may not mount a small disk");
            return None;
        }
        Some(Small { path, _folder: folder })
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.path).output();
    }
}

fn state(step: u64, numbers: usize) -> State {
    State::new("run", 0).with_count("step", step).with_vector("w", &vec![step as f32; numbers])
}

fn is_full(error: &CheckpointError) -> bool {
    matches!(error, CheckpointError::Io { error, .. } if error.kind() == std::io::ErrorKind::StorageFull)
}

#[test]
fn the_old_file_stays() {
    let Some(disk) = Small::mounted() else { return };
    let path = disk.path.join("run.safetensors");
    let old = state(1, 100_000);
    write(&path, &old).unwrap();
    // There is room for two and a half.
    for numbers in [200_000, 1 << 20] {
        let error = write(&path, &state(2, numbers)).unwrap_err();
        assert!(is_full(&error), "{error}");
        assert_eq!(names(&disk.path), ["run.safetensors"]);
        assert_eq!(read(&path).unwrap(), old);
    }
    write(&path, &state(3, 100_000)).unwrap();
    assert_eq!(read(&path).unwrap(), state(3, 100_000));
}

#[test]
fn a_run_goes_on() {
    let Some(disk) = Small::mounted() else { return };
    let mut store = Checkpoints::new(&disk.path).keep(1).open(&[]).unwrap();
    let mut save =
        |step, numbers| store.submit(state(step, numbers), &after(step), &[]).and_then(|()| store.flush());
    let newest = |disk: &Path| {
        let store = Checkpoints::new(disk).open(&[]).unwrap();
        read(store.newest().unwrap().unwrap()).unwrap()
    };
    save(1, 100_000).unwrap();
    assert!(is_full(&save(2, 200_000).unwrap_err()));
    assert_eq!(newest(&disk.path), state(1, 100_000));
    save(3, 100_000).unwrap();
    assert_eq!(newest(&disk.path), state(3, 100_000));
    // Somebody else fills it, and makes room again.
    let others = disk.path.join("others");
    let _ = std::fs::write(&others, vec![0; 1 << 20]);
    assert!(is_full(&save(4, 100_000).unwrap_err()));
    assert_eq!(newest(&disk.path), state(3, 100_000));
    std::fs::remove_file(&others).unwrap();
    save(5, 100_000).unwrap();
    assert_eq!(names(&disk.path), ["step-00000005.safetensors"]);
    assert_eq!(newest(&disk.path), state(5, 100_000));
}
