//! A race against a program that prints what it is told to.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

/// Runs the race with this script as the Python of the peers.
fn race(folder: &Path, python: &str, arguments: &[&str]) -> Output {
    let path = folder.join("python");
    std::fs::write(&path, format!("#!/bin/sh\n[ \"$1\" = -c ] && exit 0\n{python}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_race"));
    command.args(["--quick", "--threads", "1", "--rounds", "2", "--python"]).arg(&path).args(arguments);
    command.env("PEERS_HOME", folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_table_has_everyone_and_says_who_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("lines");
    let line = r#"{"median_us": 5e9, "min_us": 4e9, "note": "variant=a"}"#;
    let python = format!("echo \"$@\" >> \"$PEERS_HOME/calls\"; echo '{line}'");
    let arguments = ["infer_image", "--peers", "torch,candle", "--lines", lines.to_str().unwrap()];
    let output = race(folder.path(), &python, &arguments);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}{}", text(&output.stderr));
    assert!(printed.contains("candle does not take part: there is no "), "{printed}");
    assert!(printed.contains(
        "| workload | threads | Wengert | best of the others | ratio | by minima | of the limit | torch |"
    ));
    let row = printed.lines().find(|line| line.starts_with("| infer_image | 1 |")).expect("a row");
    assert!(row.contains("| torch | **0.00** | 0.00 | – | 5000000 ms |"), "{row}");
    // The first round finds the fastest way, the second measures it.
    let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap();
    let variants: Vec<bool> = calls.lines().map(|call| call.contains("--variant a")).collect();
    assert_eq!(variants, [false, true], "{calls}");
    let written = std::fs::read_to_string(&lines).unwrap();
    // The rates and ours besides the peer's, in each round.
    assert_eq!(written.lines().filter(|line| line.contains("\"peer\":\"wengert\"")).count(), 6, "{written}");
    assert_eq!(written.lines().filter(|&other| other == line).count(), 2, "{written}");
}

#[test]
fn a_peer_that_fails_is_named_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let output = race(folder.path(), "echo no memory >&2; exit 1", &["infer_image", "--peers", "jax"]);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}");
    assert_eq!(
        printed.matches("jax at infer_image, 1 threads: exit status: 1: no memory").count(),
        1,
        "{printed}"
    );
    assert!(
        printed.lines().any(|line| line.starts_with("| infer_image | 1 |") && line.ends_with("| – |")),
        "{printed}"
    );
}

#[test]
fn an_unknown_workload_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let output = race(folder.path(), "exit 1", &["infer_picture", "--peers", "jax"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("there is no workload `infer_picture`"),
        "{}",
        text(&output.stderr)
    );
}
