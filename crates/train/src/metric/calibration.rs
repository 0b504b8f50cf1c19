//! How far probabilities are from frequencies.

use wengert_state::{Scalar, State, StateError};
use wengert_tensor::{Float, Tensor};

use super::Metric;
use super::exact::ExactSum;
use super::kept::{Kept, counts, kept_in, named, unlike};
use super::outputs::{Examples, Scale, choice, small_by_scale};

/// The expected calibration error: how far the probability of the chosen class is from the fraction of such choices that
/// are right, in the mean over examples, which are grouped by that probability into bins of equal width.
///
/// Labels of [`IGNORED`](wengert_nn::IGNORED) do not count. NaN if an output is.
///
/// Source: Guo et al., "On calibration of modern neural networks", 2017.
///
/// ```
/// use wengert_tensor::Tensor;
/// use wengert_train::metric::{CalibrationError, Metric};
/// let mut error = CalibrationError::new(10).probabilities();
/// let outputs = Tensor::from([[0.25, 0.75], [0.25, 0.75], [0.75, 0.25], [0.75, 0.25]]);
/// error.update(&outputs, &Tensor::from([1, 1, 0, 1]));
/// assert_eq!(error.value(), 0.0); // three of four are right
/// ```
#[derive(Clone, Debug)]
pub struct CalibrationError {
    name: String,
    scale: Scale,
    kept: Bins,
}

/// The examples whose choice had a probability in some range.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct CalibrationBin {
    /// Below all probabilities of the bin.
    pub above: f64,
    /// The largest that is in the bin.
    pub up_to: f64,
    /// The number of examples.
    pub examples: u64,
    /// The mean of the probabilities of the chosen classes.
    pub confidence: f64,
    /// The fraction of choices that were right.
    pub accuracy: f64,
}

impl CalibrationError {
    /// Nothing taken in yet; 15 bins are usual.
    ///
    /// # Panics
    /// If there are no bins, or more than a million.
    #[track_caller]
    pub fn new(bins: usize) -> Self {
        assert!((1..=1_000_000).contains(&bins), "calibration_error: {bins} bins are not from 1 to 1000000");
        CalibrationError { name: "calibration_error".into(), scale: Scale::Logits, kept: Bins::new(bins) }
    }

    /// Takes outputs for probabilities, not for logits of which they are the softmax.
    pub fn probabilities(mut self) -> Self {
        self.scale = Scale::Probabilities;
        self
    }

    named!();

    /// The value over all that was taken in; NaN if that is nothing.
    pub fn value(&self) -> f64 {
        let total: u64 = self.kept.examples.iter().sum();
        if self.kept.undecided > 0 {
            return f64::NAN;
        }
        let gaps = self.kept.right.iter().zip(&self.kept.confidence);
        gaps.map(|(&right, confidence)| (right as f64 - confidence.value()).abs()).sum::<f64>() / total as f64
    }

    /// The bins that have examples, for a diagram of reliability.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{CalibrationBin, CalibrationError, Metric};
    /// let mut error = CalibrationError::new(4).probabilities();
    /// error.update(&Tensor::from([[0.125, 0.875], [0.125, 0.875], [0.625, 0.375]]), &Tensor::from([1, 0, 0]));
    /// let bins: Vec<CalibrationBin> = error.bins();
    /// assert_eq!((bins[0].above, bins[0].up_to, bins[0].accuracy), (0.5, 0.75, 1.0));
    /// // Where the model was 87.5 % sure, half of its choices are right.
    /// assert_eq!((bins[1].confidence, bins[1].accuracy, bins[1].examples), (0.875, 0.5, 2));
    /// ```
    pub fn bins(&self) -> Vec<CalibrationBin> {
        let count = self.kept.examples.len();
        let of = |i: usize| {
            let (examples, sum) = (self.kept.examples[i], self.kept.confidence[i].value());
            CalibrationBin {
                above: edge(i, count),
                up_to: edge(i + 1, count),
                examples,
                confidence: sum / examples as f64,
                accuracy: self.kept.right[i] as f64 / examples as f64,
            }
        };
        (0..count).filter(|&i| self.kept.examples[i] > 0).map(of).collect()
    }

