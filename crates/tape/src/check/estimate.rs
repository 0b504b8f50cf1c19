//! The derivative of one element of a function's value, from differences of many steps.

use crate::check::difference::Judgement;

/// Extrapolations from one step to the next.
pub(super) const COLUMNS: usize = 4;
/// The error relative to the derivative that a rule may have.
const TOLERANCE: f64 = 1e-7;
/// The rounding of a value, with a margin.
const ROUNDING: f64 = 32.0 * f64::EPSILON;
/// How much errors that are independent add up to in f(4h) + f(−4h) − 16 f(h) − 16 f(−h) + 30 f(0).
const NOISE_GAIN: f64 = 37.6;

/// Which steps an element waits for.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// Parts of the point, shorter and shorter.
    Shorter,
    /// Longer than the point.
    Longer,
    Done,
}

/// An extrapolated difference.
#[derive(Clone, Copy)]
struct Entry {
    derivative: f64,
    /// How far its neighbours are.
    spread: f64,
    /// The shortest step that it is made of.
    h: f64,
}

/// What is known of a derivative.
pub(super) struct Estimate {
    /// The rule's.
    found: f64,
    value: f64,
    /// The largest value met.
    size: f64,
    phase: Phase,
    /// The last row of extrapolations: the first is the difference, each further one removes the next power of h².
    row: Vec<f64>,
    /// f(h) + f(−h) of the last step.
    sum: Option<f64>,
    /// What a fourth difference of each step leaves for an error of a single value.
    rests: Vec<f64>,
    /// The error of a single value.
    noise: f64,
    entries: Vec<Entry>,
}

impl Estimate {
    pub(super) fn new(value: f64, found: f64) -> Self {
        let (row, sum, rests, entries) = (Vec::new(), None, Vec::new(), Vec::new());
        Estimate {
            found,
            value,
            size: value.abs(),
            phase: Phase::Shorter,
            row,
            sum,
            rests,
            noise: 0.0,
            entries,
        }
    }

    /// Takes in the values at both ends of a step.
    pub(super) fn take(&mut self, h: f64, (above, below): (f64, f64)) {
        if self.phase == Phase::Done {
            return;
        }
        let difference = (above - below) / (2.0 * h);
        if !difference.is_finite() {
            self.row.clear();
            self.sum = None;
            return;
        }
        self.size = self.size.max(above.abs()).max(below.abs());
        self.measure_noise(above + below);
        let mut row = vec![difference];
        let mut factor = 1.0;
        for j in 0..self.row.len().min(COLUMNS) {
            factor *= 16.0;
            let finer = (row[j] * factor - self.row[j]) / (factor - 1.0);
            let before = self.row.get(j + 1).copied().unwrap_or(self.row[j]);
            self.offer(finer, [row[j], self.row[j], before], h);
            row.push(finer);
        }
        if let Some(&before) = self.row.first() {
            self.offer(difference, [before; 3], h);
        }
        self.row = row;
    }

    /// Smooth functions leave next to nothing in a fourth difference of short steps, kinks a rest that is proportional
    /// to the step, and rounding errors one that does not get smaller.
    fn measure_noise(&mut self, sum: f64) {
        if self.phase == Phase::Shorter
            && let Some(wide) = self.sum.replace(sum)
        {
            let rest = (wide - 16.0 * sum) + 30.0 * self.value;
            self.rests.push(rest.abs() / NOISE_GAIN);
            if let [.., _, b, c] = self.rests[..]
                && (self.is_flat() || self.noise > 0.0)
            {
                self.noise = self.noise.max(b.max(c));
            }
        }
    }

    /// Whether the last rests are rounding errors: not proportional to the step, and small.
    fn is_flat(&self) -> bool {
        matches!(self.rests[..], [.., a, b, c] if a <= 4.0 * c && a.max(b).max(c) <= 1e-2 * self.size)
    }

    fn offer(&mut self, derivative: f64, neighbours: [f64; 3], h: f64) {
        let spread = neighbours.iter().fold(0.0, |m: f64, n| m.max((derivative - n).abs()));
        // A step that is longer than the point only counts where all agree: kinks may lie between.
        if self.phase == Phase::Shorter || spread <= 1e-6 * derivative.abs() {
            self.entries.push(Entry { derivative, spread, h });
        }
    }

    /// The error that rounding may make in a difference.
    fn rounding(&self, h: f64) -> f64 {
        (ROUNDING * (self.size + self.found.abs()) + 8.0 * self.noise) / h
    }

    /// The extrapolation with the smallest error, as far as it is known.
    fn best(&self) -> Option<Entry> {
        let error = |e: &Entry| e.spread.max(self.rounding(e.h));
        self.entries.iter().min_by(|a, b| error(a).total_cmp(&error(b))).copied()
    }

    /// What errors are relative to.
    fn scale(&self, best: &Entry) -> f64 {
        best.derivative.abs().max(self.found.abs())
    }

    /// Whether shorter steps would tell nothing more.
    pub(super) fn is_good(&self) -> bool {
        let flat = matches!(self.rests[..], [.., a, _, c] if a <= 4.0 * c);
        flat && self
            .best()
            .is_some_and(|b| b.spread <= (1e-3 * TOLERANCE * self.scale(&b)).max(self.rounding(b.h)))
    }

    /// Whether rounding hides the derivative.
    pub(super) fn is_blind(&self) -> bool {
        self.found != 0.0 && self.best().is_some_and(|b| self.rounding(b.h) > 1e-3 * self.scale(&b))
    }

    /// Makes ready for longer steps, or for no more.
    pub(super) fn go_farther(&mut self) {
        self.row.clear();
        self.phase = if self.is_blind() { Phase::Longer } else { Phase::Done };
    }

    pub(super) fn judgement(&self) -> Judgement {
        let (found, size) = (self.found, self.size);
        let Some(best) = self.best() else {
            return Judgement { found, expected: f64::NAN, size, right: false, seen: true };
        };
        let (expected, scale) = (best.derivative, self.scale(&best));
        let allowed =
            TOLERANCE * scale + (10.0 * best.spread).min(10.0 * TOLERANCE * scale) + self.rounding(best.h);
        let seen = found == 0.0
            || found.abs() > 1e3 * (f64::EPSILON * size + self.noise)
            || best.spread <= 1e-3 * expected.abs();
        Judgement { found, expected, size, right: (found - expected).abs() <= allowed, seen }
    }
}
