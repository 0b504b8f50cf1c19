//! A process that is killed at any moment leaves whole files.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use wengert_optim::first::Goal;
use wengert_state::State;
use wengert_train::checkpoint::{Checkpoints, read, write};

use super::support::{after, names};

/// Names the folder to the process that is to be killed.
const FOLDER: &str = "WENGERT_TEST_KILLED_IN";
/// How often; more by `WENGERT_TEST_KILLS`.
const KILLS: u64 = 40;

fn state(step: u64) -> State {
    State::new("run", 0).with_count("step", step).with_vector("w", &vec![step as f64; 3000])
}

fn rules(folder: &Path) -> Checkpoints {
    Checkpoints::new(folder).keep(2).best_of("loss", 2)
}

/// The process that is killed; without the variable there is nothing to do.
#[test]
fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut store = rules(Path::new(&folder)).open(&[("loss".into(), Goal::Min)]).unwrap();
    let first = store.newest().unwrap().map_or(0, |path| read(path).unwrap().count("step").unwrap() + 1);
    for step in first.. {
        let loss = [("loss".to_owned(), 1.0 / (1 + step) as f64)];
        store.submit(state(step), &after(step), if step % 3 == 0 { &loss } else { &[] }).unwrap();
        // One that is written over and over.
        write(Path::new(&folder).join("latest.safetensors"), &state(step)).unwrap();
    }
}

#[test]
fn kill_9_leaves_whole_files() {
    let kills = std::env::var("WENGERT_TEST_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut generator = wengert_tensor::random::Generator::seeded(3);
    let mut newest = None;
    for kill in 0..kills {
        let before = names(folder.path());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["checkpoints::crash::writes_until_it_is_killed", "--exact"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Every other one while it writes, whenever that is; those between also while it starts.
        while kill % 2 == 0 && names(folder.path()) == before && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros((generator.uniform() * 30_000.0) as u64));
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
        let mut found = None;
        for name in names(folder.path()).iter().filter(|name| !name.starts_with('.')) {
            let read = read(folder.path().join(name)).unwrap();
            let step = read.count("step").unwrap();
            assert_eq!(read, state(step), "{name}");
            if name != "latest.safetensors" {
                assert!(name.contains(&format!("-{step:08}")), "{name}");
                found = found.max(Some(step));
            }
        }
        // Nothing that was there is lost.
        assert!(found >= newest, "{found:?} after {newest:?}");
        newest = found;
    }
    assert!(newest > Some(0), "no process lived long enough to write");
    // What the killed ones left goes when the next one starts.
    let store = rules(folder.path()).open(&[("loss".into(), Goal::Min)]).unwrap();
    write(folder.path().join("latest.safetensors"), &state(0)).unwrap();
    let left: Vec<String> = names(folder.path()).into_iter().filter(|name| name.starts_with('.')).collect();
    assert_eq!(left, [""; 0]);
    drop(store);
}