    fn settings(&self) -> State {
        State::new("calibration_error", 0)
            .with_count("bins", self.kept.examples.len() as u64)
            .with_scalar("scale", Scalar::Text(self.scale.word().into()))
    }
}

fn edge(i: usize, bins: usize) -> f64 {
    if i == bins { 1.0 } else { i as f64 * (1.0 / bins as f64) }
}

/// Which of the bins, each without its lower edge, a probability is in.
fn bin(p: f64, bins: usize) -> usize {
    let mut found = ((p * bins as f64).ceil() as usize).saturating_sub(1).min(bins - 1);
    // The product may have been rounded over an edge.
    while found > 0 && p <= edge(found, bins) {
        found -= 1;
    }
    while found + 1 < bins && p > edge(found + 1, bins) {
        found += 1;
    }
    found
}

impl<T: Float> Metric<T> for CalibrationError {
    kept_in!(kept);

    small_by_scale!();

    #[track_caller]
    fn update(&mut self, outputs: &Tensor<T>, labels: &Tensor<u32>) {
        super::expect_fit(self.refuses(outputs, labels));
        let mut probabilities = Vec::new();
        for (scores, label) in Examples::new(outputs, labels).iter() {
            self.scale.probabilities(scores, &mut probabilities);
            let chosen = choice(scores, self.scale.threshold());
            let confidence = match (chosen, &probabilities[..]) {
                (Some(1), &[p]) => p,
                (Some(_), &[p]) => 1.0 - p,
                (Some(class), all) => all[class],
                (None, _) => f64::NAN,
            };
            self.kept.take_in(confidence, chosen == Some(label));
        }
    }
}

#[derive(Clone, Debug)]
struct Bins {
    examples: Vec<u64>,
    right: Vec<u64>,
    confidence: Vec<ExactSum>,
    undecided: u64,
}

impl Bins {
    fn new(bins: usize) -> Self {
        let confidence = vec![ExactSum::ZERO; bins];
        Bins { examples: vec![0; bins], right: vec![0; bins], confidence, undecided: 0 }
    }

    fn take_in(&mut self, confidence: f64, right: bool) {
        if confidence.is_nan() {
            self.undecided += 1;
            return;
        }
        let bin = bin(confidence, self.examples.len());
        self.examples[bin] += 1;
        self.right[bin] += u64::from(right);
        self.confidence[bin].add(confidence);
    }
}

impl Kept for Bins {
    fn write(&self, state: State) -> State {
        let mut state = state
            .with_count("undecided", self.undecided)
            .with_words("examples", &self.examples)
            .with_words("right", &self.right);
        state.vectors.insert("confidence".into(), ExactSum::written(&self.confidence));
        state
    }

    fn read(&self, state: &State) -> Result<Self, StateError> {
        let bins = Bins {
            examples: counts(state, "examples")?,
            right: counts(state, "right")?,
            confidence: ExactSum::read(state, "confidence")?,
            undecided: state.count("undecided")?,
        };
        let here = self.examples.len();
        for found in [bins.examples.len(), bins.right.len(), bins.confidence.len()] {
            if found != here {
                return Err(unlike(&state.kind, "bins", here, found));
            }
        }
        Ok(bins)
    }

    fn add(&mut self, other: Self) -> Result<(), StateError> {
        let both = |own: &mut [u64], more: &[u64]| own.iter_mut().zip(more).for_each(|(n, more)| *n += more);
        both(&mut self.examples, &other.examples);
        both(&mut self.right, &other.right);
        self.confidence.iter_mut().zip(other.confidence).for_each(|(own, more)| own.add_sum(more));
        self.undecided += other.undecided;
        Ok(())
    }

    fn reset(&mut self) {
        *self = Bins::new(self.examples.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edge_is_in_the_bin_below_it() {
        for bins in 1..200 {
            for i in 0..=bins {
                let p = edge(i, bins);
                assert_eq!(bin(p, bins), i.saturating_sub(1), "{i} of {bins}");
                assert_eq!(bin(p.next_up().min(1.0), bins), i.min(bins - 1), "above {i} of {bins}");
            }
        }
    }
}
