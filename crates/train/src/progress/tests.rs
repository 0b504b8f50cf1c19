use std::io::Write;
use std::sync::{Arc, Mutex};

#[cfg(feature = "progress")]
use indicatif::InMemoryTerm;

use super::*;
use crate::event::{Event, Moment, RunObserver};
use crate::log::tests::{at, start, step};

/// A writer that is read while it is written to.
#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Write for Text {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Text {
    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().lines().map(str::to_owned).collect()
    }
}

fn values(log: &mut dyn RunObserver<f32>, now: &Moment, set: &str, pairs: &[(&str, f64)]) {
    let values: Vec<(String, f64)> = pairs.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect();
    assert!(log.on(&Event::Values { set, values: &values }, now).is_continue());
}

fn updated() -> wengert_optim::Step {
    wengert_optim::Step::Updated { gradient_norm: 1.0 }
}

/// Two epochs of three batches each.
fn run(log: &mut dyn RunObserver<f32>, seen: &mut dyn FnMut()) {
    let moment = |epoch, batch, step| Moment { epochs: 12, batch, batches: 3, ..at(epoch + 1, step) };
    start(log, &moment(0, 0, 0));
    for epoch in 0..2 {
        assert!(log.on(&Event::Epoch, &moment(epoch, 0, 3 * epoch)).is_continue());
        for batch in 1..=3 {
            let now = moment(epoch, batch, 3 * epoch + batch);
            step(log, &now, 0.5 / now.step as f64, updated());
            seen();
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
    run(&mut PlainLines::to(text.clone()), &mut || ());
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
    run(&mut PlainLines::to(Closed), &mut || ());
}

// Of one test, as there is one terminal in a process.
#[cfg(feature = "progress")]
#[test]
fn the_bar_shows_where_the_run_is_and_is_gone_afterwards() {
    let (terminal, text) = (InMemoryTerm::new(10, 100), Text::default());
    let mut screens = Vec::new();
    let mut progress = Progress::to(terminal.clone(), text.clone());
    // Another thread draws, which empties the line first: what it has not come to fill again is looked at once more.
    let drawn = || {
        std::thread::sleep(std::time::Duration::from_millis(120));
        terminal.contents()
    };
    run(&mut progress, &mut || {
        let screen = (0..20).map(|_| drawn()).find(|screen| !screen.is_empty());
        screens.push(screen.unwrap_or_default());
    });
    assert_eq!(text.lines(), LINES);
    assert_eq!(terminal.contents(), "");
    assert!(screens[0].starts_with("epoch 1/12 [") && screens[0].contains("1/3 loss 0.5000"), "{screens:?}");
    assert!(screens[2].contains("3/3 loss 0.1667,"), "{screens:?}");
    assert!(screens[4].starts_with("epoch 2/12 [") && screens[4].contains("examples/s, "), "{screens:?}");
    assert!(screens[4].ends_with(" s left") && screens[4].lines().count() == 1, "{screens:?}");

    // A panic's message does not stand behind a bar, and nothing of the bar stands after it.
    let show = || {
        let mut progress = Progress::to(terminal.clone(), text.clone());
        let now = Moment { batch: 1, batches: 3, ..at(1, 1) };
        step(&mut progress, &now, 0.5, updated());
        assert!(terminal.contents().starts_with("epoch 1 ["));
        progress
    };
    let before = std::panic::take_hook();
    let seen = Arc::new(Mutex::new(None));
    let (hook_seen, hook_terminal) = (seen.clone(), terminal.clone());
    std::panic::set_hook(Box::new(move |panic| {
        *hook_seen.lock().unwrap() = Some((hook_terminal.contents(), panic.to_string()));
    }));
    bar::hook_for_panics();
    let caught = std::panic::catch_unwind(|| {
        let _progress = show();
        panic!("in a step");
    });
    let hooked = std::panic::take_hook();
    drop(hooked);
    std::panic::set_hook(before);
    assert!(caught.is_err());
    let (screen, message) = seen.lock().unwrap().take().unwrap();
    assert_eq!((screen.as_str(), terminal.contents().as_str()), ("", ""));
    assert!(message.contains("in a step"));
    drop(show());
    assert_eq!(terminal.contents(), "");
}
