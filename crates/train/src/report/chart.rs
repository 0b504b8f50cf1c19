//! Curves as SVG that takes its colours from the page.

use std::fmt::Write;

use super::page::escaped;
use crate::history::History;
use crate::number::short;

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 280.0;
/// Where the frame begins and ends.
const LEFT: f64 = 58.0;
const RIGHT: f64 = WIDTH - 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = HEIGHT - 40.0;

/// Colours of sets; then they come again.
const COLOURS: usize = 6;

/// An axis is logarithmic if its values are positive and their ratios larger.
const WIDE: f64 = 30.0;

/// A chart for each name, with a curve for each set.
pub(super) fn charts(history: &History) -> String {
    let (mut sets, mut names): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for row in &history.rows {
        if !sets.contains(&&*row.set) {
            sets.push(&row.set);
        }
        if !names.contains(&&*row.name) {
            names.push(&row.name);
        }
    }
    let mut html = String::new();
    for name in names {
        let curves: Vec<Curve<'_>> = sets
            .iter()
            .enumerate()
            .map(|(colour, set)| Curve {
                set,
                colour: colour % COLOURS,
                points: history
                    .rows
                    .iter()
                    .filter(|row| row.name == name && row.set == *set)
                    .map(|row| (row.step as f64, row.value))
                    .collect(),
            })
            .filter(|curve| !curve.points.is_empty())
            .collect();
        chart(&mut html, name, &curves);
    }
    html
}

struct Curve<'a> {
    set: &'a str,
    colour: usize,
    points: Vec<(f64, f64)>,
}

fn chart(html: &mut String, name: &str, curves: &[Curve<'_>]) {
    let _ = write!(html, "<figure class=\"chart\"><figcaption><b>{}</b>", escaped(name));
    for curve in curves {
        let _ = write!(html, " <span class=\"key c{}\">{}</span>", curve.colour, escaped(curve.set));
    }
    let _ = writeln!(
        html,
        "</figcaption>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{} by step\">",
        escaped(name)
    );
    let values = || curves.iter().flat_map(|curve| &curve.points).filter(|p| p.1.is_finite());
    let x = Axis::new(values().map(|p| p.0), false);
    let y = Axis::new(values().map(|p| p.1), true);
    let across = |value: f64| LEFT + x.part(value) * (RIGHT - LEFT);
    let down = |value: f64| BOTTOM - y.part(value) * (BOTTOM - TOP);
    for tick in x.ticks() {
        let at = across(tick);
        let _ = writeln!(
            html,
            "<line class=\"grid\" x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{BOTTOM}\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            BOTTOM + 16.0,
            number(tick)
        );
    }
    for tick in y.ticks() {
        let at = down(tick);
        let _ = writeln!(
            html,
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{RIGHT}\" y2=\"{at:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            at + 4.0,
            number(tick)
        );
    }
    let _ = writeln!(
        html,
        "<rect class=\"frame\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">step</text>",
        RIGHT - LEFT,
        BOTTOM - TOP,
        (LEFT + RIGHT) / 2.0,
        HEIGHT - 6.0
    );
    for curve in curves {
        let colour = curve.colour;
        // A value that is not finite is a gap.
        for part in curve.points.split(|point| !point.1.is_finite()) {
            let mut line = String::new();
            for &(step, value) in part {
                let _ = write!(line, "{:.1},{:.1} ", across(step), down(value));
            }
            if part.len() > 1 {
                let _ = writeln!(html, "<polyline class=\"c{colour}\" points=\"{}\"/>", line.trim_end());
            }
        }
        if let Some(&(step, value)) = curve.points.iter().rev().find(|point| point.1.is_finite()) {
            let _ = writeln!(
                html,
                "<circle class=\"c{colour}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"><title>{} {} at step {step}</title></circle>",
                across(step),
                down(value),
                escaped(curve.set),
                short(value)
            );
        }
    }
    html.push_str("</svg></figure>\n");
}

/// A range of values, and how they are laid out.
struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Axis {
    /// The range of the values with some air, logarithmic if that is allowed and they are wide apart.
    fn new(values: impl Iterator<Item = f64>, may_be_logarithmic: bool) -> Self {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            return Axis { low: 0.0, high: 1.0, logarithmic: false };
        }
        let logarithmic = may_be_logarithmic && low > 0.0 && high / WIDE > low;
        let (low, high) = if logarithmic { (low.log10(), high.log10()) } else { (low, high) };
        let air = 0.03 * (high - low);
        let air = if air > 0.0 && air.is_finite() { air } else { 0.5 * low.abs().max(1.0) };
        Axis { low: (low - air).max(f64::MIN), high: (high + air).min(f64::MAX), logarithmic }
    }

    /// Where a value is, from 0 to 1.
    fn part(&self, value: f64) -> f64 {
        let place = if self.logarithmic { value.log10() } else { value };
        // Halves, as the difference of the largest numbers overflows.
        ((place / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)).clamp(0.0, 1.0)
    }

    /// Round values, some five; powers of ten, or with few of these 2 and 5 times them, on a logarithmic axis.
    fn ticks(&self) -> Vec<f64> {
        if self.logarithmic {
            let step = ((self.high - self.low) / 6.0).ceil().max(1.0);
            let digits: &[f64] = if self.high - self.low < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
            let first = (self.low / step).floor();
            return (0..12)
                .flat_map(|i| digits.iter().map(move |d| d * 10f64.powf((first + f64::from(i)) * step)))
                .filter(|tick| (self.low..=self.high).contains(&tick.log10()))
                .collect();
        }
        let rough = self.high / 5.0 - self.low / 5.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power).into_iter().find(|s| *s >= rough * 0.999);
        let Some(step) = step else { return Vec::new() };
        let first = (self.low / step).ceil();
        (0..8).map(|i| (first + f64::from(i)) * step).filter(|tick| *tick <= self.high).collect()
    }
}

