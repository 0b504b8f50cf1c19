//! The folder: what is written when, what stays, and what goes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use wengert_optim::first::Goal;
use wengert_state::State;
use wengert_train::checkpoint::{CheckpointError, CheckpointStore, Checkpoints, read};

use super::support::{after, names};

fn values() -> Vec<(String, Goal)> {
    vec![("validation.accuracy".into(), Goal::Max), ("validation.loss".into(), Goal::Min)]
}

fn open(rules: &Checkpoints) -> CheckpointStore {
    rules.open(&values()).unwrap()
}

fn state(step: u64) -> State {
    State::new("run", 0).with_count("step", step).with_vector("w", &[step as f32; 100])
}

/// Submits a step, and waits for it.
fn save(store: &mut CheckpointStore, step: u64, measured: &[(&str, f64)]) {
    let measured: Vec<(String, f64)> = measured.iter().map(|&(name, x)| (name.to_owned(), x)).collect();
    store.submit(state(step), &after(step), &measured).unwrap();
    store.flush().unwrap();
}

fn steps(numbers: &[u64]) -> Vec<String> {
    numbers.iter().map(|step| format!("step-{step:08}.safetensors")).collect()
}

#[test]
fn when_one_is_due() {
    let folder = tempfile::tempdir().unwrap();
    let rules = Checkpoints::new(folder.path());
    let mut now = after(0);
    // By default at the end of every epoch.
    let mut store = open(&rules);
    now.step = 7;
    assert!(!store.is_due(&now, false) && store.is_due(&now, true));

    let mut store = open(&rules.clone().every_steps(3));
    let due: Vec<u64> = (1..10).filter(|&step| store.is_due(&after(step), false)).collect();
    assert_eq!(due, [3, 6, 9]);
    assert!(!store.is_due(&after(7), true));
    store.submit(state(9), &after(9), &[]).unwrap();
    assert!(!store.is_due(&after(9), false), "once is enough");

    let mut store = open(&rules.clone().every_epochs(2));
    let mut at_the_end_of = |epoch| {
        now.epoch = epoch;
        store.is_due(&now, true)
    };
    assert_eq!([1, 2, 3, 4].map(&mut at_the_end_of), [false, true, false, true]);

    let mut store = open(&rules.every(Duration::from_secs(10)));
    let at = |step, seconds| {
        let mut now = after(step);
        now.elapsed = Duration::from_secs(seconds);
        now
    };
    assert!(!store.is_due(&at(1, 100), false) && !store.is_due(&at(2, 109), false));
    assert!(store.is_due(&at(3, 110), false));
    store.submit(state(3), &at(3, 110), &[]).unwrap();
    assert!(!store.is_due(&at(4, 119), false) && store.is_due(&at(5, 120), false));
}

#[test]
fn the_last_stay() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&Checkpoints::new(folder.path()).keep(2));
    for step in [1, 2, 30, 100] {
        save(&mut store, step, &[]);
        assert_eq!(store.saved(), [folder.path().join(&steps(&[step])[0])]);
        assert_eq!(store.newest().unwrap(), Some(folder.path().join(&steps(&[step])[0])));
    }
    assert_eq!(names(folder.path()), steps(&[30, 100]));
    // A run that went on from an older one does not lose what it writes.
    save(&mut store, 50, &[]);
    assert_eq!(names(folder.path()), steps(&[50, 100]));
    let mut store = open(&Checkpoints::new(folder.path()).keep(usize::MAX));
    (1..20).for_each(|step| save(&mut store, step, &[]));
    assert_eq!(names(folder.path()).len(), 21);
}

