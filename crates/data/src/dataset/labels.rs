//! Data sets with class labels.

use std::collections::BTreeMap;

use wengert_tensor::Tensor;

use super::Dataset;
use crate::error::DataError;
use crate::source::Source;

impl<X: Source> Dataset<(X, Tensor<u32>)> {
    /// The same data set, checked to have only labels below `classes`.
    ///
    /// # Errors
    /// [`DataError::LabelOutOfRange`], naming the first example that has another.
    pub fn with_classes(self, classes: usize) -> Result<Self, DataError> {
        let (labels, width) = self.labels();
        for example in 0..self.len() {
            let labels = self.labels_of(&labels, width, example);
            if let Some(&label) = labels.iter().find(|&&label| label as usize >= classes) {
                return Err(DataError::LabelOutOfRange { example, label, classes });
            }
        }
        Ok(self)
    }

    /// How often each label occurs.
    pub fn label_counts(&self) -> BTreeMap<u32, usize> {
        let (labels, width) = self.labels();
        let mut counts = BTreeMap::new();
        for example in 0..self.len() {
            for &label in self.labels_of(&labels, width, example) {
                *counts.entry(label).or_insert(0) += 1;
            }
        }
        counts
    }

    /// Two data sets as by [`split`](Dataset::split), each with the same fraction of every class, as near as whole examples
    /// allow: of the classes, those whose share was rounded down most get the examples that are left.
    ///
    /// # Errors
    /// If one of the two would be empty, `fraction` is not between 0 and 1, or there is not one label for each example.
    ///
    /// ```
    /// use wengert_data::{DataError, Dataset};
    /// use wengert_tensor::Tensor;
    /// // Ten examples of a class that is rare, ninety of another.
    /// let labels = Tensor::from((0..100).map(|i| u32::from(i % 10 > 0)).collect::<Vec<u32>>());
    /// let data = Dataset::new((Tensor::<f32>::zeros([100, 3]), labels))?;
    /// let (train, validation) = data.split_stratified(0.8, 0)?;
    /// assert!(train.label_counts().into_values().eq([8, 72]));
    /// assert!(validation.label_counts().into_values().eq([2, 18]));
    /// # Ok::<(), DataError>(())
    /// ```
    pub fn split_stratified(&self, fraction: f64, seed: u64) -> Result<(Self, Self), DataError> {
        let (labels, _) = self.labels();
        if labels.rank() != 1 {
            let found = labels.shape().get(1..).unwrap_or_default().into();
            return Err(DataError::WrongExampleShape { expected: [0usize; 0].into(), found });
        }
        let mut wanted = shares(&self.label_counts(), fraction, self.share(fraction)?);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for row in self.shuffled_rows(seed) {
            let left = wanted.get_mut(&labels.at([row as usize])).filter(|left| **left > 0);
            match left {
                Some(left) => {
                    *left -= 1;
                    first.push(row);
                }
                None => second.push(row),
            }
        }
        Ok((self.with_rows(first), self.with_rows(second)))
    }

    /// The labels of the whole source, contiguous, and how many an example has.
    fn labels(&self) -> (Tensor<u32>, usize) {
        let labels = self.source.1.contiguous();
        let width = labels.shape().iter().skip(1).product();
        (labels, width)
    }

    fn labels_of<'a>(&self, labels: &'a Tensor<u32>, width: usize, example: usize) -> &'a [u32] {
        let labels = labels.as_slice().expect("labels were made contiguous");
        &labels[self.row(example) as usize * width..][..width]
    }
}

/// How many of each class to take, `total` together, for the same fraction of each (the largest remainders are rounded
/// up; of equal ones the first classes').
fn shares(counts: &BTreeMap<u32, usize>, fraction: f64, total: usize) -> BTreeMap<u32, usize> {
    let exact = |count: usize| (fraction * count as f64).min(count as f64);
    let mut shares: BTreeMap<u32, usize> =
        counts.iter().map(|(&label, &count)| (label, exact(count).floor() as usize)).collect();
    let mut by_remainder: Vec<(u32, f64)> =
        counts.iter().map(|(&label, &count)| (label, exact(count).fract())).collect();
    by_remainder.sort_by(|a, b| b.1.total_cmp(&a.1));
    let left = total.saturating_sub(shares.values().sum());
    for (label, _) in by_remainder.into_iter().take(left) {
        *shares.entry(label).or_insert(0) += 1;
    }
    shares
}
