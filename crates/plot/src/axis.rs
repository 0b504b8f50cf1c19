//! Axes: ranges, places of the ticks, and what is written at them.

/// An axis with its label, which names the unit if there is one.
#[derive(Clone, Debug)]
pub struct Axis {
    pub(crate) label: String,
    scale: Scale,
    range: Option<(f64, f64)>,
}

/// What is equally far apart along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// Equal differences.
    Linear,
    /// Equal ratios.
    Log,
    /// Equal ratios of what is missing to a hundred per cent.
    Nines,
}

/// The ticks of a scale of nines, in per cent.
const NINES: [f64; 14] = [0.0, 50.0, 80.0, 90.0, 95.0, 97.0, 98.0, 98.5, 99.0, 99.3, 99.5, 99.7, 99.8, 99.9];

impl Axis {
    /// A linear axis.
    pub fn new(label: impl Into<String>) -> Self {
        Axis { label: label.into(), scale: Scale::Linear, range: None }
    }

    /// A logarithmic axis; values that are not positive are left out.
    pub fn log(label: impl Into<String>) -> Self {
        Axis { scale: Scale::Log, ..Self::new(label) }
    }

    /// An axis of percentages near 100, on which halving what is missing is the same length everywhere; values of 100
    /// and above are left out.
    pub fn nines(label: impl Into<String>) -> Self {
        Axis { scale: Scale::Nines, ..Self::new(label) }
    }

    /// From `low` to `high`, whatever the data.
    ///
    /// ```
    /// use wengert_plot::{Axis, Figure, Panel, Series};
    /// let curve = Series::line("test", 0, vec![(1.0, 0.6), (2.0, 0.7)]);
    /// let panel = Panel::new(Axis::new("epoch"), Axis::new("accuracy").range(0.0, 1.0)).with(curve);
    /// let svg = Figure::new("Digits", vec![panel]).to_svg()?;
    /// assert!(svg.contains("\n0.0\n") && svg.contains("\n1.0\n")); // ticks far from the data
    /// # Ok::<(), wengert_plot::PlotError>(())
    /// ```
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// Where a value is along the axis: the value or a decimal logarithm; NaN if it is nowhere.
    pub(crate) fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Log if value > 0.0 => value.log10(),
            Scale::Nines if value < 100.0 => -(100.0 - value).log10(),
            Scale::Log | Scale::Nines => f64::NAN,
        }
    }

    /// Both ends, as places: the given range, or that of the values with some air.
    pub(crate) fn ends(&self, values: impl Iterator<Item = f64>) -> (f64, f64) {
        if let Some((low, high)) = self.range {
            return (self.place(low), self.place(high));
        }
        let (low, high) = values
            .map(|v| self.place(v))
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            return (0.0, 1.0);
        }
        let air = if high > low { 0.03 * (high - low) } else { 0.5 };
        (low - air, high + air)
    }

    /// The places of the ticks between two places.
    pub(crate) fn ticks(&self, (low, high): (f64, f64)) -> Vec<f64> {
        let mut step = round_step((high - low) / 6.0);
        if self.scale == Scale::Nines {
            return NINES
                .iter()
                .map(|&v| self.place(v))
                .filter(|place| (low..=high).contains(place))
                .collect();
        }
        if self.scale == Scale::Log {
            if high - low < 1.5 {
                return (low.floor() as i32..=high.ceil() as i32)
                    .flat_map(|decade| [1.0f64, 2.0, 5.0].map(|digit| digit.log10() + f64::from(decade)))
                    .filter(|place| (low..=high).contains(place))
                    .collect();
            }
            step = step.ceil();
        }
        let slack = 1e-9 * step;
        let first = ((low - slack) / step).ceil() as i64;
        let last = ((high + slack) / step).floor() as i64;
        (first..=last).map(|i| i as f64 * step).collect()
    }

    /// What is written at a place.
    pub(crate) fn text(&self, place: f64, (low, high): (f64, f64)) -> String {
        match self.scale {
            Scale::Log => return number(10f64.powf(place)),
            Scale::Nines => return number(100.0 - 10f64.powf(-place)),
            Scale::Linear => {}
        }
        let step = round_step((high - low) / 6.0);
        let decimals = (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
        let text = format!("{:.decimals$}", if place.abs() < 1e-9 * step { 0.0 } else { place });
        text.replace('-', "−")
    }
}

/// 1, 2 or 5 times a power of ten, near `step`.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let digit = step / power;
    power
        * if digit < 1.5 {
            1.0
        } else if digit < 3.5 {
            2.0
        } else if digit < 7.5 {
            5.0
        } else {
            10.0
        }
}

/// A number, shortly: 1e4 and up, and below 0.01, as powers of ten.
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let size = value.abs();
    let exponent = (size.log10() + 1e-9).floor() as i32;
    let text = if (-2..4).contains(&exponent) {
        format!("{}", (size * 1e6).round() / 1e6)
    } else {
        format!("{:.0}e{exponent}", size / 10f64.powi(exponent))
    };
    let text = if value < 0.0 { format!("-{text}") } else { text };
    text.replace('-', "−")
}
