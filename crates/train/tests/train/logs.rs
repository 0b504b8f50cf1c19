//! Logs, progress and reports in real runs: broken off and gone on with, killed, on a disk that is full.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{Model, data};
use serde_json::Value;
use wengert_nn::{Losses, Params};
use wengert_optim::Adam;
use wengert_state::State;
use wengert_train::metric::{Accuracy, ConfusionMatrix, Metric, Metrics};
use wengert_train::{
    Csv, Finished, JsonLines, LogError, PlainLines, Report, TensorBoard, Trainer, WrongExamples,
};

/// Trains for three epochs of five batches, by the observers that `observed` adds; keeps the states that a run can go on from.
fn train(
    from: Option<&State>,
    observed: impl for<'p> FnOnce(Trainer<'p>) -> Trainer<'p>,
    states: &mut Vec<(u64, State)>,
) -> (Params, Finished) {
    let (train, test) = data();
    let (mut params, model) = Model::new();
    let mut quality = Metrics::new().with(Accuracy::new());
    let mut trainer = observed(Trainer::new(&mut params, Adam::new(1e-2)).clip_norm(5.0));
    if let Some(state) = from {
        trainer = trainer.from_state(state.clone());
    }
    let mut run = trainer.start().unwrap();
    for epoch in run.epochs(3).unwrap() {
        for (images, labels) in epoch.batches(train.batches(10).shuffled(0)).unwrap() {
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
            states.push((run.now().step, run.state()));
        }
        run.validate("validation", test.batches(20), &mut quality, |cx, (images, labels)| {
            (model.forward(cx, &images), labels)
        })
        .unwrap();
    }
    let finished = run.finish().unwrap();
    (params, finished)
}

/// The lines of a log, without times, starts and ends.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.retain(|line| line["kind"] != "start" && line["kind"] != "end");
    for line in &mut lines {
        line["elapsed"].take();
    }
    lines
}

/// A table's rows without times.
fn rows(path: &Path) -> Vec<String> {
    let without_time = |row: &str| {
        let mut fields: Vec<&str> = row.split(',').collect();
        fields.remove(3);
        fields.join(",")
    };
    fs::read_to_string(path).unwrap().lines().map(without_time).collect()
}

#[test]
fn a_run_gone_on_with_from_any_step_has_the_log_of_one_that_was_not_broken_off() {
    let folder = tempfile::tempdir().unwrap();
    let (json, csv) = (folder.path().join("log.jsonl"), folder.path().join("log.csv"));
    let mut states = Vec::new();
    let (bare, _) = train(None, |t| t, &mut Vec::new());
    let mut report = Report::new("whole");
    let (params, finished) = train(
        None,
        // Not lent, as the trainer's lifetime is any.
        |t| t.observe(JsonLines::create(&json).unwrap()).observe(Csv::create(&csv).unwrap()),
        &mut states,
    );
    assert_eq!(bare.state(), params.state());
    let (whole_lines, whole_rows) = (lines(&json), rows(&csv));
    assert_eq!(whole_lines.iter().filter(|l| l["kind"] == "step").count(), 15);
    assert_eq!(whole_lines.iter().filter(|l| l["kind"] == "values").count(), 6);
    assert_eq!(whole_rows.len(), 1 + 3 * 15 + 6);
    for (step, state) in &states {
        let (again, _) = train(
            Some(state),
            |t| t.observe(JsonLines::create(&json).unwrap()).observe(Csv::create(&csv).unwrap()),
            &mut Vec::new(),
        );
        assert_eq!(again.state(), params.state());
        assert_eq!(lines(&json), whole_lines, "on from step {step}");
        assert_eq!(rows(&csv), whole_rows, "on from step {step}");
    }
    report = report.history(&finished.history);
    assert!(report.to_html().contains("validation.accuracy"));
}

