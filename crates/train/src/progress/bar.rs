//! A bar on a terminal.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use wengert_tensor::Float;

use super::lines::Lines;
use crate::event::{Event, Moment, RunObserver};
use crate::number::{Short, duration};

/// How often the bar changes.
const PERIOD: Duration = Duration::from_millis(100);

/// Shows a run: a bar of the epoch with the loss, the rate and the time that is left, on standard error if that is a
/// terminal, and a line for each epoch on standard output. Where standard error is a file or a pipe, there are the lines alone,
/// as by [`PlainLines`](super::PlainLines).
///
/// ```no_run
/// use wengert_nn::Params;
/// use wengert_train::{Event, Moment, Progress, RunObserver};
///
/// let params: Params = Params::seeded(0);
/// let mut progress = Progress::new();
/// let start = Event::Start { params: &params, settings: &[] };
/// let _ = RunObserver::<f32>::on(&mut progress, &start, &Moment::default());
/// ```
///
/// The bar is cleared when the run ends, when it is dropped, and before the message of a panic in any thread is printed: the
/// first bar of a process puts a step before the hook for panics that is set then, which does all that it did before.
pub struct Progress {
    bar: Option<Bar>,
    screen: Option<Screen>,
    lines: Lines,
    out: Box<dyn Write>,
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").field("bar", &self.screen.is_some()).finish_non_exhaustive()
    }
}

/// Where the bar is.
struct Screen {
    target: Box<dyn Fn() -> ProgressDrawTarget>,
    clear: Clear,
}

#[derive(Debug)]
struct Bar {
    shown: ProgressBar,
    epoch: u64,
    /// When this run's first step was under way, and how many were done.
    start: (Instant, u64, u64),
    last: Option<Instant>,
}

impl Progress {
    /// The bar on standard error, the lines on standard output.
    #[allow(clippy::new_without_default, reason = "as the other observers")]
    pub fn new() -> Self {
        let screen = std::io::stderr().is_terminal().then(|| Screen {
            target: Box::new(ProgressDrawTarget::stderr),
            clear: Arc::new(|| {
                let _ = std::io::stderr().write_all(b"\r\x1b[2K");
            }),
        });
        Progress { bar: None, screen, lines: Lines::default(), out: Box::new(std::io::stdout()) }
    }

    /// The bar on a terminal of one's own, the lines to a writer.
    pub fn to(terminal: impl TermLike + Clone + 'static, lines: impl Write + 'static) -> Self {
        let target = terminal.clone();
        let screen = Screen {
            target: Box::new(move || ProgressDrawTarget::term_like(Box::new(target.clone()))),
            clear: Arc::new(move || {
                let _ = terminal.clear_line().and_then(|()| terminal.flush());
            }),
        };
        Progress { bar: None, screen: Some(screen), lines: Lines::default(), out: Box::new(lines) }
    }

    /// Shows where the run is, if it is time for that.
    fn show(&mut self, now: &Moment, loss: f64) {
        let Some(bar) = &mut self.bar else { return };
        if bar.last.is_some_and(|last| last.elapsed() < PERIOD) {
            return;
        }
        bar.last = Some(Instant::now());
        let _active = lock();
        if now.batches > 0 {
            bar.shown.set_length(now.batches);
        }
        bar.shown.set_position(now.batch);
        bar.shown.set_message(bar.text(now, loss));
        bar.shown.tick();
    }

    /// Begins an epoch's bar, at once on the screen.
    fn begin(&mut self, now: &Moment) {
        let Some(screen) = &self.screen else { return };
        let start = match self.bar.take() {
            Some(old) => {
                let _active = lock();
                old.shown.finish_and_clear();
                old.start
            }
            None => (Instant::now(), now.step, now.examples),
        };
        clear_before_panics();
        let template = if now.batches > 0 {
            "{prefix} [{wide_bar}] {pos}/{len} {msg}"
        } else {
            "{prefix} {spinner} {pos} {msg}"
        };
        let style = ProgressStyle::with_template(template).expect("a valid template").progress_chars("=> ");
        let epochs = if now.epochs > 0 { format!("/{}", now.epochs) } else { String::new() };
        let mut active = lock();
        let shown =
            ProgressBar::with_draw_target((now.batches > 0).then_some(now.batches), (screen.target)())
                .with_style(style)
                .with_prefix(format!("epoch {}{epochs}", now.epoch))
                .with_position(now.batch);
        shown.tick();
        *active = Some(screen.clear.clone());
        drop(active);
        self.bar = Some(Bar { shown, epoch: now.epoch, start, last: None });
    }

    fn end(&mut self) {
        let (Some(bar), Some(screen)) = (self.bar.take(), &self.screen) else { return };
        let mut active = lock();
        bar.shown.finish_and_clear();
        if std::thread::panicking() {
            (screen.clear)();
        }
        *active = None;
    }
}

impl Bar {
    /// The loss, the rate and the time left.
    fn text(&self, now: &Moment, loss: f64) -> String {
        let (began, steps, examples) = self.start;
        let (time, done) = (began.elapsed().as_secs_f64(), now.step.saturating_sub(steps) as f64);
        let mut text = format!("loss {}", Short(loss));
        if done == 0.0 || time == 0.0 {
            return text;
        }
        let seen = now.examples.saturating_sub(examples) as f64;
        text += &match seen > 0.0 {
            true => format!(", {:.0} examples/s", seen / time),
            false => format!(", {:.1} steps/s", done / time),
        };
        if now.batches > 0 {
            // Of all epochs if it is known how many there are; an epoch's batches that took other than one step each count as many.
            let epochs = now.epochs.max(now.epoch);
            let left = (epochs - now.epoch + 1) * now.batches - now.batch.min(now.batches);
            let left = time / done * left as f64;
            if let Ok(left) = Duration::try_from_secs_f64(left) {
                text += &format!(", {} left", duration(left));
            }
        }
        text
    }
}

impl<T: Float> RunObserver<T> for Progress {
    fn on(&mut self, event: &Event<'_, T>, now: &Moment) -> ControlFlow<String> {
        match event {
            Event::Start { .. } | Event::Epoch => {}
            Event::Step(step) => {
                if self.bar.as_ref().is_none_or(|bar| bar.epoch != now.epoch) {
                    self.begin(now);
                }
                self.show(now, step.loss);
            }
            Event::End { .. } => self.end(),
            Event::Values { .. } | Event::Saved { .. } => {}
        }
        self.lines.take(event, now);
        let text = std::mem::take(&mut self.lines.ready);
        if !text.is_empty() {
            let mut print = || {
                let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
            };
            match &self.bar {
                Some(bar) => {
                    let _active = lock();
                    bar.shown.suspend(print);
                }
                None => print(),
            }
        }
        ControlFlow::Continue(())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

/// Clears the line of the bar that is on the screen. Who draws it holds the lock.
static ACTIVE: Mutex<Option<Clear>> = Mutex::new(None);

/// While a thread panics, the library for bars draws nothing and clears nothing.
type Clear = Arc<dyn Fn() + Send + Sync>;

fn lock() -> MutexGuard<'static, Option<Clear>> {
    ACTIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has the bar cleared before a panic prints its message, which would stand behind it.
fn clear_before_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(hook_for_panics);
}

fn hook_for_panics() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // A panic within the drawing itself has the lock.
        if let Ok(active) = ACTIVE.try_lock()
            && let Some(clear) = &*active
        {
            clear();
        }
        hook(panic);
    }));
}
