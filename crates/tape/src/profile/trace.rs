//! A profile as a file for viewers of traces.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use wengert_tensor::file::{AccessError, write_atomically};

use super::{Event, EventKind, Profile};

impl Profile {
    /// The profile in Google's Trace Event Format, as JSON: complete events (`"ph": "X"`) with times in microseconds, one
    /// row for each thread, and a counter of the bytes that are alive.
    ///
    /// ```
    /// use wengert_tape::{Var, profile};
    /// let (_, profile) = profile(|| Var::from([1.0f32]).exp());
    /// let trace = profile.to_trace();
    /// assert!(trace.starts_with("{\"displayTimeUnit\":\"ns\",\"traceEvents\":["));
    /// assert!(trace.contains("\"name\":\"exp\",\"cat\":\"operation\",\"ph\":\"X\""));
    /// ```
    pub fn to_trace(&self) -> String {
        let mut out = String::from("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
        let threads = self.events.iter().map(|event| event.thread + 1).max().unwrap_or(0);
        for thread in 0..threads {
            // Writing into a string cannot fail.
            let _ = write!(
                out,
                "{}{{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":{thread},\"args\":{{\"name\":\"thread {thread}\"}}}}",
                if thread == 0 { "\n" } else { ",\n" }
            );
        }
        for event in &self.events {
            write_event(&mut out, event);
        }
        out + "\n]}\n"
    }

    /// Writes [`to_trace`](Profile::to_trace) to a file, whole or not at all: `chrome://tracing` and
    /// <https://ui.perfetto.dev> show it.
    ///
    /// # Errors
    /// If the file cannot be written.
    ///
    /// ```
    /// use wengert_tape::{Var, profile};
    /// let (_, profile) = profile(|| Var::from([1.0f32]).exp());
    /// let path = std::env::temp_dir().join(format!("wengert-trace-{}.json", std::process::id()));
    /// profile.write_trace(&path)?;
    /// assert_eq!(std::fs::read_to_string(&path)?, profile.to_trace());
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "export_chrome_trace")]
    pub fn write_trace(&self, path: impl AsRef<Path>) -> Result<(), AccessError> {
        write_atomically(path.as_ref(), |file| {
            file.write_all(self.to_trace().as_bytes()).map_err(AccessError::from)
        })
    }
}

fn write_event(out: &mut String, event: &Event) {
    let kind = match event.kind {
        EventKind::Operation => "operation",
        EventKind::Rule => "rule",
        EventKind::Span => "span",
    };
    let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
    let (name, shapes) = (json(&event.name), json(&event.shapes));
    let _ = write!(
        out,
        ",\n{{\"name\":{name},\"cat\":\"{kind}\",\"ph\":\"X\",\"pid\":1,\"tid\":{},\"ts\":{:.3},\"dur\":{:.3},\"args\":{{\"order\":{}",
        event.thread,
        micros(event.start),
        micros(event.time),
        event.order,
    );
    if event.kind == EventKind::Operation {
        let _ = write!(out, ",\"shapes\":{shapes},\"flops\":{},\"bytes\":{}", event.flops, event.bytes);
    }
    out.push_str("}}");
    if event.kind == EventKind::Operation {
        let _ = write!(
            out,
            ",\n{{\"name\":\"bytes alive, thread {0}\",\"ph\":\"C\",\"pid\":1,\"tid\":{0},\"ts\":{1:.3},\"args\":{{\"bytes\":{2}}}}}",
            event.thread,
            micros(event.start + event.time),
            event.live_bytes,
        );
    }
}

/// A text as a JSON string.
fn json(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
