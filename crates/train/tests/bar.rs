//! The bar on a terminal: one test in a process of its own, as a panic in any thread clears the bar.
#![cfg(feature = "progress")]

#[path = "train/common/mod.rs"]
mod common;
#[path = "train/common/text.rs"]
mod text;

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Model, data};
use indicatif::InMemoryTerm;
use text::Text;
use wengert_nn::Losses;
use wengert_optim::Adam;
use wengert_train::{Event, Moment, PlainLines, Progress, RunObserver, Trainer};

/// Looks at the terminal after each step, and what the loss was.
struct Looking<'a> {
    terminal: InMemoryTerm,
    screens: &'a mut Vec<(String, f64)>,
}

impl RunObserver for Looking<'_> {
    fn on(&mut self, event: &Event<'_>, _: &Moment) -> ControlFlow<String> {
        if let Event::Step(step) = event {
            self.screens.push((self.terminal.contents(), step.loss));
            // Longer than the shortest time between two drawings.
            std::thread::sleep(Duration::from_millis(120));
        }
        ControlFlow::Continue(())
    }
}

/// Three epochs of five batches, shown on the terminal and by lines, and by the lines alone; what is done before each step may break off.
fn train(
    terminal: &InMemoryTerm,
    [lines, plain]: [&Text; 2],
    screens: &mut Vec<(String, f64)>,
    before: &mut dyn FnMut(u64) -> ControlFlow<()>,
) {
    let (train, _) = data();
    let (mut params, model) = Model::new();
    let mut run = Trainer::new(&mut params, Adam::new(1e-2))
        .observe(Progress::to(terminal.clone(), lines.clone()))
        .observe(PlainLines::to(plain.clone()))
        .observe(Looking { terminal: terminal.clone(), screens })
        .start()
        .unwrap();
    for epoch in run.epochs(3).unwrap() {
        for (images, labels) in epoch.batches(train.batches(10)).unwrap() {
            if before(run.now().step).is_break() {
                return;
            }
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
        }
    }
    run.finish().unwrap();
}

#[test]
fn the_bar_shows_where_the_run_is_and_is_gone_afterwards_and_before_panics() {
    let (terminal, lines, plain) = (InMemoryTerm::new(10, 100), Text::default(), Text::default());
    // What the screen shows when a panic is told. The first bar puts its own hook before this one.
    let seen = Arc::new(Mutex::new(None));
    let (hook_seen, hook_terminal) = (seen.clone(), terminal.clone());
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        *hook_seen.lock().unwrap() = Some((hook_terminal.contents(), panic.to_string()));
        usual(panic);
    }));

    let mut looked = Vec::new();
    train(&terminal, [&lines, &plain], &mut looked, &mut |_| ControlFlow::Continue(()));
    assert_eq!((looked.len(), lines.lines().len()), (15, 4));
    assert_eq!(lines.lines(), plain.lines());
    assert_eq!(terminal.contents(), "");
    for (i, (screen, loss)) in looked.iter().enumerate() {
        let (epoch, batch) = (i / 5 + 1, i % 5 + 1);
        assert!(screen.starts_with(&format!("epoch {epoch}/3 [")) && screen.lines().count() == 1, "{screen}");
        assert!(screen.contains(&format!("] {batch}/5 loss {loss:.4}")), "{i}: {screen}");
    }
    assert!(looked[7].0.contains(" examples/s, ") && looked[7].0.ends_with(" s left"), "{}", looked[7].0);

    // Where a bar is, `end` comes in the third step.
    let broken_off = |end: &dyn Fn() -> ControlFlow<()>| {
        let [lines, plain] = [Text::default(), Text::default()];
        train(&terminal, [&lines, &plain], &mut Vec::new(), &mut |step| match step {
            2 => {
                assert!(terminal.contents().starts_with("epoch 1/3 ["), "{}", terminal.contents());
                end()
            }
            _ => ControlFlow::Continue(()),
        });
    };
    // A panic's message does not stand behind a bar, and nothing of the bar stands after it.
    let caught =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| broken_off(&|| panic!("in a step"))));
    assert!(caught.is_err());
    let (screen, message) = seen.lock().unwrap().take().unwrap();
    assert_eq!((screen.as_str(), terminal.contents().as_str()), ("", ""));
    assert!(message.contains("in a step"), "{message}");
    // Nor of one whose run is dropped.
    broken_off(&|| ControlFlow::Break(()));
    assert_eq!(terminal.contents(), "");
}