#[test]
fn the_best_stay() {
    let folder = tempfile::tempdir().unwrap();
    let rules =
        Checkpoints::new(folder.path()).keep(1).best_of("validation.accuracy", 2).best("validation.loss");
    let mut store = open(&rules);
    let best = |store: &CheckpointStore, x: f64| store.is_best(&[("validation.accuracy".into(), x)]);
    assert!(!best(&store, f64::NAN) && best(&store, -1.0));
    for (step, accuracy, loss) in
        [(1, 0.5, 1.0), (2, 0.25, f64::NAN), (3, 0.1 + 0.2, 0.5), (4, f64::NAN, 2.0)]
    {
        save(
            &mut store,
            step,
            &[("validation.accuracy", accuracy), ("validation.loss", loss), ("other", 9.0)],
        );
    }
    let expected = [
        "best-00000001-validation.accuracy=0.5.safetensors",
        "best-00000003-validation.accuracy=0.30000000000000004.safetensors",
        "best-00000003-validation.loss=0.5.safetensors",
        "step-00000004.safetensors",
    ];
    assert_eq!(names(folder.path()), expected);
    for (name, step) in expected.iter().zip([1, 3, 3, 4]) {
        assert_eq!(read(folder.path().join(name)).unwrap(), state(step), "{name}");
    }
    assert!(!best(&store, 0.3) && best(&store, 0.31) && !best(&store, f64::NAN));
    // A run that goes on knows them by their names.
    let mut store = open(&rules);
    assert!(!best(&store, 0.3) && best(&store, 0.31));
    save(&mut store, 5, &[("validation.accuracy", 0.75), ("validation.loss", 0.5)]);
    assert_eq!(
        names(folder.path()),
        [
            "best-00000001-validation.accuracy=0.5.safetensors",
            "best-00000003-validation.loss=0.5.safetensors",
            "best-00000005-validation.accuracy=0.75.safetensors",
            "step-00000005.safetensors",
        ]
    );
    // The newest may be one that was kept for its value.
    fs::remove_file(folder.path().join("step-00000005.safetensors")).unwrap();
    assert!(store.newest().unwrap().unwrap().ends_with("best-00000005-validation.accuracy=0.75.safetensors"));
}

#[test]
fn what_is_not_ours_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs/a");
    fs::create_dir_all(&path).unwrap();
    // Of the right name, and no checkpoint; a folder; others.
    fs::write(path.join("step-00000001.safetensors"), "notes").unwrap();
    fs::create_dir(path.join("step-00000002.safetensors")).unwrap();
    fs::write(path.join("model.safetensors"), "a model").unwrap();
    fs::write(path.join("step-3.safetensors"), "another's").unwrap();
    let before = names(&path);
    let mut store = open(&Checkpoints::new(&path).keep(1));
    (10..14).for_each(|step| save(&mut store, step, &[]));
    let all: Vec<String> = names(&path);
    assert!(before.iter().all(|name| all.contains(name)));
    assert_eq!(all.len(), before.len() + 1);
    // Nor is it replaced.
    let mut refused =
        |step| store.submit(state(step), &after(step), &[]).and_then(|()| store.flush()).unwrap_err();
    let error = refused(1);
    assert!(error.to_string().contains("step-00000001.safetensors: a file that is no checkpoint"), "{error}");
    assert!(matches!(refused(2), CheckpointError::NotAFile { kind: "a folder", .. }));
    assert_eq!(fs::read(path.join("step-00000001.safetensors")).unwrap(), b"notes");
    assert_eq!(names(folder.path()), ["runs"]);
    assert_eq!(names(&folder.path().join("runs")), ["a"]);
}

