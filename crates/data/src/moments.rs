//! Means and standard deviations of features.

/// Mean and standard deviation of each feature of a data set, in row-major order: what
/// [`Dataset::moments`](crate::Dataset::moments) finds and [`Dataset::standardise`](crate::Dataset::standardise) takes.
///
/// ```
/// use wengert_data::{Dataset, Features, Moments};
/// use wengert_tensor::Tensor;
/// let data = Dataset::new(Features::new(&Tensor::<f64>::from([[1.0, 7.0], [3.0, 7.0]])))?;
/// let Moments { mean, std } = data.moments()?;
/// // The second feature never varies.
/// assert_eq!((mean, std), (vec![2.0, 7.0], vec![1.0, 0.0]));
/// # Ok::<(), wengert_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// The means.
    pub mean: Vec<f64>,
    /// The standard deviations √(Σ (x − mean)² / n), exactly 0 where a feature never varies.
    pub std: Vec<f64>,
}

impl Moments {
    /// Those of the rows that `rows` hands out, one after the other, each time it is called.
    pub(crate) fn of(width: usize, rows: impl Fn(&mut dyn FnMut(&mut dyn Iterator<Item = f64>))) -> Self {
        // Differences from the first row: sums of them are small where the features are nearly constant.
        let (mut first, mut count) = (Vec::new(), 0.0);
        let mut mean = vec![0.0; width];
        rows(&mut |row| {
            count += 1.0;
            if first.is_empty() {
                first.extend(row);
            } else {
                each(&mut mean, row, |column, sum, x| *sum += x - first[column]);
            }
        });
        each(&mut mean, &mut first.iter().copied(), |_, sum, x| *sum = x + *sum / count);
        // What rounding left of the mean is found in the second pass.
        let mut sums = vec![(0.0, 0.0); width];
        rows(&mut |row| {
            each(&mut sums, row, |column, (left, squares), x| {
                let deviation = x - mean[column];
                *left += deviation;
                *squares += deviation * deviation;
            });
        });
        let std = sums.iter().map(|&(left, squares)| {
            let variance: f64 = squares / count - (left / count).powi(2);
            // `max` would turn NaN into 0.
            if variance < 0.0 { 0.0 } else { variance.sqrt() }
        });
        let std = std.collect();
        each(&mut mean, &mut sums.iter().map(|&(left, _)| left), |_, mean, left| *mean += left / count);
        Moments { mean, std }
    }

    /// The first feature whose moments are not finite.
    pub(crate) fn not_finite(&self) -> Option<usize> {
        self.mean.iter().zip(&self.std).position(|(mean, std)| !(mean.is_finite() && std.is_finite()))
    }
}

/// Calls `work` with each column's number, what was gathered of it, and its number in a row.
fn each<A>(columns: &mut [A], row: &mut dyn Iterator<Item = f64>, work: impl Fn(usize, &mut A, f64)) {
    for (column, (gathered, x)) in columns.iter_mut().zip(row).enumerate() {
        work(column, gathered, x);
    }
}
