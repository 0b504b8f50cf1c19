//! A recording as a drawing.

use std::fmt::Write;

use wengert_tensor::Float;

use crate::data::Kind;
use crate::tape::Tape;
use crate::walk::Step;

impl<T: Float> Tape<T> {
    /// The recording as a graph in the language of Graphviz: `dot -Tsvg` draws it. Inputs are ellipses, constants are
    /// without a frame, and values that are no floating-point numbers are dashed. If the tape was made inside of a
    /// [`profile`](crate::profile), an operation has the time that its value took, and that of its rules, where sweeps have run
    /// them: draw before a sweep that consumes the tape.
    ///
    /// ```
    /// use wengert_tape::Tape;
    /// let tape = Tape::complete();
    /// let x = tape.var([[1.0f64, 2.0]]);
    /// let y = x.tanh().sum_axes(1, false);
    /// let dot = tape.to_dot();
    /// assert!(dot.contains(r#"2 [label="sum\naxes=[1], keepdim=false\n[1]""#) && dot.contains("1 -> 2"));
    ///
    /// let (timed, _) = wengert_tape::profile(|| {
    ///     let tape = Tape::new();
    ///     tape.var([1.0f64]).exp();
    ///     tape.to_dot()
    /// });
    /// assert!(timed.contains(" µs"));
    /// ```
    pub fn to_dot(&self) -> String {
        let mut out = String::from("digraph tape {\n  node [shape=box, fontname=\"Helvetica\"];\n");
        for (number, step) in self.steps().iter().enumerate() {
            let label = self.lines(number, step).join("\\n").replace('"', "\\\"");
            let shape = match step.name() {
                _ if step.is_operation() => "",
                "constant" => ", shape=plaintext",
                _ => ", shape=ellipse",
            };
            let style = if step.kind() == Kind::Float { "" } else { ", style=dashed" };
            // Writing into a string cannot fail.
            let _ = writeln!(out, "  {number} [label=\"{label}\"{shape}{style}];");
            for input in step.inputs().iter().flatten() {
                let _ = writeln!(out, "  {input} -> {number};");
            }
        }
        out + "}\n"
    }

    /// The recording as a flowchart in the language of Mermaid, which Markdown on many sites shows as a picture; with times where
    /// [`to_dot`](Tape::to_dot) has them.
    ///
    /// ```
    /// use wengert_tape::Tape;
    /// let tape = Tape::complete();
    /// let y = tape.var([1.0f64, 2.0]).tanh();
    /// let lines = ["flowchart TD", r#"  0(["input<br/>[2]"])"#, r#"  1["tanh<br/>[2]"]"#, "  0 --> 1", ""];
    /// assert_eq!(tape.to_mermaid(), lines.join("\n"));
    /// ```
    pub fn to_mermaid(&self) -> String {
        let mut out = String::from("flowchart TD\n");
        let steps = self.steps();
        for (number, step) in steps.iter().enumerate() {
            let label = self.lines(number, step).join("<br/>").replace('"', "#quot;");
            let (open, close) = match step.name() {
                _ if step.is_operation() => ("[\"", "\"]"),
                "constant" => (">\"", "\"]"),
                _ => ("([\"", "\"])"),
            };
            let _ = writeln!(out, "  {number}{open}{label}{close}");
            for &input in step.inputs().iter().flatten() {
                let arrow = if steps[input].kind() == Kind::Float { "-->" } else { "-.->" };
                let _ = writeln!(out, "  {input} {arrow} {number}");
            }
        }
        out
    }

    /// The name, the attributes if there are any, the shape with the kind of the elements, and the times if they are known.
    fn lines(&self, number: usize, step: &Step<T>) -> Vec<String> {
        let shape = match step.kind() {
            Kind::Float => step.shape().to_string(),
            kind => format!("{kind} {}", step.shape()),
        };
        let attributes = step.attributes();
        let middle = (!attributes.is_empty()).then(|| attributes.to_string());
        let times = self.arena.timed.as_ref().and_then(|timed| timed.times(number as u32));
        let times = times.map(|times| times.to_string()).filter(|text| !text.is_empty());
        [Some(step.name().to_owned()), middle, Some(shape), times].into_iter().flatten().collect()
    }
}