#[cfg(unix)]
#[test]
fn links_lead_nowhere() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let (inside, outside) = (folder.path().join("run"), folder.path().join("precious"));
    fs::create_dir(&inside).unwrap();
    fs::write(&outside, "precious").unwrap();
    symlink(&outside, inside.join("step-00000005.safetensors")).unwrap();
    symlink(folder.path().join("new"), inside.join("step-00000006.safetensors")).unwrap();
    let mut store = open(&Checkpoints::new(&inside).keep(1));
    assert_eq!(store.newest().unwrap(), None);
    for step in [5, 6] {
        let told = store.submit(state(step), &after(step), &[]).and_then(|()| store.flush());
        let error = told.unwrap_err();
        assert!(matches!(&error, CheckpointError::NotAFile { kind: "a symbolic link", .. }), "{error}");
    }
    // The run goes on.
    save(&mut store, 7, &[]);
    save(&mut store, 8, &[]);
    assert_eq!(names(&inside), steps(&[5, 6, 8]));
    assert_eq!(fs::read(&outside).unwrap(), b"precious");
    assert_eq!(names(folder.path()), ["precious", "run"]);
    // A folder that is a link is meant.
    symlink(&inside, folder.path().join("linked")).unwrap();
    let mut store = open(&Checkpoints::new(folder.path().join("linked")));
    save(&mut store, 9, &[]);
    assert!(inside.join("step-00000009.safetensors").exists());
}

#[test]
fn settings_that_make_no_sense() {
    let folder = tempfile::tempdir().unwrap();
    let rules = Checkpoints::new(folder.path());
    let long = "x".repeat(101);
    let text = |rules: Checkpoints| {
        let error = rules.check(&values()).unwrap_err();
        assert!(rules.open(&values()).is_err());
        error.to_string()
    };
    for (rules, setting) in [
        (rules.clone().every_steps(0), "every_steps is 0"),
        (rules.clone().every_epochs(0), "every_epochs is 0"),
        (rules.clone().every(Duration::ZERO), "every is 0"),
        (rules.clone().keep(0), "keep is 0"),
        (rules.clone().best_of("validation.loss", 0), "best_of is 0"),
        (rules.clone().best(""), "between 1 and 100 bytes"),
        (rules.clone().best(&*long), "between 1 and 100 bytes"),
        (rules.clone().best("../validation.loss"), "no file can have such a name"),
        (rules.clone().best("validation\\loss"), "no file can have such a name"),
        (rules.clone().best("validation.loss\n"), "no file can have such a name"),
        (rules.clone().best("/etc/passwd"), "no file can have such a name"),
        (rules.clone().best("validation.loss").best("validation.loss"), "is there twice"),
        (rules.clone().best("validation.los"), "nearest are `validation.loss`"),
        (Checkpoints::new(""), "has no name of a folder"),
    ] {
        let text = text(rules);
        assert!(text.contains(setting), "{text}");
    }
    assert_eq!(names(folder.path()), [""; 0]);
    let error = rules.best("loss").check(&[]).unwrap_err();
    assert_eq!(error.to_string(), "checkpoints: the run has no value `loss`; it has none");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("runs")] {
        let error = Checkpoints::new(path).open(&[]).unwrap_err();
        assert!(matches!(&error, CheckpointError::Io { .. }), "{error}");
        assert!(error.to_string().contains("file"), "{error}");
        assert!(!error.to_string().contains("exists"), "{error}");
    }
    let locked = folder.path().join("locked");
    fs::create_dir(&locked).unwrap();
    let mut permissions = fs::metadata(&locked).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&locked, permissions).unwrap();
    if fs::write(locked.join("probe"), "").is_ok() {
        eprintln!("not tested: this user may write to folders that are read-only");
        return;
    }
    assert!(matches!(Checkpoints::new(&locked).open(&[]), Err(CheckpointError::Io { .. })));
}

#[test]
fn a_new_run_does_not_take_another_ones_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&Checkpoints::new(folder.path()));
    store.expect_unused().unwrap();
    save(&mut store, 12, &[]);
    let error = open(&Checkpoints::new(folder.path())).expect_unused().unwrap_err();
    assert!(matches!(&error, CheckpointError::Occupied { .. }));
    assert!(error.to_string().contains("step-00000012.safetensors"), "{error}");
}

