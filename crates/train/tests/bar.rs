//! The bar on a terminal: one test in a process of its own, as a panic in any thread clears the bar.
#![cfg(feature = "progress")]

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::InMemoryTerm;
use wengert_nn::{Grads, Init, Params};
use wengert_optim::Step;
use wengert_train::{Event, Moment, Progress, RunObserver, StepReport};

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

fn model() -> (Params, Grads) {
    let mut params: Params = Params::seeded(0);
    let weight = params.root().param("weight", [3], Init::Constant(2.0));
    let (_, grads) = params.value_and_grad(|cx| cx.param(weight).square().sum()).unwrap();
    (params, grads)
}

fn tell(progress: &mut Progress, event: &Event<'_>, now: &Moment) {
    assert!(RunObserver::<f32>::on(progress, event, now).is_continue());
}

fn step(progress: &mut Progress, now: &Moment, loss: f64) {
    let (params, grads) = model();
    let outcome = Step::Updated { gradient_norm: 1.0 };
    let report =
        StepReport { loss, examples: 10, learning_rate: 0.1, outcome, params: &params, grads: &grads };
    tell(progress, &Event::Step(&report), now);
}

/// Batch `batch` of three in an epoch of twelve.
fn at(epoch: u64, batch: u64) -> Moment {
    let step = 3 * epoch + batch;
    Moment { epoch: epoch + 1, epochs: 12, batch, batches: 3, step, examples: 10 * step, ..Moment::default() }
}

/// Two epochs, looked at after each step.
fn run(progress: &mut Progress, terminal: &InMemoryTerm) -> Vec<String> {
    let mut screens = Vec::new();
    let (params, _) = model();
    tell(progress, &Event::Start { params: &params, settings: &[] }, &at(0, 0));
    for epoch in 0..2 {
        tell(progress, &Event::Epoch, &at(epoch, 0));
        for batch in 1..=3 {
            let now = at(epoch, batch);
            step(progress, &now, 0.5 / now.step as f64);
            screens.push(terminal.contents());
            // Longer than the shortest time between two drawings.
            std::thread::sleep(Duration::from_millis(120));
        }
        let values = [("loss".to_owned(), 0.25)];
        tell(progress, &Event::Values { set: "train", values: &values }, &at(epoch, 3));
    }
    tell(progress, &Event::End { reason: "all epochs are done" }, &at(1, 3));
    screens
}

#[test]
fn the_bar_shows_where_the_run_is_and_is_gone_afterwards_and_before_panics() {
    let (terminal, text) = (InMemoryTerm::new(10, 100), Text::default());
    // What the screen shows when a panic is told. The first bar puts its own hook before this one.
    let seen = Arc::new(Mutex::new(None));
    let (hook_seen, hook_terminal) = (seen.clone(), terminal.clone());
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        *hook_seen.lock().unwrap() = Some((hook_terminal.contents(), panic.to_string()));
        before(panic);
    }));

    let screens = run(&mut Progress::to(terminal.clone(), text.clone()), &terminal);
    let lines = String::from_utf8(text.0.lock().unwrap().clone()).unwrap();
    assert_eq!(lines.lines().count(), 3, "{lines}");
    assert!(lines.starts_with("epoch  1/12, step 3: train loss 0.2500;"), "{lines}");
    assert_eq!(terminal.contents(), "");
    assert!(screens[0].starts_with("epoch 1/12 [") && screens[0].contains("1/3 loss 0.5000"), "{screens:?}");
    assert!(screens[2].contains("3/3 loss 0.1667,"), "{screens:?}");
    assert!(screens[4].starts_with("epoch 2/12 [") && screens[4].contains("examples/s, "), "{screens:?}");
    assert!(screens[4].ends_with(" s left") && screens[4].lines().count() == 1, "{screens:?}");

    // A panic's message does not stand behind a bar, and nothing of the bar stands after it.
    let show = || {
        let mut progress = Progress::to(terminal.clone(), text.clone());
        step(&mut progress, &Moment { epochs: 0, ..at(0, 1) }, 0.5);
        assert!(terminal.contents().starts_with("epoch 1 ["), "{}", terminal.contents());
        progress
    };
    let caught = std::panic::catch_unwind(|| {
        let _progress = show();
        panic!("in a step");
    });
    assert!(caught.is_err());
    let (screen, message) = seen.lock().unwrap().take().unwrap();
    assert_eq!((screen.as_str(), terminal.contents().as_str()), ("", ""));
    assert!(message.contains("in a step"), "{message}");
    drop(show());
    assert_eq!(terminal.contents(), "");
}
