//! Mini-batches.

use wengert_tape::Var;
use wengert_tensor::random::Generator;
use wengert_tensor::{Element, Tensor};

use crate::dataset::Dataset;

/// Some examples of a [`Dataset`] and their labels.
#[derive(Clone, Debug)]
pub struct Batch<L: Element = u32> {
    /// The features, `[examples, …]`, as a variable that a model takes.
    pub images: Var,
    /// The labels, `[examples]`.
    pub labels: Tensor<L>,
}

/// The same features and labels.
impl<L: Element> PartialEq for Batch<L> {
    fn eq(&self, other: &Self) -> bool {
        self.images.value() == other.images.value() && self.labels == other.labels
    }
}

/// One pass over a [`Dataset`] in batches: made by [`Dataset::batches`].
///
/// Everything that it makes lives in buffers that tensors recycle, so that a training loop asks the system for
/// no memory after its first steps.
#[derive(Clone, Debug)]
pub struct Batches<'a, L: Element = u32> {
    dataset: &'a Dataset<L>,
    size: usize,
    /// Positions in the order of the pass; in order of the data set if there are none.
    order: Option<Tensor<u32>>,
    next: usize,
    end: usize,
}

impl<'a, L: Element> Batches<'a, L> {
    #[track_caller]
    pub(crate) fn new(dataset: &'a Dataset<L>, size: usize) -> Self {
        assert!(size > 0, "batches: the batch size must be at least 1");
        Batches { dataset, size, order: None, next: 0, end: dataset.len() }
    }

    /// In the random order that belongs to `seed`: give each epoch its own, and a run can be repeated.
    ///
    /// The order is a Fisher–Yates shuffle by [`Generator`], the same on every platform.
    ///
    /// ```
    /// let data = wengert_data::synthetic::digits(100, 0);
    /// let labels = |seed| data.batches(100).shuffled(seed).next().unwrap().labels;
    /// assert_eq!(labels(1), labels(1));
    /// assert_ne!(labels(1), labels(2));
    /// ```
    pub fn shuffled(mut self, seed: u64) -> Self {
        let mut order = Tensor::<u32>::zeros(self.dataset.len());
        let positions = order.as_mut_slice();
        for (i, position) in positions.iter_mut().enumerate() {
            // A data set has at most `u32::MAX` examples.
            *position = i as u32;
        }
        Generator::seeded(seed).shuffle(positions);
        self.order = Some(order);
        self
    }

    /// Without the last batch, if it is short.
    ///
    /// ```
    /// let data = wengert_data::synthetic::digits(100, 0);
    /// assert_eq!(data.batches(64).len(), 2);
    /// assert_eq!(data.batches(64).drop_last().len(), 1);
    /// ```
    pub fn drop_last(mut self) -> Self {
        self.end -= self.end % self.size;
        self
    }
}

impl<L: Element> Iterator for Batches<'_, L> {
    type Item = Batch<L>;

    fn next(&mut self) -> Option<Batch<L>> {
        if self.next >= self.end {
            return None;
        }
        let start = self.next;
        self.next = (start + self.size).min(self.end);
        let order = self.order.as_ref().and_then(Tensor::as_slice);
        Some(match order {
            Some(order) => self.dataset.gather(self.next - start, |i| order[start + i] as usize),
            None => self.dataset.gather(self.next - start, |i| start + i),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.end - self.next).div_ceil(self.size);
        (left, Some(left))
    }
}

impl<L: Element> ExactSizeIterator for Batches<'_, L> {}
impl<L: Element> std::iter::FusedIterator for Batches<'_, L> {}