#[test]
fn errors_come_back_and_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let rules = Checkpoints::new(&path).best("validation.loss");
    let mut store = open(&rules);
    let loss = |x: f64| [("validation.loss".to_owned(), x)];
    save(&mut store, 1, &[("validation.loss", 1.0)]);
    fs::rename(&path, folder.path().join("away")).unwrap();
    // Told at once if the thread is fast, else when it is waited for.
    let told = store.submit(state(2), &after(2), &loss(0.5)).and_then(|()| store.flush());
    assert!(matches!(told, Err(CheckpointError::Io { .. })));
    store.flush().unwrap();
    // Told by a later call, if not asked for; what that brings is taken.
    while store.submit(state(4), &after(4), &[]).is_ok() {
        std::thread::sleep(Duration::from_millis(1));
    }
    while store.flush().is_err() {}
    fs::rename(folder.path().join("away"), &path).unwrap();
    // What was never written was never the best.
    drop(store);
    let mut store = open(&rules);
    assert!(store.is_best(&loss(0.75)));
    save(&mut store, 5, &[("validation.loss", 0.75)]);
    assert_eq!(
        names(&path),
        [
            "best-00000005-validation.loss=0.75.safetensors",
            "step-00000001.safetensors",
            "step-00000005.safetensors"
        ]
    );
}

#[test]
fn what_was_submitted_is_written_before_the_store_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let large =
        |step: u64| State::new("run", 0).with_count("step", step).with_vector("w", &[0.5f32; 1 << 20]);
    let mut store = open(&Checkpoints::new(folder.path()));
    store.submit(large(1), &after(1), &[]).unwrap();
    store.submit(large(2), &after(2), &[]).unwrap();
    drop(store);
    let newest = |path: &Path| read(open(&Checkpoints::new(path)).newest().unwrap().unwrap()).unwrap();
    assert_eq!(newest(folder.path()), large(2));
    // By a panic too.
    let panic = std::panic::catch_unwind(|| {
        let mut store = open(&Checkpoints::new(folder.path()));
        store.submit(large(3), &after(3), &[]).unwrap();
        panic!("in a step");
    });
    assert!(panic.is_err());
    assert_eq!(newest(folder.path()), large(3));
}

#[test]
fn what_waits_is_replaced_unless_it_is_to_stay() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&Checkpoints::new(folder.path()).keep(3).best_of("validation.loss", 20));
    for step in 0..200 {
        let measured = [("validation.loss".to_owned(), 1.0 - step as f64)];
        store.submit(state(step), &after(step), if step % 10 == 0 { &measured } else { &[] }).unwrap();
    }
    store.flush().unwrap();
    let all = names(folder.path());
    let best: Vec<&String> = all.iter().filter(|name| name.starts_with("best-")).collect();
    assert_eq!(best.len(), 20);
    assert!(all.len() <= 23 && all.last().unwrap() == &steps(&[199])[0], "{all:?}");
    for name in all {
        let read = read(folder.path().join(&name)).unwrap();
        assert_eq!(read, state(read.count("step").unwrap()), "{name}");
    }
    let mut store = open(&Checkpoints::new(folder.path().join("all")).keep(usize::MAX));
    (0..50).for_each(|step| store.submit(state(step), &after(step), &[]).unwrap());
    store.flush().unwrap();
    assert_eq!(names(&folder.path().join("all")).len(), 50);
}

#[test]
fn several_writers_at_once_leave_whole_files() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let folder = &folder;
            scope.spawn(move || {
                let mut store = open(&Checkpoints::new(folder.path()).keep(2));
                for step in 0..25 {
                    store.submit(state(step), &after(step + writer), &[]).unwrap();
                    store.flush().unwrap();
                }
            });
        }
        for _ in 0..50 {
            for name in names(folder.path()).iter().filter(|name| name.ends_with(".safetensors")) {
                match read(folder.path().join(name)) {
                    Ok(read) => assert_eq!(read, state(read.count("step").unwrap())),
                    // Removed meanwhile.
                    Err(CheckpointError::Io { error, .. }) => {
                        assert_eq!(error.kind(), std::io::ErrorKind::NotFound)
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        }
    });
    let left = names(folder.path());
    assert!(left.iter().all(|name| name.ends_with(".safetensors")), "{left:?}");
}
