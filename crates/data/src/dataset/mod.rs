//! Examples, and parts of them.

mod features;
mod labels;
mod split;

use std::sync::Arc;

use wengert_tensor::Tensor;

pub use features::HasFeatures;

use crate::batches::Batches;
use crate::error::DataError;
use crate::features::Features;
use crate::source::{IntoVars, Source, sample};

/// What examples of a source are as a batch that a model and its loss take.
pub type BatchOf<S> = <<S as Source>::Batch as IntoVars>::Vars;

/// Examples of a [`Source`], or some of them: shuffled, split, and handed out in batches.
///
/// Unless it says otherwise, a data set has [`Features`] and class labels, as image sets do. A batch is then a pair,
/// of a variable for the model and of labels for the loss; in general it is what the source's batch
/// [becomes](IntoVars). Cloning, splitting and taking subsets share the examples. A data set is never empty.
///
/// ```
/// use wengert_data::{DataError, Dataset};
/// use wengert_tensor::Tensor;
///
/// let x = Tensor::from([[0.0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
/// let xor = Dataset::new((x, Tensor::<u32>::vector(&[0, 1, 1, 0])))?.with_classes(2)?;
/// let (inputs, labels) = xor.batches(3).next().unwrap();
/// assert_eq!((inputs.shape(), labels.to_vec()), (&[3, 2].into(), vec![0, 1, 1]));
/// # Ok::<(), DataError>(())
/// ```
#[derive(Debug)]
#[doc(alias = "TensorDataset")]
pub struct Dataset<S = (Features, Tensor<u32>)> {
    source: Arc<S>,
    /// Positions in the source; all of them if there are none.
    rows: Option<Arc<[u32]>>,
}

/// Features, and for each example what is to be predicted of it: a class, or numbers.
pub type Supervised<T = f32, Y = u32> = Dataset<(Features<T>, Tensor<Y>)>;

impl<S> Clone for Dataset<S> {
    fn clone(&self) -> Self {
        Dataset { source: self.source.clone(), rows: self.rows.clone() }
    }
}

impl<S: Source> Dataset<S> {
    /// All examples of a source: a tensor, [`Features`], [`Sequences`](crate::Sequences), a tuple of such, or a type of
    /// one's own.
    ///
    /// # Errors
    /// If there is no example, or parts of a tuple have not as many examples.
    pub fn new(source: S) -> Result<Self, DataError> {
        source.check()?;
        let examples = source.count();
        if examples == 0 {
            return Err(DataError::Empty);
        }
        if u32::try_from(examples).is_err() {
            return Err(DataError::TooMany { examples });
        }
        Ok(Dataset { source: Arc::new(source), rows: None })
    }

    /// Where the examples come from: all that there are, in their own order.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// The number of examples, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a data set is never empty")]
    pub fn len(&self) -> usize {
        self.rows.as_ref().map_or_else(|| self.source.count(), |rows| rows.len())
    }

    /// A number that data with other contents hardly have: of the shapes and bits of all examples, or of 1,024 of them evenly chosen
    /// where there are more; none if the source [has none](Source::fingerprint). Those who train on the same data compare it.
    ///
    /// ```
    /// use wengert_data::synthetic;
    /// let data = synthetic::digits(100, 0);
    /// assert_eq!(data.fingerprint(), synthetic::digits(100, 0).fingerprint());
    /// assert_ne!(data.fingerprint(), synthetic::digits(100, 1).fingerprint());
    /// ```
    pub fn fingerprint(&self) -> Option<u64> {
        let rows: Vec<u32> =
            sample(self.len()).into_iter().map(|position| self.row(position as usize)).collect();
        self.source.fingerprint(&rows)
    }

    /// The examples in batches of `size`, the last of which may be shorter: see [`Batches`] for shuffling, resuming,
    /// sharing among workers and preparing them on a thread.
    ///
    /// # Panics
    /// If `size` is 0.
    #[track_caller]
    pub fn batches(&self, size: usize) -> Batches<S> {
        Batches::new(self.clone(), size)
    }

    /// All examples as one batch.
    pub fn all(&self) -> BatchOf<S> {
        let rows = Tensor::<u32>::written(self.len(), |out| self.write_rows(out));
        self.source.batch(rows.as_slice().expect("a new tensor is contiguous")).into_vars()
    }

    /// The examples at some positions, in their order, as one batch.
    ///
    /// # Errors
    /// If a position is past the last example.
    pub fn select(&self, positions: &[usize]) -> Result<BatchOf<S>, DataError> {
        Ok(self.source.batch(&self.rows_at(positions)?).into_vars())
    }

    /// The examples at some positions, in their order, as a data set.
    ///
    /// # Errors
    /// If a position is past the last example, or there is none.
    ///
    /// ```
    /// let data = wengert_data::synthetic::digits(10, 0);
    /// let two = data.subset(&[7, 3])?;
    /// assert_eq!(two.all().1.at([0]), data.all().1.at([7]));
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn subset(&self, positions: &[usize]) -> Result<Self, DataError> {
        if positions.is_empty() {
            return Err(DataError::Empty);
        }
        if u32::try_from(positions.len()).is_err() {
            return Err(DataError::TooMany { examples: positions.len() });
        }
        Ok(self.with_rows(self.rows_at(positions)?))
    }

    /// The first `count` examples, or all if there are fewer.
    ///
    /// # Errors
    /// If `count` is 0.
    ///
    /// ```
    /// let data = wengert_data::synthetic::digits(10, 0);
    /// assert_eq!((data.take(4)?.len(), data.take(400)?.len()), (4, 10));
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    pub fn take(&self, count: usize) -> Result<Self, DataError> {
        if count == 0 {
            return Err(DataError::Empty);
        }
        Ok(self.with_rows((0..count.min(self.len())).map(|i| self.row(i))))
    }

    /// Where the examples at some positions stand in the source.
    fn rows_at(&self, positions: &[usize]) -> Result<Vec<u32>, DataError> {
        let examples = self.len();
        let row = |&index: &usize| match index < examples {
            true => Ok(self.row(index)),
            false => Err(DataError::IndexOutOfRange { index, examples }),
        };
        positions.iter().map(row).collect()
    }

    fn with_rows(&self, rows: impl IntoIterator<Item = u32>) -> Self {
        Dataset { source: self.source.clone(), rows: Some(rows.into_iter().collect()) }
    }

    /// Where the example at `position` stands in the source.
    pub(crate) fn row(&self, position: usize) -> u32 {
        // A source has at most `u32::MAX` examples.
        self.rows.as_ref().map_or(position as u32, |rows| rows[position])
    }

    /// Where all examples stand in the source.
    pub(crate) fn write_rows(&self, out: &mut [u32]) {
        for (position, row) in out.iter_mut().enumerate() {
            *row = self.row(position);
        }
    }
}