#[test]
fn all_of_it_serves_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let (train, test) = data();
    let (mut params, model) = Model::new();
    let mut report = Report::new("Digits").note("Synthetic ones.");
    let mut lines = PlainLines::to(Vec::new());
    let mut json = JsonLines::create(folder.path().join("log.jsonl")).unwrap();
    let board = TensorBoard::create(folder.path().join("board")).unwrap().histograms_every(5);
    let trainer = Trainer::new(&mut params, Adam::new(1e-2))
        .setting("data", "synthetic")
        .observe(&mut report)
        .observe(&mut lines)
        .observe(&mut json)
        .observe(board.clone());
    let finished = trainer
        .batch_size(10)
        .fit(&train, 4, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))
        .unwrap();
    let (mut matrix, mut wrong) = (ConfusionMatrix::new(), WrongExamples::new(10).size(28, 28));
    for (images, labels) in test.batches(20) {
        let outputs = params.infer(|cx| model.forward(cx, &images));
        matrix.update(outputs.value(), &labels);
        wrong.update(images.value(), outputs.value(), &labels);
    }
    assert_eq!(matrix.total(), wrong.total());
    board.text("done", 20, "*all of it*");
    assert!(json.error().is_none() && board.error().is_none());
    let text = String::from_utf8(lines.into_inner()).unwrap();
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(text.starts_with("epoch 1/4, step 5: train loss "), "{text}");
    let path = folder.path().join("report.html");
    report.confusion("test", &matrix).wrong("test", &wrong).write(&path).unwrap();
    let html = fs::read_to_string(&path).unwrap();
    for text in
        ["20 steps · epoch 4 of 4 · 200 examples", "<th scope=\"row\">data</th>", "adam", "train.loss"]
    {
        assert!(html.contains(text), "{text}");
    }
    let shown = finished.history.to_string();
    assert_eq!(shown.lines().count(), 5, "{shown}");
}

/// The child of the next test: logs steps as fast as it can.
#[test]
fn child_that_is_killed() {
    let Some(folder) = std::env::var_os("WENGERT_LOGS_CHILD") else { return };
    let folder = Path::new(&folder);
    let (mut params, model) = Model::new();
    let (train, _) = data();
    let mut run = Trainer::new(&mut params, Adam::new(1e-3))
        .observe(JsonLines::create(folder.join("log.jsonl")).unwrap())
        .observe(Csv::create(folder.join("log.csv")).unwrap())
        .start()
        .unwrap();
    let (images, labels) = train.batches(10).next().unwrap();
    for _epoch in run.epochs(1).unwrap() {
        // It is killed long before.
        for _ in 0..100_000 {
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
            // Outside of what the harness captures.
            let line = format!("{}\n", run.now().step);
            fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(folder.join("done"))
                .unwrap()
                .write_all(line.as_bytes())
                .unwrap();
        }
    }
}

#[test]
fn a_process_that_is_killed_leaves_all_steps_that_it_has_done() {
    for wait in [0, 1, 7, 30, 60] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "logs::child_that_is_killed"])
            .env("WENGERT_LOGS_CHILD", folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !folder.path().join("done").exists() {
            assert!(child.try_wait().unwrap().is_none(), "the child is over");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        let done = fs::read_to_string(folder.path().join("done")).unwrap();
        let done = done[..done.rfind('\n').map_or(0, |end| end + 1)].lines().count();
        let text = fs::read_to_string(folder.path().join("log.jsonl")).unwrap();
        let steps: Vec<u64> = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter_map(|line| if line["kind"] == "step" { line["step"].as_u64() } else { None })
            .collect();
        assert!(steps.iter().copied().eq(1..=steps.len() as u64) && steps.len() >= done, "{done} steps done");
        let table = fs::read_to_string(folder.path().join("log.csv")).unwrap();
        assert!(table.lines().filter(|row| row.contains(",step,loss,")).count() >= done);
    }
}

