//! How values are spread.

use wengert_tensor::Float;

use super::record::Fields;

const BINS: usize = 30;

/// Counts of values in bins of equal width. Values that are not finite are left out.
#[derive(Debug, PartialEq)]
pub(super) struct Histogram {
    low: f64,
    high: f64,
    count: f64,
    sum: f64,
    squares: f64,
    bins: Vec<f64>,
}

impl Histogram {
    /// `None` if no value is finite.
    pub(super) fn of<T: Float>(values: &[T]) -> Option<Self> {
        let finite = || values.iter().map(|v| v.to_f64()).filter(|v| v.is_finite());
        let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            return None;
        }
        let bins = if low == high { 1 } else { BINS };
        let mut found = Histogram { low, high, count: 0.0, sum: 0.0, squares: 0.0, bins: vec![0.0; bins] };
        // Halves, as the difference of the largest numbers overflows.
        let width = high / 2.0 - low / 2.0;
        for value in finite() {
            let part = if width > 0.0 { (value / 2.0 - low / 2.0) / width } else { 0.0 };
            found.bins[((part * bins as f64) as usize).min(bins - 1)] += 1.0;
            found.count += 1.0;
            found.sum += value;
            found.squares += value * value;
        }
        Some(found)
    }

    /// The fields of a `HistogramProto`.
    pub(super) fn write(&self, message: &mut Vec<u8>) {
        let bins = self.bins.len() as f64;
        let ends: Vec<f64> = (1..=self.bins.len())
            .map(|i| i as f64 / bins)
            .map(|part| if part == 1.0 { self.high } else { self.low * (1.0 - part) + self.high * part })
            .collect();
        for (field, value) in
            [(1, self.low), (2, self.high), (3, self.count), (4, self.sum), (5, self.squares)]
        {
            message.double(field, value);
        }
        message.doubles(6, &ends);
        message.doubles(7, &self.bins);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_finite_values_are_counted() {
        let values = [-1.0f32, 0.0, 0.5, 1.0, f32::NAN, f32::INFINITY, 2.0];
        let found = Histogram::of(&values).unwrap();
        assert_eq!((found.low, found.high, found.count, found.sum), (-1.0, 2.0, 5.0, 2.5));
        assert_eq!(found.bins.iter().sum::<f64>(), 5.0);
        assert_eq!((found.bins[0], found.bins[10], found.bins[29]), (1.0, 1.0, 1.0));
        assert_eq!(Histogram::of(&[3.0f64, 3.0]).unwrap().bins, [2.0]);
        assert_eq!(Histogram::of(&[f64::NAN]), None);
        assert_eq!(Histogram::of::<f32>(&[]), None);
        let wide = Histogram::of(&[f64::MIN, 0.0, f64::MAX]).unwrap();
        assert_eq!((wide.bins[0], wide.bins[15], wide.bins[29]), (1.0, 1.0, 1.0));
    }
}
