//! Curves of what was measured, as pictures.

use std::path::Path;

use wengert_plot::{Axis, Figure, Panel, PlotError, Series};

use crate::history::History;

/// A panel has a logarithmic axis if its values are positive and their ratios larger.
const WIDE: f64 = 30.0;

impl History {
    /// Draws all values over the steps to a file whose name ends in `.svg` or `.png`: a panel for each name, such as
    /// `loss`, and in it a curve for each set.
    ///
    /// # Errors
    /// If the name ends otherwise, or the file cannot be written; an older one is then still there.
    pub fn plot(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        self.figure("").write(path)
    }

    /// The drawing that [`plot`](History::plot) writes, with a title.
    ///
    /// ```
    /// use wengert_train::History;
    /// let mut history = History::default();
    /// for (epoch, loss) in [(1, 0.9), (2, 0.5), (3, 0.4)] {
    ///     history.push(epoch, 10 * epoch, "train", "loss", loss);
    ///     history.push(epoch, 10 * epoch, "test", "loss", loss + 0.1);
    /// }
    /// let svg = history.figure("Digits").note("Two layers.").to_svg()?;
    /// assert!(["Digits", "Two layers.", "train", "test"].iter().all(|text| svg.contains(text)));
    /// # Ok::<(), wengert_plot::PlotError>(())
    /// ```
    pub fn figure(&self, title: impl Into<String>) -> Figure<'static> {
        let (mut sets, mut names): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        for row in &self.rows {
            if !sets.contains(&&*row.set) {
                sets.push(&row.set);
            }
            if !names.contains(&&*row.name) {
                names.push(&row.name);
            }
        }
        let panels: Vec<Panel<'static>> = names.iter().map(|name| self.panel(name, &sets)).collect();
        let columns = if panels.len() == 1 { 1 } else { 2 };
        let rows = panels.len().div_ceil(columns).max(1) as u32;
        let width = 230 + if columns == 1 { 570 } else { 850 };
        Figure::new(title, panels).columns(columns).size(width, 46 + 330 * rows)
    }

    fn panel(&self, name: &str, sets: &[&str]) -> Panel<'static> {
        let values =
            || self.rows.iter().filter(|r| r.name == name).map(|r| r.value).filter(|v| v.is_finite());
        let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let axis = if low > 0.0 && high > WIDE * low { Axis::log(name) } else { Axis::new(name) };
        let mut panel = Panel::new(Axis::new("step"), axis);
        for (look, set) in sets.iter().enumerate() {
            let points: Vec<(f64, f64)> = self
                .rows
                .iter()
                .filter(|row| row.name == name && row.set == *set)
                .map(|row| (row.step as f64, row.value))
                .collect();
            if !points.is_empty() {
                // With a dot at its end, a curve of one point is seen too.
                panel = panel.with(Series::path(*set, look, points));
            }
        }
        panel
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_panel_for_each_name_and_a_curve_for_each_set() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::default();
        for i in 0..50u32 {
            let (step, t) = (u64::from(10 * i), f64::from(i));
            history.push(0, step, "train", "loss", (-0.2 * t).exp());
            history.push(
                0,
                step,
                "validation",
                "loss",
                if i == 7 { f64::NAN } else { 0.1 + (-0.2 * t).exp() },
            );
            history.push(0, step, "validation", "accuracy <1>", 1.0 - 0.5 * (-0.1 * t).exp());
        }
        history.push(1, 500, "test", "accuracy <1>", 0.99);
        let svg = history.figure("A & B").to_svg().unwrap();
        for text in ["A &amp; B", "train", "validation", "test", "loss", "accuracy &lt;1&gt;", "step"] {
            assert!(svg.contains(text), "{text}");
        }
        history.plot(folder.path().join("curves.svg")).unwrap();
        history.plot(folder.path().join("curves.png")).unwrap();
        assert!(matches!(history.plot(folder.path().join("curves.pdf")), Err(PlotError::Extension { .. })));
        History::default().plot(folder.path().join("empty.svg")).unwrap();
    }
}