/// A disk of 64 KiB, if this process may make one.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
            .arg(folder.path())
            .output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Disk(folder));
        }
        println!("SKIPPED: this process may not mount a small disk");
        None
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_ends_no_run_and_what_waits_is_written_when_there_is_room() {
    let Some(disk) = Disk::new() else { return };
    let path = disk.0.path().join("log.jsonl");
    let filler = disk.0.path().join("filler");
    let mut full = JsonLines::create(&path).unwrap();
    let _ = fs::write(&filler, vec![0u8; 100_000]);
    let (bare, _) = train(None, |t| t, &mut Vec::new());
    let (mut params, model) = Model::new();
    let (train_data, _) = data();
    let mut steps = 0;
    let mut run =
        Trainer::new(&mut params, Adam::new(1e-2)).clip_norm(5.0).observe(&mut full).start().unwrap();
    for epoch in run.epochs(3).unwrap() {
        for (images, labels) in epoch.batches(train_data.batches(10).shuffled(0)).unwrap() {
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
            steps += 1;
            if steps == 12 {
                fs::remove_file(&filler).unwrap();
            }
        }
    }
    run.finish().unwrap();
    assert_eq!((steps, bare.state()), (15, params.state()));
    assert!(full.error().is_none());
    let lines = lines(&path);
    assert_eq!(lines.iter().filter(|l| l["kind"] == "step").count(), 15);

    // With no room to the end, the error says what is not in the file …
    let fill = || {
        for name in ["filler", "more"] {
            let _ = fs::write(disk.0.path().join(name), vec![0u8; 100_000]);
        }
    };
    let (images, labels) = train_data.batches(10).next().unwrap();
    let mut full = JsonLines::create(&path).unwrap();
    let (mut params, model) = Model::new();
    let mut run = Trainer::new(&mut params, Adam::new(1e-2)).observe(&mut full).start().unwrap();
    for _epoch in run.epochs(1).unwrap() {
        fill();
        for _ in 0..100 {
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
        }
    }
    let finished = run.finish().unwrap();
    assert_eq!(finished.history.rows.len(), 1);
    let error = full.error().unwrap();
    assert!(
        matches!(error, LogError::Lost { .. }) && error.to_string().contains("events are not in the file"),
        "{error}"
    );

    // … and ends the run, if that is asked for.
    let (mut params, model) = Model::new();
    let csv = Csv::create(disk.0.path().join("log.csv")).unwrap().stop_on_error();
    fill();
    let mut run = Trainer::new(&mut params, Adam::new(1e-2)).observe(csv).start().unwrap();
    let mut steps = 0;
    for epoch in run.epochs(3).unwrap() {
        for (images, labels) in epoch.batches(train_data.batches(10).shuffled(0)).unwrap() {
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
            steps += 1;
        }
    }
    let finished = run.finish().unwrap();
    assert!(steps < 2, "{steps}");
    assert!(finished.reason.to_string().contains("log.csv"), "{}", finished.reason);
}

/// Counts what each thread allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

// SAFETY: all is done by the system's allocator; a counter that is a plain number needs no allocation.
unsafe impl std::alloc::GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: std::alloc::Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { std::alloc::System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: std::alloc::Layout) {
        // SAFETY: as the caller promises.
        unsafe { std::alloc::System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What 20 steps allocate after 20 others, as the run is observed.
fn allocations(observed: impl for<'p> FnOnce(Trainer<'p>) -> Trainer<'p>) -> u64 {
    let (mut params, model) = Model::new();
    let (train, _) = data();
    let (images, labels) = train.batches(10).next().unwrap();
    let mut run = observed(Trainer::new(&mut params, Adam::new(1e-3))).start().unwrap();
    let mut allocated = 0;
    for _epoch in run.epochs(1).unwrap() {
        for step in 0..40 {
            let before = ALLOCATIONS.get();
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
            if step >= 20 {
                allocated += ALLOCATIONS.get() - before;
            }
        }
    }
    run.finish().unwrap();
    allocated
}

#[test]
fn a_logged_step_allocates_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let bare = allocations(|t| t);
    let logged = allocations(|t| {
        t.observe(JsonLines::create(folder.path().join("log.jsonl")).unwrap())
            .observe(Csv::create(folder.path().join("log.csv")).unwrap())
            .observe(TensorBoard::create(folder.path()).unwrap())
            .observe(PlainLines::to(Vec::new()))
            .observe(Report::new(""))
    });
    assert_eq!(logged, bare);
}
