use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use wengert_tensor::Tensor;

use super::*;
use crate::log::tests::{at, start, step};

/// Writes a run with everything to a file, as of a fixed time.
fn write(path: &Path) {
    let mut board = TensorBoard::file(path.to_owned(), Some(1.5e9)).unwrap().histograms_every(2);
    let log: &mut dyn RunObserver<f32> = &mut board;
    start(log, &at(0, 0));
    step(log, &at(0, 1), 0.75, Step::Updated { gradient_norm: 2.0 });
    step(log, &at(0, 2), f64::NAN, Step::Accumulated { gradients: 1 });
    let values = [("accuracy".to_owned(), 0.5), ("größte, \"Zahl\"\n".to_owned(), f64::INFINITY)];
    let _ = log.on(&Event::Values { set: "validation", values: &values }, &at(0, 2));
    board.text("notes", 300, "**bold**");
    let pixels = Tensor::from_vec((0..12).map(|i| i as f32).collect::<Vec<_>>(), [3, 2, 2]).unwrap();
    board.picture("first", 2, &Picture::new(&pixels));
    let _ = RunObserver::<f32>::on(&mut board, &Event::End { reason: "done" }, &at(0, 2));
    assert!(board.error().is_none());
}

/// What TensorBoard's own reader finds in the files of a folder, with these files' lines read by it before.
const READER: &str = r#"
import json, sys
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util import tensor_util
a = event_accumulator.EventAccumulator(sys.argv[1], size_guidance={k: 0 for k in ("scalars", "histograms", "images", "tensors")})
a.Reload()
tags = a.Tags()
out = {
    "scalars": {t: [[e.step, repr(e.value), e.wall_time] for e in a.Scalars(t)] for t in tags["scalars"]},
    "histograms": {t: [[e.step, e.histogram_value.num, e.histogram_value.min, e.histogram_value.max,
        e.histogram_value.sum, sum(e.histogram_value.bucket), len(e.histogram_value.bucket_limit)] for e in a.Histograms(t)] for t in tags["histograms"]},
    "images": {t: [[e.step, e.width, e.height, e.encoded_image_string.hex()] for e in a.Images(t)] for t in tags["images"]},
    "texts": {t: [[e.step, tensor_util.make_ndarray(e.tensor_proto).tolist()[0].decode(),
        a.SummaryMetadata(t).plugin_data.plugin_name] for e in a.Tensors(t)] for t in tags["tensors"]},
}
print(json.dumps(out))
"#;

/// A Python that has TensorBoard: `$WENGERT_TENSORBOARD_PYTHON`, or the usual one.
fn read(folder: &Path) -> Option<Value> {
    let python = std::env::var("WENGERT_TENSORBOARD_PYTHON").unwrap_or("python3".into());
    let has = Command::new(&python).args(["-c", "import tensorboard"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: {python} has no tensorboard; set WENGERT_TENSORBOARD_PYTHON to one that has");
        return None;
    }
    let output = Command::new(&python).args(["-c", READER]).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn the_bytes_are_those_that_tensorboard_was_seen_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.out.tfevents.golden");
    write(&path);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/events.tfevents");
    if std::env::var_os("WENGERT_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
        std::fs::copy(&path, &golden).unwrap();
    }
    assert!(
        std::fs::read(&path).unwrap() == std::fs::read(golden).unwrap(),
        "other bytes: let TensorBoard read them"
    );
}

#[test]
fn tensorboard_reads_everything() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("events.out.tfevents.1.test"));
    let Some(found) = read(folder.path()) else { return };
    let scalars = &found["scalars"];
    assert_eq!(scalars["step/loss"], json!([[1, "0.75", 1.5e9], [2, "nan", 1.5e9]]));
    assert_eq!(scalars["step/gradient_norm"], json!([[1, "2.0", 1.5e9]]));
    assert_eq!(scalars["validation/accuracy"], json!([[2, "0.5", 1.5e9]]));
    assert_eq!(scalars["validation/größte, \"Zahl\"\n"], json!([[2, "inf", 1.5e9]]));
    // All three weights are 2, and their gradients 4.
    assert_eq!(found["histograms"]["parameters/weight"], json!([[2, 3.0, 2.0, 2.0, 6.0, 3.0, 1]]));
    assert_eq!(found["histograms"]["gradients/weight"], json!([[2, 3.0, 4.0, 4.0, 12.0, 3.0, 1]]));
    assert_eq!(found["texts"]["notes"], json!([[300, "**bold**", "text"]]));
    assert!(
        found["texts"]["settings"][0][1].as_str().unwrap().contains("| optimiser | adam, \"fast\" or not |")
    );
    let image = &found["images"]["first"][0];
    assert_eq!((&image[0], &image[1], &image[2]), (&json!(2), &json!(2), &json!(2)));
    assert!(image[3].as_str().unwrap().starts_with("89504e470d0a1a0a"));
}

#[test]
fn tensorboard_forgets_later_steps_of_a_run_that_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let updated = Step::Updated { gradient_norm: 1.0 };
    let file = |n: u32| {
        let path = folder.path().join(format!("events.out.tfevents.{n}.test"));
        TensorBoard::file(path, Some(1.5e9 + f64::from(n))).unwrap()
    };
    let mut first = file(1);
    start(&mut first, &at(0, 0));
    for i in 1..=5 {
        step(&mut first, &at(0, i), i as f64, updated);
    }
    let mut second = file(2);
    start(&mut second, &at(0, 3));
    step(&mut second, &at(0, 4), 40.0, updated);
    if let Some(found) = read(folder.path()) {
        let steps: Vec<_> = found["scalars"]["step/loss"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| (e[0].clone(), e[1].clone()))
            .collect();
        let expected = [(1, "1.0"), (2, "2.0"), (3, "3.0"), (4, "40.0")];
        assert_eq!(steps, expected.map(|(s, v)| (json!(s), json!(v))));
    }
}

#[test]
fn each_writer_has_a_file_and_clones_share_one() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (TensorBoard::create(folder.path()).unwrap(), TensorBoard::create(folder.path()).unwrap());
    a.clone().scalar("x", 1, 2.0);
    b.histogram::<f32>("nothing", 1, &[f32::NAN]);
    let sizes: Vec<u64> =
        std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).collect();
    assert_eq!(sizes.len(), 2);
    assert_ne!(sizes[0], sizes[1]);
}
