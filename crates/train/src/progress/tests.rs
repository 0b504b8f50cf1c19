use std::io::Write;

use super::*;
use crate::event::{Event, Moment, RunObserver};
use crate::log::tests::{at, start, step};

#[path = "../../tests/train/common/text.rs"]
mod text;

use text::Text;

fn values(log: &mut dyn RunObserver<f32>, now: &Moment, set: &str, pairs: &[(&str, f64)]) {
    let values: Vec<(String, f64)> = pairs.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect();
    assert!(log.on(&Event::Values { set, values: &values }, now).is_continue());
}

fn updated() -> wengert_optim::Step {
    wengert_optim::Step::Updated { gradient_norm: 1.0 }
}

/// Two epochs of three batches each.
fn run(log: &mut dyn RunObserver<f32>) {
    let moment = |epoch, batch, step| Moment { epochs: 12, batch, batches: 3, ..at(epoch + 1, step) };
    start(log, &moment(0, 0, 0));
    for epoch in 0..2 {
        assert!(log.on(&Event::Epoch, &moment(epoch, 0, 3 * epoch)).is_continue());
        for batch in 1..=3 {
            let now = moment(epoch, batch, 3 * epoch + batch);
            step(log, &now, 0.5 / now.step as f64, updated());
        }
        let now = moment(epoch, 3, 3 * epoch + 3);
        values(log, &now, "train", &[("loss", 0.25)]);
        values(log, &now, "validation", &[("loss", f64::NAN), ("accuracy\n", 0.987)]);
    }
    assert!(log.on(&Event::End { reason: "all epochs are done" }, &moment(1, 3, 6)).is_continue());
}

const LINES: [&str; 3] = [
    "epoch  1/12, step 3: train loss 0.2500; validation loss NaN, accuracy  0.9870; 0.0 s",
    "epoch  2/12, step 6: train loss 0.2500; validation loss NaN, accuracy  0.9870; 0.0 s",
    "all epochs are done: 6 steps, 0.0 s",
];

#[test]
fn there_is_a_line_for_each_epoch() {
    let text = Text::default();
    run(&mut PlainLines::to(text.clone()));
    assert_eq!(text.lines(), LINES);
}

#[test]
fn long_epochs_have_lines_for_steps_and_each_evaluation_one() {
    let text = Text::default();
    let mut lines = PlainLines::to(text.clone()).every_steps(2);
    start(&mut lines, &at(2, 7));
    for i in 8..=10 {
        step(&mut lines, &at(2, i), 1234.5, updated());
        if i == 8 {
            values(&mut lines, &at(2, i), "validation", &[("loss", 1e-5)]);
            values(&mut lines, &at(2, i), "validation", &[("loss", 2e-5)]);
        }
    }
    let found = text.lines();
    assert_eq!(
        found,
        [
            "goes on after 7 steps, in epoch 2",
            "epoch 2, step 8: loss 1234.5000; 0.0 s",
            "epoch 2, step 8: validation loss 1.000e-5; 0.0 s",
            "epoch 2, step 8: validation loss 2.000e-5; 0.0 s",
            "epoch 2, step 10: loss 1234.5000; 0.0 s",
        ]
    );
}

#[test]
fn a_writer_that_fails_does_not_end_a_run() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
    }
    run(&mut PlainLines::to(Closed));
}
