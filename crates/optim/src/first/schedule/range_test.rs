//! The learning-rate range test.

use wengert_tensor::Float;

use crate::error::{Check, HyperParameterError};

/// A rate that was tried and the loss it led to.
///
/// ```
/// use wengert_optim::schedule::{RangeTest, RangeTestPoint};
/// let mut test = RangeTest::new(0.1, 1.0, 2);
/// test.next_rate();
/// test.observe(5.0);
/// let RangeTestPoint { rate, loss, smooth } = test.points()[0];
/// assert!((rate - 0.1).abs() < 1e-12 && loss == 5.0 && (smooth - 5.0).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangeTestPoint {
    /// The learning rate of the step.
    pub rate: f64,
    /// The loss observed.
    pub loss: f64,
    /// The loss averaged over the last steps: the exponential average with decay 0.98, corrected for its bias.
    pub smooth: f64,
}

/// The learning-rate range test: train for some hundred steps with a rate that grows geometrically, and look where the
/// loss falls fastest, and where it explodes.
///
/// Take the rate of each step from [`next_rate`](RangeTest::next_rate), give the loss of the step to
/// [`observe`](RangeTest::observe), and stop when there is no next rate: the rates are used up, or the average loss is over four
/// times its least or not finite. Where the least is not above 0, three times the larger of its size and of the fall so far
/// above it is too much.
///
/// Source: Smith, *Cyclical learning rates for training neural networks*, 2017, with the smoothing and the stopping rule of
/// fastai.
///
/// ```
/// use wengert_optim::schedule::RangeTest;
/// let mut test = RangeTest::new(1e-4, 10.0, 200);
/// let mut theta = 1.0f64;
/// while let Some(rate) = test.next_rate() {
///     test.observe(theta * theta);
///     theta -= rate * 2.0 * theta; // diverges for rates above 1
/// }
/// let suggested = test.suggestion().unwrap();
/// assert!((1e-3..1.0).contains(&suggested), "{suggested}");
/// ```
#[derive(Debug, Clone)]
pub struct RangeTest {
    smallest: f64,
    largest: f64,
    steps: usize,
    average: f64,
    least: f64,
    stopped: bool,
    points: Vec<RangeTestPoint>,
}

/// The decay of the average of the losses.
const DECAY: f64 = 0.98;

/// A positive loss has exploded when its average is so many times the least.
const EXPLODED: f64 = 4.0;

impl RangeTest {
    /// Tries `steps` rates from `smallest` to `largest`.
    ///
    /// # Panics
    /// If [`check`](Self::check) refuses them.
    #[track_caller]
    pub fn new(smallest: f64, largest: f64, steps: usize) -> Self {
        HyperParameterError::or_panic(Self::check(smallest, largest, steps));
        let points = Vec::new();
        RangeTest { smallest, largest, steps, average: 0.0, least: f64::INFINITY, stopped: false, points }
    }

    /// Whether it can be made with these.
    ///
    /// # Errors
    /// If a rate is not finite and above 0, they are in the wrong order, or there are fewer than 2 steps.
    pub fn check(smallest: f64, largest: f64, steps: usize) -> Result<(), HyperParameterError> {
        Check::new("range_test")
            .positive("smallest", smallest)?
            .positive("largest", largest)?
            .condition(smallest < largest, "smallest", smallest, "below the largest")?
            .condition(steps >= 2, "steps", steps as f64, "at least 2")?;
        Ok(())
    }

    fn rate(&self, index: usize) -> f64 {
        let share = index as f64 / (self.steps - 1) as f64;
        self.smallest.powf(1.0 - share) * self.largest.powf(share)
    }

    /// The rate to try next, if the test is not over.
    pub fn next_rate(&self) -> Option<f64> {
        (!self.stopped && self.points.len() < self.steps).then(|| self.rate(self.points.len()))
    }

    /// Takes in the loss at the parameters that the next rate is about to change. After the end it does nothing.
    pub fn observe(&mut self, loss: f64) {
        let Some(rate) = self.next_rate() else { return };
        self.average = DECAY * self.average + (1.0 - DECAY) * loss;
        let smooth = self.average / (1.0 - DECAY.powf(self.points.len() as f64 + 1.0));
        self.least = Float::minimum(self.least, smooth);
        let fall = self.points.first().map_or(0.0, |first| first.smooth - self.least);
        let size = if self.least > 0.0 { self.least } else { Float::maximum(-self.least, fall) };
        let exploded = smooth > self.least + (EXPLODED - 1.0) * size;
        self.stopped = !smooth.is_finite() || (self.points.len() > 1 && exploded);
        self.points.push(RangeTestPoint { rate, loss, smooth });
    }

    /// What has been tried, for a curve of loss against the logarithm of the rate.
    pub fn points(&self) -> &[RangeTestPoint] {
        &self.points
    }

    /// The rate at which the average loss fell fastest per logarithm of the rate, before its minimum; `None` if it never
    /// fell. The first and last tenths, where the average means little, do not count.
    pub fn suggestion(&self) -> Option<f64> {
        let finite = self.points.iter().take_while(|p| p.smooth.is_finite()).count();
        let points = &self.points[..finite];
        let edge = points.len() / 10;
        let inner = points.get(edge..points.len() - edge)?;
        let minimum = (0..inner.len()).min_by(|&a, &b| inner[a].smooth.total_cmp(&inner[b].smooth))?;
        let slope = |i: usize| inner[i + 1].smooth - inner[i - 1].smooth;
        (1..minimum)
            .filter(|&i| slope(i) < 0.0)
            .min_by(|&a, &b| slope(a).total_cmp(&slope(b)))
            .map(|i| inner[i].rate)
    }
}
