//! JSON lines and CSV, as files that a run goes on with.

use std::fs;
use std::path::Path;
use std::time::Duration;

use wengert_nn::{Init, Params};
use wengert_optim::Step;

use super::*;
use crate::event::{Event, Moment, RunObserver, StepReport};

/// A model of one parameter, with a gradient.
pub(crate) fn model() -> (Params<f32>, wengert_nn::Grads<f32>) {
    let mut params: Params = Params::seeded(0);
    let weight = params.root().param("weight", [3], Init::Constant(2.0));
    let (_, grads) = params.value_and_grad(|cx| cx.param(weight).square().sum()).unwrap();
    (params, grads)
}

pub(crate) fn at(epoch: u64, step: u64) -> Moment {
    Moment { epoch, step, examples: 10 * step, elapsed: Duration::from_millis(step), ..Moment::default() }
}

fn tell(log: &mut dyn RunObserver<f32>, event: &Event<'_>, now: &Moment) {
    assert_eq!(log.on(event, now), ControlFlow::Continue(()));
}

pub(crate) fn step(log: &mut dyn RunObserver<f32>, now: &Moment, loss: f64, outcome: Step) {
    let (params, grads) = model();
    let report =
        StepReport { loss, examples: 10, learning_rate: 0.1, outcome, params: &params, grads: &grads };
    tell(log, &Event::Step(&report), now);
}

fn updated(gradient_norm: f64) -> Step {
    Step::Updated { gradient_norm }
}

fn values(log: &mut dyn RunObserver<f32>, now: &Moment, set: &str, pairs: &[(&str, f64)]) {
    let values: Vec<(String, f64)> = pairs.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect();
    tell(log, &Event::Values { set, values: &values }, now);
}

pub(crate) fn start(log: &mut dyn RunObserver<f32>, now: &Moment) {
    let (params, _) = model();
    let settings = [("optimiser".to_owned(), "adam, \"fast\"\nor not".to_owned())];
    tell(log, &Event::Start { params: &params, settings: &settings }, now);
}

/// Two epochs of two steps each, from step `from` on; `stop` after a step.
fn run(log: &mut dyn RunObserver<f32>, from: u64, stop: u64) {
    start(log, &at(from / 2, from));
    for i in from..stop {
        step(log, &at(i / 2, i + 1), 1.0 / (i + 1) as f64, updated(i as f64));
        if i % 2 == 1 {
            values(log, &at(i / 2, i + 1), "train", &[("loss", 0.1 * i as f64)]);
            values(log, &at(i / 2, i + 1), "val, \"x\"\ny", &[("a", f64::NAN), ("b,\"\n", f64::INFINITY)]);
        }
    }
    if stop == 4 {
        tell(log, &Event::End { reason: "all epochs are done" }, &at(1, 4));
    }
}

fn lines(path: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn json_lines_have_all_events() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/deep/log.jsonl");
    let mut log = JsonLines::create(&path).unwrap();
    run(&mut log, 0, 4);
    assert!(log.error().is_none());
    let lines = lines(&path);
    let kinds: Vec<&str> = lines.iter().map(|l| l["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        "start step step values values step step values values end".split(' ').collect::<Vec<_>>()
    );
    assert_eq!(
        (&lines[0]["parameters"], &lines[0]["settings"]["optimiser"]),
        (&3.into(), &"adam, \"fast\"\nor not".into())
    );
    assert_eq!(lines[2]["loss"], 0.5);
    assert_eq!(lines[2]["gradient_norm"], 1.0);
    assert_eq!(lines[2]["elapsed"], 0.002);
    assert_eq!((&lines[4]["set"], &lines[4]["values"]["a"]), (&"val, \"x\"\ny".into(), &"NaN".into()));
    assert_eq!(lines[4]["values"]["b,\"\n"], "Infinity");
    assert_eq!(lines[9]["reason"], "all epochs are done");
}

#[test]
fn steps_say_whether_they_changed_anything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    let mut log = JsonLines::create(&path).unwrap().every_steps(2);
    step(&mut log, &at(0, 1), 1.0, updated(1.0));
    step(&mut log, &at(0, 2), f64::NEG_INFINITY, Step::Skipped { skipped: 3 });
    step(&mut log, &at(0, 4), 1.0, Step::Accumulated { gradients: 2 });
    let lines = lines(&path);
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["skipped"], &lines[0]["loss"]), (&3.into(), &"-Infinity".into()));
    assert_eq!((&lines[1]["accumulated"], &lines[1]["gradient_norm"]), (&2.into(), &serde_json::Value::Null));
}

