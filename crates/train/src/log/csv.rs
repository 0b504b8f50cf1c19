//! A table with a row for each value.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use wengert_optim::Step;
use wengert_tensor::Float;

use super::append::Append;
use super::{Going, LogError, seconds, text_log};
use crate::event::{Event, Moment, RunObserver};

const HEAD: &[u8] = b"epoch,step,examples,elapsed,set,name,value\n";

/// Logs a run as a table of comma-separated values (RFC 4180) with a row for each value: `epoch,step,examples,elapsed,set,name,value`.
///
/// The values of steps (`loss`, `learning_rate`, `gradient_norm`) are those of the set `step`. Names with commas, quotes or
/// newlines are quoted; numbers that are none are `NaN`, `inf` and `-inf`, which pandas and R read. In pandas,
/// `table[table.set == "validation"].pivot(index="step", columns="name", values="value")` has a column for each name.
///
/// ```
/// use wengert_train::{Csv, Event, Moment, RunObserver};
/// # let folder = std::env::temp_dir().join(format!("wengert-csv-{}", std::process::id()));
/// let path = folder.join("log.csv");
/// let mut log = Csv::create(&path)?;
/// let event = Event::Values { set: "validation", values: &[("accuracy".to_owned(), 0.97)] };
/// let _ = RunObserver::<f32>::on(&mut log, &event, &Moment::default());
/// let table = std::fs::read_to_string(&path)?;
/// assert_eq!(table, "epoch,step,examples,elapsed,set,name,value\n0,0,0,0,validation,accuracy,0.97\n");
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Each event is in the file when `on` returns; a run that starts anew empties the file, one that goes on from a checkpoint
/// keeps what was logged up to there. What cannot be written does not end the run, as with [`JsonLines`](super::JsonLines).
#[derive(Debug)]
pub struct Csv {
    file: Append,
    going: Going,
    rows: Vec<u8>,
    stops: bool,
    uncut: Option<LogError>,
}

impl Csv {
    /// Logs to a file, in a folder that is made if it is missing. What the file has stays until the run starts.
    ///
    /// # Errors
    /// If the file cannot be opened, or is there and no such log.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, LogError> {
        let file = Append::open_log(path.as_ref(), HEAD)?;
        Ok(Csv { file, going: Going::new(), rows: Vec::new(), stops: false, uncut: None })
    }

    text_log!("Csv");

    /// Forgets what was logged of later steps, when the first event comes and when a run starts.
    fn go_on(&mut self, now: &Moment) {
        let known = self.going.restart(now.step);
        let cut = self.file.keep(
            |record| record.iter().filter(|&&byte| byte == b'"').count() % 2 == 0,
            |record| {
                if record == HEAD {
                    return true;
                }
                let Some((epoch, step, set)) = place(record) else { return false };
                let keep = now.step > 0 && step <= now.step;
                if keep && step == now.step && !known.contains(&(epoch, set.clone())) {
                    known.push((epoch, set));
                }
                keep
            },
        );
        self.uncut = cut.err();
    }

    /// Adds a row to those that are to be written.
    fn row(&mut self, now: &Moment, set: &str, name: &str, value: f64) {
        let elapsed = seconds(now.elapsed);
        let rows = &mut self.rows;
        // A vector takes all that is written to it.
        let _ = write!(rows, "{},{},{},{elapsed},", now.epoch, now.step, now.examples);
        field(rows, set);
        rows.push(b',');
        field(rows, name);
        let _ = writeln!(rows, ",{value}");
    }
}

/// A text as a field.
fn field(rows: &mut Vec<u8>, text: &str) {
    if !text.contains([',', '"', '\n', '\r']) {
        return rows.extend_from_slice(text.as_bytes());
    }
    rows.push(b'"');
    rows.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    rows.push(b'"');
}

/// Epoch, step and set of a record.
fn place(record: &[u8]) -> Option<(u64, u64, String)> {
    let text = std::str::from_utf8(record).ok()?;
    let mut fields = text.splitn(5, ',');
    let (epoch, step) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let rest = fields.nth(2)?;
    let set = match rest.strip_prefix('"') {
        // Up to a quote that is not doubled.
        Some(quoted) => quoted.replace("\"\"", "\0").split('"').next()?.replace('\0', "\""),
        None => rest.split(',').next()?.to_owned(),
    };
    // Of seven fields.
    (rest.matches(',').count() >= 2).then_some((epoch, step, set))
}

impl<T: Float> RunObserver<T> for Csv {
    fn on(&mut self, event: &Event<'_, T>, now: &Moment) -> ControlFlow<String> {
        if !self.going.started || matches!(event, Event::Start { .. }) {
            self.go_on(now);
        }
        self.rows.clear();
        if self.file.is_empty() {
            self.rows.extend_from_slice(HEAD);
        }
        match event {
            Event::Step(step) if now.step.is_multiple_of(self.going.every) => {
                self.row(now, "step", "loss", step.loss);
                self.row(now, "step", "learning_rate", step.learning_rate);
                if let Step::Updated { gradient_norm } = step.outcome
                    && !gradient_norm.is_nan()
                {
                    self.row(now, "step", "gradient_norm", gradient_norm);
                }
            }
            Event::Values { set, values } if !self.going.has(now.epoch, now.step, set) => {
                for (name, value) in *values {
                    self.row(now, set, name, *value);
                }
            }
            _ => {}
        }
        if !self.rows.is_empty() {
            self.file.write(&self.rows);
        }
        let over = matches!(event, Event::End { .. });
        if over {
            self.file.finish();
        }
        super::verdict(&self.file, &mut self.uncut, self.stops, over)
    }
}
