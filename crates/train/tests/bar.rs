//! The bar on a terminal: one test in a process of its own, as a panic in any thread clears the bar.
#![cfg(feature = "progress")]

mod common;

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Model, data};
use indicatif::InMemoryTerm;
use wengert_nn::Losses;
use wengert_optim::Adam;
use wengert_train::{Event, Moment, Progress, RunObserver, Trainer};

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

/// Looks at the terminal after each step.
struct Looking<'a> {
    terminal: InMemoryTerm,
    screens: &'a mut Vec<String>,
}

impl RunObserver for Looking<'_> {
    fn on(&mut self, event: &Event<'_>, _: &Moment) -> ControlFlow<String> {
        if let Event::Step(_) = event {
            self.screens.push(self.terminal.contents());
            // Longer than the shortest time between two drawings.
            std::thread::sleep(Duration::from_millis(120));
        }
        ControlFlow::Continue(())
    }
}

/// Three epochs of five batches, shown; with a panic in that step, if one is given.
fn train(terminal: &InMemoryTerm, lines: &Text, panic_in: Option<u64>, screens: &mut Vec<String>) {
    let (train, _) = data();
    let (mut params, model) = Model::new();
    let mut run = Trainer::new(&mut params, Adam::new(1e-2))
        .observe(Progress::to(terminal.clone(), lines.clone()))
        .observe(Looking { terminal: terminal.clone(), screens })
        .start()
        .unwrap();
    for epoch in run.epochs(3).unwrap() {
        for (images, labels) in epoch.batches(train.batches(10)).unwrap() {
            assert_ne!(Some(run.now().step), panic_in, "in a step");
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
        }
    }
    run.finish().unwrap();
}

#[test]
fn the_bar_shows_where_the_run_is_and_is_gone_afterwards_and_before_panics() {
    let (terminal, lines, mut screens) = (InMemoryTerm::new(10, 100), Text::default(), Vec::new());
    // What the screen shows when a panic is told. The first bar puts its own hook before this one.
    let seen = Arc::new(Mutex::new(None));
    let (hook_seen, hook_terminal) = (seen.clone(), terminal.clone());
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        *hook_seen.lock().unwrap() = Some((hook_terminal.contents(), panic.to_string()));
        before(panic);
    }));

    train(&terminal, &lines, None, &mut screens);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(text.starts_with("epoch 1/3, step 5: ") && text.lines().count() == 4, "{text}");
    assert_eq!((screens.len(), terminal.contents().as_str()), (15, ""));
    assert!(screens[0].starts_with("epoch 1/3 [") && screens[0].contains("] 1/5 loss "), "{screens:?}");
    assert!(screens[4].contains("] 5/5 loss "), "{screens:?}");
    assert!(screens[7].starts_with("epoch 2/3 [") && screens[7].contains("] 3/5 loss "), "{screens:?}");
    assert!(screens[7].contains(" examples/s, ") && screens[7].ends_with(" s left"), "{screens:?}");
    assert!(screens.iter().all(|screen| screen.lines().count() == 1), "{screens:?}");

    // A panic's message does not stand behind a bar, and nothing of the bar stands after it.
    let caught = std::panic::catch_unwind(|| {
        let mut screens = Vec::new();
        train(&terminal, &Text::default(), Some(2), &mut screens);
    });
    assert!(caught.is_err());
    let (screen, message) = seen.lock().unwrap().take().unwrap();
    assert_eq!((screen.as_str(), terminal.contents().as_str()), ("", ""));
    assert!(message.contains("in a step"), "{message}");
}