/// A tick's number: as few digits as it has.
fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".into();
    }
    let text = if !(0.99e-4..1e7).contains(&size) {
        let text = format!("{value:.3e}");
        match text.split_once('e') {
            Some((digits, power)) => {
                format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'))
            }
            None => text,
        }
    } else {
        let text = format!("{value:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(values: &[f64], logarithmic: bool) -> Vec<String> {
        Axis::new(values.iter().copied(), logarithmic).ticks().into_iter().map(number).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(&[0.0, 1.0], false), ["0", "0.5", "1"]);
        assert_eq!(ticks(&[10.0, 938.0], false), ["0", "200", "400", "600", "800"]);
        assert_eq!(ticks(&[-3e-9, 5e-9], false), ["−2e−9", "0", "2e−9", "4e−9"]);
        assert_eq!(ticks(&[1e-6, 3.0], true), ["1e−6", "0.0001", "0.01", "1"]);
        assert_eq!(ticks(&[0.02, 0.9], true), ["0.02", "0.05", "0.1", "0.2", "0.5", "1"]);
        assert!(ticks(&[5.0], false).contains(&"5".to_owned()));
        assert!(ticks(&[], false).len() > 2);
        assert!(ticks(&[f64::MIN, f64::MAX], false).len() < 9);
    }

    #[test]
    fn all_points_are_in_the_frame() {
        for values in [
            vec![f64::MIN, 0.0, f64::MAX],
            vec![1e-300, 1e300],
            vec![0.0, 0.0],
            vec![-0.0],
            vec![5e-324, 1.0],
        ] {
            let axis = Axis::new(values.iter().copied(), true);
            for &value in &values {
                assert!((0.0..=1.0).contains(&axis.part(value)), "{value} of {values:?}");
            }
            assert!(axis.ticks().len() < 40 && axis.ticks().iter().all(|t| !t.is_nan()));
        }
    }
}
