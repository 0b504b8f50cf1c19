//! How numbers are spread.

use wengert_tensor::Float;

/// How many numbers there are in bins of equal width from the least to the largest finite one.
///
/// ```
/// use wengert_train::watch::Histogram;
/// let histogram = Histogram::of(&[0.0f32, 0.1, 0.9, 1.0, f32::NAN], 2);
/// assert_eq!((histogram.least, histogram.largest), (0.0, 1.0));
/// assert_eq!((&histogram.counts[..], histogram.not_finite), (&[2, 2][..], 1));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Histogram {
    /// The least finite number; NaN if there is none.
    pub least: f64,
    /// The largest finite number; NaN if there is none.
    pub largest: f64,
    /// The numbers in each bin; all in the first if they are equal.
    pub counts: Vec<u64>,
    /// How many are NaN or infinite, which are in no bin.
    pub not_finite: u64,
}

impl Histogram {
    /// That of some numbers.
    ///
    /// # Panics
    /// If there are no bins.
    #[track_caller]
    pub fn of<T: Float>(values: &[T], bins: usize) -> Self {
        assert!(bins > 0, "Histogram: {} values go into no bins", values.len());
        let finite = || values.iter().map(|x| x.to_f64()).filter(|x| x.is_finite());
        let (least, largest) = (finite().fold(f64::NAN, f64::min), finite().fold(f64::NAN, f64::max));
        // Halves, whose difference does not overflow.
        let width = largest / 2.0 - least / 2.0;
        let mut counts = vec![0; bins];
        for x in finite() {
            let share = if width > 0.0 { (x / 2.0 - least / 2.0) / width } else { 0.0 };
            counts[((share * bins as f64) as usize).min(bins - 1)] += 1;
        }
        let not_finite = values.len() as u64 - counts.iter().sum::<u64>();
        Histogram { least, largest, counts, not_finite }
    }
}