/// What a log has but the lines of starts and ends.
fn events(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let frame = |line: &str| line.contains("\"start\"") || line.contains("\"end\"");
    text.lines().filter(|line| !frame(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_run_that_goes_on_leaves_the_log_of_one_that_was_never_stopped() {
    let folder = tempfile::tempdir().unwrap();
    type Make = fn(&Path) -> Box<dyn RunObserver<f32>>;
    let make: [(&str, Make); 2] = [
        ("log.jsonl", |p| Box::new(JsonLines::create(p).unwrap())),
        ("log.csv", |p| Box::new(Csv::create(p).unwrap())),
    ];
    for (name, make) in make {
        let (whole, parts) = (folder.path().join(format!("whole-{name}")), folder.path().join(name));
        run(&mut *make(&whole), 0, 4);
        for killed in 0..=4 {
            for checkpoint in 0..=killed {
                // A new run empties what another left; the first checkpoint is that of the start.
                run(&mut *make(&parts), 0, killed);
                run(&mut *make(&parts), checkpoint, 4);
                assert_eq!(
                    events(&parts),
                    events(&whole),
                    "{name}: killed at {killed}, on from {checkpoint}"
                );
            }
        }
    }
}

#[test]
fn values_measured_again_at_the_checkpoint_are_logged_once() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.jsonl", "a.csv"] {
        let path = folder.path().join(name);
        let mut log: Box<dyn RunObserver<f32>> = match name {
            "a.csv" => Box::new(Csv::create(&path).unwrap()),
            _ => Box::new(JsonLines::create(&path).unwrap()),
        };
        run(&mut *log, 0, 2);
        let before = events(&path);
        start(&mut *log, &at(0, 2));
        values(&mut *log, &at(0, 2), "train", &[("loss", 0.1)]);
        values(&mut *log, &at(0, 2), "val, \"x\"\ny", &[("a", 0.5)]);
        assert_eq!(events(&path), before);
        values(&mut *log, &at(1, 2), "train", &[("loss", 0.1)]);
        values(&mut *log, &at(0, 2), "test", &[("loss", 0.1)]);
        assert_ne!(events(&path), before);
    }
}

#[test]
fn a_file_cut_at_any_byte_goes_on_whole() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("log.jsonl");
    run(&mut JsonLines::create(&json).unwrap(), 0, 4);
    let csv = folder.path().join("log.csv");
    run(&mut Csv::create(&csv).unwrap(), 0, 4);
    let (json_bytes, csv_bytes) = (fs::read(&json).unwrap(), fs::read(&csv).unwrap());
    for length in 0..=json_bytes.len() {
        fs::write(&json, &json_bytes[..length]).unwrap();
        start(&mut JsonLines::create(&json).unwrap(), &at(0, 3));
        let kept = lines(&json);
        assert!(kept.iter().all(|l| l["step"].as_u64() <= Some(3)));
        let whole = json_bytes[..length].split_inclusive(|&b| b == b'\n').filter(|l| l.ends_with(b"\n"));
        assert_eq!(kept.len(), whole.count().min(6) + 1, "{length}");
    }
    let text = String::from_utf8(csv_bytes.clone()).unwrap();
    let early = text.find("\n1,4").unwrap() + 1;
    for length in 0..=csv_bytes.len() {
        fs::write(&csv, &csv_bytes[..length]).unwrap();
        let mut log = Csv::create(&csv).unwrap();
        start(&mut log, &at(0, 3));
        values(&mut log, &at(1, 4), "s", &[("n", 1.0)]);
        let table = fs::read_to_string(&csv).unwrap();
        let kept = table.strip_suffix("1,4,40,0.004,s,n,1\n").unwrap();
        assert!(text[..early].starts_with(kept) && (kept.len() + 60 > length.min(early)), "{length}: {kept}");
        assert!(table.starts_with("epoch,step,"));
    }
}

#[test]
fn damaged_lines_are_left_out_and_what_follows_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    run(&mut JsonLines::create(&path).unwrap(), 0, 2);
    let text = fs::read_to_string(&path).unwrap();
    let damaged = text.replacen("{\"kind\":\"step\"", "\0\0{\"kind\":\"st", 1);
    fs::write(&path, damaged + "{\"kind\":\"step\",\"epoch\":0,\"step\":9}\n\n[1]\n").unwrap();
    start(&mut JsonLines::create(&path).unwrap(), &at(1, 2));
    let kinds: Vec<_> = lines(&path).iter().map(|l| l["kind"].clone()).collect();
    assert_eq!(kinds, ["start", "step", "values", "values", "start"]);
}

#[test]
fn what_is_no_log_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("thesis.csv");
    fs::write(&path, "years of work\n").unwrap();
    for error in [Csv::create(&path).err(), JsonLines::create(&path).err()] {
        let error = error.unwrap();
        assert!(
            matches!(error, LogError::Foreign { .. }) && error.to_string().contains("thesis.csv"),
            "{error}"
        );
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "years of work\n");
    for error in [
        JsonLines::create(folder.path()).err(),
        Csv::create(path.join("log.csv")).err(),
        TensorBoard::create(&path).err(),
        Csv::create("").err(),
    ] {
        let error = error.unwrap();
        assert!(matches!(error, LogError::File { .. }), "{error:?}");
    }
}

#[test]
#[should_panic(expected = "Csv::every_steps: at least 1")]
fn every_zeroth_step_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let _ = Csv::create(folder.path().join("a")).unwrap().every_steps(0);
}
