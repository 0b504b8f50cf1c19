//! How old what gradients were evaluated at was.

/// Ages from here on are counted together.
const LAST: usize = 64;

/// How often each staleness was seen: a number of updates, or of steps.
///
/// ```
/// use wengert_distributed::server::Histogram;
/// let mut seen = Histogram::default();
/// for staleness in [0, 1, 1, 2] {
///     seen.count(staleness);
/// }
/// assert_eq!((seen.max(), seen.mean(), seen.total()), (2, 1.0, 4));
/// assert_eq!(seen.to_string(), "0: 1, 1: 2, 2: 1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; LAST + 1],
    sum: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { counts: [0; LAST + 1], sum: 0, max: 0 }
    }
}

impl Histogram {
    /// Counts one more.
    pub fn count(&mut self, staleness: u64) {
        self.counts[(staleness as usize).min(LAST)] += 1;
        self.sum += staleness;
        self.max = self.max.max(staleness);
    }

    /// Adds what another has counted.
    ///
    /// ```
    /// use wengert_distributed::server::Histogram;
    /// let (mut all, mut one) = (Histogram::default(), Histogram::default());
    /// one.count(3);
    /// all.merge(&one);
    /// assert_eq!(all, one);
    /// ```
    pub fn merge(&mut self, other: &Histogram) {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, other)| *count += other);
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// The largest seen.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// How many were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The mean, 0 if none were counted.
    pub fn mean(&self) -> f64 {
        self.sum as f64 / self.total().max(1) as f64
    }

    /// How often each staleness from 0 on was seen, the last place for 64 and more.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// What is summed over ranks; the largest is apart.
    pub(crate) fn sums(&self) -> impl Iterator<Item = u64> {
        self.counts.into_iter().chain([self.sum])
    }

    pub(crate) fn of_sums(sums: &[u64], max: u64) -> Self {
        let mut seen = Histogram { max, sum: sums[LAST + 1], ..Histogram::default() };
        seen.counts.copy_from_slice(&sums[..=LAST]);
        seen
    }

    /// The number of [`sums`](Histogram::sums).
    pub(crate) const SUMS: usize = LAST + 2;
}

impl std::fmt::Display for Histogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut separator = "";
        for (staleness, &count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let more = if staleness == LAST { "+" } else { "" };
            write!(f, "{separator}{staleness}{more}: {count}")?;
            separator = ", ";
        }
        Ok(())
    }
}
