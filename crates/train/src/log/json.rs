//! A line of JSON for each event.

use std::ops::ControlFlow;
use std::path::Path;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use wengert_optim::Step;
use wengert_tensor::Float;

use super::append::Append;
use super::{Going, LogError, seconds, text_log};
use crate::event::{Event, Moment, RunObserver, StepReport};
use crate::number::serde_number;

/// What each line begins with.
const HEAD: &[u8] = b"{\"kind\":\"";

/// Logs a run as JSON lines: an object for each event, with a `kind` of `start`, `step`, `values`, `saved` or `end`.
///
/// ```
/// use wengert_train::{Event, JsonLines, Moment, RunObserver};
/// # let folder = std::env::temp_dir().join(format!("wengert-json-{}", std::process::id()));
/// let path = folder.join("log.jsonl");
/// let mut log = JsonLines::create(&path)?;
/// let values = [("accuracy".to_owned(), 0.97), ("loss".to_owned(), f64::NAN)];
/// let event = Event::Values { set: "validation", values: &values };
/// let _ = RunObserver::<f32>::on(&mut log, &event, &Moment::default());
/// let line = std::fs::read_to_string(&path)?;
/// assert!(line.starts_with(r#"{"kind":"values","epoch":0,"step":0,"#));
/// assert!(line.ends_with("\"set\":\"validation\",\"values\":{\"accuracy\":0.97,\"loss\":\"NaN\"}}\n"));
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Numbers that JSON lacks are the texts `"NaN"`, `"Infinity"` and `"-Infinity"`, which Python's `float` and JavaScript's
/// `Number` read. Times are in seconds. Each event is in the file when `on` returns; a run that starts anew empties the file,
/// one that goes on from a checkpoint keeps what was logged up to there.
///
/// What cannot be written does not end the run: it waits, is tried again, and [`error`](JsonLines::error) tells of it after a
/// run that was lent the log, `observe(&mut log)`. [`stop_on_error`](JsonLines::stop_on_error) is for those who prefer no run to one without a log.
#[derive(Debug)]
pub struct JsonLines {
    file: Append,
    going: Going,
    line: Vec<u8>,
    stops: bool,
    uncut: Option<LogError>,
}

impl JsonLines {
    /// Logs to a file, in a folder that is made if it is missing. What the file has stays until the run starts.
    ///
    /// # Errors
    /// If the file cannot be opened, or is there and no such log.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, LogError> {
        let file = Append::open_log(path.as_ref(), HEAD)?;
        Ok(JsonLines { file, going: Going::new(), line: Vec::new(), stops: false, uncut: None })
    }

    text_log!("JsonLines");

    /// Forgets what was logged of later steps, when the first event comes and when a run starts.
    fn go_on(&mut self, now: &Moment) {
        let known = self.going.restart(now.step);
        let cut = self.file.keep(
            |_| true,
            |line| {
                let Ok(found) = serde_json::from_slice::<Found>(line) else { return false };
                if let ("values", true, Some(set)) = (&*found.kind, found.step == now.step, found.set) {
                    known.push((found.epoch, set.into_owned()));
                }
                now.step > 0 && found.step <= now.step
            },
        );
        if now.step == 0 {
            self.going.known.clear();
        }
        self.uncut = cut.err();
    }

    fn write(&mut self, line: &impl Serialize) {
        self.line.clear();
        match serde_json::to_writer(&mut self.line, line) {
            Ok(()) => self.line.push(b'\n'),
            // Nothing that is written here can fail to be JSON.
            Err(error) => unreachable!("a line of a log: {error}"),
        }
        self.file.write(&self.line);
    }
}

/// What of a line says whether it is kept.
#[derive(Deserialize)]
struct Found<'a> {
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
    epoch: u64,
    step: u64,
    #[serde(borrow, default)]
    set: Option<std::borrow::Cow<'a, str>>,
}

/// A line. The place comes first.
#[derive(Serialize)]
struct Line<'a> {
    kind: &'static str,
    epoch: u64,
    step: u64,
    examples: u64,
    elapsed: f64,
    #[serde(flatten)]
    rest: Rest<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Rest<'a> {
    Start { parameters: usize, settings: Settings<'a> },
    Step(StepLine),
    Values { set: &'a str, values: Values<'a> },
    Saved { path: String },
    End { reason: &'a str },
}

#[derive(Serialize)]
struct StepLine {
    #[serde(with = "serde_number")]
    loss: f64,
    #[serde(with = "serde_number")]
    learning_rate: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    gradient_norm: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accumulated: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<u64>,
}

#[derive(Serialize)]
struct Number(#[serde(with = "serde_number")] f64);

impl StepLine {
    fn new<T: Float>(step: &StepReport<'_, T>) -> Self {
        let (mut norm, mut accumulated, mut skipped) = (None, None, None);
        match step.outcome {
            // NaN where nothing asked for it to be measured.
            Step::Updated { gradient_norm } if gradient_norm.is_nan() => {}
            Step::Updated { gradient_norm } => norm = Some(Number(gradient_norm)),
            Step::Accumulated { gradients } => accumulated = Some(gradients),
            Step::Skipped { skipped: all } => skipped = Some(all),
        }
        StepLine {
            loss: step.loss,
            learning_rate: step.learning_rate,
            gradient_norm: norm,
            accumulated,
            skipped,
        }
    }
}

struct Settings<'a>(&'a [(String, String)]);

impl Serialize for Settings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

struct Values<'a>(&'a [(String, f64)]);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, &Number(*value))?;
        }
        map.end()
    }
}

impl<T: Float> RunObserver<T> for JsonLines {
    fn on(&mut self, event: &Event<'_, T>, now: &Moment) -> ControlFlow<String> {
        if !self.going.started || matches!(event, Event::Start { .. }) {
            self.go_on(now);
        }
        let (kind, rest) = match event {
            Event::Start { params, settings } => {
                ("start", Rest::Start { parameters: params.len(), settings: Settings(settings) })
            }
            Event::Step(step) if now.step.is_multiple_of(self.going.every) => {
                ("step", Rest::Step(StepLine::new(step)))
            }
            Event::Values { set, values } if !self.going.has(now.epoch, now.step, set) => {
                ("values", Rest::Values { set, values: Values(values) })
            }
            Event::Saved { path } => ("saved", Rest::Saved { path: path.display().to_string() }),
            Event::End { reason } => ("end", Rest::End { reason }),
            Event::Epoch | Event::Step(_) | Event::Values { .. } => return ControlFlow::Continue(()),
        };
        self.write(&Line {
            kind,
            epoch: now.epoch,
            step: now.step,
            examples: now.examples,
            elapsed: seconds(now.elapsed),
            rest,
        });
        let over = matches!(event, Event::End { .. });
        if over {
            self.file.finish();
        }
        super::verdict(&self.file, &mut self.uncut, self.stops, over)
    }
}
